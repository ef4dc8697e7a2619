"""Computed columns in Delta tables, one for each set of features, under `<home>/features/<timeframe>/<set id>`.

A set's id contains the versions of its definitions, so a table never mixes versions. Its rows are only ever added: where a time
occurs twice, the row with the higher `sequence` holds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feature_store.store.buckets import buckets
from feature_store.store.delta_table import NewFile, VerifiedTable
from feature_store.store.history import latest_rows
from feature_store.store.layout import feature_block, feature_rows, folder_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from threading import RLock

    from feature_store.bars import Symbol, Timeframe
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

    def append(self, symbol: Symbol, timeframe: Timeframe, set_id: str, block: FeatureBlock) -> None:
        """Add a block in one commit that is on the disk at return; its rows replace those of the same times."""
        with self._writing(), self._using:
            table = self._table(timeframe, set_id)
            table.begin()
            files = []
            for bucket, rows in buckets(timeframe, block.time):
                stored = table.files().get(folder_of(symbol, bucket), [])
                start = max(map(_end, stored), default=0)
                frame = feature_rows(block, rows, start)
                files.append(NewFile({"symbol": symbol.key, "bucket": bucket}, f"{start}_{len(frame)}", frame))
            if files:
                table.append(files)

    def read(self, symbol: Symbol, timeframe: Timeframe, set_id: str) -> FeatureBlock | None:
        """Return the latest row of each time, or None; raises CorruptDataError for damaged bytes."""
        with self._using:
            table = self._table(timeframe, set_id)
            folders = [files for folder, files in table.files().items() if folder.startswith(folder_of(symbol, ""))]
            blocks = [feature_block(table.read(file)) for files in folders for file in sorted(files, key=_end)]
        return latest_rows(blocks) if blocks else None

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


def _end(file: str) -> int:
    """Return the number after the last row of a file of features."""
    start, rows = file.rpartition("/")[2].rpartition("-")[0].split("_")
    return int(start) + int(rows)
