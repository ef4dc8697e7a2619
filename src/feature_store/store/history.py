"""All rows of a series, or of a part of it, in memory: what is new, what is known as of a moment. Pure functions of arrays.

Rows stand in order of (`time`, `known_at`, `sequence`), where `sequence` counts arrivals from 0. So the rows of one time lie
together, and among those known at K the last one is the one to take; one without prices is a deletion, and says that there is
no bar. A history in which no time occurs twice and nothing is deleted, the usual case, is read as plain slices without a copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import COLUMNS
from feature_store.store.content import content_of
from feature_store.store.protocol import FeatureBlock

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.bars import Floats, Integers
    from feature_store.store.protocol import Arrivals, Booleans


@dataclass(frozen=True, eq=False, slots=True)
class History:
    """Rows with their revisions; `columns` has the prices and the tick volume, and others where any row has a value."""

    time: Integers
    known_at: Integers
    sequence: Integers
    columns: Mapping[str, Floats]
    plain: bool = field(init=False)
    holes: bool = field(init=False)
    latest_known_at: int = field(init=False)

    def __post_init__(self) -> None:
        for array in (self.time, self.known_at, self.sequence, *self.columns.values()):
            array.setflags(write=False)  # slices of these are handed out
        object.__setattr__(self, "plain", bool((np.diff(self.time) > 0).all()))
        object.__setattr__(self, "holes", bool(np.isnan(self.columns["close"]).any()))
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
            lasts = np.flatnonzero(_is_last(self.time[rows]))
            rows = first + lasts if isinstance(rows, slice) else rows[lasts]
        if self.holes:
            there = ~np.isnan(self.columns["close"][rows])
            rows = first + np.flatnonzero(there) if isinstance(rows, slice) else rows[there]
        return self.time[rows], {name: column[rows] for name, column in self.columns.items()}

    @property
    def content(self) -> int:
        """What the rows say, as a number."""
        return content_of(self.time, self.known_at, self.sequence, self.columns)

    def until(self, rows: int) -> History:
        """Return the history as it was when it had so many rows."""
        if rows >= len(self):
            return self
        return self.take(np.flatnonzero(self.sequence < rows))

    def since(self, rows: int) -> History:
        """Return the rows that came after the first so many."""
        later = np.flatnonzero(self.sequence >= rows)
        return self if len(later) == len(self) else self.take(later)

    def take(self, rows: Integers) -> History:
        """Return some of the rows, which stand in order."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return History(self.time[rows], self.known_at[rows], self.sequence[rows], columns)

    def news(self, arrivals: Arrivals) -> Additions:
        """Return which arrivals differ from the last row of the same time and `known_at`, or have none."""
        order = np.lexsort((arrivals.known_at, arrivals.time))
        time, known_at = arrivals.time[order], arrivals.known_at[order]
        first, last = self.time.searchsorted(time), self.time.searchsorted(time, side="right")
        repeated = np.flatnonzero(first < last)
        new = np.ones(len(order), dtype=np.bool_)
        if len(repeated):
            new[repeated] = ~self._holds(arrivals, order[repeated], time[repeated], known_at[repeated])
        earlier = (last - first)[new]
        fresh = time[new]
        return Additions(
            rows=order[new],
            revision=earlier + np.arange(len(fresh)) - fresh.searchsorted(fresh),
            sequence=np.arange(len(self), len(self) + len(fresh), dtype=np.int64),
            bars=self._gained(arrivals, order[new]),
        )

    def _holds(self, arrivals: Arrivals, rows: Integers, time: Integers, known_at: Integers) -> Booleans:
        """Return whether the last row of each (`time`, `known_at`), which stand in order, has the arrivals' values."""
        match = self._last_matches(time, known_at)
        same: Booleans = match >= 0
        for name in self.columns.keys() | arrivals.columns.keys():
            mine, theirs = self.columns.get(name), arrivals.columns.get(name)
            known = np.full(len(match), np.nan) if mine is None else mine[match]
            arrived = np.full(len(match), np.nan) if theirs is None else theirs[rows]
            same &= (known == arrived) | (np.isnan(known) & np.isnan(arrived))
        return same

    def _gained(self, arrivals: Arrivals, rows: Integers) -> int:
        """Return how many bars more there are, as known in the end, with rows of arrivals, which stand in order of time."""
        time = arrivals.time[rows]
        close = arrivals.columns["close"][rows]
        first, last = self.time.searchsorted(time), self.time.searchsorted(time, side="right")
        if not (first < last).any():
            return int((~np.isnan(close[_is_last(time)])).sum())
        touched = np.unique(np.concatenate([np.arange(a, b) for a, b in zip(first, last, strict=True) if a < b]))
        before = self.take(touched)
        numbers = np.arange(len(self), len(self) + len(rows), dtype=np.int64)
        after = merge([before, History(time, arrivals.known_at[rows], numbers, {"close": close})])
        return len(after.read(None, None, None)[0]) - len(before.read(None, None, None)[0])

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


def _is_last(time: Integers) -> Booleans:
    """Return for sorted times which is the last of its kind."""
    return np.append(time[1:] != time[:-1], np.ones(min(1, len(time)), dtype=np.bool_))


@dataclass(frozen=True, eq=False, slots=True)
class Additions:
    """Which arrivals are new.

    Args:
        rows: their positions among the arrivals, in order of time.
        revision: how many rows of the same time were there before each.
        sequence: their numbers among all rows.
        bars: how many bars more there are with them.
    """

    rows: Integers
    revision: Integers
    sequence: Integers
    bars: int

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


def latest_rows(blocks: list[FeatureBlock]) -> FeatureBlock:
    """Return one block in order of time; where a time occurs twice, the row of the later block."""
    time = np.concatenate([block.time for block in blocks])
    order = np.argsort(time, kind="stable")
    ordered = time[order]
    last = order[_is_last(ordered)]
    columns = stack([block.columns for block in blocks], [len(block) for block in blocks])
    available_at = np.concatenate([block.available_at for block in blocks])
    return FeatureBlock(time[last], available_at[last], {name: column[last] for name, column in columns.items()})


def changes(held: FeatureBlock | None, block: FeatureBlock) -> tuple[int, int]:
    """Return how many rows differ between what is held and what should be, and from which row on the latter is to be added.

    0 where it is to replace what is held: where rows that are held have other bits, or are gone.

    >>> import numpy as np
    >>> hours = np.array([0, 1, 2])
    >>> held = FeatureBlock(hours[:2], hours[:2] + 1, {"a": np.array([1.0, 2.0])})
    >>> changes(held, FeatureBlock(hours, hours + 1, {"a": np.array([1.0, 2.0, 3.0])}))
    (1, 2)
    >>> changes(held, FeatureBlock(hours, hours + 1, {"a": np.array([9.0, 2.0, 3.0])}))
    (2, 0)
    """
    if held is None or not len(held):
        return len(block), 0
    places = np.minimum(held.time.searchsorted(block.time), len(held) - 1)
    same: Booleans = held.time[places] == block.time
    gone = len(held) - int(same.sum())
    for name, values in block.columns.items():
        same &= _bits(held.columns[name])[places] == _bits(values)
    added = not gone and bool(same[: len(held)].all())
    return int((~same).sum()) + gone, len(held) if added else 0


def _bits(values: Floats) -> Integers:
    return np.ascontiguousarray(values).view(np.int64)
