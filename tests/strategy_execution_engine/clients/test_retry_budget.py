from hypothesis import given
from hypothesis import strategies as st

from strategy_execution_engine.clients.retry_budget import RetryBudget


def test_a_client_that_calls_rarely_can_use_the_reserve(clock):
    budget = RetryBudget(reserve=3, clock=clock)
    budget.note_call()
    assert [budget.spend() for _ in range(5)] == [True, True, True, False, False]
    assert repr(budget) == "<RetryBudget 3 retries for 1 calls of the last 10 s>"


def test_an_outage_adds_at_most_a_fifth_to_the_load(clock):
    budget = RetryBudget(clock=clock)
    retries = 0
    for _ in range(1000):
        budget.note_call()
        retries += sum(budget.spend() for _ in range(3))
    assert retries == 200


def test_the_reserve_comes_back_when_the_window_has_passed(clock):
    budget = RetryBudget(reserve=1, window_s=10, clock=clock)
    assert budget.spend()
    clock.now += 9
    assert not budget.spend()
    clock.now += 1
    assert budget.spend()


@given(steps=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.floats(0, 3)), max_size=30))
def test_within_any_window_retries_stay_within_the_share_or_the_reserve(steps):
    now = [0.0]
    budget = RetryBudget(share=0.2, reserve=3, window_s=10, clock=lambda: now[0])
    calls, retries = [], []
    for called, retried, seconds in steps:
        for _ in range(called):
            budget.note_call()
            calls.append(int(now[0]))
        for _ in range(retried):
            recent = [sum(second > int(now[0]) - 10 for second in seconds) for seconds in (calls, retries)]
            allowed = recent[1] < max(3, int(0.2 * recent[0]))
            assert budget.spend() is allowed
            if allowed:
                retries.append(int(now[0]))
        now[0] += seconds
