"""The metrics of a service in another process, read from its `/metrics` and given in the shape of `get_metrics`."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from feature_store.errors import CorruptResponseError, FeatureStoreConnectionError, InvalidRequestError
from strategy_execution_engine.monitoring.feature_store_metrics import in_documented_shape

if TYPE_CHECKING:
    from collections.abc import Callable

_TIMEOUT_S = 2.0
_LARGEST = 8 * 1024 * 1024
_WINDOW_S = 60
_SERVER_ERROR = "5"


class ServiceMetrics:
    """Reads a service's metrics each time it is asked; what the last minute held follows from its own earlier readings.

    Args:
        url: the service's address, `http://localhost:8001`; a path after it is ignored.
        fetch: returns the text at an address.
        clock: seconds on a clock that does not go back.

    Raises:
        InvalidRequestError: the address is not one of http or https.
    """

    def __init__(
        self, url: str, fetch: Callable[[str], str] | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise InvalidRequestError(f"url must be a service's address such as http://localhost:8001, was {url!r}")
        self.address = f"{parts.scheme}://{parts.netloc}"
        self._fetch = fetch or _fetch
        self._clock = clock
        self._began = clock()
        self._counts: deque[tuple[float, dict[str, int]]] = deque()

    def __repr__(self) -> str:
        return f"<ServiceMetrics {self.address}>"

    def get_metrics(self) -> dict[str, Any]:
        """Return the service's numbers of this moment, documented at `FeatureStoreMetrics.get_metrics`.

        Raises:
            FeatureStoreConnectionError: the service does not answer.
            CorruptResponseError: what answers there is not a feature store.
        """
        from feature_store.exposition import read  # noqa: PLC0415  loads prometheus_client

        snapshot = read(self._fetch(f"{self.address}/metrics"))
        now = self._clock()
        window = self._window(now, _countable(snapshot))
        return in_documented_shape({**snapshot, "window": window, "window_s": _WINDOW_S, "uptime_s": now - self._began})

    def _window(self, now: float, counts: dict[str, int]) -> dict[str, int]:
        if self._counts and any(counts[name] < before for name, before in self._counts[-1][1].items()):
            self._counts.clear()  # the service was started again
        self._counts.append((now, counts))
        while len(self._counts) > 1 and self._counts[1][0] <= now - _WINDOW_S:
            self._counts.popleft()
        oldest = self._counts[0][1]
        return {name: count - oldest[name] for name, count in counts.items()}


def _countable(snapshot: dict[str, Any]) -> dict[str, int]:
    statuses = [(status, count) for by_status in snapshot["requests"].values() for status, count in by_status.items()]
    return {
        "api_calls": sum(snapshot["api_calls"].values()),
        "errors": sum(snapshot["errors"].values()),
        "fallbacks": sum(sum(kinds.values()) for kinds in snapshot["fallbacks"].values()),
        "hits": snapshot["cache"]["hits"],
        "misses": snapshot["cache"]["misses"],
        "requests": sum(count for _, count in statuses),
        "request_errors": sum(count for status, count in statuses if status.startswith(_SERVER_ERROR)),
    }


def _opener() -> OpenerDirector:
    return build_opener(ProxyHandler({}))  # the address is meant as it stands


def _fetch(address: str) -> str:
    try:
        with _opener().open(Request(address, headers={"Accept": "text/plain"}), timeout=_TIMEOUT_S) as answer:  # noqa: S310  http only, checked
            body: bytes = answer.read(_LARGEST + 1)
    except (URLError, OSError) as problem:
        reason = getattr(problem, "reason", problem)
        raise FeatureStoreConnectionError(f"{address} does not answer ({reason}); is the service running?") from problem
    if len(body) > _LARGEST:
        raise CorruptResponseError(f"{address} sent more than {_LARGEST} bytes; is it a feature store's?")
    return body.decode(errors="replace")
