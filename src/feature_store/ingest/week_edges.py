"""What a file's times show as they pass: the silences of weekends, and where the file steps back.

A weekend is a silence of at least `SILENCE` between a row and the latest time before it. Rows behind the latest time are a
step back; they open and close no week, and are noted with their place, so that a report can name them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from feature_store.calendar import HOUR
from feature_store.times import to_datetime

if TYPE_CHECKING:
    from feature_store.bars import Integers

SILENCE = 40 * HOUR
"""Rows further apart have a weekend between them; no holiday of a single day is as long."""
KEPT_BACKWARDS = 100


@dataclass(frozen=True, slots=True)
class Backwards:
    """Where a file steps back in time, and how many of its rows that takes.

    Args:
        row: counting from 0.
        since: the latest local time before, in microseconds.
        to: the local time of the row.
        rows: how many rows, this one included, are not later than `since`.
    """

    row: int
    since: int
    to: int
    rows: int

    def __str__(self) -> str:
        since, to = (written(each) for each in (self.since, self.to))
        return f"row {self.row} steps back from {since} to {to}, {self.rows} rows until the file goes on"


class WeekEdges:
    """The times around each weekend of a file, and where it steps back; its memory grows with its weeks, not its rows.

    Add all rows in the order of the file, in batches of any size.

    Args:
        bar_length: of the file's bars in microseconds; 0 for ticks.

    >>> edges = WeekEdges(HOUR)
    >>> edges.add(np.array([0, HOUR, 50 * HOUR]))
    >>> edges.add(np.array([49 * HOUR, 50 * HOUR, 51 * HOUR]))
    >>> edges
    <WeekEdges: 6 rows, 1 weekends, 1 steps back>
    """

    def __init__(self, bar_length: int) -> None:
        self.bar_length = bar_length
        self.rows = 0
        self.steps_back = 0
        self.first: int | None = None
        self.last: int | None = None  # the latest, not that of the last row
        self._before: list[int] = []
        self._after: list[int] = []
        self._backwards: list[Backwards] = []
        self._is_behind = False

    def __repr__(self) -> str:
        return f"<WeekEdges: {self.rows} rows, {len(self._before)} weekends, {self.steps_back} steps back>"

    @property
    def backwards(self) -> tuple[Backwards, ...]:
        """The first hundred steps back; `steps_back` counts all of them."""
        return tuple(self._backwards)

    def add(self, local: Integers) -> None:
        """Take the next rows' local times, in microseconds since 1970 on the file's own clock."""
        if len(local) == 0:
            return
        if self.first is None or self.last is None:
            self.first = self.last = int(local[0])
        latest = np.concatenate([[self.last], local])
        if self._is_behind or bool((latest[1:] < latest[:-1]).any()):
            latest = np.maximum.accumulate(latest)
            self._note_steps_back(local, latest[:-1])
        silent = np.flatnonzero(np.diff(latest) >= SILENCE)
        self._before += latest[silent].tolist()
        self._after += latest[silent + 1].tolist()
        self.last = int(latest[-1])
        self.rows += len(local)

    def weeks(self) -> tuple[Integers, Integers]:
        """Return the first and the last local time of each week: a bar's open both."""
        ends = ([], []) if self.first is None else ([self.first, *self._after], [*self._before, self.last])
        return np.array(ends[0], dtype=np.int64), np.array(ends[1], dtype=np.int64)

    def _note_steps_back(self, local: Integers, latest: Integers) -> None:
        """Note runs of rows behind the `latest` time before each; a row equal to it goes with the row before it."""
        side = np.concatenate([[-1 if self._is_behind else 1], np.sign(local - latest)])
        side = side[np.maximum.accumulate(np.where(side != 0, np.arange(len(side)), 0))]
        bounds = np.flatnonzero(np.diff(side, append=-side[-1])) + 1  # a run ends before each
        for start, stop in pairwise([0, *bounds.tolist()]):
            if side[start] < 0:
                self._note_run(max(start - 1, 0), stop - 1, local, latest, goes_on=start == 0)
        self._is_behind = bool(side[-1] < 0)

    def _note_run(self, start: int, stop: int, local: Integers, latest: Integers, *, goes_on: bool) -> None:
        if not goes_on:
            self.steps_back += 1
            if self.steps_back <= KEPT_BACKWARDS:
                found = Backwards(self.rows + start, int(latest[start]), int(local[start]), stop - start)
                self._backwards.append(found)
        elif self.steps_back <= KEPT_BACKWARDS:
            known = self._backwards[-1]
            self._backwards[-1] = Backwards(known.row, known.since, known.to, known.rows + stop - start)


def written(local: int) -> str:
    """Return a local time, in microseconds since 1970, as a report writes it.

    >>> written(HOUR)
    '1970-01-01 01:00:00'
    """
    return to_datetime(local).strftime("%Y-%m-%d %H:%M:%S")
