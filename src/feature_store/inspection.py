"""How whole and how fresh a series is: what the calendar expects, what is there, what is missing, what came late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.calendar import Calendar, Completeness, Gap
from feature_store.times import to_iso

if TYPE_CHECKING:
    from feature_store.bars import Symbol, Timeframe
    from feature_store.store.snapshot import Snapshot


@dataclass(frozen=True, eq=False, slots=True)
class Inspection:
    """What there is to know of a stored series between two moments, in UTC microseconds.

    Args:
        symbol: whose.
        timeframe: its timeframe.
        start: where the look begins: at the first bar, if nobody says otherwise.
        end: where it ends: when the last bar closes.
        bars: how many there are in between.
        expected: how many the calendar expects.
        extra: bars that nobody expects, as on a holiday.
        revisions: rows that correct or delete others, in the whole series.
        behind: bars that should have closed since the last one, up to now.
        days: both by FX day.
        gaps: runs of missing bars, in order.
    """

    symbol: Symbol
    timeframe: Timeframe
    start: int
    end: int
    bars: int
    expected: int
    extra: int
    revisions: int
    behind: int
    days: Completeness
    gaps: tuple[Gap, ...]

    def __repr__(self) -> str:
        return f"<Inspection {self.symbol} {self.timeframe} {self.completeness:.2%} behind={self.behind}>"

    @property
    def missing(self) -> int:
        """How many bars are missing."""
        return sum(gap.bars for gap in self.gaps)

    @property
    def completeness(self) -> float:
        """The share of expected bars that are there; 1 where none is expected."""
        return 1.0 if not self.expected else 1.0 - self.missing / self.expected

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, times in ISO 8601."""
        return {
            "symbol": self.symbol.name,
            "timeframe": self.timeframe.name,
            "start": to_iso(self.start),
            "end": to_iso(self.end),
            **{name: getattr(self, name) for name in ("bars", "expected", "missing", "extra", "revisions", "behind")},
            "completeness": round(self.completeness, 6),
            "gaps": [{"start": to_iso(gap.start), "end": to_iso(gap.end), "bars": gap.bars} for gap in self.gaps],
            "days": [
                {"day": str(day), "expected": int(expected), "present": int(present)}
                for day, expected, present in zip(self.days.day, self.days.expected, self.days.present, strict=True)
            ],
        }


def inspect(snapshot: Snapshot, now: int, start: int | None = None, end: int | None = None) -> Inspection:
    """Return what there is to know of a series that holds bars between `start` and `end`, by default all of it."""
    symbol, timeframe = snapshot.symbol, snapshot.timeframe
    calendar = Calendar.of(symbol)
    bars = snapshot.read(start, end)
    last_close = int(calendar.bar_close(bars.time[-1:], timeframe)[0]) if len(bars) else now
    first = start if start is not None else int(bars.time[0]) if len(bars) else now
    until = last_close if end is None else min(end, max(now, last_close))
    expected = calendar.expected(first, until, timeframe)
    extra = len(bars) - int(np.isin(bars.time, expected, assume_unique=True).sum())
    return Inspection(
        symbol=symbol,
        timeframe=timeframe,
        start=first,
        end=until,
        bars=len(bars),
        expected=len(expected),
        extra=extra,
        revisions=sum(span.rows - span.bars for span in snapshot.spans),
        behind=_behind(calendar, snapshot, now),
        days=calendar.completeness(bars.time, timeframe, first, until),
        gaps=tuple(calendar.gaps(bars.time, timeframe, first, until)),
    )


def _behind(calendar: Calendar, snapshot: Snapshot, now: int) -> int:
    """Return how many bars should have closed between the last one's close and now."""
    last = max(span.last for span in snapshot.spans)
    close = int(calendar.bar_close([last], snapshot.timeframe)[0])
    opens = calendar.expected(close, max(now, close), snapshot.timeframe)
    return int((calendar.bar_close(opens, snapshot.timeframe) <= now).sum())
