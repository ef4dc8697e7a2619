"""The store in a folder: Delta tables, one a timeframe, under `<home>/bars/<timeframe>`.

A table is partitioned by symbol and bucket: a year for timeframes below five minutes, `all` for the others. Within a
partition rows are numbered as they arrive, and a file's name tells which numbers, times and `known_at` it holds, so
that a read opens only the files it needs. Recently used partitions stay in memory as a `History`, under a byte budget;
what this or another process commits is added to them.

A write decides what is new, commits it and syncs it, in that order and under the folder's lock. So repeating a write
that failed anywhere is safe and adds nothing twice.
"""

from __future__ import annotations

from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

from feature_store.bars import TIMEFRAMES, Symbol, Timeframe
from feature_store.recent import Recent
from feature_store.store.definitions import SqliteDefinitions
from feature_store.store.delta_features import DeltaFeatures
from feature_store.store.delta_table import NewFile, VerifiedTable
from feature_store.store.history import History, Snapshot, merge
from feature_store.store.layout import BAR_SCHEMA, HISTORY_COLUMNS, Facts, bar_rows, buckets, folder_of, history_of
from feature_store.store.lock import WriterLock
from feature_store.store.protocol import Edition, Series
from feature_store.times import to_datetime

if TYPE_CHECKING:
    from feature_store.store.protocol import Arrivals

_CACHED_BYTES = 512 * 2**20


class DeltaStore:
    """Bars and feature sets in the folder `home`; safe to share among threads, and readable by any number of processes."""

    def __init__(self, home: Path | str, *, cached_bytes: int = _CACHED_BYTES) -> None:
        self.home = Path(home).resolve()
        self._lock = WriterLock(self.home)
        self._using = RLock()
        self._tables: dict[Timeframe, VerifiedTable] = {}
        self._kept: Recent[tuple[Timeframe, str], tuple[list[str], History]] = Recent(cached_bytes)
        self.features = DeltaFeatures(self.home, self._lock, self._using)
        self.definitions = SqliteDefinitions(self.home)

    def __repr__(self) -> str:
        return f"<DeltaStore {self.home}>"

    def write(self, symbol: Symbol, timeframe: Timeframe, arrivals: Arrivals) -> int:
        """Add the rows that are not known already and return how many those were; they are on the disk at return.

        Raises StoreLockedError when another process writes to the folder, CorruptDataError when it is damaged, and
        FeatureStoreError when the disk fails. Repeating it is safe after any of them.
        """
        with self._lock.writing(), self._using:
            table = self._table(timeframe)
            table.begin()
            files = []
            for bucket, rows in buckets(timeframe, arrivals.time):
                part = arrivals.take(rows)
                folder = folder_of(symbol, bucket)
                _, new = self._history(timeframe, folder, table.files().get(folder, [])).add(part)
                if len(new):
                    facts, frame = bar_rows(symbol, part, new)
                    files.append(NewFile({"symbol": symbol.key, "bucket": bucket}, facts.stem, frame))
            if files:
                table.append(files)
            return sum(len(file.rows) for file in files)

    def snapshot(self, symbol: Symbol, timeframe: Timeframe) -> Snapshot | None:
        """Return the series as it stands now, or None where nothing of it is stored.

        Reading it raises CorruptDataError for damaged bytes.
        """
        with self._using:
            folders = self._folders(symbol, timeframe)
        facts = [Facts.of(file) for files in folders.values() for file in files]
        if not facts:
            return None

        def histories(start: int | None, end: int | None) -> list[History]:
            wanted = [f for f, files in folders.items() if any(_touches(file, start, end) for file in files)]
            with self._using:
                return [self._history(timeframe, folder, folders[folder]) for folder in sorted(wanted)]

        rows, known, first = (
            sum(f.rows for f in facts),
            max(f.latest_known_at for f in facts),
            min(f.first for f in facts),
        )
        return Snapshot(symbol, timeframe, Edition(rows, known, first), histories)

    def series(self) -> list[Series]:
        """Return what is stored, by symbol and timeframe, without opening a data file."""
        found: dict[tuple[str, Timeframe], list[Facts]] = {}
        with self._using:
            for timeframe in TIMEFRAMES:
                for folder, files in self._table(timeframe).files().items():
                    symbol = Symbol.parse(folder.split("/")[0].partition("=")[2])
                    found.setdefault((symbol.name, timeframe), []).extend(map(Facts.of, files))
        return [_described(symbol, timeframe, facts) for (symbol, timeframe), facts in sorted(found.items())]

    def close(self) -> None:
        """Let another process write, and forget what was read."""
        with self._using:
            self._lock.release()
            self._tables.clear()
            self._kept.clear()
            self.features.close()
            self.definitions.close()

    def _table(self, timeframe: Timeframe) -> VerifiedTable:
        if timeframe not in self._tables:
            self._tables[timeframe] = VerifiedTable(self.home / "bars" / timeframe.name, BAR_SCHEMA)
        return self._tables[timeframe]

    def _folders(self, symbol: Symbol, timeframe: Timeframe) -> dict[str, list[str]]:
        beginning = folder_of(symbol, "")
        return {f: files for f, files in self._table(timeframe).files().items() if f.startswith(beginning)}

    def _history(self, timeframe: Timeframe, folder: str, files: list[str]) -> History:
        """Return the history in these files of a partition; what is kept of it is extended by files that are new."""
        files = sorted(files, key=_sequence)
        known, history = self._kept.get((timeframe, folder)) or ([], History.empty())
        if files == known:
            return history
        older = len(files) < len(known)
        if files[: len(known)] != known:
            known, history = [], History.empty()
        table = self._table(timeframe)
        news = [history_of(file, table.read(file, HISTORY_COLUMNS)) for file in files[len(known) :]]
        history = merge([history, *news])
        if not older:
            self._kept.put((timeframe, folder), (files, history), history.nbytes)
        return history


def _sequence(file: str) -> int:
    return Facts.of(file).sequence


def _touches(file: str, start: int | None, end: int | None) -> bool:
    facts = Facts.of(file)
    return (end is None or facts.first < end) and (start is None or facts.last >= start)


def _described(symbol: str, timeframe: Timeframe, facts: list[Facts]) -> Series:
    first, last = min(f.first for f in facts), max(f.last for f in facts)
    return Series(symbol, timeframe.name, sum(f.bars for f in facts), to_datetime(first), to_datetime(last))
