"""What clocks say when a bar opens, as numbers that indicators take as inputs beside prices.

fx_day            number of the FX day, which begins at 17:00 New York; Sunday evening belongs to Monday
fx_week           number of the week, which begins on Sunday 17:00 New York
fx_month          number of the month of the FX day
day_of_month      1 to 31, of the FX day
hour_of_week      0 to 167, hours since Sunday 17:00 New York
tokyo_minute      0 to 1439, minutes since local midnight; likewise london_minute and new_york_minute
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feature_store.calendar import DAY, HOUR, shifted, trading_day
from feature_store.timezones import LONDON, NEW_YORK, TOKYO, utc_offset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from feature_store.bars import Floats, Integers

_MINUTE = HOUR // 60
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0


def clock_columns(time: Integers, names: Iterable[str]) -> dict[str, Floats]:
    """Return the clocks `names` at bar opens in UTC microseconds, as float64 columns.

    >>> sunday_17h = 1673215200_000_000  # 2023-01-08 in New York
    >>> {name: column.tolist() for name, column in clock_columns(np.array([sunday_17h]), CLOCK).items()}["hour_of_week"]
    [0.0]
    """
    moments = np.asarray(time, dtype=np.int64)
    return {name: _CLOCKS[name](moments).astype(np.float64) for name in names}


def _fx_day(moments: Integers) -> Integers:
    return trading_day(moments).astype(np.int64)


def _fx_week(moments: Integers) -> Integers:
    return (_fx_day(moments) + _EPOCH_WEEKDAY) // 7


def _fx_month(moments: Integers) -> Integers:
    return trading_day(moments).astype("datetime64[M]").astype(np.int64)


def _day_of_month(moments: Integers) -> Integers:
    days = trading_day(moments)
    within: Integers = (days - days.astype("datetime64[M]")).astype(np.int64)
    return within + 1


def _hour_of_week(moments: Integers) -> Integers:
    return (shifted(moments) + _EPOCH_WEEKDAY * DAY) // HOUR % 168


def _minute_in(zone: str) -> Callable[[Integers], Integers]:
    return lambda moments: (moments + utc_offset(moments, zone)) // _MINUTE % 1440


_CLOCKS: dict[str, Callable[[Integers], Integers]] = {
    "fx_day": _fx_day,
    "fx_week": _fx_week,
    "fx_month": _fx_month,
    "day_of_month": _day_of_month,
    "hour_of_week": _hour_of_week,
    "tokyo_minute": _minute_in(TOKYO),
    "london_minute": _minute_in(LONDON),
    "new_york_minute": _minute_in(NEW_YORK),
}
CLOCK = tuple(_CLOCKS)
