"""One symbol of a live market: its bars in all timeframes, the features over them, and the rows that come of both.

A bar of the lowest timeframe is planned first and taken then: `next` and `change` only say which bars would close, so that
whatever forbids a bar is found before anything has changed.

A change of an earlier bar goes back to an earlier state of the ladder and climbs again. In each timeframe it changes one
closed bar at most, the one that holds it; the features of that timeframe go back and forward on their own.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from feature_store.engine.rollback import REACH, Rollback, changeable
from feature_store.errors import InvalidRequestError
from feature_store.market.closes import Closes
from feature_store.market.forming import Closed
from feature_store.market.ladder import Ladder
from feature_store.market.series import Series
from feature_store.times import to_datetime, to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from feature_store.bars import Symbol, Timeframe
    from feature_store.engine.rollback import Timed
    from feature_store.market.ladder import Formings
    from feature_store.market.layout import Columns, Ground, Layout


class Row(NamedTuple):
    """The features of a symbol at one bar of a timeframe.

    Args:
        symbol: such as `EUR/USD`.
        timeframe: such as `1h`.
        time: the bar's open.
        available_at: when it closed.
        values: by column, NaN where a value is not known.
        revised: whether a row of this bar was given before.
    """

    symbol: str
    timeframe: str
    time: datetime
    available_at: datetime
    values: dict[str, float]
    revised: bool


class Step(NamedTuple):
    """What a bar of the lowest timeframe brings: the bars that it closes or changes, and the ladder after it."""

    bars: list[Closed]
    climbed: Rollback[Formings, Timed]
    formings: Formings


class OneSymbol:
    """A symbol's ladder, the features on it, and the columns of its rows."""

    def __init__(self, symbol: Symbol, layout: Layout) -> None:
        self.symbol = symbol
        self.layout = layout
        self.ladder = Ladder(symbol, layout.timeframes)
        self.climbed: Rollback[Formings, Timed] = Rollback(self.ladder.empty)
        self.formings = self.ladder.empty
        self.closes = {timeframe: Closes() for timeframe in self.ladder.timeframes}
        self.series: dict[Ground, Series] = {}
        self._in: dict[Timeframe, list[Series]] = defaultdict(list)

    def __repr__(self) -> str:
        return f"<OneSymbol {self.symbol} {' '.join(str(each) for each in self.ladder.timeframes)}>"

    def run(self, ground: Ground, other: Closes | None) -> Series:
        """Add the features of a ground; `other` are the closes that they are compared with."""
        self.series[ground] = series = Series(self.layout.plans[ground], self.closes[ground.timeframe], other)
        self._in[ground.timeframe].append(series)
        return series

    @property
    def bars(self) -> list[Timed]:
        """The last bars of the lowest timeframe: 40 to 79 of them, or all there were."""
        return self.climbed.inputs

    def needs(self, column: str) -> bool:
        """Whether any of its features looks at a column."""
        return any(column in plan.inputs for plan in self.layout.plans.values())

    # ---------------------------------------------------------------- what a bar brings
    def next(self, bar: Timed) -> Step:
        """Return what the bar after all others brings; raises InvalidRequestError where it cannot be that."""
        if self.bars and bar[0] <= self.bars[-1][0]:
            last = to_iso(self.bars[-1][0])
            msg = (
                f"time must rise: the last bar of {self.symbol} opened at {last}, this one at {to_iso(bar[0])}; "
                "correct and insert change earlier bars"
            )
            raise InvalidRequestError(msg, field="time")
        bars, formings = self.ladder.step(self.formings, *bar)
        self._refuse_unknown(bars)
        return Step(bars, self.climbed, formings)

    def change(self, bar: Timed, *, replaces: bool) -> Step:
        """Return what a bar in place of an earlier one, or between two, changes; raises as `next` does."""
        place = changeable(self.bars, bar[0], replaces=replaces)
        climbed, between, after = self.climbed.back(place)
        formings, every = climbed.state, list[Closed]()
        for each in (*between, bar, *after[replaces:]):
            bars, formings = self.ladder.step(formings, *each)
            climbed.add(each, lambda now=formings: now)  # type: ignore[misc]
            every += bars
        changed = [each for each in every if each.time <= bar[0] < each.end]
        self._refuse_unknown(changed)
        return Step(changed, climbed, formings)

    # ---------------------------------------------------------------- and taking it
    def take(self, bar: Timed, step: Step) -> list[Row]:
        """Take the bar after all others; return the rows of all bars that it closes."""
        self.formings = step.formings
        self.climbed.add(bar, lambda: step.formings)
        rows = []
        for closed in step.bars:
            self._close(closed)
            columns = self.layout.rows.get(closed.timeframe)
            if columns is not None:
                values = [series.values for series in self._sources(columns)]
                rows.append(self._row(closed.timeframe, closed.time, closed.end, columns, values, revised=False))
        return rows

    def retake(self, step: Step) -> list[Row]:
        """Take a change; return the rows of the bars that it changes and of those after them, as `rows_since` does."""
        self.climbed, self.formings = step.climbed, step.formings
        new = {(bar.timeframe, bar.time) for bar in step.bars if self._close(bar)}
        return self.rows_since(min(bar.end for bar in step.bars), new)

    def look(self, bar: Timed) -> list[Row]:
        """Return the row of each timeframe's bar as if it closed with a bar that forms now."""
        step = self.next(bar)
        shapes = zip(self.ladder.higher, step.formings, strict=True)
        forming = [Closed(timeframe, each.time, each.end, each.numbers) for timeframe, each in shapes if each]
        self._refuse_unknown(forming)
        bars = sorted([*step.bars, *forming], key=lambda each: each.end)
        values = {series: series.values for series in self.series.values()}
        ahead = {
            series: iter(series.look(each for each in bars if each.timeframe == timeframe))
            for timeframe, many in self._in.items()
            for series in many
        }
        rows: dict[Timeframe, Row] = {}
        for each in bars:
            values |= {series: next(ahead[series]) for series in self._in[each.timeframe]}
            columns = self.layout.rows.get(each.timeframe)
            if columns is not None:
                known = [values[series] for series in self._sources(columns)]
                rows.pop(each.timeframe, None)  # that of a bar which was passed
                rows[each.timeframe] = self._row(each.timeframe, each.time, each.end, columns, known, revised=False)
        return list(rows.values())

    def rows_since(self, since: int, new: Iterable[tuple[Timeframe, int]] = ()) -> list[Row]:
        """Return the rows of bars that closed at `since` or later, at most 32 a timeframe; all but `new` ones are revised."""
        bars = [
            (end, -timeframe.seconds, time, timeframe)
            for timeframe in self.layout.rows
            for time, end in self.closes[timeframe].since(since)[-REACH:]
        ]
        lines = {series: series.timeline(since) for series in self.series.values()} if bars else {}
        rows = []
        for end, _, time, timeframe in sorted(bars):
            columns = self.layout.rows[timeframe]
            values = [lines[series].at(end) for series in self._sources(columns)]
            rows.append(self._row(timeframe, time, end, columns, values, revised=(timeframe, time) not in new))
        return rows

    def _close(self, bar: Closed) -> bool:
        """Take a closed bar in its timeframe; return whether it is the first of its time."""
        first = self.closes[bar.timeframe].put(bar)
        for series in self._in[bar.timeframe]:
            series.take(bar)
        return first

    def _sources(self, columns: Columns) -> Iterator[Series]:
        return (self.series[ground] for ground in columns.grounds)

    def _row(
        self, timeframe: Timeframe, time: int, end: int, columns: Columns, values: list[list[float]], *, revised: bool
    ) -> Row:
        return Row(
            self.symbol.name, timeframe.name, to_datetime(time), to_datetime(end), columns.named(values), revised
        )

    def _refuse_unknown(self, bars: Iterable[Closed]) -> None:
        for bar in bars:
            for series in self._in[bar.timeframe]:
                series.refuse_unknown(bar)
