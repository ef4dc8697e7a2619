"""When the market trades and where bars begin and end: the FX week, the 17:00 New York day, holidays, expected bars, gaps.

Currency pairs trade from Sunday 17:00 to Friday 17:00 New York. One shift makes that simple: seven hours added to New
York's clock put 17:00 at midnight, so that an FX day is a plain date (Sunday evening belongs to Monday) and the market
is open on every such date from Monday to Friday but for Christmas and New Year's Day. Bars of one hour and below align
to the UTC clock; longer ones are cut on the shifted clock, so the day ends at 17:00 New York in summer and in winter.
New York changes its clock on a Sunday at 02:00, when currencies rest: their days are 24 hours always.

Times are int64 microseconds UTC; everything takes and returns whole arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import Symbol, Timeframe
from feature_store.times import MICROSECONDS_A_SECOND
from feature_store.timezones import NEW_YORK, clock_changes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from feature_store.bars import Integers

    Booleans = NDArray[np.bool_]

HOUR = 3600 * MICROSECONDS_A_SECOND
DAY = 24 * HOUR
WEEK = 7 * DAY
HOLIDAYS = ((12, 25), (1, 1))

_SHIFT = 7 * HOUR  # 17:00 New York becomes midnight
_MONDAY = 3  # 1970-01-01 was a Thursday
_SATURDAY = 5
_FIRST_YEAR, _LAST_YEAR = 1899, 2200  # the first days of 1900 belong to a week of 1899


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that the calendar expects and the series lacks: `bars` of them, the first at `start`, the last before `end`."""

    start: int
    end: int
    bars: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """The trading hours of one kind of instrument: `rests` on weekends and holidays, or trades around the clock.

    >>> fx = Calendar.of("EUR/USD")
    >>> friday_16h, friday_17h = 1673038800_000_000, 1673042400_000_000  # 2023-01-06 in New York
    >>> fx.is_open([friday_16h, friday_17h]).tolist()
    [True, False]
    """

    rests: bool = True

    @classmethod
    def of(cls, symbol: Symbol | str) -> Calendar:
        """Return the calendar of a symbol: pairs of currencies and metals rest, of all else nothing is assumed."""
        return cls(rests=Symbol.parse(symbol).is_currency_pair)

    def is_open(self, time: ArrayLike) -> Booleans:
        """Return for each moment whether the market trades."""
        moments = _moments(time)
        if not self.rests:
            return np.ones(moments.shape, dtype=np.bool_)
        day = _day_number(moments)
        return ((day + _MONDAY) % 7 < _SATURDAY) & ~_is_holiday(day)

    def is_weekend(self, time: ArrayLike) -> Booleans:
        """Return for each moment whether it lies between Friday 17:00 and Sunday 17:00 New York; never where nothing rests."""
        moments = _moments(time)
        if not self.rests:
            return np.zeros(moments.shape, dtype=np.bool_)
        return (_day_number(moments) + _MONDAY) % 7 >= _SATURDAY

    def bar_close(self, time: ArrayLike, timeframe: Timeframe) -> Integers:
        """Return when each bar that opens at `time` is complete, its `available_at`.

        A bar that opens where a bucket does closes where the bucket does; any other (a broker's own day, say) lasts the
        timeframe's nominal length.
        """
        moments = _moments(time)
        closes = self.bucket_close(moments, timeframe)
        if timeframe.microseconds <= HOUR:
            return np.where(moments % timeframe.microseconds == 0, closes, moments + timeframe.microseconds)
        aligned = bucket_open(moments, timeframe) == moments
        return closes if aligned.all() else np.where(aligned, closes, moments + timeframe.microseconds)

    def bucket_close(self, time: ArrayLike, timeframe: Timeframe) -> Integers:
        """Return the end of the bucket that holds each moment; a resting market's week ends on Friday at 17:00 New York."""
        moments, length = _moments(time), timeframe.microseconds
        if length <= HOUR:
            return moments - moments % length + length
        if length == WEEK and self.rests:
            length = 5 * DAY
        return _from_shifted(_shifted_open(moments, timeframe) + length)

    def expected(self, start: int, end: int, timeframe: Timeframe) -> Integers:
        """Return the opens of all bars that should exist in `[start, end)`."""
        step = min(timeframe.microseconds, HOUR)
        opens = bucket_open(np.arange(start - start % step, end, step, dtype=np.int64), timeframe)
        if timeframe.microseconds > HOUR:
            opens = opens[np.flatnonzero(np.diff(opens, prepend=opens[:1] - 1))]
        opens = opens[opens >= start]
        return opens if timeframe.microseconds == WEEK else opens[self.is_open(opens)]

    def gaps(self, time: Integers, timeframe: Timeframe, start: int | None = None, end: int | None = None) -> list[Gap]:
        """Return the runs of missing bars between `start` and `end` (default: the first and the last bar), in order."""
        if len(time) == 0 and (start is None or end is None):
            return []
        first = int(time[0]) if start is None else start
        last = int(time[-1]) + 1 if end is None else end
        expected = self.expected(first, last, timeframe)
        absent = np.flatnonzero(~np.isin(expected, time, assume_unique=True))
        if len(absent) == 0:
            return []
        runs = np.split(absent, np.flatnonzero(np.diff(absent) != 1) + 1)
        closes = self.bucket_close(expected[[run[-1] for run in runs]], timeframe)
        return [Gap(int(expected[run[0]]), int(close), len(run)) for run, close in zip(runs, closes, strict=True)]


def trading_day(time: ArrayLike) -> NDArray[np.datetime64]:
    """Return the FX day of each moment as a date; it begins at 17:00 New York on the evening before.

    >>> sunday_17h = 1673215200_000_000  # 2023-01-08 in New York
    >>> trading_day([sunday_17h - 1, sunday_17h]).astype(str).tolist()
    ['2023-01-08', '2023-01-09']
    """
    return _day_number(_moments(time)).astype("datetime64[D]")


def bucket_open(time: ArrayLike, timeframe: Timeframe) -> Integers:
    """Return where the bar of `timeframe` that holds each moment opens."""
    moments = _moments(time)
    if timeframe.microseconds <= HOUR:
        return moments - moments % timeframe.microseconds
    return _from_shifted(_shifted_open(moments, timeframe))


# ---------------------------------------------------------------- years of whole weeks, for storage
def fx_year(time: ArrayLike) -> Integers:
    """Return the year that each moment's FX week belongs to: that of the week's Thursday, as in ISO 8601.

    Weeks run from Sunday 17:00 New York to the next, so no bar of any timeframe up to a week lies in two of these years.
    Times lie between 1900 and 2200, as everywhere.

    >>> monday, sunday_16h59 = 1735689600_000_000, 1703454540_000_000  # 2025-01-01 UTC, 2023-12-24 in New York
    >>> fx_year([monday, sunday_16h59]).tolist()
    [2025, 2023]
    """
    begins = _year_begins()
    years: Integers = begins.searchsorted(_moments(time), side="right") + (_FIRST_YEAR - 1)
    return years


def fx_year_bounds(year: int) -> tuple[int, int]:
    """Return where an FX year begins and ends, in UTC microseconds; the next one begins at its end.

    >>> start, end = fx_year_bounds(2020)
    >>> (end - start) // WEEK, trading_day(start).astype(str).item()
    (53, '2019-12-30')
    """
    start, end = _year_opens(np.array([year, year + 1])).tolist()
    return start, end


@lru_cache(maxsize=1)
def _year_begins() -> Integers:
    return _year_opens(np.arange(_FIRST_YEAR, _LAST_YEAR + 2))


def _year_opens(years: Integers) -> Integers:
    """Return the open of the week that holds 4 January, the earliest day whose week has its Thursday in the same year."""
    fourth = (years - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64) + 3
    return _from_shifted((fourth - (fourth + _MONDAY) % 7) * DAY)


# ---------------------------------------------------------------- New York's clock, shifted by seven hours
def _moments(time: ArrayLike) -> Integers:
    return np.asarray(time, dtype=np.int64)


def shifted(moments: Integers) -> Integers:
    """Return each moment on New York's clock with 17:00 moved to midnight, in microseconds since 1970 there."""
    changes, _, offsets = _clock_changes()
    moved: Integers = moments + offsets[changes.searchsorted(moments, side="right")]
    return moved


def _from_shifted(shifted: Integers) -> Integers:
    _, changes, offsets = _clock_changes()
    moments: Integers = shifted - offsets[changes.searchsorted(shifted, side="right")]
    return moments


def _shifted_open(moments: Integers, timeframe: Timeframe) -> Integers:
    moved = shifted(moments)
    if timeframe.microseconds == WEEK:
        return moved - (moved + _MONDAY * DAY) % WEEK
    return moved - moved % timeframe.microseconds


def _day_number(moments: Integers) -> Integers:
    days: Integers = shifted(moments) // DAY
    return days


def _is_holiday(day: Integers) -> Booleans:
    dates = day.astype("datetime64[D]")
    months = dates.astype("datetime64[M]")
    month = months.astype(np.int64) % 12 + 1
    date = (dates - months).astype(np.int64) + 1
    closed = np.zeros(day.shape, dtype=np.bool_)
    for holiday_month, holiday_date in HOLIDAYS:
        closed |= (month == holiday_month) & (date == holiday_date)
    return closed


@lru_cache(maxsize=1)
def _clock_changes() -> tuple[Integers, Integers, Integers]:
    """Return the moments of New York's clock changes in UTC and on the shifted clock, and the offsets between them.

    On the shifted clock a time that occurs twice is its first occurrence, and one that never occurs is the change
    itself, so that a bar open in the night of a change is one moment whichever bar of it is asked about.
    """
    moments, offsets = clock_changes(NEW_YORK)
    offsets = offsets + _SHIFT
    return moments, moments + np.maximum(offsets[:-1], offsets[1:]), offsets
