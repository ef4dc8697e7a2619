"""When a feature's values begin and when they can be trusted, derived from the steps it is made of."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Literal

from feature_store.indicators.series import in_order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from feature_store.indicators.parameters import Value
    from feature_store.indicators.series import Series

Memory = Literal["pointwise", "window", "recursive", "accumulator", "state machine"]
_SHORT_TO_LONG: tuple[Memory, ...] = ("pointwise", "window", "recursive", "state machine", "accumulator")

NEVER = 2**62
"""The settled row of an anchored accumulator: its values depend on where the series began, for ever."""


def warmup_of(node: Series) -> int:
    """Return the first row, counted from 0, on which a series of clean bars has a value."""
    return _first_row(node, fading=False)


def settled_of(node: Series) -> int:
    """Return the first row on which every seed's weight is below 1e-8, `NEVER` where values depend on the anchor."""
    return _first_row(node, fading=True)


def memory_of(series: Iterable[Series]) -> Memory:
    """Return what the values depend on: the longest memory of any step below them."""
    found = (_SHORT_TO_LONG.index(node.what.memory) for node in in_order(series) if node.kind == "step")
    return _SHORT_TO_LONG[max(found, default=0)]


def _first_row(node: Series, *, fading: bool) -> int:
    rows: dict[str, int] = {}
    for each in in_order([node]):
        row = max((rows[below.key] for below in each.inputs), default=0)
        if each.kind == "step":
            parameters = dict(zip(each.what.parameters, each.parameters, strict=True))
            row += _evaluate(each.what.lag, parameters)
            row += _evaluate(each.what.fade, parameters) if fading else 0
            row = NEVER if fading and each.what.memory == "accumulator" else row
        rows[each.key] = min(row, NEVER)
    return rows[node.key]


def _evaluate(rule: Callable[..., int] | None, parameters: Mapping[str, Value]) -> int:
    if rule is None:
        return 0
    return rule(**{name: parameters[name] for name in inspect.signature(rule).parameters})
