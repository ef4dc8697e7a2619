"""The join: for each event the features of the last bar that had closed, as known at the event. One symbol at a time.

1. The series that an event's features look at are those of its symbol, of higher timeframes and of other symbols. Their late
   arrivals, corrections and deletions cut time into epochs (`knowledge`). Within an epoch what was known at any moment is the
   beginning of what was known at its end, so features are computed once for each epoch that events fall into; most
   histories have one.
2. The bar of an event at t is the last of its own series known at t.
3. A feature of other bars takes, of those known at t, the last that had closed when that bar closed.
4. A feature that compares two symbols is NaN at a bar of which the other's was not known at t; as a row without an input leaves
   no trace, the rows before are what they are. Only `is_known` tells absence from presence: where a feature asks for it, every
   arrival of the other symbol begins an epoch.

As of one moment K there is one epoch, and the bar is the last one as known at K that had closed by t.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feature_store.calendar import Calendar, bucket_open
from feature_store.dataset.events import NO_TIME
from feature_store.dataset.knowledge import Knowledge
from feature_store.dataset.question import EVENT
from feature_store.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feature_store.bars import Bars, Floats, Integers, Symbol, Timeframe
    from feature_store.dataset.answer import Answer
    from feature_store.dataset.question import Asked, Place, Question
    from feature_store.views import View
    from feature_store.virtual import VirtualFeatures

_KNOWLEDGE_BYTES = 64 * 2**20


class PointInTime:
    """Answers a question for the events of one symbol after another.

    Args:
        virtual: computes features; its store must stand still meanwhile.
        question: what is asked of each event.
    """

    def __init__(self, virtual: VirtualFeatures, question: Question) -> None:
        self._virtual = virtual
        self._question = question
        self._learned: Recent[tuple[Symbol, Timeframe], Knowledge] = Recent(_KNOWLEDGE_BYTES)

    def __repr__(self) -> str:
        return f"<PointInTime {len(self._question.columns)} columns of {self._virtual!r}>"

    def fill(self, answer: Answer, symbol: Symbol, rows: Integers, times: Integers) -> None:
        """Put the answers of events into their rows.

        Args:
            answer: where they go.
            symbol: whose events; the store holds bars of it.
            rows: which events.
            times: their moments in UTC microseconds, in order.
        """
        for moment, mine in self._epochs(symbol, times):
            self._fill_epoch(answer, symbol, rows[mine], times[mine], moment)

    def _epochs(self, symbol: Symbol, times: Integers) -> Iterator[tuple[int | None, slice]]:
        """Yield the last moment of each epoch, None for the one that lasts, with the events that fall into it."""
        breaks = self._breaks(symbol) if self._question.as_of == EVENT else times[:0]
        if not len(breaks):
            yield self._question.moment, slice(None)
            return
        ends = times.searchsorted(breaks)
        for epoch in np.unique(breaks.searchsorted(times, side="right")).tolist():
            mine = slice(ends[epoch - 1] if epoch else 0, ends[epoch] if epoch < len(breaks) else len(times))
            yield (int(breaks[epoch]) - 1 if epoch < len(breaks) else None), mine

    def _breaks(self, symbol: Symbol) -> Integers:
        """Return the moments at which epochs begin for features asked of a symbol."""
        timeframe = self._question.timeframe
        found = [self._knowledge(self._virtual.view(symbol, timeframe, None)).breaks]
        for place, asked in self._question.places(symbol).items():
            found.append(self._knowledge(self._virtual.view(place.symbol, place.timeframe, None)).breaks)
            if place.other is not None:
                other = self._knowledge(self._virtual.view(place.other, place.timeframe, None))
                counts = any(column.counts_absence for each in asked for column in each.columns)
                found.append(other.moments if counts else other.breaks)
        return np.unique(np.concatenate(found))

    def _knowledge(self, view: View) -> Knowledge:
        name = (view.symbol, view.stored)
        known = self._learned.get(name)
        if known is None:
            known = Knowledge.of(view.snapshot)
            self._learned.put(name, known, known.nbytes)
        return known

    def _look(self, symbol: Symbol, timeframe: Timeframe, moment: int | None) -> Seen:
        view = self._virtual.view(symbol, timeframe, moment)
        knowledge = self._knowledge(view) if self._question.as_of == EVENT else None
        return Seen(view, self._virtual.bars(view), self._virtual.available_at(view), knowledge)

    def _fill_epoch(self, answer: Answer, symbol: Symbol, rows: Integers, times: Integers, moment: int | None) -> None:
        own = self._look(symbol, self._question.timeframe, moment)
        bars = own.shown(times) - 1
        if len(own.bars):
            answer.bar_time[rows] = np.where(bars >= 0, own.bars.time[bars], NO_TIME)
        for place, asked in self._question.places(symbol).items():
            self._fill_place(answer, rows, times, Found(own, bars, moment), place, asked)

    def _fill_place(
        self, answer: Answer, rows: Integers, times: Integers, found: Found, place: Place, asked: list[Asked]
    ) -> None:
        mine = (place.symbol, place.timeframe) == (found.own.view.symbol, found.own.view.timeframe)
        seen = found.own if mine else self._look(place.symbol, place.timeframe, found.moment)
        bars = found.bars if mine else found.joined(seen, times)
        age = times - seen.available_at[bars] if len(seen.bars) else np.zeros_like(times)
        columns = self._values(seen, bars, asked, found.moment)
        absent = None if place.other is None else self._absent(seen, bars, place.other, times, found.moment)
        for column in (column for each in asked for column in each.columns):
            values = columns[column.source]
            if absent is not None and column.compares and not column.counts_absence:
                values[absent] = np.nan
            answer.put(column, rows, values, bars, age)

    def _values(self, seen: Seen, bars: Integers, asked: list[Asked], moment: int | None) -> dict[str, Floats]:
        """Return the values of features at bars, anything where there is none; only parts with such bars are computed."""
        there = bars[bars >= 0]
        if not len(there):
            return {column.source: np.full(len(bars), np.nan) for each in asked for column in each.columns}
        first, last = int(there.min()), int(there.max())
        start, end = int(seen.bars.time[first]), int(seen.bars.time[last]) + 1
        columns, _ = self._virtual.columns(seen.view, [each.own.id for each in asked], moment, start, end)
        places = np.maximum(bars - first, 0)
        return {name: column[places] for name, column in columns.items()}

    def _absent(
        self, seen: Seen, bars: Integers, symbol: Symbol, times: Integers, moment: int | None
    ) -> Integers | None:
        """Return the events at which the other symbol's bar of the same time, if there is one, was not known."""
        if self._question.as_of != EVENT or not len(seen.bars):
            return None
        other = self._look(symbol, seen.view.timeframe, moment)
        return np.flatnonzero(other.bars.time.searchsorted(seen.bars.time[bars]) >= other.shown(times))


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """A series at the end of an epoch, and when its rows became known; None where all of it is known at any event."""

    view: View
    bars: Bars
    available_at: Integers
    knowledge: Knowledge | None

    def shown(self, times: Integers) -> Integers:
        """Return how many of the bars had closed and were known at each moment of the epoch."""
        if self.knowledge is None:
            return self.available_at.searchsorted(times, side="right")
        reach = self.knowledge.reach(times)
        if not self.view.derived:
            return self.bars.time.searchsorted(reach, side="right")
        return self._shown_of_lower(reach)

    def _shown_of_lower(self, reach: Integers) -> Integers:
        """Return how many bars made of lower ones had closed when the lower ones reached so far.

        The last lower bar known, unless deleted, decides: it closes its bucket if it ends where that does.
        """
        stored, timeframe = self.view.stored, self.view.timeframe
        opens = self.view.snapshot.read(as_of=self.view.as_of).time
        if not len(opens):
            return np.zeros(len(reach), dtype=np.int64)
        places = opens.searchsorted(reach, side="right") - 1
        last = opens[places]
        calendar = Calendar.of(self.view.symbol)
        closed = calendar.bar_close(last, stored) >= calendar.bucket_close(last, timeframe)
        before = self.bars.time.searchsorted(bucket_open(last, timeframe))
        return np.where(places >= 0, before + closed, 0)


@dataclass(frozen=True, eq=False, slots=True)
class Found:
    """The bars of events in their own series (-1 for none), in an epoch that ends at a moment."""

    own: Seen
    bars: Integers
    moment: int | None

    def joined(self, other: Seen, times: Integers) -> Integers:
        """Return for each event the last bar of another series, of those known, that closed no later than its own bar."""
        if not len(self.own.bars):
            return self.bars
        closed = other.available_at.searchsorted(self.own.available_at[self.bars], side="right")
        return np.where(self.bars >= 0, np.minimum(closed, other.shown(times)), 0) - 1
