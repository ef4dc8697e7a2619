"""The tail: rows that are on the disk and not in the history yet, in `<home>/tail.sqlite`.

A few rows, such as a bar that has just closed, would cost the history a commit and a file of their own. They are acknowledged
once SQLite has them on the disk, and move to the history many at a time:

1. The history commits them and says in the commit up to which number of the tail it has them.
2. When that commit is on the disk, the tail drops them, and writes down up to which number it has.
3. Who reads takes the history first and the tail after it, from the number that the history has. Where the tail was dropped
   beyond that number in between, the history has moved on: it is taken again. So nothing is missed, and nothing seen twice.

Each row of SQLite holds one write's rows of one bucket and a digest of them, as SQLite has no checksums of its own.
"""

from __future__ import annotations

import hashlib
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

from feature_store.store.rows import Facts, Rows
from feature_store.store.sqlite_file import DamagedRowError, SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FILE = "tail.sqlite"

_TABLES = """
create table if not exists pending (
    number integer primary key autoincrement, timeframe text not null, folder text not null, facts text not null,
    content blob not null, digest blob not null
);
create table if not exists dropped (timeframe text primary key, upto integer not null);
"""
_SELECT = "select number, timeframe, folder, facts, content, digest from pending where number > ? order by number"


@dataclass(frozen=True, eq=False)
class Pending:
    """One write's rows of one bucket, and their place among all writes.

    Args:
        number: rises with every write.
        timeframe: the name of the table they are for.
        folder: of their partition there.
        facts: what is known of them.
        content: their bytes.
    """

    number: int
    timeframe: str
    folder: str
    facts: Facts
    content: bytes

    def __repr__(self) -> str:
        return f"<Pending {self.number} {self.timeframe} {self.folder} rows={self.facts.rows}>"

    @cached_property
    def rows(self) -> Rows:
        """The rows."""
        return Rows.from_bytes(self.content)


class Tail:
    """The tail of a folder; one process writes it, any number read it. Safe among threads."""

    def __init__(self, home: Path) -> None:
        self._file = SqliteFile(
            home / FILE, _TABLES, "restore it from a backup, or let `feature-store doctor` say what is lost without it"
        )
        self._using = RLock()
        self._pending: list[Pending] = []
        self._dropped: dict[str, int] = {}

    def __repr__(self) -> str:
        return f"<Tail {self._file.path} pending={len(self._pending)}>"

    def append(self, batches: Iterable[tuple[str, str, Rows]]) -> None:
        """Add rows of buckets, by timeframe and folder; they are on the disk at return. Raises as `SqliteFile.errors`."""
        with self._using, self._file.errors():
            self._fresh()
            added = []
            with self._file.transaction() as connection:
                for timeframe, folder, rows in batches:
                    content, facts = rows.to_bytes(), rows.facts
                    values = (timeframe, folder, facts.stem, content, _digest(timeframe, folder, facts.stem, content))
                    done = connection.execute(
                        "insert into pending (timeframe, folder, facts, content, digest) values (?, ?, ?, ?, ?)", values
                    )
                    assert done.lastrowid is not None
                    added.append(Pending(done.lastrowid, timeframe, folder, facts, content))
            self._pending.extend(added)

    def pending(self, timeframe: str, beyond: int) -> list[Pending] | None:
        """Return what is written for a timeframe after the number that its history has; None where the history has more."""
        with self._using, self._file.errors():
            if not self._file.there:
                return []
            self._fresh()
            if self._dropped.get(timeframe, 0) > beyond:
                return None
            return [each for each in self._pending if each.timeframe == timeframe and each.number > beyond]

    def drop(self, timeframe: str, upto: int) -> None:
        """Let go of what the history of a timeframe has on the disk."""
        with self._using, self._file.errors():
            if not self._file.there or self._dropped.get(timeframe, 0) >= upto:
                return
            with self._file.transaction() as connection:
                connection.execute("delete from pending where timeframe = ? and number <= ?", (timeframe, upto))
                connection.execute(
                    "insert into dropped values (?, ?) on conflict (timeframe) do update set upto = excluded.upto",
                    (timeframe, upto),
                )
            self._forget(timeframe, upto)

    def close(self) -> None:
        """Let go of the file."""
        with self._using:
            self._pending, self._dropped = [], {}
            self._file.close()

    def _fresh(self) -> None:
        """Take over what another process has written or dropped since."""
        if not self._file.changed():
            return
        try:
            connection = self._file.connection()
            connection.execute("begin")
            try:
                dropped = dict(connection.execute("select timeframe, upto from dropped").fetchall())
                last = self._pending[-1].number if self._pending else 0
                with closing(connection.execute(_SELECT, (last,))) as found:
                    news = [_checked(*row) for row in found]
            finally:
                connection.execute("commit")
        except BaseException:
            self._file.look_again()
            raise
        self._pending.extend(news)
        for timeframe, upto in dropped.items():
            self._forget(timeframe, upto)

    def _forget(self, timeframe: str, upto: int) -> None:
        self._dropped[timeframe] = upto
        self._pending = [each for each in self._pending if each.timeframe != timeframe or each.number > upto]


def _checked(number: int, timeframe: str, folder: str, facts: str, content: bytes, digest: bytes) -> Pending:
    if digest != _digest(timeframe, folder, facts, content):
        msg = f"write {number} does not match its checksum"
        raise DamagedRowError(msg)
    return Pending(number, timeframe, folder, Facts(*map(int, facts.split("_"))), content)


def _digest(timeframe: str, folder: str, facts: str, content: bytes) -> bytes:
    head = f"{timeframe}\n{folder}\n{facts}\n".encode()
    return hashlib.sha256(head + content).digest()[:16]
