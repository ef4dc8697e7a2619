"""The ticks of sources that follow one another, sorted out piece by piece as if they stood in one piece.

`tick_checks` has the rules of quotes. Beside them a tick must have a time that can be read, its bar must have closed, and both
sides must have been quoted by then. Of each piece is remembered what the next one needs: the last time, and the last quotes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.ingest.checks import FORMING, UNREADABLE_TIME
from feature_store.ingest.tick_checks import ASK_BELOW_BID, BACKWARDS, quote_problems
from feature_store.ticks import carried

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feature_store.bars import Floats, Integers
    from feature_store.calendar import Calendar
    from feature_store.ingest.moments import Moments

    Booleans = NDArray[np.bool_]
    Problems = list[tuple[str, Booleans]]

NOT_QUOTED = "bid or ask had not been quoted yet"
EARLIEST = -(2**63)
_UNKNOWN = (np.nan, np.nan)


class Quotes:
    """What the ticks so far have left.

    Args:
        calendar: when the market rests.
        over: ticks from this moment on, in UTC microseconds, belong to bars that have not closed.
    """

    def __init__(self, calendar: Calendar, over: int) -> None:
        self._calendar, self._over = calendar, over
        self._quote = _UNKNOWN  # of good ticks
        self._told = _UNKNOWN  # of all that break no rule of their own, to which the rules compare
        self.last = EARLIEST

    def __repr__(self) -> str:
        return f"<Quotes last={self.last} bid={self._quote[0]} ask={self._quote[1]}>"

    def sort_out(self, moments: Moments, bid: Floats, ask: Floats) -> tuple[Floats, Floats, Problems]:
        """Return both sides as they stood after each good tick, and each rule's reason and which ticks break it.

        Args:
            moments: the ticks' times.
            bid: as quoted; NaN where the tick leaves the side as it was.
            ask: the same of the other side.
        """
        length = len(bid)
        forming = moments.readable & (moments.time >= self._over)
        rows = np.flatnonzero(moments.readable & ~forming)
        time, bid, ask = moments.time[rows], bid[rows], ask[rows]
        problems = quote_problems(time, bid, ask, self._calendar, after=self.last, quote=self._told)
        self._told = _left(bid, ask, problems, self._told)
        good = ~np.logical_or.reduce([mask for _, mask in problems])
        bids, asks = self._stood(time[good], bid[good], ask[good])
        never = np.isnan(bids) | np.isnan(asks)
        places = rows[good]
        told: Problems = [(reason, _placed(mask, rows, length)) for reason, mask in problems]
        told = [(UNREADABLE_TIME, ~moments.readable), (FORMING, forming), *told]
        told.append((NOT_QUOTED, _placed(never, places, length)))
        return _placed(bids, places, length), _placed(asks, places, length), told

    def _stood(self, time: Integers, bid: Floats, ask: Floats) -> tuple[Floats, Floats]:
        """Return both sides as they stood after each of these good ticks, and remember the last."""
        bids, asks = (carried(side, last) for side, last in zip((bid, ask), self._quote, strict=True))
        if len(time):
            self._quote, self.last = (float(bids[-1]), float(asks[-1])), int(time[-1])
        return bids, asks


def _left(bid: Floats, ask: Floats, problems: Problems, before: tuple[float, float]) -> tuple[float, float]:
    """Return the bid and ask as last quoted by a tick that breaks no rule of its own, as `quote_problems` means it."""
    itself = [mask for reason, mask in problems if reason not in (ASK_BELOW_BID, BACKWARDS)]
    usable = ~(np.logical_or.reduce(itself) | (ask < bid))
    bids, asks = (side[usable & ~np.isnan(side)] for side in (bid, ask))
    return (float(bids[-1]) if len(bids) else before[0]), (float(asks[-1]) if len(asks) else before[1])


def _placed(column: NDArray[Any], places: Integers, length: int) -> NDArray[Any]:
    """Return the values of some rows at their places among all rows, where others have none."""
    if len(column) == length:
        return column
    whole = np.zeros(length, dtype=column.dtype)
    whole[places] = column
    return whole
