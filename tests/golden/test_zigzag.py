"""Zigzags against a slow reading of their definition: where, since the last turn, was the extreme, and who went back far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import talib

import feature_store as fs

if TYPE_CHECKING:
    from collections.abc import Callable

PROVEN = {"zigzag", "zigzag_percent"}


def latest(values: np.ndarray, begin: int, end: int) -> int:
    """The row of the highest value of rows begin to end - 1, the latest of equals."""
    return end - 1 - int(np.argmax(values[begin:end][::-1]))


def slow_zigzag(high: np.ndarray, low: np.ndarray, first: int, threshold: Callable[[int, float], float]) -> np.ndarray:
    """Look back over all bars since the leg began, on every bar; `threshold` of a row and the price of the leg's end."""
    out = np.full((len(high), 3), np.nan)
    price, row, direction, since = (high[first] + low[first]) / 2, first, 0, first
    out[first] = price, 0, 0
    for t in range(first + 1, len(high)):
        top, bottom = latest(high, since, t), latest(-low, since, t)
        rises = high[t] - low[bottom] > threshold(t, low[bottom])
        falls = high[top] - low[t] > threshold(t, high[top])
        if direction == 0:
            turn = (bottom, low[bottom], 1) if rises else (top, high[top], -1) if falls else None
        elif direction > 0:
            turn = (top, high[top], -1) if falls and high[t] < high[top] else None
        else:
            turn = (bottom, low[bottom], 1) if rises and low[t] > low[bottom] else None
        if turn:
            row, price, direction = turn
            since = t
        out[t] = price, direction, t - row
    return out


@pytest.mark.parametrize(("size", "period"), [(3, 14), (1, 5), (7.5, 30)])
def test_a_zigzag_by_average_true_range_is_its_definition(eurusd, size, period):
    bars = eurusd.iloc[:2500]
    reach = talib.ATR(bars.high, bars.low, bars.close, period).to_numpy()
    wanted = slow_zigzag(bars.high.to_numpy(), bars.low.to_numpy(), period, lambda t, _: size * reach[t])
    np.testing.assert_array_equal(fs.compute(bars, [f"zigzag_{size}_{period}"]).to_numpy(), wanted)
    assert len(np.unique(wanted[period:, 0])) > 10


@pytest.mark.parametrize("percent", [0.2, 0.5, 1])
def test_a_zigzag_by_percent_is_its_definition(eurusd, percent):
    bars = eurusd.iloc[:2500]
    wanted = slow_zigzag(bars.high.to_numpy(), bars.low.to_numpy(), 0, lambda _, price: percent / 100 * price)
    np.testing.assert_array_equal(fs.compute(bars, [f"zigzag_percent_{percent}"]).to_numpy(), wanted)
    assert len(np.unique(wanted[:, 0])) > 10


def test_turns_are_told_late_and_never_taken_back():
    # by hand, 10 %: 110 is the high of row 1; row 3's low of 98 is the first more than 11 below; 97 turns at row 5, 107 > 106.7
    bars = {"high": [100.0, 110.0, 108.0, 104.0, 100.0, 107.0], "low": [99.0, 105.0, 100.0, 98.0, 97.0, 103.0]}
    got = fs.compute(bars, ["zigzag_percent_10"]).to_numpy().tolist()
    assert got == [[99.5, 0, 0], [99, 1, 1], [99, 1, 2], [110, -1, 2], [110, -1, 3], [97, 1, 1]]


def test_a_market_that_stands_still_has_no_turns():
    flat = {name: np.full(60, 1.1) for name in ("high", "low", "close")}
    got = fs.compute(flat, ["zigzag", "zigzag_percent"]).iloc[-1]
    assert got.tolist() == [1.1, 0.0, 45.0, 1.1, 0.0, 59.0]
