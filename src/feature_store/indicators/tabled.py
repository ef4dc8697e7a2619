"""Steps that read a table: a name in the step stands for a number, or for numbers that are looked up by their place.

The numbers become part of the step's text. So they are part of its version, the compiler sees constants, and one step goes
through a table in a loop.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from feature_store.indicators.definition import Definition, define

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Table = float | tuple[float, ...]
"""A number, or several, of which the step reads `TABLE[place]`."""


@dataclass(frozen=True, eq=False)
class Tabled(Definition):
    """A step in whose text names stand for numbers."""

    tables: Mapping[str, Table] = field(default_factory=dict)

    @cached_property
    def tree(self) -> ast.FunctionDef:
        """The function's syntax tree with the numbers in the place of the names."""
        spelt: ast.FunctionDef = _Spelt(self.tables).visit(super().tree)
        return spelt


def tabled_step(
    tables: Mapping[str, Table], *, state: str, **options: Any
) -> Callable[[Callable[..., Any]], Definition]:
    """Make a step that reads these tables; state and options are those of `definition.step`."""

    def register(function: Callable[..., Any]) -> Definition:
        made = define(function, state=state, **options)
        return Tabled(**{each.name: getattr(made, each.name) for each in fields(made)}, tables=tables)

    return register


class _Spelt(ast.NodeTransformer):
    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.tables = tables

    def visit_Name(self, node: ast.Name) -> ast.AST:
        table = self.tables.get(node.id)
        return node if table is None else ast.parse(repr(table), mode="eval").body
