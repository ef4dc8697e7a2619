"""Fewer files for the same rows: the files of a folder are put together into one, in one commit that changes no data.

1. The files are read, each against its digest, and their rows put in order. Every number from the first to the last must be
   there once; a folder that is damaged stays as it is.
2. The new file is on the disk before the commit that puts it in the place of the old ones. So a crash leaves either the old
   files, and one that nobody refers to, or the new one.
3. The old files stay where they are for those who still read them, and `VerifiedTable.vacuum` removes them days later.

Rows, numbers and names of columns stay what they are, so no answer, pin or edition changes. While rows arrive, only the small
files at the end of a folder are put together, those that are not larger than all after them: a row is rewritten a few times
in years, and a folder of n rows has a few dozen files at most.
"""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.store.delta_table import NewFile, OvertakenError, RemovedFileError
from feature_store.store.layout import joined
from feature_store.store.protocol import CompactReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    import polars as pl

    from feature_store.store.delta_table import Files, VerifiedTable

    Stem = Callable[[Sequence[str]], str]
    Choice = Callable[[list[str]], list[str]]

RETENTION = timedelta(days=7)
"""How long files that were put together stay for programs that still read them."""
MANY_FILES = 32
"""A folder with more files than this is compacted when rows are added to it."""

TRIES = 20
"""How often to decide anew because another writer was first."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Compaction:
    """How the files of a table are put together.

    Args:
        table: the table.
        numbers: gives the first and the end of the numbers that a file's name tells.
        stem: gives the beginning of the name of consecutive files' one.
    """

    table: VerifiedTable
    numbers: Callable[[str], tuple[int, int]]
    stem: Stem

    def whole(self, min_files: int) -> CompactReport:
        """Put together each folder that has so many files or more; raises as `folder` does."""
        report = CompactReport()
        for folder in sorted(self.table.files()):
            report += self.folder(folder, lambda files: files if len(files) >= min_files else [])
        return report

    def tidy(self, folders: Iterable[str]) -> None:
        """Put together the small files of folders that rows were added to, and remove what is out of use for long enough."""
        report = CompactReport()
        for folder in folders:
            with _logged(folder):
                report += self.growing(folder)
        if report.folders:
            with _logged(self.table.place.address):
                self.table.vacuum(time.time() - RETENTION.total_seconds())

    def growing(self, folder: str) -> CompactReport:
        """Put together the small files at the end of a folder where it has many."""
        return self.folder(folder, lambda files: self._small(files) if len(files) > MANY_FILES else [])

    def folder(self, folder: str, choose: Choice) -> CompactReport:
        """Put together those files of a folder that `choose` picks, two or more consecutive ones.

        Raises CorruptDataError where they are damaged, and FeatureStoreError where the disk or the other writers refuse.
        """
        for _ in range(TRIES):
            self.table.begin()
            seen = self.table.files()
            files = choose(sorted(seen.get(folder, ()), key=self.numbers))
            if len(files) < 2:  # noqa: PLR2004  one file is as few as it gets
                return CompactReport()
            try:
                return self._replaced(seen, folder, files)
            except RemovedFileError as missing:
                self.table.look_for(missing)
            except OvertakenError:
                continue
        raise contended(self.table.place.address)

    def _small(self, files: list[str]) -> list[str]:
        sizes = [end - first for first, end in map(self.numbers, files)]
        after = sum(sizes)
        for place, size in enumerate(sizes):
            after -= size
            if size <= after:
                return files[place:]
        return []

    def _replaced(self, seen: Files, folder: str, files: list[str]) -> CompactReport:
        rows = joined([self.table.read(file) for file in files])
        self._refuse_gaps(folder, rows, self.numbers(files[0])[0], self.numbers(files[-1])[1])
        partition = dict(level.split("=") for level in folder.split("/"))
        self.table.replace(seen, files, [NewFile(partition, self.stem(files), rows)])
        return CompactReport(1, len(files), len(rows))

    def _refuse_gaps(self, folder: str, rows: pl.DataFrame, first: int, end: int) -> None:
        numbers = rows["sequence"].sort()
        if len(rows) != end - first or not bool((numbers.diff().drop_nulls() == 1).all()) or numbers[0] != first:
            msg = (
                f"{self.table.place.address}/{folder} should hold the rows from {first} to {end} once each; "
                f"nothing of it was changed. `feature-store doctor` says what is missing"
            )
            raise CorruptDataError(msg)


@contextmanager
def _logged(folder: str) -> Iterator[None]:
    """Log what fails after rows were added; they last already, and the next ones bring another try."""
    try:
        yield
    except FeatureStoreError as problem:
        _log.warning("%s was not compacted: %s", folder, problem)


def contended(address: str) -> FeatureStoreError:
    """Return the error of a writer that others have overtaken too often."""
    msg = f"other writers have overtaken this one {TRIES} times at {address}; try again, or let fewer write at once"
    return FeatureStoreError(msg)
