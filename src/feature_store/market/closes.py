"""When a symbol's last bars of one timeframe opened and ended, and where they closed."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from math import isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feature_store.market.forming import Closed

KEPT = 256
"""Bars remembered: so far may one symbol run ahead of another that looks at its closes."""

_BEFORE_ALL = -(2**63)
_NAN = float("nan")


class Closes:
    """The last 256 closed bars of one timeframe, in order of time.

    Args:
        forgotten: the open of the latest bar that is no longer among them.
    """

    def __init__(self) -> None:
        self.times = array("q")
        self.ends = array("q")
        self.closes = array("d")
        self.forgotten = _BEFORE_ALL

    def __repr__(self) -> str:
        return f"<Closes {len(self)} bars>"

    def __len__(self) -> int:
        return len(self.times)

    def __contains__(self, time: int) -> bool:
        return self._find(time)[1]

    def put(self, bar: Closed) -> bool:
        """Note a bar, in place of the one that opened at its time; return whether it is the first of that time."""
        place, there = self._find(bar.time)
        if there:
            self.closes[place] = bar.numbers[3]
            return False
        self.times.insert(place, bar.time)
        self.ends.insert(place, bar.end)
        self.closes.insert(place, bar.numbers[3])
        if len(self) > KEPT:
            self.forgotten = self.times.pop(0)
            del self.ends[0], self.closes[0]
        return True

    def at(self, time: int) -> float:
        """Return the close of the bar that opened at a time, NaN where none did."""
        place, there = self._find(time)
        if not there or isnan(self.closes[place]):
            return _NAN  # one NaN for all, so that states are equal to the bit
        return self.closes[place]

    def end_of(self, time: int) -> int:
        """Return the end of a bar that is here by its open."""
        return self.ends[self._find(time)[0]]

    def since(self, end: int) -> list[tuple[int, int]]:
        """Return opens and ends of the bars that ended at `end` or later."""
        first = bisect_left(self.ends, end)
        return list(zip(self.times[first:], self.ends[first:], strict=True))

    def _find(self, time: int) -> tuple[int, bool]:
        place = bisect_left(self.times, time)
        return place, place < len(self) and self.times[place] == time
