"""Every policy names a key it holds, and forgets what it is told to forget."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy_execution_engine.caching.policies import POLICIES, LeastRecentlyUsed


@pytest.mark.parametrize("make", POLICIES.values(), ids=POLICIES)
@given(steps=st.lists(st.tuples(st.sampled_from(["come", "use", "go"]), st.integers(0, 5)), max_size=40))
def test_the_victim_is_always_a_key_it_holds(make, steps):
    policy, held = make(), set()
    for what, key in steps:
        if what == "come" and key not in held:
            policy.added(key)
            held.add(key)
        elif what == "use" and key in held:
            policy.used(key)
        elif what == "go" and key in held:
            policy.removed(key)
            held.remove(key)
        if held:
            assert policy.victim() in held
            assert policy.victim() == policy.victim()


def test_the_least_recently_used_leaves_first():
    lru = LeastRecentlyUsed()
    for key in "abc":
        lru.added(key)
    lru.used("a")

    leaving = []
    for _ in "abc":
        leaving.append(lru.victim())
        lru.removed(leaving[-1])

    assert leaving == ["b", "c", "a"]
    assert repr(lru) == "<LeastRecentlyUsed keys=0>"
