"""The collector gives the documented numbers, from nothing to many threads."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from feature_store import events
from feature_store.events import CACHE_HIT, CACHE_MISS, ApiCall, BreakerChange, CacheEviction, Fallback, Retried, Served
from strategy_execution_engine.caching import FeatureCache
from strategy_execution_engine.monitoring.feature_store_metrics import FeatureStoreMetrics, feature_store_metrics


@pytest.fixture
def metrics():
    return FeatureStoreMetrics()


@pytest.fixture
def of_the_process():
    feature_store_metrics.reset()
    yield feature_store_metrics
    feature_store_metrics.reset()


def test_without_traffic_every_total_is_zero_and_every_rate_zero_point_zero(metrics):
    now = metrics.get_metrics()

    assert now["api_calls"] == {"total": 0, "by_method": {}, "by_source": {}}
    assert now["cache"] == {"hits": 0, "misses": 0, "hit_rate": 0.0, "evictions": 0}
    assert now["errors"] == {"total": 0, "by_type": {}}
    assert now["performance"] == {"avg": 0.0, "max": 0.0, "p50": 0.0, "p95": 0.0, "p99": 0.0, "request_count": 0}
    assert now["fallbacks"] == {"total": 0, "by_method": {}, "by_kind": {}}
    assert now["window"]["error_rate"] == now["window"]["fallback_rate"] == now["window"]["hit_rate"] == 0.0


def test_calls_errors_and_times_are_counted_in_milliseconds(metrics):
    for milliseconds in range(1, 101):
        metrics.count(ApiCall("get_indicators", milliseconds / 1000, "live"))
    metrics.count(ApiCall("get_ohlcv_data", 0.2, error="timeout"))
    now = metrics.get_metrics()

    assert now["api_calls"]["total"] == 101
    assert now["api_calls"]["by_method"] == {"get_indicators": 100, "get_ohlcv_data": 1}
    assert now["api_calls"]["by_source"] == {"live": 100}
    assert now["errors"] == {"total": 1, "by_type": {"timeout": 1}}
    assert now["performance"]["request_count"] == 101
    assert now["performance"]["avg"] == pytest.approx((5050 + 200) / 101)
    assert now["performance"]["max"] == pytest.approx(200)
    assert [now["performance"][name] for name in ("p50", "p95", "p99")] == pytest.approx([51, 96, 100])


def test_the_hit_rate_lies_between_zero_and_one(metrics):
    for event in (CACHE_HIT, CACHE_HIT, CACHE_HIT, CACHE_MISS, CacheEviction("bytes", 4), CacheEviction("expired")):
        metrics.count(event)

    assert metrics.get_metrics()["cache"] == {"hits": 3, "misses": 1, "hit_rate": 0.75, "evictions": 5}


def test_fallbacks_are_counted_by_method_and_by_kind(metrics):
    for method, kind in (("get_indicators", "stale"), ("get_indicators", "direct"), ("compute_feature", "direct")):
        metrics.count(Fallback(method, kind))

    assert metrics.get_metrics()["fallbacks"] == {
        "total": 3,
        "by_method": {"get_indicators": 2, "compute_feature": 1},
        "by_kind": {"stale": 1, "direct": 2},
    }


def test_the_window_has_rates_of_its_own(metrics):
    for event in (ApiCall("a", 0.1, "live"), ApiCall("a", 0.1, error="timeout"), Fallback("a", "stale"), CACHE_HIT):
        metrics.count(event)
    window = metrics.get_metrics()["window"]

    assert (window["error_rate"], window["fallback_rate"], window["hit_rate"]) == (0.5, 0.5, 1.0)


def test_requests_retries_and_breakers_are_there_too(metrics):
    for event in (Served("/a", 200, 0.001), Served("/a", 500, 0.003), Retried("m"), BreakerChange("e", "open")):
        metrics.count(event)
    now = metrics.get_metrics()

    assert now["requests"]["total"] == 2
    assert now["requests"]["by_route"] == {"/a": 2}
    assert now["requests"]["by_status"] == {"200": 1, "500": 1}
    assert now["requests"]["performance"]["avg"] == pytest.approx(2.0)
    assert now["retries"] == {"total": 1, "by_method": {"m": 1}}
    assert now["breakers"] == {"e": "open"}


def test_prometheus_text_holds_the_same_numbers(metrics):
    metrics.count(CACHE_HIT)

    assert "feature_store_cache_hits_total 1.0\n" in metrics.prometheus()


def test_the_process_has_one_collector_that_listens_from_import_on(of_the_process):
    events.emit(ApiCall("get_indicators", 0.01, "live"))

    assert of_the_process.get_metrics()["api_calls"]["total"] == 1


def test_a_cache_is_watched_without_being_asked_to(of_the_process):
    cache = FeatureCache(max_entries=1)
    cache.set("a", 1)
    cache.get("a")
    cache.get("b")
    cache.set("c", 2)

    assert of_the_process.get_metrics()["cache"] == {"hits": 1, "misses": 1, "hit_rate": 0.5, "evictions": 1}


def test_importing_the_collector_subscribes_once_and_loads_nothing_heavy():
    program = (
        "import sys\n"
        "import strategy_execution_engine.monitoring.feature_store_metrics\n"
        "from strategy_execution_engine.caching import get_feature_cache\n"
        "from feature_store import events\n"
        "assert events._channel.__repr__() == '<Channel listeners=1 failed=0>', events._channel\n"
        "heavy = {'numpy', 'pandas', 'prometheus_client', 'dash', 'plotly', 'llvmlite', 'polars'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_totals_agree_with_each_other_while_threads_count(metrics):
    stop = threading.Event()

    def counting():
        while not stop.is_set():
            metrics.count(ApiCall("get_indicators", 0.001, error="timeout"))

    threads = [threading.Thread(target=counting) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(100):
            now = metrics.get_metrics()
            assert now["api_calls"]["total"] == now["errors"]["total"] == now["performance"]["request_count"]
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_reset_starts_from_nothing(metrics):
    metrics.count(CACHE_HIT)
    metrics.reset()

    assert metrics.get_metrics()["cache"]["hits"] == 0
    assert repr(metrics) == "<FeatureStoreMetrics <Recorder hits=0 misses=0 errors=0>>"
