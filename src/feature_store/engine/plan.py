"""Many features at once: what they share computed once, fused into a few loops, on all cores.

1. Each feature becomes series; equal series of different features are one.
2. Features are grouped, those that share steps together, about eight to a loop: a loop of that size keeps its state in
   registers and compiles in about a second (measured: docs/why/0002).
3. Each loop reads the bar columns and writes its rows of the answer; loops release the interpreter's lock and run on threads
   where there are bars enough.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from feature_store.clock import CLOCK
from feature_store.engine.loop import Loop
from feature_store.errors import InvalidRequestError
from feature_store.indicators.catalog import Feature, parse
from feature_store.indicators.series import Series, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.bars import Floats, Integers

FEATURES_A_LOOP = 8
STEPS_A_LOOP = 12
_BARS_WORTH_A_THREAD = 20_000


@dataclass(frozen=True, eq=False)
class Plan:
    """Features made ready to run; the same features give the same plan object."""

    features: tuple[Feature, ...]

    def __repr__(self) -> str:
        return f"<Plan {len(self.features)} features in {len(self.loops)} loops>"

    @classmethod
    def of(cls, features: Iterable[str | Feature]) -> Plan:
        """Return the plan of feature ids; raises what `parse` raises, and InvalidRequestError for none or another timeframe's.

        >>> Plan.of(["sma_50", "macd"]).columns
        ('sma_50', 'macd.line', 'macd.signal', 'macd.histogram')
        """
        made = tuple(each if isinstance(each, Feature) else parse(each) for each in features)
        return _plan(made, tuple(each.asked for each in made))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The label of each row of the answer."""
        return tuple(column for feature in self.features for column in feature.columns)

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """The series of each row of the answer."""
        return tuple(node for feature in self.features for node in feature.series)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The bar columns and clocks it needs."""
        return tuple(dict.fromkeys(node.what for node in in_order(self.series) if node.kind == "price"))

    @cached_property
    def prices(self) -> tuple[str, ...]:
        """The inputs that a bar holds."""
        return tuple(name for name in self.inputs if name not in CLOCK)

    @cached_property
    def clock(self) -> tuple[str, ...]:
        """The inputs that follow from the time at which a bar opens."""
        return tuple(name for name in self.inputs if name in CLOCK)

    @cached_property
    def versions(self) -> dict[str, str]:
        """Column -> version of its definition."""
        return {column: feature.version for feature in self.features for column in feature.columns}

    @cached_property
    def warmups(self) -> dict[str, int]:
        """Column -> first row of clean bars with a value."""
        return {c: row for f in self.features for c, row in zip(f.columns, f.warmups, strict=True)}

    @cached_property
    def settlings(self) -> dict[str, int]:
        """Column -> first row on which no seed weighs more than 1e-8."""
        return {c: row for f in self.features for c, row in zip(f.columns, f.settlings, strict=True)}

    @cached_property
    def loops(self) -> tuple[Loop, ...]:
        """The loops, in the order in which `rows` names their answers."""
        return tuple(
            Loop(tuple(dict.fromkeys(node for f in group for node in f.series))) for group in _groups(self.features)
        )

    @cached_property
    def bounds(self) -> tuple[int, ...]:
        """Where each loop's words begin in the plan's, and where the last one's end."""
        return (0, *np.cumsum([len(loop.words) for loop in self.loops]).tolist())

    @cached_property
    def rows(self) -> tuple[int, ...]:
        """For each column, its row in the loops' stacked answers; columns of equal series share one."""
        place = {node: row for row, node in enumerate(node for loop in self.loops for node in loop.roots)}
        return tuple(place[node] for node in self.series)

    @cached_property
    def height(self) -> int:
        """How many rows the loops' stacked answers have."""
        return sum(len(loop.roots) for loop in self.loops)

    @cached_property
    def words(self) -> Integers:
        """Parameters and initial state of all loops; copy before running."""
        return np.concatenate([loop.words for loop in self.loops])

    def run(self, columns: Mapping[str, Floats], words: Integers | None = None) -> Floats:
        """Return one row for each of `columns`: float64, rows x bars.

        Args:
            columns: contiguous float64 arrays of one length n, finite or NaN, for each of `inputs`.
            words: state to continue from, changed in place to the state after the last bar; None begins anew.
        """
        words = self.words.copy() if words is None else words
        bars = len(columns[self.inputs[0]])
        out = np.empty((self.height, bars))
        jobs = []
        top = 0
        for place, loop in enumerate(self.loops):
            rows, mine = out[top : top + len(loop.roots)], words[self.bounds[place] : self.bounds[place + 1]]
            jobs.append((loop.run, (*(columns[name] for name in loop.columns), mine, rows)))
            top += len(loop.roots)
        if len(jobs) > 1 and bars >= _BARS_WORTH_A_THREAD:
            for done in [_threads().submit(run, *arguments) for run, arguments in jobs]:
                done.result()
        else:
            for run, arguments in jobs:
                run(*arguments)
        return out if self.rows == tuple(range(self.height)) else out[list(self.rows)]


@lru_cache(maxsize=256)
def _plan(features: tuple[Feature, ...], _asked: tuple[str, ...]) -> Plan:
    """Return the plan; `rsi` and `rsi_14` are equal features with columns of their own, so the words asked count too."""
    if not features:
        msg = "name at least one feature, such as sma_50"
        raise InvalidRequestError(msg, field="indicators")
    elsewhere = next((feature for feature in features if feature.timeframe or feature.symbols), None)
    if elsewhere is not None:
        msg = f"{elsewhere.asked} is of other bars than these; ask a store, which joins timeframes and symbols by time"
        raise InvalidRequestError(msg, field="indicators")
    return Plan(features)


def _groups(features: tuple[Feature, ...]) -> list[list[Feature]]:
    """Return the features in groups of a loop each: the first left over, then whatever shares most steps with its group."""
    steps = {feature: {n.key for n in in_order(feature.series) if n.kind == "step"} for feature in features}
    left = list(dict.fromkeys(features))
    groups = []
    while left:
        group = [left.pop(0)]
        held = set(steps[group[0]])
        while left and len(group) < FEATURES_A_LOOP:
            best = max(left, key=lambda each: len(steps[each] & held))
            if len(steps[best] | held) > STEPS_A_LOOP:
                break
            left.remove(best)
            group.append(best)
            held |= steps[best]
        groups.append(group)
    return groups


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="feature-store-loop")
