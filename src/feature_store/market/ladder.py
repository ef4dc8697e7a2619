"""The timeframes of one symbol, each made from the bars of the lowest: which bars close with a bar, and which form.

1. A bar that opens at or after the end of a forming bar closes that one: its end has been seen to pass.
2. The bar joins the forming bar of each timeframe, or begins it. Where it ends with it, that bar closes too.
3. What closes is given in order of its end; of bars that end together the longest comes first, so that whoever takes them one
   after another knows at each all that was known when it closed.

These are the rules of `resample` and of the calendar, and `resample` gives the same bars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from feature_store.bars import Timeframe
from feature_store.calendar import DAY, HOUR, Calendar, bucket_open
from feature_store.errors import InvalidRequestError
from feature_store.market.forming import Closed, Forming
from feature_store.resample import divides
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feature_store.bars import Symbol
    from feature_store.engine.rollback import Numbers

    Formings: TypeAlias = tuple[Forming | None, ...]
    """The forming bar of each higher timeframe; None between the end of one and the first bar of the next."""

_WEEK = Timeframe.parse("1w")


class Ladder:
    """A symbol's timeframes, the longest first, and what the calendar says of them; the state is with who climbs it."""

    def __init__(self, symbol: Symbol, timeframes: Iterable[Timeframe]) -> None:
        self.symbol = symbol
        *higher, self.lowest = sorted(set(timeframes), reverse=True)
        self.higher = tuple(higher)
        self.timeframes = (*higher, self.lowest)
        for timeframe in higher:
            if not divides(self.lowest, timeframe):
                msg = f"{symbol}: {self.lowest} bars cannot be made into {timeframe} bars; name a timeframe that divides both"
                raise InvalidRequestError(msg, field="timeframe")
        self._calendar = Calendar.of(symbol)
        self._week = (0, 0)

    def __repr__(self) -> str:
        return f"<Ladder {self.symbol} {' '.join(map(str, self.timeframes))}>"

    @property
    def empty(self) -> Formings:
        """What forms before the first bar."""
        return (None,) * len(self.higher)

    def step(self, formings: Formings, moment: int, numbers: Numbers) -> tuple[list[Closed], Formings]:
        """Return what closes by a bar of the lowest timeframe, and what forms after it.

        Raises InvalidRequestError for a bar that opens off the grid or while the market rests, or reaches beyond its bucket.
        """
        end = self._end(moment)
        passed, closed, after = [], [], []
        for timeframe, forming in zip(self.higher, formings, strict=True):
            known = forming
            if known is not None and moment >= known.end:
                passed.append(Closed(timeframe, known.time, known.end, known.numbers))
                known = None
            grown = (known or Forming.begin(*self._bucket(moment, timeframe))).add(numbers)
            self._refuse_beyond(moment, end, timeframe, grown.end)
            if grown.end == end:
                closed.append(Closed(timeframe, grown.time, end, grown.numbers))
            after.append(None if grown.end == end else grown)
        passed.sort(key=lambda bar: bar.end)  # stable: the longest stays first
        return [*passed, *closed, Closed(self.lowest, moment, end, numbers)], tuple(after)

    # ---------------------------------------------------------------- one bucket
    def _bucket(self, moment: int, timeframe: Timeframe) -> tuple[int, int]:
        """Return where the bucket that holds a moment opens and ends."""
        length = timeframe.microseconds
        if length <= HOUR:  # as the calendar says, which takes its time for a single moment
            opened = moment - moment % length
            return opened, opened + length
        return int(bucket_open(moment, timeframe)), int(self._calendar.bucket_close(moment, timeframe))

    def _end(self, moment: int) -> int:
        """Return the end of a bar of the lowest timeframe; raises InvalidRequestError where none opens then."""
        opened, end = self._bucket(moment, self.lowest)
        if opened != moment:
            msg = f"no {self.lowest} bar opens at {to_iso(moment)}; the one that holds it opens at {to_iso(opened)}"
            raise InvalidRequestError(msg, field="time")
        if self._calendar.rests and self.lowest.microseconds <= DAY:
            self._refuse_weekend(moment)
        return end

    def _refuse_weekend(self, moment: int) -> None:
        if not self._week[0] <= moment < self._week[1]:
            self._week = self._bucket(moment, _WEEK)
        if moment >= self._week[1]:
            msg = (
                f"a bar of {self.symbol} cannot open at {to_iso(moment)}: "
                "currencies rest from Friday 17:00 to Sunday 17:00 New York"
            )
            raise InvalidRequestError(msg, field="time")

    def _refuse_beyond(self, moment: int, end: int, timeframe: Timeframe, bucket_end: int) -> None:
        if end > bucket_end:
            msg = (
                f"the {self.lowest} bar of {to_iso(moment)} reaches beyond its {timeframe} bar, which ends at "
                f"{to_iso(bucket_end)}; feed bars of a lower timeframe"
            )
            raise InvalidRequestError(msg, field="time")
