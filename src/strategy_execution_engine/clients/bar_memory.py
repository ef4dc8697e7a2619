"""Bars the service served, kept so that features can be calculated from them when it does not answer."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import Bars

if TYPE_CHECKING:
    from collections.abc import Callable

    from feature_store.bars import Symbol, Timeframe
    from feature_store.wire import FeatureRequest, Frame

MAX_BYTES = 64 * 1024 * 1024
_BEGINNING = -(2**62)


@dataclass(frozen=True, slots=True)
class Held:
    """Every bar that the service has in `[start, end)`, UTC microseconds, as of the ISO moment `as_of`."""

    bars: Bars
    start: int
    end: int
    as_of: str

    @property
    def nbytes(self) -> int:
        """Bytes held by times and columns."""
        return int(self.bars.time.nbytes + sum(column.nbytes for column in self.bars.columns.values()))


class BarMemory:
    """One stretch of bars for each series, the series asked for last; all of them within `max_bytes`.

    Thread-safe. A range that touches the stretch at hand extends it (what was served later wins), any other replaces it.

    Args:
        max_bytes: the series unused for longest go first where all together are larger.
        wall: seconds since 1970; what lies in the future when bars are served is not known to be without bars.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, wall: Callable[[], float] = time.time) -> None:
        self._max_bytes = max_bytes
        self._wall = wall
        self._held: OrderedDict[tuple[Symbol, Timeframe], Held] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"<BarMemory series={len(self._held)} bytes={self._bytes()}>"

    def remember(self, asked: FeatureRequest, served: Frame) -> None:
        """Keep the bars that answered `asked`."""
        series = (asked.symbol, asked.timeframe)
        bars = Bars(asked.symbol, asked.timeframe, served.time * 1000, dict(served.columns))
        start = _BEGINNING if asked.start is None else asked.start
        held = Held(bars, start, max(start, self._known_end(asked)), served.provenance.as_of)
        with self._lock:
            before = self._held.pop(series, None)
            self._held[series] = held if before is None else _joined(before, held)
            while self._bytes() > self._max_bytes:
                self._held.popitem(last=False)

    def covering(self, asked: FeatureRequest) -> Held | None:
        """Return the bars at hand if they are all there are in the asked range, but for a bar still forming."""
        series = (asked.symbol, asked.timeframe)
        with self._lock:
            held = self._held.get(series)
            if held is None:
                return None
            self._held.move_to_end(series)
        start = _BEGINNING if asked.start is None else asked.start
        reaches = held.end >= self._known_end(asked) - asked.timeframe.microseconds
        return held if held.start <= start and reaches else None

    def _known_end(self, asked: FeatureRequest) -> int:
        now = int(self._wall() * 1_000_000)
        return now if asked.end is None else min(asked.end, now)

    def _bytes(self) -> int:
        return sum(held.nbytes for held in self._held.values())


def _joined(before: Held, now: Held) -> Held:
    apart = now.start > before.end or before.start > now.end
    if apart or before.bars.columns.keys() != now.bars.columns.keys():
        return now
    parts = [before.bars.between(None, now.start), now.bars, before.bars.between(now.end, None)]
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in now.bars.columns}
    bars = Bars(now.bars.symbol, now.bars.timeframe, np.concatenate([part.time for part in parts]), columns)
    return Held(bars, min(before.start, now.start), max(before.end, now.end), min(before.as_of, now.as_of))
