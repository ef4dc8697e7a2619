"""The custom indicators of a store, with every version they ever had: in memory, or in `<home>/definitions.sqlite`.

A row is a version: what somebody wrote, and the versions of the custom indicators it calls, to which it is bound. Definitions
are made of rows, in their order, when a registry is asked for and the file has changed since. Registering is one transaction:
look at what is there, decide, write, and wait for the disk; so two processes cannot give one number to two contents. It does
not need the lock of those who write bars.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from threading import RLock, get_ident
from typing import TYPE_CHECKING, NamedTuple

from feature_store import json_codec
from feature_store.errors import CorruptDataError, FeatureStoreError, InvalidRequestError
from feature_store.indicators.catalog import BUILT_INS
from feature_store.indicators.custom import Draft, custom, custom_uses
from feature_store.indicators.registry import Unusable
from feature_store.store.durable import make_folder, sync

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from feature_store.indicators.definition import Definition
    from feature_store.indicators.registry import Registry

FILE = "definitions.sqlite"

_PATIENCE_S = 10.0
_TABLE = """create table if not exists definitions (
    name text not null, version integer not null, content text not null, primary key (name, version)
)"""
_INSERT = """insert into definitions values (?, ?, ?)
    on conflict (name, version) do update set content = excluded.content"""


class Row(NamedTuple):
    """One version as it is stored; `content` is JSON."""

    name: str
    version: int
    content: str


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
        """Add a version, or none where the newest has this content; return the definition."""
        with self._using:
            made = custom(draft, self._registry)
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
        self._rows: dict[Row, Definition | Unusable] = {}
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

        Raises InvalidRequestError as `custom` does, CorruptDataError, and FeatureStoreError where the disk fails.
        """
        with self._using, self._errors():
            connection = self._open()
            connection.execute("begin immediate")
            try:
                registry = self._fresh(connection, changed=True)
                made = custom(draft, registry)
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

    def _fresh(self, connection: sqlite3.Connection, *, changed: bool = False) -> Registry:
        """Return the registry of the rows as they are; those that are known are not read anew."""
        (seen,) = connection.execute("pragma data_version").fetchone()
        if changed or seen != self._seen:
            with closing(connection.execute("select name, version, content from definitions order by rowid")) as found:
                rows = [Row(*each) for each in found]
            known, registry = {}, BUILT_INS
            for row in rows:
                known[row] = self._rows.get(row) or _made(row, registry)
                registry = registry.adding(known[row])
            if list(known) != list(self._rows):
                self._rows, self._registry = known, registry
            self._seen = seen
        return self._registry

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Say what SQLite says in this project's words."""
        try:
            yield
        except (sqlite3.OperationalError, OSError) as problem:
            msg = f"{self.path} cannot be used ({problem}); see that it can be written to and that the disk has room"
            raise FeatureStoreError(msg) from problem
        except sqlite3.DatabaseError as problem:
            msg = f"{self.path} is damaged ({problem}); restore it from a backup, or remove it and register anew"
            raise CorruptDataError(msg) from problem
        except _BadRowError as problem:
            msg = f"{self.path} is damaged ({problem}); restore it from a backup, or remove it and register anew"
            raise CorruptDataError(msg) from problem


class _BadRowError(Exception):
    """A row is not what this class writes."""


def _row(draft: Draft, made: Definition) -> Row:
    content = {**draft.to_dict(), "uses": custom_uses(made)}
    return Row(made.name, made.version, json_codec.dumps(content).decode())


def _made(row: Row, registry: Registry) -> Definition | Unusable:
    """Return the definition of a row, made of the versions that it was made of when it was registered."""
    try:
        content = json_codec.loads(row.content)
        uses = content.pop("uses")
        draft = Draft.of(content)
        pinned = registry.pinned(uses)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        msg = f"{row.name}:v{row.version} is not a definition"
        raise _BadRowError(msg) from problem
    try:
        return replace(custom(draft, pinned, stored=True), version=row.version)
    except InvalidRequestError as problem:
        return Unusable(row.name, row.version, str(problem).splitlines()[0])
