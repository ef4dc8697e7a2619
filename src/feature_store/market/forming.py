"""A higher bar while it forms: what `resample` makes of a bucket's bars, one bar at a time.

A forming bar is a value: a closed lower bar makes another one of it, and the former stays as it was, for going back to. The
volumes are kept one by one, because the sum of many numbers depends on how they are added up, and history adds up whole
buckets.
"""

from __future__ import annotations

from array import array
from math import isnan
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from feature_store.bars import Timeframe
    from feature_store.engine.rollback import Numbers

    Volumes: TypeAlias = array[float]

_NAN = float("nan")


class Closed(NamedTuple):
    """A bar that has closed, at `end`; its numbers are open, high, low, close and tick volume."""

    timeframe: Timeframe
    time: int
    end: int
    numbers: Numbers


class Forming(NamedTuple):
    """A bucket and the bars in it so far; the volumes are the first `bars` of an array that later states may share.

    >>> forming = Forming.begin(0, 60).add((2.0, 3.0, 1.0, 2.0, 5.0)).add((2.0, 4.0, 2.0, 3.0, 6.0))
    >>> forming.numbers
    (2.0, 4.0, 1.0, 3.0, 11.0)
    """

    time: int
    end: int
    open: float
    high: float
    low: float
    close: float
    volumes: Volumes
    bars: int
    traded: bool

    @classmethod
    def begin(cls, time: int, end: int) -> Forming:
        """Return an empty bucket."""
        return cls(time, end, _NAN, _NAN, _NAN, _NAN, array("d"), 0, traded=False)

    def add(self, numbers: Numbers) -> Forming:
        """Return this with one more bar; a number that is NaN is passed over."""
        open_, high, low, close, volume = numbers
        volumes = self.volumes if len(self.volumes) == self.bars else self.volumes[: self.bars]
        volumes.append(0.0 if isnan(volume) else volume)
        return Forming(
            self.time,
            self.end,
            open_ if isnan(self.open) else self.open,
            high if isnan(self.high) or high > self.high else self.high,
            low if isnan(self.low) or low < self.low else self.low,
            self.close if isnan(close) else close,
            volumes,
            self.bars + 1,
            self.traded or not isnan(volume),
        )

    @property
    def numbers(self) -> Numbers:
        """Open, high, low, close and tick volume of the bars so far."""
        total = float(np.add.reduceat(np.array(self.volumes[: self.bars]), [0])[0]) if self.traded else _NAN
        return (self.open, self.high, self.low, self.close, total)
