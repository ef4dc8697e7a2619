"""A bound on retries: however bad an outage, they add at most a fifth to the load of the calls themselves."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING

from feature_store.metrics import Window

if TYPE_CHECKING:
    from collections.abc import Callable


class RetryBudget:
    """Allows a retry while the recent ones are fewer than a share of the recent calls. Thread-safe.

    Args:
        share: retries allowed for each call, 0.2 for a fifth.
        reserve: so many are always allowed, so that a client that calls rarely can retry at all.
        window_s: whole seconds that count as recent.
        clock: seconds on a clock that does not go back.

    >>> budget = RetryBudget(reserve=1, clock=lambda: 0.0)
    >>> budget.note_call(); budget.spend(), budget.spend()
    (True, False)
    >>> budget
    <RetryBudget 1 retries for 1 calls of the last 10 s>
    """

    def __init__(
        self,
        share: float = 0.2,
        *,
        reserve: int = 3,
        window_s: int = 10,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._share = share
        self._reserve = reserve
        self._window_s = window_s
        self._clock = clock
        self._recent = Window(("calls", "retries"), window_s)
        self._lock = Lock()

    def __repr__(self) -> str:
        with self._lock:
            recent = self._recent.totals(self._clock())
        return f"<RetryBudget {recent['retries']} retries for {recent['calls']} calls of the last {self._window_s} s>"

    def note_call(self) -> None:
        """Count a call that goes out for the first time."""
        with self._lock:
            self._recent.at(self._clock())["calls"] += 1

    def spend(self) -> bool:
        """Return whether a retry may go out now, and count it if so."""
        with self._lock:
            now = self._clock()
            recent = self._recent.totals(now)
            allowed = recent["retries"] < max(self._reserve, int(self._share * recent["calls"]))
            if allowed:
                self._recent.at(now)["retries"] += 1
            return allowed
