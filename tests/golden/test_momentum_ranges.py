"""Places in a range against TA-Lib 0.8.2 and plain loops; each deviation stands with its reason."""

from __future__ import annotations

import math

import numpy as np
import pytest
import talib

import feature_store as fs
from tests.golden.plain import ago, check, exponential, place, windowed
from tests.golden.talib_case import Case, check_case

CASES = {
    # %K is given when it is known; TA-Lib waits for %D
    "stochf": Case(
        ("stochf_14_3.k", "stochf_14_3.d"), lambda b: talib.STOCHF(b.high, b.low, b.close, 14, 3, 0), emitted_later=True
    ),
    "willr": Case(("willr_14",), lambda b: talib.WILLR(b.high, b.low, b.close, 14), whole=True),
    # K is given when it is known; TA-Lib waits for D
    "kdj": Case(
        ("kdj_9_3_3.k", "kdj_9_3_3.d", "kdj_9_3_3.j"),
        lambda b: talib.KDJ(b.high, b.low, b.close, 9, 3, 13, 3, 13),
        emitted_later=True,
        whole=True,
    ),
    # the value is given when it is known; TA-Lib waits for its signal
    "smi": Case(
        ("smi_13_25_2_3.value", "smi_13_25_2_3.signal"),
        lambda b: talib.SMI(b.high, b.low, b.close, 13, 2, 25, 3),
        emitted_later=True,
        whole=True,
    ),
}
PROVEN = {"stc", "fisher"}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def test_a_market_without_a_range_is_in_the_middle():
    flat = {name: np.full(160, 1.1) for name in ("high", "low", "close")}
    wanted = {"stochf": [50, 50], "willr": [-50], "kdj": [50, 50, 50], "smi": [0, 0], "stc": [50], "fisher": [0, 0]}
    for name, values in wanted.items():
        assert fs.compute(flat, [name]).iloc[-1].round(12).tolist() == values


def test_stc_places_a_macd_line_in_its_range_and_that_place_in_its_own(eurusd):
    close = eurusd["close"].to_numpy()
    line = exponential(close, 23) - exponential(close, 50)
    once = exponential(place(line, line, line, 10), 3)
    value = exponential(place(once, once, once, 10, neutral=once), 3)
    check(eurusd, {"stc_10_23_50": value}, rtol=1e-6)  # tiny ranges of the line enlarge its last bits


def test_stc_stays_at_the_end_it_has_reached():
    rise = {"close": 1.0 + 1e-4 * np.arange(400.0) ** 1.5}
    assert fs.compute(rise, ["stc"])["stc"].iloc[-1] == 100.0


def test_fisher_is_the_smoothed_transform_of_the_place_of_the_middle(eurusd):
    middle = (eurusd["high"].to_numpy() + eurusd["low"].to_numpy()) / 2
    bottom, top = windowed(middle, 9, np.min), windowed(middle, 9, np.max)
    value = fish = 0.0
    wanted = np.full(len(middle), np.nan)
    for row in range(8, len(middle)):
        where = (middle[row] - bottom[row]) / (top[row] - bottom[row]) if top[row] > bottom[row] else 0.5
        value = 0.33 * 2 * (where - 0.5) + 0.67 * value
        value = 0.999 if value > 0.99 else -0.999 if value < -0.99 else value
        fish = wanted[row] = 0.5 * math.log((1 + value) / (1 - value)) + 0.5 * fish
    check(eurusd, {"fisher_9.value": wanted, "fisher_9.trigger": ago(wanted, 1)})


def test_fisher_by_hand():
    # middles 1 and 3 in a window of two: place 1 -> 0.66 * (1 - 0.5) = 0.33; half of log(1.33 / 0.67) = 0.3428
    bars = {"high": [2.0, 4.0, 4.0], "low": [0.0, 2.0, 2.0]}
    first, second = fs.compute(bars, ["fisher_2.value"])["fisher_2.value"].iloc[1:]
    assert first == pytest.approx(0.5 * math.log(1.33 / 0.67))
    # then no range: the place is 0.5, so 0.67 * 0.33 = 0.2211; half of log(1.2211 / 0.7789), and half of what was before
    assert second == pytest.approx(0.5 * math.log(1.2211 / 0.7789) + 0.5 * first)
