"""The store in a folder or an object store: Delta tables, one a timeframe, under `<home>/bars/<timeframe>`.

A table is partitioned by symbol and bucket (`buckets`). Within a partition rows are numbered as they arrive, and a file's name
tells which numbers, times and `known_at` it holds, so that a read opens only the files it needs. Recently used partitions stay
in memory as a `History`, under a byte budget; what this or another process adds is added to them.

A write decides what is new, makes it last, and tells, in that order and under the folder's lock. So repeating a write
that failed anywhere is safe and adds nothing twice. A few rows go to the tail, which moves to the history as it fills; many go
to the history at once, behind those of the tail. In an object store there is no tail and no lock: a writer that another one
overtook decides anew.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import RLock
from typing import TYPE_CHECKING

from feature_store.bars import TIMEFRAMES, Symbol, Timeframe
from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.recent import Recent
from feature_store.store.buckets import bounds, buckets
from feature_store.store.definitions import SqliteDefinitions
from feature_store.store.delta_features import DeltaFeatures
from feature_store.store.delta_table import NewFile, OvertakenError, VerifiedTable
from feature_store.store.history import History, merge
from feature_store.store.layout import BAR_SCHEMA, HISTORY_COLUMNS, bar_file, folder_of, history_of
from feature_store.store.lock import WriterLock
from feature_store.store.object_definitions import ObjectDefinitions
from feature_store.store.places import LocalPlace, place_of
from feature_store.store.protocol import Series
from feature_store.store.rows import Facts, Rows
from feature_store.store.snapshot import Snapshot, Span
from feature_store.store.tail import Pending, Tail
from feature_store.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from feature_store.store.protocol import Arrivals

_CACHED_BYTES = 512 * 2**20
_FEW_ROWS = 1_000
_FULL_ROWS, _FULL_WRITES = 4_096, 1_024
_TRIES = 20
_TAIL = "tail"


@dataclass(frozen=True, slots=True)
class Stored:
    """Some consecutive rows of a bucket, in a file or in the tail."""

    facts: Facts
    where: str | Pending


class DeltaStore:
    """Bars and feature sets in `home`; safe to share among threads, and readable by any number of processes.

    Args:
        home: a folder, or an address such as `s3://bucket/market`.
        options: what gets into an object store.
        cached_bytes: how much of the bars to keep in memory.
        few_rows: how many rows a write may have to go to the tail; 0 commits every write to the history.
    """

    def __init__(
        self,
        home: Path | str,
        *,
        options: Mapping[str, str] | None = None,
        cached_bytes: int = _CACHED_BYTES,
        few_rows: int = _FEW_ROWS,
    ) -> None:
        self.place = place_of(home, options)
        self._using = RLock()
        self._tables: dict[Timeframe, VerifiedTable] = {}
        self._kept: Recent[tuple[Timeframe, str], History] = Recent(cached_bytes)
        self._few_rows = few_rows
        folder = self.place.root if isinstance(self.place, LocalPlace) else None
        self.home = self.place.address if folder is None else folder
        self._lock = None if folder is None else WriterLock(folder)
        self._tail = None if folder is None else Tail(folder)
        self.features = DeltaFeatures(self.place, self.writing, self._using)
        self.definitions = ObjectDefinitions(self.place) if folder is None else SqliteDefinitions(folder)

    def __repr__(self) -> str:
        return f"<DeltaStore {self.place.address}>"

    def writing(self) -> AbstractContextManager[None]:
        """Hold off other writers of the folder; raises StoreLockedError when another process writes."""
        return nullcontext() if self._lock is None else self._lock.writing()

    # ---------------------------------------------------------------- in
    def write(self, symbol: Symbol, timeframe: Timeframe, arrivals: Arrivals) -> int:
        """Add the rows that are not known already and return how many those were; they last at return.

        Raises StoreLockedError when another process writes to the folder, CorruptDataError when it is damaged, and
        FeatureStoreError when the disk fails. Repeating it is safe after any of them.
        """
        with self.writing(), self._using:
            for _ in range(_TRIES):
                try:
                    return self._write(symbol, timeframe, arrivals)
                except OvertakenError:
                    continue
            raise _contended(self.place.address)

    def flush(self) -> int:
        """Move the tail to the history and return how many rows that were; other programs read the history alone."""
        with self.writing(), self._using:
            return sum(self._flush(timeframe, []) for timeframe in TIMEFRAMES)

    def _write(self, symbol: Symbol, timeframe: Timeframe, arrivals: Arrivals) -> int:
        self._table(timeframe).begin()
        parts = self._parts(timeframe)
        news: list[tuple[str, str, Rows]] = []
        for bucket, rows in buckets(timeframe, arrivals.time):
            part, folder = arrivals.take(rows), folder_of(symbol, bucket)
            new = self._history(timeframe, folder, parts.get(folder, [])).news(part)
            if len(new):
                news.append((timeframe.name, folder, Rows(part.take(new.rows), new.revision, new.sequence, new.bars)))
        count = sum(len(rows) for _, _, rows in news)
        if self._tail is not None and count <= self._few_rows:
            if news:
                self._tail.append(news)
            if self._is_full(timeframe):
                self._flush(timeframe, [])
        elif news:
            self._flush(timeframe, [(folder, rows) for _, folder, rows in news])
        return count

    def _is_full(self, timeframe: Timeframe) -> bool:
        pending = self._pending(timeframe)
        return len(pending) >= _FULL_WRITES or sum(each.facts.rows for each in pending) >= _FULL_ROWS

    def _flush(self, timeframe: Timeframe, news: list[tuple[str, Rows]]) -> int:
        """Commit what is in the tail, and news behind it; return how many rows that were."""
        table = self._table(timeframe)
        table.begin()
        pending = self._pending(timeframe)
        parts: dict[str, list[Rows]] = {}
        for folder, rows in (*((each.folder, each.rows) for each in pending), *news):
            parts.setdefault(folder, []).append(rows)
        if parts:
            upto = {_TAIL: pending[-1].number} if pending else {}
            table.append([_file(folder, rows) for folder, rows in parts.items()], upto)
        if self._tail is not None:
            table.files()
            self._tail.drop(timeframe.name, table.transaction(_TAIL))
        return sum(len(rows) for folder in parts.values() for rows in folder)

    # ---------------------------------------------------------------- out
    def snapshot(self, symbol: Symbol, timeframe: Timeframe) -> Snapshot | None:
        """Return the series as it stands now, or None where nothing of it is stored.

        Reading it raises CorruptDataError for damaged bytes.
        """
        with self._using:
            parts = {f: p for f, p in self._parts(timeframe).items() if f.startswith(folder_of(symbol, ""))}
        if not parts:
            return None
        folders = {folder.rpartition("=")[2]: folder for folder in sorted(parts)}

        def load(span: Span) -> History:
            folder = folders[span.bucket]
            return self._history(timeframe, folder, parts[folder])

        spans = tuple(_span(timeframe, bucket, parts[folder]) for bucket, folder in folders.items())
        return Snapshot(symbol, timeframe, spans, load)

    def series(self) -> list[Series]:
        """Return what is stored, by symbol and timeframe, without opening a data file."""
        found: dict[tuple[str, Timeframe], list[Facts]] = {}
        with self._using:
            for timeframe in TIMEFRAMES:
                for folder, parts in self._parts(timeframe).items():
                    symbol = Symbol.parse(folder.split("/")[0].partition("=")[2])
                    found.setdefault((symbol.name, timeframe), []).extend(part.facts for part in parts)
        return [_described(symbol, timeframe, facts) for (symbol, timeframe), facts in sorted(found.items())]

    def close(self) -> None:
        """Let another process write, and forget what was read."""
        with self._using:
            if self._lock is not None:
                self._lock.release()
            if self._tail is not None:
                self._tail.close()
            self._tables.clear()
            self._kept.clear()
            self.features.close()
            self.definitions.close()

    # ---------------------------------------------------------------- parts
    def _table(self, timeframe: Timeframe) -> VerifiedTable:
        if timeframe not in self._tables:
            self._tables[timeframe] = VerifiedTable(self.place.inside(f"bars/{timeframe.name}"), BAR_SCHEMA)
        return self._tables[timeframe]

    def _parts(self, timeframe: Timeframe) -> dict[str, list[Stored]]:
        """Return what is stored of a timeframe by folder, each in the order of its numbers: the history, then the tail."""
        table = self._table(timeframe)
        pending = None
        while pending is None:
            files = table.files()
            pending = [] if self._tail is None else self._tail.pending(timeframe.name, table.transaction(_TAIL))
        parts = {folder: [Stored(Facts.of(file), file) for file in names] for folder, names in files.items()}
        for each in pending:
            parts.setdefault(each.folder, []).append(Stored(each.facts, each))
        for folder in parts.values():
            folder.sort(key=lambda part: part.facts.sequence)
        return parts

    def _pending(self, timeframe: Timeframe) -> list[Pending]:
        if self._tail is None:
            return []
        return self._tail.pending(timeframe.name, self._table(timeframe).transaction(_TAIL)) or []

    def _history(self, timeframe: Timeframe, folder: str, parts: list[Stored]) -> History:
        """Return the history in these parts of a bucket; what is kept of it is extended by rows that are new."""
        rows = parts[-1].facts.end if parts else 0
        known = self._kept.get((timeframe, folder)) or History.empty()
        if len(known) >= rows:
            return known.until(rows)
        table = self._table(timeframe)
        news = [_read(table, part).since(len(known)) for part in parts if part.facts.end > len(known)]
        history = merge([known, *news])
        _refuse_gaps(table, folder, history, rows)
        self._kept.put((timeframe, folder), history, history.nbytes)
        return history


def _read(table: VerifiedTable, part: Stored) -> History:
    if isinstance(part.where, Pending):
        return part.where.rows.history
    return history_of(table.read(part.where, HISTORY_COLUMNS))


def _refuse_gaps(table: VerifiedTable, folder: str, history: History, rows: int) -> None:
    """Raise CorruptDataError where rows of a bucket are missing between its parts, or stand in two of them."""
    if len(history) != rows or int(history.sequence.sum()) != rows * (rows - 1) // 2:
        msg = (
            f"{table.place.address}/{folder} should hold {rows} rows and holds {len(history)}; nothing of it was used. "
            f"`feature-store doctor` says what is missing"
        )
        raise CorruptDataError(msg)


def _span(timeframe: Timeframe, bucket: str, parts: list[Stored]) -> Span:
    facts = Facts.together([part.facts for part in parts])
    start, end = bounds(timeframe, bucket)
    return Span(
        bucket, start, end, facts.rows, facts.bars, facts.first, facts.last, facts.latest_known_at, facts.content
    )


def _file(folder: str, parts: list[Rows]) -> NewFile:
    partition = dict(level.split("=") for level in folder.split("/"))
    facts, frame = bar_file(Symbol.parse(partition["symbol"]), parts)
    return NewFile(partition, facts.stem, frame)


def _contended(address: str) -> FeatureStoreError:
    msg = f"other writers have overtaken this one {_TRIES} times at {address}; try again, or let fewer write at once"
    return FeatureStoreError(msg)


def _described(symbol: str, timeframe: Timeframe, facts: list[Facts]) -> Series:
    first, last = min(f.first for f in facts), max(f.last for f in facts)
    return Series(symbol, timeframe.name, sum(f.bars for f in facts), to_datetime(first), to_datetime(last))
