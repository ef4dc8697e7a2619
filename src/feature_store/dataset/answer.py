"""The arrays that answers go into: a value for each event and column, why it is lacking where it is, and how old it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from feature_store.dataset.events import NO_TIME
from feature_store.indicators.warmup import NEVER
from feature_store.times import MICROSECONDS_A_SECOND

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feature_store.bars import Floats, Integers
    from feature_store.dataset.question import Column, Question

    Codes = NDArray[np.int8]

STATUSES = ("ok", "unsettled", "warming up", "gap", "too old", "not known yet", "no data")
"""Why a value is what it is.

    ok             it has a value
    unsettled      it has one, in which the series' beginning still weighs more than 1e-8: a longer history would change it
    warming up     NaN: fewer bars than the feature needs
    gap            NaN: the bars are enough, but one that it looks at lacks a value, or the other symbol has no such bar
    too old        withheld: its bar closed longer before the event than `max_age`
    not known yet  NaN: no bar of its series had closed and was known
    no data        NaN: the store holds no bars of the event's symbol
"""

_OK, _UNSETTLED, _WARMING_UP, _GAP, _TOO_OLD, _NOT_KNOWN_YET, _NO_DATA = range(len(STATUSES))


@dataclass(frozen=True, eq=False, slots=True)
class Answer:
    """A row for each event, by column.

    Args:
        bar_time: the open of the bar that answers, in UTC microseconds; `NO_TIME` where there is none.
        values: the features.
        statuses: places in `STATUSES`; no columns where they are not wanted.
        ages: seconds from the close of a value's own bar to the event, NaN without one; no columns where not wanted.
        counts: how often each status occurs, by column.
        counting: held while they change; rows are set by several threads, each its own.
    """

    bar_time: Integers
    values: dict[str, Floats]
    statuses: dict[str, Codes]
    ages: dict[str, Floats]
    counts: dict[str, Integers]
    counting: Lock = field(default_factory=Lock)

    @classmethod
    def without_data(cls, question: Question, rows: int, *, status: bool, ages: bool) -> Answer:
        """Return an answer in which there is no data for any event."""
        names = [column.name for column in question.columns]
        nothing = np.zeros(len(STATUSES), dtype=np.int64)
        nothing[_NO_DATA] = rows
        return cls(
            bar_time=np.full(rows, NO_TIME, dtype=np.int64),
            values={name: np.full(rows, np.nan) for name in names},
            statuses={name: np.full(rows, _NO_DATA, dtype=np.int8) for name in names if status},
            ages={name: np.full(rows, np.nan) for name in names if ages},
            counts={name: nothing.copy() for name in names},
        )

    def put(self, column: Column, rows: Integers, values: Floats, bars: Integers, age: Integers) -> None:
        """Set some events' values of a column; `values` is changed.

        Args:
            column: which.
            rows: the events.
            values: what the feature has at the bars.
            bars: the bars' places in the feature's own series, -1 for none.
            age: microseconds since they closed.
        """
        codes = _codes(column, values, bars)
        values[bars < 0] = np.nan
        if column.max_age is not None:
            old = (bars >= 0) & (age > column.max_age)
            values[old], codes[old] = np.nan, _TOO_OLD
        self.values[column.name][rows] = values
        counts = np.bincount(codes, minlength=len(STATUSES))
        counts[_NO_DATA] -= len(codes)  # which they were before
        with self.counting:
            self.counts[column.name] += counts
        if self.statuses:
            self.statuses[column.name][rows] = codes
        if self.ages:
            self.ages[column.name][rows] = np.where(bars >= 0, age / MICROSECONDS_A_SECOND, np.nan)

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return everything in the order of the frame: bar times, values, statuses, ages."""
        return {
            "bar_time": self.bar_time,
            **self.values,
            **{f"{name}.status": codes for name, codes in self.statuses.items()},
            **{f"{name}.age_s": ages for name, ages in self.ages.items()},
        }


def _codes(column: Column, values: Floats, bars: Integers) -> Codes:
    codes = np.where(np.isnan(values), _GAP, _OK).astype(np.int8)
    early = bars < column.warmup
    codes[early & (codes == _GAP)] = _WARMING_UP
    if column.settled < NEVER:  # what depends on the beginning for ever is as good as it gets
        codes[(bars < column.settled) & (codes == _OK)] = _UNSETTLED
    codes[bars < 0] = _NOT_KNOWN_YET
    return codes
