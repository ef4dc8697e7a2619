"""Whether a series remembers: its correlation with its past, whether moves go on, how evenly they are spread."""

from __future__ import annotations

import math

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.moments import correlation
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, greatest, log, where
from feature_store.indicators.windows import lag, rolling_sum

_GROUP = "statistics"


@indicator(
    title="Autocorrelation", group=_GROUP, unit="-1..1", source="Pearson's correlation of a series with its past"
)
def autocorr(close: Series, period: int = Int(20, ge=2), delay: int = Int(1)) -> Series:
    """The correlation of the last `period` values with the values `delay` bars before each, 0 where either did not move.

        corr(close, lag(close, delay), period)

    Of prices it is near 1 in a trend; of returns, above 0 where moves go on and below where they turn back. First value at
    row period + delay - 1.

    >>> fs.compute({"close": [1.0, 2.0, 1.0, 2.0]}, ["autocorr_3_1"])["autocorr_3_1"].tolist()
    [nan, nan, nan, -1.0]
    """
    return correlation(close, lag(close, delay), period)


@indicator(title="Entropy", group=_GROUP, unit="bits", source="Shannon 1948, of each value's share in their total")
def entropy(close: Series, period: int = Int(10, ge=2)) -> Series:
    """How evenly the total of the last `period` values is spread over them: log2(period) where all are equal, 0 for one alone.

        size = abs(close)
        total = sum(size, period)
        (log(total) - sum(size * log(size), period) / total) / log(2)

    The values are taken without sign. Of prices it is within millionths of log2(period); of absolute changes it tells whether
    one bar or all made the movement. pandas-ta divides each value by the total of its own window, not of this one. 0 where
    all are 0; first value at row period - 1.

    >>> fs.compute({"close": [1.0, 1.0, 3.0]}, ["entropy_2"])["entropy_2"].round(4).tolist()
    [nan, 1.0, 0.8113]
    """
    size = abs(close)
    total = rolling_sum(size, period)
    weighted = rolling_sum(where(size > 0.0, size * log(size), 0.0), period)
    return where(total > 0.0, (log(total) - weighted / total) * (1.0 / math.log(2.0)), 0.0)


@step("bars:int place:int window[period]", lag=lambda period: period - 1, memory="window")
def _rescaled_range(s: State, x: float, period: int = Int(100)) -> float:
    """Return the range of the values' running total about their mean, over their deviation; 0 where they are equal."""
    s.bars += 1
    s.window[s.place] = x
    s.place += 1
    if s.place == period:
        s.place = 0
    if s.bars < period:
        return math.nan
    total = 0.0
    j = 0
    while j < period:
        total += s.window[j]
        j += 1
    mean = total / period
    total = 0.0
    square = 0.0
    top = 0.0
    bottom = 0.0
    j = 0
    while j < period:
        place = s.place + j
        away = s.window[place if place < period else place - period] - mean
        square += away * away
        total += away
        top = max(top, total)
        bottom = min(bottom, total)
        j += 1
    return (top - bottom) / math.sqrt(square / period) if square > 0.0 else 0.0


@indicator(
    title="Hurst exponent",
    group=_GROUP,
    unit="0..1",
    source="Hurst 1951, Mandelbrot and Wallis 1969: rescaled range of one window",
)
def hurst(close: Series, period: int = Int(100, ge=10)) -> Series:
    """Whether moves go on (above 0.5) or turn back (below): ln(R/S) / ln(period) of the last `period` log returns.

    R is the range of the returns' running total about their mean, S their deviation, ddof 0. Of one window it is a rough
    estimate: of independent returns its mean is 0.53 at 100. 0.5 where nothing moved; first value at row `period`.

    >>> fs.compute({"close": [2.0**n for n in (0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0)]}, ["hurst_10"])["hurst_10"].tolist()[-1]
    0.0
    """
    rescaled = _rescaled_range(log(close / lag(close, 1)), period)
    return where(rescaled > 0.0, log(greatest(rescaled, 1.0)) * (1.0 / math.log(period)), 0.5)
