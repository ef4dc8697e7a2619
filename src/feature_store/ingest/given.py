"""What a source has given so far, to tell of a row that comes again in a later piece whether it says the same.

Of each row its key (`time`, `known_at`) and a fingerprint of its values are remembered, in a file once they are many: so memory
does not grow with the source. Pieces whose times lie beyond those of all pieces before, as nearly always, need no look at it.
"""

from __future__ import annotations

from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feature_store.bars import Integers
    from feature_store.store.protocol import Arrivals

    Booleans = NDArray[np.bool_]
    Records = NDArray[np.void]

_RECORD = np.dtype([("time", np.int64), ("known_at", np.int64), ("print", np.uint64)])
_IN_MEMORY = 32 * 2**20  # a file on the disk beyond that


@dataclass(frozen=True, slots=True)
class _Piece:
    first: int
    last: int
    start: int
    rows: int


class Given:
    """The rows that a source has given in the pieces so far.

    >>> from feature_store.store.protocol import Arrivals
    >>> given, time = Given(), np.array([60, 120, 60])
    >>> def piece(close):
    ...     return Arrivals(time, time, time, time > 0, {"close": np.array(close)})
    >>> [each.tolist() for each in given.sort_out(piece([1.1, 1.2, 1.1]))]
    [[0, 1], [2], []]
    >>> [each.tolist() for each in given.sort_out(piece([1.1, 1.3, 1.1]))]
    [[], [0, 2], [1]]
    >>> given.close()
    """

    def __init__(self) -> None:
        self._pieces: list[_Piece] = []
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  it lives as long as this does

    def __repr__(self) -> str:
        return f"<Given {sum(piece.rows for piece in self._pieces):,} rows>"

    def sort_out(self, arrivals: Arrivals) -> tuple[Integers, Integers, Integers]:
        """Return the places of the first row of each (`time`, `known_at`), of those that repeat it, and of those that differ.

        What comes first is remembered.
        """
        if not len(arrivals):
            none = np.zeros(0, dtype=np.int64)
            return none, none, none
        records = _records(arrivals)
        again, differing = self._compared(records)
        first, twice, changed = _unique(records, np.flatnonzero(~(again | differing)))
        self._remember(records if len(first) == len(records) else records[first])
        return first, _with(twice, again), _with(changed, differing)

    def close(self) -> None:
        """Let go of what is remembered."""
        self._file.close()

    def _compared(self, records: Records) -> tuple[Booleans, Booleans]:
        """Return which records came in a piece before with equal values, and which with others."""
        again, differing = np.zeros((2, len(records)), dtype=np.bool_)
        first, last = records["time"].min(), records["time"].max()
        for piece in self._pieces:
            if piece.first <= last and piece.last >= first:
                came, same = _matches(self._recall(piece), records)
                again |= same
                differing |= came & ~same
        return again, differing

    def _remember(self, records: Records) -> None:
        if len(records):
            start = self._file.seek(0, 2)
            self._file.write(records.tobytes())
            first, last = int(records["time"].min()), int(records["time"].max())
            self._pieces.append(_Piece(first, last, start, len(records)))

    def _recall(self, piece: _Piece) -> Records:
        self._file.seek(piece.start)
        return np.frombuffer(self._file.read(piece.rows * _RECORD.itemsize), dtype=_RECORD)


def _records(arrivals: Arrivals) -> Records:
    records = np.empty(len(arrivals), dtype=_RECORD)
    records["time"], records["known_at"] = arrivals.time, arrivals.known_at
    records["print"] = pl.DataFrame(dict(arrivals.columns)).hash_rows(seed=0).to_numpy()
    return records


def _unique(records: Records, rows: Integers) -> tuple[Integers, Integers, Integers]:
    """Return the first of some rows of each key, the later ones with its fingerprint, and the later ones with others."""
    time = records["time"][rows]
    if bool((time[1:] > time[:-1]).all()):
        return rows, rows[:0], rows[:0]
    order = rows[np.lexsort((rows, records["known_at"][rows], time))]
    keys = records[["time", "known_at"]][order]
    begins = np.append(True, keys[1:] != keys[:-1])
    first = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
    same = records["print"][order] == records["print"][first]
    return order[begins], order[~begins & same], order[~begins & ~same]


def _with(rows: Integers, others: Booleans) -> Integers:
    return np.append(rows, np.flatnonzero(others)) if others.any() else rows


def _matches(known: Records, records: Records) -> tuple[Booleans, Booleans]:
    """Return which records have the key of a known one, and which have its fingerprint too; keys occur once in either."""
    order = np.lexsort((known["known_at"], known["time"]))
    time, known_at = known["time"][order], known["known_at"][order]
    place = time.searchsorted(records["time"])
    last = time.searchsorted(records["time"], side="right")
    while True:  # once, unless a time has several knowledge times
        at = np.minimum(place, len(known) - 1)
        further = (place < last) & (known_at[at] < records["known_at"])
        if not further.any():
            break
        place = place + further
    came = (place < last) & (known_at[at] == records["known_at"])
    return came, came & (known["print"][order][at] == records["print"])
