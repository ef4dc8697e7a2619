"""Momentum from averages: how far apart two of them are, how far price is from one, and how fast one moves."""

from __future__ import annotations

import math

from feature_store.indicators.arithmetic import fma
from feature_store.indicators.averages import ema, sma, wma
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.momentum import roc
from feature_store.indicators.parameters import Int, fast_below_slow
from feature_store.indicators.series import Series, where
from feature_store.indicators.windows import lag

_GROUP = "momentum"


@indicator(
    title="Absolute price oscillator", group=_GROUP, unit="price change", source="Appel 1979", rule=fast_below_slow
)
def apo(close: Series, fast: int = Int(12), slow: int = Int(26, ge=2)) -> Series:
    """The fast EMA less the slow one, the line of `macd`; first value at row slow - 1.

        ema(close, fast) - ema(close, slow)

    >>> fs.compute({"close": [1.0, 2.0, 4.0]}, ["apo_1_2"])["apo_1_2"].round(4).tolist()
    [nan, 0.5, 0.8333]
    """
    return ema(close, fast) - ema(close, slow)


@indicator(
    title="Percentage price oscillator",
    group=_GROUP,
    unit="percent",
    source="Appel 2005; EMAs",
    outputs="line signal histogram",
    rule=fast_below_slow,
)
def ppo(close: Series, fast: int = Int(12), slow: int = Int(26, ge=2), signal: int = Int(9)) -> tuple[Series, ...]:
    """`macd` in percent of the slow EMA, so that pairs can be compared; the line's first value is at row slow - 1.

        line = 100 * (ema(close, fast) - ema(close, slow)) / ema(close, slow)
        signal = ema(line, signal)
        histogram = line - signal

    The signal is the line's EMA and begins signal - 1 later; the histogram is their difference.

    >>> fs.compute({"close": [1.0, 3.0, 4.0]}, ["ppo_1_2_2.line"])["ppo_1_2_2.line"].round(4).tolist()
    [nan, 50.0, 20.0]
    """
    slowest = ema(close, slow)
    line = (ema(close, fast) - slowest) / slowest * 100.0
    smoothed = ema(line, signal)
    return line, smoothed, line - smoothed


@indicator(
    title="Percentage volume oscillator",
    group=_GROUP,
    unit="percent",
    source="Appel 2005, of tick volume; EMAs",
    outputs="line signal histogram",
    rule=fast_below_slow,
)
def pvo(
    tick_volume: Series, fast: int = Int(12), slow: int = Int(26, ge=2), signal: int = Int(9)
) -> tuple[Series, ...]:
    """The fast EMA of tick volume less the slow one, in percent of the slow one; 0 where there was no volume at all.

        line = 100 * (ema(tick_volume, fast) - ema(tick_volume, slow)) / ema(tick_volume, slow)
        signal = ema(line, signal)
        histogram = line - signal

    Tick volume counts price changes at one source, not trades. The line's first value is at row slow - 1, the signal, its
    EMA, begins signal - 1 later.

    >>> fs.compute({"tick_volume": [1.0, 3.0, 4.0]}, ["pvo_1_2_2.line"])["pvo_1_2_2.line"].round(4).tolist()
    [nan, 50.0, 20.0]
    """
    slowest = ema(tick_volume, slow)
    line = where(slowest > 0.0, (ema(tick_volume, fast) - slowest) / slowest * 100.0, 0.0)
    smoothed = ema(line, signal)
    return line, smoothed, line - smoothed


@step(
    "bars:int mean",
    lag=lambda skip, period: skip + period - 1,
    fade=lambda period: math.ceil(9.5 * (period + 1)),
    memory="recursive",
)
def late_ema(s: State, close: float, skip: int = Int(0, ge=0), period: int = Int(12)) -> float:
    """An EMA that leaves out the first `skip` values, so that its seed is the mean of the `period` values after them."""
    weight = 2.0 / (period + 1.0)
    keep = 1.0 - weight
    s.bars += 1
    if s.bars > skip + period:
        s.mean = fma(keep, s.mean, weight * close)
        return s.mean
    if s.bars > skip:
        s.mean += close
    if s.bars < skip + period:
        return math.nan
    s.mean = s.mean / period
    return s.mean


@indicator(
    title="Moving average convergence divergence, TA-Lib's seeds",
    group=_GROUP,
    unit="price change",
    source="Appel 1979; TA-Lib 0.8.2: the fast EMA is seeded where the slow one's first window ends",
    outputs="line signal histogram",
    rule=fast_below_slow,
)
def macd_talib(
    close: Series, fast: int = Int(12), slow: int = Int(26, ge=2), signal: int = Int(9)
) -> tuple[Series, ...]:
    """`macd` with TA-Lib's seeds, for those who compare: the fast EMA begins with the last `fast` of the first `slow` values.

        line = ema(close, fast) - ema(close, slow)
        signal = ema(line, signal)
        histogram = line - signal

    It equals `macd` once the seeds have faded, near row 169. The line's first value is at row slow - 1; TA-Lib holds it back
    until the signal has one, signal - 1 later.

    >>> fs.compute({"close": [1.0, 2.0, 4.0, 8.0]}, ["macd_talib_2_3_1.line"])["macd_talib_2_3_1.line"].round(4).tolist()
    [nan, nan, 0.6667, 1.1667]
    """
    line = late_ema(close, slow - fast, fast) - ema(close, slow)
    smoothed = ema(line, signal)
    return line, smoothed, line - smoothed


@indicator(title="Awesome oscillator", group=_GROUP, unit="price change", source="Williams 1998", rule=fast_below_slow)
def ao(high: Series, low: Series, fast: int = Int(5), slow: int = Int(34, ge=2)) -> Series:
    """The fast mean of the bars' middles less the slow one; first value at row slow - 1.

        sma((high + low) / 2, fast) - sma((high + low) / 2, slow)

    >>> fs.compute({"high": [2.0, 4.0, 9.0], "low": [0.0, 2.0, 3.0]}, ["ao_1_2"])["ao_1_2"].tolist()
    [nan, 1.0, 1.5]
    """
    middle = (high + low) * 0.5
    return sma(middle, fast) - sma(middle, slow)


@indicator(
    title="Accelerator oscillator", group=_GROUP, unit="price change", source="Williams 1998", rule=fast_below_slow
)
def ac(high: Series, low: Series, fast: int = Int(5), slow: int = Int(34, ge=2), signal: int = Int(5)) -> Series:
    """The awesome oscillator less its mean of `signal` bars; first value at row slow + signal - 2.

        awesome = ao(high, low, fast, slow)
        awesome - sma(awesome, signal)

    >>> fs.compute({"high": [2.0, 4.0, 9.0], "low": [0.0, 2.0, 3.0]}, ["ac_1_2_2"])["ac_1_2_2"].tolist()
    [nan, nan, 0.25]
    """
    awesome = ao(high, low, fast, slow)
    return awesome - sma(awesome, signal)


@indicator(
    title="Triple exponential average's change",
    group=_GROUP,
    unit="percent",
    source="Hutson 1983; nested seeds; signal by EMA",
    outputs="value signal",
)
def trix(close: Series, period: int = Int(15), signal: int = Int(9)) -> tuple[Series, ...]:
    """The change a bar, in percent, of an EMA of an EMA of an EMA, and its EMA; the value is first known at row 3 period - 2.

        value = roc(ema(ema(ema(close, period), period), period), 1)
        signal = ema(value, signal)

    >>> fs.compute({"close": [1.0, 2.0, 3.0]}, ["trix_1_2"])["trix_1_2.value"].tolist()
    [nan, 100.0, 50.0]
    """
    value = roc(ema(ema(ema(close, period), period), period), 1)
    return value, ema(value, signal)


@indicator(
    title="Detrended price oscillator, causal",
    group=_GROUP,
    unit="price change",
    source="TA-Lib 0.8.2: known when it is published, not moved back to the middle of its window",
)
def dpo(close: Series, period: int = Int(20)) -> Series:
    """The price period / 2 + 1 bars ago (rounded down) less the mean of the last `period` bars; first value at row period - 1.

        lag(close, period // 2 + 1) - sma(close, period)

    Charts plot the same number where that price was, which needs bars that were then in the future. For periods of 1 and 2
    the first value is at row period / 2 + 1.

    >>> fs.compute({"close": [1.0, 2.0, 6.0]}, ["dpo_3"])["dpo_3"].tolist()
    [nan, nan, -2.0]
    """
    return lag(close, period // 2 + 1) - sma(close, period)


@indicator(
    title="Elder ray", group=_GROUP, unit="price change", source="Elder 1993: bull and bear power", outputs="bull bear"
)
def elder_ray(high: Series, low: Series, close: Series, period: int = Int(13)) -> tuple[Series, ...]:
    """How far the bar's high and its low reach beyond the EMA of close; first values at row period - 1.

        bull = high - ema(close, period)
        bear = low - ema(close, period)

    TA-Lib calls it ERI.

    >>> fs.compute({"high": [3.0, 5.0], "low": [1.0, 2.0], "close": [2.0, 4.0]}, ["elder_ray_2"]).iloc[1].tolist()
    [2.0, -1.0]
    """
    middle = ema(close, period)
    return high - middle, low - middle


@indicator(
    title="Know sure thing", group=_GROUP, unit="percent", source="Pring 1992; smoothed by SMA", outputs="value signal"
)
def kst(
    close: Series,
    roc1: int = Int(10),
    roc2: int = Int(15),
    roc3: int = Int(20),
    roc4: int = Int(30),
    sma1: int = Int(10),
    sma2: int = Int(10),
    sma3: int = Int(10),
    sma4: int = Int(15),
    signal: int = Int(9),
) -> tuple[Series, ...]:
    """Four smoothed rates of change in percent, weighed 1 to 4 and added, and the mean of that over `signal` bars.

        slow = 3 * sma(roc(close, roc3), sma3) + 4 * sma(roc(close, roc4), sma4)
        value = sma(roc(close, roc1), sma1) + 2 * sma(roc(close, roc2), sma2) + slow
        signal = sma(value, signal)

    The value is first known at the latest of the rows roc + sma - 1, the signal signal - 1 later.

    >>> fs.compute({"close": [1.0, 2.0, 3.0]}, ["kst_1_1_1_1_1_1_1_1_2"]).iloc[2].tolist()
    [500.0, 750.0]
    """
    value = sma(roc(close, roc1), sma1)
    for weight, change, mean in ((2.0, roc2, sma2), (3.0, roc3, sma3), (4.0, roc4, sma4)):
        value = value + sma(roc(close, change), mean) * weight
    return value, sma(value, signal)


@indicator(title="Coppock curve", group=_GROUP, unit="percent", source="Coppock 1962")
def coppock(close: Series, period: int = Int(10), short: int = Int(11), long: int = Int(14)) -> Series:
    """The weighted mean, over `period` bars, of the percent changes since `short` and since `long` bars ago, added.

        wma(roc(close, short) + roc(close, long), period)

    First value at row max(short, long) + period - 1.

    >>> fs.compute({"close": [1.0, 2.0, 3.0]}, ["coppock_1_1_2"])["coppock_1_1_2"].tolist()
    [nan, nan, 250.0]
    """
    return wma(roc(close, short) + roc(close, long), period)


@indicator(
    title="Price momentum oscillator",
    group=_GROUP,
    unit="per mille",
    source="Swenlin (DecisionPoint) 1980s: weights 2/slow and 2/fast, signal a common EMA",
    outputs="value signal",
)
def pmo(
    close: Series, slow: int = Int(35, ge=2), fast: int = Int(20, ge=2), signal: int = Int(10)
) -> tuple[Series, ...]:
    """The change a bar in per mille, smoothed twice, and its EMA; the value is first known at row slow + fast - 3.

        value = ema(ema(10 * roc(close, 1), slow - 1), fast - 1)
        signal = ema(value, signal)

    The weight of a bar is 2/period where a common EMA has 2/(period + 1): it is the EMA of one bar less, and seeded as that.

    >>> fs.compute({"close": [1.0, 2.0, 3.0]}, ["pmo_2_2_1.value"])["pmo_2_2_1.value"].tolist()
    [nan, 1000.0, 500.0]
    """
    value = ema(ema(roc(close, 1) * 10.0, slow - 1), fast - 1)
    return value, ema(value, signal)
