"""A cache in this process: bounded by entries and by bytes, each entry with a time to live, statistics exact.

An entry is *fresh* until its time to live is over and *stale* for `keep_stale_s` after that: `get` hands out fresh
values only, `get_stale` also those, for the hour in which a service is away. Beyond that the entry is dropped when it
is next met. When there is no room the policy names who leaves; a value heavier than the whole cache is refused and
counted, never an error.

Every method holds one lock for a few dictionary operations. Weighing, matching patterns, telling listeners and the
finalizers of dropped values run outside it. The lock is re-entrant, because the garbage collector may at any moment run
a finalizer that uses the cache.

Values are handed out as they were put in, not copied: give the cache what nobody changes.
"""

from __future__ import annotations

import random
import time
from math import inf
from threading import RLock
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, TypeVar

import strategy_execution_engine.monitoring.feature_store_metrics  # noqa: F401  counts from the first access
from feature_store.errors import InvalidRequestError
from feature_store.events import CACHE_HIT, CACHE_MISS, CacheEviction, emit
from strategy_execution_engine.caching.glob import Glob
from strategy_execution_engine.caching.policies import POLICIES
from strategy_execution_engine.caching.weigh import weigh

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable
    from typing import Literal

    Cause = Literal["entries", "bytes", "expired"]


Number = TypeVar("Number", int, float)


class CacheStats(TypedDict):
    """What a cache did since it was made, all of one moment.

    `hit_rate` is hits over hits and misses, 0.0 before the first. `stale_hits` are values `get_stale` handed out past
    their time; they are neither hits nor misses. `evictions` are entries that had to leave for others
    (`evictions_by_cause`: `entries`, `bytes`), `expirations` those dropped for their age, `invalidations` those dropped
    on request, `refused` the values too heavy to be taken in. `entries` and `bytes` include what is stale but kept.
    """

    name: str
    hits: int
    misses: int
    hit_rate: float
    stale_hits: int
    sets: int
    refused: int
    evictions: int
    evictions_by_cause: dict[str, int]
    expirations: int
    invalidations: int
    entries: int
    bytes: int
    max_entries: int
    max_bytes: int


class _Entry(NamedTuple):
    value: Any
    weight: int
    expires: float


class FeatureCache:
    """A bounded, thread-safe cache with a time to live per entry.

    Args:
        max_entries: how many entries at most.
        max_bytes: how many bytes their values may hold together, as `weigh` counts them.
        default_ttl: seconds a value is fresh where `set` does not say; `math.inf` for ever.
        jitter: 0.0 to 1.0, the share by which a time to live is shortened at random, so that values set together do not
            all expire together.
        keep_stale_s: seconds an expired value is kept for `get_stale`.
        policy: who leaves when there is no room: `lru`, the least recently used.
        clock: seconds on a clock that does not go back.
        random: numbers from 0.0 up to 1.0.
        name: for `repr` and statistics.

    Raises:
        InvalidRequestError: a bound is not above 0, or the policy is unknown.

    >>> cache = FeatureCache(max_entries=2)
    >>> cache.set("EUR/USD:1h:sma_50", [1.1, 1.2])
    True
    >>> cache.get("EUR/USD:1h:sma_50")
    [1.1, 1.2]
    >>> cache.invalidate_pattern("EUR/USD:*")
    1
    >>> cache.get("EUR/USD:1h:sma_50", "gone")
    'gone'
    >>> cache.get_stats()["hit_rate"]
    0.5
    """

    def __init__(
        self,
        max_entries: int = 10_000,
        max_bytes: int = 256 * 1024 * 1024,
        default_ttl: float = 300.0,
        *,
        jitter: float = 0.0,
        keep_stale_s: float = 3600.0,
        policy: str = "lru",
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random.random,
        name: str = "features",
    ) -> None:
        self.name = name
        self.max_entries = _above_zero("max_entries", max_entries)
        self.max_bytes = _above_zero("max_bytes", max_bytes)
        self.default_ttl = _above_zero("default_ttl", default_ttl)
        self._jitter = _between("jitter", jitter, 0.0, 1.0)
        self._keep_stale = _between("keep_stale_s", keep_stale_s, 0.0, inf)
        if policy not in POLICIES:
            raise InvalidRequestError(f"policy must be one of {' '.join(POLICIES)}, was {policy!r}", field="policy")
        self._policy = POLICIES[policy]()
        self._clock = clock
        self._random = random
        self._lock = RLock()
        self._entries: dict[Hashable, _Entry] = {}
        self._bytes = 0
        self._hits = self._misses = self._stale_hits = self._sets = self._refused = self._invalidations = 0
        self._dropped: dict[Cause, int] = {"entries": 0, "bytes": 0, "expired": 0}

    def __repr__(self) -> str:
        stats = self.get_stats()
        return f"<FeatureCache {self.name} entries={stats['entries']} bytes={stats['bytes']} hits={stats['hits']}>"

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable, default: Any = None) -> Any:
        """Return the fresh value of `key`, else `default`; a `default` of your own tells a cached None from a miss."""
        now = self._clock()
        expired = None
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and now < entry.expires:
                self._policy.used(key)
                self._hits += 1
            else:
                self._misses += 1
                if entry is not None and now >= entry.expires + self._keep_stale:
                    expired = self._drop(key, "expired")
                entry = None
        if entry is not None:
            emit(CACHE_HIT)
            return entry.value
        emit(CACHE_MISS)
        if expired is not None:
            emit(CacheEviction("expired"))
        return default

    def get_stale(self, key: Hashable, within_s: float, default: Any = None) -> Any:
        """Return the value of `key` if it is fresh or expired at most `within_s` seconds ago, else `default`.

        Meant for the moment after a `get` that missed and a service that did not answer. An expired value counts as a
        stale hit, a fresh one (another thread was faster) as a hit, none as nothing.
        """
        now = self._clock()
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or now >= entry.expires + min(within_s, self._keep_stale):
                return default
            self._policy.used(key)
            fresh = now < entry.expires
            if fresh:
                self._hits += 1
            else:
                self._stale_hits += 1
        if fresh:
            emit(CACHE_HIT)
        return entry.value

    def set(self, key: Hashable, value: Any, ttl: float | None = None) -> bool:
        """Keep `value` under `key` for `ttl` seconds, `default_ttl` where None; return whether it was taken in.

        A value heavier than `max_bytes` is refused, and what stood under its key goes, being out of date.

        Raises:
            InvalidRequestError: `ttl` is not above 0.
        """
        lifetime = self.default_ttl if ttl is None else _above_zero("ttl", ttl)
        if self._jitter:
            lifetime *= 1.0 - self._jitter * self._random()
        weight = weigh(value)
        now = self._clock()
        entry = _Entry(value, weight, now + lifetime)
        gone: list[tuple[Cause, _Entry]] = []
        with self._lock:
            if weight > self.max_bytes:
                self._refused += 1
                replaced = self._remove(key)
            else:
                self._sets += 1
                replaced = self._put(key, entry)
                while cause := self._too_much():
                    gone.append(self._evict(now, cause))
        del replaced  # only now may the value's finalizer run
        _tell(gone)
        return weight <= self.max_bytes

    def invalidate(self, key: Hashable) -> bool:
        """Drop `key`; return whether it was there, fresh or stale."""
        with self._lock:
            entry = self._remove(key)
            self._invalidations += entry is not None
        return entry is not None

    def invalidate_pattern(self, pattern: str) -> int:
        """Drop every text key that the glob covers (`*` any text, `?` one character); return how many were there.

        A key set by another thread while this runs may stay, as if it had been set afterwards.

        Raises:
            InvalidRequestError: the pattern is empty or longer than 256 characters.
        """
        glob = Glob(pattern)
        with self._lock:
            keys = list(self._entries)
        matching = [key for key in keys if isinstance(key, str) and glob.matches(key)]
        with self._lock:
            removed = [entry for key in matching if (entry := self._remove(key)) is not None]
            self._invalidations += len(removed)
        return len(removed)

    def clear(self) -> None:
        """Drop everything; the statistics go on."""
        with self._lock:
            entries, self._entries = self._entries, {}
            for key in entries:
                self._policy.removed(key)
            self._bytes = 0
            self._invalidations += len(entries)

    def get_stats(self) -> CacheStats:
        """Return exact counts of one moment."""
        with self._lock:
            asked = self._hits + self._misses
            evictions = {cause: self._dropped[cause] for cause in ("entries", "bytes")}
            return {
                "name": self.name,
                "hits": self._hits,
                "misses": self._misses,
                "hit_rate": self._hits / asked if asked else 0.0,
                "stale_hits": self._stale_hits,
                "sets": self._sets,
                "refused": self._refused,
                "evictions": sum(evictions.values()),
                "evictions_by_cause": evictions,
                "expirations": self._dropped["expired"],
                "invalidations": self._invalidations,
                "entries": len(self._entries),
                "bytes": self._bytes,
                "max_entries": self.max_entries,
                "max_bytes": self.max_bytes,
            }

    # ------------------------------------------------------------ under the lock
    def _put(self, key: Hashable, entry: _Entry) -> _Entry | None:
        before = self._entries.get(key)
        self._entries[key] = entry
        self._bytes += entry.weight
        if before is None:
            self._policy.added(key)
        else:
            self._bytes -= before.weight
            self._policy.used(key)
        return before

    def _remove(self, key: Hashable) -> _Entry | None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._policy.removed(key)
            self._bytes -= entry.weight
        return entry

    def _too_much(self) -> Cause | None:
        if len(self._entries) > self.max_entries:
            return "entries"
        return "bytes" if self._bytes > self.max_bytes else None

    def _evict(self, now: float, cause: Cause) -> tuple[Cause, _Entry]:
        victim = self._policy.victim()
        if now >= self._entries[victim].expires + self._keep_stale:
            cause = "expired"
        return cause, self._drop(victim, cause)

    def _drop(self, key: Hashable, cause: Cause) -> _Entry:
        self._dropped[cause] += 1
        entry = self._remove(key)
        assert entry is not None
        return entry


def _tell(gone: list[tuple[Cause, _Entry]]) -> None:
    causes = [cause for cause, _ in gone]
    for cause in dict.fromkeys(causes):
        emit(CacheEviction(cause, causes.count(cause)))


def _above_zero(name: str, value: Number) -> Number:
    if not value > 0:
        raise InvalidRequestError(f"{name} must be a number above 0, was {value!r}", field=name)
    return value


def _between(name: str, value: float, least: float, most: float) -> float:
    if not least <= value <= most:
        raise InvalidRequestError(f"{name} must be a number from {least} to {most}, was {value!r}", field=name)
    return value


_shared = FeatureCache(name="shared", jitter=0.1)


def get_feature_cache() -> FeatureCache:
    """Return the cache that all parts of this process share: 10,000 entries, 256 MB, 300 s less up to a tenth."""
    return _shared
