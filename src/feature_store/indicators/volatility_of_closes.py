"""Volatility seen in closes: how far they lie apart, which way, and how far they fell."""

from __future__ import annotations

import math

from feature_store.indicators.averages import rma, sma
from feature_store.indicators.definition import indicator
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, log, sqrt, where
from feature_store.indicators.windows import highest, lag, rolling_sum, stdev

_GROUP = "volatility"


@indicator(
    title="Variance", group=_GROUP, unit="price squared", source="population variance, ddof 0, as TA-Lib uses it"
)
def variance(close: Series, period: int = Int(20, ge=2)) -> Series:
    """The mean square distance of the last `period` values from their mean, ddof 0; first value at row period - 1.

        stdev(close, period) ** 2

    A window of equal values gives exactly 0. TA-Lib calls it VAR.

    >>> fs.compute({"close": [1.0, 5.0, 5.0]}, ["variance_2"])["variance_2"].tolist()
    [nan, 4.0, 0.0]
    """
    deviation = stdev(close, period)
    return deviation * deviation


@indicator(title="Ulcer index", group=_GROUP, unit="percent", source="Martin and McCann 1989")
def ulcer(close: Series, period: int = Int(14)) -> Series:
    """How deep and how long falls from the high of `period` bars were: the root mean square of falls in percent of that high.

        fall = 100 * (close / highest(close, period) - 1)
        sqrt(sma(fall ** 2, period))

    Each of `period` falls has a window of `period` bars of its own, so the first value is at row 2 period - 2.

    >>> fs.compute({"close": [4.0, 5.0, 4.0, 5.0]}, ["ulcer_2"])["ulcer_2"].round(4).tolist()
    [nan, nan, 14.1421, 14.1421]
    """
    top = highest(close, period)
    fall = (close - top) / top * 100.0
    return sqrt(sma(fall * fall, period))


@indicator(
    title="Relative volatility index",
    group=_GROUP,
    unit="0..100",
    source="Dorsey 1993; smoothed as Wilder does, as TA-Lib does",
)
def rvi(close: Series, period: int = Int(14), deviation_period: int = Int(10, ge=2)) -> Series:
    """The share of standard deviation on rising bars in all of it, smoothed over `period` bars; 50 where there is none.

        deviation = stdev(close, deviation_period)
        up = rma(where(diff(close, 1) > 0, deviation, 0), period)
        down = rma(where(diff(close, 1) < 0, deviation, 0), period)
        100 * up / (up + down)

    A bar with an unchanged close counts on neither side. TradingView smooths by EMA. First value at row
    period + deviation_period - 2.

    >>> fs.compute({"close": [1.0, 3.0, 2.0]}, ["rvi_2_2"])["rvi_2_2"].round(2).tolist()
    [nan, nan, 66.67]
    """
    deviation = stdev(close, deviation_period)
    change = close - lag(close, 1)
    rising = rma((change > 0.0) * deviation, period)
    both = rising + rma((change < 0.0) * deviation, period)
    return where(both > 0.0, rising / both * 100.0, 50.0)


@indicator(
    title="Realised volatility",
    group=_GROUP,
    unit="log return",
    source="sample deviation of log returns, ddof 1, times the root of the bars in a year",
)
def realized_vol(
    close: Series,
    period: int = Int(20, ge=2),
    bars_a_year: int = Int(260, le=1_000_000, description="260 for days of foreign exchange, 6240 for hours"),
) -> Series:
    """The standard deviation of the last `period` log returns (ddof 1) as of a year of `bars_a_year` bars; 0.08 is 8 percent.

        stdev(log_return(close, 1), period) * sqrt(bars_a_year * period / (period - 1))

    A year is 260 daily bars unless asked otherwise: foreign exchange trades on weekdays, so hours have 6240, quarters of an
    hour 24960 and minutes 374400 bars a year; equities take 252 days. First value at row `period`.

    >>> fs.compute({"close": [1.0, 1.01, 1.0]}, ["realized_vol_2_100"])["realized_vol_2_100"].round(4).tolist()
    [nan, nan, 0.1407]
    """
    return stdev(_log_return(close), period) * math.sqrt(bars_a_year * period / (period - 1))


@indicator(
    title="Bipower volatility",
    group=_GROUP,
    unit="log return",
    source="Barndorff-Nielsen and Shephard 2004: bipower variation, of which a jump is no part",
)
def bipower(close: Series, period: int = Int(20, ge=2)) -> Series:
    """The deviation per bar of the last `period` log returns, without jumps: one return beside a small one weighs little.

        size = abs(log_return(close, 1))
        sqrt(3.14159265358979 / 2 * sum(size * lag(size, 1), period - 1) / (period - 1))

    The root of pi/2 times the mean product of neighbouring absolute returns, period - 1 of them; returns are taken to have a
    mean of 0. Its square beside the mean square return tells the share of jumps. First value at row `period`.

    >>> fs.compute({"close": [1.0, 1.01, 1.0]}, ["bipower_2"])["bipower_2"].round(4).tolist()
    [nan, nan, 0.0125]
    """
    size = abs(_log_return(close))
    return sqrt(rolling_sum(size * lag(size, 1), period - 1) * (math.pi / 2.0 / (period - 1)))


def _log_return(close: Series) -> Series:
    return log(close / lag(close, 1))
