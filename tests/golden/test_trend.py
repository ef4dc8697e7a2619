"""Trend against TA-Lib 0.8.2, and what it does not have against the published rule written out slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import talib

import feature_store as fs
from tests.golden.talib_case import Case, check_case

if TYPE_CHECKING:
    import pandas as pd


def _supertrend(b):
    value, direction = talib.SUPERTREND(b.high, b.low, b.close, 10, 3.0)
    return value, np.where(np.isnan(value), np.nan, direction)


def _chop(b, period):
    """The sum of TA-Lib's true ranges and its extremes in Dreiss's formula; at most 100."""
    walked = talib.SUM(talib.TRANGE(b.high, b.low, b.close)[1:], period).reindex(b.index)
    reach = talib.MAX(b.high, period) - talib.MIN(b.low, period)
    return np.minimum(100 * np.log10(walked / reach) / np.log10(period), 100.0)


def _alligator(b):
    middle = (b.high + b.low) / 2
    return tuple(talib.RMA(middle, period).shift(bars) for period, bars in ((13, 8), (8, 5), (5, 3)))


def _gator(b):
    jaw, teeth, lips = _alligator(b)
    return (jaw - teeth).abs(), -(teeth - lips).abs()


def _ichimoku(b):
    tenkan, kijun, slow = (talib.MIDPRICE(b.high, b.low, period) for period in (9, 26, 52))
    return tenkan, kijun, ((tenkan + kijun) / 2).shift(26), slow.shift(26), b.close - b.close.shift(26)


CASES = {
    # TA-Lib's direction is 0 where it is not known, ours has no value
    "supertrend": Case(("supertrend_10_3.value", "supertrend_10_3.direction"), _supertrend),
    "psar": Case(("psar_0.02_0.2.value",), lambda b: talib.SAR(b.high, b.low, 0.02, 0.2)),
    "adxr": Case(("adxr_14",), lambda b: talib.ADXR(b.high, b.low, b.close, 14)),
    "dx": Case(("dx_14",), lambda b: talib.DX(b.high, b.low, b.close, 14)),
    "aroon": Case(
        ("aroon_25.down", "aroon_25.up", "aroon_25.oscillator"),
        lambda b: (*talib.AROON(b.high, b.low, 25), talib.AROONOSC(b.high, b.low, 25)),
        whole=True,
    ),
    "vortex": Case(("vortex_14.plus", "vortex_14.minus"), lambda b: talib.VORTEX(b.high, b.low, b.close, 14)),
    "vhf": Case(("vhf_28",), lambda b: talib.VHF(b.close, 28)),
    "mass": Case(("mass_9_25",), lambda b: talib.MASSI(b.high, b.low, 9, 25)),
    "qstick": Case(("qstick_10",), lambda b: talib.QSTICK(b.open, b.close, 10), whole=True),
    "chandelier": Case(
        ("chandelier_22_3.long", "chandelier_22_3.short"),
        lambda b: (
            talib.MAX(b.high, 22) - 3 * talib.ATR(b.high, b.low, b.close, 22),
            talib.MIN(b.low, 22) + 3 * talib.ATR(b.high, b.low, b.close, 22),
        ),
    ),
    "chop": Case(("chop_14",), lambda b: _chop(b, 14)),
    "alligator": Case(("alligator_13_8_5.jaw", "alligator_13_8_5.teeth", "alligator_13_8_5.lips"), _alligator),
    "gator": Case(("gator_13_8_5.upper", "gator_13_8_5.lower"), _gator, whole=True),
    "ichimoku": Case(
        tuple(f"ichimoku_9_26_52.{name}" for name in ("tenkan", "kijun", "senkou_a", "senkou_b", "chikou_change")),
        _ichimoku,
        whole=True,
    ),
}

PROVEN = {"atr_stop", "volatility_stop"}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def test_psar_is_on_the_side_it_says(eurusd):
    frame = fs.compute(eurusd, ["psar"])
    value, direction = frame["psar.value"][1:], frame["psar.direction"][1:]
    assert set(direction) == {1.0, -1.0}
    assert (np.where(direction > 0, eurusd.low[1:] - value, value - eurusd.high[1:]) >= 0).all()


def test_psar_agrees_at_other_paces(eurusd):
    for acceleration, maximum in ((0.1, 0.15), (0.3, 0.2), (0.005, 0.05)):
        feature = f"psar_{acceleration}_{maximum}.value"
        check_case(Case((feature,), lambda b, a=acceleration, m=maximum: talib.SAR(b.high, b.low, a, m)), eurusd)


def test_psar_by_hand():
    # the low falls further than the high rises: a fall, from the first high 10 with the extreme at 7
    # row 1: 10; next 10 + 0.02 (7 - 10) = 9.94, not below the highs 9.5 and 9.5
    # row 2: high 9 is below 9.94; low 6 is a new extreme, pace 0.04: 9.94 + 0.04 (6 - 9.94) = 9.7824
    # row 3: high 10 touches it: it turns to the extreme, 6, and rises from there
    bars = {"high": [10.0, 9.5, 9.0, 10.0], "low": [8.0, 7.0, 6.0, 7.5]}
    frame = fs.compute(bars, ["psar"])
    assert frame["psar.value"].tolist()[1:] == pytest.approx([10.0, 9.94, 6.0])
    assert frame["psar.direction"].tolist()[1:] == [-1.0, -1.0, 1.0]


def test_of_equal_extremes_the_latest_counts():
    frame = fs.compute({"high": [3.0, 2.0, 3.0, 1.0, 2.0], "low": [1.0, 1.0, 0.5, 1.0, 0.5]}, ["aroon_4"])
    assert frame.iloc[-1].tolist() == [50.0, 100.0, -50.0]


def test_a_market_that_does_not_move_has_no_trend():
    flat = {name: np.full(120, 1.1) for name in ("open", "high", "low", "close")}
    ids = ["dx", "adxr", "vortex", "chop", "mass", "vhf", "aroon", "qstick"]
    assert fs.compute(flat, ids).iloc[-1].tolist() == [0, 0, 1, 1, 100, 25, 0, 100, 100, 0, 0]


def test_a_gap_into_the_window_makes_nothing_choppier_than_choppy():
    bars = {"high": [9.0, 2.0, 2.1], "low": [8.0, 1.9, 2.0], "close": [8.5, 2.0, 2.1]}
    # the true range of row 1 counts the fall from 8.5: 6.6 + 0.1 over a range of 0.2, 507 by the formula
    assert fs.compute(bars, ["chop_2"])["chop_2"].iloc[-1] == 100.0


def test_senkou_is_what_was_known_a_displacement_ago(eurusd):
    frame = fs.compute(eurusd, ["ichimoku_9_26_52"])
    tenkan, kijun = frame["ichimoku_9_26_52.tenkan"], frame["ichimoku_9_26_52.kijun"]
    cloud = frame["ichimoku_9_26_52.senkou_a"]
    assert cloud.iloc[100] == (tenkan.iloc[74] + kijun.iloc[74]) / 2


def trailing(bars: pd.DataFrame, reach: np.ndarray, width: float, rising: np.ndarray) -> np.ndarray:
    """The stop about the close by the rule of Skender's Stock.Indicators, as its source has it."""
    close, values = bars.close.to_numpy(), np.full(len(bars), np.nan)
    first = int(np.argmax(~np.isnan(reach)))
    up = bool(rising[first])
    upper = lower = np.nan
    for row in range(first, len(close)):
        above, below = close[row] + width * reach[row], close[row] - width * reach[row]
        if row == first or above < upper or close[row - 1] > upper:
            upper = above
        if row == first or below > lower or close[row - 1] < lower:
            lower = below
        up = not close[row] <= (lower if up else upper)
        values[row] = lower if up else upper
    return values


def test_an_atr_stop_only_moves_towards_the_price(eurusd):
    reach = talib.ATR(eurusd.high, eurusd.low, eurusd.close, 21).to_numpy()
    want = trailing(eurusd, reach, 3.0, (eurusd.close.diff() >= 0).to_numpy())
    got = fs.compute(eurusd, ["atr_stop_21_3"])["atr_stop_21_3"].to_numpy()
    np.testing.assert_allclose(got, want, rtol=1e-12)


def test_a_volatility_stop_by_hand():
    bars = {
        "high": [11.0, 11.0, 12.0, 12.0, 9.0, 11.0, 11.0],
        "low": [9.0, 9.0, 10.0, 9.0, 7.0, 8.0, 9.0],
        "close": [11.0, 11.0, 12.0, 9.0, 8.0, 11.0, 11.0],
    }
    # true ranges from row 1: 2, 2, 3, 2, 3, 2; each stop uses the one before
    # row 2: a rise from 11, 11 - 2 = 9; row 3: best close 12, 12 - 2 = 10, and the close 9 turns it
    # row 4: worst close 9, 9 + 3 = 12; row 5: worst close 8, 8 + 2 = 10, and the close 11 turns it; row 6: 11 - 3 = 8
    got = fs.compute(bars, ["volatility_stop_1_1"])["volatility_stop_1_1"].to_numpy()
    assert got[2:].tolist() == [9.0, 10.0, 12.0, 10.0, 8.0]


def test_a_volatility_stop_follows_the_best_close_since_it_turned(eurusd):
    close = eurusd.close.to_numpy()
    reach = talib.ATR(eurusd.high, eurusd.low, eurusd.close, 7).to_numpy()
    values = np.full(len(close), np.nan)
    rising, since = close[8] >= close[7], 7
    for row in range(8, len(close)):
        best = close[since:row].max() if rising else close[since:row].min()
        values[row] = best - 3 * reach[row - 1] if rising else best + 3 * reach[row - 1]
        if close[row] < values[row] if rising else close[row] > values[row]:
            rising, since = not rising, row
    got = fs.compute(eurusd, ["volatility_stop_7_3"])["volatility_stop_7_3"].to_numpy()
    np.testing.assert_allclose(got, values, rtol=1e-12)
