"""Lowering: a step's function becomes the statements of a loop's body, its state local variables.

1. `s.field` becomes the local `a3s_field` (3 is the node's place in the plan), a name of the step's own `a3_name`, an input the
   variable that holds it. `s.window[j]` becomes `take(words, a3s_window + j)`, the local being where the window begins.
2. `return value` becomes an assignment to the node's outputs and a `break` out of a loop that runs once; a `return` inside a
   loop of the step would break the wrong loop and is refused when the indicator is first used.
3. The text is inlined, so that state stays in registers from bar to bar.

Nothing here runs user input: steps are functions of installed code.
"""

from __future__ import annotations

import ast
import copy
from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feature_store.indicators.definition import Definition, StateField

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
    names = {f"in_{name}": variable for name, variable in inputs.items()}
    names |= {f"out_{place}": variable for place, variable in enumerate(outputs)}
    lines = _template(definition).format(prefix=prefix, **names).splitlines()
    return ["while True:", *(f"    {line}" for line in lines)]


@lru_cache(maxsize=4096)
def _template(definition: Definition) -> str:
    """Return the lines with {prefix}, {in_close} and {out_0} where a loop puts names; made once, as it takes milliseconds."""
    tree = copy.deepcopy(definition.tree)
    _refuse_what_cannot_be_lowered(definition, tree)
    inputs = {name: f"{{in_{name}}}" for name in definition.inputs}
    outputs = [f"{{out_{place}}}" for place in range(len(definition.outputs))]
    suffixes = {field.name: suffix_of(field) for field in definition.fields}
    body = _Lowering("{prefix}", inputs, outputs, suffixes).visit(ast.Module(tree.body, []))
    return ast.unparse(ast.fix_missing_locations(body))


def state_name(prefix: str, field: str) -> str:
    """Return the local variable of a state field; apart from the step's own names, which may be equal."""
    return f"{prefix}s_{field}"


def suffix_of(field: StateField) -> str:
    """Return what `take` and `put` of a state field end in."""
    return "_int" if field.whole else ""


class _Lowering(ast.NodeTransformer):
    def __init__(
        self, prefix: str, inputs: Mapping[str, str], outputs: Sequence[str], suffixes: Mapping[str, str]
    ) -> None:
        self.prefix, self.inputs, self.outputs, self.suffixes = prefix, inputs, outputs, suffixes

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        if isinstance(node.value, ast.Tuple):
            return ast.Call(ast.Name("pick", ast.Load()), [node.value, self.visit(node.slice)], [])
        return self._cell("take", node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        (target,) = node.targets
        if isinstance(target, ast.Subscript):
            return ast.Expr(self._cell("put", target, self.visit(node.value)))
        return self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        if isinstance(node.target, ast.Subscript):
            changed = ast.BinOp(self.visit(node.target), node.op, self.visit(node.value))
            return ast.Expr(self._cell("put", node.target, changed))
        return self.generic_visit(node)

    def _cell(self, what: str, node: ast.Subscript, *written: ast.expr) -> ast.Call:
        """Return the call that reads or writes `s.window[j]`."""
        window = cast("ast.Attribute", node.value)  # anything else was refused
        base = ast.Name(state_name(self.prefix, window.attr), ast.Load())
        place = ast.BinOp(base, ast.Add(), self.visit(node.slice))
        name = ast.Name(what + self.suffixes[window.attr], ast.Load())
        return ast.Call(name, [ast.Name("words", ast.Load()), place, *written], [])

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
    fields = {f"s.{field.name}": field for field in definition.fields}
    why = None
    match node:
        case ast.For() | ast.While() if any(isinstance(below, ast.Return) for below in ast.walk(node)):
            why = "returns inside a loop; assign in the loop and return after it"
        case ast.Return(value=None):
            why = "returns nothing; return math.nan where there is no value"
        case ast.Subscript(value=ast.Tuple()):
            pass
        case ast.Subscript(value=value) if not getattr(fields.get(ast.unparse(value)), "window", None):
            why = f"looks into {ast.unparse(value)}, which is no window of its state"
        case ast.Name(id=name, ctx=ast.Store()) if name in given:
            why = f"assigns to {name}, which other steps read too; give the new value a name of its own"
        case ast.Attribute(value=ast.Name(id="s")) if ast.unparse(node) not in fields:
            why = f"uses {ast.unparse(node)}, which its state does not list"
        case _ if isinstance(node, _TOO_MUCH):
            why = "uses more than arithmetic, conditions and loops; write it out"
    return why


def _refuse(definition: Definition, node: ast.AST, why: str) -> None:
    msg = f"{definition.name}, line {getattr(node, 'lineno', 0)} of its function: {why}"
    raise TypeError(msg)
