"""Volatility seen in whole bars: their ranges beside the price, and deviations of log returns estimated from them.

The estimators are standard deviations per bar: 0.001 is about a tenth of a percent. They see more of each bar than its close
and need fewer bars for the same certainty; each says what it assumes.
"""

from __future__ import annotations

import math

from feature_store.indicators.averages import ema, sma
from feature_store.indicators.definition import indicator
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, greatest, log, sqrt, where
from feature_store.indicators.volatility import atr
from feature_store.indicators.volatility_of_closes import variance
from feature_store.indicators.windows import lag

_GROUP = "volatility"


@indicator(title="Normalised average true range", group=_GROUP, unit="percent", source="Forman 2006: atr / close")
def natr(high: Series, low: Series, close: Series, period: int = Int(14)) -> Series:
    """Wilder's average of the true range in percent of the close, comparable across pairs; first value at row `period`.

        100 * atr(high, low, close, period) / close

    >>> bars = {"high": [3.0, 5.0, 6.0], "low": [1.0, 4.0, 5.0], "close": [2.0, 5.0, 5.0]}
    >>> fs.compute(bars, ["natr_2"])["natr_2"].tolist()
    [nan, nan, 40.0]
    """
    return atr(high, low, close, period) / close * 100.0


@indicator(title="Chaikin volatility", group=_GROUP, unit="percent", source="Chaikin; Achelis 1995")
def chaikin_vol(high: Series, low: Series, period: int = Int(10), change: int = Int(10)) -> Series:
    """The change of the bars' mean range (EMA over `period`) since `change` bars ago, in percent; 0 where there was no range.

        reach = ema(high - low, period)
        100 * (reach / lag(reach, change) - 1)

    First value at row period + change - 1. TA-Lib calls it CVI.

    >>> fs.compute({"high": [3.0, 4.0], "low": [1.0, 1.0]}, ["chaikin_vol_1_1"])["chaikin_vol_1_1"].tolist()
    [nan, 50.0]
    """
    reach = ema(high - low, period)
    before = lag(reach, change)
    return where(before > 0.0, (reach - before) / before * 100.0, 0.0)


@indicator(title="Parkinson volatility", group=_GROUP, unit="log return", source="Parkinson 1980")
def parkinson(high: Series, low: Series, period: int = Int(20)) -> Series:
    """The deviation per bar from the last `period` ranges: the root of mean ln(high/low)^2 / (4 ln 2).

        sqrt(sma(log(high / low) ** 2, period) / (4 * log(2)))

    It takes price to move without drift and without gaps between bars. First value at row period - 1.

    >>> fs.compute({"high": [1.02], "low": [1.0]}, ["parkinson_1"])["parkinson_1"].round(4).tolist()
    [0.0119]
    """
    reach = log(high / low)
    return sqrt(sma(reach * reach, period) * (0.25 / math.log(2.0)))


@indicator(title="Garman-Klass volatility", group=_GROUP, unit="log return", source="Garman and Klass 1980")
def garman_klass(
    open: Series,
    high: Series,
    low: Series,
    close: Series,
    period: int = Int(20),
) -> Series:
    """The deviation per bar from ranges and bodies: the root of mean ln(high/low)^2 / 2 - (2 ln 2 - 1) ln(close/open)^2.

        sqrt(sma(log(high / low) ** 2 / 2 - (2 * log(2) - 1) * log(close / open) ** 2, period))

    It takes price to move without drift and without gaps between bars. First value at row period - 1.

    >>> bars = {"open": [1.0], "high": [1.02], "low": [1.0], "close": [1.01]}
    >>> fs.compute(bars, ["garman_klass_1"])["garman_klass_1"].round(4).tolist()
    [0.0126]
    """
    reach, move = log(high / low), log(close / open)
    return sqrt(sma(reach * reach * 0.5 - move * move * (2.0 * math.log(2.0) - 1.0), period))


@indicator(title="Rogers-Satchell volatility", group=_GROUP, unit="log return", source="Rogers and Satchell 1991")
def rogers_satchell(
    open: Series,
    high: Series,
    low: Series,
    close: Series,
    period: int = Int(20),
) -> Series:
    """The deviation per bar, whatever the drift: the root of mean ln(h/c) ln(h/o) + ln(l/c) ln(l/o).

        sqrt(sma(log(high / close) * log(high / open) + log(low / close) * log(low / open), period))

    It takes price to move without gaps between bars. First value at row period - 1.

    >>> bars = {"open": [1.0], "high": [1.02], "low": [1.0], "close": [1.01]}
    >>> fs.compute(bars, ["rogers_satchell_1"])["rogers_satchell_1"].round(4).tolist()
    [0.014]
    """
    return sqrt(sma(_reach_whatever_the_drift(open, high, low, close), period))


@indicator(title="Yang-Zhang volatility", group=_GROUP, unit="log return", source="Yang and Zhang 2000")
def yang_zhang(
    open: Series,
    high: Series,
    low: Series,
    close: Series,
    period: int = Int(20, ge=2),
) -> Series:
    """The deviation per bar, whatever the drift and the gaps between bars.

        k = 0.34 / (1.34 + (period + 1) / (period - 1))
        gaps = variance(log(open / lag(close, 1)), period) * period / (period - 1)
        bodies = variance(log(close / open), period) * period / (period - 1)
        sqrt(gaps + k * bodies + (1 - k) * rogers_satchell(open, high, low, close, period) ** 2)

    The root of var ln(open/previous close) + k var ln(close/open) + (1 - k) Rogers-Satchell, variances with ddof 1 and
    k = 0.34 / (1.34 + (period + 1)/(period - 1)). First value at row `period`.

    >>> bars = {"open": [1.0, 1.0, 1.01], "high": [1.0, 1.02, 1.02], "low": [1.0, 1.0, 1.0], "close": [1.0, 1.01, 1.0]}
    >>> fs.compute(bars, ["yang_zhang_2"])["yang_zhang_2"].round(4).tolist()
    [nan, nan, 0.014]
    """
    k = 0.34 / (1.34 + (period + 1) / (period - 1))
    sample = period / (period - 1)
    over_gaps = variance(log(open / lag(close, 1)), period) * sample
    inside = variance(log(close / open), period) * (sample * k)
    drifting = sma(_reach_whatever_the_drift(open, high, low, close), period) * (1.0 - k)
    return sqrt(over_gaps + inside + drifting)


def _reach_whatever_the_drift(start: Series, high: Series, low: Series, close: Series) -> Series:
    up, down, move = log(high / start), log(low / start), log(close / start)
    return greatest(up * (up - move) + down * (down - move), 0.0)
