"""What SQLite does not say of its write-ahead file: that bytes of it are damaged.

SQLite takes the first frame that does not match its checksum for the end, as what a crash left half written. So one flipped
byte would silently take back every transaction from there on. This looks at the file before SQLite does:

1. The header must match its checksum.
2. Each frame carries a checksum that goes on from the one before. The first frame that does not match is where SQLite ends.
3. A frame after it that does match, with the checksum of the one before taken as it stands, was written when all was well.
4. So was one of this file's time, which its two salts tell, that is whole and does not match. What a crash leaves is not whole,
   or left from an earlier time, with neither salt.

The checksum is a linear recurrence modulo 2**32, so that of a page is one product of its words with fixed coefficients.
Format: https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sums = tuple[int, int]

_HEADER, _FRAME = 32, 24
_MAGIC = 0x377F0682
_MASK = 0xFFFFFFFF


def damage_in(content: bytes) -> str | None:
    """Return what is damaged in the bytes of a write-ahead file, or None."""
    if len(content) < _HEADER:
        return None
    magic, _, page, _, *salts, first, second = struct.unpack(">8I", content[:_HEADER])
    order = ">" if magic & 1 else "<"
    if magic & ~1 != _MAGIC or _sums(content[:24], order, (0, 0)) != (first, second):
        return "the header of its write-ahead file does not match its checksum"
    if not 512 <= page <= 65_536:  # noqa: PLR2004  what SQLite allows
        return "the header of its write-ahead file gives no size of a page"
    frames = [
        _Frame(content, at, page, order) for at in range(_HEADER, len(content) - page - _FRAME + 1, page + _FRAME)
    ]
    sums = [(first, second), *(frame.said for frame in frames)]
    right = [frame.matches(salts, before) for frame, before in zip(frames, sums, strict=False)]
    end = right.index(False) if False in right else len(right)
    if any(right[end:]) or (end < len(frames) and frames[end].is_of(salts)):
        return f"frame {end + 1} of its write-ahead file does not match its checksum"
    return None


class _Frame:
    """A page as it is to be, with what was written of it."""

    def __init__(self, content: bytes, at: int, page: int, order: str) -> None:
        head = content[at : at + _FRAME]
        self.salts: list[int] = list(struct.unpack(">2I", head[8:16]))
        self.said: Sums = struct.unpack(">2I", head[16:24])
        self._words = head[:8] + content[at + _FRAME : at + _FRAME + page]
        self._order = order

    def matches(self, salts: list[int], before: Sums) -> bool:
        return self.salts == salts and _sums(self._words, self._order, before) == self.said

    def is_of(self, salts: list[int]) -> bool:
        return self.salts[0] == salts[0] or self.salts[1] == salts[1]


def _sums(content: bytes, order: str, before: Sums) -> Sums:
    words = np.frombuffer(content, dtype=f"{order}u4").astype(np.uint32)
    factors, carried = _coefficients(len(words) // 2)
    new = factors @ words
    return (
        (int(new[0]) + carried[0] * before[0] + carried[1] * before[1]) & _MASK,
        (int(new[1]) + carried[2] * before[0] + carried[3] * before[1]) & _MASK,
    )


@lru_cache(maxsize=4)
def _coefficients(pairs: int) -> tuple[NDArray[np.uint32], tuple[int, int, int, int]]:
    """Return what each word, and each sum before, counts in the two sums after so many pairs of words.

    A pair x, y turns the sums a, b into a + b + x and a + 2b + x + y.
    """
    a, b, c, d = 1, 0, 0, 1  # what the sums after a pair count in the end, from the last pair to the first
    factors = np.empty((2, 2 * pairs), dtype=np.uint32)
    for pair in reversed(range(pairs)):
        factors[:, 2 * pair] = (a + b) & _MASK, (c + d) & _MASK
        factors[:, 2 * pair + 1] = b, d
        a, b, c, d = (a + b) & _MASK, (a + 2 * b) & _MASK, (c + d) & _MASK, (c + 2 * d) & _MASK
    return factors, (a, b, c, d)
