"""When one series passes another: pure functions on arrays, each row known at its own bar's close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feature_store.bars import Floats

    Sides = NDArray[np.int8]
    Flags = NDArray[np.bool_]


def sides(fast: Floats, slow: Floats) -> Sides:
    """Return 1 where `fast` is above `slow`, -1 where below, 0 where unknown; a tie keeps the side before it.

    A NaN forgets: a tie right after one has no side.

    >>> sides(np.array([1.0, 2, 3, np.nan, 2]), np.array([2.0, 2, 2, 2, 2]))
    array([-1, -1,  1,  0,  0], dtype=int8)
    """
    gap = fast - slow
    rows = np.arange(len(gap))
    anchor = np.maximum.accumulate(np.where(gap != 0, rows, 0)) if len(gap) else rows  # NaN != 0 anchors as well
    return np.nan_to_num(np.sign(gap[anchor])).astype(np.int8)


def turns(side: Sides, confirmation: int = 0) -> Sides:
    """Return the new side where it changed `confirmation` bars ago and has held since, else 0.

    The bar before the change must have had the opposite side: coming out of the unknown is no change.

    >>> turns(np.array([0, 1, 1, -1, -1, -1, 1], dtype=np.int8))
    array([ 0,  0,  0, -1,  0,  0,  1], dtype=int8)
    >>> turns(np.array([0, 1, 1, -1, -1, -1, 1], dtype=np.int8), confirmation=2)
    array([ 0,  0,  0,  0,  0, -1,  0], dtype=int8)
    """
    if not len(side):
        return side
    changed = np.empty(len(side), dtype=bool)
    changed[0], changed[1:] = True, side[1:] != side[:-1]
    rows = np.arange(len(side))
    began = np.maximum.accumulate(np.where(changed, rows, 0))
    before = side[np.maximum(began - 1, 0)]
    confirmed = (rows - began == confirmation) & (before == -side) & (side != 0)
    return np.where(confirmed, side, 0).astype(np.int8)


def breaks(close: Floats, upper: Floats, lower: Floats) -> Sides:
    """Return 1 where `close` is above `upper` and the bar before was not above its own, -1 below `lower`, else 0.

    >>> breaks(np.array([1.0, 3, 4, 0]), np.array([2.0, 2, 2, 2]), np.array([0.5, 0.5, 0.5, 0.5]))
    array([ 0,  1,  0, -1], dtype=int8)
    """
    above, below = _fresh(close > upper, upper), _fresh(close < lower, lower)
    return above.astype(np.int8) - below.astype(np.int8)


def bars_since(flags: Flags) -> Floats:
    """Return how many bars before each row the flag was last up, 0 not counting; infinite where it never was.

    >>> bars_since(np.array([False, True, False, True, True]))
    array([inf, inf,  1.,  2.,  1.])
    """
    rows = np.arange(len(flags), dtype=np.float64)
    last = np.full(len(flags), -np.inf)
    last[1:] = np.maximum.accumulate(np.where(flags, rows, -np.inf))[:-1] if len(flags) else []
    since: Floats = rows - last
    return since


def _fresh(beyond: Flags, level: Floats) -> Flags:
    """Return where `beyond` came true at this very bar; the level must have been known at the bar before."""
    began = beyond.copy()
    began[:1] = False
    began[1:] &= ~beyond[:-1] & np.isfinite(level[:-1])
    return began
