"""The tail: rows that are on the disk and not in the history yet, in `<home>/tail.sqlite`.

A few rows, such as a bar that has just closed, would cost the history a commit and a file of their own. They are acknowledged
once SQLite has them on the disk, and move to the history many at a time:

1. The history commits them and says in the commit up to which number of the tail it has them.
2. When that commit is on the disk, the tail drops them, and writes down up to which number it has.
3. Who reads takes the history first and the tail after it, from the number that the history has. Where the tail was dropped
   beyond that number in between, the history has moved on: it is taken again. So nothing is missed, and nothing seen twice.

Each row of SQLite holds one write's rows of one bucket and a digest of them, as SQLite has no checksums of its own; and a mark
of each timeframe holds how far it was dropped and the sum of the digests of what is left, so that none can vanish unseen.
Numbers go on from what the history has, even where the file was lost and is made anew.
"""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from threading import RLock
from typing import TYPE_CHECKING

from feature_store.store.history import History, merge
from feature_store.store.rows import Facts, Rows
from feature_store.store.sqlite_file import DamagedRowError, SqliteFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FILE = "tail.sqlite"
APPLICATION = "tail"
"""Whose transaction in the history's log says how far it has the tail."""

_TABLES = """
create table if not exists pending (
    number integer primary key autoincrement, timeframe text not null, folder text not null, facts text not null,
    content blob not null, digest blob not null
);
create table if not exists marks (
    timeframe text primary key, dropped integer not null, total integer not null, digest blob not null
);
"""
_SELECT = "select number, timeframe, folder, facts, content, digest from pending where number > ? order by number"
_INSERT = "insert into pending values (?, ?, ?, ?, ?, ?)"
_LAST = "select seq from sqlite_sequence where name = 'pending'"
_MARKS = "select timeframe, dropped, total, digest from marks"
_MARK = """insert into marks values (?, ?, ?, ?) on conflict (timeframe) do update set
    dropped = excluded.dropped, total = excluded.total, digest = excluded.digest"""
_DROP = "delete from pending where timeframe = ? and number <= ?"
_BITS = 2**63  # SQLite's numbers are signed and have 64 bits


@dataclass(frozen=True, eq=False)
class Pending:
    """One write's rows of one bucket, and their place among all writes.

    Args:
        number: rises with every write.
        timeframe: the name of the table they are for.
        folder: of their partition there.
        facts: what is known of them.
        content: their bytes.
        digest: of all of that.
    """

    number: int
    timeframe: str
    folder: str
    facts: Facts
    content: bytes
    digest: bytes

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
        self._pending: dict[str, tuple[Pending, ...]] = {}
        self._dropped: dict[str, int] = {}
        self._last = 0

    def __repr__(self) -> str:
        return f"<Tail {self._file.path} pending={sum(map(len, self._pending.values()))}>"

    def append(self, batches: Iterable[tuple[str, str, Rows]], beyond: int) -> None:
        """Add rows of buckets, by timeframe and folder; they are on the disk at return. Raises as `SqliteFile.errors`.

        Their numbers come after `beyond`, which is what the history of the timeframe has.
        """
        with self._using, self._file.errors():
            self._fresh()
            with self._file.transaction() as connection:
                last = max(beyond, *(number for (number,) in connection.execute(_LAST)), 0)
                added = [_pending(number, *batch) for number, batch in enumerate(batches, last + 1)]
                for each in added:
                    connection.execute(_INSERT, _values(each))
                after = dict(self._pending)
                for each in added:
                    after[each.timeframe] = (*after.get(each.timeframe, ()), each)
                for timeframe in {each.timeframe for each in added}:
                    connection.execute(_MARK, _mark(timeframe, self._dropped.get(timeframe, 0), after[timeframe]))
            self._pending = after
            self._last = last + len(added)

    def pending(self, timeframe: str, beyond: int) -> Sequence[Pending] | None:
        """Return what is written for a timeframe after the number that its history has; None where the history has more.

        It is the same object while nothing of it changes.
        """
        with self._using, self._file.errors():
            if not self._file.there:
                return ()
            self._fresh()
            if self._dropped.get(timeframe, 0) > beyond:
                return None
            mine = self._pending.get(timeframe, ())
            return mine if not mine or mine[0].number > beyond else _after(mine, beyond)

    def held(self) -> dict[str, tuple[int, Sequence[Pending]]]:
        """Return by timeframe up to which number it was handed over, and all that is still written."""
        with self._using, self._file.errors():
            if not self._file.there:
                return {}
            self._fresh()
            return {timeframe: (dropped, self._pending[timeframe]) for timeframe, dropped in self._dropped.items()}

    def restart(self, timeframe: str) -> None:
        """Number what is written for a timeframe as the first rows there are, as its history was given up; nothing is lost."""
        with self._using, self._file.errors():
            if not self._file.there:
                return
            self._fresh()
            batches = _renumbered(self._pending.get(timeframe, ()))
            with self._file.transaction() as connection:
                connection.execute(_DROP, (timeframe, self._last))
                last = max(self._last, *(number for (number,) in connection.execute(_LAST)), 0)
                added = tuple(_pending(number, *batch) for number, batch in enumerate(batches, last + 1))
                for each in added:
                    connection.execute(_INSERT, _values(each))
                connection.execute(_MARK, _mark(timeframe, 0, added))
            self._pending[timeframe], self._dropped[timeframe] = added, 0
            self._last = last + len(added)

    def drop(self, timeframe: str, upto: int) -> None:
        """Let go of what the history of a timeframe has on the disk."""
        with self._using, self._file.errors():
            if not self._file.there:
                return
            self._fresh()
            if self._dropped.get(timeframe, 0) >= upto:
                return
            left = _after(self._pending.get(timeframe, ()), upto)
            with self._file.transaction() as connection:
                connection.execute(_DROP, (timeframe, upto))
                connection.execute(_MARK, _mark(timeframe, upto, left))
            self._dropped[timeframe], self._pending[timeframe] = upto, left

    def close(self) -> None:
        """Let go of the file."""
        with self._using:
            self._pending, self._dropped, self._last = {}, {}, 0
            self._file.close()

    def _fresh(self) -> None:
        """Take over what another process has written or dropped since."""
        if not self._file.changed():
            return
        try:
            connection = self._file.connection()
            connection.execute("begin")
            try:
                marks = connection.execute(_MARKS).fetchall()
                with closing(connection.execute(_SELECT, (self._last,))) as found:
                    news = [_checked(*row) for row in found]
            finally:
                connection.execute("commit")
            self._take(marks, news)
        except BaseException:
            self._file.look_again()
            raise

    def _take(self, marks: list[tuple[str, int, int, bytes]], news: list[Pending]) -> None:
        """Hold what is left of what was known, and what is new; raises DamagedRowError where that is not what was written."""
        pending: dict[str, tuple[Pending, ...]] = {}
        for timeframe, dropped, total, digest in marks:
            known = _after(self._pending.get(timeframe, ()), dropped)
            pending[timeframe] = (*known, *(each for each in news if each.timeframe == timeframe))
            if (timeframe, dropped, total, digest) != _mark(timeframe, dropped, pending[timeframe]):
                msg = f"what it holds of {timeframe} is not what was written"
                raise DamagedRowError(msg)
        if any(each.timeframe not in pending for each in news) or self._dropped.keys() - pending.keys():
            msg = "a mark is missing"
            raise DamagedRowError(msg)
        self._pending = pending
        self._dropped = {timeframe: dropped for timeframe, dropped, _, _ in marks}
        self._last = news[-1].number if news else self._last


def _after(pending: Sequence[Pending], number: int) -> tuple[Pending, ...]:
    return tuple(each for each in pending if each.number > number)


def _pending(number: int, timeframe: str, folder: str, rows: Rows) -> Pending:
    content, facts = rows.to_bytes(), rows.facts
    return Pending(number, timeframe, folder, facts, content, _digest(number, timeframe, folder, facts.stem, content))


def _values(each: Pending) -> tuple[int, str, str, str, bytes, bytes]:
    return each.number, each.timeframe, each.folder, each.facts.stem, each.content, each.digest


def _renumbered(pending: Sequence[Pending]) -> list[tuple[str, str, Rows]]:
    """Return writes as they would be if there had been nothing before the first."""
    batches = []
    histories: dict[str, History] = {}
    for each in pending:
        history, arrivals = histories.get(each.folder, History.empty()), each.rows.arrivals
        new = history.news(arrivals)
        rows = Rows(arrivals.take(new.rows), new.revision, new.sequence, new.bars)
        histories[each.folder] = merge([history, rows.history])
        batches.append((each.timeframe, each.folder, rows))
    return batches


def intact(path: Path) -> tuple[list[Pending], int]:
    """Return the writes in a damaged file that are what was written, as far as SQLite finds any, and how many are not."""
    found, lost = [], 0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection, suppress(sqlite3.DatabaseError):
        for row in connection.execute(_SELECT, (0,)):
            try:
                found.append(_checked(*row))
            except (DamagedRowError, ValueError, TypeError, AttributeError):
                lost += 1
    return found, lost


def _checked(number: int, timeframe: str, folder: str, facts: str, content: bytes, digest: bytes) -> Pending:
    if digest != _digest(number, timeframe, folder, facts, content):
        msg = f"write {number} does not match its checksum"
        raise DamagedRowError(msg)
    return Pending(number, timeframe, folder, Facts.parse(facts), content, digest)


def _digest(number: int, timeframe: str, folder: str, facts: str, content: bytes) -> bytes:
    head = f"{number}\n{timeframe}\n{folder}\n{facts}\n".encode()
    return hashlib.sha256(head + content).digest()[:16]


def _mark(timeframe: str, dropped: int, pending: Iterable[Pending]) -> tuple[str, int, int, bytes]:
    total = sum(int.from_bytes(each.digest[:8]) for each in pending) % _BITS
    return timeframe, dropped, total, hashlib.sha256(f"{timeframe} {dropped} {total}".encode()).digest()[:16]
