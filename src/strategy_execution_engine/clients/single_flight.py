"""One call for all who ask the same at the same time.

The first to ask starts the work as a task of its own; whoever asks for the same key while it runs waits for that one.
The task belongs to nobody in particular: a caller that is cancelled leaves the others waiting undisturbed, and only
when the last one has left is the work cancelled. Tasks belong to an event loop, so each loop has its own flights.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

Result = TypeVar("Result")


class FlightCancelledError(Exception):
    """The shared work was cancelled by `cancel`, not by the caller that waits for it."""


@dataclass(eq=False, slots=True)
class _Flight(Generic[Result]):
    task: asyncio.Task[Result]
    waiting: int = 0


class SingleFlight(Generic[Result]):
    """Shares the result, or the error, of identical concurrent calls."""

    def __init__(self) -> None:
        self._flights: dict[tuple[asyncio.AbstractEventLoop, Hashable], _Flight[Result]] = {}

    def __repr__(self) -> str:
        waiting = sum(flight.waiting for flight in self._flights.values())
        return f"<SingleFlight flights={len(self._flights)} waiting={waiting}>"

    async def run(self, key: Hashable, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return what `work` returns, or what the same work already under way for `key` does.

        Raises:
            FlightCancelledError: somebody called `cancel`.
        """
        loop = asyncio.get_running_loop()
        place = (loop, key)
        flight = self._flights.get(place)
        if flight is None:
            flight = _Flight(loop.create_task(_run(work)))
            self._flights[place] = flight
            flight.task.add_done_callback(lambda task: self._landed(place, task))
        flight.waiting += 1
        try:
            return await asyncio.shield(flight.task)
        except asyncio.CancelledError:
            if flight.task.cancelled() and not _is_being_cancelled():
                raise FlightCancelledError from None
            raise
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._flights.pop(place, None)  # whoever asks from now on starts anew
                flight.task.cancel()

    async def cancel(self) -> None:
        """Cancel all work of this event loop and wait until it has ended; its callers get FlightCancelledError."""
        loop = asyncio.get_running_loop()
        tasks = [flight.task for (owner, _), flight in self._flights.items() if owner is loop]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _landed(self, place: tuple[asyncio.AbstractEventLoop, Hashable], task: asyncio.Task[Result]) -> None:
        flight = self._flights.get(place)
        if flight is not None and flight.task is task:
            del self._flights[place]
        if not task.cancelled():
            task.exception()  # seen: an error nobody waits for any more is nobody's business


async def _run(work: Callable[[], Awaitable[Result]]) -> Result:
    return await work()


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
