"""Files and frames into a store: every row is stored, known already, or quarantined with a reason.

1. Every file is opened and held against what was asked for (`series_of`), and refused before any work where it is of another
   symbol or timeframe. A zip may hold several data files; each is a source.
2. A source that the journal knows, by its bytes and by how it is to be read, and whose rows the store has as they were left,
   is answered from the journal.
3. The others are read: their clock is found (`placing`), rows are checked (`bars_in`) or made into bars (`ticks_in`), and
   written in commits of many rows. Files of ticks are read in the order of their first ticks, and a bar may begin in one and
   end in the next.
4. When all rows of a source last, the journal is told, and the report is handed out.

Whatever stops it, commits that were made last, sources in the journal are not read again, and the rows of one that was
half read are known when they come again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from feature_store import json_codec
from feature_store.calendar import Calendar
from feature_store.errors import ConflictError, FeatureStoreError, UnsupportedFileError
from feature_store.events import Ingested, emit
from feature_store.ingest.account import Account, Sink
from feature_store.ingest.bars_in import bars_in
from feature_store.ingest.checks import FORMING, Rules
from feature_store.ingest.placing import UTC, Piece, Placing, placed
from feature_store.ingest.progress import Progress
from feature_store.ingest.readers.reader import BATCH, in_batches
from feature_store.ingest.report import IngestReport, Quarantine, Rejected
from feature_store.ingest.series_of import OTHERWISE, first_time, step, timeframe_of
from feature_store.ingest.source import open_sources
from feature_store.ingest.ticks_in import TickIntake
from feature_store.store.journal import BadRow, Import
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from feature_store.bars import Symbol, Timeframe
    from feature_store.ingest.frames import Table
    from feature_store.ingest.progress import Tell
    from feature_store.ingest.source import Source
    from feature_store.store.protocol import Store

    Outcome = tuple[Path, IngestReport | FeatureStoreError]

EDITION = 1
"""Raise it when the same bytes may give other rows than before, so that no journal answers for them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller says of the rows.

    Args:
        symbol: whose they are.
        timeframe: what to store them as; None means what they are.
        known_at: when they were learned, in UTC microseconds; see `Rules`.
        source: who said so; a file's name by default.
        tz: the zone or clock of times that carry none; None means what the source says or shows.
        format: the reader; None asks the file.
        dry_run: whether to count only.
        again: whether to read what the journal knows.
        batch: how many rows to look at together.
    """

    symbol: Symbol
    timeframe: Timeframe | None = None
    known_at: int | None = None
    source: str = ""
    tz: str | None = None
    format: str | None = None
    dry_run: bool = False
    again: bool = False
    batch: int = BATCH

    @property
    def options(self) -> str:
        """What decides how a file is read, as text."""
        words = {"format": self.format, "tz": self.tz, "known_at": self.known_at, "edition": EDITION}
        return json_codec.dumps({name: value for name, value in words.items() if value is not None}).decode()


@dataclass(eq=False)
class _Job:
    """A source on its way: what it belongs to, and its account."""

    source: Source
    timeframe: Timeframe
    begins: int = 0
    account: Account = field(default_factory=Account)
    placing: Placing = UTC

    @property
    def path(self) -> Path:
        return self.source.member.path

    @property
    def name(self) -> str:
        member = self.source.member
        return member.path.name if member.inside is None else f"{member.path.name} ({member.inside})"


def ingest_frame(store: Store, table: Table, wish: Wish, now: int) -> IngestReport:
    """Store the bars of a frame; times that carry no zone are UTC, or of the zone that was named."""
    timeframe = wish.timeframe or step(table) or OTHERWISE
    account, named = Account(), UTC if wish.tz is None else Placing.named(wish.tz)
    rules = Rules(wish.symbol, timeframe, wish.known_at, wish.source, now, named)
    pieces = [Piece(part) for part in in_batches(table, wish.batch)]
    placing = named.where_none_is_carried(pieces[0].local)
    bars_in(pieces, placing, rules, Sink(store, wish.symbol, timeframe, wish.dry_run), account)
    report = account.report(timeframe, placing)
    if not wish.dry_run:
        _emit(wish.symbol, account, report)
    return report


def ingest_files(
    store: Store, paths: Iterable[Path], wish: Wish, now: int, tell: Tell = lambda _path, _bytes: None
) -> Iterator[Outcome]:
    """Store the bars or ticks of files, and yield each source's report, or why its file cannot be read, as it is done.

    Args:
        store: where to.
        paths: the files.
        wish: what the caller says of all of them.
        now: the present moment, in UTC microseconds.
        tell: is told of bytes that were read.

    Raises InvalidRequestError for a wish that nobody can fulfil, and what a write raises.
    """
    named = None if wish.tz is None else Placing.named(wish.tz)
    jobs: list[_Job] = []
    for path in paths:
        try:
            jobs += _opened(path, wish)
        except (UnsupportedFileError, ConflictError) as problem:
            yield path, problem
    run = _Run(store, wish, named, now, Progress([job.source.member for job in jobs], tell))
    yield from run.bars([job for job in jobs if job.source.kind == "bars"])
    yield from run.ticks([job for job in jobs if job.source.kind == "ticks"])


def _opened(path: Path, wish: Wish) -> list[_Job]:
    sources = open_sources(path, format=wish.format, symbol=wish.symbol)
    jobs = [_Job(source, timeframe_of(source, wish.symbol, wish.timeframe)) for source in sources]
    for job in jobs:
        if job.source.kind == "ticks":
            job.begins = first_time(job.source)
    return jobs


@dataclass(frozen=True, eq=False)
class _Run:
    """One run over files."""

    store: Store
    wish: Wish
    named: Placing | None
    now: int
    progress: Progress

    # ---------------------------------------------------------------- bars
    def bars(self, jobs: list[_Job]) -> Iterator[Outcome]:
        """Take sources of bars, one after another."""
        for job in jobs:
            known = self._known(job)
            if known is not None:
                yield self._answered(job, known)
                continue
            try:
                bars_in(self._pieces(job), job.placing, self._rules(job), self._sink(job), job.account)
            except UnsupportedFileError as problem:
                yield job.path, _stopped(problem, job)
            else:
                yield self._done(job)

    # ---------------------------------------------------------------- ticks
    def ticks(self, jobs: list[_Job]) -> Iterator[Outcome]:
        """Take sources of ticks in the order of their first ticks; a bar may go on from one to the next."""
        jobs = sorted(jobs, key=lambda job: (job.begins, job.name))
        known = [self._known(job) for job in jobs]
        after = [*known, _NOTHING_AFTER][1:]
        known = [entry if _stands_alone(entry, next_) else None for entry, next_ in zip(known, after, strict=True)]
        intake: TickIntake | None = None
        open_: list[_Job] = []
        for job, entry in zip(jobs, known, strict=True):
            if entry is not None and (intake is None or entry.first is None or intake.end <= entry.first):
                yield from self._settled(open_, intake, finish=True)
                open_, intake = [], None
                yield self._answered(job, entry)
                continue
            try:
                for piece in self._pieces(job):
                    moments = job.placing.moments(piece.local)
                    begun = moments.time[moments.readable]
                    if intake is not None and not job.account.read and len(begun) and begun[0] < intake.last:
                        yield from self._settled(open_, intake, finish=True)
                        open_, intake = [], None
                    intake = intake or TickIntake(self._rules(job), self._sink(job))
                    intake.take(piece.table, moments, job.account, self._rules(job).source)
            except UnsupportedFileError as problem:
                yield job.path, _stopped(problem, job)
            else:
                open_.append(job)
            yield from self._settled(open_, intake)
        yield from self._settled(open_, intake, finish=True)

    def _settled(self, jobs: list[_Job], intake: TickIntake | None, *, finish: bool = False) -> Iterator[Outcome]:
        """Write what has closed, and hand out the reports of the sources all of whose ticks are in it."""
        if intake is None:
            return
        if finish:
            intake.finish()
        else:
            intake.flush()
        for job in [each for each in jobs if not intake.concerns(each.account)]:
            jobs.remove(job)
            yield self._done(job)

    # ---------------------------------------------------------------- each source
    def _pieces(self, job: _Job) -> Iterator[Piece]:
        ticks = job.source.kind == "ticks"
        member, rows = job.source.member, 0

        def looked_at(piece: Piece) -> None:
            nonlocal rows
            rows += len(piece.table)
            self.progress.read(member, rows, 0.5)

        job.placing, pieces = placed(
            job.source,
            self.named,
            rests=Calendar.of(self.wish.symbol).rests,
            bar_length=0 if ticks else job.timeframe.microseconds,
            batch=self.wish.batch,
            latest=self.now,
            seen=looked_at,
        )
        return self._followed(job, pieces)

    def _followed(self, job: _Job, pieces: Iterator[Piece]) -> Iterator[Piece]:
        rows = 0
        for piece in pieces:
            yield piece
            rows += len(piece.table)
            self.progress.read(job.source.member, rows)

    def _rules(self, job: _Job) -> Rules:
        wish = self.wish
        return Rules(
            wish.symbol, job.timeframe, wish.known_at, wish.source or job.path.name, self.now, self.named or UTC
        )

    def _sink(self, job: _Job) -> Sink:
        return Sink(self.store, self.wish.symbol, job.timeframe, self.wish.dry_run)

    def _done(self, job: _Job) -> Outcome:
        """Tell the journal and whoever counts, and return the report."""
        report = job.account.report(job.timeframe, job.placing, job.source)
        if not self.wish.dry_run:
            self._record(job, report)
            _emit(self.wish.symbol, job.account, report)
        self.progress.done(job.source.member)
        return job.path, report

    # ---------------------------------------------------------------- the journal
    def _known(self, job: _Job) -> Import | None:
        """Return the import that answers for a source; None where it is to be read."""
        if self.wish.again:
            return None
        entry = self.store.journal.seen(self._entry(job, IngestReport(0, 0, 0, Quarantine())))
        return entry if entry is not None and FORMING not in entry.reasons and self._holds(job, entry) else None

    def _holds(self, job: _Job, entry: Import) -> bool:
        """Return whether the store has the rows of an import as it left them."""
        if entry.first is None or entry.last is None:
            return job.source.kind == "bars"
        snapshot = self.store.snapshot(self.wish.symbol, job.timeframe)
        spans = {} if snapshot is None else {span.bucket: span for span in snapshot.spans}
        if any(bucket not in spans or spans[bucket].rows < rows for bucket, rows in entry.held.items()):
            return False
        for bucket, span in spans.items():
            if span.rows > entry.held.get(bucket, 0) and span.touches(entry.first, entry.last + 1):
                assert snapshot is not None
                later = snapshot.load(span).since(entry.held.get(bucket, 0))
                if ((later.time >= entry.first) & (later.time <= entry.last)).any():
                    return False
        return True

    def _answered(self, job: _Job, entry: Import) -> Outcome:
        """Return the report of an import that was done before: nothing of it is new."""
        rows = [Rejected(*row) for row in self.store.journal.rows(entry)]
        note = f"imported before, at {to_iso(entry.at)[:19]}Z, and not read again (--again reads it)"
        self.progress.done(job.source.member)
        return job.path, IngestReport(
            entry.read,
            0,
            entry.stored + entry.duplicates,
            Quarantine(rows, entry.reasons),
            entry.timezone,
            0,
            entry.timeframe,
            entry.format,
            entry.price_divisor,
            entry.side,
            (note, *entry.notes),
        )

    def _record(self, job: _Job, report: IngestReport) -> None:
        snapshot = self.store.snapshot(self.wish.symbol, job.timeframe)
        entry = replace(
            self._entry(job, report),
            first=job.account.first,
            last=job.account.last,
            held={} if snapshot is None else snapshot.pin,
        )
        rows = [
            BadRow(row.row, row.reason, {name: str(value) for name, value in row.values.items()})
            for row in report.quarantined
        ]
        self.store.journal.record(entry, rows)

    def _entry(self, job: _Job, report: IngestReport) -> Import:
        size = job.path.stat().st_size
        return Import(
            self.wish.symbol.name,
            job.timeframe.name,
            job.name,
            _digest(job.path, size, job.path.stat().st_mtime_ns),
            size,
            self.wish.options,
            self.now,
            report.format,
            report.timezone,
            report.read,
            report.stored,
            report.duplicates,
            report.bars,
            dict(report.quarantined.by_reason),
            report.price_divisor,
            report.side,
            report.notes,
        )


_NOTHING_AFTER = Import("", "", "", "", 0, "", 0, "", "", 0, 0, 0, 0, first=2**63 - 1, last=2**63 - 1)


def _stands_alone(entry: Import | None, after: Import | None) -> bool:
    """Return whether the last bar of a source of ticks has none of the next one's, as far as that is known too."""
    if entry is None or after is None or entry.last is None or after.first is None:
        return False
    return after.first > entry.last


@lru_cache(maxsize=1024)
def _digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001  a file that changes is another
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _stopped(problem: UnsupportedFileError, job: _Job) -> UnsupportedFileError:
    """Return the error of a source that broke off, with what had been stored of it."""
    if not job.account.stored:
        return problem
    return UnsupportedFileError(f"{problem}; {job.account.stored:,} rows before that are stored", field=problem.field)


def _emit(symbol: Symbol, account: Account, report: IngestReport) -> None:
    last = account.last if report.bars else None
    emit(Ingested(symbol.name, report.timeframe, report.bars, len(report.quarantined), last))
