"""Rows with their places in a bucket, on their way to the disk: as the bytes of the tail, or as a file of the history.

A bucket numbers its rows as they arrive, from 0. So the number of rows it has names its state for ever, and rows that stand
in the tail and in a file at once are told by their numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from feature_store import json_codec
from feature_store.errors import CorruptDataError
from feature_store.store.content import MODULUS, content_of
from feature_store.store.history import History, stack
from feature_store.store.protocol import Arrivals

if TYPE_CHECKING:
    from feature_store.bars import Integers

_WORDS = ("time", "available_at", "known_at", "revision", "sequence")


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of some rows of a bucket without looking at them; a file's name tells them. Times in UTC microseconds.

    Args:
        sequence: the number of the first one among the arrivals of the bucket.
        rows: how many there are.
        bars: how many bars more the bucket has with them: corrections add none, a deletion takes one away.
        first: the earliest bar open.
        last: the latest bar open.
        latest_known_at: the latest `known_at`.
        content: what they say, as a number (`content`).
    """

    sequence: int
    rows: int
    bars: int
    first: int
    last: int
    latest_known_at: int
    content: int

    @property
    def end(self) -> int:
        """The number after the last row."""
        return self.sequence + self.rows

    @property
    def stem(self) -> str:
        """The facts as a file's name begins."""
        return "_".join(str(getattr(self, name)) for name in self.__slots__)

    @classmethod
    def of(cls, file: str) -> Facts:
        """Return the facts of a file; raises CorruptDataError for one that is laid out in another way."""
        try:
            return _facts(file)
        except (ValueError, TypeError) as problem:
            raise other_layout(file) from problem

    @classmethod
    def parse(cls, stem: str) -> Facts:
        """Return the facts of a stem; raises ValueError where it is none."""
        return cls(*map(int, stem.split("_")))

    @classmethod
    def together(cls, parts: list[Facts]) -> Facts:
        """Return the facts of consecutive rows."""
        return cls(
            sequence=min(part.sequence for part in parts),
            rows=sum(part.rows for part in parts),
            bars=sum(part.bars for part in parts),
            first=min(part.first for part in parts),
            last=max(part.last for part in parts),
            latest_known_at=max(part.latest_known_at for part in parts),
            content=sum(part.content for part in parts) % MODULUS,
        )


def other_layout(file: str) -> CorruptDataError:
    """Return the error for a file or folder whose name this version does not write."""
    msg = f"{file} was laid out by another version of this program; ingest its source into a new folder, or use that version"
    return CorruptDataError(msg)


@lru_cache(maxsize=65_536)
def _facts(file: str) -> Facts:
    return Facts.parse(file.rpartition("/")[2].rpartition("-")[0])


@dataclass(frozen=True, eq=False, slots=True)
class Rows:
    """Arrivals that were accepted: their revision of their time, their numbers, and how many bars more there are with them."""

    arrivals: Arrivals
    revision: Integers
    sequence: Integers
    bars: int

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def facts(self) -> Facts:
        """What to remember of them."""
        mine = self.arrivals
        return Facts(
            sequence=int(self.sequence[0]),
            rows=len(self),
            bars=self.bars,
            first=int(mine.time.min()),
            last=int(mine.time.max()),
            latest_known_at=int(mine.known_at.max()),
            content=content_of(mine.time, mine.known_at, self.sequence, mine.columns),
        )

    @property
    def history(self) -> History:
        """The rows as a reader sees them, in order of time."""
        mine = self.arrivals
        return History(mine.time, mine.known_at, self.sequence, mine.columns)

    @classmethod
    def together(cls, parts: list[Rows]) -> Rows:
        """Return consecutive rows as one, in the order of their numbers; of several sources none is said."""
        if len(parts) == 1:
            return parts[0]
        arrivals = [rows.arrivals for rows in parts]
        moments = ("time", "available_at", "known_at", "assumed")
        time, available_at, known_at, assumed = (np.concatenate([getattr(a, n) for a in arrivals]) for n in moments)
        columns = stack([each.columns for each in arrivals], [len(each) for each in arrivals])
        return cls(
            Arrivals(time, available_at, known_at, assumed, columns),
            np.concatenate([rows.revision for rows in parts]),
            np.concatenate([rows.sequence for rows in parts]),
            sum(rows.bars for rows in parts),
        )

    def to_bytes(self) -> bytes:
        """Return a line of JSON and the columns, each 8 bytes a row, little-endian."""
        mine = self.arrivals
        header = {
            "rows": len(self),
            "bars": self.bars,
            "source": mine.source,
            "assumed": np.flatnonzero(mine.assumed).tolist(),
            "columns": list(mine.columns),
        }
        words = (mine.time, mine.available_at, mine.known_at, self.revision, self.sequence)
        body = (*(each.astype("<i8") for each in words), *(each.astype("<f8") for each in mine.columns.values()))
        return b"\n".join((json_codec.dumps(header), b"".join(each.tobytes() for each in body)))

    @classmethod
    def from_bytes(cls, content: bytes) -> Rows:
        """Return the rows of `to_bytes`."""
        line, _, body = content.partition(b"\n")
        header = json_codec.loads(line)
        table = np.frombuffer(body, dtype="<i8").reshape(-1, header["rows"])
        words = dict(zip(_WORDS, table, strict=False))
        columns = dict(zip(header["columns"], table[len(_WORDS) :].view("<f8"), strict=True))
        assumed = np.zeros(header["rows"], dtype=np.bool_)
        assumed[header["assumed"]] = True
        arrivals = Arrivals(words["time"], words["available_at"], words["known_at"], assumed, columns, header["source"])
        return cls(arrivals, words["revision"], words["sequence"], header["bars"])
