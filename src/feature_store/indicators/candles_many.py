"""Candlestick patterns of four and five candles; TA-Lib 0.8.2's, measured as candles.py says.

100 is a bullish pattern, -100 a bearish one, 0 none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feature_store.indicators.candles import bearish, bullish, pattern
from feature_store.indicators.parameters import Real
from feature_store.indicators.series import Series, at_least, at_most, both, greatest

if TYPE_CHECKING:
    from feature_store.indicators.candles import Candle


@pattern("Three black crows", "14 16 14 16, 15.5 15.5 13 13, 14 14 11 11, 12 12 9 9 -> -100")
def cdl_3blackcrows(before: Candle, first: Candle, second: Candle, third: Candle) -> Series:
    """After a white candle, three black ones that close at their lows, each lower, and open in the body before."""
    return bearish(
        *(before.is_white, first.is_black, second.is_black, third.is_black),
        *(first.is_bare_below, second.is_bare_below, third.is_bare_below),
        *(first.holds(second.open), second.holds(third.open)),
        *(before.high > first.close, first.close > second.close, second.close > third.close),
    )


@pattern("Three-line strike", "10 12 10 12, 11 13 11 13, 12 14 12 14, 15 15 9 9 -> 100")
def cdl_3linestrike(first: Candle, second: Candle, third: Candle, fourth: Candle) -> Series:
    """Three candles of one color that go on in or near the body before, and one of the other color around them all."""
    stair = both(
        *(second.matches(first), third.matches(second), fourth.opposes(third)),
        *(_is_in_or_near(second.open, first), _is_in_or_near(third.open, second)),
    )
    rising = both(third.close > second.close, second.close > first.close)
    falling = both(third.close < second.close, second.close < first.close)
    up = both(third.is_white, rising, fourth.open > third.close, fourth.close < first.open)
    down = both(third.is_black, falling, fourth.open < third.close, fourth.close > first.open)
    return bullish(stair, up) + bearish(stair, down)


@pattern("Breakaway", "16 16 12 12, 11 11 10 10, 10 10.5 9 9.5, 9.5 10 8 8.5, 8.5 11.5 8.5 11.5 -> 100")
def cdl_breakaway(first: Candle, second: Candle, third: Candle, fourth: Candle, fifth: Candle) -> Series:
    """A long candle, a gap and two more steps its way, then one of the other color that closes inside the gap."""
    colors = both(first.is_long, second.matches(first), fourth.matches(second), fifth.opposes(fourth))
    falling = both(third.high < second.high, third.low < second.low, fourth.high < third.high, fourth.low < third.low)
    rising = both(third.high > second.high, third.low > second.low, fourth.high > third.high, fourth.low > third.low)
    up_into = both(fifth.close > second.open, fifth.close < first.close)
    down_into = both(fifth.close < second.open, fifth.close > first.close)
    up = bullish(colors, first.is_black, second.gaps_down(first), falling, up_into)
    return up + bearish(colors, first.is_white, second.gaps_up(first), rising, down_into)


@pattern("Concealing baby swallow", "20 20 18 18, 18 18 16 16, 15 17 14 14, 18 18 13 13 -> 100")
def cdl_concealbabyswall(first: Candle, second: Candle, third: Candle, fourth: Candle) -> Series:
    """Four black candles: two without shadows, one below them with a shadow into the second, and one around the third."""
    bare = both(first.is_bare_above, first.is_bare_below, second.is_bare_above, second.is_bare_below)
    return bullish(
        *(first.is_black, second.is_black, third.is_black, fourth.is_black, bare),
        *(third.gaps_down(second), third.upper > third.bare, third.high > second.close),
        *(fourth.high > third.high, fourth.low < third.low),
    )


@pattern("Ladder bottom", "18 18 16 16, 17 17 15 15, 16 16 14 14, 15 17 13 13, 16 19 16 19 -> 100")
def cdl_ladderbottom(first: Candle, second: Candle, third: Candle, fourth: Candle, fifth: Candle) -> Series:
    """Three black candles down a ladder, a black one with an upper shadow, and a white one that closes above its high."""
    opens = both(first.open > second.open, second.open > third.open)
    closes = both(first.close > second.close, second.close > third.close)
    return bullish(
        *(first.is_black, second.is_black, third.is_black, fourth.is_black, fifth.is_white),
        *(opens, closes, fourth.upper > fourth.bare, fifth.open > fourth.open, fifth.close > fourth.high),
    )


@pattern("Mat hold", "10 14 10 14, 15.5 16 15 15, 14.5 15 13.5 13.8, 14 14.2 13 13.5, 14 17 14 17 -> 100")
def cdl_mathold(
    first: Candle, second: Candle, third: Candle, fourth: Candle, fifth: Candle, penetration: float = Real(0.5, le=10.0)
) -> Series:
    """A long white candle, three short ones that fall no deeper into its body than `penetration`, and a new high.

    The first of the three is black and above that body; the last candle is white and closes above the highs of the three.
    """
    floor = first.close - first.body * penetration
    held = both(third.bottom > floor, fourth.bottom > floor, third.bottom < first.close, fourth.bottom < first.close)
    highs = greatest(greatest(second.high, third.high), fourth.high)
    return bullish(
        *(first.is_white, first.is_long, second.is_black, second.gaps_up(first), fifth.is_white),
        *(second.is_short, third.is_short, fourth.is_short, held),
        *(third.top < second.open, fourth.top < third.top),
        *(fifth.open > fourth.close, fifth.close > highs),
    )


@pattern(
    "Rising and falling three methods", "10 15 10 15, 14.5 15 13 14, 13.5 14 12 13, 12.5 13 11 12, 13 17 13 17 -> 100"
)
def cdl_risefall3methods(first: Candle, second: Candle, third: Candle, fourth: Candle, fifth: Candle) -> Series:
    """A long candle, three short ones of the other color back through its range, and a long one on beyond its close."""
    colors = both(first.opposes(second), second.matches(third), third.matches(fourth), fourth.opposes(fifth))
    sizes = both(first.is_long, second.is_short, third.is_short, fourth.is_short, fifth.is_long)
    inside = both(*(both(each.bottom < first.high, each.top > first.low) for each in (second, third, fourth)))
    falling = both(third.close < second.close, fourth.close < third.close)
    rising = both(third.close > second.close, fourth.close > third.close)
    found = both(colors, sizes, inside)
    up = bullish(found, first.is_white, falling, fifth.open > fourth.close, fifth.close > first.close)
    return up + bearish(found, first.is_black, rising, fifth.open < fourth.close, fifth.close < first.close)


def _is_in_or_near(value: Series, candle: Candle) -> Series:
    return both(at_least(value, candle.bottom - candle.near), at_most(value, candle.top + candle.near))
