"""What happened, as frozen records, and the one place where they are handed to whoever counts them.

Engine, store, client and cache say what they did with `emit`; they know nothing of metrics, dashboards or alerts, which
`subscribe` from outside. Handing over happens at once, in the emitting thread and outside the emitter's locks, so a
listener must be quick and must not block. With no listener an `emit` costs a loop over an empty tuple.

A listener that raises never disturbs the caller or the other listeners. Its first failure is logged with the traceback
and it stays subscribed: one event it cannot digest must not blind it to all that follow, and a log must not fill up.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    Listener = Callable[["Event"], object]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ApiCall:
    """A client's method came to its end.

    Args:
        method: the method's name, `get_indicators`.
        seconds: from the call to its answer or error, retries and fallback included.
        source: where the values came from, as in `wire.Provenance`: `live`, `cache`, `direct` ...; "" for an error.
        error: the error's stable `code`; None for an answer.
    """

    method: str
    seconds: float
    source: str = ""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class CacheAccess:
    """A cache was asked for a key; emit the ready-made `CACHE_HIT` or `CACHE_MISS`."""

    hit: bool


CACHE_HIT = CacheAccess(hit=True)
CACHE_MISS = CacheAccess(hit=False)


@dataclass(frozen=True, slots=True)
class CacheEviction:
    """A cache let entries go that nobody asked it to drop.

    Args:
        cause: `entries` (too many), `bytes` (too heavy together), `expired` (too old to serve even as stale).
        count: how many entries.
    """

    cause: Literal["entries", "bytes", "expired"]
    count: int = 1


@dataclass(frozen=True, slots=True)
class Fallback:
    """A client answered from a rung below the service: `kind` is `stale`, `direct` or `synthetic`."""

    method: str
    kind: str


@dataclass(frozen=True, slots=True)
class Served:
    """The service answered a request.

    Args:
        route: the route's template, `/api/v1/indicators/{indicator_id}`, never the path that was asked for.
        status: the HTTP status code.
        seconds: from the request's head to the answer's last byte.
    """

    route: str
    status: int
    seconds: float


@dataclass(frozen=True, slots=True)
class BreakerChange:
    """A circuit breaker went over to `state`, `closed`, `half_open` or `open`; `endpoint` is a route's name."""

    endpoint: str
    state: str


@dataclass(frozen=True, slots=True)
class Retried:
    """A client is about to send a request of `method` once more."""

    method: str


@dataclass(frozen=True, slots=True)
class Compiling:
    """The engine begins to compile a loop, which takes a fraction of a second.

    Args:
        features: how many columns it answers.
        loop, loops: which of how many that one plan has to wait for.
    """

    features: int
    loop: int = 1
    loops: int = 1


@dataclass(frozen=True, slots=True)
class Compiled:
    """The engine compiled a loop that answers `features` columns in `seconds`."""

    features: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Ingested:
    """The store took in bars of one series.

    Args:
        symbol: canonical name, `EUR/USD`.
        timeframe: canonical name, `1h`.
        rows: rows stored.
        quarantined: rows set aside because a bar's rules refused them.
        last_bar: open of the newest bar stored, UTC microseconds; None where no row was.
    """

    symbol: str
    timeframe: str
    rows: int
    quarantined: int = 0
    last_bar: int | None = None


Event = (
    ApiCall
    | CacheAccess
    | CacheEviction
    | Fallback
    | Served
    | BreakerChange
    | Retried
    | Compiling
    | Compiled
    | Ingested
)


class Channel:
    """Hands every event to every listener, in the order they subscribed.

    >>> channel, seen = Channel(), []
    >>> unsubscribe = channel.subscribe(seen.append)
    >>> channel.emit(Retried("get_indicators"))
    >>> unsubscribe()
    >>> channel.emit(Retried("get_ohlcv_data"))
    >>> seen
    [Retried(method='get_indicators')]
    """

    __slots__ = ("_failed", "_listeners", "_lock")

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()  # replaced as a whole, so that emit needs no lock
        self._failed: tuple[Listener, ...] = ()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<Channel listeners={len(self._listeners)} failed={len(self._failed)}>"

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Hand every later event to `listener`; the callable returned ends that, and does nothing when called again."""
        with self._lock:
            self._listeners = (*self._listeners, listener)
        subscribed = [listener]

        def unsubscribe() -> None:
            with self._lock:
                if subscribed:
                    self._listeners = _without(self._listeners, subscribed.pop())
                    self._failed = tuple(failed for failed in self._failed if failed in self._listeners)

        return unsubscribe

    def emit(self, event: Event) -> None:
        """Tell every listener; raises nothing that a listener raises."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:  # noqa: BLE001  whatever a listener does wrong is not the caller's business
                self._report(listener, event)

    def _report(self, listener: Listener, event: Event) -> None:
        with self._lock:
            if listener in self._failed:
                return
            self._failed = (*self._failed, listener)
        _log.exception("listener %r failed on %r; it stays subscribed and is not reported again", listener, event)


def _without(listeners: tuple[Listener, ...], listener: Listener) -> tuple[Listener, ...]:
    place = listeners.index(listener)
    return (*listeners[:place], *listeners[place + 1 :])


_channel = Channel()
subscribe = _channel.subscribe
emit = _channel.emit
