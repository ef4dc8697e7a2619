"""Bands and channels of deviations and extremes: a middle, and how far from it is far."""

from __future__ import annotations

from feature_store.indicators.averages import sma
from feature_store.indicators.definition import indicator
from feature_store.indicators.parameters import Int, Real
from feature_store.indicators.series import Series, where
from feature_store.indicators.windows import highest, lag, lowest, stdev

_GROUP = "bands"


@indicator(
    title="Bollinger bands",
    group=_GROUP,
    unit={"upper": "price", "middle": "price", "lower": "price", "percent_b": "ratio", "width": "ratio"},
    source="Bollinger 2001; population deviation, ddof 0",
    outputs="upper middle lower percent_b width",
)
def bbands(
    close: Series, period: int = Int(20, ge=2), width: float = Real(2.0, ge=0.0, le=100.0)
) -> tuple[Series, ...]:
    """The mean and `width` standard deviations about it; first values at row period - 1.

        middle = sma(close, period)
        upper = middle + width * stdev(close, period)
        lower = middle - width * stdev(close, period)
        percent_b = (close - lower) / (upper - lower)
        width = (upper - lower) / middle

    `percent_b` is where the close lies between the bands (0 lower, 1 upper, 0.5 where they meet); `width` their distance over
    the middle.

    >>> frame = fs.compute({"close": [1.0, 3.0]}, ["bbands_2_2"])
    >>> frame.iloc[1].tolist()
    [4.0, 2.0, 0.0, 0.75, 2.0]
    """
    middle = sma(close, period)
    reach = stdev(close, period) * width
    upper, lower = middle + reach, middle - reach
    apart = upper - lower
    percent_b = where(apart > 0.0, (close - lower) / apart, 0.5)
    return upper, middle, lower, percent_b, apart / middle


@indicator(title="Donchian channel", group=_GROUP, unit="price", source="Donchian 1960", outputs="upper middle lower")
def donchian(high: Series, low: Series, period: int = Int(20)) -> tuple[Series, ...]:
    """The highest high and lowest low of the last `period` bars, this one included; first values at row period - 1.

        upper = highest(high, period)
        lower = lowest(low, period)
        middle = (upper + lower) / 2

    >>> fs.compute({"high": [2.0, 4.0], "low": [1.0, 2.0]}, ["donchian_2"]).iloc[1].tolist()
    [4.0, 2.5, 1.0]
    """
    upper, lower = highest(high, period), lowest(low, period)
    return upper, (upper + lower) * 0.5, lower


@indicator(
    title="Donchian channel of the previous bars",
    group=_GROUP,
    unit="price",
    source="Donchian 1960, without the current bar: what a breakout breaks out of",
    outputs="upper middle lower",
)
def donchian_prev(high: Series, low: Series, period: int = Int(20)) -> tuple[Series, ...]:
    """The highest high and lowest low of the `period` bars before this one; first values at row `period`.

        upper = lag(highest(high, period), 1)
        lower = lag(lowest(low, period), 1)
        middle = (upper + lower) / 2

    >>> fs.compute({"high": [2.0, 4.0, 9.0], "low": [1.0, 2.0, 0.5]}, ["donchian_prev_2"]).iloc[2].tolist()
    [4.0, 2.5, 1.0]
    """
    upper, lower = lag(highest(high, period), 1), lag(lowest(low, period), 1)
    return upper, (upper + lower) * 0.5, lower
