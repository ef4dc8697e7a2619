"""The two candlestick patterns that wait for confirmation; TA-Lib 0.8.2's, measured as candles.py says.

100 is a bullish trap, -100 a bearish one; 200 and -200 say that one of the next three bars confirms it; 0 is none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feature_store.indicators.candles import bearish, bullish, pattern
from feature_store.indicators.definition import State, step
from feature_store.indicators.series import Series, at_least, at_most, both

if TYPE_CHECKING:
    from feature_store.indicators.candles import Candle


@step("left:int found level", fade=lambda: 3, memory="state machine")
def confirmed(s: State, pattern: float, high: float, low: float, close: float) -> float:
    """A pattern's value, twice that where one of the next three closes passes the high or low it came with, else 0."""
    s.left -= 1
    if pattern != 0.0:
        s.left = 3
        s.found = pattern
        s.level = high if pattern > 0.0 else low
        return pattern
    passed = close > s.level if s.found > 0.0 else close < s.level
    if s.left < 0 or not passed:
        return 0.0
    s.left = 0
    return 2.0 * s.found


@pattern("Hikkake", "10 14 8 12, 11 13 9 12, 10 12 8 11 -> 100")
def cdl_hikkake(first: Candle, second: Candle, third: Candle) -> Series:
    """A bar inside the one before, and a third that breaks out of it: 100 downwards, -100 upwards, as it is a trap.

    200 or -200 where one of the next three bars closes beyond the inner one on the other side. Values from row 2 on, three
    rows before TA-Lib's.
    """
    inside = _is_inside(second, first)
    return confirmed(_trap(third, second, inside, inside), second.high, second.low, third.close)


@pattern("Modified hikkake", "10 14 6 10, 10 13 7 7.2, 9 12 8 11, 10 11 7.5 9 -> 100")
def cdl_hikkakemod(first: Candle, second: Candle, third: Candle, fourth: Candle) -> Series:
    """A hikkake of two bars, each inside the one before, the first of which closes near its low (100) or its high (-100).

    200 or -200 where one of the next three bars closes beyond the second inner one on the other side. Values from row 7 on,
    three rows before TA-Lib's.
    """
    inside = both(_is_inside(second, first), _is_inside(third, second))
    near_low = at_most(second.close, second.low + second.near)
    near_high = at_least(second.close, second.high - second.near)
    return confirmed(
        _trap(fourth, third, both(inside, near_low), both(inside, near_high)), third.high, third.low, fourth.close
    )


def _is_inside(candle: Candle, before: Candle) -> Series:
    return both(candle.high < before.high, candle.low > before.low)


def _trap(candle: Candle, before: Candle, falling: Series, rising: Series) -> Series:
    down = both(candle.high < before.high, candle.low < before.low)
    up = both(candle.high > before.high, candle.low > before.low)
    return bullish(falling, down) + bearish(rising, up)
