"""Momentum from the relative strength index: its own stochastic, its trailing line, its smoother relatives."""

from __future__ import annotations

import math

from feature_store.indicators.arithmetic import fma
from feature_store.indicators.averages import ema, sma
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.momentum import roc, rsi
from feature_store.indicators.order_statistics import percent_rank
from feature_store.indicators.parameters import MAX_PERIOD, Int, Real
from feature_store.indicators.series import Series, where
from feature_store.indicators.windows import highest, lag, lowest

_GROUP = "momentum"
_NOISE = 1e-9
"""A range of the RSI below this is rounding: in a market at rest it stays where it is, but for its last bits."""


@indicator(
    title="Stochastic RSI",
    group=_GROUP,
    unit="0..100",
    source="Chande and Kroll 1994; smoothed by SMA",
    outputs="k d",
)
def stochrsi(
    close: Series,
    rsi_period: int = Int(14, ge=2),
    period: int = Int(14),
    smooth: int = Int(3),
    signal: int = Int(3),
) -> tuple[Series, ...]:
    """Where the RSI lies in its range of the last `period` bars, smoothed (k), and its mean (d); 50 where it has no range.

        strength = rsi(close, rsi_period)
        raw = 100 * (strength - lowest(strength, period)) / (highest(strength, period) - lowest(strength, period))
        k = sma(raw, smooth)
        d = sma(k, signal)

    A range below 1e-9 is none: it is the rounding of an RSI at rest, which TA-Lib stretches to 0..100. The first k is at row
    rsi_period + period + smooth - 2, the first d signal - 1 later.

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 2.0]}, ["stochrsi_2_2_1_1.k"])["stochrsi_2_2_1_1.k"].tolist()
    [nan, nan, nan, 0.0]
    """
    strength = rsi(close, rsi_period)
    top, bottom = highest(strength, period), lowest(strength, period)
    reach = top - bottom
    k = sma(where(reach > _NOISE, (strength - bottom) / reach * 100.0, 50.0), smooth)
    return k, sma(k, signal)


@step("bars:int close run", lag=lambda: 1, fade=lambda: 100, memory="state machine")
def streak(s: State, close: float) -> float:
    """How many bars in a row the value has risen (above 0) or fallen (below 0); 0 when it stays.

    A reversal forgets where the series began; settled after 100 bars, as no market rises for longer.
    """
    s.bars += 1
    change = close - s.close
    s.close = close
    if s.bars == 1:
        return math.nan
    if change > 0.0:
        s.run = max(s.run, 0.0) + 1.0
    elif change < 0.0:
        s.run = min(s.run, 0.0) - 1.0
    else:
        s.run = 0.0
    return s.run


@indicator(title="Connors RSI", group=_GROUP, unit="0..100 of returns", source="Connors and Alvarez 2012")
def crsi(
    close: Series, period: int = Int(3, ge=2), streak_period: int = Int(2, ge=2), rank_period: int = Int(100)
) -> Series:
    """The mean of an RSI, of the RSI of the length of the streak, and of the rank of the last change among those before.

        (rsi(close, period) + rsi(streak(close), streak_period) + percent_rank(roc(close, 1), rank_period)) / 3

    A streak counts rises in a row up and falls down; an unchanged close resets it to 0. The rank is the percentage of the
    `rank_period` changes before that were less than this one (in a market that does not move: 0, and the whole 33.3).
    First value at row rank_period + 1 (that of the slower RSI, where it is later).

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 2.0]}, ["crsi_2_2_1"])["crsi_2_2_1"].round(4).tolist()
    [nan, nan, nan, 25.0]
    """
    rank = percent_rank(roc(close, 1), rank_period)
    return (rsi(close, period) + rsi(streak(close), streak_period) + rank) * (1.0 / 3.0)


@step(
    "bars:int value lower upper rising",
    fade=lambda period: 20 * period + 100,
    memory="state machine",
)
def trailing(s: State, value: float, reach: float, period: int = Int(14)) -> float:  # noqa: ARG001
    """The line a reach below a value while it rises, or above it while it falls; it follows and never gives way.

    A line is forgotten when the value crosses it. From 800 starts on real and random bars it took up to 23 bars at a period
    of 2, 27 at 14, 83 at 60; it is taken as settled after 20 periods and 100 bars.
    """
    s.bars += 1
    lower = value - reach
    upper = value + reach
    if s.bars == 1:
        s.rising = 1.0
    else:
        s.rising = 1.0 if value > s.upper else 0.0 if value < s.lower else s.rising
        lower = max(lower, s.lower) if s.value > s.lower and value > s.lower else lower
        upper = min(upper, s.upper) if s.value < s.upper and value < s.upper else upper
    s.value = value
    s.lower = lower
    s.upper = upper
    return lower if s.rising > 0.0 else upper


@indicator(
    title="Quantitative qualitative estimation",
    group=_GROUP,
    unit={"value": "0..100", "signal": "index"},
    source="Nikolov 2000s, as the script most used on TradingView: colinmck's QQE signals",
    outputs="value signal",
)
def qqe(
    close: Series,
    period: int = Int(14, ge=2, le=MAX_PERIOD // 2),
    smooth: int = Int(5),
    width: float = Real(4.236, le=100.0),
) -> tuple[Series, ...]:
    """The RSI smoothed by an EMA, and a line that trails it by `width` times its own smoothed movement.

        value = ema(rsi(close, period), smooth)
        reach = width * ema(ema(abs(diff(value, 1)), 2 * period - 1), 2 * period - 1)
        signal = trailing(value, reach)

    The movement is the change of the value a bar, smoothed by two EMAs of 2 period - 1. The line is below the value while it
    rises and above while it falls; it may leave 0..100. At its first row it is below. The value is first known at row
    period + smooth - 1, the line 4 period - 3 later.

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 2.0]}, ["qqe_2_1.value"])["qqe_2_1.value"].tolist()
    [nan, nan, 100.0, 50.0]
    """
    value = ema(rsi(close, period), smooth)
    movement = abs(value - lag(value, 1))
    reach = ema(ema(movement, 2 * period - 1), 2 * period - 1) * width
    return value, trailing(value, reach, period)


@step(
    "bars:int close a b c d e f g h i j k l",
    lag=lambda period: period,
    fade=lambda period: 13 * (period + 2),
    memory="recursive",
)
def rsx_steps(s: State, close: float, period: int = Int(14)) -> float:
    """Jurik's three filters in a row, of the change and of its size; each is 1.5 of one average less 0.5 of its own."""
    weight = 3.0 / (period + 2.0)
    keep = 1.0 - weight
    s.bars += 1
    change = close - s.close if s.bars > 1 else 0.0
    s.close = close
    s.a = fma(keep, s.a, weight * change)
    s.b = fma(keep, s.b, weight * s.a)
    way = s.a * 1.5 - s.b * 0.5
    s.c = fma(keep, s.c, weight * way)
    s.d = fma(keep, s.d, weight * s.c)
    way = s.c * 1.5 - s.d * 0.5
    s.e = fma(keep, s.e, weight * way)
    s.f = fma(keep, s.f, weight * s.e)
    way = s.e * 1.5 - s.f * 0.5
    s.g = fma(keep, s.g, weight * abs(change))
    s.h = fma(keep, s.h, weight * s.g)
    path = s.g * 1.5 - s.h * 0.5
    s.i = fma(keep, s.i, weight * path)
    s.j = fma(keep, s.j, weight * s.i)
    path = s.i * 1.5 - s.j * 0.5
    s.k = fma(keep, s.k, weight * path)
    s.l = fma(keep, s.l, weight * s.k)
    path = s.k * 1.5 - s.l * 0.5
    if s.bars <= period:
        return math.nan
    return max(0.0, min(100.0, (way / path + 1.0) * 50.0)) if path > 0.0 else 50.0


@indicator(
    title="Relative strength, smooth (RSX)",
    group=_GROUP,
    unit="0..100",
    source="Jurik 1990s, as its public transcriptions have it",
)
def rsx(close: Series, period: int = Int(14)) -> Series:
    """An RSI with hardly any noise and little lag: changes and their sizes go through three filters; 50 without movement.

    It begins from 0 movement; first value at row `period`.

    >>> fs.compute({"close": [1.0, 2.0, 3.0]}, ["rsx_2"])["rsx_2"].tolist()
    [nan, nan, 100.0]
    """
    return rsx_steps(close, period)
