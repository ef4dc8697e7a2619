"""The features of one ground of a live market, bar by bar, and their values as known at any moment of late."""

from __future__ import annotations

from bisect import bisect_right
from math import isnan
from typing import TYPE_CHECKING, NamedTuple

from feature_store.engine.rollback import find
from feature_store.engine.state import LiveState
from feature_store.errors import InvalidRequestError
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feature_store.engine.plan import Plan
    from feature_store.engine.rollback import Numbers
    from feature_store.market.closes import Closes
    from feature_store.market.forming import Closed

_NAN = float("nan")
_OTHER = 5
"""The place of the other symbol's close among a bar's numbers."""


class Timeline(NamedTuple):
    """Values and the moments from which on they are known; the first are those of before."""

    moments: list[int]
    values: list[list[float]]

    def at(self, moment: int) -> list[float]:
        """Return the values known last at a moment.

        >>> Timeline([10, 20], [[0.0], [1.0], [2.0]]).at(10)
        [1.0]
        """
        return self.values[bisect_right(self.moments, moment)]


class Series:
    """Features of one symbol's bars in one timeframe.

    Args:
        plan: the features.
        closes: the bars of that symbol and timeframe that have closed.
        other: those of the symbol that it is compared with, if any.
    """

    def __init__(self, plan: Plan, closes: Closes, other: Closes | None) -> None:
        self.state = LiveState(plan)
        self.closes = closes
        self.other = other
        self.values = [_NAN] * len(plan.columns)

    def __repr__(self) -> str:
        return f"<Series {self.state!r}>"

    def take(self, bar: Closed) -> None:
        """Take the next bar, or one in place of an earlier one or between two."""
        last = self.state.last_time
        if last is None or bar.time > last:
            self.values = self.state.step(bar.time, self._numbers(bar))
        else:
            self.values = self.state.revise(bar.time, self._numbers(bar))[-1][1]

    def look(self, bars: Iterable[Closed]) -> list[list[float]]:
        """Return the values at bars that would come next."""
        return self.state.look([(bar.time, self._numbers(bar)) for bar in bars])

    def hear(self, bar: Closed) -> int | None:
        """Take the other symbol's bar, whose time may have been here already; return the end of the bar here if it changes."""
        place, there = find(self.state.held, bar.time)
        if not there or self.other is None:
            return None
        _, known = self.state.held[place]
        close = self.other.at(bar.time)
        if known[_OTHER] == close or (isnan(known[_OTHER]) and isnan(close)):
            return None
        self.values = self.state.revise(bar.time, (*known[:_OTHER], close))[-1][1]
        return self.closes.end_of(bar.time)

    def timeline(self, since: int) -> Timeline:
        """Return the values known at moments from `since` on."""
        ends = self.closes.ends
        if not ends or ends[-1] <= since:
            return Timeline([], [self.values])
        recent = [values for _, values in self.state.recent()]
        return Timeline(list(ends[-len(recent) :]), [[_NAN] * len(self.values), *recent])

    def refuse_unknown(self, bar: Closed) -> None:
        """Raise InvalidRequestError where the other symbol ran so far ahead that its close at this bar is forgotten."""
        if self.other is not None and bar.time <= self.other.forgotten:
            msg = (
                f"the {bar.timeframe} bar of {to_iso(bar.time)} is compared with another symbol's of that time, which is no "
                f"longer kept: that symbol is {len(self.other)} bars ahead; rebuild the market from bars"
            )
            raise InvalidRequestError(msg, field="time")

    def refuse_late(self, bar: Closed) -> None:
        """Raise InvalidRequestError where a bar here is compared with the other symbol's bar and can no longer be changed."""
        held = self.state.held
        if held and bar.time < held[0][0] and (bar.time in self.closes or bar.time <= self.closes.forgotten):
            msg = (
                f"the {bar.timeframe} bar of {to_iso(bar.time)} comes too late: a symbol that is compared with this one is "
                f"{len(held)} bars or more ahead; rebuild the market from bars"
            )
            raise InvalidRequestError(msg, field="time")

    def _numbers(self, bar: Closed) -> Numbers:
        return (*bar.numbers, _NAN if self.other is None else self.other.at(bar.time))
