"""The words that expressions have beyond indicators: pointwise functions, and questions about the bars before.

An operator takes any series (or numbers) first and whole numbers after, as an indicator does, but has no id of its own, as
it says nothing about a bar by itself. `aliases` are second names of indicators, as other languages spell them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from feature_store.indicators import series
from feature_store.indicators.definition import State, define
from feature_store.indicators.moments import correlation, response
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, at_most, both
from feature_store.indicators.windows import highest, lag, lowest

if TYPE_CHECKING:
    from collections.abc import Callable

    from feature_store.indicators.definition import Definition

operators: dict[str, Definition] = {}
"""Every operator by the name that expressions call it by."""

aliases = {
    "change": "diff",
    "highest_bars": "argmax",
    "linreg_value": "linreg",
    "lowest_bars": "argmin",
    "pct_change": "returns",
    "rank": "percent_rank",
    "true_range": "tr",
}
"""Other names of operators and indicators."""


def operator(name: str, **options: Any) -> Callable[[Callable[..., Any]], Definition]:
    """Make a function an operator called `name`; `options` are those of a step."""

    def register(function: Callable[..., Any]) -> Definition:
        operators[name] = define(function, name=name, **options)
        return operators[name]

    return register


def is_operator(definition: Definition) -> bool:
    """Whether it is an operator, which takes all its series where it is called."""
    return operators.get(definition.name) is definition


# ---------------------------------------------------------------- pointwise
for _function in (series.sqrt, series.log, series.exp, series.sin, series.cos, series.atan, series.floor, series.sign):
    operator(_function.__name__)(_function)
operator("where")(series.where)
operator("is_known")(series.is_known)
operator("min")(series.least)
operator("max")(series.greatest)


@operator("abs")
def absolute(a: Series) -> Series:
    """Return the distance from zero."""
    return abs(a)


@operator("clip")
def clip(a: Series, low: Series, high: Series) -> Series:
    """Return the value, `low` where it is below, `high` where it is above."""
    return series.least(series.greatest(a, low), high)


# ---------------------------------------------------------------- changes
@operator("diff")
def diff(a: Series, period: int = Int(1)) -> Series:
    """Return the change since `period` bars ago; first value at row `period`."""
    return a - lag(a, period)


@operator("rising")
def rising(a: Series, period: int = Int(1)) -> Series:
    """Return 1 where each of the last `period` changes was upward, else 0; first value at row `period`."""
    return lowest(diff(a, 1), period) > 0.0


@operator("falling")
def falling(a: Series, period: int = Int(1)) -> Series:
    """Return 1 where each of the last `period` changes was downward, else 0; first value at row `period`."""
    return highest(diff(a, 1), period) < 0.0


@operator("cross_over")
def cross_over(a: Series, b: Series) -> Series:
    """Return 1 on the bar where `a` comes to be above `b`, having been below or equal before; first value at row 1."""
    above = a - b
    return both(above > 0.0, at_most(lag(above, 1), 0.0))


@operator("cross_under")
def cross_under(a: Series, b: Series) -> Series:
    """Return 1 on the bar where `a` comes to be below `b`, having been above or equal before; first value at row 1."""
    return cross_over(b, a)


# ---------------------------------------------------------------- memory
@operator("bars_since", state="seen:int bars", memory="accumulator")
def bars_since(s: State, condition: float) -> float:
    """Return how many bars ago the condition last held, 0 where it holds; NaN until it has."""
    s.bars += 1.0
    if condition != 0.0:
        s.seen = 1
        s.bars = 0.0
    return s.bars if s.seen > 0 else math.nan


@operator("value_when", state="value=nan", memory="accumulator")
def value_when(s: State, condition: float, a: float) -> float:
    """Return the value of `a` on the last bar where the condition held, this one included; NaN until it has."""
    if condition != 0.0:
        s.value = a
    return s.value


@operator("cumulative", state="total lost", memory="accumulator")
def cumulative(s: State, a: float) -> float:
    """Return the sum since the series' first bar, its rounding errors kept beside it and added (Neumaier 1974)."""
    total = s.total + a
    s.lost += (s.total - total) + a if abs(s.total) >= abs(a) else (a - total) + s.total
    s.total = total
    return total + s.lost


# ---------------------------------------------------------------- two series
@operator("corr")
def corr(a: Series, b: Series, period: int = Int(20, ge=2)) -> Series:
    """Return how closely two series move together over `period` bars, -1..1, 0 where one stands still (Pearson 1895)."""
    return correlation(a, b, period)


@operator("slope")
def slope(a: Series, b: Series, period: int = Int(20, ge=2)) -> Series:
    """Return by how much `a` moves where `b` moves by one, over `period` bars, least squares; `beta` is that of returns."""
    return response(b, a, period)
