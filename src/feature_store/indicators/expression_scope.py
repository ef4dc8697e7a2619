"""What an expression sees while it is read, and the nodes it makes: counted, and without infinities where they would tell.

A product of prices can be beyond the numbers. Sums and comparisons of such a product would turn infinity into an answer, or
into the state of a window; so it is taken out, made not known, before a comparison, a condition or a call sees it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from feature_store.indicators.series import Series, finite, number, operation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.indicators.expression_names import Graph
    from feature_store.indicators.expression_numbers import Known, Scalar

_PLAIN_FACTOR = 1e3
"""Up to this, a constant factor needs no look at whether the product is still a number: 32 of them are 1e96."""

_CONDITIONS = frozenset({">", "<", ">=", "<=", "same", "both", "either", "is_known"})


@dataclass(eq=False)
class Scope:
    """What the expressions of one indicator see while they are read, and what they have touched of it.

    Args:
        columns: the bar's columns, or the series that stand for them.
        known: the parameters.
        graph: counts what is made.
        outputs: the outputs that were read before, by name.
        touched: the columns and parameters that were used.
        unbounded: keys of products that may be infinite.
    """

    columns: Mapping[str, Series]
    known: Mapping[str, Known]
    graph: Graph
    outputs: dict[str, Series] = field(default_factory=dict)
    touched: set[str] = field(default_factory=set)
    unbounded: set[str] = field(default_factory=set)

    def parameter(self, name: str) -> Known:
        """Return a parameter."""
        self.touched.add(name)
        return self.known[name]

    def column(self, name: str) -> Series:
        """Return a bar column."""
        self.touched.add(name)
        return self.made(self.columns[name])

    def made(self, node: Series) -> Series:
        """Count a node; that also gives it its key before anything deep is built on it."""
        self.graph.take([node])
        return node

    def series(self, value: Series | Scalar) -> Series:
        """Return a number as a node."""
        return value if isinstance(value, Series) else self.made(number(value.value))

    def operation(self, name: str, *operands: Series) -> Series:
        """Return an operation, remembered where it may be infinite."""
        node = self.made(operation(name, *operands))
        factors = [abs(each.what) if each.kind == "number" else None for each in operands]
        product = name == "*" and all(factor is None or factor > _PLAIN_FACTOR for factor in factors)
        if product or (name != "/" and any(each.key in self.unbounded for each in operands)):
            self.unbounded.add(node.key)
        return node

    def bounded(self, node: Series) -> Series:
        """Return the series, infinities taken out where it is a product that could have any."""
        return self.made(finite(node)) if node.key in self.unbounded else node

    def compared(self, name: str, a: Series, b: Series | float) -> Series:
        """Return 1 where a comparison holds."""
        return self.made(operation(name, a, b))

    def negated(self, node: Series) -> Series:
        """Return 1 where the series is 0."""
        return self.compared("same", node, 0.0)

    def condition(self, node: Series) -> Series:
        """Return 1 where the series is not 0; the series itself where it is nothing but 0 and 1."""
        found = self.bounded(node)
        is_one = found.kind == "operation" and found.what in _CONDITIONS
        return found if is_one else self.negated(self.negated(found))

    def joined(self, name: str, conditions: list[Series]) -> Series:
        """Return 1 where both, or either, of all conditions hold."""
        found = conditions[0]
        for each in conditions[1:]:
            found = self.made(operation(name, found, each))
        return found
