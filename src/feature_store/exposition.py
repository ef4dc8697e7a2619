"""A recorder's snapshot as Prometheus text and back, named by its rules: base units, `_total` on counters."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from feature_store.errors import CorruptResponseError
from feature_store.measures import BREAKER_STATES, BUCKETS, QUANTILES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from prometheus_client.core import Metric
    from prometheus_client.samples import Sample

    Snapshot = Mapping[str, Any]

_BOUNDS = (*(repr(bound) for bound in BUCKETS), "+Inf")


def render(snapshot: Snapshot) -> str:
    """Return the text of a `Recorder.snapshot()`."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_SnapshotCollector(snapshot))
    return generate_latest(registry).decode()


class _SnapshotCollector(Collector):
    """Hands the metrics of one snapshot to prometheus_client."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family, those without a sample included: a scrape shows what there is to see."""
        s = self._snapshot
        yield from _client(s)
        yield from _cache(s["cache"])
        yield from _service(s)
        yield from _engine_and_store(s)


def _client(s: Snapshot) -> Iterator[Metric]:
    yield _counter("api_calls", "Calls of a client's methods that ended.", s["api_calls"], "method")
    yield _counter("answers", "Answers by where their values came from.", s["answers"], "source")
    yield _counter("errors", "Calls that ended in an error, by its code.", s["errors"], "type")
    yield _histogram("response_time_seconds", "From a client's call to its end.", s["response_time"], "method")
    yield _counter2("fallbacks", "Answers from a rung below the service.", s["fallbacks"], ("method", "kind"))
    yield _counter("retries", "Requests sent once more.", s["retries"], "method")
    states = GaugeMetricFamily(
        "feature_store_breaker_state", "Circuit breaker: 0 closed, 1 half open, 2 open.", labels=["endpoint"]
    )
    for endpoint, state in s["breakers"]["states"].items():
        states.add_metric([endpoint], BREAKER_STATES.index(state) if state in BREAKER_STATES else float("nan"))
    yield states
    changes = s["breakers"]["changes"]
    yield _counter2("breaker_changes", "Changes of a circuit breaker's state.", changes, ("endpoint", "state"))


def _cache(cache: Snapshot) -> Iterator[Metric]:
    yield _total("cache_hits", "Keys a cache had.", cache["hits"])
    yield _total("cache_misses", "Keys a cache did not have.", cache["misses"])
    yield _counter("cache_evictions", "Entries a cache let go, by cause.", cache["evictions"], "cause")


def _service(s: Snapshot) -> Iterator[Metric]:
    yield _counter2("requests", "Requests the service answered.", s["requests"], ("route", "status"))
    yield _histogram("request_duration_seconds", "From a request to its answer.", s["request_time"], "route")


def _engine_and_store(s: Snapshot) -> Iterator[Metric]:
    yield _total("compiled_plans", "Plans the engine compiled.", s["compiled"]["plans"])
    yield _total("compiled_features", "Features in the plans compiled.", s["compiled"]["features"])
    yield _total("compile_seconds", "Seconds spent compiling.", s["compiled"]["seconds"])
    series = ("symbol", "timeframe")
    yield _counter2("ingested_rows", "Bars stored.", s["ingested"], series)
    yield _counter2("quarantined_rows", "Rows set aside as no valid bars.", s["quarantined"], series)
    last = GaugeMetricFamily(
        "feature_store_last_bar_timestamp_seconds", "Open of the newest bar stored.", labels=series
    )
    for symbol, by_timeframe in s["last_bars"].items():
        for timeframe, seconds in by_timeframe.items():
            last.add_metric([symbol, timeframe], seconds)
    yield last


def _total(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(f"feature_store_{name}", about, value=value)


def _counter(name: str, about: str, counts: Mapping[str, float], label: str) -> Metric:
    family = CounterMetricFamily(f"feature_store_{name}", about, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family


def _counter2(name: str, about: str, counts: Mapping[str, Mapping[str, float]], labels: tuple[str, str]) -> Metric:
    family = CounterMetricFamily(f"feature_store_{name}", about, labels=labels)
    for first, by_second in counts.items():
        for second, count in by_second.items():
            family.add_metric([first, second], count)
    return family


def _histogram(name: str, about: str, timings: Snapshot, label: str) -> Metric:
    family = HistogramMetricFamily(f"feature_store_{name}", about, labels=[label])
    for value, histogram in timings["by_label"].items():
        cumulative = accumulate(histogram["counts"])
        family.add_metric([value], buckets=list(zip(_BOUNDS, cumulative, strict=True)), sum_value=histogram["sum"])
    return family


# ---------------------------------------------------------------- and back again
def read(text: str) -> dict[str, Any]:
    """Return the snapshot that `render` wrote, for who watches a recorder in another process.

    What the text does not hold is estimated or left out: quantiles lie within their histogram bucket, `max` is the
    upper bound of the highest bucket in use, and there is no `uptime_s` and no `window`. Other metrics are passed over.

    Raises:
        CorruptResponseError: the text is not Prometheus' format.
    """
    try:
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except (ValueError, KeyError, IndexError) as problem:
        raise CorruptResponseError(
            f"the answer is not Prometheus' text format ({problem}); is it /metrics?"
        ) from problem
    found: dict[str, list[Sample]] = {}
    for sample in samples:
        found.setdefault(sample.name.removeprefix("feature_store_"), []).append(sample)

    def by(name: str, label: str) -> dict[str, float]:
        return {sample.labels[label]: sample.value for sample in found.get(name, ())}

    def by_two(name: str, first: str, second: str) -> dict[str, dict[str, float]]:
        nested: dict[str, dict[str, float]] = {}
        for sample in found.get(name, ()):
            nested.setdefault(sample.labels[first], {})[sample.labels[second]] = sample.value
        return nested

    def total(name: str) -> float:
        return sum(sample.value for sample in found.get(name, ()))

    def timings(name: str, label: str) -> dict[str, Any]:
        return _timings(found.get(f"{name}_bucket", ()), by(f"{name}_sum", label), label)

    states = by("breaker_state", "endpoint")
    return {
        "api_calls": by("api_calls_total", "method"),
        "answers": by("answers_total", "source"),
        "errors": by("errors_total", "type"),
        "response_time": timings("response_time_seconds", "method"),
        "cache": {
            "hits": total("cache_hits_total"),
            "misses": total("cache_misses_total"),
            "evictions": by("cache_evictions_total", "cause"),
        },
        "fallbacks": by_two("fallbacks_total", "method", "kind"),
        "retries": by("retries_total", "method"),
        "breakers": {
            "states": {endpoint: BREAKER_STATES[int(state)] for endpoint, state in states.items() if 0 <= state <= 2},  # noqa: PLR2004
            "changes": by_two("breaker_changes_total", "endpoint", "state"),
        },
        "requests": by_two("requests_total", "route", "status"),
        "request_time": timings("request_duration_seconds", "route"),
        "compiled": {
            "plans": total("compiled_plans_total"),
            "features": total("compiled_features_total"),
            "seconds": total("compile_seconds_total"),
        },
        "ingested": by_two("ingested_rows_total", "symbol", "timeframe"),
        "quarantined": by_two("quarantined_rows_total", "symbol", "timeframe"),
        "last_bars": by_two("last_bar_timestamp_seconds", "symbol", "timeframe"),
    }


def _timings(buckets: Iterable[Sample], sums: Mapping[str, float], label: str) -> dict[str, Any]:
    cumulative: dict[str, list[int]] = {}
    for sample in buckets:
        cumulative.setdefault(sample.labels[label], []).append(int(sample.value))
    by_label = {
        value: {"counts": [upper - lower for lower, upper in pairwise([0, *counts])], "sum": sums.get(value, 0.0)}
        for value, counts in cumulative.items()
    }
    together = [sum(column) for column in zip(*(h["counts"] for h in by_label.values()), strict=True)]
    return {
        "count": sum(together),
        "sum": sum(h["sum"] for h in by_label.values()),
        "max": _within_bucket(together, 1.0),
        "quantiles": {f"p{100 * q:.0f}": _within_bucket(together, q) for q in QUANTILES},
        "by_label": by_label,
    }


def _within_bucket(counts: Sequence[int], quantile: float) -> float:
    """Return the quantile in seconds, as if the durations of a bucket were spread evenly over it."""
    rank, below = quantile * sum(counts), 0
    for place, count in enumerate(counts):
        if count and below + count >= rank:
            lower = BUCKETS[place - 1] if place else 0.0
            upper = BUCKETS[min(place, len(BUCKETS) - 1)]
            return lower + (upper - lower) * (rank - below) / count
        below += count
    return 0.0
