"""How things are measured here: ours and the peer in turn, in one process, the median of the pairs.

The machine is shared and noisy, so a single time means little and the ratio of neighbours much.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Pair:
    """Median seconds of ours and of the peer, and the median of the ratios of neighbours."""

    ours: float
    peer: float
    ratio: float


def seconds(call: Callable[[], object]) -> float:
    """Return how long one call takes."""
    started = perf_counter()
    call()
    return perf_counter() - started


def in_turn(ours: Callable[[], object], peer: Callable[[], object], pairs: int = 21) -> Pair:
    """Return the medians of alternating calls, after one call of each that does not count."""
    ours()
    peer()
    gc.collect()
    gc.disable()
    try:
        times = [(seconds(ours), seconds(peer)) for _ in range(pairs)]
    finally:
        gc.enable()
    return Pair(
        statistics.median(a for a, _ in times),
        statistics.median(b for _, b in times),
        statistics.median(a / b for a, b in times),
    )


def median_seconds(call: Callable[[], object], times: int = 21) -> float:
    """Return the median time of a call, after one that does not count."""
    call()
    return statistics.median(seconds(call) for _ in range(times))


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
