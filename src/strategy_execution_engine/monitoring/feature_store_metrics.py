"""What this process' clients and caches have done so far, counted from the moment this module is imported.

`feature_store_metrics` is the one collector of the process; it listens to `feature_store.events`, which client, cache
and service emit. Ask it for nested numbers (`get_metrics`) or for Prometheus text (`prometheus`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feature_store import events
from feature_store.metrics import Recorder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.events import Event


class FeatureStoreMetrics:
    """Counts events and gives them in the documented shape; thread-safe.

    >>> from feature_store.events import CACHE_HIT, ApiCall
    >>> metrics = FeatureStoreMetrics()
    >>> metrics.count(ApiCall("get_indicators", seconds=0.002, source="live"))
    >>> metrics.count(CACHE_HIT)
    >>> now = metrics.get_metrics()
    >>> now["api_calls"]["total"], now["cache"]["hit_rate"], now["performance"]["p50"]
    (1, 1.0, 2.0)
    """

    def __init__(self, recorder: Recorder | None = None) -> None:
        self._recorder = recorder or Recorder()

    def __repr__(self) -> str:
        return f"<FeatureStoreMetrics {self._recorder!r}>"

    def count(self, event: Event) -> None:
        """Add one event; the process' own collector is subscribed to all of them already."""
        self._recorder.count(event)

    def get_metrics(self) -> dict[str, Any]:
        """Return all numbers of one moment; every total is 0 and every rate 0.0 before the first event.

        - `api_calls`: `total`, `by_method`, `by_source` (where answers came from).
        - `cache`: `hits`, `misses`, `hit_rate` (0.0 to 1.0), `evictions`.
        - `errors`: `total`, `by_type` (the errors' codes).
        - `performance`, milliseconds: `avg` and `max` of all calls, `p50`, `p95`, `p99` of the latest 4,096; and
          `request_count`.
        - `fallbacks`: `total`, `by_method`, `by_kind`.
        - `requests`: what a service in this process answered: `total`, `by_route`, `by_status`, `performance` as above.
        - `retries` and `breakers`: counts by method; states by endpoint.
        - `window`: the last `seconds` alone: `api_calls`, `errors`, `error_rate`, `fallbacks`, `fallback_rate`, `hits`,
          `misses`, `hit_rate`, `requests`, `request_errors`.
        """
        return in_documented_shape(self._recorder.snapshot())

    def prometheus(self) -> str:
        """Return the same numbers in Prometheus' text format."""
        return self._recorder.prometheus()

    def reset(self) -> None:
        """Start again from nothing; for tests."""
        self._recorder.reset()


def in_documented_shape(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return a `Recorder.snapshot()` as `get_metrics` gives it."""
    cache = snapshot["cache"]
    return {
        "api_calls": {**_by("method", snapshot["api_calls"]), "by_source": snapshot["answers"]},
        "cache": {
            "hits": cache["hits"],
            "misses": cache["misses"],
            "hit_rate": _share(cache["hits"], cache["hits"] + cache["misses"]),
            "evictions": sum(cache["evictions"].values()),
        },
        "errors": _by("type", snapshot["errors"]),
        "performance": _milliseconds(snapshot["response_time"]),
        "fallbacks": _by_two("method", "kind", snapshot["fallbacks"]),
        "requests": {
            **_by_two("route", "status", snapshot["requests"]),
            "performance": _milliseconds(snapshot["request_time"]),
        },
        "retries": _by("method", snapshot["retries"]),
        "breakers": snapshot["breakers"]["states"],
        "window": _windowed(snapshot["window"], snapshot["window_s"]),
        "uptime_s": snapshot["uptime_s"],
    }


def _by(name: str, counts: Mapping[str, int]) -> dict[str, Any]:
    return {"total": sum(counts.values()), f"by_{name}": dict(counts)}


def _by_two(first: str, second: str, counts: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    inner: dict[str, int] = {}
    for by_second in counts.values():
        for name, count in by_second.items():
            inner[name] = inner.get(name, 0) + count
    outer = {name: sum(by_second.values()) for name, by_second in counts.items()}
    return {"total": sum(inner.values()), f"by_{first}": outer, f"by_{second}": inner}


def _milliseconds(timings: Mapping[str, Any]) -> dict[str, float]:
    return {
        "avg": 1000.0 * _share(timings["sum"], timings["count"]),
        "max": 1000.0 * timings["max"],
        **{name: 1000.0 * seconds for name, seconds in timings["quantiles"].items()},
        "request_count": timings["count"],
    }


def _windowed(counts: Mapping[str, int], seconds: int) -> dict[str, float]:
    return {
        "seconds": seconds,
        **counts,
        "error_rate": _share(counts["errors"], counts["api_calls"]),
        "fallback_rate": _share(counts["fallbacks"], counts["api_calls"]),
        "hit_rate": _share(counts["hits"], counts["hits"] + counts["misses"]),
    }


def _share(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


feature_store_metrics = FeatureStoreMetrics()
events.subscribe(feature_store_metrics.count)
