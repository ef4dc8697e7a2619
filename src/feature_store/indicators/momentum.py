"""Momentum: how fast and how one-sidedly price moves."""

from __future__ import annotations

import math

from feature_store.indicators.arithmetic import fma
from feature_store.indicators.averages import ema, sma
from feature_store.indicators.definition import State, indicator
from feature_store.indicators.parameters import Int, fast_below_slow
from feature_store.indicators.price import returns
from feature_store.indicators.series import Series, where
from feature_store.indicators.windows import highest, lowest

_GROUP = "momentum"


@indicator(
    title="Relative strength index",
    group=_GROUP,
    unit="0..100",
    source="Wilder 1978",
    state="bars:int close gain loss",
    lag=lambda period: period,
    fade=lambda period: 19 * period,
    memory="recursive",
)
def rsi(s: State, close: float, period: int = Int(14, ge=2)) -> float:
    """The share of upward movement in all movement, smoothed over `period` bars; 50 in a market that has not moved.

        rise = rma(max(diff(close, 1), 0), period)
        fall = rma(max(-diff(close, 1), 0), period)
        100 * rise / (rise + fall)

    First value at row `period`. TA-Lib gives 0, extreme oversold, where nothing moved.

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 2.0]}, ["rsi_2"])["rsi_2"].round(1).tolist()
    [nan, nan, 100.0, 50.0]
    """
    weight = 1.0 / period
    keep = 1.0 - weight
    s.bars += 1
    if s.bars > 1:
        change = close - s.close
        gain = max(change, 0.0)
        loss = max(-change, 0.0)
        if s.bars > period + 1:
            s.gain = fma(keep, s.gain, weight * gain)
            s.loss = fma(keep, s.loss, weight * loss)
        else:
            s.gain += weight * gain
            s.loss += weight * loss
    s.close = close
    if s.bars <= period:
        return math.nan
    movement = s.gain + s.loss
    return 100.0 * s.gain / movement if movement > 0.0 else 50.0


@indicator(
    title="Moving average convergence divergence",
    group=_GROUP,
    unit="price change",
    source="Appel 1979; two independent EMAs, so that line == ema_fast - ema_slow",
    outputs="line signal histogram",
    rule=fast_below_slow,
)
def macd(close: Series, fast: int = Int(12), slow: int = Int(26, ge=2), signal: int = Int(9)) -> tuple[Series, ...]:
    """The fast EMA less the slow one, its own EMA, and their difference; the line's first value is at row slow - 1.

        line = ema(close, fast) - ema(close, slow)
        signal = ema(line, signal)
        histogram = line - signal

    TA-Lib seeds its fast EMA again on the slow one's window and differs until the seeds have faded, near row 169.

    >>> fs.compute({"close": [1.0, 2.0, 4.0, 8.0]}, ["macd_1_2_2"])["macd_1_2_2.line"].round(4).tolist()
    [nan, 0.5, 0.8333, 1.6111]
    """
    line = ema(close, fast) - ema(close, slow)
    smoothed = ema(line, signal)
    return line, smoothed, line - smoothed


@indicator(
    title="Stochastic oscillator", group=_GROUP, unit="0..100", source="Lane 1984; smoothed by SMA", outputs="k d"
)
def stoch(
    high: Series, low: Series, close: Series, period: int = Int(14), smooth: int = Int(3), signal: int = Int(3)
) -> tuple[Series, ...]:
    """Where the close lies in the range of the last `period` bars, smoothed (k), and its mean (d); 50 where there is no range.

        raw = 100 * (close - lowest(low, period)) / (highest(high, period) - lowest(low, period))
        k = sma(raw, smooth)
        d = sma(k, signal)

    The first k is at row period + smooth - 2, the first d signal - 1 later.

    >>> bars = {"high": [2.0, 4.0], "low": [1.0, 2.0], "close": [1.5, 3.25]}
    >>> fs.compute(bars, ["stoch_2_1_1.k"])["stoch_2_1_1.k"].tolist()
    [nan, 75.0]
    """
    top, bottom = highest(high, period), lowest(low, period)
    reach = top - bottom
    k = sma(where(reach > 0.0, (close - bottom) / reach * 100.0, 50.0), smooth)
    return k, sma(k, signal)


@indicator(title="Rate of change", group=_GROUP, unit="percent", source="arithmetic")
def roc(close: Series, period: int = Int(10)) -> Series:
    """The change since the value `period` bars ago, in percent of it; first value at row `period`.

        100 * diff(close, period) / lag(close, period)

    >>> fs.compute({"close": [2.0, 3.0]}, ["roc_1"])["roc_1"].tolist()
    [nan, 50.0]
    """
    return returns(close, period) * 100.0
