"""One loop for several features: its source text, and its compiled function from the disk cache.

The text of a loop is its identity. It depends on which nodes there are and how they are wired, not on their parameters, so
that `sma_50` and `sma_20` share a compiled loop; parameters stand in the same words as the state.

    def run(bars, close, given0, words, out0, spare0):
        ...each node's parameters and state fields are read into local variables...
        for t in range(bars):
            ...each node's lines; a step runs on bars where all its inputs are known, or leaves its state as it is...
            put(out0, t, y7)
            put(spare0, t, y3)
        ...state fields are written back...

A loop may be handed columns by loops that ran before it, `given0`, and hand on columns of its own, `spare0`, so that what
features in different loops share is computed once. The text is compiled by `compiler`.

NaN is the one mark of "not known": prices are finite or NaN, and a quotient or a logarithm that is not
finite becomes NaN.

A node's words are its parameters, its numbers and its windows, one after another, in the order of the nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.engine import generated
from feature_store.engine.lowering import lower, state_name, suffix_of
from feature_store.indicators.series import Series, in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feature_store.bars import Integers
    from feature_store.indicators.definition import Definition
    from feature_store.indicators.parameters import Value

_OPERATIONS = {
    "+": "{0} + {1}",
    "-": "{0} - {1}",
    "*": "{0} * {1}",
    "/": "{0} / {1}",
    "neg": "-{0}",
    "abs": "abs({0})",
    ">": "above({0}, {1})",
    "<": "below({0}, {1})",
    ">=": "at_least({0}, {1})",
    "<=": "at_most({0}, {1})",
    "same": "same({0}, {1})",
    "both": "{0} * {1}",  # conditions are 0, 1 or NaN
    "either": "{0} + {1} - {0} * {1}",
    "where": "choose({0}, {1}, {2})",
    "finite": "{0} + ({0} - {0})",  # infinity less infinity is NaN
    "is_known": "1.0 if {0} == {0} else 0.0",
    "least": "least({0}, {1})",
    "greatest": "greatest({0}, {1})",
    "sign": "(1.0 if {0} > 0.0 else -1.0 if {0} < 0.0 else 0.0) if {0} == {0} else math.nan",
    **{name: f"math.{name}({{0}})" for name in ("sqrt", "log", "exp", "sin", "cos", "atan")},
    "floor": "floor({0})",
}
_MAY_LEAVE_THE_NUMBERS = frozenset({"/", "log", "exp", "sqrt"})


@dataclass(frozen=True, eq=False)
class Loop:
    """One generated loop: bar columns, given columns and words in, answers and columns to hand on out.

    Args:
        answers: the node of each row of the answer that it fills.
        handed: the node of each row of `spare` that it fills, for later loops.
        given: nodes that earlier loops hand to it.
    """

    answers: tuple[Series, ...]
    handed: tuple[Series, ...] = ()
    given: tuple[Series, ...] = ()

    def __repr__(self) -> str:
        return f"<Loop answers={len(self.answers)} nodes={len(self.nodes)} words={len(self.words)}>"

    @cached_property
    def nodes(self) -> tuple[Series, ...]:
        """Every node that it computes, inputs before what uses them."""
        return tuple(in_order((*self.answers, *self.handed), self.given))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The bar columns it reads, in the order of its arguments."""
        return tuple(node.what for node in self.nodes if node.kind == "price")

    @cached_property
    def words(self) -> Integers:
        """Parameters and initial state, as 8-byte words; copy before running."""
        parts = [_initial_words(node) for node in self.nodes if node.kind in {"step", "number"}]
        return np.concatenate([np.empty(0, np.int64), *parts])

    @cached_property
    def text(self) -> str:
        """The module that holds the loop."""
        return _source(self)

    @cached_property
    def address(self) -> int:
        """Where its machine code stands; the first time on a machine this takes a moment."""
        return generated.address(self.text, len(self.answers))


# ---------------------------------------------------------------- source
def _source(loop: Loop) -> str:
    given = [f"given{place}" for place in range(len(loop.given))]
    names = {node.key: f"y{place}" for place, node in enumerate((*loop.nodes, *loop.given))}
    before, after = ["p = 0"], []
    body = [f"{names[node.key]} = take({column}, t)" for node, column in zip(loop.given, given, strict=True)]
    outputs = _outputs(loop.nodes)
    for place, node in enumerate(loop.nodes):
        mine = names[node.key]
        if node.kind == "price":
            body.append(f"{mine} = take({node.what}, t)")
        elif node.kind == "number":
            before += [f"{mine} = take(words, p)", "p += 1"]
        elif node.kind == "operation":
            body.append(f"{mine} = " + _OPERATIONS[node.what].format(*(names[n.key] for n in node.inputs)))
            if node.what in _MAY_LEAVE_THE_NUMBERS:
                body += [f"if not known({mine} - {mine}):", f"    {mine} = math.nan"]
        elif node.kind == "step":
            targets = [names.get(o.key, f"y{place}_{i}") for i, o in enumerate(outputs[node.key])]
            before += _read_state(node.what, f"a{place}")
            after += _write_state(node.what, f"a{place}")
            body += _guarded_step(node, f"a{place}", [names[n.key] for n in node.inputs], targets)
    outs = [f"out{row}" for row in range(len(loop.answers))]
    spares = [f"spare{row}" for row in range(len(loop.handed))]
    body += [f"put({out}, t, {names[node.key]})" for out, node in zip(outs, loop.answers, strict=True)]
    body += [f"put({spare}, t, {names[node.key]})" for spare, node in zip(spares, loop.handed, strict=True)]
    lines = [
        f"def run({', '.join(['bars', *loop.columns, *given, 'words', *outs, *spares])}):",
        *_indent([*before, "for t in range(bars):"]),
        *_indent(_indent(body)),
        *_indent(after),
    ]
    return "\n".join(lines) + "\n"


def _outputs(nodes: Sequence[Series]) -> dict[str, list[Series]]:
    """Each step's outputs as nodes, those that nobody asked for included."""
    steps = [node for node in nodes if node.kind == "step"]
    return {s.key: [Series("output", i, (s,)) for i in range(len(s.what.outputs))] for s in steps}


def _guarded_step(node: Series, prefix: str, inputs: Sequence[str], targets: Sequence[str]) -> list[str]:
    total = " + ".join(dict.fromkeys(inputs))  # NaN where any of them is
    by_name = dict(zip(node.what.inputs, inputs, strict=True))
    missing = [f"{target} = math.nan" for target in targets]
    return [f"if known({total}):", *_indent(lower(node.what, prefix, by_name, targets)), "else:", *_indent(missing)]


def _read_state(definition: Definition, prefix: str) -> list[str]:
    lines = []
    for name, parameter in definition.parameters.items():
        lines += [f"{prefix}_{name} = {'take_int' if parameter.whole else 'take'}(words, p)", "p += 1"]
    for field in definition.fields:
        local = state_name(prefix, field.name)
        if field.window is None:
            lines += [f"{local} = take{suffix_of(field)}(words, p)", f"{local}_at = p", "p += 1"]
        else:
            size = f"{prefix}_{field.window.size}" if field.window.size else "1"
            length = f"{size} * {field.window.times} + {field.window.extra}"
            lines += [f"{local} = p", f"p += {length}"]
    return lines


def _write_state(definition: Definition, prefix: str) -> list[str]:
    locals_ = ((suffix_of(f), state_name(prefix, f.name)) for f in definition.fields if f.window is None)
    return [f"put{suffix}(words, {local}_at, {local})" for suffix, local in locals_]


def _indent(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]


# ---------------------------------------------------------------- words
def _initial_words(node: Series) -> Integers:
    if node.kind == "number":
        return _words([node.what], whole=False)
    definition: Definition = node.what
    parameters: Mapping[str, Value] = dict(zip(definition.parameters, node.parameters, strict=True))
    parts = [_words([parameters[name]], whole=p.whole) for name, p in definition.parameters.items()]
    parts += [_words(f.start(parameters), whole=f.whole) for f in definition.fields]
    return np.concatenate([np.empty(0, np.int64), *parts])


def _words(values: Sequence[Any], *, whole: bool) -> Integers:
    return np.array(values, np.int64) if whole else np.array(values, np.float64).view(np.int64)
