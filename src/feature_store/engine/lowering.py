"""Lowering: a step's function becomes the statements of a loop's body, its state local variables.

1. `s.field` becomes the local `a3s_field` (3 is the node's place in the plan), a name of the step's own `a3_name`, an input the
   variable that holds it.
2. `return value` becomes an assignment to the node's outputs and a `break` out of a loop that runs once; a `return` inside a
   loop of the step would break the wrong loop and is refused when the indicator is first used.
3. The text is inlined, as a call costs: an array argument is counted on every call, 2.0 -> 6.5 ns a bar.

Nothing here runs user input: steps are functions of installed code.
"""

from __future__ import annotations

import ast
import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feature_store.indicators.definition import Definition

_KNOWN = frozenset({"max", "min", "abs", "math", "range", "int", "float", "True", "False", "fma"})
_TOO_MUCH = (
    ast.Lambda,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Try,
    ast.With,
    ast.Yield,
    ast.FunctionDef,
)


def lower(definition: Definition, prefix: str, inputs: Mapping[str, str], outputs: Sequence[str]) -> list[str]:
    """Return the lines of one step inside a loop's body.

    Args:
        definition: a step.
        prefix: what its locals begin with, unique in the loop.
        inputs: its input names -> the variables that hold their values.
        outputs: the variables its values go to, in order.

    Raises TypeError for a function that cannot be lowered, naming the indicator, the line and the way out.
    """
    tree = copy.deepcopy(definition.tree)
    _refuse_what_cannot_be_lowered(definition, tree)
    body = _Lowering(prefix, inputs, outputs).visit(ast.Module(tree.body, []))
    lines = ast.unparse(ast.fix_missing_locations(body)).splitlines()
    return ["while True:", *(f"    {line}" for line in lines)]


def state_name(prefix: str, field: str) -> str:
    """Return the local variable of a state field; apart from the step's own names, which may be equal."""
    return f"{prefix}s_{field}"


class _Lowering(ast.NodeTransformer):
    def __init__(self, prefix: str, inputs: Mapping[str, str], outputs: Sequence[str]) -> None:
        self.prefix, self.inputs, self.outputs = prefix, inputs, outputs

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name) and node.value.id == "s":
            return ast.Name(state_name(self.prefix, node.attr), node.ctx)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if node.id in _KNOWN:
            return node
        return ast.Name(self.inputs.get(node.id, f"{self.prefix}_{node.id}"), node.ctx)

    def visit_Return(self, node: ast.Return) -> list[ast.stmt]:
        self.generic_visit(node)
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        assigned: list[ast.stmt] = [
            ast.Assign([ast.Name(name, ast.Store())], value)  # type: ignore[arg-type]
            for name, value in zip(self.outputs, values, strict=True)
        ]
        return [*assigned, ast.Break()]


def _refuse_what_cannot_be_lowered(definition: Definition, tree: ast.FunctionDef) -> None:
    for node in ast.walk(tree):
        why = None if node is tree else _why_not(node, definition)
        if why is not None:
            _refuse(definition, node, why)
    if not isinstance(tree.body[-1], (ast.Return, ast.If)):
        _refuse(definition, tree.body[-1], "must end in a return")


def _why_not(node: ast.AST, definition: Definition) -> str | None:
    given = {*definition.inputs, *definition.parameters}
    if isinstance(node, (ast.For, ast.While)) and any(isinstance(below, ast.Return) for below in ast.walk(node)):
        return "returns inside a loop; assign in the loop and return after it"
    if isinstance(node, ast.Return) and node.value is None:
        return "returns nothing; return math.nan where there is no value"
    if isinstance(node, _TOO_MUCH):
        return "uses more than arithmetic, conditions and loops; write it out"
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in given:
        return f"assigns to {node.id}, which other steps read too; give the new value a name of its own"
    fields = {field.name for field in definition.fields}
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "s" and node.attr not in fields:
        return f"uses s.{node.attr}, which its state does not list"
    return None


def _refuse(definition: Definition, node: ast.AST, why: str) -> None:
    msg = f"{definition.name}, line {getattr(node, 'lineno', 0)} of its function: {why}"
    raise TypeError(msg)
