"""Support and resistance against a list of all swings, of which the last few are looked at on each bar."""

from __future__ import annotations

import numpy as np
import pytest
import talib

import feature_store as fs
from tests.golden.test_structure import both_sides

PROVEN = {"support_resistance"}


def slow_zones(bars, left: int, right: int, swings: int, tolerance: float, period: int) -> np.ndarray:
    """Rows from the first value: the nearest of the last swings at or below and at or above the close, and their neighbours."""
    reach = talib.ATR(bars.high, bars.low, bars.close, period).to_numpy()
    first = max(left + right, period)
    out = []
    for row, tops, bottoms in both_sides(bars, left, right):
        confirmed = [(s.bar + right, side, s.price) for side, known in enumerate((tops, bottoms)) for s in known]
        prices = [price for at, _, price in sorted(confirmed) if at > first][-swings:]
        close = bars.close.iloc[row]
        support = max((p for p in prices if p <= close), default=None)
        resistance = min((p for p in prices if p >= close), default=None)
        strengths = [
            sum(abs(p - level) <= tolerance * reach[row] for p in prices) if level else 0
            for level in (support, resistance)
        ]
        out.append([support or close, resistance or close, *strengths])
    return np.array(out)[first - left - right :]


@pytest.mark.parametrize(
    ("left", "right", "swings", "tolerance", "period"),
    [(5, 5, 20, 0.5, 14), (2, 2, 7, 1, 14), (1, 3, 1, 0, 2), (10, 10, 50, 2, 30)],
)
def test_zones_are_those_of_the_last_swings(eurusd, left, right, swings, tolerance, period):
    bars = eurusd.iloc[:1500]
    wanted = slow_zones(bars, left, right, swings, tolerance, period)
    got = fs.compute(bars, [f"support_resistance_{left}_{right}_{swings}_{tolerance}_{period}"]).to_numpy()
    first = max(left + right, period)
    assert np.isnan(got[:first]).all()
    np.testing.assert_array_equal(got[first:], wanted)
    assert wanted[:, 2].max() == 1 if swings == 1 else wanted[:, 2].max() > 2


def test_swings_within_the_tolerance_of_a_price_make_it_stronger():
    # by hand, sides 1 and 1: tops 10, 10.5 and 10, bottoms 4, 5 and 4.5; the close is 7 and the last true range 2.5
    path = [6.0, 7.0, 8.0, 10.0, 4.0, 10.5, 5.0, 10.0, 4.5, 7.0]
    ids = [f"support_resistance_1_1_20_{tolerance}_1" for tolerance in (0.1, 0.2, 0.4)]
    got = fs.compute({"high": path, "low": path, "close": path}, ids).iloc[-1].to_numpy().reshape(3, 4).tolist()
    assert got == [[5, 10, 1, 2], [5, 10, 2, 3], [5, 10, 3, 3]]


def test_a_side_without_swings_is_the_close_with_no_strength():
    bars = {"high": np.arange(2.0, 32.0), "low": np.arange(1.0, 31.0), "close": np.arange(1.5, 31.5)}
    assert fs.compute(bars, ["support_resistance"]).iloc[-1].tolist() == [30.5, 30.5, 0.0, 0.0]


def test_a_swing_at_the_close_is_support_and_resistance():
    # by hand, sides 1 and 1: the top of row 3, 10, is confirmed at row 4 and met by the close of row 5
    high = [6.0, 7.0, 8.0, 10.0, 7.0, 10.0]
    got = fs.compute(
        {"high": high, "low": [5.0] * 6, "close": [6.0, 6.0, 6.0, 6.0, 6.0, 10.0]}, ["support_resistance_1_1_20_0.5_2"]
    )
    assert got.iloc[-1].tolist() == [10.0, 10.0, 1.0, 1.0]
