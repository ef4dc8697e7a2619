"""Candlestick patterns of one candle; TA-Lib 0.8.2's, measured as candles.py says.

100 is a bullish pattern, -100 a bearish one, 0 none; a doji is 100 whatever it means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feature_store.indicators.candles import bullish, colored, pattern
from feature_store.indicators.series import at_least, at_most, both, either

if TYPE_CHECKING:
    from feature_store.indicators.candles import Candle
    from feature_store.indicators.series import Series


@pattern("Belt-hold", "9 12 9 12 -> 100")
def cdl_belthold(now: Candle) -> Series:
    """A long candle that opens at its end: white from its low, or black from its high."""
    return colored(
        now, now.is_long, either(both(now.is_white, now.is_bare_below), both(now.is_black, now.is_bare_above))
    )


@pattern("Closing marubozu", "9 12 8 12 -> 100")
def cdl_closingmarubozu(now: Candle) -> Series:
    """A long candle that closes at its end: white at its high, or black at its low."""
    return colored(
        now, now.is_long, either(both(now.is_white, now.is_bare_above), both(now.is_black, now.is_bare_below))
    )


@pattern("Doji", "10 11 9 10 -> 100")
def cdl_doji(now: Candle) -> Series:
    """Next to no body: nobody has won."""
    return bullish(now.is_doji)


@pattern("Dragonfly doji", "10 10 8 10 -> 100")
def cdl_dragonflydoji(now: Candle) -> Series:
    """A doji at its high, with a lower shadow only."""
    return bullish(now.is_doji, now.is_bare_above, now.lower > now.bare)


@pattern("Gravestone doji", "10 12 10 10 -> 100")
def cdl_gravestonedoji(now: Candle) -> Series:
    """A doji at its low, with an upper shadow only."""
    return bullish(now.is_doji, now.is_bare_below, now.upper > now.bare)


@pattern("High-wave candle", "10 13 8 10.5 -> 100")
def cdl_highwave(now: Candle) -> Series:
    """A short body between two shadows, each more than twice as long."""
    return colored(now, now.is_short, now.upper > 2.0 * now.body, now.lower > 2.0 * now.body)


@pattern("Long-legged doji", "10 12 8 10 -> 100")
def cdl_longleggeddoji(now: Candle) -> Series:
    """A doji with a shadow longer than its body."""
    return bullish(now.is_doji, either(now.lower > now.body, now.upper > now.body))


@pattern("Long line candle", "9 12.5 8.5 12 -> 100")
def cdl_longline(now: Candle) -> Series:
    """A long body between short shadows."""
    return colored(now, now.is_long, now.upper < now.short_shadow, now.lower < now.short_shadow)


@pattern("Marubozu", "12 12 9 9 -> -100")
def cdl_marubozu(now: Candle) -> Series:
    """A long body without shadows."""
    return colored(now, now.is_marubozu)


@pattern("Rickshaw man", "10 12 8 10 -> 100")
def cdl_rickshawman(now: Candle) -> Series:
    """A doji near the middle of two shadows, each longer than its body."""
    middle = now.low + now.reach / 2.0
    around = both(at_most(now.bottom, middle + now.near), at_least(now.top, middle - now.near))
    return bullish(now.is_doji, now.lower > now.body, now.upper > now.body, around)


@pattern("Short line candle", "10 11 9.5 10.5 -> 100")
def cdl_shortline(now: Candle) -> Series:
    """A short body between short shadows."""
    return colored(now, now.is_short, now.upper < now.short_shadow, now.lower < now.short_shadow)


@pattern("Spinning top", "10 11.5 9 10.5 -> 100")
def cdl_spinningtop(now: Candle) -> Series:
    """A short body between two longer shadows."""
    return colored(now, now.is_short, now.upper > now.body, now.lower > now.body)


@pattern("Takuri", "10 10 7 10 -> 100")
def cdl_takuri(now: Candle) -> Series:
    """A dragonfly doji whose lower shadow is more than twice its body."""
    return bullish(now.is_doji, now.is_bare_above, now.lower > 2.0 * now.body)
