"""A circuit breaker: after failures it lets nothing through for a while, then a few calls to see whether it is over.

    closed ── `failures` in a row, or half of many recent calls ──> open
    open ── `reset_s` later, when the next call comes ──> half_open
    half_open ── `probes` calls answered ──> closed;  one failed ──> open again

It does no I/O and never waits: who wants to call asks `admit` for a permit and tells `settle` how the call ended. A
permit remembers the period in which it was given, so a call that began before the breaker opened and ends after it says
nothing about the service of now.
"""

from __future__ import annotations

import time
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

from feature_store.errors import FeatureStoreUnavailableError, InvalidRequestError
from feature_store.metrics import Window

if TYPE_CHECKING:
    from collections.abc import Callable


class State(StrEnum):
    """What a breaker does with the next call: lets it through, holds it back, or lets a few through to see."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Outcome(StrEnum):
    """How a call ended: answered (a refusal is an answer), failed, or without a verdict (the caller cancelled it)."""

    ANSWERED = "answered"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Permit(NamedTuple):
    """Leave to make one call; hand it to `settle` when the call is over, however it ended."""

    period: int


class CircuitBreaker:
    """Decides whether a call may go out. Thread-safe.

    Args:
        failures: so many failures in a row open it.
        reset_s: seconds it stays open.
        failure_rate: it also opens when this share of recent calls failed, 0.0 to 1.0.
        minimum_calls: fewer recent calls than this have no rate; by default four times `failures`.
        window_s: whole seconds that count as recent.
        probes: calls let through at a time while half open, and answers needed to close.
        clock: seconds on a clock that does not go back.
        on_change: told every new state, outside the lock.
        name: for messages and `repr`.

    >>> moment = [0.0]
    >>> breaker = CircuitBreaker(failures=1, reset_s=60, clock=lambda: moment[0], name="indicators")
    >>> breaker.settle(breaker.admit(), Outcome.FAILED)
    >>> breaker
    <CircuitBreaker indicators open, tries again in 60.0 s>
    >>> moment[0] = 60.0
    >>> breaker.settle(breaker.admit(), Outcome.ANSWERED)
    >>> breaker
    <CircuitBreaker indicators closed, 0 of 1 failures>
    """

    def __init__(
        self,
        failures: int = 5,
        reset_s: float = 60.0,
        *,
        failure_rate: float = 0.5,
        minimum_calls: int | None = None,
        window_s: int = 30,
        probes: int = 1,
        clock: Callable[[], float] = time.monotonic,
        on_change: Callable[[State], object] = lambda _: None,
        name: str = "service",
    ) -> None:
        for field, value in (("breaker_failures", failures), ("breaker_reset_s", reset_s), ("probes", probes)):
            if not value > 0:
                raise InvalidRequestError(f"{field} must be a number above 0, was {value!r}", field=field)
        self._failures = failures
        self._reset_s = reset_s
        self._failure_rate = failure_rate
        self._minimum_calls = 4 * failures if minimum_calls is None else minimum_calls
        self._window_s = window_s
        self._probes = probes
        self._clock = clock
        self._on_change = on_change
        self._name = name
        self._lock = Lock()
        self._period = 0
        self._state = State.CLOSED
        self._under_way = self._in_a_row = self._answered = 0
        self._opens_until = 0.0
        self._recent = Window(("calls", "failed"), window_s)

    def __repr__(self) -> str:
        left = f"{self._name} {self.state}"
        if self._state is State.OPEN:
            return f"<CircuitBreaker {left}, tries again in {max(0.0, self._opens_until - self._clock()):.1f} s>"
        if self._state is State.HALF_OPEN:
            return f"<CircuitBreaker {left}, {self._under_way} of {self._probes} probes under way>"
        return f"<CircuitBreaker {left}, {self._in_a_row} of {self._failures} failures>"

    @property
    def state(self) -> State:
        """The state of now; `open` until a call asks after `reset_s` have passed."""
        return self._state

    def admit(self) -> Permit:
        """Return leave for one call.

        Raises:
            FeatureStoreUnavailableError: it is open, or all probes are under way; the message says when to try again.
        """
        with self._lock:
            now = self._clock()
            changed = self._state is State.OPEN and now >= self._opens_until
            if changed:
                self._enter_half_open()
            if self._state is State.OPEN or (self._state is State.HALF_OPEN and self._under_way >= self._probes):
                raise self._refusal(now)
            self._under_way += 1
            permit = Permit(self._period)
        if changed:
            self._on_change(State.HALF_OPEN)
        return permit

    def settle(self, permit: Permit, outcome: Outcome) -> None:
        """Take note of how a call ended; what was permitted in an earlier period is over and counts for nothing."""
        with self._lock:
            if permit.period != self._period:
                return
            self._under_way -= 1
            changed = self._after(outcome)
            state = self._state
        if changed:
            self._on_change(state)

    # ------------------------------------------------------------ under the lock
    def _after(self, outcome: Outcome) -> bool:
        """Count one outcome; return whether the state changed."""
        if outcome is Outcome.UNKNOWN:
            return False
        failed = outcome is Outcome.FAILED
        if self._state is State.HALF_OPEN:
            return self._after_probe(failed=failed)
        now = self._clock()
        counts = self._recent.at(now)
        counts["calls"] += 1
        counts["failed"] += failed
        self._in_a_row = self._in_a_row + 1 if failed else 0
        if failed and (self._in_a_row >= self._failures or self._rate_is_reached(now)):
            self._enter_open()
            return True
        return False

    def _after_probe(self, *, failed: bool) -> bool:
        if failed:
            self._enter_open()
            return True
        self._answered += 1
        if self._answered < self._probes:
            return False
        self._enter_closed()
        return True

    def _rate_is_reached(self, now: float) -> bool:
        recent = self._recent.totals(now)
        return recent["calls"] >= self._minimum_calls and recent["failed"] >= self._failure_rate * recent["calls"]

    def _enter_closed(self) -> None:
        self._enter(State.CLOSED)
        self._in_a_row = 0
        self._recent = Window(("calls", "failed"), self._window_s)

    def _enter_open(self) -> None:
        self._enter(State.OPEN)
        self._opens_until = self._clock() + self._reset_s

    def _enter_half_open(self) -> None:
        self._enter(State.HALF_OPEN)
        self._answered = 0

    def _enter(self, state: State) -> None:
        self._state = state
        self._period += 1
        self._under_way = 0

    def _refusal(self, now: float) -> FeatureStoreUnavailableError:
        when = (
            f"in {self._opens_until - now:.1f} s" if self._state is State.OPEN else "when the call under way has ended"
        )
        return FeatureStoreUnavailableError(
            f"calls to {self._name} are held back because it kept failing; the next one is tried {when}"
        )
