"""Graphs without a compiler: steps run as the Python functions that they are. Slow a bar, but nothing has to be compiled."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np

from feature_store.indicators.series import Series, in_order

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.bars import Floats

OPERATIONS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "neg": np.negative,
    "abs": np.abs,
    "sign": np.sign,
    "sqrt": np.sqrt,
    "log": np.log,
    "exp": np.exp,
    "sin": np.sin,
    "atan": np.arctan,
    "floor": np.floor,
    "least": np.minimum,
    "greatest": np.maximum,
    ">": np.greater,
    "<": np.less,
    ">=": np.greater_equal,
    "<=": np.less_equal,
    "same": np.equal,
    "both": np.logical_and,
    "either": np.logical_or,
    "where": np.where,
    "finite": lambda a: np.where(np.isfinite(a), a, np.nan),
}


def interpret(series: Iterable[Series], columns: Mapping[str, Floats], known: dict[str, Floats]) -> list[Floats]:
    """Return the values of each series over the columns; `known` remembers nodes by their keys from call to call."""
    roots = list(series)
    for node in in_order(roots):
        if node.key not in known:
            known[node.key] = _values(node, [known[below.key] for below in node.inputs], columns)
    return [known[root.key] for root in roots]


def _values(node: Series, inputs: list[Floats], columns: Mapping[str, Floats]) -> Floats:
    rows = len(columns["close"])
    if node.kind == "price":
        return columns[node.what]
    if node.kind == "number":
        return np.full(rows, node.what)
    if node.kind == "output":
        return inputs[0][node.what]
    if node.kind == "step":
        return _stepped(node, inputs)
    with np.errstate(all="ignore"):
        values = np.asarray(OPERATIONS[node.what](*inputs), dtype=float)
    chosen = inputs[1:] if node.what == "where" else inputs
    return np.where(np.isnan(chosen).any(axis=0) & (node.what not in {"where", "finite"}), np.nan, values)


def _stepped(node: Series, inputs: list[Floats]) -> Floats:
    """Run a step on every bar on which all its inputs are finite; a row for each of its outputs."""
    definition, outputs = node.what, len(node.what.outputs)
    parameters = dict(zip(definition.parameters, node.parameters, strict=True))
    state = SimpleNamespace(**{each.name: _initial(each, parameters) for each in definition.fields})
    values = np.full((outputs, len(inputs[0])), np.nan)
    for row in np.flatnonzero(np.isfinite(inputs).all(axis=0)).tolist():
        answer = definition.function(state, *(float(column[row]) for column in inputs), **parameters)
        values[:, row] = answer
    return values


def _initial(field, parameters):
    start = [int(each) if field.whole else each for each in field.start(parameters)]
    return start[0] if field.window is None else start
