import asyncio

import pytest

from strategy_execution_engine.clients.single_flight import FlightCancelledError, SingleFlight


class Work:
    """Work that ends when it is told to, and counts how often it was begun and cancelled."""

    def __init__(self, result="done"):
        self.begun = self.cancelled = 0
        self.finish = asyncio.Event()
        self.result = result

    async def __call__(self):
        self.begun += 1
        try:
            await self.finish.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def flights():
    return SingleFlight()


@pytest.fixture
async def work():
    return Work()


async def test_identical_concurrent_requests_share_one_call(flights, work):
    waiting = [asyncio.create_task(flights.run("a", work)) for _ in range(10)]
    await settle()
    assert repr(flights) == "<SingleFlight flights=1 waiting=10>"
    work.finish.set()
    assert await asyncio.gather(*waiting) == ["done"] * 10
    assert work.begun == 1
    assert repr(flights) == "<SingleFlight flights=0 waiting=0>"


async def test_different_requests_do_not_wait_for_each_other(flights, work):
    waiting = asyncio.create_task(flights.run("a", work))
    other = Work("other")
    other.finish.set()
    assert await flights.run("b", other) == "other"
    work.finish.set()
    assert await waiting == "done"


async def test_a_later_request_is_a_new_call(flights, work):
    work.finish.set()
    await flights.run("a", work)
    await flights.run("a", work)
    assert work.begun == 2


async def test_an_error_reaches_everyone_who_waits(flights):
    work = Work(ValueError("no"))
    waiting = [asyncio.create_task(flights.run("a", work)) for _ in range(3)]
    await settle()
    work.finish.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [str(outcome) for outcome in outcomes] == ["no"] * 3


@pytest.mark.parametrize("leaver", [0, 1])
async def test_a_cancelled_caller_never_kills_the_others(flights, work, leaver):
    waiting = [asyncio.create_task(flights.run("a", work)) for _ in range(3)]
    await settle()
    left = waiting.pop(leaver)
    left.cancel()
    await settle()
    assert left.cancelled()
    assert work.cancelled == 0
    work.finish.set()
    assert await asyncio.gather(*waiting) == ["done", "done"]


async def test_the_last_caller_to_leave_cancels_the_work(flights, work):
    waiting = [asyncio.create_task(flights.run("a", work)) for _ in range(2)]
    await settle()
    for task in waiting:
        task.cancel()
    await settle()
    assert work.cancelled == 1
    assert repr(flights) == "<SingleFlight flights=0 waiting=0>"


async def test_whoever_asks_after_the_last_has_left_starts_anew(flights, work):
    leaving = asyncio.create_task(flights.run("a", work))
    await settle()
    leaving.cancel()
    again = Work("again")
    again.finish.set()
    await asyncio.sleep(0)
    assert await flights.run("a", again) == "again"
    assert again.begun == 1


async def test_work_that_fails_after_everyone_has_left_disturbs_nobody(flights):
    async def stubborn():
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("too late")

    leaving = asyncio.create_task(flights.run("a", stubborn))
    await settle()
    leaving.cancel()
    await settle()
    assert leaving.cancelled()


async def test_cancelling_everything_tells_the_callers_apart_from_their_own_cancellation(flights, work):
    waiting = [asyncio.create_task(flights.run("a", work)) for _ in range(2)]
    await settle()
    await flights.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [FlightCancelledError] * 2
    assert work.cancelled == 1


def test_each_event_loop_has_flights_of_its_own():
    flights = SingleFlight()

    async def ask():
        work = Work()
        work.finish.set()
        return await flights.run("a", work), work.begun

    assert asyncio.run(ask()) == asyncio.run(ask()) == ("done", 1)
