"""A series as it stood at one moment, in parts, whatever is written while it is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import Bars
from feature_store.store.history import History, stack
from feature_store.store.protocol import Edition

if TYPE_CHECKING:
    from collections.abc import Callable

    from feature_store.bars import Symbol, Timeframe

    Pin = dict[str, int]


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a series; its number of rows names its state for ever, as rows are only added.

    Args:
        bucket: its name.
        start: where it begins, in UTC microseconds, or None where it is the whole series.
        end: where it ends, or None.
        rows: how many rows it has, corrections and deletions included.
        bars: how many bars there are in the end.
        first: the open of the earliest row.
        last: the open of the latest row.
        latest_known_at: the latest `known_at`.
        content: what its rows say, as a number (`content`).
    """

    bucket: str
    start: int | None
    end: int | None
    rows: int
    bars: int
    first: int
    last: int
    latest_known_at: int
    content: int

    def touches(self, start: int | None, end: int | None) -> bool:
        """Return whether rows of it may open in `[start, end)`."""
        return (end is None or self.first < end) and (start is None or self.last >= start)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A series as it stood at one moment.

    Args:
        symbol: whose series.
        timeframe: its timeframe.
        spans: its parts, in order of time; at least one.
        load: gives the rows of a part.
    """

    symbol: Symbol
    timeframe: Timeframe
    spans: tuple[Span, ...]
    load: Callable[[Span], History]

    @cached_property
    def edition(self) -> Edition:
        """Which state it is."""
        return Edition(
            rows=sum(span.rows for span in self.spans),
            latest_known_at=max(span.latest_known_at for span in self.spans),
            first=min(span.first for span in self.spans),
        )

    @property
    def pin(self) -> Pin:
        """The state as plain data: how many rows each part has."""
        return {span.bucket: span.rows for span in self.spans}

    def histories(self, start: int | None = None, end: int | None = None) -> list[History]:
        """Return the rows of the consecutive parts that may hold bars opening in `[start, end)`."""
        return [self.load(span) for span in self.spans if span.touches(start, end)]

    def part(self, span: Span, as_of: int | None) -> Bars:
        """Return the bars of a part as known at `as_of`, in UTC microseconds."""
        return Bars(self.symbol, self.timeframe, *self.load(span).read(None, None, as_of))

    def read(self, start: int | None = None, end: int | None = None, as_of: int | None = None) -> Bars:
        """Return the bars that open in `[start, end)` as known at `as_of`, in UTC microseconds; there may be none."""
        parts = [part for part in (h.read(start, end, as_of) for h in self.histories(start, end)) if len(part[0])]
        if not parts:
            parts = [History.empty().read(None, None, None)]
        if len(parts) == 1:
            return Bars(self.symbol, self.timeframe, *parts[0])
        columns = stack([columns for _, columns in parts], [len(time) for time, _ in parts])
        return Bars(self.symbol, self.timeframe, np.concatenate([time for time, _ in parts]), columns)
