"""A saved state as bytes: what it belongs to, then the words themselves.

magic "FXFS" | format, 2 bytes | header length, 4 bytes | header, JSON | words, little-endian | CRC-32 of all before, 4 bytes
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from feature_store import json_codec
from feature_store.errors import SnapshotMismatchError

if TYPE_CHECKING:
    from feature_store.bars import Integers

ENGINE_VERSION = 2
"""Raised when the engine's arithmetic or the layout of words changes, so that old states are refused."""

_MAGIC = b"FXFS"
_PREFIX = struct.Struct("<4sHI")
_CHECKSUM = struct.Struct("<I")
_FORMAT = 1


@dataclass(frozen=True, eq=False, slots=True)
class Snapshot:
    """A live state and all it depends on.

    Args:
        features: ids as they were asked for, in order.
        versions: each feature's definition when it was taken.
        timeframe: of the bars, or None where it was not said.
        bars: how many were committed.
        last_time: open of the last bar in UTC microseconds, or None where times were not given.
        digest: rolling digest of all bars that were committed (FNV-1a over their words).
        words: the plan's words.
    """

    features: tuple[str, ...]
    versions: tuple[str, ...]
    timeframe: str | None
    bars: int
    last_time: int | None
    digest: int
    words: Integers

    def to_bytes(self) -> bytes:
        """Return the snapshot's bytes, the same on every machine."""
        header = json_codec.dumps(
            {
                "engine": ENGINE_VERSION,
                "features": list(self.features),
                "versions": list(self.versions),
                "timeframe": self.timeframe,
                "bars": self.bars,
                "last_time": self.last_time,
                "digest": self.digest,
            }
        )
        body = _PREFIX.pack(_MAGIC, _FORMAT, len(header)) + header + self.words.astype("<i8").tobytes()
        return body + _CHECKSUM.pack(crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> Snapshot:
        """Return the snapshot of its bytes; raises SnapshotMismatchError where they are damaged or of another engine."""
        if len(data) < _PREFIX.size + _CHECKSUM.size or data[: len(_MAGIC)] != _MAGIC:
            raise _refused("these are not the bytes of a snapshot")
        body, checksum = data[: -_CHECKSUM.size], data[-_CHECKSUM.size :]
        if _CHECKSUM.unpack(checksum)[0] != crc32(body):
            raise _refused("its checksum does not fit: the bytes are damaged")
        _, form, length = _PREFIX.unpack_from(body)
        if form != _FORMAT:
            raise _refused(f"its format is {form}, this version reads {_FORMAT}")
        header = json_codec.loads(body[_PREFIX.size : _PREFIX.size + length])
        if header["engine"] != ENGINE_VERSION:
            raise _refused(f"it was made by engine {header['engine']}, this is engine {ENGINE_VERSION}")
        words = np.frombuffer(body[_PREFIX.size + length :], dtype="<i8").astype(np.int64)
        return cls(
            tuple(header["features"]),
            tuple(header["versions"]),
            header["timeframe"],
            header["bars"],
            header["last_time"],
            header["digest"],
            words,
        )

    def refuse_other(self, versions: tuple[str, ...], words: int) -> None:
        """Raise SnapshotMismatchError where today's definitions differ from those the state was made by."""
        for feature, then, now in zip(self.features, self.versions, versions, strict=True):
            if then != now:
                raise _refused(f"{feature} was {then} when it was taken and is {now}")
        if len(self.words) != words:
            raise _refused(f"it holds {len(self.words)} words, these features have {words}")


def _refused(why: str) -> SnapshotMismatchError:
    return SnapshotMismatchError(f"the snapshot cannot be continued: {why}; rebuild the state from bars")
