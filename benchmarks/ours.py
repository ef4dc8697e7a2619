"""Ours of a function: the plan that computes it, whether it has an id or is an expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import feature_store as fs
from feature_store.engine.plan import Plan
from feature_store.indicators.custom import Draft, custom
from feature_store.indicators.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from benchmarks.functions import Shared
    from feature_store.indicators.feature import Feature

_NAME = "spelt"


def expressed(text: str) -> Feature:
    """Return the feature that an expression is, as a store would register it."""
    return fs.feature(_NAME, registry=Registry({_NAME: (custom(Draft(_NAME, text)),)}))


def plan_of(shared: Shared) -> Plan:
    """Return what computes ours of a shared function."""
    return Plan.of([expressed(shared.ours.removeprefix("="))] if shared.is_expression else shared.ids)


def work(plan: Plan, bars: dict[str, np.ndarray]) -> Callable[[], np.ndarray]:
    """Return the plan over bars as a piece of work."""
    held = {name: bars[name] for name in plan.inputs}
    return lambda: plan.run(held)
