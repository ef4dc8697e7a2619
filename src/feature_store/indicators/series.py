"""The graph that indicators are: prices and numbers at the leaves, steps and pointwise operations above them.

A `Series` is one node. Equal nodes have equal keys, whoever made them, so that what two indicators share is computed once.
Composed indicators and custom expressions build the same nodes; the engine turns nodes into one loop.

    price      what: "close"
    number     what: a float
    operation  what: "+", "where", ...; NaN in, NaN out
    step       what: a definition, with parameters; runs on bars where all its inputs are finite
    output     what: the index of one of a step's outputs
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, reduce
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from feature_store.indicators.parameters import Value

Kind = Literal["price", "number", "operation", "step", "output"]


@dataclass(frozen=True, eq=False)
class Series:
    """A node of the graph: one value a bar, NaN where it is not known."""

    kind: Kind
    what: Any
    inputs: tuple[Series, ...] = ()
    parameters: tuple[Value, ...] = field(default=())

    @cached_property
    def key(self) -> str:
        """A digest of all this node depends on; equal keys mean equal values."""
        what = self.what.content_hash if self.kind == "step" else repr(self.what)
        parts = (self.kind, what, repr(self.parameters), *(node.key for node in self.inputs))
        return blake2b("\x1f".join(parts).encode(), digest_size=16).hexdigest()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Series) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"<Series {self.kind} {self.what}>"

    def __bool__(self) -> bool:
        msg = "a series has no single truth; write where(condition, a, b)"
        raise TypeError(msg)

    def __add__(self, other: Operand) -> Series:
        return operation("+", self, other)

    def __radd__(self, other: Operand) -> Series:
        return operation("+", other, self)

    def __sub__(self, other: Operand) -> Series:
        return operation("-", self, other)

    def __rsub__(self, other: Operand) -> Series:
        return operation("-", other, self)

    def __mul__(self, other: Operand) -> Series:
        return operation("*", self, other)

    def __rmul__(self, other: Operand) -> Series:
        return operation("*", other, self)

    def __truediv__(self, other: Operand) -> Series:
        return operation("/", self, other)

    def __rtruediv__(self, other: Operand) -> Series:
        return operation("/", other, self)

    def __neg__(self) -> Series:
        return operation("neg", self)

    def __abs__(self) -> Series:
        return operation("abs", self)

    def __gt__(self, other: Operand) -> Series:
        return operation(">", self, other)

    def __lt__(self, other: Operand) -> Series:
        return operation("<", self, other)


Operand = Series | float


def price(name: str) -> Series:
    """Return a bar column as a series."""
    return Series("price", name)


def number(value: float) -> Series:
    """Return a constant as a series."""
    return Series("number", float(value))


def operation(name: str, *operands: Operand) -> Series:
    """Return a pointwise operation; numbers among the operands become constants."""
    return Series("operation", name, tuple(o if isinstance(o, Series) else number(o) for o in operands))


def where(condition: Series, then: Operand, otherwise: Operand) -> Series:
    """Return `then` where the condition holds, `otherwise` where it does not, NaN where it is not known."""
    return operation("where", condition, then, otherwise)


def same(a: Operand, b: Operand) -> Series:
    """Return 1 where the two are equal, else 0; NaN where either is not known."""
    return operation("same", a, b)


def at_least(a: Operand, b: Operand) -> Series:
    """Return 1 where `a` is `b` or more, else 0; NaN where either is not known."""
    return operation(">=", a, b)


def at_most(a: Operand, b: Operand) -> Series:
    """Return 1 where `a` is `b` or less, else 0; NaN where either is not known."""
    return operation("<=", a, b)


def both(*conditions: Series) -> Series:
    """Return 1 where all conditions are 1, else 0; NaN where any is not known."""
    return reduce(lambda a, b: operation("both", a, b), conditions)


def either(*conditions: Series) -> Series:
    """Return 1 where any condition is 1, else 0; NaN where any is not known."""
    return reduce(lambda a, b: operation("either", a, b), conditions)


def is_known(a: Series) -> Series:
    """Return 1 where the series has a value, else 0."""
    return operation("is_known", a)


def finite(a: Series) -> Series:
    """Return the value, NaN where it is beyond the numbers: for products that nobody bounds."""
    return operation("finite", a)


def least(a: Operand, b: Operand) -> Series:
    """Return the lower of the two; NaN where either is not known."""
    return operation("least", a, b)


def greatest(a: Operand, b: Operand) -> Series:
    """Return the higher of the two; NaN where either is not known."""
    return operation("greatest", a, b)


def sign(a: Series) -> Series:
    """Return 1 above zero, -1 below, 0 at it."""
    return operation("sign", a)


def sqrt(a: Series) -> Series:
    """Return the square root; NaN below zero."""
    return operation("sqrt", a)


def log(a: Series) -> Series:
    """Return the natural logarithm; NaN at zero and below."""
    return operation("log", a)


def exp(a: Series) -> Series:
    """Return e to the power of the series; NaN where that is beyond the numbers."""
    return operation("exp", a)


def sin(a: Series) -> Series:
    """Return the sine of radians."""
    return operation("sin", a)


def cos(a: Series) -> Series:
    """Return the cosine of radians."""
    return operation("cos", a)


def atan(a: Series) -> Series:
    """Return the arc tangent in radians."""
    return operation("atan", a)


def floor(a: Series) -> Series:
    """Return the largest whole number that is not above."""
    return operation("floor", a)


def in_order(roots: Iterable[Series], given: Iterable[Series] = ()) -> Iterator[Series]:
    """Yield every node below `roots` once, inputs before what uses them; what is `given`, and what lies below, is left out."""
    seen = {node.key for node in given}
    pending = [(node, False) for node in reversed(list(roots))]
    while pending:
        node, ready = pending.pop()
        if ready:
            yield node
        elif node.key not in seen:
            seen.add(node.key)
            pending.append((node, True))
            pending.extend((below, False) for below in reversed(node.inputs))
