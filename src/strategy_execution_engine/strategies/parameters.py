"""A strategy's parameters: a frozen record whose defaults carry their bounds, checked as a whole when it is made.

    @dataclass(frozen=True, eq=False)
    class CrossParameters(Parameters):
        fast: int = Int(10, description="bars of the fast average")
        slow: int = Int(30, description="bars of the slow average")

`Int`, `Real` and `Choice` are those of indicators. A record is also a mapping: `parameters["fast"]`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any, Self

from feature_store.errors import InvalidRequestError
from feature_store.indicators.parameters import Choice, Int, Parameter, Real

__all__ = ["Choice", "Int", "Parameters", "Real"]


@dataclass(frozen=True, eq=False)
class Parameters(Mapping[str, Any]):
    """The base of every strategy's parameter record; subclasses are frozen dataclasses with `eq=False`."""

    def __post_init__(self) -> None:
        """Put defaults in place of their declarations, check every value, then those that must fit together."""
        for name, rule in self.declared().items():
            value = getattr(self, name)
            checked = rule.default if value is rule else rule.check(value, type(self).__name__, name)
            object.__setattr__(self, name, checked)
        self.check()

    @classmethod
    def of(cls, given: Mapping[str, Any] | None) -> Self:
        """Return the record with `given` in place of defaults; raises InvalidRequestError, naming the nearest name."""
        values = dict(given or {})
        for name in values:
            if name not in cls.declared():
                near = get_close_matches(str(name), cls.declared(), n=1)
                hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(cls.declared()) or 'none'}"
                msg = f"{cls.__name__} has no parameter {name!r}; {hint}"
                raise InvalidRequestError(msg, field=str(name))
        return cls(**values)

    @classmethod
    def declared(cls) -> dict[str, Parameter]:
        """Return each parameter's default, bounds and description by name."""
        return {f.name: f.default for f in fields(cls) if isinstance(f.default, Parameter)}

    @classmethod
    def describe(cls) -> dict[str, dict[str, Any]]:
        """Return plain data about every parameter, for catalogs and reports."""
        return {name: rule.describe() for name, rule in cls.declared().items()}

    def check(self) -> None:
        """Raise InvalidRequestError where values that are right alone contradict each other."""

    def __getitem__(self, name: str) -> Any:
        if name not in self.declared():
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.declared())

    def __len__(self) -> int:
        return len(self.declared())
