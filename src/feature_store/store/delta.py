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

import time
from contextlib import AbstractContextManager, nullcontext
from threading import RLock
from typing import TYPE_CHECKING

from feature_store.bars import TIMEFRAMES, Symbol, Timeframe
from feature_store.errors import CorruptDataError
from feature_store.recent import Recent
from feature_store.store.buckets import buckets
from feature_store.store.compaction import RETENTION, TRIES, Compaction, contended
from feature_store.store.definitions import SqliteDefinitions
from feature_store.store.delta_features import DeltaFeatures
from feature_store.store.delta_table import NewFile, OvertakenError, RemovedFileError, VerifiedTable
from feature_store.store.feature_sets import FeatureSets
from feature_store.store.history import History, merge
from feature_store.store.journal import PlaceJournal, SqliteJournal
from feature_store.store.layout import BAR_SCHEMA, HISTORY_COLUMNS, bar_file, folder_of, history_of
from feature_store.store.lock import WriterLock
from feature_store.store.object_definitions import ObjectDefinitions
from feature_store.store.parts import Filed, Parts, Stored
from feature_store.store.places import LocalPlace, place_of
from feature_store.store.protocol import CompactReport, Series
from feature_store.store.rows import Facts, Rows
from feature_store.store.snapshot import Snapshot
from feature_store.store.tail import APPLICATION, Pending, Tail
from feature_store.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta
    from pathlib import Path

    from feature_store.store.protocol import Arrivals
    from feature_store.store.snapshot import Span

_CACHED_BYTES = 512 * 2**20
_FEW_ROWS = 1_000
_FULL_ROWS, _FULL_WRITES = 4_096, 1_024


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
        self._seen: dict[Timeframe, Parts] = {}
        self._snapshots: dict[tuple[Symbol, Timeframe], tuple[Parts, Snapshot | None]] = {}
        self._kept: Recent[tuple[Timeframe, str], History] = Recent(cached_bytes)
        self._few_rows = few_rows
        folder = self.place.root if isinstance(self.place, LocalPlace) else None
        self.home = self.place.address if folder is None else folder
        self._lock = None if folder is None else WriterLock(folder)
        self._tail = None if folder is None else Tail(folder)
        self.features = DeltaFeatures(self.place, self.writing, self._using)
        self.sets = FeatureSets(self.place)
        self.definitions = ObjectDefinitions(self.place) if folder is None else SqliteDefinitions(folder)
        self.journal = PlaceJournal(self.place) if folder is None else SqliteJournal(folder)

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
            for _ in range(TRIES):
                try:
                    return self._write(symbol, timeframe, arrivals)
                except OvertakenError:
                    continue
            raise contended(self.place.address)

    def flush(self) -> int:
        """Move the tail to the history and return how many rows that were; other programs read the history alone."""
        with self.writing(), self._using:
            return sum(self._flush(timeframe) for timeframe in TIMEFRAMES)

    def compact(self, *, min_files: int = 2, retention: timedelta = RETENTION) -> CompactReport:
        """Move the tail to the history, and put the files of each bucket that has so many or more together into one.

        No answer changes. Files that were put together stay for `retention`, for programs that still read them; those that
        were out of use for longer are removed. Raises as `write` does; what was done until then is good, and repeating it
        goes on from there.
        """
        before = time.time() - retention.total_seconds()
        with self.writing(), self._using:
            self.flush()
            report = self.features.compact(min_files, before)
            for timeframe in TIMEFRAMES:
                report += self._compaction(timeframe).whole(min_files)
                report += CompactReport(removed=len(self._table(timeframe).vacuum(before)))
            return report

    def _write(self, symbol: Symbol, timeframe: Timeframe, arrivals: Arrivals) -> int:
        self._table(timeframe).begin()
        parts = self._parts(timeframe)
        news: list[tuple[str, str, Rows]] = []
        for bucket, rows in buckets(timeframe, arrivals.time):
            part, folder = arrivals.take(rows), folder_of(symbol, bucket)
            new = self._history(timeframe, folder, parts.of(folder)).news(part)
            if len(new):
                news.append((timeframe.name, folder, Rows(part.take(new.rows), new.revision, new.sequence, new.bars)))
        count = sum(len(rows) for _, _, rows in news)
        if self._tail is not None and count <= self._few_rows:
            if news:
                self._tail.append(news, self._table(timeframe).transaction(APPLICATION))
            if _is_full(self._parts(timeframe).pending):
                self._flush(timeframe)
        elif news:
            self._commit(timeframe, parts, [(folder, rows) for _, folder, rows in news])
        return count

    def _flush(self, timeframe: Timeframe) -> int:
        """Move the tail of a timeframe to the history and return how many rows that were."""
        self._table(timeframe).begin()
        return self._commit(timeframe, self._parts(timeframe), [])

    def _commit(self, timeframe: Timeframe, parts: Parts, news: list[tuple[str, Rows]]) -> int:
        """Commit what is in the tail, and news behind it that follow upon these parts; return how many rows that were."""
        table, pending = self._table(timeframe), parts.pending
        folders: dict[str, list[Rows]] = {}
        for folder, rows in (*((each.folder, each.rows) for each in pending), *news):
            folders.setdefault(folder, []).append(rows)
        if folders:
            upto = {APPLICATION: pending[-1].number} if pending else {}
            table.append(parts.filed.files, [_file(folder, rows) for folder, rows in folders.items()], upto)
        if self._tail is not None:
            table.files()
            self._tail.drop(timeframe.name, table.transaction(APPLICATION))
        self._compaction(timeframe).tidy(folders)
        return sum(len(rows) for folder in folders.values() for rows in folder)

    # ---------------------------------------------------------------- out
    def snapshot(self, symbol: Symbol, timeframe: Timeframe) -> Snapshot | None:
        """Return the series as it stands now, or None where nothing of it is stored; the same object while nothing changes.

        Reading it raises CorruptDataError for damaged bytes.
        """
        with self._using:
            parts = self._parts(timeframe)
            seen, made = self._snapshots.get((symbol, timeframe), (None, None))
            if seen is not parts:
                made = self._snapshot(symbol, timeframe, parts)
                self._snapshots[symbol, timeframe] = parts, made
        return made

    def _snapshot(self, symbol: Symbol, timeframe: Timeframe, parts: Parts) -> Snapshot | None:
        spans = parts.spans(folder_of(symbol, "").partition("/")[0])
        if not spans:
            return None

        def load(span: Span) -> History:
            folder = folder_of(symbol, span.bucket)
            return self._history(timeframe, folder, parts.of(folder))

        return Snapshot(symbol, timeframe, spans, load)

    def series(self) -> list[Series]:
        """Return what is stored, by symbol and timeframe, without opening a data file."""
        found: dict[tuple[str, Timeframe], tuple[Span, ...]] = {}
        with self._using:
            for timeframe in TIMEFRAMES:
                parts = self._parts(timeframe)
                for folder in parts.symbols:
                    found[Symbol.parse(folder.partition("=")[2]).name, timeframe] = parts.spans(folder)
        return [_described(symbol, timeframe, spans) for (symbol, timeframe), spans in sorted(found.items())]

    def close(self) -> None:
        """Let another process write, and forget what was read."""
        with self._using:
            if self._lock is not None:
                self._lock.release()
            if self._tail is not None:
                self._tail.close()
            self._tables.clear()
            self._seen.clear()
            self._snapshots.clear()
            self._kept.clear()
            self.features.close()
            self.definitions.close()
            self.journal.close()

    # ---------------------------------------------------------------- parts
    def _table(self, timeframe: Timeframe) -> VerifiedTable:
        if timeframe not in self._tables:
            self._tables[timeframe] = VerifiedTable(
                self.place.inside(f"bars/{timeframe.name}"), BAR_SCHEMA, (APPLICATION,)
            )
        return self._tables[timeframe]

    def _parts(self, timeframe: Timeframe) -> Parts:
        """Return what is stored of a timeframe: the history first and the tail after it, so that nothing falls in between."""
        table = self._table(timeframe)
        files = table.files()
        pending = self._pending(timeframe)
        while pending is None:  # the history has moved on since, or lacks what the tail has dropped
            missing, files = files, table.files()
            if files is missing:
                raise _behind(table)
            pending = self._pending(timeframe)
        seen = self._seen.get(timeframe)
        if seen is None or seen.filed.files is not files or seen.pending is not pending:
            filed = seen.filed if seen is not None and seen.filed.files is files else Filed(files)
            seen = self._seen[timeframe] = Parts(timeframe, filed, pending)
        return seen

    def _pending(self, timeframe: Timeframe) -> Sequence[Pending] | None:
        if self._tail is None:
            return ()
        return self._tail.pending(timeframe.name, self._table(timeframe).transaction(APPLICATION))

    def _history(self, timeframe: Timeframe, folder: str, parts: list[Stored]) -> History:
        """Return the history in these parts of a bucket, looking again where files of it were put together and removed."""
        rows = parts[-1].facts.end if parts else 0
        while True:
            try:
                return self._loaded(timeframe, folder, parts).until(rows)
            except RemovedFileError as missing:
                with self._using:
                    self._table(timeframe).look_for(missing)
                    parts = self._parts(timeframe).of(folder)

    def _loaded(self, timeframe: Timeframe, folder: str, parts: list[Stored]) -> History:
        """Return the history in these parts or more; what is kept of it is extended by rows that are new."""
        rows = parts[-1].facts.end if parts else 0
        known = self._kept.get((timeframe, folder)) or History.empty()
        if len(known) >= rows:
            return known
        table = self._table(timeframe)
        news = [_read(table, part).since(len(known)) for part in parts if part.facts.end > len(known)]
        history = merge([known, *news])
        _refuse_gaps(table, folder, history, rows)
        self._kept.put((timeframe, folder), history, history.nbytes)
        return history

    def _compaction(self, timeframe: Timeframe) -> Compaction:
        return Compaction(self._table(timeframe), _numbers, _stem)


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


def _is_full(pending: Sequence[Pending]) -> bool:
    return len(pending) >= _FULL_WRITES or sum(each.facts.rows for each in pending) >= _FULL_ROWS


def _behind(table: VerifiedTable) -> CorruptDataError:
    msg = (
        f"{table.place.address} lacks rows that the tail handed over to it; nothing of it was used. "
        f"Was an older copy put in its place? Restore the whole folder from one backup"
    )
    return CorruptDataError(msg)


def _numbers(file: str) -> tuple[int, int]:
    facts = Facts.of(file)
    return facts.sequence, facts.end


def _stem(files: Sequence[str]) -> str:
    return Facts.together([Facts.of(file) for file in files]).stem


def _file(folder: str, parts: list[Rows]) -> NewFile:
    partition = dict(level.split("=") for level in folder.split("/"))
    facts, frame = bar_file(Symbol.parse(partition["symbol"]), parts)
    return NewFile(partition, facts.stem, frame)


def _described(symbol: str, timeframe: Timeframe, spans: tuple[Span, ...]) -> Series:
    first, last = min(span.first for span in spans), max(span.last for span in spans)
    return Series(symbol, timeframe.name, sum(span.bars for span in spans), to_datetime(first), to_datetime(last))
