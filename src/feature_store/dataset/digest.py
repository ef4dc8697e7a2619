"""The hash of columns: equal hashes mean equal names, lengths and bits, whatever library or machine holds them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store import json_codec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_PIECE = 1 << 16


def digest(columns: Mapping[str, NDArray[Any]], about: object = None) -> str:
    """Return the SHA-256 of columns in their order: names and lengths, values little-endian, every NaN the same one.

    Args:
        columns: of whole numbers or float64.
        about: what else belongs to them, as plain data.

    >>> digest({"a": np.array([1.0, np.nan])}) == digest({"a": np.array([1.0, -np.nan])})
    True
    """
    found = hashlib.sha256(json_codec.dumps(about))
    for name, column in columns.items():
        kind = column.dtype.newbyteorder("<").str
        found.update(json_codec.dumps([name, kind, len(column)]))
        for first in range(0, len(column), _PIECE):
            found.update(_canonical(column[first : first + _PIECE]).astype(kind, copy=False).data)
    return found.hexdigest()


def _canonical(piece: NDArray[Any]) -> NDArray[Any]:
    if piece.dtype.kind != "f":
        return np.ascontiguousarray(piece)
    lacking = np.isnan(piece)
    return np.where(lacking, np.nan, piece) if lacking.any() else np.ascontiguousarray(piece)
