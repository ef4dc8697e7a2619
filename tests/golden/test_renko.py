"""Renko against bricks laid one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import talib

import feature_store as fs

if TYPE_CHECKING:
    from collections.abc import Callable

PROVEN = {"renko", "renko_percent"}


def brick_by_brick(close: np.ndarray, first: int, size_at: Callable[[int, float], float]) -> np.ndarray:
    """Lay bricks one at a time; `size_at(row, end of the last brick)` is the size of the next ones."""
    out = np.full((len(close), 4), np.nan)
    start = end = close[first]
    size, direction = size_at(first, end), 0
    for row in range(first, len(close)):
        laid = 0
        while close[row] >= max(start, end) + size:
            start, end, direction = max(start, end), max(start, end) + size, 1
            laid += 1
        while laid == 0 or direction < 0:
            if close[row] > min(start, end) - size:
                break
            start, end, direction = min(start, end), min(start, end) - size, -1
            laid += 1
        size = size_at(row, end) if laid else size
        out[row] = end, direction, laid, size
    return out


@pytest.mark.parametrize(("size", "period"), [(1, 14), (0.5, 5), (3.5, 30)])
def test_bricks_of_the_average_true_range_are_laid_one_by_one(eurusd, size, period):
    reach = talib.ATR(eurusd.high, eurusd.low, eurusd.close, period).to_numpy()
    wanted = brick_by_brick(eurusd.close.to_numpy(), period, lambda row, _: size * reach[row])
    got = fs.compute(eurusd, [f"renko_{size}_{period}"]).to_numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-11)
    assert {-1, 1} <= set(wanted[period:, 1])
    assert np.nanmax(wanted[:, 2]) > 1


@pytest.mark.parametrize("percent", [0.05, 0.1, 0.4])
def test_bricks_of_a_share_of_price_are_laid_one_by_one(eurusd, percent):
    wanted = brick_by_brick(eurusd.close.to_numpy(), 0, lambda _, level: percent / 100 * level)
    got = fs.compute(eurusd, [f"renko_percent_{percent}"]).to_numpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-11)
    assert {-1, 1} <= set(wanted[:, 1])


def test_it_takes_two_bricks_to_turn():
    # by hand, bricks of 10 % of where the last one ended: 100, 110, 121, begun at 110; turns at 110 - 12.1, then 97.9 - 9.79
    got = fs.compute({"close": [100.0, 110.5, 121.0, 98.0, 97.5, 88.0]}, ["renko_percent_10"]).to_numpy()
    wanted = [
        [100, 0, 0, 10],
        [110, 1, 1, 11],
        [121, 1, 1, 12.1],
        [121, 1, 0, 12.1],
        [97.9, -1, 1, 9.79],
        [88.11, -1, 1, 8.811],
    ]
    np.testing.assert_allclose(got, wanted, rtol=1e-12)


def test_a_bar_may_complete_many_bricks_all_of_one_size():
    # by hand: true ranges 1 and 7; the size 1 of row 1 lays seven bricks at row 2, and 7 is the next size
    bars = {"high": [2.0, 3.0, 10.0, 10.0], "low": [1.0, 2.0, 3.0, 9.0], "close": [2.0, 3.0, 10.0, 9.5]}
    got = fs.compute(bars, ["renko_1_1"]).to_numpy().tolist()
    assert got[1:] == [[3, 0, 0, 1], [10, 1, 7, 7], [10, 1, 0, 7]]


def test_a_market_that_stands_still_lays_no_bricks_until_it_moves():
    # by hand: no range for three bars, then a range of 2 whose bar lays one brick of that size
    bars = {"high": [5.0] * 4 + [7.0], "low": [5.0] * 5, "close": [5.0] * 4 + [7.0]}
    got = fs.compute(bars, ["renko_1_1"]).to_numpy().tolist()
    assert got[3:] == [[5, 0, 0, 0], [7, 1, 1, 2]]
