"""What was imported from files, and which of their rows were refused: in `<home>/journal.sqlite`, or as objects.

An import is recorded once its rows last. It names the file by the digest of its bytes, so that the same file again, under
whatever name, is known, and says how many rows each part of the series had then, so that one can tell whether its rows are
still all there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from contextlib import closing
from dataclasses import asdict, dataclass, field
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from feature_store import json_codec
from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.store.sqlite_file import DamagedRowError, SqliteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from feature_store.store.places import Place

Made = TypeVar("Made")

FILE = "journal.sqlite"
KEPT = 10_000
"""Of so many quarantined rows of an import the journal keeps the values; the others it counts."""

_TABLES = """create table if not exists imports (
    id text primary key, symbol text not null, digest text not null, content text not null
);
create index if not exists imports_by_digest on imports (digest);
create table if not exists quarantined (
    id text not null, place integer not null, content text not null, primary key (id, place)
) without rowid"""
_FOLDER = "journal"


class BadRow(NamedTuple):
    """A row that was refused.

    Args:
        row: its line or number in the source.
        reason: the rule it breaks.
        values: as the source spelt them.
    """

    row: int
    reason: str
    values: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Import:
    """One source that was imported.

    Args:
        symbol: whose rows.
        timeframe: what they were stored as.
        file: the file's name, and the name inside where it is a package.
        digest: SHA-256 of the file's bytes.
        size: how many bytes those are.
        options: what the caller said of the file, as text; other options may read other rows.
        at: when, in UTC microseconds.
        format: the reader's name.
        timezone: the zone or clock in which times were read.
        read: rows found.
        stored: rows that were new.
        duplicates: rows that were known.
        bars: how many bars were new.
        reasons: how many rows were refused, by reason.
        price_divisor: what prices were divided by.
        side: `bid` or `ask`, where the prices are of one side.
        notes: what else was said.
        first: the earliest bar open, in UTC microseconds; None where no row was good.
        last: the latest one.
        held: how many rows each part of the series had then.
    """

    symbol: str
    timeframe: str
    file: str
    digest: str
    size: int
    options: str
    at: int
    format: str
    timezone: str
    read: int
    stored: int
    duplicates: int
    bars: int
    reasons: Mapping[str, int] = field(default_factory=dict)
    price_divisor: float = 1.0
    side: str | None = None
    notes: tuple[str, ...] = ()
    first: int | None = None
    last: int | None = None
    held: Mapping[str, int] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Its name in the journal, by time."""
        words = json_codec.dumps([self.symbol, self.timeframe, self.file, self.digest, self.options])
        return f"{self.at:020d}-{hashlib.sha256(words).hexdigest()[:16]}"

    @property
    def quarantined(self) -> int:
        """How many rows were refused."""
        return sum(self.reasons.values())

    def answers(self, like: Import) -> bool:
        """Return whether it was the import of the same bytes, in the same way, into the same series."""
        names = ("symbol", "timeframe", "digest", "size", "options")
        inside = (each.file.partition(" (")[2] for each in (self, like))
        return len(set(inside)) == 1 and all(getattr(self, name) == getattr(like, name) for name in names)


class Journal(Protocol):
    """Keeps imports."""

    def record(self, entry: Import, rows: Sequence[BadRow] = ()) -> None:
        """Add an import with the first of its refused rows; it lasts at return."""

    def imports(self, symbol: str | None = None) -> list[Import]:
        """Return the imports of all symbols or one, the oldest first."""

    def quarantined(self, symbol: str | None = None, limit: int = 100) -> list[tuple[Import, BadRow]]:
        """Return refused rows that are kept, those of the newest import first."""

    def rows(self, entry: Import) -> list[BadRow]:
        """Return the refused rows of an import that are kept."""

    def seen(self, like: Import) -> Import | None:
        """Return the newest import of the same bytes in the same way; see `Import.answers`."""

    def close(self) -> None:
        """Let go of files and memory."""


class SqliteJournal:
    """Keeps imports in a folder, for any number of processes and threads."""

    def __init__(self, home: Path) -> None:
        self._file = SqliteFile(
            home / FILE, _TABLES, "restore it from a backup, or remove it: bars do not depend on it"
        )
        self._using = RLock()

    def __repr__(self) -> str:
        return f"<SqliteJournal {self._file.path}>"

    def record(self, entry: Import, rows: Sequence[BadRow] = ()) -> None:
        """Add an import with the first of its refused rows; both are on the disk at return. Raises as `SqliteFile.errors`."""
        content = _sealed(asdict(entry))
        refused = [(entry.id, place, _sealed(list(row))) for place, row in enumerate(rows[:KEPT])]
        with self._using, self._file.errors(), self._file.transaction() as connection:
            connection.execute(
                "insert or replace into imports values (?, ?, ?, ?)", (entry.id, entry.symbol, entry.digest, content)
            )
            connection.execute("delete from quarantined where id = ?", (entry.id,))
            connection.executemany("insert into quarantined values (?, ?, ?)", refused)

    def imports(self, symbol: str | None = None) -> list[Import]:
        """Return the imports of all symbols or one, the oldest first. Raises as `SqliteFile.errors`."""
        return _of(symbol, self._entries("select content from imports order by id"))

    def quarantined(self, symbol: str | None = None, limit: int = 100) -> list[tuple[Import, BadRow]]:
        """Return refused rows that are kept, those of the newest import first. Raises as `SqliteFile.errors`."""
        return _newest_rows(self.imports(symbol), self.rows, limit)

    def rows(self, entry: Import) -> list[BadRow]:
        """Return the refused rows of an import that are kept. Raises as `SqliteFile.errors`."""
        return self._read("select content from quarantined where id = ? order by place", (entry.id,), _bad_row)

    def seen(self, like: Import) -> Import | None:
        """Return the newest import of the same bytes in the same way. Raises as `SqliteFile.errors`."""
        return _newest_like(
            self._entries("select content from imports where digest = ? order by id", like.digest), like
        )

    def close(self) -> None:
        """Let go of the file."""
        with self._using:
            self._file.close()

    def _entries(self, query: str, *values: str) -> list[Import]:
        return self._read(query, values, _entry)

    def _read(self, query: str, values: tuple[str, ...], make: Callable[[Any], Made]) -> list[Made]:
        with self._using, self._file.errors():
            if not self._file.there:
                return []
            with closing(self._file.connection().execute(query, values)) as found:
                return [_made(content, make) for (content,) in found]


class PlaceJournal:
    """Keeps imports in an object store, or in memory, a file each: `journal/<id>.json`."""

    def __init__(self, place: Place) -> None:
        self._place = place.inside(_FOLDER)
        self._known: dict[str, tuple[Import, list[BadRow]]] = {}
        self._using = RLock()

    def __repr__(self) -> str:
        return f"<PlaceJournal {self._place.address}>"

    def record(self, entry: Import, rows: Sequence[BadRow] = ()) -> None:
        """Add an import with the first of its refused rows; it lasts at return. Raises FeatureStoreError."""
        content = _sealed({"import": asdict(entry), "quarantined": [list(row) for row in rows[:KEPT]]})
        try:
            self._place.write_new(f"{entry.id}.json", content.encode())
        except OSError as problem:
            raise self._unusable(problem) from problem

    def imports(self, symbol: str | None = None) -> list[Import]:
        """Return the imports of all symbols or one, the oldest first. Raises FeatureStoreError, CorruptDataError."""
        return _of(symbol, (entry for entry, _ in self._every().values()))

    def quarantined(self, symbol: str | None = None, limit: int = 100) -> list[tuple[Import, BadRow]]:
        """Return refused rows that are kept, those of the newest import first. Raises as `imports` does."""
        return _newest_rows(self.imports(symbol), self.rows, limit)

    def rows(self, entry: Import) -> list[BadRow]:
        """Return the refused rows of an import that are kept. Raises as `imports` does."""
        return self._every()[f"{entry.id}.json"][1]

    def seen(self, like: Import) -> Import | None:
        """Return the newest import of the same bytes in the same way. Raises as `imports` does."""
        return _newest_like(self.imports(), like)

    def close(self) -> None:
        """Forget what was read."""
        self._known = {}

    def _every(self) -> dict[str, tuple[Import, list[BadRow]]]:
        with self._using:
            try:
                names = self._place.names()
                self._known = {name: self._known.get(name) or _object(self._place.read(name)) for name in names}
            except DamagedRowError as problem:
                msg = f"{self._place.address} is damaged ({problem}); remove what is damaged: bars do not depend on it"
                raise CorruptDataError(msg) from problem
            except OSError as problem:
                raise self._unusable(problem) from problem
            return self._known

    def _unusable(self, problem: OSError) -> FeatureStoreError:
        return FeatureStoreError(f"{self._place.address} cannot be used ({problem}); see that it can be reached")


# ---------------------------------------------------------------- shared
def _of(symbol: str | None, entries: Iterable[Import]) -> list[Import]:
    return sorted(
        (entry for entry in entries if symbol in (None, entry.symbol)), key=lambda entry: (entry.at, entry.file)
    )


def _newest_like(entries: list[Import], like: Import) -> Import | None:
    return next((entry for entry in reversed(entries) if entry.answers(like)), None)


def _newest_rows(
    entries: list[Import], rows: Callable[[Import], list[BadRow]], limit: int
) -> list[tuple[Import, BadRow]]:
    found: list[tuple[Import, BadRow]] = []
    for entry in reversed(entries):
        if len(found) >= limit:
            break
        if entry.reasons:
            found += [(entry, row) for row in rows(entry)]
    return found[:limit]


def _object(content: bytes) -> tuple[Import, list[BadRow]]:
    whole = _made(content, dict)
    return _made(whole.get("import"), _entry), [_made(row, _bad_row) for row in whole.get("quarantined", ())]


def _made(content: Any, make: Callable[[Any], Made]) -> Made:
    try:
        return make(_unsealed(content) if isinstance(content, str | bytes) else content)
    except (ValueError, TypeError, KeyError) as problem:
        msg = f"an import cannot be read: {problem}"
        raise DamagedRowError(msg) from problem


def _sealed(data: Any) -> str:
    """Return plain data as a line of JSON and a line with its digest, as neither SQLite nor a folder has checksums."""
    text = json_codec.dumps(data).decode()
    return f"{text}\n{_seal(text)}"


def _unsealed(content: str | bytes) -> Any:
    """Return the data of `_sealed`; raises ValueError where it is not what was written."""
    text, _, seal = (content if isinstance(content, str) else content.decode()).rpartition("\n")
    if seal != _seal(text):
        msg = "it does not match its checksum"
        raise ValueError(msg)
    return json_codec.loads(text)


def _seal(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _entry(content: dict[str, Any]) -> Import:
    return Import(**{**content, "notes": tuple(content["notes"]), "reasons": Counter(content["reasons"])})


def _bad_row(content: list[Any]) -> BadRow:
    row, reason, values = content
    return BadRow(row, reason, values)
