"""How things are measured here: ours and the peer in turn, in one process, the median of the pairs.

The machine is shared and noisy, so a single time means little and the ratio of neighbours much.
"""

from __future__ import annotations

import gc
import math
import os
import platform
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True)
class Pair:
    """Median seconds of ours and of the peer, and the median of the ratios of neighbours."""

    ours: float
    peer: float
    ratio: float


def seconds(call: Callable[[], object], clock: Callable[[], float] = perf_counter) -> float:
    """Return how long one call takes."""
    started = clock()
    call()
    return clock() - started


def in_turn(
    ours: Callable[[], object],
    peer: Callable[[], object],
    pairs: int = 21,
    clock: Callable[[], float] = perf_counter,
) -> Pair:
    """Return the medians of alternating calls, after one call of each that does not count."""
    ours()
    peer()
    gc.collect()
    gc.disable()
    try:
        times = [(seconds(ours, clock), seconds(peer, clock)) for _ in range(pairs)]
    finally:
        gc.enable()
    return Pair(
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(a / b for a, b in times),
    )


def in_turn_within(ours: Callable[[], object], peer: Callable[[], object], budget_s: float) -> Pair:
    """Return the median processor times of as many alternating calls as take about `budget_s`, 3 to 21 pairs.

    For work that neither waits nor has threads: what others do on this machine counts for less than in the time of day.
    """
    ours()
    peer()
    pairs = max(3, min(21, int(budget_s / (seconds(ours) + seconds(peer)))))
    return in_turn(ours, peer, pairs, process_time)


def median_seconds(call: Callable[[], object], times: int = 21) -> float:
    """Return the median time of a call, after one that does not count."""
    call()
    return statistics.median(seconds(call) for _ in range(times))


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the mean that twice as fast and half as fast leave at one."""
    logarithms = [math.log(ratio) for ratio in ratios]
    return math.exp(statistics.fmean(logarithms))


def machine() -> str:
    """Return what this was measured on, in one line."""
    processor = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    return f"{processor}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def versions(*names: str) -> str:
    """Return the versions of packages, in one line."""
    return ", ".join(f"{name} {version(name)}" for name in names)


def today() -> str:
    """Return the date, ISO 8601."""
    return datetime.now(UTC).date().isoformat()


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text("utf-8").splitlines() if file.exists() else []
