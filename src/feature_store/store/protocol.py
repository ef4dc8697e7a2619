"""What a store does: take rows, give bars as of a moment, say what it holds. Small, so that a twin is cheap to write.

Every row has three times: `time`, when its bar opened; `available_at`, when the bar closed; `known_at`, when we learned these
values. Nothing is edited: a correction is another row of the same `time`. Of the rows of one time a read as of K takes, among
those with `known_at <= K`, the one with the latest `known_at`; of equal ones the one that arrived last. No row is known
before its bar closed, so nothing known at K is unavailable at K. A row without prices (all NaN) is a deletion: from its
`known_at` on there is no bar.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from feature_store.bars import COLUMNS
from feature_store.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray

    from feature_store.bars import Bars, Floats, Integers, Symbol, Timeframe
    from feature_store.indicators.custom import Draft
    from feature_store.indicators.definition import Definition
    from feature_store.indicators.registry import Registry
    from feature_store.store.feature_sets import FeatureSets
    from feature_store.store.journal import Journal
    from feature_store.store.snapshot import Snapshot

    Booleans = NDArray[np.bool_]


@dataclass(frozen=True, eq=False, slots=True)
class Arrivals:
    """Rows of one series on their way into a store: no two have the same `time` and `known_at`.

    Args:
        time: bar opens, in UTC microseconds.
        available_at: bar closes.
        known_at: when the values were learned, never before `available_at`.
        assumed: where `known_at` is not known and `available_at` stands in for it.
        columns: float64 by column name; NaN where the source has no value.
        source: who said so.
    """

    time: Integers
    available_at: Integers
    known_at: Integers
    assumed: Booleans
    columns: Mapping[str, Floats]
    source: str = ""

    def __len__(self) -> int:
        return len(self.time)

    def take(self, rows: Integers | slice) -> Arrivals:
        """Return some of the rows."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Arrivals(
            self.time[rows], self.available_at[rows], self.known_at[rows], self.assumed[rows], columns, self.source
        )


def deletion(bars: Bars, known_at: int) -> Arrivals:
    """Return the rows that say from `known_at` on that there are no such bars; not before each bar has closed."""
    closes = Calendar.of(bars.symbol).bar_close(bars.time, bars.timeframe)
    nothing = dict.fromkeys(COLUMNS, np.full(len(bars), np.nan))
    known = np.maximum(closes, known_at)
    return Arrivals(bars.time, closes, known, np.zeros(len(bars), dtype=np.bool_), nothing, "deletion")


@dataclass(frozen=True, slots=True)
class Series:
    """A stored series: how many bars it has as known now, and the opens of its first and last."""

    symbol: str
    timeframe: str
    rows: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Edition:
    """Which state of a series a read saw: it changes with every row that is added.

    Args:
        rows: how many rows were ever added, corrections included.
        latest_known_at: the latest `known_at` among them; a read as of any later moment sees the same.
        first: the open of its first bar, in UTC microseconds.
    """

    rows: int
    latest_known_at: int
    first: int


@dataclass(frozen=True, eq=False, slots=True)
class FeatureBlock:
    """Computed columns of one series, by bar open and bar close; among blocks the later rows of a time win."""

    time: Integers
    available_at: Integers
    columns: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, rows: slice) -> FeatureBlock:
        """Return the rows of a slice, without copying."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return FeatureBlock(self.time[rows], self.available_at[rows], columns)


@dataclass(frozen=True, slots=True)
class CompactReport:
    """What a run did.

    Args:
        folders: how many were rewritten.
        before: how many files those had.
        rows: how many rows those hold.
        removed: how many files that were out of use for long enough were removed.
    """

    folders: int = 0
    before: int = 0
    rows: int = 0
    removed: int = 0

    def __add__(self, other: CompactReport) -> CompactReport:
        return CompactReport(
            self.folders + other.folders,
            self.before + other.before,
            self.rows + other.rows,
            self.removed + other.removed,
        )

    def __str__(self) -> str:
        what = (
            f"{self.before} files of {self.rows} rows are {self.folders} now" if self.folders else "nothing to compact"
        )
        return f"{what}; {self.removed} old files removed"


class FeatureTables(Protocol):
    """Keeps computed columns, one table for each timeframe and set of features."""

    def hold(self, symbol: Symbol, timeframe: Timeframe, set_id: str, bucket: str, block: FeatureBlock) -> int:
        """Make a bucket hold the rows of a block and no others; return how many of them are new or changed, or gone."""

    def read(self, symbol: Symbol, timeframe: Timeframe, set_id: str) -> FeatureBlock | None:
        """Return the latest row of each time, in order of time; None where there is no such table or series."""

    def state(self, symbol: Symbol, timeframe: Timeframe, set_id: str, bucket: str) -> str:
        """Return a word that changes when the rows of a bucket do; empty where it has none."""

    def path(self, timeframe: Timeframe, set_id: str) -> str:
        """Return where the table is, for other programs."""


class Definitions(Protocol):
    """Keeps custom indicators."""

    def registry(self) -> Registry:
        """Return what names mean now: the custom indicators, and the built-ins."""

    def register(self, draft: Draft) -> Definition:
        """Add a version, or none where the newest has this content; return the definition."""


class Store(Protocol):
    """Keeps bars, and beside them the features that were asked to be kept."""

    @property
    def features(self) -> FeatureTables:
        """The tables of computed columns."""

    @property
    def definitions(self) -> Definitions:
        """The custom indicators."""

    @property
    def sets(self) -> FeatureSets:
        """The named sets of features."""

    @property
    def journal(self) -> Journal:
        """What was imported from files."""

    def write(self, symbol: Symbol, timeframe: Timeframe, arrivals: Arrivals) -> int:
        """Add the rows that are not known already and return how many those were; all of them or none are kept."""

    def snapshot(self, symbol: Symbol, timeframe: Timeframe) -> Snapshot | None:
        """Return the series as it stands now, to read bars from, or None where the store holds nothing of it."""

    def series(self) -> list[Series]:
        """Return what is held, by symbol and timeframe."""

    def flush(self) -> int:
        """Move rows to where other programs read them, and return how many those were."""

    def compact(self) -> CompactReport:
        """Keep the same rows in fewer files; no answer changes."""

    def close(self) -> None:
        """Let go of files, memory and locks."""
