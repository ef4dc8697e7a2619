"""Turns totals that only grow into lines over time, by asking for metrics as pages need them."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Metrics = Mapping[str, Any]

_FASTEST_S = 0.5


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is watched: a client's calls, or a service's requests where a process makes no calls of its own.

    Args:
        noun: `calls` or `requests`.
        total: how many since the start.
        errors: how many of them failed: calls that raised, requests answered with a status of 500 or above.
        by_name: counts by method or by route.
        by_answer: counts by where answers came from, or by HTTP status.
        performance: `avg max p50 p95 p99` in milliseconds and `request_count`.
        recent: how many in the last minute.
        recent_errors: how many of those failed.
    """

    noun: str
    total: int
    errors: int
    by_name: Mapping[str, int]
    by_answer: Mapping[str, int]
    performance: Mapping[str, float]
    recent: int
    recent_errors: int

    @classmethod
    def of(cls, metrics: Metrics) -> Traffic:
        """Return the calls in `metrics` (as `get_metrics` gives them), or the requests where there are only those."""
        calls, requests, window = metrics["api_calls"], metrics["requests"], metrics["window"]
        if calls["total"] or not requests["total"]:
            return cls(
                noun="calls",
                total=calls["total"],
                errors=metrics["errors"]["total"],
                by_name=calls["by_method"],
                by_answer=calls["by_source"],
                performance=metrics["performance"],
                recent=window["api_calls"],
                recent_errors=window["errors"],
            )
        return cls(
            noun="requests",
            total=requests["total"],
            errors=sum(count for status, count in requests["by_status"].items() if status.startswith("5")),
            by_name=requests["by_route"],
            by_answer=requests["by_status"],
            performance=requests["performance"],
            recent=window["requests"],
            recent_errors=window["request_errors"],
        )


@dataclass(frozen=True, slots=True)
class Point:
    """One moment of the lines: epoch seconds, calls and errors per second since the point before, milliseconds."""

    time: float
    rate: float
    error_rate: float
    p50: float
    p95: float
    p99: float


class Sampler:
    """Keeps the last `keep` points of what `read` returns, for every page that asks; thread-safe.

    Pages that ask within half a second of each other share one reading. Where totals fell (a restart) the lines go on
    from nothing.
    """

    def __init__(
        self,
        read: Callable[[], Metrics],
        *,
        keep: int = 300,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._points: deque[Point] = deque(maxlen=keep)
        self._before: tuple[float, Traffic] | None = None
        self._newest: tuple[float, Metrics] | None = None

    def __repr__(self) -> str:
        return f"<Sampler points={len(self._points)}>"

    def sample(self) -> tuple[float, Metrics, list[Point]]:
        """Return when metrics were last read, what they were and the points up to them; raises what `read` raises."""
        with self._lock:
            now = self._clock()
            if self._newest is None or not 0 <= now - self._newest[0] < _FASTEST_S:
                metrics = self._read()
                self._note(now, Traffic.of(metrics))
                self._newest = (now, metrics)
            return *self._newest, list(self._points)

    def _note(self, now: float, traffic: Traffic) -> None:
        if self._before is not None and now > self._before[0]:
            then, earlier = self._before
            fell = traffic.noun != earlier.noun or traffic.total < earlier.total or traffic.errors < earlier.errors
            made, failed = (0, 0) if fell else (traffic.total - earlier.total, traffic.errors - earlier.errors)
            quantile = traffic.performance
            self._points.append(
                Point(
                    time=now,
                    rate=made / (now - then),
                    error_rate=failed / (now - then),
                    p50=quantile["p50"],
                    p95=quantile["p95"],
                    p99=quantile["p99"],
                )
            )
        self._before = (now, traffic)
