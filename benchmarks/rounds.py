"""Several ways of one piece of work in turn, each timing itself: the median of each, and of its ratio to the first's.

`measure.in_turn` is for two calls of this process. Here a way may be a program elsewhere that answers with its own seconds.
"""

from __future__ import annotations

import gc
import statistics
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks.measure import seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Side:
    """Median seconds of a way, and the median of the first way's time over its own in the same round."""

    seconds: float
    ratio: float


def timed(call: Callable[[], object], clock: Callable[[], float] = perf_counter) -> Callable[[], float]:
    """Return a way that times a call of this process."""
    return lambda: seconds(call, clock)


def in_rounds(ways: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Side]:
    """Return how long each way takes, after one round that does not count. The first way is the one compared."""
    for way in ways.values():
        way()
    gc.collect()
    gc.disable()
    try:
        times = [[way() for way in ways.values()] for _ in range(rounds)]
    finally:
        gc.enable()
    return {
        name: Side(
            statistics.median(each[place] for each in times), statistics.median(each[0] / each[place] for each in times)
        )
        for place, name in enumerate(ways)
    }
