"""Candlestick patterns of three candles; TA-Lib 0.8.2's, measured as candles.py says.

100 is a bullish pattern, -100 a bearish one, 0 none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feature_store.indicators.candles import bearish, bullish, colored, is_within, pattern
from feature_store.indicators.parameters import Real
from feature_store.indicators.series import Series, at_least, at_most, both, either

if TYPE_CHECKING:
    from feature_store.indicators.candles import Candle


@pattern("Two crows", "10 14 10 14, 16 16 15 15, 15.5 15.5 12 12 -> -100")
def cdl_2crows(first: Candle, second: Candle, third: Candle) -> Series:
    """Above a long white candle opens a black one; a second black one opens in its body and closes in the white one's."""
    return bearish(
        *(first.is_white, first.is_long, second.is_black, second.gaps_up(first)),
        *(third.is_black, second.holds(third.open), first.holds(third.close)),
    )


@pattern("Three inside", "14 14 10 10, 11 12 11 11.5, 12 15 12 15 -> 100")
def cdl_3inside(first: Candle, second: Candle, third: Candle) -> Series:
    """A harami, and a third candle that closes beyond the first's open."""
    inside = both(first.is_long, second.is_not_long, second.top < first.top, second.bottom > first.bottom)
    up = bullish(inside, first.is_black, third.is_white, third.close > first.open)
    return up + bearish(inside, first.is_white, third.is_black, third.close < first.open)


@pattern("Three outside", "11 11 10 10, 9 12 9 12, 12 13 12 13 -> 100")
def cdl_3outside(first: Candle, second: Candle, third: Candle) -> Series:
    """A body around the one before, of the opposite color, and a third candle that closes further on."""
    around = both(second.opposes(first), second.top > first.top, second.bottom < first.bottom)
    up = bullish(around, second.is_white, third.close > second.close)
    return up + bearish(around, second.is_black, third.close < second.close)


@pattern("Three stars in the south", "14 14 5 10, 12 12 8 10, 9.5 9.5 9 9 -> 100")
def cdl_3starsinsouth(first: Candle, second: Candle, third: Candle) -> Series:
    """Three black candles, each inside less than the one before: long shadow below, higher low, short and without shadows."""
    fading = both(first.lower > first.body, second.lower > second.bare, third.is_bare_below, third.is_bare_above)
    opens = both(second.open > first.close, at_most(second.open, first.high))
    return bullish(
        *(first.is_black, second.is_black, third.is_black, first.is_long, fading, opens),
        *(second.body < first.body, second.low < first.close, at_least(second.low, first.low)),
        *(third.is_short, third.low > second.low, third.high < second.high),
    )


@pattern("Three advancing white soldiers", "10 12 9 12, 11.5 14 11 14, 13.5 16.5 13 16.5 -> 100")
def cdl_3whitesoldiers(first: Candle, second: Candle, third: Candle) -> Series:
    """Three white candles that close at their highs, each higher, open in or near the body before and are not far shorter."""
    return bullish(
        *(_three_white(first, second, third), third.is_long),
        *(first.is_bare_above, second.is_bare_above, third.is_bare_above),
        *(_opens_in_or_near(second, first), _opens_in_or_near(third, second)),
        *(second.body > first.body - first.far, third.body > second.body - second.far),
    )


@pattern("Abandoned baby", "14 14 10 10, 9 9 8.9 9, 10 14 10 14 -> 100")
def cdl_abandonedbaby(first: Candle, second: Candle, third: Candle, penetration: float = Real(0.3, le=10.0)) -> Series:
    """A doji star that not even shadows touch, on either side; the third closes `penetration` deep in the first or deeper."""
    alone = both(first.is_long, second.is_doji, third.is_long)
    up = both(second.leaps_down(first), third.leaps_up(second), _turns_up(first, third, penetration))
    down = both(second.leaps_up(first), third.leaps_down(second), _turns_down(first, third, penetration))
    return bullish(alone, up) + bearish(alone, down)


@pattern("Advance block", "10 14 10 14, 12 15.5 12 15, 14.5 17 14.5 15.5 -> -100")
def cdl_advanceblock(first: Candle, second: Candle, third: Candle) -> Series:
    """Three white candles with higher closes whose advance tires: bodies shrink or upper shadows grow."""
    second_tires = both(second.body < first.body - first.far, third.body < second.body + second.near)
    third_tires = third.body < second.body - second.far
    shrinking = both(third.body < second.body, second.body < first.body)
    resisted = either(third.upper > third.short_shadow, second.upper > second.short_shadow)
    rejected = both(third.body < second.body, third.upper > third.body)
    return bearish(
        *(_three_white(first, second, third), first.is_long, first.upper < first.short_shadow),
        *(_opens_in_or_near(second, first), _opens_in_or_near(third, second)),
        either(second_tires, third_tires, both(shrinking, resisted), rejected),
    )


@pattern("Evening doji star", "10 14 10 14, 15 16 14 15, 14 14 10 10 -> -100")
def cdl_eveningdojistar(
    first: Candle, second: Candle, third: Candle, penetration: float = Real(0.3, le=10.0)
) -> Series:
    """A doji above a long white body, then a long black candle that closes `penetration` deep in it or deeper."""
    return bearish(second.is_doji, _evening(first, second, third, penetration))


@pattern("Evening star", "10 14 10 14, 15 16 14 15.5, 14 14 10 10 -> -100")
def cdl_eveningstar(first: Candle, second: Candle, third: Candle, penetration: float = Real(0.3, le=10.0)) -> Series:
    """A body above a long white one, not long itself, then a long black candle that closes `penetration` deep in it."""
    return bearish(second.is_not_long, _evening(first, second, third, penetration))


@pattern("Side-by-side white lines after a gap", "10 11 9 11, 12 14 12 14, 12 14 12 14 -> 100")
def cdl_gapsidesidewhite(first: Candle, second: Candle, third: Candle) -> Series:
    """Two white candles of near size and equal opens, both above the body of the first (100) or both below it (-100)."""
    alike = both(is_within(third.body, second.body, second.near), is_within(third.open, second.open, second.equal))
    pair = both(second.is_white, third.is_white, alike)
    up = bullish(pair, second.gaps_up(first), third.gaps_up(first))
    return up + bearish(pair, second.gaps_down(first), third.gaps_down(first))


@pattern("Identical three crows", "16 16 14 14, 14 14 12 12, 12 12 10 10 -> -100")
def cdl_identical3crows(first: Candle, second: Candle, third: Candle) -> Series:
    """Three black candles that close at their lows, each lower, and open where the one before closed."""
    again = both(is_within(second.open, first.close, first.equal), is_within(third.open, second.close, second.equal))
    return bearish(
        *(first.is_black, second.is_black, third.is_black, again),
        *(first.is_bare_below, second.is_bare_below, third.is_bare_below),
        *(second.close < first.close, third.close < second.close),
    )


@pattern("Morning doji star", "14 14 10 10, 9 10 8 9, 10 14 10 14 -> 100")
def cdl_morningdojistar(
    first: Candle, second: Candle, third: Candle, penetration: float = Real(0.3, le=10.0)
) -> Series:
    """A doji below a long black body, then a long white candle that closes `penetration` deep in it or deeper."""
    return bullish(second.is_doji, _morning(first, second, third, penetration))


@pattern("Morning star", "14 14 10 10, 9 10 8 9.5, 10 14 10 14 -> 100")
def cdl_morningstar(first: Candle, second: Candle, third: Candle, penetration: float = Real(0.3, le=10.0)) -> Series:
    """A body below a long black one, not long itself, then a long white candle that closes `penetration` deep in it."""
    return bullish(second.is_not_long, _morning(first, second, third, penetration))


@pattern("Stalled pattern", "10 13 10 13, 12 16 12 16, 15.5 16.5 15 16.2 -> -100")
def cdl_stalledpattern(first: Candle, second: Candle, third: Candle) -> Series:
    """Two long white candles, and a short white one that opens near the second's close."""
    return bearish(
        *(_three_white(first, second, third), first.is_long, second.is_long, third.is_short),
        *(second.is_bare_above, _opens_in_or_near(second, first)),
        at_least(third.open, second.close - third.body - second.near),
    )


@pattern("Stick sandwich", "12 12 10 10, 11 13 11 13, 14 14 10 10 -> 100")
def cdl_sticksandwich(first: Candle, second: Candle, third: Candle) -> Series:
    """Two black candles that close at one price, and a white one between them that stays above it."""
    colors = both(first.is_black, second.is_white, third.is_black)
    return bullish(colors, second.low > first.close, is_within(third.close, first.close, first.equal))


@pattern("Tasuki gap", "10 11 10 11, 12 14 12 14, 13 13 11.5 11.5 -> 100")
def cdl_tasukigap(first: Candle, second: Candle, third: Candle) -> Series:
    """A gap, and a candle against it that opens in the second's body, is near its size and does not close the gap."""
    against = both(third.opposes(second), second.holds(third.open), abs(third.body - second.body) < second.near)
    up = both(second.is_white, second.gaps_up(first), third.close < second.open, third.close > first.top)
    down = both(second.is_black, second.gaps_down(first), third.close > second.open, third.close < first.bottom)
    return bullish(against, up) + bearish(against, down)


@pattern("Tristar", "10 11 9 10, 11 12 10 11, 10.5 11 10 10.5 -> -100")
def cdl_tristar(first: Candle, second: Candle, third: Candle) -> Series:
    """Three dojis, all measured by what was usual before the first; the middle one above the others (-100) or below (100)."""
    bound = 0.1 * first.usual("reach", 10)
    dojis = both(first.is_doji, at_most(second.body, bound), at_most(third.body, bound))
    top = bearish(dojis, second.gaps_up(first), third.top < second.top)
    return top + bullish(dojis, second.gaps_down(first), third.bottom > second.bottom)


@pattern("Unique three river", "14 14 10 10, 13 13 8 11, 9 10 8.5 9.5 -> 100")
def cdl_unique3river(first: Candle, second: Candle, third: Candle) -> Series:
    """A long black candle, a black harami with a new low, and a short white candle that opens above that low."""
    within = both(second.close > first.close, at_most(second.open, first.open), second.low < first.low)
    colors = both(first.is_black, second.is_black, third.is_white)
    return bullish(colors, first.is_long, within, third.is_short, third.open > second.low)


@pattern("Upside gap two crows", "10 14 10 14, 16 16 15.5 15.5, 17 17 15 15 -> -100")
def cdl_upsidegap2crows(first: Candle, second: Candle, third: Candle) -> Series:
    """Above a long white candle opens a short black one; a second black one engulfs it and still closes above the white."""
    crows = both(second.is_black, third.is_black, third.open > second.open, third.close < second.close)
    gap = both(second.gaps_up(first), third.close > first.close)
    return bearish(first.is_white, first.is_long, second.is_not_long, crows, gap)


@pattern("Gap three methods", "10 11 10 11, 12 14 12 14, 13 13 10.5 10.5 -> 100")
def cdl_xsidegap3methods(first: Candle, second: Candle, third: Candle) -> Series:
    """Two candles of one color with a gap between them, and one of the other from body to body, which closes it."""
    filled = both(second.matches(first), third.opposes(second), second.holds(third.open), first.holds(third.close))
    up = both(first.is_white, second.gaps_up(first))
    down = both(first.is_black, second.gaps_down(first))
    return colored(first, filled, either(up, down))


# ---------------------------------------------------------------- parts of several
def _three_white(first: Candle, second: Candle, third: Candle) -> Series:
    rising = both(second.close > first.close, third.close > second.close)
    return both(first.is_white, second.is_white, third.is_white, rising)


def _opens_in_or_near(candle: Candle, before: Candle) -> Series:
    return both(candle.open > before.open, at_most(candle.open, before.close + before.near))


def _evening(first: Candle, second: Candle, third: Candle, penetration: float) -> Series:
    return both(first.is_long, second.gaps_up(first), third.is_long, _turns_down(first, third, penetration))


def _morning(first: Candle, second: Candle, third: Candle, penetration: float) -> Series:
    return both(first.is_long, second.gaps_down(first), third.is_long, _turns_up(first, third, penetration))


def _turns_down(first: Candle, third: Candle, penetration: float) -> Series:
    return both(first.is_white, third.is_black, third.close < first.close - first.body * penetration)


def _turns_up(first: Candle, third: Candle, penetration: float) -> Series:
    return both(first.is_black, third.is_white, third.close > first.close + first.body * penetration)
