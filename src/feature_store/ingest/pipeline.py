"""Files and frames into a store: every row is stored, known already, or quarantined with a reason.

1. Every file is opened and held against what was asked for (`series_of`), and refused before any work where it is of another
   symbol or timeframe. A zip may hold several data files; each is a source.
2. A source that the journal knows, and whose rows the store has as they were left, is answered from there (`remembered`).
3. The others are read: their clock is found (`placing`), rows are checked (`bars_in`) or made into bars (`ticks_in`), and
   written in commits of many rows. Files of ticks are read in the order of their first ticks, and a bar may begin in one and
   end in the next.
4. When all rows of a source last, the journal is told, and the report is handed out.

Whatever stops it, commits that were made last, sources in the journal are not read again, and the rows of one that was
half read are known when they come again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from feature_store.calendar import Calendar
from feature_store.errors import ConflictError, FeatureStoreError, UnsupportedFileError
from feature_store.events import Ingested, emit
from feature_store.ingest.account import Account, Sink
from feature_store.ingest.bars_in import bars_in
from feature_store.ingest.checks import Rules
from feature_store.ingest.job import Job, Wish, jobs_in
from feature_store.ingest.placing import UTC, Piece, placed
from feature_store.ingest.progress import Progress
from feature_store.ingest.readers.reader import in_batches
from feature_store.ingest.remembered import Remembered
from feature_store.ingest.series_of import OF_TICKS, OTHERWISE, step
from feature_store.ingest.spelling import are_ticks
from feature_store.ingest.ticks_in import TickIntake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from feature_store.bars import Symbol
    from feature_store.ingest.frames import Table
    from feature_store.ingest.moments import Moments
    from feature_store.ingest.progress import Tell
    from feature_store.ingest.report import IngestReport
    from feature_store.store.journal import Import
    from feature_store.store.protocol import Store

    Outcome = tuple[Path, IngestReport | FeatureStoreError]

__all__ = ["Wish", "ingest_files", "ingest_frame"]


def ingest_frame(store: Store, table: Table, wish: Wish, now: int) -> IngestReport:
    """Store the bars of a frame, or its ticks as bars; times that carry no zone are UTC, or of the zone that was named."""
    ticks = are_ticks(table.names)
    timeframe = wish.timeframe or (OF_TICKS if ticks else step(table) or OTHERWISE)
    account, named = Account(), wish.named or UTC
    rules = Rules(wish.symbol, timeframe, wish.known_at, wish.source, now, named)
    pieces = [Piece(part) for part in in_batches(table, wish.batch)]
    placing = named.where_none_is_carried(pieces[0].local)
    sink = Sink(store, wish.symbol, timeframe, wish.dry_run)
    if ticks:
        intake = TickIntake(rules, sink)
        for piece in pieces:
            intake.take(piece.table, placing.moments(piece.local), account, wish.source)
        intake.finish()
    else:
        bars_in(pieces, placing, rules, sink, account)
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
    jobs: list[Job] = []
    wish.named  # noqa: B018  a zone that nobody knows is refused before any file
    for path in paths:
        try:
            jobs += jobs_in(path, wish)
        except (UnsupportedFileError, ConflictError) as problem:
            yield path, problem
    run = _Run(store, wish, now, Remembered(store, wish, now), Progress([job.source.member for job in jobs], tell))
    yield from run.bars([job for job in jobs if job.source.kind == "bars"])
    yield from run.ticks([job for job in jobs if job.source.kind == "ticks"])


@dataclass
class _Chain:
    """Sources of ticks that follow one another without a gap, those whose ticks are not all in the store yet."""

    intake: TickIntake | None = None
    jobs: list[Job] = field(default_factory=list)

    def ends_before(self, first: int | None) -> bool:
        """Return whether no bar is open that goes on at a moment."""
        return self.intake is None or (first is not None and self.intake.end <= first)

    def goes_back(self, moments: Moments) -> bool:
        """Return whether the first of these times is earlier than what was taken."""
        begun = moments.time[moments.readable][:1]
        return self.intake is not None and bool((begun < self.intake.last).any())


@dataclass(frozen=True, eq=False)
class _Run:
    """One run over sources."""

    store: Store
    wish: Wish
    now: int
    remembered: Remembered
    progress: Progress

    # ---------------------------------------------------------------- bars
    def bars(self, jobs: list[Job]) -> Iterator[Outcome]:
        """Take sources of bars, one after another."""
        for job in jobs:
            entry = self.remembered.answer_for(job)
            if entry is not None:
                yield self._answered(job, entry)
                continue
            try:
                bars_in(self._pieces(job), job.placing, self._rules(job), self._sink(job), job.account)
            except UnsupportedFileError as problem:
                yield job.path, _stopped(problem, job)
            else:
                yield self._done(job)

    # ---------------------------------------------------------------- ticks
    def ticks(self, jobs: list[Job]) -> Iterator[Outcome]:
        """Take sources of ticks in the order of their first ticks; a bar may go on from one to the next."""
        jobs = sorted(jobs, key=lambda job: (job.begins, job.name))
        chain = _Chain()
        for job, entry in zip(jobs, _alone([self.remembered.answer_for(job) for job in jobs]), strict=True):
            if entry is not None and chain.ends_before(entry.first):
                yield from self._finished(chain)
                yield self._answered(job, entry)
            else:
                yield from self._take(job, chain)
        yield from self._finished(chain)

    def _take(self, job: Job, chain: _Chain) -> Iterator[Outcome]:
        """Take the ticks of a source, and hand out the reports of those that are complete with them."""
        try:
            for piece in self._pieces(job):
                moments = job.placing.moments(piece.local)
                if not job.account.read and chain.goes_back(moments):
                    yield from self._finished(chain)
                chain.intake = chain.intake or TickIntake(self._rules(job), self._sink(job))
                chain.intake.take(piece.table, moments, job.account, self._rules(job).source)
        except UnsupportedFileError as problem:
            yield job.path, _stopped(problem, job)
        else:
            chain.jobs.append(job)
        if chain.intake is not None:
            chain.intake.flush()
            complete = [each for each in chain.jobs if not chain.intake.concerns(each.account)]
            chain.jobs = [each for each in chain.jobs if each not in complete]
            yield from map(self._done, complete)

    def _finished(self, chain: _Chain) -> Iterator[Outcome]:
        """Store the open bar as it stands, hand out the reports that waited for it, and leave the chain empty."""
        if chain.intake is not None:
            chain.intake.finish()
        complete, chain.jobs, chain.intake = chain.jobs, [], None
        yield from map(self._done, complete)

    # ---------------------------------------------------------------- each source
    def _pieces(self, job: Job) -> Iterator[Piece]:
        """Find out what places a source's times, and return its rows, of which progress is told."""
        member, looked_at = job.source.member, 0

        def seen(piece: Piece) -> None:
            nonlocal looked_at
            looked_at += len(piece.table)
            self.progress.read(member, looked_at, 0.5)

        job.placing, pieces = placed(
            job.source,
            self.wish.named,
            rests=Calendar.of(self.wish.symbol).rests,
            bar_length=0 if job.source.kind == "ticks" else job.timeframe.microseconds,
            batch=self.wish.batch,
            latest=self.now,
            seen=seen,
        )
        return self._followed(job, pieces)

    def _followed(self, job: Job, pieces: Iterator[Piece]) -> Iterator[Piece]:
        rows = 0
        for piece in pieces:
            yield piece
            rows += len(piece.table)
            self.progress.read(job.source.member, rows)

    def _rules(self, job: Job) -> Rules:
        wish = self.wish
        source = wish.source or job.path.name
        return Rules(wish.symbol, job.timeframe, wish.known_at, source, self.now, wish.named or UTC)

    def _sink(self, job: Job) -> Sink:
        return Sink(self.store, self.wish.symbol, job.timeframe, self.wish.dry_run)

    def _answered(self, job: Job, entry: Import) -> Outcome:
        self.progress.done(job.source.member)
        return job.path, self.remembered.report_of(entry)

    def _done(self, job: Job) -> Outcome:
        """Tell the journal and whoever counts, and return the report."""
        report = job.report()
        if not self.wish.dry_run:
            self.remembered.record(job, report)
            _emit(self.wish.symbol, job.account, report)
        self.progress.done(job.source.member)
        return job.path, report


def _alone(entries: list[Import | None]) -> list[Import | None]:
    """Return the imports that answer for sources of ticks; None where the next one is to be read and may share a bar.

    A source that is read needs the ticks of its first bar in the one before.
    """
    found = [entry if _share_no_bar(entry, after) else None for entry, after in pairwise(entries)]
    return [*found, *entries[-1:]]


def _share_no_bar(entry: Import | None, after: Import | None) -> bool:
    if entry is None or after is None or entry.last is None or after.first is None:
        return False
    return after.first > entry.last


def _stopped(problem: UnsupportedFileError, job: Job) -> UnsupportedFileError:
    """Return the error of a source that broke off, with what had been stored of it."""
    if not job.account.stored:
        return problem
    return UnsupportedFileError(f"{problem}; {job.account.stored:,} rows before that are stored", field=problem.field)


def _emit(symbol: Symbol, account: Account, report: IngestReport) -> None:
    last = account.last if report.bars else None
    emit(Ingested(symbol.name, report.timeframe, report.bars, len(report.quarantined), last))
