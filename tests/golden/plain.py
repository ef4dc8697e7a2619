"""Published formulas as plain loops, to check compiled indicators against: slow, and written without looking at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import feature_store as fs

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def windowed(values: Floats, period: int, of: Callable[[Floats], float]) -> Floats:
    """A function of each window of `period` values, NaN where the window is not full or holds a NaN."""
    out = np.full(len(values), np.nan)
    for row in range(period - 1, len(values)):
        window = values[row - period + 1 : row + 1]
        out[row] = np.nan if np.isnan(window).any() else of(window)
    return out


def mean(values: Floats, period: int) -> Floats:
    return windowed(values, period, np.mean)


def fading(values: Floats, period: int, weight: float) -> Floats:
    """The recursive mean, seeded by the mean of the first `period` values that are known."""
    out = np.full(len(values), np.nan)
    first = int(np.argmax(~np.isnan(values)))
    out[first + period - 1] = average = values[first : first + period].mean()
    for row in range(first + period, len(values)):
        average += weight * (values[row] - average)
        out[row] = average
    return out


def exponential(values: Floats, period: int) -> Floats:
    return fading(values, period, 2 / (period + 1))


def wilder(values: Floats, period: int) -> Floats:
    return fading(values, period, 1 / period)


def ago(values: Floats, bars: int) -> Floats:
    return np.concatenate([np.full(bars, np.nan), values[:-bars]])


def strength(values: Floats, period: int) -> Floats:
    """The RSI; 50 where nothing moved."""
    change = values - ago(values, 1)
    up, down = (wilder(np.where(np.isnan(change), np.nan, np.maximum(side, 0)), period) for side in (change, -change))
    whole = up + down
    return np.where(whole > 0, 100 * up / np.where(whole > 0, whole, 1), np.where(np.isnan(whole), np.nan, 50))


def place(values: Floats, low: Floats, high: Floats, period: int, neutral: float = 50.0) -> Floats:
    """Where the value lies in the range of the window, 0..100."""
    bottom, top = windowed(low, period, np.min), windowed(high, period, np.max)
    reach = top - bottom
    share = np.where(reach > 0, 100 * (values - bottom) / np.where(reach > 0, reach, 1), neutral)
    return np.where(np.isnan(reach), np.nan, share)


def check(bars: object, wanted: dict[str, Floats], rtol: float = 1e-9) -> None:
    """Assert that each column is what is wanted, NaN for NaN, relative to the largest value."""
    for column, want in wanted.items():
        got = fs.compute(bars, [column])[column].to_numpy()
        np.testing.assert_array_equal(np.isnan(got), np.isnan(want), err_msg=column)
        np.testing.assert_allclose(got, want, rtol=0, atol=rtol * np.nanmax(np.abs(want)), err_msg=column)
