"""How a series is cut into parts that are stored, read, computed and brought up to date one by one.

Parts below five minutes are months, below an hour years, and from an hour on there is one. They begin where a week of the FX
market does, Sunday 17:00 New York, and a week belongs to the month of its Thursday, as it does to a year in ISO 8601. So no bar
of any timeframe up to a week lies in two parts, and higher bars can be made part by part.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import Timeframe
from feature_store.calendar import bucket_open

if TYPE_CHECKING:
    from feature_store.bars import Integers

ALL = "all"

_MONTHS_BELOW, _YEARS_BELOW = Timeframe.parse("5m"), Timeframe.parse("1h")
_WEEK = Timeframe.parse("1w")
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


def buckets(timeframe: Timeframe, time: Integers) -> list[tuple[str, Integers | slice]]:
    """Return the buckets of bar opens (UTC microseconds, in any order), in order, with the rows in each.

    >>> new_year = 1672531200_000_000  # 2023-01-01, the last day of a week of 2022
    >>> buckets(Timeframe.parse("1m"), np.array([new_year, new_year + 86_400_000_000]))
    [('2022-12', array([0])), ('2023-01', array([1]))]
    """
    months = _months(timeframe)
    if months is None:
        return [(ALL, slice(None))] if len(time) else []
    numbers = _begins(months).searchsorted(time, side="right") - 1
    first = int(numbers[0]) if len(numbers) else 0
    if len(numbers) and bool((numbers == first).all()):
        return [(_name(first, months), slice(None))]
    return [(_name(number, months), np.flatnonzero(numbers == number)) for number in np.unique(numbers).tolist()]


def bounds(timeframe: Timeframe, bucket: str) -> tuple[int | None, int | None]:
    """Return where a bucket begins and ends, in UTC microseconds; None for a side that is open.

    >>> bounds(Timeframe.parse("1h"), "all")
    (None, None)
    """
    months = _months(timeframe)
    if months is None:
        return None, None
    year, _, month = bucket.partition("-")
    number = (int(year) - _FIRST_YEAR) * (12 // months) + int(month or 1) - 1
    begins = _begins(months)
    return int(begins[number]), int(begins[number + 1])


def _months(timeframe: Timeframe) -> int | None:
    if timeframe < _MONTHS_BELOW:
        return 1
    return 12 if timeframe < _YEARS_BELOW else None


def _name(number: int, months: int) -> str:
    a_year = 12 // months
    year = _FIRST_YEAR + number // a_year
    return f"{year}-{number % a_year + 1:02}" if a_year > 1 else str(year)


@lru_cache(maxsize=2)
def _begins(months: int) -> Integers:
    """Return the opens of the weeks that hold the fourth day of each period: those whose Thursday is its first."""
    firsts = np.arange(f"{_FIRST_YEAR}-01", f"{_LAST_YEAR + 1}-01", months, dtype="datetime64[M]")
    fourths = firsts.astype("datetime64[D]") + np.timedelta64(3, "D") + np.timedelta64(12, "h")
    return bucket_open(fourths.astype("datetime64[us]").astype(np.int64), _WEEK)
