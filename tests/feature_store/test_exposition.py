"""Prometheus text says what was counted, in names and types Prometheus accepts, and can be read back."""

from __future__ import annotations

import math
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from feature_store.errors import CorruptResponseError
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
from feature_store.exposition import read, render
from feature_store.metrics import BUCKETS, Recorder
from tests.conftest import program

NAMES = st.text(min_size=1, max_size=12)
SECONDS = st.floats(0, 20)
COUNTS = st.integers(0, 1000)
EVENTS = st.one_of(
    st.builds(ApiCall, NAMES, SECONDS, st.sampled_from(["live", "cache", "direct"])),
    st.builds(ApiCall, NAMES, SECONDS, st.just(""), NAMES),
    st.sampled_from([CACHE_HIT, CACHE_MISS]),
    st.builds(CacheEviction, st.sampled_from(["entries", "bytes", "expired"]), COUNTS),
    st.builds(Fallback, NAMES, NAMES),
    st.builds(Retried, NAMES),
    st.builds(BreakerChange, NAMES, st.sampled_from(["closed", "half_open", "open"])),
    st.builds(Served, NAMES, st.sampled_from([200, 404, 500]), SECONDS),
    st.builds(Compiled, COUNTS, SECONDS),
    st.builds(Ingested, NAMES, NAMES, COUNTS, COUNTS, st.none() | st.integers(0, 2**50)),
)


def recorded(*events):
    recorder = Recorder()
    for event in events:
        recorder.count(event)
    return recorder


@pytest.fixture
def busy():
    return recorded(
        ApiCall("get_indicators", 0.002, "live"),
        ApiCall("get_indicators", 0.5, error="timeout"),
        CACHE_HIT,
        CACHE_MISS,
        CacheEviction("bytes", 3),
        Fallback("get_indicators", "direct"),
        Retried("get_indicators"),
        BreakerChange("features/indicators", "half_open"),
        Served("/api/v1/indicators", 200, 0.001),
        Compiled(3, 0.25),
        Ingested("EUR/USD", "1h", 10, 1, 1_700_000_000_000_000),
    )


def test_the_documented_names_are_there(busy):
    lines = busy.prometheus().splitlines()

    for line in (
        'feature_store_api_calls_total{method="get_indicators"} 2.0',
        'feature_store_errors_total{type="timeout"} 1.0',
        'feature_store_answers_total{source="live"} 1.0',
        'feature_store_response_time_seconds_count{method="get_indicators"} 2.0',
        'feature_store_response_time_seconds_bucket{le="5e-06",method="get_indicators"} 0.0',
        'feature_store_response_time_seconds_bucket{le="10.0",method="get_indicators"} 2.0',
        "feature_store_cache_hits_total 1.0",
        "feature_store_cache_misses_total 1.0",
        'feature_store_cache_evictions_total{cause="bytes"} 3.0',
        'feature_store_fallbacks_total{kind="direct",method="get_indicators"} 1.0',
        'feature_store_retries_total{method="get_indicators"} 1.0',
        'feature_store_breaker_state{endpoint="features/indicators"} 1.0',
        'feature_store_requests_total{route="/api/v1/indicators",status="200"} 1.0',
        'feature_store_ingested_rows_total{symbol="EUR/USD",timeframe="1h"} 10.0',
        'feature_store_quarantined_rows_total{symbol="EUR/USD",timeframe="1h"} 1.0',
        'feature_store_last_bar_timestamp_seconds{symbol="EUR/USD",timeframe="1h"} 1.7e+09',
    ):
        assert line in lines


def test_the_text_of_an_idle_recorder_is_valid_and_shows_what_there_is_to_see():
    families = {family.name for family in text_string_to_metric_families(Recorder().prometheus())}

    assert "feature_store_cache_hits" in families
    assert "feature_store_response_time_seconds" in families


def test_buckets_reach_from_five_microseconds_to_ten_seconds():
    assert BUCKETS[0] == 5e-6
    assert BUCKETS[-1] == 10.0
    assert list(BUCKETS) == sorted(BUCKETS)


@given(st.lists(EVENTS, max_size=30))
def test_what_is_rendered_is_read_back_whatever_the_labels(events):
    snapshot = recorded(*events).snapshot()
    back = read(render(snapshot))

    for name in ("api_calls", "answers", "errors", "cache", "fallbacks", "retries", "breakers", "requests", "compiled"):
        assert back[name] == snapshot[name]
    for name in ("ingested", "quarantined", "last_bars"):
        assert back[name] == snapshot[name]
    for name in ("response_time", "request_time"):
        assert back[name]["by_label"] == snapshot[name]["by_label"]
        assert back[name]["count"] == snapshot[name]["count"]
        assert math.isclose(back[name]["sum"], snapshot[name]["sum"])


@given(st.lists(st.floats(1e-6, 9.0), min_size=1, max_size=60))
def test_a_quantile_read_back_lies_in_the_bucket_of_the_true_one(seconds):
    snapshot = recorded(*(ApiCall("get_indicators", value, "live") for value in seconds)).snapshot()
    back = read(render(snapshot))["response_time"]["quantiles"]

    for name, true in snapshot["response_time"]["quantiles"].items():
        upper = min(bound for bound in BUCKETS if bound >= true)
        lower = max((bound for bound in BUCKETS if bound < true), default=0.0)
        assert lower <= back[name] <= upper


@pytest.mark.parametrize("text", ["<html>not metrics</html>", 'a{b="c} 1', "a{} x"])
def test_what_is_not_prometheus_text_is_refused(text):
    with pytest.raises(CorruptResponseError, match="Prometheus"):
        read(text)


def test_promtool_finds_no_fault(busy):
    checked = subprocess.run(
        [program("promtool"), "check", "metrics"], input=busy.prometheus(), text=True, capture_output=True, check=False
    )

    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
