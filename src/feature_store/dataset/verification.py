"""A second way to the same values, slow and with nothing of the fast one: each event alone, from the bars known then.

For an event at t: read the bars of its series as known at t (or at the moment asked for), make higher ones of them where only
lower ones are stored, drop every bar that had not closed at t, compute the feature from the first bar with a plan of its own,
and compare bits with what was served.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import OTHER, TIMEFRAMES
from feature_store.calendar import Calendar
from feature_store.clock import clock_columns
from feature_store.dataset.question import EVENT
from feature_store.engine.plan import Plan
from feature_store.errors import InvalidRequestError, LeakError
from feature_store.resample import divides, resample
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Container

    from feature_store.bars import Bars, Floats, Integers, Symbol, Timeframe
    from feature_store.dataset.answer import Answer
    from feature_store.dataset.events import Events
    from feature_store.dataset.question import Asked, Column, Question
    from feature_store.store.protocol import Store

_SEED = 0


def check_sample(verify: bool | int) -> None:
    """Raise InvalidRequestError for what is neither yes, no nor a number of events."""
    if not isinstance(verify, int) or verify < 0:
        msg = f"verify must be True for all events, or how many of them, was {verify!r}"
        raise InvalidRequestError(msg, field="verify")


def verified(
    store: Store,
    question: Question,
    events: Events,
    answer: Answer,
    absent: Container[str],
    how_many: bool | int,
) -> None:
    """Raise LeakError, naming event, feature and both values, for a value that the slow way does not give.

    Args:
        store: the bars, standing still.
        question: what was asked.
        events: of whom.
        answer: what was served.
        absent: symbols without bars.
        how_many: True for all events, or how many of them; the same ones each time.
    """
    for row in _chosen(len(events), how_many):
        symbol, moment = events.symbols[events.codes[row]], int(events.time[row])
        if symbol.name not in absent:
            past = _Past(store, moment, moment if question.as_of == EVENT else question.moment)
            for asked in question.asked:
                for column, value in past.values(symbol, question.timeframe, asked):
                    served = float(answer.values[column.name][row])
                    _refuse_other(row, symbol, moment, column, served, value)


def _chosen(rows: int, how_many: bool | int) -> Integers:
    if how_many is True or how_many >= rows:
        return np.arange(rows)
    return np.sort(np.random.default_rng(_SEED).choice(rows, size=how_many, replace=False))


def _refuse_other(row: int, symbol: Symbol, moment: int, column: Column, served: float, value: float) -> None:
    bits = np.array([served, value]).view(np.int64)
    if bits[0] != bits[1] and not (np.isnan(served) and np.isnan(value)):
        msg = (
            f"event {row} ({symbol} at {to_iso(moment)}): {column.name} was served as {served!r}, but what was known then "
            f"gives {value!r}; do not train on this set, and report it"
        )
        raise LeakError(msg)


@dataclass(frozen=True)
class _Past:
    """What there was at a moment, as known at another; None for all that is known."""

    store: Store
    moment: int
    known: int | None

    def values(self, symbol: Symbol, timeframe: Timeframe, asked: Asked) -> list[tuple[Column, float]]:
        """Return what each column of a feature has at the last bar of a series, NaN where that is too old."""
        own = self._closed(symbol, timeframe, self.moment)
        place = asked.place(symbol, timeframe)
        bars = self._closed(place.symbol, place.timeframe, int(_closes(own)[-1])) if len(own) else own
        if not len(bars):
            return [(column, np.nan) for column in asked.columns]
        other = None if place.other is None else self._closed(place.other, place.timeframe, self.moment)
        found = dict(zip(asked.own.columns, _computed(asked, bars, other), strict=True))
        age = self.moment - int(_closes(bars)[-1])
        return [
            (column, np.nan if column.max_age is not None and age > column.max_age else found[column.source])
            for column in asked.columns
        ]

    def _closed(self, symbol: Symbol, timeframe: Timeframe, by: int) -> Bars:
        """Return the known bars of a series that had closed by a moment."""
        bars = self._bars(symbol, timeframe)
        return bars[: int(_closes(bars).searchsorted(by, side="right"))]

    def _bars(self, symbol: Symbol, timeframe: Timeframe) -> Bars:
        for stored in reversed(TIMEFRAMES):
            snapshot = self.store.snapshot(symbol, stored) if divides(stored, timeframe) else None
            if snapshot is not None:
                bars = snapshot.read(as_of=self.known)
                return bars if stored == timeframe else resample(bars, timeframe).closed
        msg = f"{symbol} {timeframe} was looked at but is not among the series of this set; report this"
        raise LeakError(msg)


def _closes(bars: Bars) -> Integers:
    return Calendar.of(bars.symbol).bar_close(bars.time, bars.timeframe)


def _computed(asked: Asked, bars: Bars, other: Bars | None) -> list[float]:
    """Return the last row of a feature over bars."""
    plan = Plan.of([asked.own.plain])
    columns = {name: np.ascontiguousarray(column) for name, column in bars.columns.items()}
    columns |= clock_columns(bars.time, plan.clock)
    if other is not None:
        columns[OTHER] = _beside(bars, other)
    return [float(row[-1]) for row in plan.run(columns)]


def _beside(bars: Bars, other: Bars) -> Floats:
    closes = np.full(len(bars), np.nan)
    _, mine, theirs = np.intersect1d(bars.time, other.time, assume_unique=True, return_indices=True)
    closes[mine] = other.columns["close"][theirs]
    return closes
