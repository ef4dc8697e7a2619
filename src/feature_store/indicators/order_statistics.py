"""Where values stand in the order of a window: quantiles, ranks, and how long ago the extremes were."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feature_store.indicators.definition import State, indicator
from feature_store.indicators.parameters import Int, Real

if TYPE_CHECKING:
    from feature_store.indicators.series import Series

_GROUP = "statistics"


def _full_window(period: int) -> int:
    return period - 1


@indicator(
    title="Quantile",
    group=_GROUP,
    unit="price",
    source="Hyndman and Fan 1996, type 7: linear between neighbours, as numpy and pandas do",
    state="bars:int place:int window[period]=inf ordered[period]=inf",
    lag=_full_window,
    memory="window",
)
def quantile(s: State, close: float, period: int = Int(20), q: float = Real(0.75, ge=0.0, le=1.0)) -> float:
    """The value below which a share `q` of the last `period` values lies, linear between two; first value at row period - 1.

    The window is kept in order: the value that leaves is found by bisection, and those between it and the new one move up or
    down by a place, which are few as prices move little.

    >>> fs.compute({"close": [4.0, 1.0, 2.0]}, ["quantile_3_0.75"])["quantile_3_0.75"].tolist()
    [nan, nan, 3.0]
    """
    s.bars += 1
    gone = s.window[s.place]
    s.window[s.place] = close
    s.place += 1
    if s.place == period:
        s.place = 0
    j = 0
    end = period - 1
    while j < end:
        middle = (j + end) // 2
        if s.ordered[middle] < gone:
            j = middle + 1
        else:
            end = middle
    while j > 0 and s.ordered[j - 1] > close:
        s.ordered[j] = s.ordered[j - 1]
        j -= 1
    while j < period - 1 and s.ordered[j + 1] < close:
        s.ordered[j] = s.ordered[j + 1]
        j += 1
    s.ordered[j] = close
    if s.bars < period:
        return math.nan
    position = q * (period - 1)
    under = int(position)
    lower = s.ordered[under]
    return lower + (position - under) * (s.ordered[min(under + 1, period - 1)] - lower)


@indicator(
    title="Median", group=_GROUP, unit="price", source="arithmetic; the mean of the middle two of an even number"
)
def median(close: Series, period: int = Int(20)) -> Series:
    """The middle one of the last `period` values, the mean of two where they are even; first value at row period - 1.

        quantile(close, period, 0.5)

    >>> fs.compute({"close": [4.0, 1.0, 2.0]}, ["median_3"])["median_3"].tolist()
    [nan, nan, 2.0]
    """
    return quantile(close, period, 0.5)


@indicator(
    title="Percent rank",
    group=_GROUP,
    unit="0..100",
    source="Connors and Alvarez 2012; strictly below, as TA-Lib counts",
    state="bars:int place:int window[period]",
    lag=lambda period: period,
    memory="window",
)
def percent_rank(s: State, close: float, period: int = Int(100)) -> float:
    """The share of the `period` values before this one that lie below it, in percent; 0 in a flat market.

    Equal values do not lie below; TradingView counts them too. First value at row `period`. TA-Lib calls it PERCENTRANK.

    >>> fs.compute({"close": [1.0, 3.0, 2.0, 2.0]}, ["percent_rank_2"])["percent_rank_2"].tolist()
    [nan, nan, 50.0, 0.0]
    """
    s.bars += 1
    below = 0
    j = 0
    while j < period:
        below += 1 if s.window[j] < close else 0
        j += 1
    s.window[s.place] = close
    s.place += 1
    if s.place == period:
        s.place = 0
    return 100.0 * below / period if s.bars > period else math.nan


@indicator(
    title="Bars since the highest value, the rolling argmax",
    group=_GROUP,
    unit="bars",
    source="arithmetic; the latest of equal values",
    state="bars:int place:int prefix=-inf since:int window[period+1]=-inf ages:int[period+1]",
    lag=_full_window,
    memory="window",
)
def argmax(s: State, close: float, period: int = Int(20)) -> float:
    """How many bars ago the highest of the last `period` values was, 0 for this bar, the latest where several are equal.

    First value at row period - 1.

    >>> fs.compute({"close": [3.0, 2.0, 2.0, 1.0]}, ["argmax_3"])["argmax_3"].tolist()
    [nan, nan, 2.0, 1.0]
    """
    s.bars += 1
    s.since = 0 if close >= s.prefix else s.since + 1
    s.prefix = max(close, s.prefix)
    # ages count to the end of the finished block, which is place + 1 bars ago
    earlier = s.ages[s.place + 1] + s.place + 1
    ago = s.since if s.prefix >= s.window[s.place + 1] else earlier
    s.window[s.place] = close
    s.place += 1
    if s.place == period:
        suffix = -math.inf
        age = 0
        j = period
        while j > 0:
            j -= 1
            if s.window[j] > suffix:
                suffix = s.window[j]
                age = period - 1 - j
            s.window[j] = suffix
            s.ages[j] = age
        s.place = 0
        s.prefix = -math.inf
        s.since = 0
    return 1.0 * ago if s.bars >= period else math.nan


@indicator(
    title="Bars since the lowest value, the rolling argmin",
    group=_GROUP,
    unit="bars",
    source="arithmetic; the latest of equal values",
)
def argmin(close: Series, period: int = Int(20)) -> Series:
    """How many bars ago the lowest of the last `period` values was, 0 for this bar, the latest where several are equal.

    First value at row period - 1.

    >>> fs.compute({"close": [1.0, 2.0, 2.0, 3.0]}, ["argmin_3"])["argmin_3"].tolist()
    [nan, nan, 2.0, 1.0]
    """
    return argmax(-close, period)
