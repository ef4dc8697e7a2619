"""All rows of a series, or of a part of it, in memory: what is new, what is known as of a moment. Pure functions of arrays.

Rows stand in order of (`time`, `known_at`, `sequence`), where `sequence` counts arrivals from 0. So the rows of one time lie
together, and among those known at K the last one is the one to take. A history in which no time occurs twice, the usual case,
is read as plain slices without a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import COLUMNS, Bars
from feature_store.store.protocol import FeatureBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from feature_store.bars import Floats, Integers, Symbol, Timeframe
    from feature_store.store.protocol import Arrivals, Edition


@dataclass(frozen=True, eq=False, slots=True)
class History:
    """Rows with their revisions; `columns` has the prices and the tick volume, and others where any row has a value."""

    time: Integers
    known_at: Integers
    sequence: Integers
    columns: Mapping[str, Floats]
    plain: bool = field(init=False)
    latest_known_at: int = field(init=False)

    def __post_init__(self) -> None:
        for array in (self.time, self.known_at, self.sequence, *self.columns.values()):
            array.setflags(write=False)  # slices of these are handed out
        object.__setattr__(self, "plain", bool((np.diff(self.time) > 0).all()))
        object.__setattr__(self, "latest_known_at", int(self.known_at.max()) if len(self.time) else 0)

    def __len__(self) -> int:
        return len(self.time)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return int(self.time.nbytes * 3 + sum(column.nbytes for column in self.columns.values()))

    @classmethod
    def empty(cls) -> History:
        """Return a history without rows."""
        none = np.empty(0, dtype=np.int64)
        return cls(none, none, none, {name: np.empty(0) for name in COLUMNS})

    def read(self, start: int | None, end: int | None, as_of: int | None) -> tuple[Integers, dict[str, Floats]]:
        """Return times and columns of the bars that open in `[start, end)`, as known at `as_of`."""
        first = 0 if start is None else int(self.time.searchsorted(start))
        last = len(self) if end is None else int(self.time.searchsorted(end))
        rows: slice | Integers = slice(first, last)
        if as_of is not None and as_of < self.latest_known_at:
            rows = first + np.flatnonzero(self.known_at[rows] <= as_of)
        if not self.plain:
            time = self.time[rows]
            lasts = np.flatnonzero(np.append(time[1:] != time[:-1], np.ones(min(1, len(time)), dtype=np.bool_)))
            rows = first + lasts if isinstance(rows, slice) else rows[lasts]
        return self.time[rows], {name: column[rows] for name, column in self.columns.items()}

    def add(self, arrivals: Arrivals) -> tuple[History, Additions]:
        """Return the history with the arrivals that it did not know, and those."""
        additions = self._news(arrivals)
        if not len(additions):
            return self, additions
        rows = additions.rows
        return merge(
            [
                self,
                History(
                    arrivals.time[rows],
                    arrivals.known_at[rows],
                    additions.sequence,
                    {name: column[rows] for name, column in arrivals.columns.items()},
                ),
            ]
        ), additions

    def _news(self, arrivals: Arrivals) -> Additions:
        """Return the arrivals that differ from the last row of the same time and `known_at`, or have none."""
        order = np.lexsort((arrivals.known_at, arrivals.time))
        time, known_at = arrivals.time[order], arrivals.known_at[order]
        first, last = self.time.searchsorted(time), self.time.searchsorted(time, side="right")
        repeated = np.flatnonzero(first < last)
        new = np.ones(len(order), dtype=np.bool_)
        if len(repeated):
            match = self._last_matches(time[repeated], known_at[repeated])
            same = match >= 0
            for name in self.columns.keys() | arrivals.columns.keys():
                mine, theirs = self.columns.get(name), arrivals.columns.get(name)
                known = np.full(len(match), np.nan) if mine is None else mine[match]
                arrived = np.full(len(match), np.nan) if theirs is None else theirs[order[repeated]]
                same &= (known == arrived) | (np.isnan(known) & np.isnan(arrived))
            new[repeated] = ~same
        earlier = (last - first)[new]
        fresh = time[new]
        return Additions(
            rows=order[new],
            revision=(earlier + np.arange(len(fresh)) - fresh.searchsorted(fresh)).astype(np.int32),
            sequence=np.arange(len(self), len(self) + len(fresh), dtype=np.int64),
        )

    def _last_matches(self, time: Integers, known_at: Integers) -> Integers:
        """Return the position of the last row with each (`time`, `known_at`), or -1; the pairs come in order."""
        low, high = int(self.time.searchsorted(time[0])), int(self.time.searchsorted(time[-1], side="right"))
        times, knowns = self.time[low:high], self.known_at[low:high]
        asks = np.concatenate((np.zeros(high - low, dtype=np.int8), np.ones(len(time), dtype=np.int8)))
        merged = np.lexsort((asks, np.concatenate((knowns, known_at)), np.concatenate((times, time))))
        before = merged[
            np.flatnonzero(asks[merged]) - 1
        ]  # the row just before each question; there is one, for `time` occurs
        inside = before < high - low
        found = np.where(inside, before, 0)
        return np.where(inside & (times[found] == time) & (knowns[found] == known_at), low + found, -1)


@dataclass(frozen=True, eq=False, slots=True)
class Additions:
    """Which arrivals are new: their positions in order of time, their revision of that time, their place in the sequence."""

    rows: Integers
    revision: np.ndarray[tuple[int], np.dtype[np.int32]]
    sequence: Integers

    def __len__(self) -> int:
        return len(self.rows)


def merge(histories: Iterable[History]) -> History:
    """Return one history of several; a column that one of them lacks is NaN there."""
    parts = [part for part in histories if len(part)] or [History.empty()]
    if len(parts) == 1:
        return parts[0]
    time, known_at, sequence = (
        np.concatenate([getattr(p, n) for p in parts]) for n in ("time", "known_at", "sequence")
    )
    columns = stack([part.columns for part in parts], [len(part) for part in parts])
    if any(later.time[0] <= earlier.time[-1] for earlier, later in pairwise(parts)):
        order = np.lexsort((sequence, known_at, time))
        time, known_at, sequence = time[order], known_at[order], sequence[order]
        columns = {name: column[order] for name, column in columns.items()}
    return History(time, known_at, sequence, columns)


def stack(parts: list[Mapping[str, Floats]], lengths: list[int]) -> dict[str, Floats]:
    """Return the columns of all parts, one under the other; a part without a column has NaN in it."""
    names = dict.fromkeys(name for part in parts for name in part)
    gap = [np.broadcast_to(np.nan, length) for length in lengths]
    return {name: np.concatenate([p.get(name, g) for p, g in zip(parts, gap, strict=True)]) for name in names}


@dataclass(frozen=True, eq=False, slots=True)
class Snapshot:
    """A series as it stood at one moment, whatever is written while it is looked at.

    Args:
        symbol: whose series.
        timeframe: its timeframe.
        edition: which state it is.
        histories: gives the consecutive parts of the series that may hold bars opening in `[start, end)`.
    """

    symbol: Symbol
    timeframe: Timeframe
    edition: Edition
    histories: Callable[[int | None, int | None], list[History]]

    def read(self, start: int | None = None, end: int | None = None, as_of: int | None = None) -> Bars:
        """Return the bars that open in `[start, end)` as known at `as_of`, in UTC microseconds; there may be none."""
        parts = [part for part in (h.read(start, end, as_of) for h in self.histories(start, end)) if len(part[0])]
        if not parts:
            parts = [History.empty().read(None, None, None)]
        if len(parts) == 1:
            return Bars(self.symbol, self.timeframe, *parts[0])
        columns = stack([columns for _, columns in parts], [len(time) for time, _ in parts])
        return Bars(self.symbol, self.timeframe, np.concatenate([time for time, _ in parts]), columns)


def latest_rows(blocks: list[FeatureBlock]) -> FeatureBlock:
    """Return one block in order of time; where a time occurs twice, the row of the later block."""
    time = np.concatenate([block.time for block in blocks])
    order = np.argsort(time, kind="stable")
    ordered = time[order]
    last = order[np.append(ordered[1:] != ordered[:-1], np.ones(min(1, len(ordered)), dtype=np.bool_))]
    columns = stack([block.columns for block in blocks], [len(block) for block in blocks])
    available_at = np.concatenate([block.available_at for block in blocks])
    return FeatureBlock(time[last], available_at[last], {name: column[last] for name, column in columns.items()})
