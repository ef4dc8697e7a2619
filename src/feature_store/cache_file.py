"""What can be computed anew, kept for the next process in one SQLite file: values by key, each with a digest.

It is written without waiting for the disk, kept small by forgetting what was written first, and what does not match its digest
is passed over. Where the file cannot be used, everything is computed anew, and the log says why.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

from feature_store.errors import FeatureStoreError
from feature_store.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MOST = 50_000
"""Values kept, a few kilobytes each."""
_TABLE = "create table if not exists kept (number integer primary key, key blob unique, value blob, digest blob);"
_INSERT = "insert or replace into kept (key, value, digest) values (?, ?, ?)"

_log = logging.getLogger(__name__)


class CacheFile:
    """Values by key in a file that anybody may remove; safe among threads and processes.

    Args:
        path: the file, or None to keep nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._file = None if path is None else SqliteFile(path, _TABLE, "remove it; it is made anew")
        self._using = RLock()

    def __repr__(self) -> str:
        return f"<CacheFile {self._file}>"

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, or None."""
        if self._file is None or not self._file.there:
            return None
        with self._using, self._passed_over(self._file):
            query = "select value, digest from kept where key = ?"
            found = self._file.connection().execute(query, (key,)).fetchone()
            if found is not None and found[1] == _digest(key, found[0]):
                return bytes(found[0])
        return None

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values under their keys."""
        if self._file is None or not values:
            return
        with self._using, self._passed_over(self._file):
            self._file.connection().execute("pragma synchronous = off")
            with self._file.transaction() as connection:
                rows = [(key, value, _digest(key, value)) for key, value in values.items()]
                connection.executemany(_INSERT, rows)
                connection.execute("delete from kept where number <= (select max(number) from kept) - ?", (_MOST,))

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            with self._using:
                self._file.close()

    @contextmanager
    def _passed_over(self, file: SqliteFile) -> Iterator[None]:
        try:
            with file.errors():
                yield
        except FeatureStoreError as problem:
            _log.info("what was computed before is computed anew: %s", problem)


def _digest(key: bytes, value: bytes) -> bytes:
    return hashlib.sha256(key + value).digest()[:16]
