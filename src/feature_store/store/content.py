"""One number for what some rows say, which does not depend on how they lie in files: the sum of a hash of each row.

So the numbers of parts add up to the number of the whole, moving rows from the tail to a file or from many files to one changes
nothing, and a value, time or place in the sequence that differs changes it, but for one chance in 2^64.
"""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feature_store.bars import Floats, Integers

    Words = NDArray[np.uint64]

MODULUS = 2**64

_BLOCK = 1 << 14
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # SplitMix64, Steele and others 2014


def content_of(time: Integers, known_at: Integers, sequence: Integers, columns: Mapping[str, Floats]) -> int:
    """Return the number of rows; a column without values counts as none.

    >>> one, two = np.array([1]), np.array([2])
    >>> both = np.array([1, 2])
    >>> content_of(both, both, both, {}) == (content_of(one, one, one, {}) + content_of(two, two, two, {})) % MODULUS
    True
    """
    words = {"time": time, "known_at": known_at, "sequence": sequence, **columns}
    held = {_salt(name): np.ascontiguousarray(each) for name, each in words.items()}
    blocks = (slice(first, first + _BLOCK) for first in range(0, len(time), _BLOCK))
    return sum(_sum_of_rows({salt: each[rows] for salt, each in held.items()}) for rows in blocks) % MODULUS


def _sum_of_rows(columns: Mapping[np.uint64, Floats | Integers]) -> int:
    total: Words | None = None
    for salt, values in columns.items():
        mixed = _mixed(values.view(np.uint64), salt)
        if values.dtype.kind == "f":
            mixed *= ~np.isnan(values)
        total = mixed if total is None else total + mixed
    assert total is not None
    return int(_mixed(total, _salt("row")).sum())


@lru_cache(maxsize=64)
def _salt(name: str) -> np.uint64:
    return np.uint64(zlib.crc32(name.encode()) * int(_GOLDEN) % MODULUS)


def _mixed(words: Words, salt: np.uint64) -> Words:
    """Return words that depend on every bit of others and on a salt."""
    mixed = words + salt
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))
