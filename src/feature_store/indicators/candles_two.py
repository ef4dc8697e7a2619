"""Candlestick patterns of two candles; TA-Lib 0.8.2's, measured as candles.py says.

100 is a bullish pattern, -100 a bearish one, 0 none; 80 and -80 say that one end of the two bodies is equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feature_store.indicators.candles import bearish, bullish, colored, is_within, pattern
from feature_store.indicators.parameters import Real
from feature_store.indicators.series import Series, at_least, at_most, both, either, where

if TYPE_CHECKING:
    from feature_store.indicators.candles import Candle


@pattern("Counterattack", "14 14 11 11, 8 11 8 11 -> 100")
def cdl_counterattack(first: Candle, second: Candle) -> Series:
    """Two long candles of opposite colors that close at one price."""
    met = is_within(second.close, first.close, first.equal)
    return colored(second, second.opposes(first), first.is_long, second.is_long, met)


@pattern("Dark cloud cover", "10 14 10 14, 15 15 11 11 -> -100")
def cdl_darkcloudcover(first: Candle, second: Candle, penetration: float = Real(0.5, le=10.0)) -> Series:
    """A black candle opens above a long white one's high and closes inside its body, `penetration` of it deep or deeper."""
    return bearish(
        *(first.is_white, first.is_long, second.is_black, second.open > first.high),
        *(second.close > first.open, second.close < first.close - first.body * penetration),
    )


@pattern("Doji star", "14 14 10 10, 9 9.5 8.5 9 -> 100")
def cdl_dojistar(first: Candle, second: Candle) -> Series:
    """A doji away from a long candle's body, on the side it closed on."""
    star = both(first.is_long, second.is_doji)
    fallen = bullish(star, first.is_black, second.gaps_down(first))
    return fallen + bearish(star, first.is_white, second.gaps_up(first))


@pattern("Engulfing pattern", "11 11 10 10, 9 12 9 12 -> 100")
def cdl_engulfing(first: Candle, second: Candle) -> Series:
    """A body around the one before, of the opposite color; 80 where one end of the two is equal."""
    over, under = second.top - first.top, first.bottom - second.bottom
    return _signed(second, both(second.opposes(first), either(over > 0.0, under > 0.0)), over, under)


@pattern("Hammer", "10 12 9 11, 9 9.6 6 9.5 -> 100")
def cdl_hammer(before: Candle, now: Candle) -> Series:
    """A short body near or below the low before, a long lower shadow under it and none above; look for it in a fall."""
    return bullish(*_hammer(now), at_most(now.bottom, before.low + before.near))


@pattern("Hanging man", "10 12 9 11, 12 12.5 9 12.5 -> -100")
def cdl_hangingman(before: Candle, now: Candle) -> Series:
    """A short body near or above the high before, a long lower shadow under it and none above; look for it in a rise."""
    return bearish(*_hammer(now), at_least(now.bottom, before.high - before.near))


@pattern("Harami", "14 14 10 10, 11 13 11 11.5 -> 100")
def cdl_harami(first: Candle, second: Candle) -> Series:
    """A body inside the long one before, not long itself; 80 where one end of the two is equal."""
    return _harami(first, second, second.is_not_long)


@pattern("Harami cross", "14 14 10 10, 11 13 11 11 -> 100")
def cdl_haramicross(first: Candle, second: Candle) -> Series:
    """A doji inside the long body before; 80 where one end of the two is equal."""
    return _harami(first, second, second.is_doji)


@pattern("Homing pigeon", "14 14 10 10, 11.5 12 11 11 -> 100")
def cdl_homingpigeon(first: Candle, second: Candle) -> Series:
    """A black body inside the long black one before, not long itself."""
    inside = both(second.open < first.open, second.close > first.close)
    return bullish(first.is_black, second.is_black, first.is_long, second.is_not_long, inside)


@pattern("In-neck", "14 14 10 10, 8 10 8 10 -> -100")
def cdl_inneck(first: Candle, second: Candle) -> Series:
    """A white candle opens below a long black one's low and closes just inside its body: at its close or equal to it."""
    at_the_close = both(at_most(second.close, first.close + first.equal), at_least(second.close, first.close))
    return bearish(*_opens_below(first, second), at_the_close)


@pattern("Inverted hammer", "10 12 9 11, 9 12 9 9.5 -> 100")
def cdl_invertedhammer(before: Candle, now: Candle) -> Series:
    """A short body below the one before, with a long upper shadow and none below."""
    return bullish(now.is_short, now.upper > now.body, now.is_bare_below, now.gaps_down(before))


@pattern("Kicking", "10 10 7 7, 11 14 11 14 -> 100")
def cdl_kicking(first: Candle, second: Candle) -> Series:
    """Two long candles without shadows, of opposite colors, with a gap between them on the side of the second's color."""
    return colored(second, *_kicking(first, second))


@pattern("Kicking by length", "10 10 5 5, 11 14 11 14 -> -100")
def cdl_kickingbylength(first: Candle, second: Candle) -> Series:
    """A kicking whose sign is the color of the longer candle."""
    found = both(*_kicking(first, second))
    return where(second.body > first.body, colored(second, found), colored(first, found))


@pattern("Matching low", "12 12 9 10, 11 11 9 10 -> 100")
def cdl_matchinglow(first: Candle, second: Candle) -> Series:
    """Two black candles that close at one price."""
    return bullish(first.is_black, second.is_black, is_within(second.close, first.close, first.equal))


@pattern("On-neck", "14 14 10 11, 8 10 8 10 -> -100")
def cdl_onneck(first: Candle, second: Candle) -> Series:
    """A white candle opens below a long black one's low and closes at that low."""
    return bearish(*_opens_below(first, second), is_within(second.close, first.low, first.equal))


@pattern("Piercing", "14 14 10 10, 9 13 9 13 -> 100")
def cdl_piercing(first: Candle, second: Candle) -> Series:
    """A long white candle opens below a long black one's low and closes in the upper half of its body."""
    deep = both(second.close < first.open, second.close > first.close + first.body * 0.5)
    return bullish(*_opens_below(first, second), second.is_long, deep)


@pattern("Separating lines", "11 11 9 9, 11 14 11 14 -> 100")
def cdl_separatinglines(first: Candle, second: Candle) -> Series:
    """A long candle from the open of the one before, of the opposite color and without a shadow at its open."""
    start = either(both(second.is_white, second.is_bare_below), both(second.is_black, second.is_bare_above))
    parted = is_within(second.open, first.open, first.equal)
    return colored(second, second.opposes(first), parted, second.is_long, start)


@pattern("Shooting star", "10 12 9 11, 11.5 14 11.5 12 -> -100")
def cdl_shootingstar(before: Candle, now: Candle) -> Series:
    """A short body above the one before, with a long upper shadow and none below."""
    return bearish(now.is_short, now.upper > now.body, now.is_bare_below, now.gaps_up(before))


@pattern("Thrusting", "14 14 10 10, 9 11.5 9 11.5 -> -100")
def cdl_thrusting(first: Candle, second: Candle) -> Series:
    """A white candle opens below a long black one's low and closes in the lower half of its body, above its close."""
    half = both(second.close > first.close + first.equal, at_most(second.close, first.close + first.body * 0.5))
    return bearish(*_opens_below(first, second), half)


# ---------------------------------------------------------------- parts of several
def _hammer(now: Candle) -> tuple[Series, ...]:
    return now.is_short, now.lower > now.body, now.is_bare_above


def _kicking(first: Candle, second: Candle) -> tuple[Series, ...]:
    up = both(first.is_black, second.leaps_up(first))
    down = both(first.is_white, second.leaps_down(first))
    return second.opposes(first), first.is_marubozu, second.is_marubozu, either(up, down)


def _opens_below(first: Candle, second: Candle) -> tuple[Series, ...]:
    return first.is_black, first.is_long, second.is_white, second.open < first.low


def _harami(first: Candle, second: Candle, is_small: Series) -> Series:
    over, under = first.top - second.top, second.bottom - first.bottom
    return 0.0 - _signed(first, both(first.is_long, is_small), over, under)


def _signed(candle: Candle, found: Series, over: Series, under: Series) -> Series:
    """100 in the candle's color where one body is longer at both ends, 80 where an end is equal, else 0."""
    clear = both(over > 0.0, under > 0.0)
    return colored(candle, found, at_least(over, 0.0), at_least(under, 0.0)) * where(clear, 1.0, 0.8)
