"""What the journal knows of sources: which need not be read again, and what to write down of those that were.

An import answers for a source if it was of the same bytes, read in the same way, into the same series, and if the store has its
rows as it left them: no fewer in any part, and none added since between its first and its last bar. What was added elsewhere
does not matter. Where bars were still forming the answer would be another one now, so such a source is read again.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from feature_store.ingest.checks import FORMING
from feature_store.ingest.report import IngestReport, Quarantine, Rejected
from feature_store.store.journal import BadRow, Import
from feature_store.times import to_iso

if TYPE_CHECKING:
    from pathlib import Path

    from feature_store.ingest.job import Job, Wish
    from feature_store.store.protocol import Store
    from feature_store.store.snapshot import Snapshot

_NOTHING = IngestReport(0, 0, 0, Quarantine())


@dataclass(frozen=True, slots=True)
class Remembered:
    """The journal of a store, asked in one run.

    Args:
        store: whose journal.
        wish: how the run reads.
        now: the present moment, in UTC microseconds.
    """

    store: Store
    wish: Wish
    now: int

    def answer_for(self, job: Job) -> Import | None:
        """Return the import that answers for a source; None where it is to be read."""
        if self.wish.again:
            return None
        entry = self.store.journal.seen(self._entry(job, _NOTHING))
        if entry is None or FORMING in entry.reasons:
            return None
        if entry.first is None or entry.last is None:  # no row was good
            return entry if job.source.kind == "bars" else None
        snapshot = self.store.snapshot(self.wish.symbol, job.timeframe)
        return entry if snapshot is not None and _holds(snapshot, entry, entry.first, entry.last) else None

    def report_of(self, entry: Import) -> IngestReport:
        """Return the report of a source that an import answers for: nothing of it is new."""
        return IngestReport(
            entry.read,
            0,
            entry.stored + entry.duplicates,
            Quarantine([Rejected(*row) for row in self.store.journal.rows(entry)], entry.reasons),
            entry.timezone,
            0,
            entry.timeframe,
            entry.format,
            entry.price_divisor,
            entry.side,
            (f"imported before, at {to_iso(entry.at)[:19]}Z, and not read again (--again reads it)", *entry.notes),
        )

    def record(self, job: Job, report: IngestReport) -> None:
        """Write down a source whose rows last."""
        snapshot = self.store.snapshot(self.wish.symbol, job.timeframe)
        held = {} if snapshot is None else snapshot.pin
        entry = replace(self._entry(job, report), first=job.account.first, last=job.account.last, held=held)
        self.store.journal.record(entry, [_bad_row(row) for row in report.quarantined])

    def _entry(self, job: Job, report: IngestReport) -> Import:
        facts = job.path.stat()
        return Import(
            self.wish.symbol.name,
            job.timeframe.name,
            job.name,
            _digest(job.path, facts.st_size, facts.st_mtime_ns),
            facts.st_size,
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


def _holds(snapshot: Snapshot, entry: Import, first: int, last: int) -> bool:
    """Return whether a series has the rows of an import, which open from `first` to `last`, as it left them."""
    spans = {span.bucket: span for span in snapshot.spans}
    if any(bucket not in spans or spans[bucket].rows < rows for bucket, rows in entry.held.items()):
        return False
    for bucket, span in spans.items():
        before = entry.held.get(bucket, 0)
        if span.rows > before and span.touches(first, last + 1):
            added = snapshot.load(span).since(before).time
            if ((added >= first) & (added <= last)).any():
                return False
    return True


def _bad_row(row: Rejected) -> BadRow:
    return BadRow(row.row, row.reason, {name: str(value) for name, value in row.values.items()})


@lru_cache(maxsize=1024)
def _digest(path: Path, size: int, changed: int) -> str:  # noqa: ARG001  a file that has changed is another
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
