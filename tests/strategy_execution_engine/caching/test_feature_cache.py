"""The cache keeps what it should, for as long as it should, within its bounds, and counts exactly."""

from __future__ import annotations

import gc
import math
import sys
import threading

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from feature_store.errors import InvalidRequestError
from feature_store.events import CACHE_HIT, CACHE_MISS, CacheEviction
from strategy_execution_engine.caching import FeatureCache, get_feature_cache


@pytest.fixture
def cache(clock):
    return FeatureCache(clock=clock)


def test_what_was_set_is_returned_as_it_is(cache):
    value = np.arange(3.0)
    cache.set("EUR/USD:1h:sma_50", value)

    assert cache.get("EUR/USD:1h:sma_50") is value


def test_a_cached_none_is_a_hit(cache):
    absent = object()
    cache.set("none", None)

    assert cache.get("none", absent) is None
    assert cache.get("other", absent) is absent
    assert cache.get_stats()["hits"] == 1


def test_a_value_is_fresh_until_its_time_is_over(cache, clock):
    cache.set("key", "value", ttl=10)
    clock.now += 9.999
    assert cache.get("key") == "value"

    clock.now += 0.001
    assert cache.get("key") is None


def test_the_default_time_to_live_is_five_minutes(cache, clock):
    cache.set("key", "value")
    clock.now += 299
    assert cache.get("key") == "value"
    clock.now += 1
    assert cache.get("key") is None


def test_an_infinite_time_to_live_never_ends(cache, clock):
    cache.set("key", "value", ttl=math.inf)
    clock.now += 1e12

    assert cache.get("key") == "value"


def test_setting_again_starts_the_time_anew_and_frees_the_old_bytes(cache, clock):
    cache.set("key", b"1234", ttl=10)
    clock.now += 8
    cache.set("key", b"12", ttl=10)
    clock.now += 8

    assert cache.get("key") == b"12"
    assert cache.get_stats()["bytes"] == 2
    assert cache.get_stats()["entries"] == 1


@pytest.mark.parametrize("ttl", [0, -1, math.nan])
def test_a_time_to_live_that_is_no_time_is_refused(cache, ttl):
    with pytest.raises(InvalidRequestError, match="ttl must be a number above 0"):
        cache.set("key", "value", ttl=ttl)
    assert len(cache) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_entries": 0},
        {"max_bytes": -1},
        {"default_ttl": 0},
        {"jitter": 1.5},
        {"jitter": -0.1},
        {"keep_stale_s": -1},
        {"policy": "best"},
    ],
)
def test_a_cache_that_cannot_be_is_refused_with_the_name_of_what_is_wrong(wrong):
    with pytest.raises(InvalidRequestError) as refused:
        FeatureCache(**wrong)
    assert refused.value.field == next(iter(wrong))
    assert str(refused.value).startswith(refused.value.field)


def test_jitter_shortens_a_time_to_live_and_never_lengthens_it(clock):
    cache = FeatureCache(default_ttl=100, jitter=0.1, clock=clock, random=lambda: 0.5)
    cache.set("key", "value")
    clock.now += 94.9
    assert cache.get("key") == "value"
    clock.now += 0.2
    assert cache.get("key") is None


# ---------------------------------------------------------------- stale values
def test_an_expired_value_is_there_for_who_asks_for_stale_ones(cache, clock):
    cache.set("key", "value", ttl=10)
    clock.now += 70
    assert cache.get("key") is None

    assert cache.get_stale("key", within_s=61) == "value"
    assert cache.get_stale("key", within_s=60) is None
    stats = cache.get_stats()
    assert (stats["hits"], stats["misses"], stats["stale_hits"]) == (0, 1, 1)


def test_a_fresh_value_asked_for_as_stale_is_a_hit(cache):
    cache.set("key", "value")

    assert cache.get_stale("key", within_s=0) == "value"
    assert cache.get_stats()["hits"] == 1
    assert cache.get_stats()["stale_hits"] == 0


def test_an_unknown_key_asked_for_as_stale_is_the_default_and_counts_nothing(cache):
    assert cache.get_stale("key", 60, default="none") == "none"
    assert cache.get_stats()["misses"] == 0


def test_beyond_the_time_for_stale_values_an_entry_is_dropped_when_met(clock, heard):
    cache = FeatureCache(clock=clock, keep_stale_s=100)
    cache.set("key", b"1234", ttl=10)
    clock.now += 109.9
    cache.get("key")
    assert len(cache) == 1

    clock.now += 0.1
    assert cache.get_stale("key", within_s=math.inf) is None
    assert cache.get("key") is None
    stats = cache.get_stats()
    assert (stats["entries"], stats["bytes"], stats["expirations"], stats["evictions"]) == (0, 0, 1, 0)
    assert heard == [CACHE_MISS, CACHE_MISS, CacheEviction("expired", 1)]


# ---------------------------------------------------------------- bounds
def test_the_least_recently_used_entry_makes_room(clock, heard):
    cache = FeatureCache(max_entries=2, clock=clock)
    cache.set("a", 1)
    cache.set("b", 2)
    cache.get("a")
    cache.set("c", 3)

    assert [cache.get(key) for key in "abc"] == [1, None, 3]
    assert cache.get_stats()["evictions_by_cause"] == {"entries": 1, "bytes": 0}
    assert heard[1] == CacheEviction("entries", 1)


def test_bytes_are_bounded_too_and_one_heavy_value_may_push_out_many(clock, heard):
    cache = FeatureCache(max_bytes=100, clock=clock)
    for key in range(10):
        cache.set(key, bytes(10))
    cache.set("heavy", bytes(95))

    stats = cache.get_stats()
    assert (stats["entries"], stats["bytes"]) == (1, 95)
    assert stats["evictions_by_cause"] == {"entries": 0, "bytes": 10}
    assert heard == [CacheEviction("bytes", 10)]


def test_a_value_heavier_than_the_cache_is_refused_and_what_it_would_replace_is_gone(clock):
    cache = FeatureCache(max_bytes=100, clock=clock)
    assert cache.set("key", bytes(100)) is True
    assert cache.set("other", bytes(101)) is False
    assert cache.get("key") is not None

    assert cache.set("key", bytes(101)) is False
    assert cache.get("key") is None
    stats = cache.get_stats()
    assert (stats["refused"], stats["sets"], stats["bytes"]) == (2, 1, 0)


def test_an_entry_too_old_to_serve_leaves_as_expired_not_as_evicted(clock):
    cache = FeatureCache(max_entries=1, keep_stale_s=10, clock=clock)
    cache.set("old", 1, ttl=1)
    clock.now += 11
    cache.set("new", 2)

    stats = cache.get_stats()
    assert (stats["expirations"], stats["evictions"]) == (1, 0)


# ---------------------------------------------------------------- invalidation
def test_invalidate_says_whether_there_was_something(cache):
    cache.set("key", "value")

    assert cache.invalidate("key") is True
    assert cache.invalidate("key") is False
    assert cache.get_stats()["invalidations"] == 1
    assert cache.get_stats()["bytes"] == 0


def test_invalidate_pattern_drops_the_matching_text_keys_only(cache):
    for key in ("EUR/USD:1h:sma_50", "EUR/USD:4h:sma_50", "GBP/USD:1h:sma_50", ("EUR/USD", "1h")):
        cache.set(key, 1)

    assert cache.invalidate_pattern("EUR/USD:*") == 2
    assert cache.invalidate_pattern("*:sma_??") == 1
    assert cache.get(("EUR/USD", "1h")) == 1
    assert cache.get_stats()["invalidations"] == 3


def test_a_bad_pattern_drops_nothing(cache):
    cache.set("key", 1)
    with pytest.raises(InvalidRequestError, match="pattern"):
        cache.invalidate_pattern("*" * 257)
    assert cache.get("key") == 1


def test_clear_drops_everything_and_the_statistics_go_on(cache):
    cache.set("a", b"1")
    cache.get("a")
    cache.clear()
    stats = cache.get_stats()

    assert (stats["entries"], stats["bytes"], stats["hits"], stats["invalidations"]) == (0, 0, 1, 1)
    cache.set("a", b"2")
    assert cache.get("a") == b"2"


# ---------------------------------------------------------------- statistics and events
def test_the_hit_rate_of_an_untouched_cache_is_zero(cache):
    assert cache.get_stats()["hit_rate"] == 0.0


def test_the_hit_rate_is_hits_over_all_questions(cache):
    cache.set("key", 1)
    for _ in range(3):
        cache.get("key")
    cache.get("other")

    assert cache.get_stats()["hit_rate"] == 0.75
    assert repr(cache).startswith("<FeatureCache features entries=1 bytes=")


def test_listeners_hear_of_hits_and_misses(cache, heard):
    cache.set("key", 1)
    cache.get("key")
    cache.get("other")

    assert heard == [CACHE_HIT, CACHE_MISS]


def test_listeners_and_finalizers_may_use_the_cache(clock, heard):
    cache = FeatureCache(max_entries=1, clock=clock)

    class Value:
        nbytes = 8

        def __del__(self):
            cache.set("last words", b"1234")

    cache.set("key", Value())
    cache.set("other", b"12")  # evicts the value; its finalizer evicts the other
    gc.collect()

    assert cache.get("last words") == b"1234"
    assert cache.get_stats()["bytes"] == 4


def test_the_shared_cache_is_one(clock):
    assert get_feature_cache() is get_feature_cache()
    assert isinstance(get_feature_cache(), FeatureCache)


# ---------------------------------------------------------------- many threads
def test_counts_and_bytes_are_exact_when_threads_interrupt_each_other_anywhere():
    cache = FeatureCache(max_entries=20, max_bytes=600)
    gets_each, threads_count = 400, 6
    dropped = [0] * threads_count

    def working(number):
        for step in range(gets_each):
            key = f"{number % 2}:{step * 7 % 31}"
            if cache.get(key) is None:
                cache.set(key, bytes(step % 50))
            if step % 20 == 0:
                dropped[number] += cache.invalidate(key)
            if step % 50 == 0:
                dropped[number] += cache.invalidate_pattern(f"{number % 2}:?")

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=working, args=(number,)) for number in range(threads_count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            seen = cache.get_stats()
            assert seen["entries"] <= 20
            assert seen["bytes"] <= 600
            thread.join()
    finally:
        sys.setswitchinterval(before)
    stats = cache.get_stats()

    assert stats["hits"] + stats["misses"] == gets_each * threads_count
    assert stats["sets"] == stats["misses"]
    assert stats["invalidations"] == sum(dropped)
    assert stats["bytes"] == sum(len(cache.get(key, b"")) for key in list(cache._entries))
    assert set(cache._policy._keys) == set(cache._entries)


# ---------------------------------------------------------------- against a model
KEYS = st.sampled_from(["EUR:a", "EUR:b", "GBP:a", "GBP:b", "USD:a", "USD:b"])
MAX_ENTRIES, MAX_BYTES, KEEP_STALE = 4, 40, 50


class CacheAgainstModel(RuleBasedStateMachine):
    """The model is a dict in order of use, with every rule of the cache spelled out the slow way."""

    def __init__(self):
        super().__init__()
        self.now = 0.0
        self.cache = FeatureCache(
            max_entries=MAX_ENTRIES, max_bytes=MAX_BYTES, keep_stale_s=KEEP_STALE, clock=lambda: self.now
        )
        self.model = {}
        self.counts = dict.fromkeys(
            ("hits", "misses", "stale_hits", "sets", "refused", "evictions", "expirations", "invalidations"), 0
        )

    def touch(self, key):
        self.model[key] = self.model.pop(key)

    @rule(seconds=st.integers(1, 30))
    def time_passes(self, seconds):
        self.now += seconds

    @rule(key=KEYS, size=st.integers(0, MAX_BYTES + 5), ttl=st.integers(1, 60))
    def set(self, key, size, ttl):
        value = bytes(size)
        assert self.cache.set(key, value, ttl) is (size <= MAX_BYTES)
        self.model.pop(key, None)
        if size > MAX_BYTES:
            self.counts["refused"] += 1
            return
        self.counts["sets"] += 1
        self.model[key] = (value, self.now + ttl)
        while len(self.model) > MAX_ENTRIES or sum(len(v) for v, _ in self.model.values()) > MAX_BYTES:
            oldest = next(iter(self.model))
            dead = self.now >= self.model.pop(oldest)[1] + KEEP_STALE
            self.counts["expirations" if dead else "evictions"] += 1

    @rule(key=KEYS)
    def get(self, key):
        value, expires = self.model.get(key, (None, 0))
        found = self.cache.get(key, "absent")
        if key in self.model and self.now < expires:
            assert found is value
            self.counts["hits"] += 1
            self.touch(key)
            return
        assert found == "absent"
        self.counts["misses"] += 1
        if key in self.model and self.now >= expires + KEEP_STALE:
            del self.model[key]
            self.counts["expirations"] += 1

    @rule(key=KEYS, within=st.integers(0, 80))
    def get_stale(self, key, within):
        value, expires = self.model.get(key, (None, 0))
        found = self.cache.get_stale(key, within, "absent")
        if key not in self.model or self.now >= expires + min(within, KEEP_STALE):
            assert found == "absent"
            return
        assert found is value
        self.counts["hits" if self.now < expires else "stale_hits"] += 1
        self.touch(key)

    @rule(key=KEYS)
    def invalidate(self, key):
        assert self.cache.invalidate(key) is (key in self.model)
        self.counts["invalidations"] += self.model.pop(key, None) is not None

    @rule(pattern=st.sampled_from(["EUR:*", "*:a", "???:b", "*", "nothing"]))
    def invalidate_pattern(self, pattern):
        prefix, suffix = {"EUR:*": ("EUR:", ""), "*:a": ("", ":a"), "???:b": ("", ":b"), "*": ("", "")}.get(
            pattern, ("x", "x")
        )
        gone = [key for key in self.model if key.startswith(prefix) and key.endswith(suffix)]
        assert self.cache.invalidate_pattern(pattern) == len(gone)
        for key in gone:
            del self.model[key]
        self.counts["invalidations"] += len(gone)

    @rule()
    def clear(self):
        self.cache.clear()
        self.counts["invalidations"] += len(self.model)
        self.model.clear()

    @invariant()
    def it_counts_and_weighs_exactly(self):
        stats = self.cache.get_stats()
        assert {name: stats[name] for name in self.counts} == self.counts
        assert stats["entries"] == len(self.model) == len(self.cache)
        assert stats["bytes"] == sum(len(value) for value, _ in self.model.values())
        asked = stats["hits"] + stats["misses"]
        assert stats["hit_rate"] == (stats["hits"] / asked if asked else 0.0)


CacheAgainstModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestCacheAgainstModel = CacheAgainstModel.TestCase
