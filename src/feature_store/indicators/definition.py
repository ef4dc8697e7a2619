"""What an indicator is: a function, and all that follows from its signature.

Two kinds of function define one. A *step* takes the state `s` first, sees one bar and returns its values:

    @indicator(title="Exponential moving average", group="moving average", unit="price", source="...", state="bars:int mean")
    def ema(s: State, close: float, period: int = Int(20)) -> float: ...

A *composition* takes no state and returns series made of other indicators:

    @indicator(title="MACD", ...)
    def macd(close: Series, fast: int = Int(12), ...) -> tuple[Series, ...]:
        line = ema(close, fast) - ema(close, slow)

Arguments named as bar columns are inputs, and so is `other`, the close of a second symbol; those with an `Int`, `Real` or
`Choice` default are parameters. `state` lists a step's fields, each zero at the first bar unless it says otherwise: `bars`,
`place:int`, `best=-inf`, and windows whose length follows from a parameter, `window[period+1]` or `slots[period*168]`, or is
fixed, `slots[168]`; in `window[period+1]=nan,0` the last slot begins with another number.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from feature_store.bars import FEATURE_COLUMNS, OTHER
from feature_store.clock import CLOCK
from feature_store.errors import InvalidRequestError
from feature_store.indicators.parameters import Parameter, Value
from feature_store.indicators.series import Series, price
from feature_store.indicators.units import UNITS
from feature_store.indicators.warmup import memory_of, warmup_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from feature_store.indicators.warmup import Memory

_FIELD = re.compile(
    r"(?P<name>[a-z_]+)(?P<whole>:int)?(\[((?P<size>[a-z_]+)(\*(?P<times>\d+))?(\+(?P<extra>\d+))?|(?P<fixed>\d+))\])?"
    r"(=(?P<initial>[^\s,]+)(,(?P<last>\S+))?)?"
)


class Cell(float):
    """A field of the state as type checkers see it: a number, or a window of numbers."""

    __slots__ = ()

    def __getitem__(self, place: float) -> float: ...  # type: ignore[empty-body]

    def __setitem__(self, place: float, value: float) -> None: ...

    def __eq__(self, other: object) -> bool: ...  # type: ignore[empty-body]

    def __hash__(self) -> int: ...  # type: ignore[empty-body]


class State:
    """The state `s` of a step as type checkers see it; the engine turns every field into a local variable."""

    def __getattr__(self, name: str) -> Cell: ...  # type: ignore[empty-body]

    def __setattr__(self, name: str, value: float) -> None: ...


class Window(NamedTuple):
    """How many numbers a window holds: `size` (a parameter, or 1 where it is empty) times `times`, plus `extra`."""

    size: str
    times: int
    extra: int

    def length(self, parameters: Mapping[str, Value]) -> int:
        """Return the number of 8-byte words it takes."""
        return (int(parameters[self.size]) if self.size else 1) * self.times + self.extra


class StateField(NamedTuple):
    """One field of a step's state: a number, or a window of numbers; `last` is what its last slot holds at first."""

    name: str
    whole: bool
    window: Window | None
    initial: float
    last: float

    def start(self, parameters: Mapping[str, Value]) -> list[float]:
        """Return what it holds before the first bar, slot by slot."""
        length = self.window.length(parameters) if self.window else 1
        return [*[self.initial] * (length - 1), self.last]


class Formula(Protocol):
    """The body of a composition that was not written in Python; `Definition.function` is the same object, called."""

    @property
    def text(self) -> str:
        """Everything that decides its values, in one spelling."""

    @property
    def doc(self) -> str:
        """What it says of itself."""

    def describe(self) -> dict[str, Any]:
        """Return plain data for a catalog, beside what every definition says."""


@dataclass(frozen=True, eq=False)
class Definition:
    """An indicator: its function, and the metadata read off the signature and the decorator.

    Args:
        name: the first part of its ids.
        outputs: their names; one nameless output is `("value",)`.
        units: one for each output, of `units.UNITS`.
        lag: for a step, how many finite inputs come before its first value, from its parameters.
        fade: for a recursive step, how many values until the seed's weight is below 1e-8.
        memory: for a step, what its values depend on.
        formula: for a custom indicator, its expressions.
    """

    function: Callable[..., Any]
    name: str
    title: str
    group: str
    source: str
    outputs: tuple[str, ...]
    units: tuple[str, ...]
    inputs: tuple[str, ...]
    parameters: Mapping[str, Parameter]
    is_step: bool
    fields: tuple[StateField, ...] = ()
    lag: Callable[..., int] | None = None
    fade: Callable[..., int] | None = None
    memory: Memory = "pointwise"
    version: int = 1
    rule: Callable[..., str | None] | None = field(default=None)
    formula: Formula | None = None

    def __repr__(self) -> str:
        return f"<Definition {self.name} v{self.version}>"

    def __call__(self, *arguments: Any, **named: Any) -> Series:
        """Return this indicator of other series; raises TypeError where it has several outputs, which `all` returns."""
        (series,) = self.all(*arguments, **named)
        return series

    def all(self, *arguments: Any, **named: Any) -> tuple[Series, ...]:
        """Return every output of this indicator of other series, in the order of `outputs`."""
        bound = self.signature.bind(*arguments, **named).arguments
        series = tuple(bound.pop(name) for name in self.inputs)
        return self.of(series, self.resolve(bound))

    @cached_property
    def compares(self) -> bool:
        """Whether it looks at the close of a second symbol."""
        return OTHER in self.inputs

    @property
    def origin(self) -> str:
        """Where it comes from: `built-in`, a plugin's distribution, `this store`, or `this program`."""
        if self.formula:
            return "this store"
        own = self.function.__module__.startswith(f"{__package__}.")
        return "built-in" if own else origins.get(self.name, "this program")

    @cached_property
    def doc(self) -> str:
        """The docstring, without indentation."""
        return self.formula.doc if self.formula else inspect.getdoc(self.function) or ""

    @cached_property
    def tree(self) -> ast.FunctionDef:
        """The function's syntax tree, without docstring, decorators and annotations: what it does and nothing else."""
        tree = ast.parse(textwrap.dedent(inspect.getsource(self.function))).body[0]
        if not isinstance(tree, ast.FunctionDef):
            msg = f"{self.name} must be a plain function"
            raise TypeError(msg)
        tree.decorator_list, tree.returns = [], None
        tree.body = [node for node in tree.body if not _is_docstring(node)]
        for argument in tree.args.args:
            argument.annotation = None
        return tree

    @cached_property
    def content_hash(self) -> str:
        """A digest of the arithmetic: of this function, its parameters and everything it is composed of."""
        body = self.formula.text if self.formula else ast.unparse(self.tree)
        parts = [body, repr(sorted(self.parameters.items())), repr(self.fields), str(self.version)]
        if not self.is_step:
            parts += [node.key for node in self.series(self.resolve({}))]
        return sha256("\x1f".join(parts).encode()).hexdigest()

    def resolve(self, values: Mapping[str, Any]) -> dict[str, Value]:
        """Return every parameter's value, defaults filled in; raises InvalidRequestError for what the rules refuse."""
        unknown = set(values) - set(self.parameters)
        if unknown:
            has = ", ".join(self.parameters) or "none"
            msg = f"{self.name} has no parameter {min(unknown)!r}; it has: {has}"
            raise InvalidRequestError(msg, field=min(unknown))
        checked = {n: p.check(values.get(n, p.default), self.name, n) for n, p in self.parameters.items()}
        refusal = self.rule(**checked) if self.rule else None
        if refusal:
            msg = f"{self.name}: {refusal}"
            raise InvalidRequestError(msg, field=next(iter(checked)))
        return checked

    def series(self, parameters: Mapping[str, Value]) -> tuple[Series, ...]:
        """Return the outputs as series over the bar's own columns; `parameters` are resolved."""
        return self.of(tuple(price(name) for name in self.inputs), parameters)

    def of(self, inputs: tuple[Series, ...], parameters: Mapping[str, Value]) -> tuple[Series, ...]:
        """Return the outputs as series over `inputs`; `parameters` are resolved."""
        if not self.is_step:
            made = self.function(*inputs, **parameters)
            return tuple(made) if isinstance(made, tuple) else (made,)
        step = Series("step", self, inputs, tuple(parameters.values()))
        return tuple(Series("output", index, (step,)) for index in range(len(self.outputs)))

    def describe(self) -> dict[str, Any]:
        """Return plain data for a catalog: everything a caller needs to ask for this indicator and read its values."""
        defaults = self.resolve({})
        series = self.series(defaults)
        return {
            "id": self.name,
            "title": self.title,
            "group": self.group,
            "inputs": list(self.inputs),
            "parameters": {name: parameter.describe() for name, parameter in self.parameters.items()},
            "outputs": [{"name": n, "unit": u} for n, u in zip(self.outputs, self.units, strict=True)],
            "memory": memory_of(series),
            "warmup": max(warmup_of(node) for node in series),
            "source": self.source,
            "origin": self.origin,
            "version": f"v{self.version}",
            "hash": self.content_hash,
            "description": self.doc,
        } | (self.formula.describe() if self.formula else {})

    @cached_property
    def signature(self) -> inspect.Signature:
        """The function's signature without the state: inputs, then parameters."""
        signature = inspect.signature(self.function)
        return signature.replace(parameters=[p for p in signature.parameters.values() if p.name != "s"])


def define(
    function: Callable[..., Any],
    *,
    name: str | None = None,
    title: str = "",
    group: str = "",
    unit: str | Mapping[str, str] = "",
    source: str = "",
    outputs: str = "value",
    state: str = "",
    lag: Callable[..., int] | None = None,
    fade: Callable[..., int] | None = None,
    memory: Memory = "pointwise",
    version: int = 1,
    rule: Callable[..., str | None] | None = None,
) -> Definition:
    """Return the definition of a function; `indicator` and `step` are its decorators."""
    arguments = list(inspect.signature(function).parameters.values())
    is_step = bool(arguments) and arguments[0].name == "s"
    inputs = tuple(a.name for a in arguments if not isinstance(a.default, Parameter) and a.name != "s")
    names = tuple(outputs.split())
    made = Definition(
        function=function,
        name=name or function.__name__,
        title=title,
        group=group,
        source=source,
        outputs=names,
        units=tuple(unit if isinstance(unit, str) else unit[n] for n in names),
        inputs=inputs,
        parameters={a.name: a.default for a in arguments if isinstance(a.default, Parameter)},
        is_step=is_step,
        fields=tuple(_field(text) for text in state.split()),
        lag=lag,
        fade=fade,
        memory=memory,
        version=version,
        rule=rule,
    )
    unknown = set(inputs) - {*FEATURE_COLUMNS, *CLOCK}
    strange = set(made.units) - set(UNITS)
    if title and strange:
        msg = f"{made.name}: no unit is called {min(strange)!r}; units are {', '.join(UNITS)}"
        raise TypeError(msg)
    if title and unknown:
        inputs_there_are = ", ".join((*FEATURE_COLUMNS, *CLOCK))
        msg = f"{made.name}: {sorted(unknown)} are neither inputs ({inputs_there_are}) nor have an Int, Real or Choice"
        raise TypeError(msg)
    return made


registered: dict[str, Definition] = {}
"""Every indicator that has an id, by name; `indicator` adds to it."""


origins: dict[str, str] = {}
"""The distribution and its version that an indicator of a plugin comes with, by the indicator's name."""


def indicator(
    *, title: str, group: str, unit: str | Mapping[str, str], source: str, **options: Any
) -> Callable[..., Definition]:
    """Register a function as an indicator with an id; see the top of this file for the two kinds of function.

    Raises TypeError where the signature cannot be one or another indicator has the name.
    """

    def register(function: Callable[..., Any]) -> Definition:
        made = define(function, title=title, group=group, unit=unit, source=source, **options)
        other = registered.get(made.name)
        if other is not None and other.function.__module__ != function.__module__:
            msg = f"{made.name} is the name of an indicator in {other.function.__module__}; choose another"
            raise TypeError(msg)
        registered[made.name] = made
        return made

    return register


def step(
    state: str, *, lag: Callable[..., int] | None = None, **options: Any
) -> Callable[[Callable[..., Any]], Definition]:
    """Make a step that other indicators are composed of, without an id of its own."""
    return lambda function: define(function, state=state, lag=lag, **options)


def _field(text: str) -> StateField:
    found = _FIELD.fullmatch(text)
    if found is None:
        msg = f"a state field is written name, name:int, name=-inf, name[period+1], name[period*168] or name[168], not {text!r}"
        raise TypeError(msg)
    window = None
    if found["size"] or found["fixed"]:
        times = int(found["times"] or found["fixed"] or 1)
        window = Window(found["size"] or "", times, int(found["extra"] or 0))
    initial = float(found["initial"] or 0.0)
    last = initial if found["last"] is None else float(found["last"])
    return StateField(found["name"], found["whole"] is not None, window, initial, last)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
