"""Moving averages: where price has been, smoothed."""

from __future__ import annotations

import math

from feature_store.indicators.arithmetic import fma
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int, fast_below_slow
from feature_store.indicators.series import Series, where
from feature_store.indicators.windows import lag, rolling_sum

_GROUP = "moving average"


def _full_window(period: int) -> int:
    return period - 1


@indicator(title="Simple moving average", group=_GROUP, unit="price", source="arithmetic")
def sma(close: Series, period: int = Int(20)) -> Series:
    """The mean of the last `period` values; first value at row period - 1.

        sum(close, period) / period

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 4.0]}, ["sma_2"])["sma_2"].tolist()
    [nan, 1.5, 2.5, 3.5]
    """
    return rolling_sum(close, period) * (1.0 / period)


@indicator(
    title="Exponential moving average",
    group=_GROUP,
    unit="price",
    source="weight 2/(period + 1); seeded by the mean of the first period values, as TA-Lib does",
    state="bars:int mean",
    lag=_full_window,
    fade=lambda period: math.ceil(9.5 * (period + 1)),
    memory="recursive",
)
def ema(s: State, close: float, period: int = Int(20)) -> float:
    """The mean whose weights fade by 1 - 2/(period + 1) a bar; first value at row period - 1, the plain mean so far.

        value = before(value) + 2 / (period + 1) * (close - before(value))

    >>> fs.compute({"close": [1.0, 3.0, 5.0]}, ["ema_2"])["ema_2"].round(4).tolist()
    [nan, 2.0, 4.0]
    """
    weight = 2.0 / (period + 1.0)
    keep = 1.0 - weight
    s.bars += 1
    if s.bars > period:
        s.mean = fma(keep, s.mean, weight * close)
        return s.mean
    s.mean += close
    if s.bars < period:
        return math.nan
    s.mean = s.mean / period
    return s.mean


@indicator(
    title="Wilder's moving average",
    group=_GROUP,
    unit="price",
    source="Wilder 1978: weight 1/period; seeded by the mean of the first period values",
    state="bars:int mean",
    lag=_full_window,
    fade=lambda period: 19 * period,
    memory="recursive",
)
def rma(s: State, close: float, period: int = Int(14)) -> float:
    """The mean whose weights fade by 1 - 1/period a bar (also called smoothed or SMMA); first value at row period - 1.

        value = before(value) + (close - before(value)) / period

    >>> fs.compute({"close": [1.0, 3.0, 6.0]}, ["rma_2"])["rma_2"].tolist()
    [nan, 2.0, 4.0]
    """
    weight = 1.0 / period
    keep = 1.0 - weight
    s.bars += 1
    if s.bars > period:
        s.mean = fma(keep, s.mean, weight * close)
        return s.mean
    s.mean += close
    if s.bars < period:
        return math.nan
    s.mean = s.mean / period
    return s.mean


@indicator(
    title="Weighted moving average",
    group=_GROUP,
    unit="price",
    source="weights 1 to period, the newest heaviest",
    state="bars:int place:int total weighted window[period] totals[period+1]",
    lag=_full_window,
    memory="window",
)
def wma(s: State, close: float, period: int = Int(20)) -> float:
    """The mean of the last `period` values with weights 1, 2, ... period, the newest heaviest; first value at row period - 1.

    In two blocks (windows.py): the finished block's weighted suffix, and the current block's values, each weighing its place
    in the block plus what the older part of the window leaves free.

    >>> fs.compute({"close": [1.0, 4.0, 7.0]}, ["wma_2"])["wma_2"].tolist()
    [nan, 3.0, 6.0]
    """
    scale = 2.0 / (period * (period + 1.0))
    s.bars += 1
    s.total += close
    s.weighted += (s.place + 1) * close
    older = period - 1 - s.place
    answer = (s.totals[s.place + 1] + older * s.total + s.weighted) * scale
    s.window[s.place] = close
    s.place += 1
    if s.place == period:
        suffix = 0.0
        weighted = 0.0
        j = period
        while j > 1:  # two at a time, as in windows.py
            j -= 2
            later = suffix + s.window[j + 1]
            suffix += s.window[j] + s.window[j + 1]
            s.totals[j + 1] = weighted + later
            weighted += later + suffix
            s.totals[j] = weighted
        if j == 1:
            s.totals[0] = weighted + suffix + s.window[0]
        s.place = 0
        s.total = 0.0
        s.weighted = 0.0
    return answer if s.bars >= period else math.nan


@step(
    "bars:int mean",
    fade=lambda slow: math.ceil(4.75 * (slow + 1) ** 2),
    memory="recursive",
)
def adaptive(
    s: State, close: float, previous: float, efficiency: float, fast: int = Int(2), slow: int = Int(30)
) -> float:
    """Kaufman's smoothing by the square of a weight between slow and fast, seeded by the previous value."""
    fastest = 2.0 / (fast + 1.0)
    slowest = 2.0 / (slow + 1.0)
    s.bars += 1
    if s.bars == 1:
        s.mean = previous
    root = efficiency * (fastest - slowest) + slowest
    s.mean += root * root * (close - s.mean)
    return s.mean


@indicator(
    title="Kaufman's adaptive moving average",
    group=_GROUP,
    unit="price",
    source="Kaufman 1995; seeded by close at row period - 1, as TA-Lib does",
    rule=fast_below_slow,
)
def kama(
    close: Series,
    period: int = Int(10),
    fast: int = Int(2),
    slow: int = Int(30, ge=2),
) -> Series:
    """An average that follows in a trend and rests in noise; first value at row `period`.

        efficiency = abs(diff(close, period)) / sum(abs(diff(close, 1)), period)
        root = efficiency * (2 / (fast + 1) - 2 / (slow + 1)) + 2 / (slow + 1)
        value = before(value) + root ** 2 * (close - before(value))

    The efficiency ratio is the way from the value `period` bars ago over the path walked since (1 where nothing moved); the
    weight is its place between 2/(slow + 1) and 2/(fast + 1), squared.

    >>> fs.compute({"close": [1.0, 2.0, 3.0]}, ["kama_2_2_30"])["kama_2_2_30"].round(4).tolist()
    [nan, nan, 2.4444]
    """
    way = abs(close - lag(close, period))
    path = rolling_sum(abs(close - lag(close, 1)), period)
    efficiency = where(path > 0.0, way / path, 1.0)
    return adaptive(close, lag(close, 1), efficiency, fast, slow)
