"""The states that features have carried to the ends of parts of a series, so that no part needs those before it again.

In memory, and in `<home>/states.sqlite` where there is a folder that can be written to: a second process begins in the middle
too. What the file holds can be computed anew, so it is written without waiting for the disk, kept small by forgetting the
oldest, and a row that does not match its digest is passed over.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import contextmanager
from threading import RLock
from typing import TYPE_CHECKING

import numpy as np

from feature_store.engine.snapshot import ENGINE_VERSION
from feature_store.errors import FeatureStoreError
from feature_store.recent import Recent
from feature_store.store.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from feature_store.bars import Integers
    from feature_store.engine.plan import Plan
    from feature_store.views import Name

FILE = "states.sqlite"

_MOST = 20_000
"""States kept in the file, a few kilobytes each."""
_BUDGET = 64 * 2**20
_WORD = 8
_TABLE = "create table if not exists states (number integer primary key, key blob unique, words blob, digest blob);"
_INSERT = "insert or replace into states (key, words, digest) values (?, ?, ?)"

_log = logging.getLogger(__name__)


class States:
    """Carried states by what they are of; safe among threads.

    Args:
        path: the file, or None to keep them in this process alone.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._file = None if path is None else SqliteFile(path, _TABLE, "remove it; it is made anew")
        self._using = RLock()
        self._held: Recent[bytes, Integers] = Recent(_BUDGET)

    def __repr__(self) -> str:
        return f"<States {self._file or 'in memory'} holding {self._held.nbytes} bytes>"

    def get(self, name: Name, plan: Plan) -> Integers | None:
        """Return a copy of the words that a plan had at the end of a part, or None."""
        key = _key(name, plan)
        words = self._held.get(key)
        if words is None:
            words = self._stored(key, len(plan.words))
            if words is None:
                return None
            self._held.put(key, words, words.nbytes)
        return words.copy()

    def put(self, states: Mapping[Name, Integers], plan: Plan) -> None:
        """Keep the words that a plan had at the ends of parts."""
        mine = {_key(name, plan): words for name, words in states.items()}
        for key, words in mine.items():
            self._held.put(key, words, words.nbytes)
        self._store(mine)

    def clear(self) -> None:
        """Forget what is in memory, and let go of the file."""
        self._held.clear()
        if self._file is not None:
            with self._using:
                self._file.close()

    def _stored(self, key: bytes, length: int) -> Integers | None:
        if self._file is None or not self._file.there:
            return None
        with self._using, self._passed_over():
            query = "select words, digest from states where key = ?"
            found = self._file.connection().execute(query, (key,)).fetchone()
            if found is not None and found[1] == _digest(key, found[0]) and len(found[0]) == _WORD * length:
                return np.frombuffer(found[0], dtype="<i8").astype(np.int64)
        return None

    def _store(self, states: Mapping[bytes, Integers]) -> None:
        if self._file is None or not states:
            return
        rows = [(key, words.astype("<i8").tobytes()) for key, words in states.items()]
        with self._using, self._passed_over():
            self._file.connection().execute("pragma synchronous = off")
            with self._file.transaction() as connection:
                connection.executemany(_INSERT, [(key, words, _digest(key, words)) for key, words in rows])
                connection.execute("delete from states where number <= (select max(number) from states) - ?", (_MOST,))

    @contextmanager
    def _passed_over(self) -> Iterator[None]:
        """Go on without the file where it cannot be used: states are computed anew."""
        assert self._file is not None
        try:
            with self._file.errors():
                yield
        except FeatureStoreError as problem:
            _log.info("carried states are computed anew: %s", problem)


def _key(name: Name, plan: Plan) -> bytes:
    features = [(feature.id, feature.version) for feature in plan.features]
    return hashlib.sha256(repr((ENGINE_VERSION, name, features)).encode()).digest()


def _digest(key: bytes, words: bytes) -> bytes:
    return hashlib.sha256(key + words).digest()[:16]
