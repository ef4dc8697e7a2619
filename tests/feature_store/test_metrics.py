"""A recorder counts exactly, within bounds, whatever is thrown at it."""

from __future__ import annotations

import json
import sys
import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.events import (
    CACHE_HIT,
    CACHE_MISS,
    ApiCall,
    BreakerChange,
    CacheEviction,
    Compiled,
    Fallback,
    Ingested,
    Retried,
    Served,
)
from feature_store.metrics import BUCKETS, OTHER, RECENT, WINDOW_S, Recorder, quantiles


@pytest.fixture
def recorder(clock):
    return Recorder(clock)


def test_before_the_first_event_everything_is_zero(recorder):
    snapshot = recorder.snapshot()

    assert snapshot["api_calls"] == {}
    assert snapshot["cache"] == {"hits": 0, "misses": 0, "evictions": {}}
    assert snapshot["response_time"]["quantiles"] == {"p50": 0.0, "p95": 0.0, "p99": 0.0}


def test_each_kind_of_event_is_counted_where_it_belongs(recorder):
    for event in (
        ApiCall("get_indicators", 0.002, "live"),
        ApiCall("get_indicators", 0.5, error="timeout"),
        CACHE_HIT,
        CACHE_HIT,
        CACHE_MISS,
        CacheEviction("bytes", 3),
        Fallback("get_indicators", "direct"),
        Retried("get_indicators"),
        BreakerChange("features/indicators", "open"),
        Served("/api/v1/indicators", 200, 0.001),
        Served("/api/v1/indicators", 404, 0.001),
        Compiled(3, 0.25),
        Ingested("EUR/USD", "1h", rows=10, quarantined=1, last_bar=1_700_000_000_000_000),
    ):
        recorder.count(event)
    snapshot = recorder.snapshot()

    assert snapshot["api_calls"] == {"get_indicators": 2}
    assert snapshot["answers"] == {"live": 1}
    assert snapshot["errors"] == {"timeout": 1}
    assert snapshot["cache"] == {"hits": 2, "misses": 1, "evictions": {"bytes": 3}}
    assert snapshot["fallbacks"] == {"get_indicators": {"direct": 1}}
    assert snapshot["retries"] == {"get_indicators": 1}
    assert snapshot["breakers"] == {
        "states": {"features/indicators": "open"},
        "changes": {"features/indicators": {"open": 1}},
    }
    assert snapshot["requests"] == {"/api/v1/indicators": {"200": 1, "404": 1}}
    assert snapshot["compiled"] == {"plans": 1, "features": 3, "seconds": 0.25}
    assert snapshot["ingested"] == {"EUR/USD": {"1h": 10}}
    assert snapshot["quarantined"] == {"EUR/USD": {"1h": 1}}
    assert snapshot["last_bars"] == {"EUR/USD": {"1h": 1_700_000_000.0}}


def test_an_event_of_an_unknown_kind_changes_nothing(recorder):
    before = recorder.snapshot()
    recorder.count("not an event")

    assert recorder.snapshot() == before


def test_a_snapshot_is_json_and_its_own(recorder):
    recorder.count(ApiCall("get_indicators", 0.002, "live"))
    snapshot = recorder.snapshot()
    recorder.count(ApiCall("get_indicators", 0.002, "live"))

    assert snapshot["api_calls"] == {"get_indicators": 1}
    assert sum(snapshot["response_time"]["by_label"]["get_indicators"]["counts"]) == 1
    assert json.loads(json.dumps(snapshot)) == snapshot


def test_labels_beyond_the_limit_are_counted_as_other(recorder):
    for number in range(1000):
        recorder.count(ApiCall(f"method_{number}", 0.001, "live"))
        recorder.count(Served(f"/route/{number}", 200, 0.001))
        recorder.count(Fallback(f"method_{number}", f"kind_{number}"))
        recorder.count(BreakerChange(f"endpoint_{number}", "open"))
        recorder.count(Ingested(f"SYM{number}", "1h", 1, 0, 1))
    snapshot = recorder.snapshot()

    assert sum(snapshot["api_calls"].values()) == 1000
    assert snapshot["api_calls"][OTHER] > 900
    assert all(len(snapshot[name]) < 600 for name in ("api_calls", "requests", "fallbacks", "ingested", "last_bars"))
    assert sum(count for by_status in snapshot["requests"].values() for count in by_status.values()) == 1000
    assert len(snapshot["breakers"]["states"]) < 100


@given(st.lists(st.floats(0, 100), min_size=1, max_size=200))
def test_quantiles_are_those_of_numpy_and_always_one_of_the_values(seconds):
    found = quantiles(seconds)

    for name, share in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99)):
        assert found[name] == np.quantile(seconds, share, method="inverted_cdf")
        assert found[name] in seconds


@given(st.lists(st.floats(0, 100), max_size=50))
def test_a_histogram_holds_every_duration_in_its_bucket(seconds):
    recorder = Recorder()
    for value in seconds:
        recorder.count(ApiCall("get_indicators", value, "live"))
    timings = recorder.snapshot()["response_time"]

    assert timings["count"] == len(seconds)
    assert timings["max"] == max(seconds, default=0.0)
    for histogram in timings["by_label"].values():
        running = np.cumsum(histogram["counts"])
        assert [int(n) for n in running[:-1]] == [sum(value <= bound for value in seconds) for bound in BUCKETS]


def test_quantiles_follow_the_latest_calls_and_the_maximum_remembers_all(recorder):
    recorder.count(ApiCall("get_indicators", 9.0, "live"))
    for _ in range(RECENT):
        recorder.count(ApiCall("get_indicators", 0.001, "live"))
    timings = recorder.snapshot()["response_time"]

    assert timings["quantiles"] == {"p50": 0.001, "p95": 0.001, "p99": 0.001}
    assert timings["max"] == 9.0


def test_the_window_forgets_after_a_minute_and_the_totals_never(recorder, clock):
    recorder.count(CACHE_HIT)
    recorder.count(ApiCall("get_indicators", 0.1, error="timeout"))
    clock.now += WINDOW_S - 1
    recorder.count(CACHE_MISS)
    assert recorder.snapshot()["window"] | {} == {
        "api_calls": 1,
        "errors": 1,
        "fallbacks": 0,
        "hits": 1,
        "misses": 1,
        "requests": 0,
        "request_errors": 0,
    }

    clock.now += 1
    assert recorder.snapshot()["window"]["hits"] == 0
    assert recorder.snapshot()["window"]["misses"] == 1
    assert recorder.snapshot()["cache"]["hits"] == 1


def test_a_failed_request_is_a_request_error_and_a_refused_one_is_not(recorder):
    recorder.count(Served("/api/v1/indicators", 404, 0.001))
    recorder.count(Served("/api/v1/indicators", 503, 0.001))

    assert recorder.snapshot()["window"]["requests"] == 2
    assert recorder.snapshot()["window"]["request_errors"] == 1


def test_the_newest_bar_stays_when_older_ones_arrive(recorder):
    recorder.count(Ingested("EUR/USD", "1h", 1, 0, last_bar=2_000_000))
    recorder.count(Ingested("EUR/USD", "1h", 1, 0, last_bar=1_000_000))
    recorder.count(Ingested("EUR/USD", "1h", 0, 5))

    assert recorder.snapshot()["last_bars"] == {"EUR/USD": {"1h": 2.0}}


def test_reset_starts_from_nothing(recorder):
    recorder.count(CACHE_HIT)
    recorder.reset()

    assert recorder.snapshot()["cache"]["hits"] == 0
    assert repr(recorder) == "<Recorder hits=0 misses=0 errors=0>"


def test_counts_are_exact_under_threads_that_interrupt_each_other(recorder):
    def counting():
        for _ in range(500):
            recorder.count(CACHE_HIT)
            recorder.count(ApiCall("get_indicators", 0.001, "live"))
            recorder.count(Fallback("get_indicators", "stale"))

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=counting) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            recorder.snapshot()
            thread.join()
    finally:
        sys.setswitchinterval(before)
    snapshot = recorder.snapshot()

    assert snapshot["cache"]["hits"] == 4000
    assert snapshot["api_calls"] == {"get_indicators": 4000}
    assert snapshot["fallbacks"] == {"get_indicators": {"stale": 4000}}
    assert snapshot["window"]["hits"] == 4000
