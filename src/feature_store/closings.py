"""When currencies rest on weekdays, as data: holidays, early closes, and the table of how long each FX day trades.

A date is `(month, day)`, meaning that of every year, or `(year, month, day)`. Its FX day begins at 17:00 New York on the
evening before, so that the holiday `(12, 25)` begins on 24 December at 17:00.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from feature_store.errors import InvalidRequestError
from feature_store.times import MICROSECONDS_A_SECOND

if TYPE_CHECKING:
    from feature_store.bars import Integers

Date = tuple[int, ...]

FIRST_YEAR, LAST_YEAR = 1899, 2200  # the first days of 1900 belong to an FX week of 1899

_MINUTE = 60 * MICROSECONDS_A_SECOND
_DAY = 24 * 60 * _MINUTE
_EPOCH = date(1970, 1, 1).toordinal()
_FIRST_DAY = date(FIRST_YEAR, 1, 1).toordinal() - _EPOCH
_MONDAY, _SATURDAY = 3, 5  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True)
class EarlyClose:
    """A date whose trading ends at a time of New York's clock before 17:00, from midnight on.

    >>> EarlyClose((12, 24), 13, 30).after // 60_000_000  # minutes since 17:00 on the evening before
    1230
    """

    date: Date
    hour: int
    minute: int = 0

    def __post_init__(self) -> None:
        """Refuse a time outside 00:00 to 17:00."""
        if not (0 <= self.minute < 60 and 0 <= self.hour * 60 + self.minute <= 17 * 60):  # noqa: PLR2004  a clock's numbers
            msg = f"an early close must lie from 00:00 to 17:00 New York, was {self.hour:02}:{self.minute:02}"
            raise InvalidRequestError(msg, field="early_closes")

    @property
    def after(self) -> int:
        """How long the day trades, in microseconds."""
        return ((7 + self.hour) * 60 + self.minute) * _MINUTE


HOLIDAYS: tuple[Date, ...] = ((12, 25), (1, 1))
EARLY_CLOSES: tuple[EarlyClose, ...] = ()
"""Spot currencies trade on 24 and 31 December until 17:00 as on other days (HistData's EUR/USD of 2018 and 2019 does)."""
CLOSED_EVES = (EarlyClose((12, 24), 14), EarlyClose((12, 31), 14))
"""The eves of a broker that closes early: OANDA's EUR/USD of 2012 to 2015 ends at 14:00 on both."""


@lru_cache(maxsize=64)
def trading_lengths(holidays: tuple[Date, ...], early_closes: tuple[EarlyClose, ...]) -> Integers:
    """Return how long each FX day trades from its open, in microseconds, to be looked up by `table_rows`; 0 on weekends.

    Raises InvalidRequestError for what is no date.
    """
    days = np.arange(_FIRST_DAY, date(LAST_YEAR + 1, 1, 1).toordinal() - _EPOCH)
    lengths = np.where((days + _MONDAY) % 7 < _SATURDAY, _DAY, 0)
    for early in early_closes:
        rows = _days_of(early.date, "early_closes") - _FIRST_DAY
        lengths[rows] = np.minimum(lengths[rows], early.after)
    for holiday in holidays:
        lengths[_days_of(holiday, "holidays") - _FIRST_DAY] = 0
    lengths[[0, -1]] = 0  # what lies beyond is looked up there
    return lengths


def table_rows(days: Integers) -> Integers:
    """Return the rows of `trading_lengths` for days since 1970; days beyond the table have its ends, which never trade."""
    return days - _FIRST_DAY


def _days_of(when: Date, field: str) -> Integers:
    """Return the days since 1970 that a date means; 29 February only where there is one."""
    years = range(FIRST_YEAR, LAST_YEAR + 1) if len(when) == 2 else when[:1]  # noqa: PLR2004  month and day
    found = [day for year in years if (day := _day_of(year, when[-2:])) is not None]
    if not found or len(when) > 3:  # noqa: PLR2004  year, month and day
        msg = f"a date must be (month, day) or (year, month, day) from {FIRST_YEAR} to {LAST_YEAR}, was {when}"
        raise InvalidRequestError(msg, field=field)
    return np.array(found, dtype=np.int64)


def _day_of(year: int, month_and_day: Date) -> int | None:
    try:
        month, day = month_and_day
        return date(year, month, day).toordinal() - _EPOCH if FIRST_YEAR <= year <= LAST_YEAR else None
    except (TypeError, ValueError):
        return None
