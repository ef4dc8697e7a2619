"""The rules that a tick must keep to count in a bar. The first rule that it breaks is the reason it is quarantined for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feature_store.ingest.checks import MARKET_CLOSED
from feature_store.ticks import carried

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feature_store.bars import Floats, Integers
    from feature_store.calendar import Calendar

    Booleans = NDArray[np.bool_]

NO_QUOTE = "bid and ask are both missing, or one is not a finite number"
NOT_POSITIVE = "bid or ask is not positive"
ASK_BELOW_BID = "ask is below bid"
BACKWARDS = "time runs backwards: an earlier row has a later time"
_EARLIEST = -(2**63)


def quote_problems(
    time: Integers,
    bid: Floats,
    ask: Floats,
    calendar: Calendar,
    *,
    after: int = _EARLIEST,
    quote: tuple[float, float] = (np.nan, np.nan),
) -> list[tuple[str, Booleans]]:
    """Return each rule's reason and which ticks break it; a tick may break several.

    Ticks that break no rule are what `TickBars` takes. One that quotes one side is held against the other as last quoted by a
    tick that breaks no rule of its own. Time must not fall below the latest before it, among ticks that break no other rule.

    Args:
        time: UTC microseconds in the order of the file.
        bid: prices in quote currency; NaN where the tick leaves the side as it was, which breaks no rule.
        ask: the same of the other side.
        calendar: when the market rests; holidays break nothing, since some brokers quote on them.
        after: for a file read in pieces, the latest time in the pieces before.
        quote: for a file read in pieces, the last bid and ask there.

    >>> from feature_store.calendar import Calendar
    >>> monday = np.array([1673258400_000_000] * 3)
    >>> problems = quote_problems(monday, np.array([1.2, 1.3, -1.0]), np.array([1.3, 1.2, 1.2]), Calendar())
    >>> {reason: broken.tolist() for reason, broken in problems if broken.any()}
    {'bid or ask is not positive': [False, False, True], 'ask is below bid': [False, True, False]}
    """
    problems = [
        (NO_QUOTE, np.isinf(bid) | np.isinf(ask) | (np.isnan(bid) & np.isnan(ask))),
        (NOT_POSITIVE, (bid <= 0) | (ask <= 0)),
        (MARKET_CLOSED, calendar.is_weekend(time)),
    ]
    good = ~np.logical_or.reduce([broken for _, broken in problems])
    crossed = _crossed(bid, ask, good, quote)
    latest = np.maximum.accumulate(np.where(good & ~crossed, time, after))
    return [*problems, (ASK_BELOW_BID, crossed), (BACKWARDS, time < np.maximum(latest, after))]


def _crossed(bid: Floats, ask: Floats, good: Booleans, quote: tuple[float, float]) -> Booleans:
    """Return where a tick quotes an ask below its bid, or a good one leaves it below as last quoted by such."""
    itself = ask < bid
    usable = good & ~itself
    bids, asks = (carried(np.where(usable, side, np.nan), last) for side, last in zip((bid, ask), quote, strict=True))
    crossed: Booleans = itself | (usable & (asks < bids))
    return crossed
