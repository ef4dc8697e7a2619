"""Tries again what may succeed the next time, without making an outage worse.

All calls of this client are reads, pure calculations, or registrations of which a second changes nothing, so trying again is
safe. Between tries it waits a random time
from zero to a bound that doubles (full jitter), or as long as the service asked for (`Retry-After`) if that is longer.
It gives up when the tries are used up, the budget is, or the wait would outlast the deadline. stamina runs the loop: its
test mode (`stamina.set_testing`), its switch (`stamina.set_active`) and its instrumentation work here too.
"""

from __future__ import annotations

import logging
import random
from typing import TYPE_CHECKING, TypeVar

import stamina

from feature_store.events import Retried, emit
from strategy_execution_engine.clients.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from strategy_execution_engine.clients.deadline import Deadline
    from strategy_execution_engine.clients.retry_budget import RetryBudget

Result = TypeVar("Result")

# stamina logs each retry. Where a program has set up logging it arrives there; where not, it must not fill stderr.
logging.getLogger("stamina").addHandler(logging.NullHandler())


class Retry:
    """How often and how soon to try again.

    Args:
        retries: tries after the first, 0 for none.
        budget: bounds the retries of all calls together.
        wait_initial_s: bound of the first wait; each later one is twice the one before.
        wait_max_s: no bound is longer, unless the service asks for more.
        random: numbers from 0.0 up to 1.0.
    """

    def __init__(
        self,
        retries: int,
        budget: RetryBudget,
        *,
        wait_initial_s: float = 0.05,
        wait_max_s: float = 2.0,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._retries = retries
        self._budget = budget
        self._wait_initial_s = wait_initial_s
        self._wait_max_s = wait_max_s
        self._random = random

    def __repr__(self) -> str:
        return f"<Retry up to {self._retries} times, {self._budget!r}>"

    async def run(self, method: str, deadline: Deadline, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return what `work` returns at last; raises its last Outage, and any other error at once."""
        self._budget.note_call()
        try:
            return await work()
        except Outage as outage:
            return await self._again(method, deadline, work, outage)

    async def _again(
        self, method: str, deadline: Deadline, work: Callable[[], Awaitable[Result]], first: Outage
    ) -> Result:
        """Go on after the first try, which stamina is told of as if it had made it: a success need not pay for stamina."""
        failed: Outage | None = first
        tried = 0

        def wait_s(error: Exception) -> float | bool:
            nonlocal tried
            tried += 1
            wait = self._wait_s(error, tried, deadline)
            if wait is None:
                return False
            emit(Retried(method))
            return wait

        async for attempt in stamina.retry_context(on=wait_s, attempts=self._retries + 1, timeout=None):
            with attempt:
                if failed is not None:
                    again, failed = failed, None
                    raise again
                return await work()
        raise AssertionError("unreachable: stamina returns the last error by raising it")

    def _wait_s(self, error: Exception, tried: int, deadline: Deadline) -> float | None:
        """Return the seconds to wait before the next try, or None for giving up."""
        if not isinstance(error, Outage) or not error.retry or tried > self._retries:
            return None
        bound = min(self._wait_max_s, self._wait_initial_s * 2 ** (tried - 1))
        wait: float = max(self._random() * bound, error.retry_after_s or 0.0)
        if wait >= deadline.remaining() or not self._budget.spend():
            return None
        return wait
