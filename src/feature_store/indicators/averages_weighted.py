"""Moving averages that look at every value of their window: a bell of weights, and the one in the middle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feature_store.indicators.definition import State, indicator
from feature_store.indicators.order_statistics import median
from feature_store.indicators.parameters import Int, Real

if TYPE_CHECKING:
    from feature_store.indicators.series import Series

_GROUP = "moving average"


def _full_window(period: int) -> int:
    return period - 1


@indicator(
    title="Arnaud Legoux moving average",
    group=_GROUP,
    unit="price",
    source="Legoux and Kouzis Loukas 2009; the offset is not rounded",
    state="bars:int place:int total window[period] weights[period]",
    lag=_full_window,
    memory="window",
)
def alma(
    s: State, close: float, period: int = Int(9), offset: float = Real(0.85, le=1.0), sigma: float = Real(6.0, ge=0.1)
) -> float:
    """The mean of the last `period` values under a bell of weights whose middle lies near the newest.

        weight(i) = exp(-((i - offset * (period - 1)) * sigma / period) ** 2 / 2)

    The middle is at offset * (period - 1), counted from the oldest and not rounded, the bell's deviation is period / sigma.
    First value at row period - 1. Weights are free, so each bar costs `period` products.

    >>> fs.compute({"close": [1.0, 2.0, 3.0]}, ["alma_3_0.5_6"])["alma_3_0.5_6"].round(4).tolist()
    [nan, nan, 2.0]
    """
    s.bars += 1
    if s.bars == 1:
        j = 0
        while j < period:
            away = (j - offset * (period - 1)) * sigma / period
            s.weights[j] = math.exp(-0.5 * away * away)
            s.total += s.weights[j]
            j += 1
    s.window[s.place] = close
    s.place += 1
    if s.place == period:
        s.place = 0
    if s.bars < period:
        return math.nan
    # oldest first, about the newest value: a flat window stays what it is
    answer = 0.0
    newer = period - s.place
    j = 0
    while j < newer:
        answer += s.weights[j] * (s.window[s.place + j] - close)
        j += 1
    while j < period:
        answer += s.weights[j] * (s.window[j - newer] - close)
        j += 1
    return close + answer / s.total


@indicator(title="Simple moving median", group=_GROUP, unit="price", source="arithmetic; also called rolling median")
def smm(close: Series, period: int = Int(20)) -> Series:
    """The median of the last `period` values, where a spike counts no more than any other; first value at row period - 1.

        median(close, period)

    It is `median` under the name it has among averages.

    >>> fs.compute({"close": [1.0, 9.0, 2.0]}, ["smm_3"])["smm_3"].tolist()
    [nan, nan, 2.0]
    """
    return median(close, period)
