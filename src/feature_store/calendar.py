"""When the market trades and where bars begin and end: the FX week, the 17:00 New York day, holidays, expected bars, gaps.

Currency pairs trade from Sunday 17:00 to Friday 17:00 New York. One shift makes that simple: seven hours added to New
York's clock put 17:00 at midnight, so that an FX day is a plain date (Sunday evening belongs to Monday) and the market
is open on every such date from Monday to Friday but for what `closings` lists. Bars of one hour and below align to the
UTC clock; longer ones are cut on the shifted clock, so the day ends at 17:00 New York in summer and in winter. New York
changes its clock on a Sunday at 02:00, when currencies rest: their days are 24 hours always. An early close ends what is
expected of a day, not its bars: those are complete where the grid says, on every day alike.

Times are int64 microseconds UTC; everything takes and returns whole arrays.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import Symbol, Timeframe
from feature_store.closings import (
    EARLY_CLOSES,
    HOLIDAYS,
    Date,
    EarlyClose,
    table_rows,
    trading_lengths,
)
from feature_store.times import MICROSECONDS_A_SECOND
from feature_store.timezones import NEW_YORK, clock_changes

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from feature_store.bars import Integers

    Booleans = NDArray[np.bool_]

HOUR = 3600 * MICROSECONDS_A_SECOND
DAY = 24 * HOUR
WEEK = 7 * DAY

_SHIFT = 7 * HOUR  # 17:00 New York becomes midnight
_MONDAY = 3  # 1970-01-01 was a Thursday
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Gap:
    """Bars that the calendar expects and the series lacks: `bars` of them, the first at `start`, the last before `end`."""

    start: int
    end: int
    bars: int


@dataclass(frozen=True, eq=False, slots=True)
class Completeness:
    """How many bars each FX day should hold, and how many of those it holds; one row a day, weekends among them.

    Args:
        day: the dates, without a gap.
        expected: bars that should open on the day, 0 where nothing trades.
        present: how many of them there are.
    """

    day: NDArray[np.datetime64]
    expected: Integers
    present: Integers


@dataclass(frozen=True, slots=True)
class Calendar:
    """The trading hours of one kind of instrument: `rests` on weekends and holidays, or trades around the clock.

    Args:
        rests: whether it rests at all; nothing else counts where it does not.
        holidays: dates without trading, as `closings` describes them.
        early_closes: dates whose trading ends before 17:00 New York.

    >>> fx = Calendar.of("EUR/USD")
    >>> friday_16h, friday_17h = 1673038800_000_000, 1673042400_000_000  # 2023-01-06 in New York
    >>> fx.is_open([friday_16h, friday_17h]).tolist()
    [True, False]
    >>> eves = Calendar(early_closes=(EarlyClose((2023, 1, 5), 13),))  # for a broker that closes early
    >>> [len(each.expected(friday_16h - 2 * DAY, friday_16h, Timeframe.parse("1h"))) for each in (fx, eves)]
    [48, 44]
    """

    rests: bool = True
    holidays: tuple[Date, ...] = field(default=HOLIDAYS, kw_only=True)
    early_closes: tuple[EarlyClose, ...] = field(default=EARLY_CLOSES, kw_only=True)

    @classmethod
    def of(cls, symbol: Symbol | str) -> Calendar:
        """Return the calendar of a symbol: pairs of currencies and metals rest, of all else nothing is assumed."""
        return cls(rests=Symbol.parse(symbol).is_currency_pair)

    def is_open(self, time: ArrayLike) -> Booleans:
        """Return for each moment whether the market trades."""
        moments = _moments(time)
        if not self.rests:
            return np.ones(moments.shape, dtype=np.bool_)
        moved = shifted(moments)
        day = moved // DAY
        return moved - day * DAY < self._trading_length(day)

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
        if timeframe.microseconds <= HOUR:
            return self._expected_on_the_clock(start, end, timeframe.microseconds)
        opens = bucket_open(np.arange(start - start % HOUR, end, HOUR, dtype=np.int64), timeframe)
        opens = opens[np.flatnonzero(np.diff(opens, prepend=opens[:1] - 1))]
        opens = opens[opens >= start]
        return opens if timeframe.microseconds == WEEK else opens[self.is_open(opens)]

    def expected_in(self, time: Integers, timeframe: Timeframe, lower: Timeframe) -> Integers:
        """Return how many bars of a lower timeframe each bucket of `timeframe` should hold, given the buckets' rising opens."""
        if len(time) == 0:
            return time[:0]
        ends = self.bucket_close(time, timeframe)
        expected = self.expected(int(time[0]), int(ends[-1]), lower)
        counts: Integers = expected.searchsorted(ends) - expected.searchsorted(time)
        return counts

    def completeness(self, time: Integers, timeframe: Timeframe, start: int, end: int) -> Completeness:
        """Return for each FX day that `[start, end)` meets how many bars it should hold there and how many of `time` it does.

        `time` are the bars' opens, rising and on the grid. A bar that nobody expects, on a weekend say, is not counted.

        >>> sunday_17h = 1673215200_000_000  # 2023-01-08 in New York
        >>> hours = sunday_17h + np.arange(30) * HOUR
        >>> week = Calendar().completeness(hours, Timeframe.parse("1h"), sunday_17h, sunday_17h + WEEK)
        >>> week.expected.tolist(), week.present.tolist()
        ([24, 24, 24, 24, 24, 0, 0], [24, 6, 0, 0, 0, 0, 0])
        """
        days, bounds = _days_between(start, end)
        dates = days.astype("datetime64[D]")
        if timeframe.microseconds <= HOUR:
            opens, closes = self._trading(days, bounds, start, end)
            counts = _multiples(opens, closes, timeframe.microseconds)
            return Completeness(dates, counts, time.searchsorted(closes) - time.searchsorted(opens))
        expected = self.expected(start, end, timeframe)
        held = time[np.isin(time, expected, assume_unique=True)]
        return Completeness(dates, np.diff(expected.searchsorted(bounds)), np.diff(held.searchsorted(bounds)))

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

    def _trading_length(self, day: Integers) -> Integers:
        """Return how long each day since 1970 trades from its open."""
        return trading_lengths(self.holidays, self.early_closes).take(table_rows(day), mode="clip")

    def _trading(self, days: Integers, bounds: Integers, start: int, end: int) -> tuple[Integers, Integers]:
        """Return where trading begins and ends on each day within `[start, end)`; it ends at once where there is none."""
        closes = bounds[:-1] + self._trading_length(days) if self.rests else bounds[1:]
        opens = np.clip(bounds[:-1], start, end)
        return opens, np.clip(closes, opens, end)

    def _expected_on_the_clock(self, start: int, end: int, step: int) -> Integers:
        """Return the multiples of `step`, an hour at most, that lie in trading hours and in `[start, end)`."""
        opens, closes = self._trading(*_days_between(start, end), start, end)
        counts = _multiples(opens, closes, step)
        firsts = opens + -opens % step - (np.cumsum(counts) - counts) * step
        expected: Integers = np.repeat(firsts, counts) + np.arange(counts.sum()) * step
        return expected


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


def _days_between(start: int, end: int) -> tuple[Integers, Integers]:
    """Return the days that `[start, end)` meets and where they begin, and after them where the last one ends."""
    first, last = _day_number(_moments([start, max(start, end - 1)])).tolist()
    return np.arange(first, last + 1), _from_shifted(np.arange(first, last + 2) * DAY)


def _multiples(opens: Integers, closes: Integers, step: int) -> Integers:
    """Return how many multiples of `step` lie in each `[open, close)`."""
    counts: Integers = -(-closes // step) + (-opens // step)
    return counts


def _day_number(moments: Integers) -> Integers:
    days: Integers = shifted(moments) // DAY
    return days


@lru_cache(maxsize=1)
def _clock_changes() -> tuple[Integers, Integers, Integers]:
    """Return the moments of New York's clock changes in UTC and on the shifted clock, and the offsets between them.

    On the shifted clock a time that occurs twice is its first occurrence, and one that never occurs is the change
    itself, so that a bar open in the night of a change is one moment whichever bar of it is asked about.
    """
    moments, offsets = clock_changes(NEW_YORK)
    offsets = offsets + _SHIFT
    return moments, moments + np.maximum(offsets[:-1], offsets[1:]), offsets
