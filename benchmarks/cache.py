"""What a cache hit costs: `FeatureCache` beside the least that could do the job.

The peer of every row is a dict with expiry times under a lock: no bounds, no order of use, no statistics, nobody told.
`functools.lru_cache` (C) is bounded by entries, but knows no time, no bytes and no single key to drop.
"""

from __future__ import annotations

import time
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any

from benchmarks.measure import in_turn, median_seconds
from feature_store import events
from strategy_execution_engine.caching import FeatureCache
from strategy_execution_engine.monitoring.feature_store_metrics import feature_store_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALLS = 20_000
PAIRS = 31
KEYS = [f"EUR/USD:1h:sma_{number}:1672531200000:1675209600000" for number in range(1000)]
KEY = KEYS[500]


class LockedDict:
    """Values with their expiry under a lock: the plain alternative."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._entries: dict[str, tuple[Any, float]] = {}

    def get(self, key: str) -> Any:
        """Return the value while it is fresh."""
        with self._lock:
            entry = self._entries.get(key)
            return entry[0] if entry is not None and time.monotonic() < entry[1] else None

    def set(self, key: str, value: Any) -> None:
        """Keep a value for five minutes."""
        with self._lock:
            self._entries[key] = (value, time.monotonic() + 300.0)


@lru_cache(maxsize=10_000)
def remembered(key: str) -> str:
    return key


def many(call: Callable[..., object], *arguments: object) -> Callable[[], None]:
    def work() -> None:
        for _ in range(CALLS):
            call(*arguments)

    return work


def rows() -> Iterator[str]:
    """Yield the table as Markdown lines."""
    cache, plain, unheard = FeatureCache(), LockedDict(), events.Channel()
    for key in KEYS:
        cache.set(key, key)
        plain.set(key, key)
        remembered(key)
    contestants = {
        "`FeatureCache.get`, hit, counted by this process' collector": many(cache.get, KEY),
        "... of which the collector": many(feature_store_metrics.count, events.CACHE_HIT),
        "... of which emitting, with nobody listening": many(unheard.emit, events.CACHE_HIT),
        "`FeatureCache.get`, miss": many(cache.get, "absent"),
        "`FeatureCache.set`": many(cache.set, KEY, KEY),
        "`functools.lru_cache`, hit": many(remembered, KEY),
    }
    yield "### A cache of 1,000 entries, one thread (µs a call)"
    yield ""
    yield "| | ours | locked dict, hit | ratio |"
    yield "|---|---:|---:|---:|"
    for name, work in contestants.items():
        pair = in_turn(work, many(plain.get, KEY), PAIRS)
        yield f"| {name} | {1e6 * pair.ours / CALLS:.2f} | {1e6 * pair.peer / CALLS:.2f} | {pair.ratio:.2f} |"
    dropping = median_seconds(lambda: cache.invalidate_pattern("*:no_such_feature_*"))
    yield f"\nA pattern with stars on both sides over {len(KEYS):,} keys: {1e3 * dropping:.1f} ms."


if __name__ == "__main__":
    print("\n".join(rows()))
