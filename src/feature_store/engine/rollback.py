"""Back to an earlier bar and forward again: two earlier states and what was fed since the first of them.

A state is kept at every 40th input, the last two of them, with all inputs since the older one: 40 to 79 of them, or all there
were. To change one of the last 32, go back to the nearest state before it and feed again what followed, the change included.
So a kept state costs a copy now and then instead of one a bar, and where the states stand depends on nothing but how many
inputs there were: after a change all is as if the changed inputs had been fed in the first place.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import numpy as np

from feature_store.errors import InvalidRequestError
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from feature_store.bars import Integers

    Numbers = tuple[float, ...]
    Timed = tuple[int, Numbers]
    """A bar's open in UTC microseconds, and its numbers in the order of its columns."""

REACH = 32
"""How many of the last inputs can be changed."""

SPACING = 40
"""Inputs from state to state: more than REACH, so that the value before the first that can be changed is there as well."""

UNTIMED = -(2**63)
"""The open of a bar that came without one."""

State = TypeVar("State")
Given = TypeVar("Given")


class Mark(NamedTuple):
    """The state of live features after so many bars: the plan's words, a digest of the bars, and the last one's open."""

    words: Integers
    digest: int
    bars: int
    last_time: int | None

    def same(self, other: Mark) -> bool:
        """Whether both are the same state to the bit."""
        return self[1:] == other[1:] and np.array_equal(self.words, other.words)


class Rollback(Generic[State, Given]):
    """Where a series can go back to.

    >>> sums = Rollback[int, int](0)
    >>> for each in range(1, 101):
    ...     sums.add(each, lambda: sum(range(1, each + 1)))
    >>> earlier, between, after = sums.back(57)  # of the inputs since 40, to before 98
    >>> earlier.state, between[0], between[-1], after
    (3240, 81, 97, [98, 99, 100])
    """

    def __init__(self, *states: State) -> None:
        self.states = list(states)
        self.inputs: list[Given] = []

    def __repr__(self) -> str:
        return f"<Rollback {len(self.inputs)} inputs, {len(self.states)} states>"

    @property
    def state(self) -> State:
        """The last state that was kept."""
        return self.states[-1]

    def add(self, given: Given, state: Callable[[], State]) -> None:
        """Note an input; `state` gives the state after it, where that is one to keep."""
        self.inputs.append(given)
        if len(self.inputs) % SPACING:
            return
        if len(self.states) > 1:
            del self.states[0], self.inputs[:SPACING]
        self.states.append(state())

    def back(self, place: int) -> tuple[Rollback[State, Given], list[Given], list[Given]]:
        """Return this as it was at the last state before the input at a place, the inputs up to the place, and from it."""
        whole = place // SPACING if len(self.states) > 1 else 0
        earlier = Rollback[State, Given](*self.states[: whole + 1])
        earlier.inputs = self.inputs[: whole * SPACING]
        return earlier, self.inputs[whole * SPACING : place], self.inputs[place:]


def find(bars: Sequence[Timed], moment: int) -> tuple[int, bool]:
    """Return the place of a moment among bars in order of time, and whether one of them opened then.

    >>> find([(10, ()), (30, ())], 30), find([(10, ()), (30, ())], 20)
    ((1, True), (1, False))
    """
    times = [at for at, _ in bars]
    if UNTIMED in times:
        msg = "bars that came without time= cannot be corrected: give it to update, or rebuild from bars"
        raise InvalidRequestError(msg, field="time")
    place = bisect_left(times, moment)
    return place, times[place : place + 1] == [moment]


def changeable(bars: Sequence[Timed], moment: int, *, replaces: bool) -> int:
    """Return the place of the bar that a correction replaces, or that an inserted one is put before.

    Raises InvalidRequestError where there is no such bar, or it is not among the last that can be changed.
    """
    place, there = find(bars, moment)
    at = to_iso(moment)
    if place == len(bars):
        why = f"no bar has opened at {at} yet: update takes the next one"
    elif place - (not there) < len(bars) - REACH:
        why = f"the bar of {at} is not among the last {REACH}, the only ones that can be changed: rebuild from bars"
    elif replaces and not there:
        why = f"no bar opened at {at}: insert adds one that was missed"
    elif there and not replaces:
        why = f"a bar opened at {at} already: correct replaces it"
    else:
        return place
    raise InvalidRequestError(why, field="time")
