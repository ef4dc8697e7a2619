"""A saved state as bytes: what it belongs to, the state, and an earlier one with the bars that led from there.

magic "FXFS" | format, 2 bytes | header length, 4 bytes | header, JSON | words of the state | words of the earlier state |
opens of the bars | their numbers, bar by bar | CRC-32 of all before, 4 bytes; words and numbers are 8 bytes, little-endian
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from feature_store import json_codec
from feature_store.bars import FEATURE_COLUMNS
from feature_store.engine.rollback import Mark
from feature_store.errors import SnapshotMismatchError

if TYPE_CHECKING:
    from feature_store.bars import Integers
    from feature_store.engine.rollback import Timed

ENGINE_VERSION = 2
"""Raised when the engine's arithmetic or the layout of words changes, so that old states are refused."""

_MAGIC = b"FXFS"
_PREFIX = struct.Struct("<4sHI")
_CHECKSUM = struct.Struct("<I")
_FORMAT = 2


@dataclass(frozen=True, eq=False, slots=True)
class Snapshot:
    """A live state and all it depends on.

    Args:
        features: ids as they were asked for, in order.
        versions: each feature's definition when it was taken.
        timeframe: of the bars, or None where it was not said.
        now: the state.
        earlier: a state of 40 to 79 bars before, or that before the first bar.
        since: the bars from there to the state.
    """

    features: tuple[str, ...]
    versions: tuple[str, ...]
    timeframe: str | None
    now: Mark
    earlier: Mark
    since: tuple[Timed, ...]

    @property
    def words(self) -> Integers:
        """The words of the state."""
        return self.now.words

    def to_bytes(self) -> bytes:
        """Return the snapshot's bytes, the same on every machine."""
        header = {
            "features": list(self.features),
            "versions": list(self.versions),
            "timeframe": self.timeframe,
            "words": len(self.words),
            "since": len(self.since),
            **{name: list(mark[1:]) for name, mark in (("now", self.now), ("earlier", self.earlier))},
        }
        times = np.array([moment for moment, _ in self.since], dtype="<i8")
        numbers = np.array([bar for _, bar in self.since], dtype="<f8")
        words = (each.astype("<i8") for each in (self.now.words, self.earlier.words))
        return seal(_MAGIC, _FORMAT, header, b"".join(part.tobytes() for part in (*words, times, numbers)))

    @classmethod
    def from_bytes(cls, data: bytes) -> Snapshot:
        """Return the snapshot of its bytes; raises SnapshotMismatchError where they are damaged or of another engine."""
        header, body = unseal(data, _MAGIC, _FORMAT)
        now, earlier, times, numbers = _parts(body, header["words"], header["since"])
        return cls(
            tuple(header["features"]),
            tuple(header["versions"]),
            header["timeframe"],
            Mark(now, *header["now"]),
            Mark(earlier, *header["earlier"]),
            tuple(zip(times.tolist(), map(tuple, numbers.tolist()), strict=True)),
        )

    def refuse_other(self, versions: tuple[str, ...], words: int) -> None:
        """Raise SnapshotMismatchError where today's definitions differ from those the state was made by."""
        for feature, then, now in zip(self.features, self.versions, versions, strict=True):
            if then != now:
                raise refused(f"{feature} was {then} when it was taken and is {now}")
        if len(self.words) != words:
            raise refused(f"it holds {len(self.words)} words, these features have {words}")


def refused(why: str) -> SnapshotMismatchError:
    """Return the error of a snapshot that cannot be continued."""
    return SnapshotMismatchError(f"the snapshot cannot be continued: {why}; rebuild the state from bars")


def seal(magic: bytes, form: int, header: dict[str, Any], body: bytes) -> bytes:
    """Return a header and a body as bytes that tell what they are, by which engine, and whether they are whole."""
    text = json_codec.dumps({"engine": ENGINE_VERSION, **header})
    whole = _PREFIX.pack(magic, form, len(text)) + text + body
    return whole + _CHECKSUM.pack(crc32(whole))


def unseal(data: bytes, magic: bytes, form: int) -> tuple[dict[str, Any], bytes]:
    """Return the header and the body of sealed bytes; raises SnapshotMismatchError for damaged ones, and those of others."""
    if not isinstance(data, bytes):
        raise refused(f"a snapshot is bytes, this is {type(data).__name__}")
    if len(data) < _PREFIX.size + _CHECKSUM.size or data[: len(magic)] != magic:
        raise refused("these are not the bytes of a snapshot")
    whole, checksum = data[: -_CHECKSUM.size], data[-_CHECKSUM.size :]
    if _CHECKSUM.unpack(checksum)[0] != crc32(whole):
        raise refused("its checksum does not fit: the bytes are damaged")
    _, found, length = _PREFIX.unpack_from(whole)
    if found != form:
        raise refused(f"its format is {found}, this version reads {form}")
    header = json_codec.loads(whole[_PREFIX.size : _PREFIX.size + length])
    if header["engine"] != ENGINE_VERSION:
        raise refused(f"it was made by engine {header['engine']}, this is engine {ENGINE_VERSION}")
    return header, whole[_PREFIX.size + length :]


def _parts(body: bytes, words: int, bars: int) -> tuple[Any, ...]:
    """Return the words of both states, and opens and numbers of the bars."""
    width = len(FEATURE_COLUMNS)
    cells = np.frombuffer(body, dtype="<i8").astype(np.int64)
    if len(cells) != 2 * words + (1 + width) * bars:
        raise refused(f"it says {words} words and {bars} bars and has room for others")
    now, earlier, times, numbers = np.split(cells, np.cumsum([words, words, bars]))
    return now, earlier, times, numbers.view(np.float64).reshape(bars, width)
