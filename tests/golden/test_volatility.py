"""Volatility against TA-Lib 0.8.2, and against the published formulas row by row where it has none."""

from __future__ import annotations

import math

import numpy as np
import pytest
import talib

import feature_store as fs
from tests.golden.talib_case import Case, check_case

CASES = {
    "natr": Case(("natr_14",), lambda b: talib.NATR(b.high, b.low, b.close, 14)),
    "variance": Case(("variance_20",), lambda b: talib.VAR(b.close, 20)),
    "rvi": Case(("rvi_14_10",), lambda b: talib.RVI(b.close, 14, 10)),
    "chaikin_vol": Case(("chaikin_vol_10_10",), lambda b: talib.CVI(b.high, b.low, 10, 10), whole=True),
}
PERIOD = 20


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def _returns(b, row, count=PERIOD):
    return [math.log(b.close[i] / b.close[i - 1]) for i in range(row - count + 1, row + 1)]


def _window(row, count=PERIOD):
    return range(row - count + 1, row + 1)


def _realized_vol(b, row):
    return np.std(_returns(b, row), ddof=1) * math.sqrt(6240)


def _bipower(b, row):
    r = np.abs(_returns(b, row))
    products = [r[i] * r[i - 1] for i in range(1, PERIOD)]
    return math.sqrt(math.pi / 2 * np.mean(products))


def _ulcer(b, row):
    falls = []
    for i in _window(row, 14):
        top = max(b.close[j] for j in _window(i, 14))
        falls.append(100 * (b.close[i] - top) / top)
    return math.sqrt(sum(fall**2 for fall in falls) / 14)


def _parkinson(b, row):
    return math.sqrt(sum(math.log(b.high[i] / b.low[i]) ** 2 for i in _window(row)) / (4 * PERIOD * math.log(2)))


def _garman_klass(b, row):
    each = [
        0.5 * math.log(b.high[i] / b.low[i]) ** 2 - (2 * math.log(2) - 1) * math.log(b.close[i] / b.open[i]) ** 2
        for i in _window(row)
    ]
    return math.sqrt(np.mean(each))


def _rogers_satchell_variance(b, row):
    each = []
    for i in _window(row):
        up, down, close = (math.log(x[i] / b.open[i]) for x in (b.high, b.low, b.close))
        each.append(up * (up - close) + down * (down - close))
    return np.mean(each)


def _yang_zhang(b, row):
    overnight = np.var([math.log(b.open[i] / b.close[i - 1]) for i in _window(row)], ddof=1)
    inside = np.var([math.log(b.close[i] / b.open[i]) for i in _window(row)], ddof=1)
    k = 0.34 / (1.34 + (PERIOD + 1) / (PERIOD - 1))
    return math.sqrt(overnight + k * inside + (1 - k) * _rogers_satchell_variance(b, row))


FORMULAS = {
    # id: the formula at a row, the first row with a value
    "realized_vol_20_6240": (_realized_vol, 20),
    "bipower_20": (_bipower, 20),
    "ulcer_14": (_ulcer, 26),
    "parkinson_20": (_parkinson, 19),
    "garman_klass_20": (_garman_klass, 19),
    "rogers_satchell_20": (lambda b, row: math.sqrt(_rogers_satchell_variance(b, row)), 19),
    "yang_zhang_20": (_yang_zhang, 20),
}
PROVEN = {fs.parse(text).name for text in FORMULAS}


@pytest.mark.parametrize("text", FORMULAS)
def test_every_row_is_what_the_published_formula_gives(text, eurusd):
    bars = eurusd.head(600).reset_index(drop=True)
    formula, first = FORMULAS[text]
    got = fs.compute(bars, [text])[text].to_numpy()
    assert np.isnan(got[:first]).all()
    columns = bars.to_dict("series")
    lists = type("Bars", (), {name: column.tolist() for name, column in columns.items()})
    want = [formula(lists, row) for row in range(first, len(bars))]
    np.testing.assert_allclose(got[first:], want, rtol=2e-10, atol=1e-13)


def test_three_closes_by_hand():
    # log returns ln 1.01 and -ln 1.01: mean 0, sample variance 2 ln(1.01)^2; a year of 100 bars multiplies the root by 10
    closes = {"close": [1.0, 1.01, 1.0]}
    frame = fs.compute(closes, ["realized_vol_2_100", "bipower_2"])
    assert frame.iloc[2, 0] == pytest.approx(10 * math.sqrt(2) * math.log(1.01), rel=1e-12)
    # one product of neighbours, ln(1.01)^2
    assert frame.iloc[2, 1] == pytest.approx(math.sqrt(math.pi / 2) * math.log(1.01), rel=1e-12)


def test_a_jump_moves_realised_volatility_and_hardly_bipower(walk):
    jumped = walk.close.copy()
    jumped[600:] *= 1.01
    calm = fs.compute({"close": walk.close}, ["realized_vol_50", "bipower_50"]).loc[620]
    wild = fs.compute({"close": jumped}, ["realized_vol_50", "bipower_50"]).loc[620]
    assert wild.iloc[0] / calm.iloc[0] > 10
    assert wild.iloc[1] / calm.iloc[1] < 3


def test_whole_bars_and_closes_see_the_same_volatility_of_a_walk():
    """The estimators agree with the deviation the walk was made with, to the bias of seeing a bar only 200 times."""
    random = np.random.default_rng(3)
    ticks = np.exp(np.cumsum(random.normal(0, 1e-3 / math.sqrt(200), (4000 * 200)))).reshape(4000, 200)
    bars = {"open": ticks[:, 0], "high": ticks.max(1), "low": ticks.min(1), "close": ticks[:, -1]}
    for text in ("parkinson_4000", "garman_klass_4000", "rogers_satchell_4000", "yang_zhang_3999", "bipower_3999"):
        got = fs.compute(bars, [text])[text].iloc[-1]
        assert got == pytest.approx(1e-3, rel=0.1), text


def test_chaikin_volatility_is_neutral_where_there_was_no_range():
    flat = {"high": np.full(40, 1.1), "low": np.full(40, 1.1)}
    assert fs.compute(flat, ["chaikin_vol"])["chaikin_vol"].iloc[-1] == 0.0
    assert fs.compute({"close": flat["high"]}, ["rvi"])["rvi"].iloc[-1] == 50.0


def test_a_year_is_stated_as_a_number_of_bars():
    assert fs.parse("realized_vol").parameters["bars_a_year"] == 260
