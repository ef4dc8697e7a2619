"""A plan and its state, one bar at a time: forward, a look ahead, and back to one of the last bars.

All state is the plan's words and a ledger: how many bars there were and a digest of them. A step forward changes them in
place; a look ahead works on a copy; a change of an earlier bar returns to a state before it and steps forward again.

Here times are UTC microseconds and a bar is a tuple in the order of FEATURE_COLUMNS; `Live` has the words of a caller.
"""

from __future__ import annotations

import struct
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import FEATURE_COLUMNS
from feature_store.clock import clock_columns
from feature_store.engine.onebar import BARS, DIGEST, OneBar, Verdict
from feature_store.engine.rollback import UNTIMED, Mark, Rollback, find
from feature_store.engine.snapshot import Snapshot, refused
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feature_store.engine.plan import Plan
    from feature_store.engine.rollback import Numbers, Timed

    Valued = tuple[int, list[float]]
    """A bar's open and the value of every column at it."""

ABSENT = float("nan")
"""A column that was not given; a NaN of the caller's own is a gap."""


class LiveState:
    """A plan's state after some bars; not for use from several threads at once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.last_time: int | None = None
        self._now = OneBar(plan)
        self._rollback: Rollback[Mark, Timed] = Rollback(self._mark())

    def __repr__(self) -> str:
        return f"<LiveState {len(self.plan.features)} features, {self.bars} bars>"

    @property
    def bars(self) -> int:
        """How many bars were committed."""
        return int(self._now.ledger[BARS])

    @property
    def held(self) -> list[Timed]:
        """The last bars: 40 to 79 of them, or all there were."""
        return self._rollback.inputs

    def step(self, moment: int, bar: Numbers) -> list[float]:
        """Commit a bar that opened after all others; return every column's value."""
        values = self._take(self._now, moment, bar)
        if moment != UNTIMED:
            self.last_time = moment
        self._rollback.add((moment, bar), self._mark)
        return values

    def look(self, bars: Sequence[Timed], since: Mark | None = None) -> list[list[float]]:
        """Return what `step` would for each of some bars, from now or from an earlier state on; nothing changes."""
        self._trial.words[:] = self._now.words if since is None else since.words
        return [self._take(self._trial, moment, bar) for moment, bar in bars]

    @cached_property
    def _trial(self) -> OneBar:
        """A copy to try bars on; its ledger means nothing."""
        return OneBar(self.plan)

    def _take(self, onebar: OneBar, moment: int, bar: Numbers) -> list[float]:
        if self.plan.clock:
            self._read_clock(onebar, moment)
        try:
            verdict = onebar(bar)
        except (struct.error, OverflowError) as problem:
            raise _no_number(bar) from problem
        if verdict:
            raise _refusal(verdict, bar)
        return onebar.answer()

    def revise(self, moment: int, bar: Numbers) -> list[Valued]:
        """Replace the bar of a moment, or put one there, and step through what followed; return the values from there on.

        All is then as if this bar had come in the first place. A bar that breaks a rule changes nothing.
        """
        place, there = find(self.held, moment)
        self.look([(moment, bar)])
        self._rollback, between, after = self._rollback.back(place)
        self._return_to(self._rollback.state)
        for earlier in between:
            self.step(*earlier)
        return [(at, self.step(at, numbers)) for at, numbers in [(moment, bar), *after[there:]]]

    def recent(self) -> list[Valued]:
        """Return the values at all bars held."""
        values = self.look(self.held, self._rollback.states[0])
        return [(moment, each) for (moment, _), each in zip(self.held, values, strict=True)]

    def snapshot(self, timeframe: str | None) -> Snapshot:
        """Return the state with what it depends on."""
        return Snapshot(
            features=tuple(feature.asked for feature in self.plan.features),
            versions=tuple(feature.version for feature in self.plan.features),
            timeframe=timeframe,
            now=self._mark(),
            earlier=self._rollback.states[0],
            since=tuple(self.held),
        )

    @classmethod
    def resumed(cls, plan: Plan, snapshot: Snapshot) -> LiveState:
        """Return the state that a snapshot was taken of; raises SnapshotMismatchError where the plan is another."""
        snapshot.refuse_other(tuple(feature.version for feature in plan.features), len(plan.words))
        state = cls(plan)
        state._return_to(snapshot.earlier)
        state._rollback = Rollback(snapshot.earlier)
        try:
            for moment, bar in snapshot.since:
                state.step(moment, bar)
        except InvalidRequestError as problem:
            raise refused(f"a bar in it breaks a rule ({problem})") from problem
        if not state._mark().same(snapshot.now):
            raise refused("the bars in it do not lead to the state in it")
        return state

    def _mark(self) -> Mark:
        return Mark(self._now.words.copy(), int(self._now.ledger[DIGEST]), self.bars, self.last_time)

    def _return_to(self, mark: Mark) -> None:
        self._now.words[:] = mark.words
        self._now.ledger[DIGEST], self._now.ledger[BARS] = mark.digest, mark.bars
        self.last_time = mark.last_time

    def _read_clock(self, onebar: OneBar, moment: int) -> None:
        """Lay what the clocks say at a moment beside where the prices go."""
        if moment == UNTIMED:
            msg = f"these features look at a clock ({', '.join(self.plan.clock)}): give time=, the bar's open"
            raise InvalidRequestError(msg, field="time")
        clocks = clock_columns(np.array([moment]), self.plan.clock)
        onebar.row[len(FEATURE_COLUMNS) :] = [clocks[name] for name in self.plan.clock]


def _no_number(bar: Numbers) -> InvalidRequestError:
    told = ", ".join(
        f"{name}={value!r:.40}" for name, value in zip(FEATURE_COLUMNS, bar, strict=True) if value is not ABSENT
    )
    return InvalidRequestError(f"a bar's prices are numbers, or NaN for a gap; this one has {told}", field="bar")


def _refusal(verdict: int, bar: Numbers) -> InvalidRequestError:
    told = ", ".join(
        f"{name}={value!r}" for name, value in zip(FEATURE_COLUMNS, bar, strict=True) if value is not ABSENT
    )
    if verdict == Verdict.INFINITE:
        return InvalidRequestError(f"a bar's prices must be finite, or NaN for a gap; this one has {told}", field="bar")
    rule = "a bar's high is its highest price, its low the lowest, and its tick_volume not negative"
    return InvalidRequestError(f"{rule}; this one has {told}", field="bar")
