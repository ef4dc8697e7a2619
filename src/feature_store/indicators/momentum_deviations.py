"""Momentum as deviation: how far price is from its average beside how far it usually is."""

from __future__ import annotations

import math

from feature_store.indicators.averages import ema, sma
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int, Real
from feature_store.indicators.regression import linreg
from feature_store.indicators.series import Series, least, where
from feature_store.indicators.volatility import tr
from feature_store.indicators.windows import highest, lowest, stdev

_GROUP = "momentum"


@step("bars:int place:int window[period]", outputs="away deviation", lag=lambda period: period - 1, memory="window")
def about_mean(s: State, close: float, period: int = Int(20)) -> tuple[float, float]:
    """How far the value lies above the window's mean, and the mean distance of its values from it; flat gives exactly 0.

    Two passes of the window about its newest value, so that nothing cancels; four sums each, as one addition waits for another.
    """
    weight = 1.0 / period
    s.window[s.place] = close
    s.place += 1
    if s.place == period:
        s.place = 0
    s.bars += 1
    if s.bars < period:
        return math.nan, math.nan
    fours = period - period % 4
    a = 0.0
    b = 0.0
    c = 0.0
    d = 0.0
    j = 0
    while j < fours:
        a += s.window[j] - close
        b += s.window[j + 1] - close
        c += s.window[j + 2] - close
        d += s.window[j + 3] - close
        j += 4
    while j < period:
        a += s.window[j] - close
        j += 1
    below = (a + b + (c + d)) * weight
    a = 0.0
    b = 0.0
    c = 0.0
    d = 0.0
    j = 0
    while j < fours:
        a += abs(s.window[j] - close - below)
        b += abs(s.window[j + 1] - close - below)
        c += abs(s.window[j + 2] - close - below)
        d += abs(s.window[j + 3] - close - below)
        j += 4
    while j < period:
        a += abs(s.window[j] - close - below)
        j += 1
    return -below, (a + b + (c + d)) * weight


@indicator(title="Commodity channel index", group=_GROUP, unit="index", source="Lambert 1980")
def cci(high: Series, low: Series, close: Series, period: int = Int(20)) -> Series:
    """How far the typical price, hlc3, lies from its mean, in mean deviations times 0.015; 0 in a flat window.

        typical = (high + low + close) / 3
        (typical - sma(typical, period)) / (0.015 * mean_deviation(typical, period))

    Most values are within -100..100. First value at row period - 1.

    >>> bars = {"high": [1.0, 3.0], "low": [1.0, 3.0], "close": [1.0, 3.0]}
    >>> fs.compute(bars, ["cci_2"])["cci_2"].round(4).tolist()
    [nan, 66.6667]
    """
    away, deviation = about_mean.all((high + low + close) * (1.0 / 3.0), period)
    return where(deviation > 0.0, away / (deviation * 0.015), 0.0)


@indicator(
    title="WaveTrend",
    group=_GROUP,
    unit="index",
    source="LazyBear 2014, the script most used on TradingView; signal the mean of 4",
    outputs="value signal",
)
def wavetrend(
    high: Series, low: Series, close: Series, period: int = Int(10), smooth: int = Int(21)
) -> tuple[Series, ...]:
    """How far the typical price, hlc3, lies from its EMA in its usual distances times 0.015, smoothed; the mean of 4 of that.

        typical = (high + low + close) / 3
        away = typical - ema(typical, period)
        value = ema(away / (0.015 * ema(abs(away), period)), smooth)
        signal = sma(value, 4)

    The usual distance is an EMA too. Distances within the rounding of the price (1e-14 of it) are none, and give 0.
    The value is first known at row 2 period + smooth - 3, the signal three bars later.

    >>> bars = {"high": [1.0, 2.0, 4.0], "low": [1.0, 2.0, 4.0], "close": [1.0, 2.0, 4.0]}
    >>> fs.compute(bars, ["wavetrend_2_1.value"])["wavetrend_2_1.value"].round(4).tolist()
    [nan, nan, 83.3333]
    """
    typical = (high + low + close) * (1.0 / 3.0)
    middle = ema(typical, period)
    away = typical - middle
    usual = ema(abs(away), period)
    value = ema(where(usual > abs(middle) * 1e-14, away / (usual * 0.015), 0.0), smooth)
    return value, sma(value, 4)


@indicator(
    title="Squeeze momentum",
    group=_GROUP,
    unit={"on": "flag", "momentum": "price change"},
    source="Carter 2005, as LazyBear 2014: Keltner channels from the mean true range",
    outputs="on momentum",
)
def squeeze(
    high: Series,
    low: Series,
    close: Series,
    period: int = Int(20, ge=2),
    width: float = Real(2.0, le=100.0),
    channel_period: int = Int(20, ge=2),
    channel_width: float = Real(1.5, le=100.0),
) -> tuple[Series, ...]:
    """1 while the Bollinger bands are inside the Keltner channels, and where price is heading meanwhile.

        band = width * stdev(close, period)
        channel = channel_width * sma(tr(high, low, close), channel_period)
        above = (sma(close, channel_period) + channel) - (sma(close, period) + band)
        below = (sma(close, period) - band) - (sma(close, channel_period) - channel)
        on = above > 0 and below > 0
        middle = (midprice(high, low, channel_period) + sma(close, channel_period)) / 2
        momentum = linreg(close - middle, channel_period)

    The channels are the mean of close and `channel_width` mean true ranges about it. The momentum is the end of the line that
    fits, over `channel_period` bars, the close less the middle of two middles: of the bars' range and of the channels. A market
    that does not move is not squeezed. `on` begins at row channel_period (period - 1 where that is later), the momentum at row
    2 channel_period - 2.

    >>> bars = {"high": [2.0, 4.0, 6.0], "low": [1.0, 2.0, 3.0], "close": [1.0, 3.0, 5.0]}
    >>> fs.compute(bars, ["squeeze_2_1_2_1"]).iloc[2].round(4).tolist()
    [1.0, 1.0]
    """
    middle, channel = sma(close, period), sma(close, channel_period)
    reach, room = stdev(close, period) * width, sma(tr(high, low, close), channel_period) * channel_width
    above = (channel + room) - (middle + reach)
    below = (middle - reach) - (channel - room)
    on = where(least(above, below) > 0.0, 1.0, 0.0)
    centre = (highest(high, channel_period) + lowest(low, channel_period)) * 0.5
    return on, linreg(close - (centre + channel) * 0.5, channel_period)
