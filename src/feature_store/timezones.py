"""Offsets from UTC for whole arrays of moments: the clock changes of a zone are found once, then looked up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from feature_store.times import MICROSECONDS_A_SECOND

if TYPE_CHECKING:
    from feature_store.bars import Integers

NEW_YORK, LONDON, TOKYO = "America/New_York", "Europe/London", "Asia/Tokyo"

_FIRST_YEAR, _LAST_YEAR = 1960, 2100  # beyond them a zone keeps the nearest known offset


def utc_offset(moments: Integers, zone: str) -> Integers:
    """Return, in microseconds, how far the zone's clock is ahead of UTC at each moment (UTC microseconds).

    >>> noon_in_january, noon_in_july = 1673006400_000_000, 1688644800_000_000
    >>> (utc_offset(np.array([noon_in_january, noon_in_july]), NEW_YORK) // 3_600_000_000).tolist()
    [-5, -4]
    """
    changes, offsets = clock_changes(zone)
    looked_up: Integers = offsets[changes.searchsorted(moments, side="right")]
    return looked_up


@lru_cache(maxsize=16)
def clock_changes(zone: str) -> tuple[Integers, Integers]:
    """Return the moments of a zone's clock changes in UTC, and the offsets before, between and after them."""
    clock = ZoneInfo(zone)
    first, last = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(_LAST_YEAR, 1, 1, tzinfo=UTC)
    months = [first.replace(year=y, month=m) for y in range(_FIRST_YEAR, _LAST_YEAR) for m in range(1, 13)]
    spans = zip(months, [*months[1:], last], strict=True)
    changes = [_find_change(a, b, clock) for a, b in spans if _offset(a, clock) != _offset(b, clock)]
    moments = np.array([int(c.timestamp()) * MICROSECONDS_A_SECOND for c in changes], dtype=np.int64)
    offsets = np.array([_offset(moment, clock) for moment in (first, *changes)], dtype=np.int64)
    return moments, offsets


def _find_change(before: datetime, after: datetime, clock: ZoneInfo) -> datetime:
    """Return the minute between two moments at which the offset changes."""
    while after - before > timedelta(minutes=1):
        middle = before + timedelta(minutes=(after - before) // timedelta(minutes=2))
        before, after = (middle, after) if _offset(middle, clock) == _offset(before, clock) else (before, middle)
    return after


def _offset(moment: datetime, clock: ZoneInfo) -> int:
    offset = moment.astimezone(clock).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)
