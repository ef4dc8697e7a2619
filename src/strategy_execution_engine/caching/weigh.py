"""How many bytes a value holds, well enough to bound a cache by them."""

from __future__ import annotations

import sys
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

_DEPTH = 4


def weigh(value: Any, depth: int = _DEPTH) -> int:
    """Return the bytes that `value` keeps in memory.

    Arrays, Arrow tables and answers say so themselves (`nbytes`), pandas and polars frames are asked in their own way,
    bytes count their length, and a dict, list, tuple or set counts what it holds, four levels deep. Anything else
    counts its own object only. A view of a larger array counts the view, though it keeps the whole array alive.

    >>> weigh(b"four")
    4
    """
    if isinstance(value, (bytes, bytearray)):
        return len(value)
    if isinstance(nbytes := getattr(value, "nbytes", None), int):
        return nbytes
    if (usage := getattr(value, "memory_usage", None)) is not None:  # a pandas frame
        return int(usage(index=True).sum())
    if (size := getattr(value, "estimated_size", None)) is not None:  # a polars frame
        return int(size())
    return sys.getsizeof(value) + (sum(weigh(held, depth - 1) for held in _held(value)) if depth else 0)


def _held(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return chain(value, value.values())
    return value if isinstance(value, (list, tuple, set, frozenset)) else ()
