"""What an output is measured in, and what follows from it: the bounds and scale laws that every indicator is tested by."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """What may be expected of values of this unit.

    Args:
        scale: with prices k times as large, values are k to this power as large; None where nothing follows.
        offset: 1 where a constant added to all prices is added to the values, 0 where they stay; None where nothing follows.
        low, high: the bounds values keep.
    """

    scale: int | None = None
    offset: int | None = None
    low: float = -math.inf
    high: float = math.inf


UNITS = {
    "price": Unit(scale=1, offset=1),
    "proportional price": Unit(scale=1),
    "price change": Unit(scale=1, offset=0),
    "price squared": Unit(scale=2, offset=0),
    "price squared per tick": Unit(scale=2, offset=0),
    "sum of prices": Unit(scale=1),
    "price x ticks": Unit(scale=1),
    "0..100": Unit(scale=0, offset=0, low=0.0, high=100.0),
    "0..100 of flow": Unit(scale=0, low=0.0, high=100.0),
    "0..100 of returns": Unit(scale=0, low=0.0, high=100.0),
    "-100..0": Unit(scale=0, offset=0, low=-100.0, high=0.0),
    "-100..100": Unit(scale=0, offset=0, low=-100.0, high=100.0),
    "-1..1": Unit(scale=0, low=-1.0, high=1.0),
    "0..1": Unit(scale=0, low=0.0, high=1.0),
    "percent": Unit(scale=0),
    "per mille": Unit(scale=0),
    "ratio": Unit(scale=0),
    "log return": Unit(scale=0),
    "deviations": Unit(scale=0, offset=0),
    "index": Unit(scale=0, offset=0),
    "ticks": Unit(scale=0, offset=0),
    "ticks by price": Unit(scale=0),
    "minutes": Unit(scale=0, offset=0, low=0.0),
    "bars": Unit(scale=0, offset=0, low=0.0),
    "bits": Unit(low=0.0),
    "degrees": Unit(scale=0, low=-180.0, high=360.0),
    "degrees of a price slope": Unit(offset=0, low=-90.0, high=90.0),
    "direction": Unit(scale=0, offset=0, low=-1.0, high=1.0),
    "flag": Unit(scale=0, offset=0, low=0.0, high=1.0),
    "pattern": Unit(scale=0, low=-200.0, high=200.0),
}
"""Every unit an output may have; `ticks` counts price changes at one source, `index` has no dimension and no bounds."""
