"""Moments of a window: its variance, skew and kurtosis, and how two series vary together.

Two blocks (windows.py), each with its moments about its own mean, which a new value moves and which two blocks join
(Welford 1962, Chan, Golub and LeVeque 1979, Pebay 2008); means are kept as distances from a reference, the median of three
values of the finished block, so that a high price costs no digits. Powers about the reference alone would cancel: a window a
thousand of its deviations away from it, as after a gap, would lose twelve digits of its fourth moment. Nothing is subtracted
that was added before, a window of equal values has moments of exactly 0, and a bad tick that left leaves no trace.
"""

from __future__ import annotations

import math

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, greatest, least, sqrt, where

_GROUP = "statistics"


def _full_window(period: int) -> int:
    return period - 1


@step(
    "bars:int place:int reference mean square cube fourth"
    " values[period] means[period+1] squares[period+1] cubes[period+1] fourths[period+1]",
    outputs="square cube fourth",
    lag=_full_window,
    memory="window",
)
def moments(s: State, x: float, period: int = Int(20)) -> tuple[float, float, float]:
    """Return the sums of the second, third and fourth powers of the last `period` values' distances from their mean."""
    share = 1.0 / period
    s.bars += 1
    if s.bars == 1:
        s.reference = x
    before = int(s.place)
    away = x - s.reference - s.mean
    part = away / (before + 1)
    more = away * part * before
    grow = before * before - before + 1
    s.fourth += part * (part * (more * grow + 6.0 * s.square) - 4.0 * s.cube)
    s.cube += part * (more * (before - 1) - 3.0 * s.square)
    s.square += more
    s.mean += part
    s.values[before] = x
    s.place += 1
    old = period - s.place
    new = s.place
    apart = s.means[new] - s.mean
    step = apart * share
    squares = s.squares[new]
    cubes = s.cubes[new]
    joint = apart * step * (new * old)
    square = s.square + squares + joint
    cube = s.cube + cubes + step * (joint * (new - old) + 3.0 * (new * squares - old * s.square))
    middle = joint * (new * new - new * old + old * old) + 6.0 * (new * new * squares + old * old * s.square)
    fourth = s.fourth + s.fourths[new] + step * (step * middle + 4.0 * (new * cubes - old * s.cube))
    if s.place == period:
        first = s.values[0]
        other = s.values[period // 2]
        s.reference = max(min(first, other), min(max(first, other), x))
        s.mean = 0.0
        s.square = 0.0
        s.cube = 0.0
        s.fourth = 0.0
        before = 0
        while before < period:
            j = period - 1 - before
            away = s.values[j] - s.reference - s.mean
            part = away / (before + 1)
            more = away * part * before
            grow = before * before - before + 1
            s.fourth += part * (part * (more * grow + 6.0 * s.square) - 4.0 * s.cube)
            s.cube += part * (more * (before - 1) - 3.0 * s.square)
            s.square += more
            s.mean += part
            s.means[j] = s.mean
            s.squares[j] = s.square
            s.cubes[j] = s.cube
            s.fourths[j] = s.fourth
            before += 1
        s.place = 0
        s.mean = 0.0
        s.square = 0.0
        s.cube = 0.0
        s.fourth = 0.0
    if s.bars < period:
        return math.nan, math.nan, math.nan
    return square, cube, fourth


@step(
    "bars:int place:int reference_x reference_y mean_x mean_y square_x square_y product values_x[period] values_y[period]"
    " means_x[period+1] means_y[period+1] squares_x[period+1] squares_y[period+1] products[period+1]",
    outputs="square_x square_y product",
    lag=_full_window,
    memory="window",
)
def comoments(s: State, x: float, y: float, period: int = Int(20)) -> tuple[float, float, float]:
    """Return the sums of squares and of products of two series' distances from their means over `period` values."""
    share = 1.0 / period
    s.bars += 1
    if s.bars == 1:
        s.reference_x = x
        s.reference_y = y
    away_x = x - s.reference_x - s.mean_x
    away_y = y - s.reference_y - s.mean_y
    part = 1.0 / (s.place + 1)
    kept = s.place * part
    s.square_x += away_x * away_x * kept
    s.square_y += away_y * away_y * kept
    s.product += away_x * away_y * kept
    s.mean_x += away_x * part
    s.mean_y += away_y * part
    s.values_x[s.place] = x
    s.values_y[s.place] = y
    s.place += 1
    weight = s.place * (period - s.place) * share
    away_x = s.means_x[s.place] - s.mean_x
    away_y = s.means_y[s.place] - s.mean_y
    square_x = s.square_x + s.squares_x[s.place] + away_x * away_x * weight
    square_y = s.square_y + s.squares_y[s.place] + away_y * away_y * weight
    product = s.product + s.products[s.place] + away_x * away_y * weight
    if s.place == period:
        first = s.values_x[0]
        other = s.values_x[period // 2]
        s.reference_x = max(min(first, other), min(max(first, other), x))
        first = s.values_y[0]
        other = s.values_y[period // 2]
        s.reference_y = max(min(first, other), min(max(first, other), y))
        s.mean_x = 0.0
        s.mean_y = 0.0
        s.square_x = 0.0
        s.square_y = 0.0
        s.product = 0.0
        before = 0
        while before < period:
            j = period - 1 - before
            away_x = s.values_x[j] - s.reference_x - s.mean_x
            away_y = s.values_y[j] - s.reference_y - s.mean_y
            part = 1.0 / (before + 1)
            kept = before * part
            s.square_x += away_x * away_x * kept
            s.square_y += away_y * away_y * kept
            s.product += away_x * away_y * kept
            s.mean_x += away_x * part
            s.mean_y += away_y * part
            s.means_x[j] = s.mean_x
            s.means_y[j] = s.mean_y
            s.squares_x[j] = s.square_x
            s.squares_y[j] = s.square_y
            s.products[j] = s.product
            before += 1
        s.place = 0
        s.mean_x = 0.0
        s.mean_y = 0.0
        s.square_x = 0.0
        s.square_y = 0.0
        s.product = 0.0
    if s.bars < period:
        return math.nan, math.nan, math.nan
    return square_x, square_y, product


def correlation(x: Series, y: Series, period: int) -> Series:
    """Return Pearson's correlation of two series over the last `period` values, 0 where either did not move."""
    square_x, square_y, product = comoments.all(x, y, period)
    both = sqrt(square_x) * sqrt(square_y)
    return where(both > 0.0, least(greatest(product / both, -1.0), 1.0), 0.0)


def response(x: Series, y: Series, period: int) -> Series:
    """Return the slope of `y` on `x` over the last `period` values, 0 where `x` did not move; of returns, this is beta."""
    square_x, _, product = comoments.all(x, y, period)
    return where(square_x > 0.0, product / square_x, 0.0)


@indicator(title="Skewness", group=_GROUP, unit="index", source="Pearson's third moment; population, ddof 0")
def skew(close: Series, period: int = Int(30, ge=3)) -> Series:
    """How lopsided the last `period` values lie about their mean: below 0 with a long tail of low values, 0 in a flat window.

    The third central moment over the cubed deviation, ddof 0. pandas gives the sample's, sqrt(n (n - 1)) / (n - 2) times as
    large. First value at row period - 1.

    >>> fs.compute({"close": [1.0, 1.0, 4.0]}, ["skew_3"])["skew_3"].round(4).tolist()
    [nan, nan, 0.7071]
    """
    square, cube, _ = moments.all(close, period)
    return where(square > 0.0, cube / (square * sqrt(square)) * math.sqrt(period), 0.0)


@indicator(
    title="Excess kurtosis", group=_GROUP, unit="index", source="Pearson's fourth moment less 3; population, ddof 0"
)
def kurtosis(close: Series, period: int = Int(30, ge=4)) -> Series:
    """How heavy the tails of the last `period` values are beside a normal distribution, which has 0, as has a flat window.

    The fourth central moment over the squared variance, less 3, ddof 0; at least -2. pandas gives the sample's,
    (n - 1) / ((n - 2)(n - 3)) x ((n + 1) value + 6). First value at row period - 1.

    >>> fs.compute({"close": [1.0, 2.0, 2.0, 3.0]}, ["kurtosis_4"])["kurtosis_4"].round(4).tolist()
    [nan, nan, nan, -1.0]
    """
    square, _, fourth = moments.all(close, period)
    return where(square > 0.0, fourth / (square * square) * float(period) - 3.0, 0.0)
