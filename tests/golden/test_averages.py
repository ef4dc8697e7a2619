"""Moving averages against TA-Lib 0.8.2, and those it does not have against their published formula written out slowly."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pytest
import talib

import feature_store as fs
from feature_store.errors import InvalidRequestError
from tests.conftest import random_walk
from tests.golden.talib_case import Case, check_case

if TYPE_CHECKING:
    import pandas as pd

CASES = {
    "dema": Case(("dema_20",), lambda b: talib.DEMA(b.close, 20)),
    "tema": Case(("tema_20",), lambda b: talib.TEMA(b.close, 20)),
    "t3": Case(("t3_5_0.7",), lambda b: talib.T3(b.close, 5, 0.7)),
    "hma": Case(("hma_20", "hma_25", "hma_33"), lambda b: tuple(talib.HMA(b.close, n) for n in (20, 25, 33))),
    "trima": Case(("trima_20", "trima_21"), lambda b: tuple(talib.TRIMA(b.close, n) for n in (20, 21))),
    "zlema": Case(("zlema_20", "zlema_21"), lambda b: tuple(talib.ZLEMA(b.close, n) for n in (20, 21))),
    "vwma": Case(("vwma_20",), lambda b: talib.VWMA(b.close, b.tick_volume, 20)),
    "midpoint": Case(("midpoint_14",), lambda b: talib.MIDPOINT(b.close, 14)),
    "midprice": Case(("midprice_14",), lambda b: talib.MIDPRICE(b.high, b.low, 14)),
    "linreg": Case(("linreg_14",), lambda b: talib.LINEARREG(b.close, 14)),
    "linreg_intercept": Case(("linreg_intercept_14",), lambda b: talib.LINEARREG_INTERCEPT(b.close, 14)),
    "tsf": Case(("tsf_14",), lambda b: talib.TSF(b.close, 14)),
    # slopes pass through zero, where TA-Lib's sums of prices cancel (1e-7 relative); ours is held against fractions below
    "linreg_slope": Case(("linreg_slope_14",), lambda b: talib.LINEARREG_SLOPE(b.close, 14), whole=True),
    "linreg_angle": Case(("linreg_angle_14",), lambda b: talib.LINEARREG_ANGLE(b.close, 14), whole=True),
    # begins with the price and a resting past, TA-Lib with 0: both are forgotten by row 235
    "mama": Case(("mama.mama", "mama.fama"), lambda b: talib.MAMA(b.close, 0.5, 0.05), since=400),
}

PROVEN = {"alma", "vidya", "frama", "mcginley", "ema_first", "swma", "smm"}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def compare(feature: str, want: np.ndarray, bars: pd.DataFrame) -> None:
    got = fs.compute(bars, [feature])[feature].to_numpy()
    np.testing.assert_allclose(got, want, rtol=1e-12)


def alma(close: np.ndarray, period: int, offset: float, sigma: float) -> np.ndarray:
    middle = offset * (period - 1)
    weights = [math.exp(-((i - middle) ** 2) / (2 * (period / sigma) ** 2)) for i in range(period)]
    values = np.full(len(close), np.nan)
    for row in range(period - 1, len(close)):
        window = close[row - period + 1 : row + 1]
        values[row] = math.fsum(w * x for w, x in zip(weights, window, strict=True)) / math.fsum(weights)
    return values


@pytest.mark.parametrize(("period", "offset", "sigma"), [(9, 0.85, 6.0), (10, 0.5, 3.0), (2, 1.0, 6.0), (50, 0.0, 4.0)])
def test_alma_is_the_mean_under_a_bell_of_weights(walk, period, offset, sigma):
    compare(f"alma_{period}_{offset}_{sigma}", alma(walk.close.to_numpy(), period, offset, sigma), walk)


def test_alma_by_hand():
    # weights exp(-(i - 1.7)^2 / 0.5), i = 0, 1, 2: 0.003089, 0.375311, 0.835270; 0.375311 / 1.213670 = 0.309237
    got = fs.compute({"close": [0.0, 1.0, 0.0]}, ["alma_3_0.85_6"])["alma_3_0.85_6"].iloc[-1]
    assert got == pytest.approx(0.309237, abs=1e-6)


@pytest.mark.parametrize(("period", "span"), [(14, 9), (5, 20)])
def test_vidya_is_an_ema_paced_by_the_absolute_cmo(walk, period, span):
    close = walk.close.to_numpy()
    values = np.full(len(close), np.nan)
    for row in range(span, len(close)):
        changes = np.diff(close[row - span : row + 1])
        up, down = changes[changes > 0].sum(), -changes[changes < 0].sum()
        weight = 2 / (period + 1) * abs(up - down) / (up + down)
        before = values[row - 1] if row > span else close[row]
        values[row] = weight * close[row] + (1 - weight) * before
    compare(f"vidya_{period}_{span}", values, walk)


def frama(bars: pd.DataFrame, period: int) -> np.ndarray:
    high, low, half = bars.high.to_numpy(), bars.low.to_numpy(), period // 2
    price = (high + low) / 2
    values, dimension = np.full(len(price), np.nan), 1.0
    for row in range(period - 1, len(price)):
        start = row - period + 1
        n1 = (high[start + half : row + 1].max() - low[start + half : row + 1].min()) / half
        n2 = (high[start : start + half].max() - low[start : start + half].min()) / half
        n3 = (high[start : row + 1].max() - low[start : row + 1].min()) / period
        if min(n1, n2, n3) > 0:
            dimension = (math.log(n1 + n2) - math.log(n3)) / math.log(2)
        weight = min(max(math.exp(-4.6 * (dimension - 1)), 0.01), 1.0)
        values[row] = price[row] if row == period - 1 else weight * price[row] + (1 - weight) * values[row - 1]
    return values


@pytest.mark.parametrize("period", [2, 16, 40])
def test_frama_is_paced_by_the_dimension_of_its_window(walk, period):
    compare(f"frama_{period}", frama(walk, period), walk)


def test_frama_keeps_its_pace_where_a_range_is_nothing():
    bars = random_walk(120)
    bars.iloc[50:80] = bars.iloc[50].close
    compare("frama_8", frama(bars, 8), bars)


def test_frama_needs_an_even_period():
    with pytest.raises(InvalidRequestError, match="must be even"):
        fs.parse("frama_15")


def test_mama_needs_its_slow_limit_below_the_fast_one():
    with pytest.raises(InvalidRequestError, match="slow must be at most fast"):
        fs.parse("mama_0.05_0.5")


@pytest.mark.parametrize(("period", "factor"), [(1, 0.7), (2, 0.7), (20, 0.3)])
def test_t3_is_six_nested_averages(walk, period, factor):
    close = walk.close.to_numpy()
    compare(f"t3_{period}_{factor}", talib.T3(close, period, factor) if period > 1 else close, walk)


def test_mcginley_by_hand():
    # 10 + 1 / (0.6 * 14 * 1.1^4) = 10.081310; then -0.081310 / (8.4 * (10 / 10.081310)^4) = -0.009999 -> 10.071311
    got = fs.compute({"close": [10.0, 11.0, 10.0]}, ["mcginley_14"])["mcginley_14"].to_numpy()
    assert got == pytest.approx([10.0, 10.081310, 10.071311], abs=2e-6)


def test_mcginley_follows_its_formula(walk):
    values = [walk.close.iloc[0]]
    for price in walk.close.iloc[1:]:
        before = values[-1]
        values.append(before + (price - before) / (0.6 * 14 * (price / before) ** 4))
    compare("mcginley_14", np.array(values), walk)


def test_mcginley_never_goes_beyond_the_price():
    # the formula alone would give 10 - 6 / (8.4 * 0.4^4) = -17.9
    got = fs.compute({"close": [10.0, 4.0, 5.0]}, ["mcginley_14"])["mcginley_14"].to_numpy()
    assert got[1] == 4.0
    assert 4.0 < got[2] < 5.0


def test_an_ema_seeded_by_the_first_value_is_that_of_pandas(walk):
    compare("ema_first_20", walk.close.ewm(span=20, adjust=False).mean().to_numpy(), walk)


def test_four_values_weigh_one_two_two_one(walk):
    x = walk.close
    compare("swma", ((x + 2 * x.shift(1) + 2 * x.shift(2) + x.shift(3)) / 6).to_numpy(), walk)


@pytest.mark.parametrize("period", [1, 2, 7, 20])
def test_a_moving_median_is_the_median_of_its_window(walk, period):
    compare(f"smm_{period}", walk.close.rolling(period).median().to_numpy(), walk)


def test_a_window_without_volume_weighs_all_values_alike():
    bars = {"close": [1.0, 2.0, 4.0], "tick_volume": [5.0, 0.0, 0.0]}
    assert fs.compute(bars, ["vwma_2"])["vwma_2"].tolist()[1:] == [1.0, 3.0]


@pytest.mark.parametrize("period", [2, 5, 14])
@pytest.mark.parametrize(
    "series", ["EUR/USD", "offset of a million", "a spike of 1e9 that has left", "a spike opens a block"]
)
def test_a_line_fits_as_exact_arithmetic_fits_it(series, period):
    close = random_walk(400)["close"].to_numpy().copy()
    if series.startswith("offset"):
        close = close + 1e6
    if "spike" in series:
        close[150 // period * period if "block" in series else 153] = 1e9
    ids = [f"linreg_slope_{period}", f"linreg_{period}", f"linreg_intercept_{period}", f"tsf_{period}"]
    frame = fs.compute({"close": close}, ids)
    exact = [Fraction(float(x)) for x in close]
    times = [Fraction(i) - Fraction(period - 1, 2) for i in range(period)]
    spread = sum(t * t for t in times)
    for row in range(180, 400):
        window = exact[row - period + 1 : row + 1]
        slope = sum(t * x for t, x in zip(times, window, strict=True)) / spread
        mean = sum(window) / period
        reach = float(max(window) - min(window))
        slip = 1e-14 * reach / period
        got = frame.iloc[row]
        assert got[ids[0]] == pytest.approx(float(slope), rel=1e-14, abs=slip)
        for name, place in zip(ids[1:], (times[-1], times[0], times[-1] + 1), strict=True):
            assert got[name] == pytest.approx(float(mean + slope * place), rel=4e-16, abs=20 * slip * period)


def test_a_flat_window_has_no_slope_at_all_whatever_came_before():
    for before in range(1, 40):
        values = np.concatenate([random_walk(40).close.to_numpy()[:before], np.full(20, 1.23456)])
        frame = fs.compute({"close": values}, ["linreg_slope_14", "linreg_angle_14", "linreg_14"])
        assert frame.iloc[-1].tolist() == [0.0, 0.0, 1.23456]
