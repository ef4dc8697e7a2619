"""The custom indicators of a store in an object store: one object a version, `definitions/<name>/<version>.json`.

Its first line is the digest of the rest.

Whoever creates the object of a version first has it; another who wanted the same number looks again and decides anew.
"""

from __future__ import annotations

from threading import RLock
from typing import TYPE_CHECKING

from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.indicators.catalog import BUILT_INS
from feature_store.store.definitions import Row, accepted, digest_of, intact, read_rows, row_of
from feature_store.store.sqlite_file import DamagedRowError

if TYPE_CHECKING:
    from feature_store.indicators.custom import Draft
    from feature_store.indicators.definition import Definition
    from feature_store.indicators.registry import Registry, Version
    from feature_store.store.places import Place

_TRIES = 20


class ObjectDefinitions:
    """Keeps custom indicators in an object store, for any number of processes and threads."""

    def __init__(self, place: Place) -> None:
        self._place = place.inside("definitions")
        self._using = RLock()
        self._rows: dict[Row, Version] = {}
        self._seen: list[str] = []
        self._registry = BUILT_INS

    def __repr__(self) -> str:
        return f"<ObjectDefinitions {self._place.address}>"

    def registry(self) -> Registry:
        """Return what names mean now; raises CorruptDataError for damaged objects, FeatureStoreError where none can be had."""
        with self._using:
            try:
                return self._fresh()
            except DamagedRowError as problem:
                msg = f"{self._place.address} is damaged ({problem}); restore it from a backup"
                raise CorruptDataError(msg) from problem
            except OSError as problem:
                msg = f"{self._place.address} cannot be read ({problem}); see that it can be reached"
                raise FeatureStoreError(msg) from problem

    def register(self, draft: Draft) -> Definition:
        """Add a version, or none where the newest has this content; it lasts at return. Raises as `SqliteDefinitions` does."""
        with self._using:
            for _ in range(_TRIES):
                made = accepted(draft, self.registry())
                row = row_of(draft, made)
                if row in self._rows or self._created(row):
                    return made
            msg = f"others registered {draft.name} {_TRIES} times meanwhile; try again"
            raise FeatureStoreError(msg)

    def close(self) -> None:
        """Forget what was read."""
        self._registry, self._rows, self._seen = BUILT_INS, {}, []

    def _created(self, row: Row) -> bool:
        try:
            return self._place.create(_name(row), _content(row))
        except OSError as problem:
            msg = f"{self._place.address} cannot be written to ({problem}); see that it can be reached, and register again"
            raise FeatureStoreError(msg) from problem

    def _fresh(self) -> Registry:
        names = self._place.names()
        if names != self._seen:
            rows = [_row(name, self._place.read(name)) for name in names]
            self._rows, self._registry = read_rows(sorted(rows), self._rows)
            self._seen = names
        return self._registry


def _name(row: Row) -> str:
    return f"{row.name}/{row.version:04d}.json"


def _content(row: Row) -> bytes:
    return f"{digest_of(row)}\n{row.content}".encode()


def _row(name: str, stored: bytes) -> Row:
    folder, _, file = name.partition("/")
    digest, _, content = stored.decode(errors="replace").partition("\n")
    return intact(Row(folder, int(file.removesuffix(".json")), content), digest)
