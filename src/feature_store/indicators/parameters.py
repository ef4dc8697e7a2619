"""Parameters of an indicator: declared as the defaults of its function, checked in one place, spelt one way in an id.

`Int`, `Real` and `Choice` return Any, as a default must have the type of the argument it stands for.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from feature_store.errors import InvalidRequestError

MAX_PERIOD = 5000

Value = int | float | str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter's default and what it may be."""

    default: Value
    ge: float = -math.inf
    le: float = math.inf
    whole: bool = False
    options: tuple[str, ...] = ()
    description: str = ""

    @property
    def rule(self) -> str:
        """What a value must be, as a message says it."""
        if self.options:
            return f"one of {', '.join(self.options)}"
        return f"a {'whole ' if self.whole else ''}number from {_spell(self.ge)} to {_spell(self.le)}"

    def check(self, value: Any, owner: str, name: str) -> Value:
        """Return `value` in its one form (2.0 is 2 where a whole number is asked), or raise InvalidRequestError."""
        checked = _as_option(value, self.options) if self.options else _as_number(value, whole=self.whole)
        if checked is None or (not isinstance(checked, str) and not self.ge <= checked <= self.le):
            msg = f"{owner}: {name} must be {self.rule}, was {_told(value)}"
            raise InvalidRequestError(msg, field=name)
        return checked

    def read(self, token: str) -> Value | None:
        """Return the value an id spells, unchecked, or None where it spells none."""
        return token if self.options else _number_of(token)

    def describe(self) -> dict[str, Any]:
        """Return plain data for a catalog."""
        about: dict[str, Any] = {
            "default": self.default,
            "type": "choice" if self.options else "int" if self.whole else "real",
        }
        about |= {"options": list(self.options)} if self.options else {"ge": self.ge, "le": self.le}
        return about | ({"description": self.description} if self.description else {})


def Int(default: int, *, ge: int = 1, le: int = MAX_PERIOD, description: str = "") -> Any:  # noqa: N802  reads as a type
    """Declare a whole number, by default a period from 1 to 5000 bars."""
    return Parameter(default, ge, le, whole=True, description=description)


def Real(default: float, *, ge: float = 0.0, le: float = 1000.0, description: str = "") -> Any:  # noqa: N802
    """Declare a finite number."""
    return Parameter(default, ge, le, description=description)


def Choice(default: str, *options: str, description: str = "") -> Any:  # noqa: N802
    """Declare one of a few words; the default counts as one of them."""
    return Parameter(default, options=tuple(dict.fromkeys((default, *options))), description=description)


def fast_below_slow(fast: int, slow: int, **_: object) -> str | None:
    """Return why two periods are refused, if they are: the rule of whatever sets a fast measure against a slow one."""
    return f"fast must be less than slow, but fast was {fast} and slow was {slow}" if fast >= slow else None


def spell(value: Value) -> str:
    """Return how an id spells a value.

    >>> spell(2.0), spell(0.5), spell(20), spell(1e-05)
    ('2', '0.5', '20', '0.00001')
    """
    return value if isinstance(value, str) else _spell(value)


def _spell(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{Decimal(repr(float(number))):f}"


def _told(value: Any) -> str:
    """Return a value as a message quotes it; a number of thousands of digits has no text."""
    return "a longer number" if isinstance(value, int) and abs(value) > sys.float_info.max else f"{value!r:.40}"


def _as_option(value: Any, options: tuple[str, ...]) -> str | None:
    return value if isinstance(value, str) and value in options else None


def _as_number(value: Any, *, whole: bool) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= sys.float_info.max:
        return None
    if whole:
        return int(value) if value == int(value) else None
    return float(value)


def _number_of(token: str) -> float | None:
    if not token or not set(token) <= set("0123456789."):
        return None
    try:
        return float(token) if "." in token else int(token)
    except ValueError:
        return None
