"""What stands between a question and the network: retries, bounded by a budget, around a circuit breaker per endpoint.

From outside in: retry, breaker, transport. Each try asks the breaker, so an outage opens it while a call is still being
retried, and an open breaker ends the retrying at once. The deadline spans all of it; a try gets what is left.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING

from feature_store.errors import FeatureStoreError, FeatureStoreUnavailableError
from feature_store.events import BreakerChange, emit
from strategy_execution_engine.clients.breaker import CircuitBreaker, Outcome, State
from strategy_execution_engine.clients.outage import Outage
from strategy_execution_engine.clients.retry import Retry
from strategy_execution_engine.clients.retry_budget import RetryBudget
from strategy_execution_engine.clients.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Callable

    from strategy_execution_engine.clients.deadline import Deadline
    from strategy_execution_engine.clients.transport import Answer, Call, Transport

__all__ = ["CircuitBreaker", "Guarded", "Outcome", "Retry", "RetryBudget", "SingleFlight", "State"]


class Guarded:
    """A transport with retries and breakers around it.

    Args:
        transport: the way to the store.
        retry: how often and how soon to try again.
        breaker_failures: failures in a row that open an endpoint's breaker.
        breaker_reset_s: seconds it stays open.
        clock: seconds on a clock that does not go back.
    """

    def __init__(
        self,
        transport: Transport,
        retry: Retry,
        *,
        breaker_failures: int = 5,
        breaker_reset_s: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._retry = retry
        self._new_breaker = partial(CircuitBreaker, breaker_failures, breaker_reset_s, clock=clock)
        self._new_breaker(name="service")  # refuses wrong numbers now, not at the first call
        self._breakers: dict[str, CircuitBreaker] = {}

    def __repr__(self) -> str:
        states = " ".join(f"{endpoint}={breaker.state}" for endpoint, breaker in sorted(self._breakers.items()))
        return f"<Guarded {self._transport!r} {states or 'unused'}>"

    async def send(self, method: str, call: Call, deadline: Deadline) -> Answer:
        """Return the answer to `call` on behalf of the client's `method`.

        Raises:
            Outage: every try failed, or the breaker is open.
            FeatureStoreError: the service refused.
        """
        return await self._retry.run(method, deadline, lambda: self._try(call, deadline))

    def breaker(self, endpoint: str) -> CircuitBreaker:
        """Return the endpoint's breaker."""
        found = self._breakers.get(endpoint)
        if found is None:
            found = self._new_breaker(name=endpoint, on_change=lambda state: emit(BreakerChange(endpoint, state.value)))
            self._breakers[endpoint] = found
        return found

    async def _try(self, call: Call, deadline: Deadline) -> Answer:
        breaker = self.breaker(call.endpoint)
        try:
            permit = breaker.admit()
        except FeatureStoreUnavailableError as refused:
            raise Outage(refused, retry=False, counts=False) from None
        outcome = Outcome.UNKNOWN  # and so it stays where the caller cancels
        try:
            answer = await self._transport.send(call, deadline.remaining())
            outcome = Outcome.ANSWERED
        except Outage as outage:
            outcome = Outcome.FAILED if outage.counts else Outcome.UNKNOWN
            raise
        except FeatureStoreError:
            outcome = Outcome.ANSWERED  # a refusal shows that it works
            raise
        finally:
            breaker.settle(permit, outcome)
        return answer
