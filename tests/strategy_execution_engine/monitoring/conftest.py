"""Metrics of a busy client."""

from __future__ import annotations

import pytest

from feature_store.events import CACHE_HIT, CACHE_MISS, ApiCall, BreakerChange, Fallback, Served
from strategy_execution_engine.monitoring.feature_store_metrics import FeatureStoreMetrics


@pytest.fixture
def idle():
    """Return a collector that has counted nothing."""
    return FeatureStoreMetrics()


@pytest.fixture
def busy():
    """Return a collector of a client with 1,234 calls, some of them errors and fallbacks."""
    metrics = FeatureStoreMetrics()
    for number in range(1234):
        failed = number % 10 == 0
        metrics.count(ApiCall("get_indicators", 0.012, "" if failed else "live", "timeout" if failed else None))
    for event in (*[CACHE_HIT] * 87, *[CACHE_MISS] * 13, Fallback("get_indicators", "direct")):
        metrics.count(event)
    metrics.count(BreakerChange("features/indicators", "half_open"))
    return metrics


@pytest.fixture
def serving():
    """Return a collector of a service that makes no calls of its own."""
    metrics = FeatureStoreMetrics()
    for status in (200, 200, 200, 503):
        metrics.count(Served("/api/v1/features/indicators", status, 0.004))
    return metrics
