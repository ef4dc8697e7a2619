"""What the laws are run on: every indicator with its default, its smallest and large parameters, ready to run."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

import feature_store as fs
from feature_store.engine.plan import Plan
from feature_store.errors import InvalidRequestError
from feature_store.indicators.warmup import memory_of
from tests.conformance.markets import BARS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from feature_store.engine.live import Live
    from feature_store.indicators.definition import Definition
    from feature_store.indicators.feature import Feature
    from tests.conformance.markets import Columns

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

LARGE = 60
_FASTER = ({}, {"fast": 3, "slow": LARGE}, {"slow": 3}, {"fast": 4999}, {"shortest": 10}, {"slow": 0.9})


def variants(definition: Definition) -> list[Feature]:
    """The indicator with its default, its smallest, small and large parameters."""
    chosen = (
        lambda parameter: parameter.default,
        lambda parameter: parameter.ge if parameter.whole else parameter.default,
        lambda parameter: max(parameter.ge, 2) if parameter.whole else parameter.default,
        lambda parameter: LARGE if parameter.whole else parameter.default,
    )
    made = {_allowed(definition, {n: of(each) for n, each in definition.parameters.items()}) for of in chosen}
    return sorted(made, key=lambda feature: feature.id)


def largest(definition: Definition) -> Feature:
    """The indicator with every number as large as it may be."""
    return _allowed(definition, {n: each.le for n, each in definition.parameters.items() if not each.options})


def _allowed(definition: Definition, chosen: dict[str, float]) -> Feature:
    """The feature with these parameters, but for what its rule says of a fast and a slow one."""
    for faster in _FASTER:
        try:
            return fs.feature(definition.name, chosen | {n: value for n, value in faster.items() if n in chosen})
        except InvalidRequestError:
            continue
    raise AssertionError(f"no way was found to choose the parameters of {definition.name}")


VARIANTS = [feature for definition in fs.catalog() for feature in variants(definition)]


@cache
def plan_of(feature: Feature) -> Plan:
    """The feature's plan, made once."""
    return Plan.of([feature])


def batch(feature: Feature, data: Columns) -> Floats:
    """One row for each output, a column for each bar."""
    return plan_of(feature).run(data)


def stepped(state: Live, data: Columns) -> Floats:
    """The values of a live state, bar by bar, in the form that `batch` has."""
    return np.array([list(state.update(**bar).values()) for bar in bar_by_bar(state, data)]).T


def bar_by_bar(state: Live, data: Columns, *, timed: bool = False) -> Iterator[dict[str, object]]:
    """Each bar as the `update` of a state needs it, which is without a time unless it looks at a clock or `timed` says so."""
    names = (*state.plan.prices, *(("time",) if timed or state.plan.clock else ()))
    columns = [data[name].tolist() for name in names]
    return (dict(zip(names, bar, strict=True)) for bar in zip(*columns, strict=True))


def rows(data: Columns, which: slice | Integers) -> Columns:
    """Some rows of a market."""
    return {name: column[which] for name, column in data.items()}


def needed(feature: Feature, data: Columns) -> Columns:
    """The columns of a market that a feature's plan takes."""
    return {name: data[name] for name in plan_of(feature).inputs}


def known(data: Columns) -> Integers:
    """The rows that are not gaps."""
    return np.flatnonzero(~np.isnan(data["close"]))


def first_values(values: Floats) -> list[int]:
    """The first row with a value, for each output."""
    return [int(np.argmax(~np.isnan(row))) for row in values]


def enough(feature: Feature) -> int:
    """As many bars as a feature needs: beyond its warm-up, and as many days as its parameters are where it counts in days."""
    days = max(80, *(value + 20 for value in feature.values if isinstance(value, int)), 0)
    return max(BARS, feature.warmup + 100, 25 * days * looks_at_a_clock(feature))


def looks_at_a_clock(feature: Feature) -> bool:
    return bool(plan_of(feature).clock)


def is_windowed(feature: Feature) -> bool:
    return memory_of(feature.series) in {"pointwise", "window"}


CLOCKED = [feature for feature in VARIANTS if looks_at_a_clock(feature)]
WINDOWED = [feature for feature in VARIANTS if is_windowed(feature)]
