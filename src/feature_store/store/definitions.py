"""The custom indicators of a store, with every version they ever had: in memory, or in `<home>/definitions.sqlite`.

A row is a version: what somebody wrote, and the versions of the custom indicators it calls, to which it is bound. Rows are read
when a registry is asked for and the file has changed since; a definition is made of its row when it is first looked at, so that
a store with many opens as fast as one with few. Registering is one transaction: look at what is there, decide, write, and wait
for the disk; so two processes cannot give one number to two contents. A row carries a digest, and a mark counts the
rows, so that none can change or vanish unseen. It does not need the lock of those who write bars.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import replace
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING, NamedTuple

from feature_store import json_codec
from feature_store.errors import ConflictError, CorruptDataError, InvalidRequestError
from feature_store.indicators.catalog import BUILT_INS
from feature_store.indicators.custom import Draft, custom, custom_uses
from feature_store.indicators.registry import Registry, Unusable
from feature_store.store.sqlite_file import DamagedRowError, SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from feature_store.indicators.definition import Definition
    from feature_store.indicators.registry import Version

FILE = "definitions.sqlite"
MAX_NAMES = 1_000
MAX_VERSIONS = 100
"""Of one name."""

_TABLES = """
create table if not exists definitions (
    name text not null, version integer not null, content text not null, digest text not null, primary key (name, version)
);
create table if not exists mark (one integer primary key, versions integer not null);
"""
_SELECT = "select name, version, content, digest from definitions order by name, version"
_SELECT_MARK = "select versions from mark"
_INSERT = """insert into definitions values (?, ?, ?, ?)
    on conflict (name, version) do update set content = excluded.content, digest = excluded.digest"""
_INSERT_MARK = """insert into mark select 1, count(*) from definitions where true
    on conflict (one) do update set versions = excluded.versions"""


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
            made = accepted(draft, self._registry)
            self._registry = self._registry.adding(made)
            return made

    def close(self) -> None:
        """Forget everything."""
        self._registry = BUILT_INS


class SqliteDefinitions:
    """Keeps custom indicators in a folder, for any number of processes and threads."""

    def __init__(self, home: Path) -> None:
        self._file = SqliteFile(home / FILE, _TABLES, "restore it from a backup, or remove it and register anew")
        self._using = RLock()
        self._rows: dict[Row, Version] = {}
        self._registry = BUILT_INS

    def __repr__(self) -> str:
        return f"<SqliteDefinitions {self._file.path}>"

    def registry(self) -> Registry:
        """Return what names mean now, whoever registered it.

        Raises CorruptDataError for damaged bytes, FeatureStoreError where the file cannot be read.
        """
        with self._using, self._file.errors():
            return self._fresh() if self._file.there else BUILT_INS

    def register(self, draft: Draft) -> Definition:
        """Add a version, or none where the newest has this content; it is on the disk at return.

        Raises InvalidRequestError as `custom` does, ConflictError where there is no room for another, StoreReadOnlyError,
        StoreLockedError where another process keeps the file for seconds, CorruptDataError, and FeatureStoreError where the
        disk fails.
        """
        with self._using, self._file.errors():
            with self._file.transaction() as connection:
                registry = self._fresh()
                made = accepted(draft, registry)
                row = row_of(draft, made)
                if row not in self._rows:
                    connection.execute(_INSERT, (*row, digest_of(row)))
                    connection.execute(_INSERT_MARK)
            if row not in self._rows:
                self._rows[row] = made
                self._registry = registry.adding(made)
            return made

    def close(self) -> None:
        """Let go of the file."""
        with self._using:
            self._registry, self._rows = BUILT_INS, {}
            self._file.close()

    def _fresh(self) -> Registry:
        """Return the registry of the rows as they are; those that are known are not made anew."""
        if self._file.changed():
            try:
                rows = self._rows_as_written()
                if self._rows.keys() != set(rows):
                    self._rows, self._registry = read_rows(rows, self._rows)
            except BaseException:
                self._file.look_again()
                raise
        return self._registry

    def _rows_as_written(self) -> list[Row]:
        connection = self._file.connection()
        alone = not connection.in_transaction
        if alone:
            connection.execute("begin")
        try:
            with closing(connection.execute(_SELECT)) as found:
                rows = [intact(Row(*each), digest) for *each, digest in found]
            with closing(connection.execute(_SELECT_MARK)) as found:
                said = sum(versions for (versions,) in found)
        finally:
            if alone:
                connection.execute("commit")
        if len(rows) != said:
            msg = f"{said} versions were registered, and {len(rows)} are there"
            raise DamagedRowError(msg)
        return rows


def row_of(draft: Draft, made: Definition) -> Row:
    """Return a version as it is stored."""
    content = {**draft.to_dict(), "uses": custom_uses(made)}
    return Row(made.name, made.version, json_codec.dumps(content).decode())


def digest_of(row: Row) -> str:
    """Return what tells a version from any other."""
    return hashlib.sha256(f"{row.name}\n{row.version}\n{row.content}".encode()).hexdigest()


def intact(row: Row, digest: str) -> Row:
    """Return a row, without content where that is not what was registered: then it says nothing, and the others still do."""
    return row if digest_of(row) == digest else row._replace(content="")


def read_rows(rows: Iterable[Row], known: Mapping[Row, Version]) -> tuple[dict[Row, Version], Registry]:
    """Return the versions of rows, in the order of names and versions, by row and as a registry."""
    own: dict[str, list[Version]] = {}
    versions: dict[Row, Version] = {}
    for row in rows:
        versions[row] = known.get(row) or Stored(row, own)
        own.setdefault(row.name, []).append(versions[row])
        if len(own[row.name]) != row.version:
            msg = f"{row.name}:v{len(own[row.name])} is missing"
            raise DamagedRowError(msg)
    return versions, Registry({name: tuple(each) for name, each in own.items()})


def accepted(draft: Draft, registry: Registry) -> Definition:
    """Return the definition of a draft; raises ConflictError where it would be one more than a store keeps."""
    made = custom(draft, registry)
    if made.name not in registry.own and len(registry.own) >= MAX_NAMES:
        msg = f"a store keeps at most {MAX_NAMES:,} custom indicators, and this one has as many; register in another store"
        raise ConflictError(msg, field="name")
    if made.version > MAX_VERSIONS:
        msg = f"{made.name} has {MAX_VERSIONS} versions, the most that a store keeps of a name; register it under another name"
        raise ConflictError(msg, field="name")
    return made
