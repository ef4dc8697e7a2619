import asyncio

import pytest
import stamina

from feature_store.errors import FeatureStoreConnectionError, FeatureStoreUnavailableError, InvalidRequestError
from feature_store.events import Retried, subscribe
from strategy_execution_engine.clients.deadline import Deadline
from strategy_execution_engine.clients.outage import Outage
from strategy_execution_engine.clients.retry import Retry
from strategy_execution_engine.clients.retry_budget import RetryBudget

AWAY = Outage(FeatureStoreConnectionError("away"))


class Work:
    """Work that goes through `outcomes`, raising those that are errors."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.tried = 0

    async def __call__(self):
        self.tried += 1
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome


@pytest.fixture
def budget(clock):
    return RetryBudget(reserve=100, clock=clock)


@pytest.fixture
def deadline(clock):
    return Deadline(30.0, clock)


async def test_a_failure_is_tried_again_until_it_is_answered(budget, deadline):
    work, seen = Work(AWAY, AWAY, "answer"), []
    unsubscribe = subscribe(seen.append)
    assert await Retry(3, budget).run("get_indicators", deadline, work) == "answer"
    unsubscribe()
    assert work.tried == 3
    assert seen == [Retried("get_indicators")] * 2


async def test_the_last_failure_is_raised_when_the_tries_are_used_up(budget, deadline):
    work = Work(AWAY, AWAY, AWAY, AWAY)
    with pytest.raises(Outage, match="away"):
        await Retry(3, budget).run("m", deadline, work)
    assert work.tried == 4
    assert repr(budget) == "<RetryBudget 3 retries for 1 calls of the last 10 s>"


async def test_no_retries_means_one_try(budget, deadline):
    work = Work(AWAY)
    with pytest.raises(Outage):
        await Retry(0, budget).run("m", deadline, work)
    assert work.tried == 1


@pytest.mark.parametrize(
    "final",
    [InvalidRequestError("no"), Outage(FeatureStoreUnavailableError("open"), retry=False), ValueError("a defect")],
)
async def test_what_will_not_change_is_not_tried_again(budget, deadline, final):
    work = Work(final)
    with pytest.raises(type(final)):
        await Retry(3, budget).run("m", deadline, work)
    assert work.tried == 1


async def test_cancellation_goes_through_at_once(budget, deadline):
    work = Work(asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await Retry(3, budget).run("m", deadline, work)
    assert work.tried == 1


async def test_an_empty_budget_ends_the_retrying(clock, deadline):
    work = Work(AWAY, AWAY, AWAY, AWAY)
    with pytest.raises(Outage):
        await Retry(3, RetryBudget(reserve=1, clock=clock)).run("m", deadline, work)
    assert work.tried == 2


async def test_a_wait_that_would_outlast_the_deadline_is_not_begun(clock, budget, deadline):
    work = Work(Outage(FeatureStoreUnavailableError("busy"), retry_after_s=30.0))
    with pytest.raises(Outage):
        await Retry(3, budget).run("m", deadline, work)
    assert work.tried == 1
    assert "0 retries" in repr(budget)


@pytest.mark.parametrize(
    ("tried", "share", "retry_after_s", "wait_s"),
    [
        (1, 1.0, None, 0.05),
        (2, 1.0, None, 0.1),
        (3, 0.5, None, 0.1),
        (9, 1.0, None, 2.0),
        (1, 0.0, None, 0.0),
        (1, 1.0, 7.0, 7.0),
        (1, 1.0, 0.0, 0.05),
    ],
)
def test_waits_are_random_below_a_doubling_bound_or_what_the_service_asks(
    budget, deadline, tried, share, retry_after_s, wait_s
):
    retry = Retry(10, budget, random=lambda: share)
    outage = Outage(FeatureStoreUnavailableError("busy"), retry_after_s=retry_after_s)
    assert retry._wait_s(outage, tried, deadline) == pytest.approx(wait_s)


async def test_the_wait_is_really_kept_to(budget, deadline):
    work = Work(Outage(FeatureStoreUnavailableError("busy"), retry_after_s=0.03), "answer")
    loop = asyncio.get_running_loop()
    began = loop.time()
    with stamina.set_testing(False):
        assert await Retry(1, budget, random=lambda: 0.0).run("m", deadline, work) == "answer"
    assert loop.time() - began >= 0.029
