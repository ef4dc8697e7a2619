"""Computed columns in Delta tables, one for each set of features, under `<home>/features/<timeframe>/<set id>`.

A set's id contains the versions of its definitions, so a table never mixes versions. It has one row a bar: rows that come after
all others of a bucket are added, and any other change replaces the bucket's files in one commit.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from typing import TYPE_CHECKING

from feature_store.bars import Timeframe
from feature_store.store.compaction import TRIES, Compaction, contended
from feature_store.store.delta_table import FIRST_ENTRY, NewFile, OvertakenError, RemovedFileError, VerifiedTable
from feature_store.store.history import changes, latest_rows
from feature_store.store.layout import feature_block, feature_rows, folder_of
from feature_store.store.protocol import CompactReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from threading import RLock

    from feature_store.bars import Symbol
    from feature_store.store.places import Place
    from feature_store.store.protocol import FeatureBlock


class DeltaFeatures:
    """The feature sets of a folder; shares the lock of the store that it belongs to."""

    def __init__(self, place: Place, writing: Callable[[], AbstractContextManager[None]], using: RLock) -> None:
        self._place = place.inside("features")
        self._writing = writing
        self._using = using
        self._tables: dict[str, VerifiedTable] = {}

    def __repr__(self) -> str:
        return f"<DeltaFeatures {self._place.address}>"

    def hold(self, symbol: Symbol, timeframe: Timeframe, set_id: str, bucket: str, block: FeatureBlock) -> int:
        """Make a bucket hold the rows of a block and no others; return how many of them are new or changed, or gone.

        One commit, on the disk at return: rows that come after all others are added, anything else replaces the bucket.
        """
        with self._writing(), self._using:
            table = self._table(timeframe, set_id)
            for _ in range(TRIES):
                with suppress(OvertakenError):
                    count = self._hold(table, symbol, bucket, block)
                    _compaction(table).tidy([folder_of(symbol, bucket)])
                    return count
            raise contended(table.place.address)

    def _hold(self, table: VerifiedTable, symbol: Symbol, bucket: str, block: FeatureBlock) -> int:
        table.begin()
        seen = table.files()
        files = sorted(seen.get(folder_of(symbol, bucket), []), key=numbers)
        held = latest_rows([feature_block(table.read(file)) for file in files]) if files else None
        count, begin = changes(held, block)
        if not count:
            return 0
        start = numbers(files[-1])[1] if begin else 0
        new = block[begin:]
        partition = {"symbol": symbol.key, "bucket": bucket}
        added = [NewFile(partition, f"{start}_{len(new)}", feature_rows(new, slice(None), start))] if len(new) else []
        if begin or not files:
            table.append(seen, added)
        else:
            table.replace(seen, files, added, change=True)
        return count

    def read(self, symbol: Symbol, timeframe: Timeframe, set_id: str) -> FeatureBlock | None:
        """Return the latest row of each time, or None; raises CorruptDataError for damaged bytes."""
        with self._using:
            table = self._table(timeframe, set_id)
            while True:
                folders = [files for folder, files in table.files().items() if folder.startswith(folder_of(symbol, ""))]
                try:
                    blocks = [
                        feature_block(table.read(file)) for files in folders for file in sorted(files, key=numbers)
                    ]
                except RemovedFileError as missing:
                    table.look_for(missing)
                    continue
                return latest_rows(blocks) if blocks else None

    def compact(self, min_files: int, before: float) -> CompactReport:
        """Put the files of each bucket together, and remove those that nobody has needed since a moment."""
        report = CompactReport()
        for folder in self.tables():
            timeframe, set_id = folder.split("/")
            table = self._table(Timeframe.parse(timeframe), set_id)
            report += _compaction(table).whole(min_files) + CompactReport(removed=len(table.vacuum(before)))
        return report

    def tables(self) -> list[str]:
        """Return the folders of the tables that there are, `<timeframe>/<set id>`."""
        return [name.removesuffix(FIRST_ENTRY) for name in self._place.names() if name.endswith(FIRST_ENTRY)]

    def state(self, symbol: Symbol, timeframe: Timeframe, set_id: str, bucket: str) -> str:
        """Return a word that changes when the rows of a bucket do; empty where it has none."""
        with self._using:
            files = self._table(timeframe, set_id).files().get(folder_of(symbol, bucket), [])
        return hashlib.sha256("\n".join(sorted(files)).encode()).hexdigest() if files else ""

    def path(self, timeframe: Timeframe, set_id: str) -> str:
        """Return the folder of the Delta table."""
        return self._place.inside(f"{timeframe.name}/{set_id}").address

    def close(self) -> None:
        """Forget the handles."""
        self._tables.clear()

    def _table(self, timeframe: Timeframe, set_id: str) -> VerifiedTable:
        path = self.path(timeframe, set_id)
        if path not in self._tables:
            self._tables[path] = VerifiedTable(self._place.inside(f"{timeframe.name}/{set_id}"))
        return self._tables[path]


def numbers(file: str) -> tuple[int, int]:
    """Return the number of the first row in a file of features, and the one after its last."""
    start, rows = file.rpartition("/")[2].rpartition("-")[0].split("_")
    return int(start), int(start) + int(rows)


def _compaction(table: VerifiedTable) -> Compaction:
    return Compaction(table, numbers, _stem)


def _stem(files: Sequence[str]) -> str:
    start, end = numbers(files[0])[0], numbers(files[-1])[1]
    return f"{start}_{end - start}"
