"""Which features go into which loop.

1. A loop holds as many steps as keep their state in registers (measured: docs/why/0002). What a step weighs is the size of its
   text.
2. Features that share steps go into one loop while there is room; one that is too large for any loop is cut.
3. A node that rests on a step has one home, and is handed as a column to the later loops that need it. So what features in
   different loops share is computed once. What follows from the bar alone, such as `high - low`, is cheaper computed again.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

from feature_store.engine.loop import Loop
from feature_store.indicators.series import in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from feature_store.indicators.definition import Definition
    from feature_store.indicators.series import Series

WEIGHT_OF_A_LOOP = 2000
_WEIGHT_OF_AN_OPERATION = 8


def fuse(features: Sequence[tuple[Series, ...]]) -> tuple[tuple[Loop, ...], tuple[tuple[int, ...], ...]]:
    """Return the loops in the order in which they run, and for each the rows of the answer that it fills.

    Args:
        features: the series of each feature; the rows of the answer are all of them, one after another.
    """
    homes, answered = _homes(features)
    count = max(answered.values()) + 1
    answers = [node for series in features for node in series]
    rows = tuple(tuple(row for row, node in enumerate(answers) if answered[node] == place) for place in range(count))
    handed: list[dict[Series, None]] = [{} for _ in range(count)]
    loops = []
    for place in reversed(range(count)):  # the last first, as it says what the earlier ones must hand on
        mine = tuple(answers[row] for row in rows[place])
        given = tuple(_given((*mine, *handed[place]), homes, place))
        for node in given:
            handed[homes[node]][node] = None
        loops.append(Loop(mine, tuple(handed[place]), given))
    return tuple(reversed(loops)), rows


def _homes(features: Sequence[tuple[Series, ...]]) -> tuple[dict[Series, int], dict[Series, int]]:
    """Return the loop of every node that rests on a step, and the loop that answers for each series."""
    homes: dict[Series, int] = {}
    answered: dict[Series, int] = {}
    left = {series: _resting_on_steps(series) for series in features}
    place, weight = 0, 0
    company: set[Series] = set()
    while left:
        series = max(left, key=lambda each: len(company & left[each].keys()))
        new = {node: heavy for node, heavy in left[series].items() if node not in homes}
        if weight and weight + sum(new.values()) > WEIGHT_OF_A_LOOP:
            place, weight, company = place + 1, 0, set()
            series = next(iter(left))
            new = {node: heavy for node, heavy in left[series].items() if node not in homes}
        for node, heavy in new.items():
            if heavy and weight and weight + heavy > WEIGHT_OF_A_LOOP:
                place, weight, company = place + 1, 0, set()
            homes[node] = homes[node.inputs[0]] if node.kind == "output" else place
            weight += heavy
            company.add(node)
        for node in series:
            answered.setdefault(node, homes.get(node, place))
        del left[series]
    return homes, answered


def _resting_on_steps(series: Iterable[Series]) -> dict[Series, int]:
    """Return the nodes that rest on a step, inputs before what uses them, and what each weighs."""
    found: dict[Series, int] = {}
    for node in in_order(series):
        if node.kind == "step":
            found[node] = weight_of(node.what)
        elif any(below in found for below in node.inputs):
            found[node] = 0 if node.kind == "output" else _WEIGHT_OF_AN_OPERATION
    return found


@lru_cache(maxsize=4096)
def weight_of(definition: Definition) -> int:
    """Return the size of a step's text, in nodes of its syntax tree."""
    return sum(1 for _ in ast.walk(definition.tree))


def _given(roots: Iterable[Series], homes: dict[Series, int], place: int) -> Iterable[Series]:
    """Return the nodes below `roots` that are computed before the loop `place`, none of them below another."""
    pending = list(roots)
    seen: set[Series] = set()
    given: dict[Series, None] = {}
    while pending:
        node = pending.pop()
        if node in seen:
            continue
        seen.add(node)
        if homes.get(node, place) < place:
            given[node] = None
        else:
            pending.extend(reversed(node.inputs))
    return given
