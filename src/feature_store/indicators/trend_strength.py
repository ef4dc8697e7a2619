"""Strength of a trend: how much of what price walked took it anywhere, and how new its extremes are."""

from __future__ import annotations

import math

from feature_store.indicators.averages import ema, sma
from feature_store.indicators.definition import State, indicator
from feature_store.indicators.order_statistics import argmax, argmin
from feature_store.indicators.parameters import MAX_PERIOD, Int
from feature_store.indicators.series import Series, greatest, least, log, where
from feature_store.indicators.trend import adx, directional
from feature_store.indicators.volatility import tr
from feature_store.indicators.windows import highest, lag, lowest, rolling_sum

_GROUP = "trend"


@indicator(title="Directional movement index", group=_GROUP, unit="0..100", source="Wilder 1978")
def dx(high: Series, low: Series, close: Series, period: int = Int(14, ge=2)) -> Series:
    """How one-sided movement is, whatever its direction: what `adx` averages; 0 without movement; first value at row `period`.

        plus = adx__plus_di(high, low, close, period)
        minus = adx__minus_di(high, low, close, period)
        100 * abs(plus - minus) / (plus + minus)

    >>> bars = {"high": [2.0, 3.0, 4.0], "low": [1.0, 2.0, 3.0], "close": [1.5, 2.5, 3.5]}
    >>> fs.compute(bars, ["dx_2"])["dx_2"].tolist()
    [nan, nan, 100.0]
    """
    plus, minus = directional.all(high, low, close, period)
    both = plus + minus
    return where(both > 0.0, abs(plus - minus) / both * 100.0, 0.0)


@indicator(title="Average directional index rating", group=_GROUP, unit="0..100", source="Wilder 1978; as TA-Lib")
def adxr(high: Series, low: Series, close: Series, period: int = Int(14, ge=2)) -> Series:
    """The mean of the ADX and of its value period - 1 bars ago; first value at row 3 period - 2.

        strength = adx__adx(high, low, close, period)
        (strength + lag(strength, period - 1)) / 2

    >>> bars = {"high": [2.0, 3.0, 4.0, 5.0, 6.0], "low": [1.0, 2.0, 3.0, 4.0, 5.0], "close": [1.5, 2.5, 3.5, 4.5, 5.5]}
    >>> fs.compute(bars, ["adxr_2"])["adxr_2"].tolist()
    [nan, nan, nan, nan, 100.0]
    """
    strength, _, _ = adx.all(high, low, close, period)
    return (strength + lag(strength, period - 1)) * 0.5


@indicator(
    title="Aroon",
    group=_GROUP,
    unit={"up": "0..100", "down": "0..100", "oscillator": "-100..100"},
    source="Chande 1995",
    outputs="up down oscillator",
)
def aroon(high: Series, low: Series, period: int = Int(25, le=MAX_PERIOD - 1)) -> tuple[Series, ...]:
    """How new the extremes are: 100 where this bar has the highest high (up) or lowest low (down), 0 where `period` bars ago.

        up = 100 * (1 - argmax(high, period + 1) / period)
        down = 100 * (1 - argmin(low, period + 1) / period)
        oscillator = up - down

    `oscillator` is up less down. Of equal extremes the latest counts. First values at row `period`.

    >>> fs.compute({"high": [2.0, 4.0, 3.0], "low": [1.0, 2.0, 2.0]}, ["aroon_2"]).iloc[2].tolist()
    [50.0, 0.0, 50.0]
    """
    scale = 100.0 / period
    up = 100.0 - argmax(high, period + 1) * scale
    down = 100.0 - argmin(low, period + 1) * scale
    return up, down, up - down


@indicator(
    title="Vortex",
    group=_GROUP,
    unit="index",
    source="Botes and Siepman 2010",
    outputs="plus minus",
    state="bars:int place:int high low close plus minus reach pluses[period+1] minuses[period+1] reaches[period+1]",
    lag=lambda period: period,
    memory="window",
)
def vortex(s: State, high: float, low: float, close: float, period: int = Int(14)) -> tuple[float, float]:
    """How far highs reach above the lows before them (plus), and lows below the highs (minus), as shares of the true range.

        plus = sum(abs(high - lag(low, 1)), period) / sum(tr(high, low, close), period)
        minus = sum(abs(low - lag(high, 1)), period) / sum(tr(high, low, close), period)

    Sums over `period` bars, of two blocks (windows.py); both 1 where the market has not moved. First values at row `period`.

    >>> bars = {"high": [2.0, 3.0], "low": [1.0, 2.0], "close": [1.5, 2.5]}
    >>> fs.compute(bars, ["vortex_1"]).iloc[1].round(4).tolist()
    [1.3333, 0.0]
    """
    plus = abs(high - s.low)
    minus = abs(low - s.high)
    reach = max(high, s.close) - min(low, s.close)
    s.high = high
    s.low = low
    s.close = close
    s.bars += 1
    if s.bars == 1:
        return math.nan, math.nan
    s.plus += plus
    s.minus += minus
    s.reach += reach
    up = s.plus + s.pluses[s.place + 1]
    down = s.minus + s.minuses[s.place + 1]
    walked = s.reach + s.reaches[s.place + 1]
    s.pluses[s.place] = plus
    s.minuses[s.place] = minus
    s.reaches[s.place] = reach
    s.place += 1
    if s.place == period:
        plus = 0.0
        minus = 0.0
        reach = 0.0
        j = period
        while j > 0:
            j -= 1
            plus += s.pluses[j]
            minus += s.minuses[j]
            reach += s.reaches[j]
            s.pluses[j] = plus
            s.minuses[j] = minus
            s.reaches[j] = reach
        s.place = 0
        s.plus = 0.0
        s.minus = 0.0
        s.reach = 0.0
    if s.bars <= period:
        return math.nan, math.nan
    if walked <= 0.0:
        return 1.0, 1.0
    return up / walked, down / walked


@indicator(title="Choppiness index", group=_GROUP, unit="0..100", source="Dreiss 1993")
def chop(high: Series, low: Series, close: Series, period: int = Int(14, ge=2)) -> Series:
    """Whether price goes back and forth (to 100) or one way (to 0): 100 log(sum of true ranges / range) / log(period).

        100 * log(sum(tr(high, low, close), period) / (highest(high, period) - lowest(low, period))) / log(period)

    100 where the window has no range; never more, though a gap into the window can make the formula exceed it. First value
    at row `period`.

    >>> bars = {"high": [2.0, 3.0, 3.0], "low": [1.0, 2.0, 2.0], "close": [1.5, 2.0, 3.0]}
    >>> fs.compute(bars, ["chop_2"])["chop_2"].round(2).tolist()
    [nan, nan, 100.0]
    """
    walked = rolling_sum(tr(high, low, close), period)
    reach = highest(high, period) - lowest(low, period)
    scale = 100.0 / math.log(period)
    return where(least(walked, reach) > 0.0, greatest(least(log(walked / reach) * scale, 100.0), 0.0), 100.0)


@indicator(title="Mass index", group=_GROUP, unit="index", source="Dorsey 1992")
def mass(high: Series, low: Series, period: int = Int(9), total: int = Int(25)) -> Series:
    """How much ranges widen: the sum over `total` bars of the range's EMA over the EMA of that; `total` where ranges are even.

        once = ema(high - low, period)
        sum(once / ema(once, period), total)

    The ratio is 1 where there was no range. First value at row 2 period + total - 3. TA-Lib calls it MASSI.

    >>> fs.compute({"high": [2.0, 3.0, 4.0], "low": [1.0, 2.0, 3.0]}, ["mass_2_1"])["mass_2_1"].tolist()
    [nan, nan, 1.0]
    """
    once = ema(high - low, period)
    twice = ema(once, period)
    return rolling_sum(where(twice > 0.0, once / twice, 1.0), total)


@indicator(title="Vertical horizontal filter", group=_GROUP, unit="0..1", source="White 1991; as TA-Lib")
def vhf(close: Series, period: int = Int(28)) -> Series:
    """The range of closes as a share of the path walked: 1 for one straight move, 0 where nothing moved.

        (highest(close, period) - lowest(close, period)) / sum(abs(diff(close, 1)), period)

    First value at row `period`.

    >>> fs.compute({"close": [1.0, 2.0, 1.0]}, ["vhf_2"])["vhf_2"].tolist()
    [nan, nan, 0.5]
    """
    path = rolling_sum(abs(close - lag(close, 1)), period)
    reach = highest(close, period) - lowest(close, period)
    return where(path > 0.0, reach / path, 0.0)


@indicator(title="Qstick", group=_GROUP, unit="price change", source="Chande 1994")
def qstick(open: Series, close: Series, period: int = Int(10)) -> Series:
    """The mean body of the last `period` bars, close less open; first value at row period - 1.

        sma(close - open, period)

    >>> fs.compute({"open": [1.0, 2.0], "close": [2.0, 4.0]}, ["qstick_2"])["qstick_2"].tolist()
    [nan, 1.5]
    """
    return sma(close - open, period)
