"""SQLite files that last: made whole, written ahead with a wait for the disk, read by any number of processes and threads.

Damage to the write-ahead file, which SQLite takes for its end, is looked for before SQLite opens it (`wal`). When the disk has
refused once to keep what it was given, nothing more is acknowledged.

A forked child may neither use nor close its parent's connection, so each process opens its own. A folder that cannot be
written to is read as it is. What SQLite and the disk say is said in this project's words.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from contextlib import closing, contextmanager, suppress
from threading import get_ident
from typing import TYPE_CHECKING

from feature_store.errors import CorruptDataError, FeatureStoreError, StoreLockedError, StoreReadOnlyError
from feature_store.store.durable import make_folder, sync
from feature_store.store.wal import damage_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PATIENCE_S = 10.0
_WRITTEN_WITHIN_S = 1.0
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_PRIMARY_CODE = 0xFF  # what SQLite's longer codes end in


class DamagedRowError(Exception):
    """A row is not what was written."""


class SqliteFile:
    """One file with some tables, created when it is first written to. Not for several threads at once.

    Args:
        path: the file.
        tables: the SQL that makes its tables.
        restore: what to do when it is damaged, for the error.
    """

    def __init__(self, path: Path, tables: str, restore: str) -> None:
        self.path = path
        self._tables = tables
        self._restore = restore
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._inherited: list[sqlite3.Connection] = []
        self._seen: int | None = None
        self._failed = False

    def __repr__(self) -> str:
        return f"<SqliteFile {self.path}>"

    @property
    def there(self) -> bool:
        """Whether there is anything to read."""
        return self._connected() is not None or self.path.exists() or self._ahead().exists()

    def connection(self) -> sqlite3.Connection:
        """Return this process's connection, with the file made if need be."""
        connection = self._connected()
        if connection is None:
            self._refuse_damage()
            if not self.path.exists():
                self._create()
            connection = self._connection = self._connect()
        return connection

    def changed(self) -> bool:
        """Return whether another connection has written since this was asked last, or it was never asked."""
        (seen,) = self.connection().execute("pragma data_version").fetchone()
        before, self._seen = self._seen, seen
        return bool(seen != before)

    def look_again(self) -> None:
        """Let `changed` say yes the next time."""
        self._seen = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write in one transaction that is on the disk at return, or not at all where something is raised inside."""
        if self._failed:
            msg = (
                f"an earlier write to {self.path} did not reach the disk; check the disk, restart, and repeat the write"
            )
            raise FeatureStoreError(msg)
        connection = self.connection()
        connection.execute("begin immediate")
        try:
            yield connection
            connection.execute("commit")
        except sqlite3.OperationalError as problem:
            self._failed = problem.sqlite_errorcode & _PRIMARY_CODE == sqlite3.SQLITE_IOERR
            raise
        finally:
            if connection.in_transaction:
                connection.execute("rollback")

    def close(self) -> None:
        """Let go of the file."""
        connection, self._connection = self._connected(), None
        self._seen = None
        if connection is not None:
            connection.close()

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Say what SQLite and the disk say in this project's words.

        Raises StoreReadOnlyError, StoreLockedError where another process keeps the file for seconds, CorruptDataError for
        damaged bytes, and FeatureStoreError where the disk fails.
        """
        try:
            yield
        except (sqlite3.OperationalError, OSError) as problem:
            raise self._unusable(problem) from problem
        except (sqlite3.DatabaseError, DamagedRowError) as problem:
            msg = f"{self.path} is damaged ({problem}); {self._restore}"
            raise CorruptDataError(msg) from problem

    def _ahead(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")

    def _refuse_damage(self) -> None:
        """Raise DamagedRowError where the write-ahead file is damaged, and not only being written at this moment."""
        until = time.monotonic() + _WRITTEN_WITHIN_S
        before = None
        while found := self._damage():
            if found == before and time.monotonic() > until:
                raise DamagedRowError(found[0])
            before = found
            time.sleep(_WRITTEN_WITHIN_S / 10)

    def _damage(self) -> tuple[str, bytes] | None:
        try:
            content = self._ahead().read_bytes()
        except FileNotFoundError:
            return None
        if content and not self.path.exists():
            return "its write-ahead file is there, and it is not", content
        found = damage_in(content)
        return None if found is None else (found, content)

    def _connected(self) -> sqlite3.Connection | None:
        if self._process != os.getpid():
            if self._connection is not None:
                self._inherited.append(self._connection)
            self._connection, self._process, self._seen = None, os.getpid(), None
        return self._connection

    def _create(self) -> None:
        """Make the file beside its place and give it its name, so that nobody meets it half made."""
        make_folder(self.path.parent)
        draft = self.path.with_name(f"{self.path.name}.{os.getpid()}.{get_ident()}")
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("pragma journal_mode = wal")
            connection.executescript(self._tables)
        sync(draft)
        with suppress(FileExistsError):  # another process was first
            os.link(draft, self.path)
        draft.unlink()
        sync(self.path.parent)

    def _connect(self) -> sqlite3.Connection:
        """Return a connection that waits for the disk; where the folder cannot be written to, one that only reads."""
        if os.access(self.path.parent, os.W_OK):
            connection = sqlite3.connect(self.path, _PATIENCE_S, isolation_level=None, check_same_thread=False)
            connection.execute("pragma synchronous = full")
            connection.execute("pragma journal_size_limit = 0")  # so that nothing of an earlier time is left behind
            return connection
        place = f"{self.path.as_uri()}?mode=ro"
        ahead = self._ahead()
        if not self.path.with_name(f"{self.path.name}-shm").exists() and not (ahead.exists() and ahead.stat().st_size):
            place = (
                f"{self.path.as_uri()}?immutable=1"  # nobody has it open, and a reader may not make the file to say so
            )
        return sqlite3.connect(place, _PATIENCE_S, isolation_level=None, check_same_thread=False, uri=True)

    def _unusable(self, problem: sqlite3.OperationalError | OSError) -> FeatureStoreError:
        code = getattr(problem, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            msg = f"another process has been writing to {self.path} for more than {_PATIENCE_S:g} s; try again"
            return StoreLockedError(msg)
        closed = code == sqlite3.SQLITE_CANTOPEN and not os.access(self.path.parent, os.W_OK)
        if code == sqlite3.SQLITE_READONLY or closed or getattr(problem, "errno", None) in _READ_ONLY:
            msg = f"{self.path} cannot be written to ({problem}); write where its folder can be written to"
            return StoreReadOnlyError(msg)
        msg = f"{self.path} cannot be used ({problem}); see that it can be written to and that the disk has room"
        return FeatureStoreError(msg)
