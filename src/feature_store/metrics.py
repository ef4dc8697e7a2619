"""Counts events and tells what was counted: one snapshot feeds the metrics of the client's house, JSON and `/metrics`.

A `Recorder` is a listener for `feature_store.events`. It adds every event to running totals, to histograms that can be
merged by addition, to a ring of the latest response times (for quantiles) and to one slot per second (for windows). All
of it is bounded: a label beyond the limit is counted as `other`, so no stream of names can fill memory or a scrape.

The lock is re-entrant: the garbage collector may run a finalizer that emits an event while one is being counted.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from math import ceil, inf
from threading import RLock
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from feature_store.events import (
    ApiCall,
    BreakerChange,
    CacheAccess,
    CacheEviction,
    Compiled,
    Fallback,
    Ingested,
    Retried,
    Served,
)
from feature_store.measures import BUCKETS, QUANTILES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from feature_store.events import Event

Label = TypeVar("Label", bound=Hashable)

OTHER = "other"
RECENT = 4096
WINDOW_S = 60
_LABELS = 64
_SERIES = 512
_SCHEMA = 1
_SERVER_ERROR = 500


class Tally(Generic[Label]):
    """Counts by label, at most `limit` labels; what comes later is counted under `other`.

    >>> tally = Tally("other", limit=1)
    >>> tally.add("a"); tally.add("b"); tally.add("c", 2)
    >>> tally.counts
    {'a': 1, 'other': 3}
    """

    __slots__ = ("_limit", "_other", "counts")

    def __init__(self, other: Label, limit: int = _LABELS) -> None:
        self.counts: dict[Label, float] = {}
        self._other = other
        self._limit = limit

    def add(self, label: Label, amount: float = 1) -> None:
        """Add `amount` to the label's count."""
        counts = self.counts
        if label in counts:
            counts[label] += amount
        else:
            kept = label if len(counts) < self._limit else self._other
            counts[kept] = counts.get(kept, 0) + amount


@dataclass(slots=True)
class Histogram:
    """How many seconds fell under each bound of `BUCKETS`, one more count for those above, and their sum."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


class Timings:
    """Durations in seconds: a histogram for each label, the greatest ever, and the latest few thousand as they were."""

    __slots__ = ("_latest", "histograms", "slowest")

    def __init__(self) -> None:
        self.histograms: dict[str, Histogram] = {}
        self.slowest = 0.0
        self._latest: deque[float] = deque(maxlen=RECENT)

    def add(self, label: str, seconds: float) -> None:
        """Count one duration under its label."""
        histogram = self.histograms.get(label)
        if histogram is None:
            kept = label if len(self.histograms) < _LABELS else OTHER
            histogram = self.histograms.setdefault(kept, Histogram())
        histogram.add(seconds)
        if seconds > self.slowest:  # noqa: PLR1730  a third of the time of max()
            self.slowest = seconds
        self._latest.append(seconds)

    def snapshot(self) -> dict[str, Any]:
        """Return count, sum and max in seconds, the histograms by label, and the latest durations."""
        by_label = {label: {"counts": list(h.counts), "sum": h.total} for label, h in self.histograms.items()}
        return {
            "count": sum(sum(h.counts) for h in self.histograms.values()),
            "sum": sum(h.total for h in self.histograms.values()),
            "max": self.slowest,
            "by_label": by_label,
            "latest": list(self._latest),
        }


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    """Return `p50`, `p95`, `p99` by nearest rank: each is one of the values; 0.0 where there are none.

    >>> quantiles([0.3, 0.1, 0.2])
    {'p50': 0.2, 'p95': 0.3, 'p99': 0.3}
    """
    ordered = sorted(seconds)
    return {f"p{100 * q:.0f}": ordered[ceil(q * len(ordered)) - 1] if ordered else 0.0 for q in QUANTILES}


class Window:
    """Counts of the last minute by name, kept in one slot per second, so that old ones fall out by themselves.

    >>> window = Window(("calls",), seconds=2)
    >>> window.at(10.2)["calls"] += 1
    >>> window.at(11.9)["calls"] += 1
    >>> window.totals(11.9), window.totals(12.1)
    ({'calls': 2}, {'calls': 1})
    """

    __slots__ = ("_current", "_ends", "_names", "_seconds", "_slots")

    def __init__(self, names: Sequence[str], seconds: int = WINDOW_S) -> None:
        self._names = tuple(names)
        self._seconds = seconds
        self._slots: deque[tuple[int, dict[str, int]]] = deque(maxlen=seconds)
        self._ends = -inf  # when the slot under way ends
        self._current: dict[str, int] = {}

    def at(self, now: float) -> dict[str, int]:
        """Return the slot of the second `now`, to be counted in; `now` comes from a clock that does not go back."""
        if now >= self._ends:
            second = int(now)
            self._ends = second + 1
            self._current = dict.fromkeys(self._names, 0)
            self._slots.append((second, self._current))
        return self._current

    def totals(self, now: float) -> dict[str, int]:
        """Return the counts of the window that ends at `now`, the second under way included."""
        oldest = int(now) - self._seconds
        kept = [slot for second, slot in self._slots if second > oldest]
        return {name: sum(slot[name] for slot in kept) for name in self._names}


_WINDOWED = ("api_calls", "errors", "fallbacks", "hits", "misses", "requests", "request_errors")
_PAIR = (OTHER, OTHER)


@dataclass(slots=True)
class _Totals:
    """Everything counted since the start or the last reset."""

    started: float
    window: Window = field(default_factory=lambda: Window(_WINDOWED))
    calls: Timings = field(default_factory=Timings)
    sources: Tally[str] = field(default_factory=lambda: Tally(OTHER))
    errors: Tally[str] = field(default_factory=lambda: Tally(OTHER))
    hits: int = 0
    misses: int = 0
    evictions: Tally[str] = field(default_factory=lambda: Tally(OTHER))
    fallbacks: Tally[tuple[str, str]] = field(default_factory=lambda: Tally(_PAIR))
    retries: Tally[str] = field(default_factory=lambda: Tally(OTHER))
    breaker_changes: Tally[tuple[str, str]] = field(default_factory=lambda: Tally(_PAIR))
    breaker_states: dict[str, str] = field(default_factory=dict)
    served: Timings = field(default_factory=Timings)
    requests: Tally[tuple[str, str]] = field(default_factory=lambda: Tally(_PAIR, limit=_SERIES))
    compilations: int = 0
    compiled_features: int = 0
    compile_seconds: float = 0.0
    ingested: Tally[tuple[str, str]] = field(default_factory=lambda: Tally(_PAIR, limit=_SERIES))
    quarantined: Tally[tuple[str, str]] = field(default_factory=lambda: Tally(_PAIR, limit=_SERIES))
    last_bars: dict[tuple[str, str], float] = field(default_factory=dict)


class Recorder:
    """Counts events; hand its `count` to `events.subscribe`.

    Thread-safe; a cache access costs about half a microsecond, any other event about one. `clock` returns seconds and
    only ever rises.

    >>> recorder = Recorder()
    >>> recorder.count(ApiCall("get_indicators", seconds=0.002, source="live"))
    >>> recorder.snapshot()["api_calls"]
    {'get_indicators': 1}
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = RLock()
        self._totals = _Totals(clock())
        self._counters: Mapping[type, Callable[[Any], None]] = {
            ApiCall: self._api_call,
            BreakerChange: self._breaker_change,
            CacheEviction: self._cache_eviction,
            Compiled: self._compiled,
            Fallback: self._fallback,
            Ingested: self._ingested,
            Retried: self._retried,
            Served: self._served,
        }

    def __repr__(self) -> str:
        totals = self._totals
        return f"<Recorder hits={totals.hits} misses={totals.misses} errors={sum(totals.errors.counts.values())}>"

    def count(self, event: Event) -> None:
        """Add one event to the totals; an event of a kind it does not know is left alone."""
        if type(event) is CacheAccess:  # the one that comes with every cached answer goes the shortest way
            with self._lock:
                totals = self._totals
                slot = totals.window.at(self._clock())
                if event.hit:
                    totals.hits += 1
                    slot["hits"] += 1
                else:
                    totals.misses += 1
                    slot["misses"] += 1
        elif (counter := self._counters.get(type(event))) is not None:
            with self._lock:
                counter(event)

    def reset(self) -> None:
        """Start again from nothing; for tests, a running Prometheus would see counters fall."""
        with self._lock:
            self._totals = _Totals(self._clock())

    def snapshot(self) -> dict[str, Any]:
        """Return all totals of one moment as data that JSON can carry; durations in seconds, times in epoch seconds."""
        with self._lock:
            t = self._totals
            now = self._clock()
            snapshot: dict[str, Any] = {
                "schema": _SCHEMA,
                "uptime_s": now - t.started,
                "window_s": WINDOW_S,
                "window": t.window.totals(now),
                "api_calls": {method: sum(h.counts) for method, h in t.calls.histograms.items()},
                "answers": dict(t.sources.counts),
                "errors": dict(t.errors.counts),
                "response_time": t.calls.snapshot(),
                "cache": {"hits": t.hits, "misses": t.misses, "evictions": dict(t.evictions.counts)},
                "fallbacks": _nested(t.fallbacks.counts),
                "retries": dict(t.retries.counts),
                "breakers": {"states": dict(t.breaker_states), "changes": _nested(t.breaker_changes.counts)},
                "requests": _nested(t.requests.counts),
                "request_time": t.served.snapshot(),
                "compiled": {"plans": t.compilations, "features": t.compiled_features, "seconds": t.compile_seconds},
                "ingested": _nested(t.ingested.counts),
                "quarantined": _nested(t.quarantined.counts),
                "last_bars": _nested(t.last_bars),
            }
        for timings in (snapshot["response_time"], snapshot["request_time"]):
            timings["quantiles"] = quantiles(timings.pop("latest"))  # sorted here, where nobody waits for it
        return snapshot

    def prometheus(self) -> str:
        """Return the totals in Prometheus' text format, version 0.0.4."""
        from feature_store.exposition import render  # noqa: PLC0415  a client that is never scraped does not load it

        return render(self.snapshot())

    # ------------------------------------------------------------ one method a kind of event, under the lock
    def _api_call(self, event: ApiCall) -> None:
        totals = self._totals
        now = self._clock()
        totals.calls.add(event.method, event.seconds)
        totals.window.at(now)["api_calls"] += 1
        if event.error is None:
            totals.sources.add(event.source)
        else:
            totals.errors.add(event.error)
            totals.window.at(now)["errors"] += 1

    def _cache_eviction(self, event: CacheEviction) -> None:
        self._totals.evictions.add(event.cause, event.count)

    def _fallback(self, event: Fallback) -> None:
        self._totals.fallbacks.add((event.method, event.kind))
        self._totals.window.at(self._clock())["fallbacks"] += 1

    def _retried(self, event: Retried) -> None:
        self._totals.retries.add(event.method)

    def _breaker_change(self, event: BreakerChange) -> None:
        states = self._totals.breaker_states
        if event.endpoint in states or len(states) < _LABELS:
            states[event.endpoint] = event.state
        self._totals.breaker_changes.add((event.endpoint, event.state))

    def _served(self, event: Served) -> None:
        totals = self._totals
        now = self._clock()
        totals.requests.add((event.route, str(event.status)))
        totals.served.add(event.route, event.seconds)
        totals.window.at(now)["requests"] += 1
        if event.status >= _SERVER_ERROR:
            totals.window.at(now)["request_errors"] += 1

    def _compiled(self, event: Compiled) -> None:
        self._totals.compilations += 1
        self._totals.compiled_features += event.features
        self._totals.compile_seconds += event.seconds

    def _ingested(self, event: Ingested) -> None:
        totals, series = self._totals, (event.symbol, event.timeframe)
        totals.ingested.add(series, event.rows)
        totals.quarantined.add(series, event.quarantined)
        if event.last_bar is not None and (series in totals.last_bars or len(totals.last_bars) < _SERIES):
            totals.last_bars[series] = max(event.last_bar / 1e6, totals.last_bars.get(series, 0.0))


def _nested(counts: Mapping[tuple[str, str], float]) -> dict[str, dict[str, float]]:
    nested: dict[str, dict[str, float]] = {}
    for (first, second), count in counts.items():
        nested.setdefault(first, {})[second] = count
    return nested
