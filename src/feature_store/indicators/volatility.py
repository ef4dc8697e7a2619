"""Volatility: how far price moves, in its own unit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feature_store.indicators.averages import rma
from feature_store.indicators.definition import State, indicator
from feature_store.indicators.parameters import Int

if TYPE_CHECKING:
    from feature_store.indicators.series import Series

_GROUP = "volatility"


@indicator(
    title="True range",
    group=_GROUP,
    unit="price change",
    source="Wilder 1978",
    state="bars:int previous",
    lag=lambda: 1,
    memory="window",
)
def tr(s: State, high: float, low: float, close: float) -> float:
    """Each bar's reach, counting the gap from the previous close; the first bar has no previous close and no value.

        max(high, lag(close, 1)) - min(low, lag(close, 1))

    TA-Lib calls it TRANGE.

    >>> fs.compute({"high": [3.0, 5.0], "low": [1.0, 4.0], "close": [2.0, 5.0]}, ["tr"])["tr"].tolist()
    [nan, 3.0]
    """
    s.bars += 1
    reach = max(high, s.previous) - min(low, s.previous)
    s.previous = close
    return reach if s.bars > 1 else math.nan


@indicator(title="Average true range", group=_GROUP, unit="price change", source="Wilder 1978")
def atr(high: Series, low: Series, close: Series, period: int = Int(14)) -> Series:
    """Wilder's average of the true range, in the unit of price; first value at row `period`.

        rma(tr(high, low, close), period)

    >>> bars = {"high": [3.0, 5.0, 6.0], "low": [1.0, 4.0, 5.0], "close": [2.0, 5.0, 6.0]}
    >>> fs.compute(bars, ["atr_2"])["atr_2"].tolist()
    [nan, nan, 2.0]
    """
    return rma(tr(high, low, close), period)
