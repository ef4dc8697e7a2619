"""Moving averages made of others: less lag by taking away an average's own lag, more smoothness by averaging twice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feature_store.indicators.arithmetic import fma
from feature_store.indicators.averages import ema, sma, wma
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int, Real
from feature_store.indicators.windows import highest, lag, lowest

if TYPE_CHECKING:
    from feature_store.indicators.series import Series

_GROUP = "moving average"


@indicator(title="Double exponential moving average", group=_GROUP, unit="price", source="Mulloy 1994; nested seeds")
def dema(close: Series, period: int = Int(20)) -> Series:
    """Twice the EMA less the EMA of it: most of the lag taken away; first value at row 2 period - 2.

        2 * ema(close, period) - ema(ema(close, period), period)

    The inner EMA seeds the outer one with its first `period` values, as TA-Lib does, so that every value is fully seeded.

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 4.0]}, ["dema_2"])["dema_2"].round(4).tolist()
    [nan, nan, 3.0, 4.0]
    """
    once = ema(close, period)
    twice = ema(once, period)
    return once + (once - twice)


@indicator(title="Triple exponential moving average", group=_GROUP, unit="price", source="Mulloy 1994; nested seeds")
def tema(close: Series, period: int = Int(20)) -> Series:
    """Three times the EMA, less three times the EMA of it, plus the EMA of that; first value at row 3 period - 3.

        once = ema(close, period)
        twice = ema(once, period)
        3 * once - 3 * twice + ema(twice, period)

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 4.0]}, ["tema_2"])["tema_2"].round(4).tolist()
    [nan, nan, nan, 4.0]
    """
    once = ema(close, period)
    twice = ema(once, period)
    thrice = ema(twice, period)
    return thrice + (once - twice) * 3.0


@step(
    "bars:int first second third fourth fifth sixth means[stages]",
    lag=lambda period: 6 * (period - 1),
    fade=lambda period: 6 * math.ceil(9.5 * (period + 1)),
    memory="recursive",
)
def sixfold(
    s: State, close: float, period: int = Int(5), volume_factor: float = Real(0.7), stages: int = Int(6)
) -> float:
    """Six nested EMAs in one step, each seeded by the first `period` values of the one before, weighed as T3 does.

    `stages` is 6 and stands here because a window's length follows from a parameter.
    """
    weight = 2.0 / (period + 1.0)
    keep = 1.0 - weight
    v = volume_factor
    s.bars += 1
    if s.bars <= stages * (period - 1) + 1:
        value = close
        stage = 0
        while stage < stages:
            bars = s.bars - stage * (period - 1)
            if bars > period:
                s.means[stage] = fma(keep, s.means[stage], weight * value)
            elif bars > 0:
                s.means[stage] += value
                if bars == period:
                    s.means[stage] = s.means[stage] / period
            value = s.means[stage]
            stage += 1
        s.first = s.means[0]
        s.second = s.means[1]
        s.third = s.means[2]
        s.fourth = s.means[3]
        s.fifth = s.means[4]
        s.sixth = s.means[5]
        if s.bars <= stages * (period - 1):
            return math.nan
    else:
        s.first = fma(keep, s.first, weight * close)
        s.second = fma(keep, s.second, weight * s.first)
        s.third = fma(keep, s.third, weight * s.second)
        s.fourth = fma(keep, s.fourth, weight * s.third)
        s.fifth = fma(keep, s.fifth, weight * s.fourth)
        s.sixth = fma(keep, s.sixth, weight * s.fifth)
    # the weights sum to 1: written about the third average, so that a flat series stays what it is
    away = (s.third - s.fourth) * (3.0 * v * (1.0 + v) * (1.0 + v))
    back = (s.third - s.fifth) * (3.0 * v * v * (1.0 + v))
    return s.third + away - back + (s.third - s.sixth) * (v * v * v)


@indicator(title="T3", group=_GROUP, unit="price", source="Tillson 1998; nested seeds")
def t3(close: Series, period: int = Int(5), volume_factor: float = Real(0.7, le=1.0)) -> Series:
    """Six nested EMAs, weighed so that lag goes and smoothness stays; first value at row 6 period - 6.

        v = volume_factor
        e3 = ema(ema(ema(close, period), period), period)
        e4 = ema(e3, period)
        e5 = ema(e4, period)
        e6 = ema(e5, period)
        (1 + v) ** 3 * e3 - 3 * v * (1 + v) ** 2 * e4 + 3 * v ** 2 * (1 + v) * e5 - v ** 3 * e6

    A factor of 0 gives e3, the third EMA; 1 gives a DEMA of a DEMA of a DEMA.

    >>> fs.compute({"close": [5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0]}, ["t3_2"])["t3_2"].tolist()
    [nan, nan, nan, nan, nan, nan, 5.0]
    """
    return sixfold(close, period, volume_factor)


@indicator(title="Hull moving average", group=_GROUP, unit="price", source="Hull 2005")
def hma(close: Series, period: int = Int(20, ge=2)) -> Series:
    """Twice the WMA of half the period less the WMA of all of it, smoothed by a WMA of the square root of the period.

        root = floor(sqrt(period))
        wma(2 * wma(close, period // 2) - wma(close, period), root)

    Halves and roots are rounded down. First value at row period - 1 + root - 1.

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 4.0, 5.0]}, ["hma_4"])["hma_4"].round(4).tolist()
    [nan, nan, nan, nan, 5.0]
    """
    half = wma(close, period // 2)
    return wma(half + (half - wma(close, period)), math.isqrt(period))


@indicator(title="Triangular moving average", group=_GROUP, unit="price", source="arithmetic: weights 1, 2, ... 2, 1")
def trima(close: Series, period: int = Int(20)) -> Series:
    """The mean whose weights rise to the middle of the window and fall again; first value at row period - 1.

        sma(sma(close, period // 2 + 1), (period + 1) // 2)

    It is a mean of means: of (period + 1) / 2 values twice, or of period / 2 and period / 2 + 1 values.

    >>> fs.compute({"close": [1.0, 2.0, 6.0]}, ["trima_3"])["trima_3"].tolist()
    [nan, nan, 2.75]
    """
    return sma(sma(close, period // 2 + 1), (period + 1) // 2)


@indicator(title="Zero-lag exponential moving average", group=_GROUP, unit="price", source="Ehlers and Way 2010")
def zlema(close: Series, period: int = Int(20, ge=3)) -> Series:
    """The EMA of twice the price less the price half a window ago, (period - 1) / 2 bars rounded down.

        ema(2 * close - lag(close, (period - 1) // 2), period)

    First value at row period - 1 + that lag.

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 4.0]}, ["zlema_3"])["zlema_3"].tolist()
    [nan, nan, nan, 4.0]
    """
    return ema(close + (close - lag(close, (period - 1) // 2)), period)


@indicator(
    title="Volume-weighted moving average",
    group=_GROUP,
    unit="price",
    source="arithmetic; weights are tick volume",
    state="bars:int place:int flow volume values[period] flows[period+1] volumes[period+1]",
    lag=lambda period: period - 1,
    memory="window",
)
def vwma(s: State, close: float, tick_volume: float, period: int = Int(20)) -> float:
    """The mean of the last `period` values, each weighing its tick volume; the plain mean where none of them had volume.

        sum(close * tick_volume, period) / sum(tick_volume, period)

    First value at row period - 1. TA-Lib has no value in a window without volume. Both sums are of two blocks (windows.py).

    >>> fs.compute({"close": [1.0, 2.0, 5.0], "tick_volume": [1.0, 3.0, 0.0]}, ["vwma_2"])["vwma_2"].tolist()
    [nan, 1.75, 2.0]
    """
    product = close * tick_volume
    s.bars += 1
    s.flow += product
    s.volume += tick_volume
    flow = s.flow + s.flows[s.place + 1]
    volume = s.volume + s.volumes[s.place + 1]
    s.values[s.place] = close
    s.flows[s.place] = product
    s.volumes[s.place] = tick_volume
    s.place += 1
    if s.place == period:
        flows = 0.0
        volumes = 0.0
        j = period
        while j > 0:
            j -= 1
            flows += s.flows[j]
            volumes += s.volumes[j]
            s.flows[j] = flows
            s.volumes[j] = volumes
        s.place = 0
        s.flow = 0.0
        s.volume = 0.0
    if s.bars < period:
        return math.nan
    if volume > 0.0:
        return flow / volume
    mean = 0.0
    j = 0
    while j < period:
        mean += s.values[j]
        j += 1
    return mean / period


@indicator(
    title="Symmetrically weighted moving average",
    group=_GROUP,
    unit="price",
    source="weights 1, 2, 2, 1, as TradingView's swma",
)
def swma(close: Series) -> Series:
    """The mean of four values with weights 1, 2, 2, 1; first value at row 3.

        (close + 2 * lag(close, 1) + 2 * lag(close, 2) + lag(close, 3)) / 6

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 4.0]}, ["swma"])["swma"].tolist()
    [nan, nan, nan, 2.5]
    """
    return trima(close, 4)


@indicator(title="Midpoint", group=_GROUP, unit="price", source="arithmetic")
def midpoint(close: Series, period: int = Int(14)) -> Series:
    """The middle between the highest and the lowest of the last `period` values; first value at row period - 1.

        (highest(close, period) + lowest(close, period)) / 2

    >>> fs.compute({"close": [1.0, 2.0, 4.0]}, ["midpoint_2"])["midpoint_2"].tolist()
    [nan, 1.5, 3.0]
    """
    return (highest(close, period) + lowest(close, period)) * 0.5


@indicator(title="Midprice", group=_GROUP, unit="price", source="arithmetic")
def midprice(high: Series, low: Series, period: int = Int(14)) -> Series:
    """The middle between the highest high and the lowest low of the last `period` bars; first value at row period - 1.

        (highest(high, period) + lowest(low, period)) / 2

    >>> fs.compute({"high": [2.0, 4.0], "low": [1.0, 3.0]}, ["midprice_2"])["midprice_2"].tolist()
    [nan, 2.5]
    """
    return (highest(high, period) + lowest(low, period)) * 0.5
