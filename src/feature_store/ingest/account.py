"""What becomes of the rows of one source while they go in, and where they go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from feature_store.ingest.report import KEPT, IngestReport, Quarantine
from feature_store.store.protocol import Arrivals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from feature_store.bars import Symbol, Timeframe
    from feature_store.ingest.frames import Table
    from feature_store.ingest.placing import Placing
    from feature_store.ingest.source import Source
    from feature_store.store.protocol import Store

    Booleans = NDArray[np.bool_]


@dataclass(slots=True)
class Account:
    """The rows of a source, counted as they go: what was read is stored, a duplicate, quarantined, or still on its way.

    Args:
        read: rows found.
        stored: rows, or ticks in bars, that were new.
        duplicates: those that were known.
        bars: how many bars were new.
        first: the earliest bar open of those that break no rule, in UTC microseconds; None before there is any.
        last: the latest one.
        notes: what else to say.
    """

    read: int = 0
    stored: int = 0
    duplicates: int = 0
    bars: int = 0
    first: int | None = None
    last: int | None = None
    notes: list[str] = field(default_factory=list)
    _quarantined: list[Quarantine] = field(default_factory=list)
    _held: int = 0

    @property
    def room(self) -> int:
        """How many more quarantined rows to hold with their values."""
        return KEPT - self._held

    def take(self, table: Table, quarantined: Quarantine) -> None:
        """Count the rows of a table, and those of them that break a rule."""
        self.read += len(table) + len(table.broken)
        if quarantined.count:
            self._quarantined.append(quarantined)
            self._held += len(quarantined.held)

    def credit(self, rows: int, new: int, bars: int) -> None:
        """Count rows that have got where they go: how many there were, how many of them were new, in how many new bars."""
        self.stored += new
        self.duplicates += rows - new
        self.bars += bars

    def reach(self, arrivals: Arrivals) -> None:
        """Remember the range of bar opens."""
        if len(arrivals):
            first, last = int(arrivals.time.min()), int(arrivals.time.max())
            self.first = first if self.first is None else min(first, self.first)
            self.last = last if self.last is None else max(last, self.last)

    def report(self, timeframe: Timeframe, placing: Placing, source: Source | None = None) -> IngestReport:
        """Return the report of a source, or of a frame."""
        report = IngestReport(
            self.read,
            self.stored,
            self.duplicates,
            Quarantine.together(self._quarantined),
            placing.name,
            self.bars,
            timeframe.name,
            notes=(*placing.notes, *self.notes),
        )
        if source is None:
            return report
        return report.of(source.format, source.price_divisor, source.side)


@dataclass(frozen=True, slots=True)
class Sink:
    """Where the rows of one series go: into the store, or, in a dry run, nowhere.

    Args:
        store: which knows what is known already.
        symbol: whose rows.
        timeframe: their timeframe.
        dry_run: whether to count only.
    """

    store: Store
    symbol: Symbol
    timeframe: Timeframe
    dry_run: bool = False

    def write(self, arrivals: Arrivals) -> int:
        """Store rows, and return how many of them were new; in a dry run, how many would have been."""
        if not len(arrivals):
            return 0
        if self.dry_run:
            return int(self.new(arrivals).sum())
        return self.store.write(self.symbol, self.timeframe, arrivals)

    def new(self, arrivals: Arrivals) -> Booleans:
        """Return which rows are not known already."""
        new = np.ones(len(arrivals), dtype=np.bool_)
        snapshot = self.store.snapshot(self.symbol, self.timeframe)
        for span in () if snapshot is None else snapshot.spans:
            assert snapshot is not None
            after = True if span.start is None else arrivals.time >= span.start
            before = True if span.end is None else arrivals.time < span.end
            rows = np.flatnonzero(np.broadcast_to(after & before, new.shape))
            if len(rows):
                new[rows] = False
                new[rows[snapshot.load(span).news(arrivals.take(rows)).rows]] = True
        return new


def joined(parts: Sequence[Arrivals]) -> Arrivals:
    """Return the rows of several as one; all have the same columns."""
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    return Arrivals(
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.available_at for part in parts]),
        np.concatenate([part.known_at for part in parts]),
        np.concatenate([part.assumed for part in parts]),
        {name: np.concatenate([part.columns[name] for part in parts]) for name in first.columns},
        first.source,
    )
