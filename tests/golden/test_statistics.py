"""Statistics against TA-Lib 0.8.2, and against exact arithmetic or the plain formula where it has none."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
import talib

import feature_store as fs
from feature_store.indicators.moments import correlation, response
from feature_store.indicators.price import returns
from feature_store.indicators.series import price
from tests.conftest import random_walk, values_of
from tests.golden.talib_case import Case, check_case

CASES = {
    "correl": Case(("correl_20",), lambda b: talib.CORREL(b.close, b.other, 20), whole=True),
    "beta": Case(("beta_20",), lambda b: talib.BETA(b.other, b.close, 20)),
    # TA-Lib's percentile is the nearest rank, ours lies between two ranks: equal where the rank is whole
    "median": Case(("median_21",), lambda b: talib.PERCENTILE(b.close, 21, 50)),
    "quantile": Case(("quantile_21_0.75",), lambda b: talib.PERCENTILE(b.close, 21, 75)),
    "percent_rank": Case(("percent_rank_100",), lambda b: talib.PERCENTRANK(b.close, 100)),
}
WALK = random_walk(400)["close"].to_numpy()
SERIES = {
    "EUR/USD": WALK,
    "USD/JPY": WALK * 100.0,
    "offset of a million": WALK + 1e6,
    "moves of a millionth": 1.1 + (WALK - WALK[0]) * 1e-2,
    "a spike of 1e9 that has left": np.where(np.arange(400) == 150, 1e9, WALK),
    "a jump of hundreds of deviations": np.where(np.arange(400) < 206, WALK, WALK + 0.2),
}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd.assign(other=eurusd["open"]))


@pytest.mark.parametrize("name", SERIES)
def test_higher_moments_are_right_to_twelve_digits(name):
    values = SERIES[name]
    frame = fs.compute({"close": values}, ["skew_30", "kurtosis_30"]).to_numpy()
    for row in range(181, len(values)):
        window = [Fraction(float(value)) for value in values[row - 29 : row + 1]]
        mean = sum(window) / 30
        second, third, fourth = (sum((value - mean) ** power for value in window) / 30 for power in (2, 3, 4))
        skew, kurtosis = float(third) / float(second) ** 1.5, float(fourth / second**2) - 3
        assert frame[row] == pytest.approx([skew, kurtosis], rel=1e-12, abs=1e-13), row


def test_moments_by_hand():
    # 1, 1, 1, 5: mean 2, distances -1 -1 -1 3; squares 12, cubes 24, fourths 84
    frame = fs.compute({"close": [1.0, 1.0, 1.0, 5.0]}, ["skew_4", "kurtosis_4"])
    assert frame.iloc[3].tolist() == pytest.approx([(24 / 4) / (12 / 4) ** 1.5, (84 / 4) / (12 / 4) ** 2 - 3])


def test_sample_moments_of_pandas_follow_as_the_docstrings_say(walk):
    skew, kurtosis = fs.compute(walk, ["skew_30", "kurtosis_30"]).to_numpy().T
    window = walk.close.rolling(30)
    np.testing.assert_allclose(skew * math.sqrt(30 * 29) / 28, window.skew(), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(29 / (28 * 27) * (31 * kurtosis + 6), window.kurt(), rtol=1e-5, atol=1e-5)


def test_a_flat_window_is_neutral_whatever_came_before():
    for before in range(1, 45):
        values = np.concatenate([WALK[:before], np.full(32, 1.23456)])
        ids = ["skew_30", "kurtosis_30", "autocorr_30_1", "linreg_r2_30", "stderr_30", "hurst_30"]
        assert fs.compute({"close": values}, ids).iloc[-1].tolist() == [0.0, 0.0, 0.0, 0.0, 0.0, 0.5]


@pytest.mark.parametrize("delay", [1, 5])
def test_autocorrelation_is_the_correlation_with_the_past(delay):
    got = fs.compute({"close": WALK}, [f"autocorr_20_{delay}"]).iloc[:, 0].to_numpy()
    first = 19 + delay
    want = [np.corrcoef(WALK[i - 19 : i + 1], WALK[i - 19 - delay : i + 1 - delay])[0, 1] for i in range(first, 400)]
    assert np.isnan(got[:first]).all()
    np.testing.assert_allclose(got[first:], want, rtol=1e-9, atol=1e-9)


def test_how_well_a_line_fits_is_what_least_squares_say():
    frame = fs.compute({"close": WALK}, ["linreg_r2_14", "stderr_14"]).to_numpy()
    time = np.arange(14.0)
    for row in range(13, 400):
        window = WALK[row - 13 : row + 1]
        left = window - np.polyval(np.polyfit(time, window, 1), time)
        error = math.sqrt((left**2).sum() / 12)
        r2 = 1 - (left**2).sum() / ((window - window.mean()) ** 2).sum()
        assert frame[row] == pytest.approx([r2, error], rel=1e-8, abs=1e-9)


def test_a_line_is_explained_whole():
    frame = fs.compute({"close": 1.1 + np.arange(100) * 1e-4}, ["linreg_r2_14", "stderr_14"])
    assert frame.iloc[-1].tolist() == pytest.approx([1.0, 0.0], abs=1e-10)


def test_entropy_is_shannons_of_the_shares_in_the_total():
    got = fs.compute({"close": WALK}, ["entropy_10"])["entropy_10"].to_numpy()
    for row in range(9, 400):
        share = WALK[row - 9 : row + 1] / WALK[row - 9 : row + 1].sum()
        assert got[row] == pytest.approx(-(share * np.log2(share)).sum(), rel=1e-14)
    # one value alone, and none at all
    assert fs.compute({"close": [0.0, 8.0, 0.0, 0.0]}, ["entropy_2"])["entropy_2"].tolist()[1:] == [0.0, 0.0, 0.0]


def test_hurst_is_the_rescaled_range_of_log_returns():
    got = fs.compute({"close": WALK}, ["hurst_100"])["hurst_100"].to_numpy()
    assert np.isnan(got[:100]).all()
    for row in range(100, 400):
        r = np.diff(np.log(WALK[row - 100 : row + 1]))
        path = np.concatenate([[0.0], np.cumsum(r - r.mean())])
        want = math.log((path.max() - path.min()) / r.std()) / math.log(100)
        assert got[row] == pytest.approx(want, rel=1e-9)


def test_hurst_of_independent_returns_is_what_its_docstring_says():
    walk = random_walk(20_000)["close"]
    assert fs.compute({"close": walk}, ["hurst_100"])["hurst_100"].mean() == pytest.approx(0.53, abs=0.01)


@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("period", [1, 2, 7, 20])
def test_quantiles_are_those_of_numpy_with_ties_and_spikes(q, period):
    random = np.random.default_rng(5)
    values = np.where(random.random(400) < 0.02, 1e9, random.integers(-5, 5, 400) / 4.0)
    got = fs.compute({"close": values}, [fs.feature("quantile", {"period": period, "q": q}).id]).iloc[:, 0].to_numpy()
    want = [np.quantile(values[i - period + 1 : i + 1], q) for i in range(period - 1, 400)]
    np.testing.assert_allclose(got[period - 1 :], want, rtol=1e-15)


def test_a_median_of_an_even_number_is_the_mean_of_the_middle_two(walk):
    want = walk.close.rolling(20).median()
    np.testing.assert_allclose(fs.compute(walk, ["median"])["median"], want, rtol=1e-15)


@pytest.mark.parametrize(("name", "best", "peer"), [("argmax", max, talib.MAXINDEX), ("argmin", min, talib.MININDEX)])
def test_bars_ago_are_those_of_talib_where_no_two_values_tie(name, best, peer, eurusd):
    """TA-Lib counts from the first bar, and which of equal values it takes depends on the bars before; ours is the latest."""
    close = eurusd.close.tolist()
    got, index = fs.compute(eurusd, [f"{name}_20"]).iloc[:, 0].to_numpy(), peer(eurusd.close, 20).to_numpy()
    assert np.isnan(got[:19]).all()
    ties = 0
    for row in range(19, len(close)):
        newest_first = close[row - 19 : row + 1][::-1]
        assert got[row] == newest_first.index(best(newest_first))
        tie = newest_first.count(best(newest_first)) > 1
        ties += tie
        assert tie or got[row] == row - index[row]
    assert ties > 20


def test_the_latest_of_equal_extremes_counts():
    # windows of three: (3 1 3) -> 0 ago; (1 3 3) -> 0; (3 3 2) -> 1; (3 2 1) -> 2; (2 1 1) -> 2
    values = [3.0, 1.0, 3.0, 3.0, 2.0, 1.0, 1.0]
    assert fs.compute({"close": values}, ["argmax_3"])["argmax_3"].tolist()[2:] == [0.0, 0.0, 1.0, 2.0, 2.0]
    assert fs.compute({"close": values}, ["argmin_3"])["argmin_3"].tolist()[2:] == [1.0, 2.0, 0.0, 0.0, 0.0]


def test_equal_values_do_not_lie_below():
    assert fs.compute({"close": np.full(9, 1.1)}, ["percent_rank_3"])["percent_rank_3"].iloc[-1] == 0.0


@pytest.mark.parametrize("name", SERIES)
def test_correlation_is_right_to_fourteen_digits(name):
    bars = pd.DataFrame({"high": SERIES[name], "low": np.roll(WALK, 7)})
    got = values_of(correlation(price("high"), price("low"), 20), bars)
    for row in range(181, 400):
        x, y = ([Fraction(value) for value in bars[column].iloc[row - 19 : row + 1]] for column in ("high", "low"))
        x, y = ([value - sum(each) / 20 for value in each] for each in (x, y))
        product, both = sum(a * b for a, b in zip(x, y, strict=True)), sum(a * a for a in x) * sum(b * b for b in y)
        assert got[row] == pytest.approx(float(product) / math.sqrt(both), abs=1e-14), row


def test_correlation_of_two_series_agrees_with_talib(eurusd):
    got = values_of(correlation(price("high"), price("low"), 20), eurusd)
    np.testing.assert_allclose(got, talib.CORREL(eurusd.high, eurusd.low, 20), rtol=1e-7, atol=1e-7)


def test_response_of_returns_is_the_beta_of_talib(eurusd):
    got = values_of(response(returns(price("high")), returns(price("low")), 20), eurusd)
    np.testing.assert_allclose(got, talib.BETA(eurusd.high, eurusd.low, 20), rtol=1e-9, atol=1e-9)


def test_correlation_of_returns_is_that_of_numpy(eurusd):
    bars = eurusd.iloc[:400].assign(other=eurusd["high"].iloc[:400])
    moves = np.diff(np.log(bars[["close", "other"]].to_numpy()), axis=0)
    wanted = [np.corrcoef(moves[row - 50 : row].T)[0, 1] for row in range(50, 400)]
    np.testing.assert_allclose(
        fs.compute(bars, ["correl_returns_50"])["correl_returns_50"].iloc[50:], wanted, rtol=1e-9
    )


@pytest.mark.parametrize(("jump", "move"), [(0.01, 1e-6), (0.5, 1e-6), (50.0, 1e-12)])
def test_deviations_keep_their_digits_on_the_far_side_of_a_jump(jump, move):
    steps = np.random.default_rng(5).integers(-50, 50, 120)
    values = 1.0 + move * np.cumsum(steps) + np.where(np.arange(120) < 67, 0.0, jump)
    frame = fs.compute({"close": values}, ["stdev_20", "zscore_20"]).to_numpy()
    for row in range(67 + 19, 120):
        window = [Fraction(float(value)) for value in values[row - 19 : row + 1]]
        mean = sum(window) / 20
        deviation = math.sqrt(sum((value - mean) ** 2 for value in window) / 20)
        assert frame[row] == pytest.approx([deviation, float(window[-1] - mean) / deviation], rel=1e-12, abs=0), row


def test_what_did_not_move_correlates_with_nothing():
    bars = pd.DataFrame({"high": np.full(40, 1.1), "low": WALK[:40]})
    assert values_of(correlation(price("high"), price("low"), 20), bars)[-1] == 0.0
    assert values_of(response(price("high"), price("low"), 20), bars)[-1] == 0.0


PROVEN = {
    "argmax",
    "argmin",
    "skew",
    "kurtosis",
    "autocorr",
    "linreg_r2",
    "stderr",
    "entropy",
    "hurst",
    "correl_returns",
}
