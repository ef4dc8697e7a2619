"""Trend: whether price goes somewhere, and how strongly."""

from __future__ import annotations

import math

from feature_store.indicators.averages import rma
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, where

_GROUP = "trend"


@step(
    "bars:int high low close plus minus reach",
    outputs="plus minus",
    lag=lambda period: period,
    fade=lambda period: 19 * period,
    memory="recursive",
)
def directional(s: State, high: float, low: float, close: float, period: int = Int(14, ge=2)) -> tuple[float, float]:
    """Wilder's directional indicators; the sums are seeded by the first period - 1 movements, as TA-Lib does."""
    keep = 1.0 - 1.0 / period
    s.bars += 1
    up = high - s.high
    down = s.low - low
    reach = max(high, s.close) - min(low, s.close)
    s.high = high
    s.low = low
    s.close = close
    if s.bars == 1:
        return math.nan, math.nan
    fade = keep if s.bars > period else 1.0
    s.plus = fade * s.plus + (up if up > down and up > 0.0 else 0.0)
    s.minus = fade * s.minus + (down if down > up and down > 0.0 else 0.0)
    s.reach = fade * s.reach + reach
    if s.bars <= period:
        return math.nan, math.nan
    if s.reach <= 0.0:
        return 0.0, 0.0
    return 100.0 * s.plus / s.reach, 100.0 * s.minus / s.reach


@indicator(
    title="Average directional index",
    group=_GROUP,
    unit="0..100",
    source="Wilder 1978",
    outputs="adx plus_di minus_di",
)
def adx(high: Series, low: Series, close: Series, period: int = Int(14, ge=2)) -> tuple[Series, ...]:
    """The strength of a trend whatever its direction, with the shares of upward and downward movement; 0 without movement.

        up = diff(high, 1)
        down = -diff(low, 1)
        reach = rma(tr(high, low, close), period)
        plus_di = 100 * rma(where(up > down and up > 0, up, 0), period) / reach
        minus_di = 100 * rma(where(down > up and down > 0, down, 0), period) / reach
        adx = rma(100 * abs(plus_di - minus_di) / (plus_di + minus_di), period)

    The directional indicators' first values are at row `period`, the index's at row 2 period - 1.

    >>> bars = {"high": [2.0, 3.0, 4.0, 5.0], "low": [1.0, 2.0, 3.0, 4.0], "close": [1.5, 2.5, 3.5, 4.5]}
    >>> fs.compute(bars, ["adx_2.adx"])["adx_2.adx"].tolist()
    [nan, nan, nan, 100.0]
    """
    plus, minus = directional.all(high, low, close, period)
    both = plus + minus
    strength = where(both > 0.0, abs(plus - minus) / both * 100.0, 0.0)
    return rma(strength, period), plus, minus
