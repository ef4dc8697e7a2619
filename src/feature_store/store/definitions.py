"""The custom indicators of a store, with every version they ever had: in memory, or in `<home>/definitions.sqlite`.

A row is a version: what somebody wrote, and the versions of the custom indicators it calls, to which it is bound. Rows are read
when a registry is asked for and the file has changed since; a definition is made of its row when it is first looked at, so that
a store with many opens as fast as one with few. Registering is one transaction: look at what is there, decide, write, and wait
for the disk; so two processes cannot give one number to two contents. It does not need the lock of those who write bars.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from threading import RLock, get_ident
from typing import TYPE_CHECKING, NamedTuple

from feature_store import json_codec
from feature_store.errors import (
    ConflictError,
    CorruptDataError,
    FeatureStoreError,
    InvalidRequestError,
    StoreLockedError,
    StoreReadOnlyError,
)
from feature_store.indicators.catalog import BUILT_INS
from feature_store.indicators.custom import Draft, custom, custom_uses
from feature_store.indicators.registry import Registry, Unusable
from feature_store.store.durable import make_folder, sync

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from feature_store.indicators.definition import Definition
    from feature_store.indicators.registry import Version

FILE = "definitions.sqlite"
MAX_NAMES = 1_000
MAX_VERSIONS = 100
"""Of one name."""

_PATIENCE_S = 10.0
_TABLE = """create table if not exists definitions (
    name text not null, version integer not null, content text not null, primary key (name, version)
)"""
_SELECT = "select name, version, content from definitions order by name, version"
_INSERT = """insert into definitions values (?, ?, ?)
    on conflict (name, version) do update set content = excluded.content"""
_READ_ONLY = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_PRIMARY_CODE = 0xFF  # what SQLite's longer codes end in


class Row(NamedTuple):
    """One version as it is stored; `content` is JSON."""

    name: str
    version: int
    content: str


class Stored:
    """A version in a row, made when it is first looked at, of the versions that it was made of when it was registered."""

    def __init__(self, row: Row, own: Mapping[str, Sequence[Version]]) -> None:
        self.row = row
        self._own = own

    def __repr__(self) -> str:
        return f"<Stored {self.name}:v{self.version}>"

    @property
    def name(self) -> str:
        """Its name."""
        return self.row.name

    @property
    def version(self) -> int:
        """Its number."""
        return self.row.version

    @cached_property
    def made(self) -> Definition | Unusable:
        """What the row says, or why that cannot be used any more; raises CorruptDataError where it says nothing."""
        try:
            content = json_codec.loads(self.row.content)
            uses = content.pop("uses")
            draft = Draft.of(content)
            pinned = Registry({name: tuple(self._own.get(name, ())[:version]) for name, version in uses.items()})
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            msg = f"{self.name}:v{self.version} in {FILE} is not a definition; restore the file, or remove it and register anew"
            raise CorruptDataError(msg) from problem
        try:
            return replace(custom(draft, pinned, stored=True), version=self.version)
        except InvalidRequestError as problem:
            return Unusable(self.name, self.version, str(problem).splitlines()[0])


class MemoryDefinitions:
    """Keeps custom indicators in this process."""

    def __init__(self) -> None:
        self._registry = BUILT_INS
        self._using = RLock()

    def __repr__(self) -> str:
        return f"<MemoryDefinitions of {self._registry!r}>"

    def registry(self) -> Registry:
        """Return what names mean now."""
        return self._registry

    def register(self, draft: Draft) -> Definition:
        """Add a version, or none where the newest has this content; return the definition.

        Raises InvalidRequestError as `custom` does, and ConflictError where there is no room for another.
        """
        with self._using:
            made = _accepted(draft, self._registry)
            self._registry = self._registry.adding(made)
            return made

    def close(self) -> None:
        """Forget everything."""
        self._registry = BUILT_INS


class SqliteDefinitions:
    """Keeps custom indicators in a folder, for any number of processes and threads."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        self._using = RLock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._inherited: list[sqlite3.Connection] = []
        self._rows: dict[Row, Version] = {}
        self._registry = BUILT_INS
        self._seen: int | None = None

    def __repr__(self) -> str:
        return f"<SqliteDefinitions {self.path}>"

    def registry(self) -> Registry:
        """Return what names mean now, whoever registered it.

        Raises CorruptDataError for damaged bytes, FeatureStoreError where the file cannot be read.
        """
        with self._using, self._errors():
            if self._connected() is None and not self.path.exists():
                return BUILT_INS
            return self._fresh(self._open())

    def register(self, draft: Draft) -> Definition:
        """Add a version, or none where the newest has this content; it is on the disk at return.

        Raises InvalidRequestError as `custom` does, ConflictError where there is no room for another, StoreReadOnlyError,
        StoreLockedError where another process keeps the file for seconds, CorruptDataError, and FeatureStoreError where the
        disk fails.
        """
        with self._using, self._errors():
            connection = self._open()
            connection.execute("begin immediate")
            try:
                registry = self._fresh(connection)
                made = _accepted(draft, registry)
                row = _row(draft, made)
                if row not in self._rows:
                    connection.execute(_INSERT, row)
                connection.execute("commit")
            finally:
                if connection.in_transaction:
                    connection.execute("rollback")
            if row not in self._rows:
                self._rows[row] = made
                self._registry = registry.adding(made)
            return made

    def close(self) -> None:
        """Let go of the file."""
        with self._using:
            connection, self._connection = self._connected(), None
            self._registry, self._rows, self._seen = BUILT_INS, {}, None
            if connection is not None:
                connection.close()

    def _connected(self) -> sqlite3.Connection | None:
        """Return the connection, which a forked child must neither use nor close."""
        if self._process != os.getpid():
            if self._connection is not None:
                self._inherited.append(self._connection)
            self._connection, self._process, self._seen = None, os.getpid(), None
        return self._connection

    def _open(self) -> sqlite3.Connection:
        connection = self._connected()
        if connection is None:
            if not self.path.exists():
                self._create()
            connection = self._connection = self._connect()
        return connection

    def _create(self) -> None:
        """Make the file beside its place and give it its name, so that nobody meets it half made."""
        make_folder(self.path.parent)
        draft = self.path.with_name(f"{FILE}.{os.getpid()}.{get_ident()}")
        with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
            connection.execute("pragma journal_mode = wal")
            connection.execute(_TABLE)
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
            return connection
        place = f"{self.path.as_uri()}?mode=ro"
        if not self.path.with_name(f"{FILE}-shm").exists():
            place = (
                f"{self.path.as_uri()}?immutable=1"  # nobody has it open, and a reader may not make the file to say so
            )
        return sqlite3.connect(place, _PATIENCE_S, isolation_level=None, check_same_thread=False, uri=True)

    def _fresh(self, connection: sqlite3.Connection) -> Registry:
        """Return the registry of the rows as they are; those that are known are not made anew."""
        (seen,) = connection.execute("pragma data_version").fetchone()
        if seen != self._seen:  # somebody else has written
            with closing(connection.execute(_SELECT)) as found:
                rows = [Row(*each) for each in found]
            if self._rows.keys() != set(rows):
                self._rows, self._registry = _read(rows, self._rows)
            self._seen = seen
        return self._registry

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say what SQLite and the disk say in this project's words."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as problem:
            raise self._unusable(problem) from problem
        except (sqlite3.DatabaseError, _BadRowError) as problem:
            msg = f"{self.path} is damaged ({problem}); restore it from a backup, or remove it and register anew"
            raise CorruptDataError(msg) from problem

    def _unusable(self, problem: sqlite3.OperationalError | OSError) -> FeatureStoreError:
        code = getattr(problem, "sqlite_errorcode", 0) & _PRIMARY_CODE
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            msg = f"another process has been writing to {self.path} for more than {_PATIENCE_S:g} s; try again"
            return StoreLockedError(msg)
        closed = code == sqlite3.SQLITE_CANTOPEN and not os.access(self.path.parent, os.W_OK)
        if code == sqlite3.SQLITE_READONLY or closed or getattr(problem, "errno", None) in _READ_ONLY:
            msg = f"{self.path} cannot be written to ({problem}); register where its folder can be written to"
            return StoreReadOnlyError(msg)
        msg = f"{self.path} cannot be used ({problem}); see that it can be written to and that the disk has room"
        return FeatureStoreError(msg)


class _BadRowError(Exception):
    """A row is not what this class writes."""


def _row(draft: Draft, made: Definition) -> Row:
    content = {**draft.to_dict(), "uses": custom_uses(made)}
    return Row(made.name, made.version, json_codec.dumps(content).decode())


def _read(rows: Iterable[Row], known: Mapping[Row, Version]) -> tuple[dict[Row, Version], Registry]:
    """Return the versions of rows, in the order of names and versions, by row and as a registry."""
    own: dict[str, list[Version]] = {}
    versions: dict[Row, Version] = {}
    for row in rows:
        versions[row] = known.get(row) or Stored(row, own)
        own.setdefault(row.name, []).append(versions[row])
        if len(own[row.name]) != row.version:
            msg = f"{row.name}:v{len(own[row.name])} is missing"
            raise _BadRowError(msg)
    return versions, Registry({name: tuple(each) for name, each in own.items()})


def _accepted(draft: Draft, registry: Registry) -> Definition:
    """Return the definition of a draft; raises ConflictError where it would be one more than a store keeps."""
    made = custom(draft, registry)
    if made.name not in registry.own and len(registry.own) >= MAX_NAMES:
        msg = f"a store keeps at most {MAX_NAMES:,} custom indicators, and this one has as many; register in another store"
        raise ConflictError(msg, field="name")
    if made.version > MAX_VERSIONS:
        msg = f"{made.name} has {MAX_VERSIONS} versions, the most that a store keeps of a name; register it under another name"
        raise ConflictError(msg, field="name")
    return made
