import itertools

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from feature_store.errors import FeatureStoreUnavailableError, InvalidRequestError
from strategy_execution_engine.clients.breaker import CircuitBreaker, Outcome, State


@pytest.fixture
def changes():
    return []


@pytest.fixture
def breaker(clock, changes):
    return CircuitBreaker(3, 60.0, clock=clock, on_change=changes.append, name="indicators")


def let(breaker, *outcomes):
    for outcome in outcomes:
        breaker.settle(breaker.admit(), outcome)


def test_a_closed_breaker_lets_calls_through(breaker, changes):
    let(breaker, *[Outcome.ANSWERED] * 10)
    assert repr(breaker) == "<CircuitBreaker indicators closed, 0 of 3 failures>"
    assert changes == []


def test_failures_in_a_row_open_it(breaker, changes):
    let(breaker, Outcome.FAILED, Outcome.FAILED)
    assert repr(breaker) == "<CircuitBreaker indicators closed, 2 of 3 failures>"
    let(breaker, Outcome.FAILED)
    assert repr(breaker) == "<CircuitBreaker indicators open, tries again in 60.0 s>"
    assert changes == [State.OPEN]


def test_an_answer_between_failures_starts_the_row_again(breaker):
    let(breaker, Outcome.FAILED, Outcome.FAILED, Outcome.ANSWERED, Outcome.FAILED, Outcome.FAILED)
    assert breaker.state is State.CLOSED


def test_a_cancelled_call_is_no_verdict(breaker):
    let(breaker, *[Outcome.UNKNOWN] * 50)
    let(breaker, Outcome.FAILED, Outcome.UNKNOWN, Outcome.FAILED, Outcome.UNKNOWN)
    assert breaker.state is State.CLOSED
    let(breaker, Outcome.FAILED)
    assert breaker.state is State.OPEN


def test_half_of_many_recent_calls_failing_opens_it(clock):
    breaker = CircuitBreaker(100, failure_rate=0.5, minimum_calls=20, window_s=30, clock=clock)
    let(breaker, *[Outcome.ANSWERED, Outcome.FAILED] * 9)
    assert breaker.state is State.CLOSED  # the rate is reached, but 18 calls are too few to have one
    let(breaker, Outcome.ANSWERED, Outcome.FAILED)
    assert breaker.state is State.OPEN


def test_calls_that_are_long_past_have_no_part_in_the_rate(clock):
    breaker = CircuitBreaker(100, failure_rate=0.5, minimum_calls=20, window_s=30, clock=clock)
    let(breaker, *[Outcome.ANSWERED, Outcome.FAILED] * 9)
    clock.now += 31
    let(breaker, *[Outcome.ANSWERED, Outcome.FAILED] * 9)
    assert breaker.state is State.CLOSED


def test_an_open_breaker_holds_calls_back_and_says_until_when(breaker, clock):
    let(breaker, *[Outcome.FAILED] * 3)
    clock.now += 18
    with pytest.raises(FeatureStoreUnavailableError, match=r"calls to indicators are held back .* in 42\.0 s"):
        breaker.admit()


def test_a_half_open_breaker_lets_one_request_through(breaker, clock, changes):
    let(breaker, *[Outcome.FAILED] * 3)
    clock.now += 60
    probe = breaker.admit()
    assert repr(breaker) == "<CircuitBreaker indicators half_open, 1 of 1 probes under way>"
    with pytest.raises(FeatureStoreUnavailableError, match="when the call under way has ended"):
        breaker.admit()
    breaker.settle(probe, Outcome.ANSWERED)
    assert changes == [State.OPEN, State.HALF_OPEN, State.CLOSED]
    let(breaker, Outcome.FAILED, Outcome.FAILED)
    assert breaker.state is State.CLOSED  # what was before has been forgotten


def test_a_failed_probe_opens_it_for_another_full_time(breaker, clock):
    let(breaker, *[Outcome.FAILED] * 3)
    clock.now += 60
    let(breaker, Outcome.FAILED)
    clock.now += 59.9
    with pytest.raises(FeatureStoreUnavailableError):
        breaker.admit()
    clock.now += 0.1
    let(breaker, Outcome.ANSWERED)
    assert breaker.state is State.CLOSED


def test_a_cancelled_probe_gives_its_place_to_the_next(breaker, clock):
    let(breaker, *[Outcome.FAILED] * 3)
    clock.now += 60
    let(breaker, Outcome.UNKNOWN)
    assert breaker.state is State.HALF_OPEN
    let(breaker, Outcome.ANSWERED)
    assert breaker.state is State.CLOSED


def test_several_probes_must_all_be_answered(clock):
    breaker = CircuitBreaker(1, 60.0, probes=2, clock=clock)
    let(breaker, Outcome.FAILED)
    clock.now += 60
    first, second = breaker.admit(), breaker.admit()
    with pytest.raises(FeatureStoreUnavailableError):
        breaker.admit()
    breaker.settle(first, Outcome.ANSWERED)
    assert breaker.state is State.HALF_OPEN
    breaker.settle(second, Outcome.ANSWERED)
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize("late", list(Outcome))
def test_a_call_that_began_before_it_opened_says_nothing_about_now(breaker, clock, late):
    old = breaker.admit()
    let(breaker, *[Outcome.FAILED] * 3)
    clock.now += 60
    probe = breaker.admit()
    breaker.settle(old, late)
    assert breaker.state is State.HALF_OPEN
    with pytest.raises(FeatureStoreUnavailableError):
        breaker.admit()
    breaker.settle(probe, Outcome.ANSWERED)
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize(("failures", "reset_s"), [(0, 60), (-1, 60), (5, 0)])
def test_numbers_that_make_no_breaker_are_refused(failures, reset_s):
    with pytest.raises(InvalidRequestError, match="must be a number above 0"):
        CircuitBreaker(failures, reset_s)


class BreakerMachine(RuleBasedStateMachine):
    """Whatever happens, in whatever order calls end."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.changes = []
        self.breaker = CircuitBreaker(2, 10.0, probes=2, clock=lambda: self.now, on_change=self.changes.append)
        self.under_way = []
        self.opened_at = None

    @rule()
    def call(self):
        before = self.breaker.state
        try:
            permit = self.breaker.admit()
        except FeatureStoreUnavailableError:
            assert before is not State.CLOSED
            return
        if before is State.OPEN:
            assert self.now >= self.opened_at + 10.0
        self.under_way.append((permit, self.breaker.state))

    @precondition(lambda self: self.under_way)
    @rule(place=st.integers(0, 100), outcome=st.sampled_from(Outcome))
    def end(self, place, outcome):
        permit, _ = self.under_way.pop(place % len(self.under_way))
        before = self.breaker.state
        self.breaker.settle(permit, outcome)
        if before is not State.OPEN and self.breaker.state is State.OPEN:
            assert outcome is Outcome.FAILED
            self.opened_at = self.now
        if before is State.HALF_OPEN and self.breaker.state is State.CLOSED:
            assert outcome is Outcome.ANSWERED

    @rule(seconds=st.floats(0.1, 11.0))
    def wait(self, seconds):
        self.now += seconds

    @invariant()
    def at_most_two_probes_are_under_way(self):
        period = self.breaker._period
        if self.breaker.state is State.HALF_OPEN:
            assert sum(permit.period == period for permit, _ in self.under_way) <= 2

    @invariant()
    def changes_follow_the_diagram(self):
        allowed = {
            (State.CLOSED, State.OPEN),
            (State.OPEN, State.HALF_OPEN),
            (State.HALF_OPEN, State.OPEN),
            (State.HALF_OPEN, State.CLOSED),
        }
        states = [State.CLOSED, *self.changes]
        assert set(itertools.pairwise(states)) <= allowed
        assert states[-1] is self.breaker.state


BreakerMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBreakerUnderAnyHistory = BreakerMachine.TestCase
