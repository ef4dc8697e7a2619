"""Bars to bars of a higher timeframe, the same for history and for a live series.

Each bar falls in the bucket that holds its open. A bucket opens with its first bar's open and closes with its last bar's close;
high and low are its extremes, tick volumes add up, and the spread is the last one quoted, as at the close. Values that the
source lacks (NaN) are passed over; a bucket where all are lacking lacks them too. A bucket without bars is not invented, and
the last one is forming until its end has been seen.

Going up in two steps gives what going up in one gives, to the bit while tick volumes are whole numbers. A mean of spreads keeps
this law because it is made of whole numbers too: spreads are counted in points, a ten-thousandth of a pip, so that a bar's mean
times its ticks is a sum of points that rounding gives back exactly below 2**50 points. Since it is weighted by all ticks of a
bucket, it is known only where each of the bucket's bars has ticks and a mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import Bars, Timeframe
from feature_store.calendar import Calendar, bucket_open
from feature_store.errors import InvalidRequestError
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from feature_store.bars import Floats, Integers, Symbol
    from feature_store.calendar import Booleans

    Reduction = Callable[[Floats, Integers], Floats]


@dataclass(frozen=True, eq=False, slots=True)
class Resampled:
    """Higher bars and what they were made of.

    Args:
        bars: one bar for each bucket that holds any, the last of which may be forming.
        available_at: when each bucket ends, in UTC microseconds.
        count: how many lower bars each was made of; fewer than usual beside a gap.
        forming: whether the last bucket's end lies after the last lower bar's, so that its values may still change.
        lower: the timeframe of the lower bars; None where they are ticks.
    """

    bars: Bars
    available_at: Integers
    count: Integers
    forming: bool
    lower: Timeframe | None

    @property
    def partial(self) -> Booleans:
        """Which buckets hold fewer lower bars than the symbol's calendar expects in them, as a forming one mostly does.

        Nobody expects a number of ticks; of bars made of them only a forming one is partial.
        """
        if self.lower is None:
            partial: Booleans = np.arange(1, len(self.bars) + 1) == len(self.bars) * self.forming
            return partial
        expected = Calendar.of(self.bars.symbol).expected_in(self.bars.time, self.bars.timeframe, self.lower)
        return self.count < expected

    @property
    def closed(self) -> Bars:
        """The bars that will not change any more."""
        return self.bars[:-1] if self.forming else self.bars


def resample(bars: Bars, timeframe: Timeframe | str) -> Resampled:
    """Return `bars` in a higher timeframe; raises InvalidRequestError for a lower one, or one that theirs does not divide.

    >>> import numpy as np
    >>> from feature_store.bars import Symbol
    >>> hourly = {name: np.array([1.0, 2.0, 3.0]) for name in ("open", "high", "low", "close", "tick_volume")}
    >>> bars = Bars(Symbol.parse("EUR/USD"), Timeframe.parse("1h"), np.array([0, 1, 2]) * 3_600_000_000, hourly)
    >>> two_hours = resample(bars, "2h")
    >>> two_hours.closed.columns["tick_volume"], two_hours.forming
    (array([3.]), True)
    """
    target = Timeframe.parse(timeframe)
    if not divides(bars.timeframe, target):
        msg = f"{bars.timeframe} bars cannot be made into {target} bars; ask for a multiple of {bars.timeframe}"
        raise InvalidRequestError(msg, field="timeframe")
    if not len(bars):
        none = bars.time[:0]
        return Resampled(Bars(bars.symbol, target, none, bars.columns), none, none, forming=False, lower=bars.timeframe)
    calendar = Calendar.of(bars.symbol)
    ends = calendar.bar_close(bars.time, bars.timeframe)
    opens = bucket_open(bars.time, target)
    starts = np.flatnonzero(np.diff(opens, prepend=opens[:1] - 1))
    available_at = calendar.bucket_close(opens[starts], target)
    _refuse_overlaps(bars, target, ends, np.append(starts[1:], len(bars)) - 1, available_at)
    return Resampled(
        bars=Bars(bars.symbol, target, opens[starts], grouped(bars.symbol, bars.columns, starts)),
        available_at=available_at,
        count=np.diff(starts, append=len(bars)),
        forming=bool(ends[-1] < available_at[-1]),
        lower=bars.timeframe,
    )


def divides(lower: Timeframe, higher: Timeframe) -> bool:
    """Return whether bars of `lower` can be made into bars of `higher`."""
    return lower <= higher and higher.seconds % lower.seconds == 0


def grouped(symbol: Symbol, columns: Mapping[str, Floats], starts: Integers) -> dict[str, Floats]:
    """Return the columns of the bars that groups of rows make, each group from one of `starts` to the next."""
    made = {}
    for name, column in columns.items():
        if name == "spread_mean":
            made[name] = _mean(column, columns["tick_volume"], starts, points_a_unit(symbol))
        else:
            made[name] = _reduction(name)(column, starts)
    return made


def points_a_unit(symbol: Symbol) -> float:
    """Return how many points, ten-thousandths of a pip, make 1 in the symbol's quote currency.

    >>> from feature_store.bars import Symbol
    >>> points_a_unit(Symbol.parse("EUR/USD")), points_a_unit(Symbol.parse("USD/JPY"))
    (100000000.0, 1000000.0)
    """
    return float(round(10_000 / symbol.pip_size))


def _refuse_overlaps(bars: Bars, target: Timeframe, ends: Integers, last: Integers, available_at: Integers) -> None:
    """Raise where a bar reaches beyond its bucket: the higher bar would hold prices from after its own close."""
    beyond = np.flatnonzero(ends[last] > available_at)
    if len(beyond):
        msg = (
            f"the {bars.timeframe} bar of {to_iso(int(bars.time[last[beyond[0]]]))} reaches beyond its {target} bar: "
            f"{target} bars are cut at 17:00 New York and these are not; ingest bars of 1h or below instead"
        )
        raise InvalidRequestError(msg, field="timeframe")


# ---------------------------------------------------------------- one reduction a kind of column
def _reduction(name: str) -> Reduction:
    return _REDUCTIONS[name.removeprefix("bid_").removeprefix("ask_")]


def _first(column: Floats, starts: Integers) -> Floats:
    positions = np.where(np.isnan(column), len(column), np.arange(len(column)))
    found = np.minimum.reduceat(positions, starts)
    known = found < np.append(starts[1:], len(column))
    return np.where(known, column[np.where(known, found, starts)], np.nan)


def _last(column: Floats, starts: Integers) -> Floats:
    positions = np.where(np.isnan(column), -1, np.arange(len(column)))
    found = np.maximum.reduceat(positions, starts)
    return np.where(found >= starts, column[np.maximum(found, starts)], np.nan)


def _highest(column: Floats, starts: Integers) -> Floats:
    return np.fmax.reduceat(column, starts)


def _lowest(column: Floats, starts: Integers) -> Floats:
    return np.fmin.reduceat(column, starts)


def _total(column: Floats, starts: Integers) -> Floats:
    known = ~np.isnan(column)
    totals = np.add.reduceat(np.where(known, column, 0.0), starts)
    return np.where(np.add.reduceat(known.astype(np.int64), starts) > 0, totals, np.nan)


def _mean(means: Floats, weights: Floats, starts: Integers, points: float) -> Floats:
    """Return the mean of spreads over all ticks of each group; NaN where a bar of it has no ticks or no mean."""
    with np.errstate(invalid="ignore"):  # infinite spreads, which nobody stores, have no mean
        sums = np.rint(means * (np.where(weights > 0, weights, np.nan) * points))
        return np.add.reduceat(sums, starts) / (np.add.reduceat(weights, starts) * points)


_REDUCTIONS: dict[str, Reduction] = {
    "open": _first,
    "high": _highest,
    "low": _lowest,
    "close": _last,
    "tick_volume": _total,
    "spread": _last,
    "spread_min": _lowest,
    "spread_max": _highest,
}
