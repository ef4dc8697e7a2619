"""The kind of every variable and value of a loop's text: a truth value, a whole number of 64 bits or a float64.

A variable has the first of these kinds that holds all that is ever assigned to it.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TRUTH, WHOLE, NUMBER = 0, 1, 2
"""Kinds, the later ones able to hold what the earlier ones do."""


def kinds_of(tree: ast.FunctionDef, given: Mapping[str, int]) -> dict[str, int]:
    """Return the kind of every variable of a function; those of its arguments are given.

    >>> kinds_of(ast.parse("def run(n): x = 0; x += 0.5 * n; odd = n % 2 == 1").body[0], {"n": WHOLE})
    {'n': 1, 'x': 2, 'odd': 0}
    """
    kinds = dict(given)
    assigned = [pair for node in ast.walk(tree) for pair in _assignments(node)]
    settled = False
    while not settled:
        settled = True
        for name, value in assigned:
            kind = max(kinds.get(name, TRUTH), kind_of(value, kinds))
            if kinds.get(name) != kind:
                kinds[name], settled = kind, False
    return kinds


def kind_of(node: ast.expr, kinds: Mapping[str, int]) -> int:
    """Return the kind of a value, as far as the kinds of variables are known."""
    match node:
        case ast.Constant(value=value):
            kind = TRUTH if isinstance(value, bool) else WHOLE if isinstance(value, int) else NUMBER
        case ast.Name(id=name):
            kind = kinds.get(name, TRUTH)
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(op=ast.Not()) | ast.Call(func=ast.Name(id="known")):
            kind = TRUTH
        case ast.UnaryOp(operand=operand):
            kind = max(WHOLE, kind_of(operand, kinds))
        case ast.BinOp(left=left, op=op, right=right):
            kind = NUMBER if isinstance(op, ast.Div) else max(WHOLE, kind_of(left, kinds), kind_of(right, kinds))
        case ast.IfExp(body=body, orelse=orelse):
            kind = max(kind_of(body, kinds), kind_of(orelse, kinds))
        case ast.Call(func=ast.Name(id="int" | "take_int")):
            kind = WHOLE
        case ast.Call(func=ast.Name(id="max" | "min" | "abs"), args=arguments):
            kind = max(kind_of(each, kinds) for each in arguments)
        case _:
            kind = NUMBER
    return kind


def _assignments(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            yield name, value
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            yield from ((ast.unparse(target), value) for target, value in zip(targets, values, strict=True))
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            yield name, value
        case ast.AugAssign(target=ast.Name(id=name), op=op, value=value):
            yield name, ast.BinOp(ast.Name(name), op, value)
        case ast.For(target=ast.Name(id=name)):
            yield name, ast.Constant(0)
