"""Momentum from ranges: where a value lies between the lowest and the highest of its window."""

from __future__ import annotations

import math

from feature_store.indicators.arithmetic import fma
from feature_store.indicators.averages import ema, rma, sma
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int, fast_below_slow
from feature_store.indicators.series import Series, where
from feature_store.indicators.windows import highest, lag, lowest

_GROUP = "momentum"


def place_in_range(value: Series, top: Series, bottom: Series, neutral: Series | float = 50.0) -> Series:
    """Return where the value lies between bottom (0) and top (100), `neutral` where they meet."""
    reach = top - bottom
    return where(reach > 0.0, (value - bottom) / reach * 100.0, neutral)


@indicator(
    title="Fast stochastic oscillator", group=_GROUP, unit="0..100", source="Lane 1984; smoothed by SMA", outputs="k d"
)
def stochf(high: Series, low: Series, close: Series, period: int = Int(14), signal: int = Int(3)) -> tuple[Series, ...]:
    """Where the close lies in the range of the last `period` bars (k), and its mean (d); 50 where there is no range.

        k = 100 * (close - lowest(low, period)) / (highest(high, period) - lowest(low, period))
        d = sma(k, signal)

    The first k is at row period - 1, the first d signal - 1 later.

    >>> bars = {"high": [2.0, 4.0], "low": [1.0, 2.0], "close": [1.5, 3.25]}
    >>> fs.compute(bars, ["stochf_2_1.k"])["stochf_2_1.k"].tolist()
    [nan, 75.0]
    """
    k = place_in_range(close, highest(high, period), lowest(low, period))
    return k, sma(k, signal)


@indicator(title="Williams %R", group=_GROUP, unit="-100..0", source="Williams 1973")
def willr(high: Series, low: Series, close: Series, period: int = Int(14)) -> Series:
    """How far the close lies below the highest high of `period` bars, in percent of their range; -50 where there is none.

        100 * (close - highest(high, period)) / (highest(high, period) - lowest(low, period))

    It is the fast stochastic less 100. First value at row period - 1. TA-Lib gives 0, extreme overbought, without a range.

    >>> bars = {"high": [2.0, 4.0], "low": [1.0, 2.0], "close": [1.5, 3.25]}
    >>> fs.compute(bars, ["willr_2"])["willr_2"].tolist()
    [nan, -25.0]
    """
    return place_in_range(close, highest(high, period), lowest(low, period)) - 100.0


@indicator(
    title="KDJ",
    group=_GROUP,
    unit={"k": "0..100", "d": "0..100", "j": "index"},
    source="Lane 1984 as changed in Asia: smoothed by Wilder's average, seeded by a mean as TA-Lib does",
    outputs="k d j",
)
def kdj(
    high: Series, low: Series, close: Series, period: int = Int(9), smooth: int = Int(3), signal: int = Int(3)
) -> tuple[Series, ...]:
    """A stochastic smoothed by Wilder's average (k), smoothed again (d), and j = 3k - 2d, which may leave 0..100.

        raw = 100 * (close - lowest(low, period)) / (highest(high, period) - lowest(low, period))
        k = rma(raw, smooth)
        d = rma(k, signal)
        j = 3 * k - 2 * d

    50 where there is no range. The first k is at row period + smooth - 2, d and j begin signal - 1 later. The scripts most
    used on TradingView smooth the same and begin at 0 instead, which fades.

    >>> bars = {"high": [2.0, 4.0, 4.0], "low": [1.0, 2.0, 2.0], "close": [1.5, 3.25, 3.0]}
    >>> fs.compute(bars, ["kdj_2_1_2"]).iloc[2].tolist()
    [50.0, 62.5, 25.0]
    """
    k = rma(place_in_range(close, highest(high, period), lowest(low, period)), smooth)
    d = rma(k, signal)
    return k, d, k * 3.0 - d * 2.0


@indicator(
    title="Stochastic momentum index",
    group=_GROUP,
    unit="-100..100",
    source="Blau 1993; EMAs, as TA-Lib and TradingView's built-in",
    outputs="value signal",
)
def smi(
    high: Series,
    low: Series,
    close: Series,
    period: int = Int(13),
    first: int = Int(25),
    second: int = Int(2),
    signal: int = Int(3),
) -> tuple[Series, ...]:
    """How far the close lies from the middle of the range of `period` bars, in percent of half of it, both smoothed twice.

        middle = (highest(high, period) + lowest(low, period)) / 2
        reach = highest(high, period) - lowest(low, period)
        value = 200 * ema(ema(close - middle, first), second) / ema(ema(reach, first), second)
        signal = ema(value, signal)

    0 where there was no range. The signal is the value's EMA. The value is first known at row period + first + second - 3;
    TA-Lib holds it back until the signal is.

    >>> bars = {"high": [2.0, 4.0], "low": [1.0, 2.0], "close": [1.5, 3.25]}
    >>> fs.compute(bars, ["smi_2_1_1_1.value"])["smi_2_1_1_1.value"].tolist()
    [nan, 50.0]
    """
    top, bottom = highest(high, period), lowest(low, period)
    away = ema(ema(close - (top + bottom) * 0.5, first), second)
    reach = ema(ema(top - bottom, first), second)
    value = where(reach > 0.0, away / reach * 200.0, 0.0)
    return value, ema(value, signal)


@step("", fade=lambda slow: math.ceil(9.5 * (slow + 1)), memory="recursive")
def trend_cycle(s: State, line: float, place: float, slow: int = Int(50)) -> float:  # noqa: ARG001
    """The place of a MACD line in its range. A range of the line is small beside the prices that seeded it: wait twice."""
    return place


@indicator(
    title="Schaff trend cycle",
    group=_GROUP,
    unit="0..100",
    source="Schaff 1999; factor 0.5 as an EMA of three bars",
    rule=fast_below_slow,
)
def stc(close: Series, period: int = Int(10, ge=2), fast: int = Int(23), slow: int = Int(50, ge=2)) -> Series:
    """Where a MACD line lies in its range of `period` bars, smoothed, and where that lies in its own range, smoothed.

        line = ema(close, fast) - ema(close, slow)
        once = ema(100 * (line - lowest(line, period)) / (highest(line, period) - lowest(line, period)), 3)
        reach = highest(once, period) - lowest(once, period)
        ema(where(reach > 0, 100 * (once - lowest(once, period)) / reach, once), 3)

    The smoothing is an EMA with factor 0.5. A MACD line that does not move is at 50; a smoothed place that does not move
    stays the place it is (published scripts repeat what was before, which depends on where they began).
    First value at row slow + 2 period + 1.

    >>> rise = {"close": [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0]}
    >>> fs.compute(rise, ["stc_2_1_2"])["stc_2_1_2"].tolist()
    [nan, nan, nan, nan, nan, nan, nan, 100.0]
    """
    line = ema(close, fast) - ema(close, slow)
    place = trend_cycle(line, place_in_range(line, highest(line, period), lowest(line, period)), slow)
    once = ema(place, 3)
    return ema(place_in_range(once, highest(once, period), lowest(once, period), neutral=once), 3)


@step("place fish", fade=lambda: 90, memory="recursive")
def fisher_transform(s: State, place: float) -> float:
    """Ehlers' transform of a place in -0.5..0.5, with his constants: the place is smoothed, then its transform is."""
    s.place = fma(0.67, s.place, 0.66 * place)
    if s.place > 0.99:
        s.place = 0.999
    elif s.place < -0.99:
        s.place = -0.999
    s.fish = fma(0.5, s.fish, 0.5 * math.log((1.0 + s.place) / (1.0 - s.place)))
    return s.fish


@indicator(title="Fisher transform", group=_GROUP, unit="index", source="Ehlers 2002", outputs="value trigger")
def fisher(high: Series, low: Series, period: int = Int(9)) -> tuple[Series, ...]:
    """Where the bar's middle lies in its range of `period` bars, stretched until it is nearly normal, and the value before.

        middle = (high + low) / 2
        share = (middle - lowest(middle, period)) / (highest(middle, period) - lowest(middle, period))
        place = clip(0.67 * before(place) + 0.66 * (share - 0.5), -0.999, 0.999)
        value = 0.5 * before(value) + 0.5 * log((1 + place) / (1 - place))
        trigger = lag(value, 1)

    Within -7.6..7.6. The middle of the range where there is none. It begins from 0 at row period - 1, the trigger a bar later.

    >>> fs.compute({"high": [2.0, 4.0, 4.0], "low": [1.0, 2.0, 2.0]}, ["fisher_2"]).round(4).iloc[1].tolist()
    [0.3428, nan]
    """
    middle = (high + low) * 0.5
    place = place_in_range(middle, highest(middle, period), lowest(middle, period))
    value = fisher_transform(place * 0.01 - 0.5)
    return value, lag(value, 1)
