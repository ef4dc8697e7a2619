"""Numbers in expressions that are known before any bar, such as `2 * n - 1`, with the range that they may take.

A parameter ranges over its bounds, a constant over itself. So an expression that is registered keeps the rules of all it calls
for whatever its parameters will be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from feature_store.indicators.parameters import Parameter, Value

MAX_CONSTANT = 1e12


@dataclass(frozen=True, eq=False)
class Scalar:
    """A number: its value, the least and the most it may be, and whether it is always whole."""

    value: float
    low: float
    high: float
    whole: bool

    @classmethod
    def of(cls, value: float) -> Scalar:
        """Return the number that is always the same."""
        return cls(value, value, value, whole=float(value).is_integer())

    @property
    def is_fixed(self) -> bool:
        """Whether it is the same whatever the parameters."""
        return self.low == self.high

    @property
    def may_be_zero(self) -> bool:
        """Whether 0 is in its range."""
        return self.low <= 0.0 <= self.high

    def __neg__(self) -> Scalar:
        return Scalar(-self.value, -self.high, -self.low, self.whole)

    def combined(self, sign: str, other: Scalar) -> Scalar:
        """Return `self sign other`; raises InvalidRequestError where that may be no number, or one beyond the bounds."""
        if sign in {"/", "//"} and other.may_be_zero:
            raise InvalidRequestError("this divides by 0" if other.is_fixed else "this may come to divide by 0")
        whole = self.whole and other.whole
        if sign == "//" and not whole:
            raise InvalidRequestError("// divides whole numbers; write / of others")
        compute = _SIGNS[sign]
        ends = [compute(a, b) for a in (self.low, self.high) for b in (other.low, other.high)]
        value = compute(self.value, other.value)
        if sign == "/":
            whole = min(ends) == max(ends) and float(value).is_integer()
        return Scalar(value, min(ends), max(ends), whole).checked()

    def checked(self) -> Scalar:
        """Return the number itself; raises InvalidRequestError where it may be too large."""
        if not max(abs(self.low), abs(self.high)) <= MAX_CONSTANT:
            msg = f"a number is at most {MAX_CONSTANT:.0e}, and this is, or may be, more"
            raise InvalidRequestError(msg)
        return self


@dataclass(frozen=True)
class Word:
    """One of the words a parameter chooses from, and all that it may be."""

    value: str
    options: tuple[str, ...]


Known = Scalar | Word


def declared(parameter: Parameter) -> Known:
    """Return a parameter at its default, over all that it may be."""
    if isinstance(parameter.default, str):
        return Word(parameter.default, parameter.options)
    return Scalar(parameter.default, parameter.ge, parameter.le, whole=parameter.whole)


def given(value: Value) -> Known:
    """Return a parameter's value that was given."""
    return Word(value, (value,)) if isinstance(value, str) else Scalar.of(value)


def refuse_range(known: Known, rule: Parameter, owner: str, name: str) -> None:
    """Raise InvalidRequestError where a parameter of `owner` may come to be what its rule refuses."""
    if isinstance(known, Word):
        for option in known.options:
            rule.check(option, owner, name)
    elif rule.whole and not known.whole and not known.is_fixed:
        msg = f"{owner}: {name} must be {rule.rule}, and this may be a fraction; divide by //"
        raise InvalidRequestError(msg, field=name)
    else:
        for end in (known.low, known.high):
            rule.check(end, owner, name)


_SIGNS: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
}
