"""A feature: an indicator with its parameters, and the id that spells it, read and written.

    name[_parameter...][.output][:version][@timeframe]      sma_50   macd_12_26_9.signal   atr_14@4h   psar_0.02_0.2.value

A name without parameters takes the defaults and is answered under the id that was asked for. Parameters may be decimals; a
dot followed by a letter begins the output.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from feature_store.bars import Timeframe
from feature_store.errors import FeatureNotFoundError, InvalidRequestError
from feature_store.indicators.parameters import spell
from feature_store.indicators.registry import BUILT_INS
from feature_store.indicators.warmup import settled_of, warmup_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.indicators.definition import Definition
    from feature_store.indicators.parameters import Value
    from feature_store.indicators.registry import Registry
    from feature_store.indicators.series import Series

_ID = re.compile(
    r"(?P<stem>[a-z][a-z0-9_]*(?:\.[0-9][a-z0-9_]*)*)"
    r"(?:\.(?P<output>[a-z][a-z0-9_]*))?(?::v(?P<version>[0-9]{1,6}))?(?:@(?P<timeframe>[0-9a-zA-Z]{1,6}))?"
)


@dataclass(frozen=True)
class Feature:
    """One indicator with resolved parameters, all of its outputs or one of them.

    Args:
        definition: of a custom indicator, one of its versions.
        values: of its parameters, in their order.
        output: which; None for all, or the only one.
        timeframe: of the bars it is computed of, where that is not the caller's.
        asked: the words it was asked for in.
        pinned: whether those name the version of a custom indicator, so that a newer one changes nothing.
    """

    definition: Definition
    values: tuple[Value, ...]
    output: str | None = None
    timeframe: str | None = None
    asked: str = field(default="", compare=False)
    pinned: bool = field(default=False, compare=False)

    def __repr__(self) -> str:
        return f"<Feature {self.id}>"

    @property
    def name(self) -> str:
        """The indicator's name."""
        return self.definition.name

    @property
    def parameters(self) -> dict[str, Value]:
        """Every parameter by name, defaults filled in."""
        return dict(zip(self.definition.parameters, self.values, strict=True))

    @cached_property
    def id(self) -> str:
        """The full id, every parameter spelt out.

        >>> parse("macd.line").id
        'macd_12_26_9.line'
        """
        stem = "_".join((self.name, *(spell(value) for value in self.values)))
        stem += f".{self.output}" if self.output else ""
        stem += f":v{self.definition.version}" if self.pinned else ""
        return stem + (f"@{self.timeframe}" if self.timeframe else "")

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The labels of its columns, in the words that were asked: the id itself, or one for each output.

        >>> parse("macd").columns
        ('macd.line', 'macd.signal', 'macd.histogram')
        """
        asked = self.asked or self.id
        if self.output or len(self.definition.outputs) == 1:
            return (asked,)
        stem, suffix = re.fullmatch(r"([^:@]*)(.*)", asked).groups()  # type: ignore[union-attr]
        return tuple(f"{stem}.{name}{suffix}" for name in self.definition.outputs)

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """The graph of each of its columns."""
        outputs = self.definition.series(self.parameters)
        if self.output is None:
            return outputs
        return (outputs[self.definition.outputs.index(self.output)],)

    @cached_property
    def warmups(self) -> tuple[int, ...]:
        """For each column, the first row of clean bars with a value."""
        return tuple(warmup_of(node) for node in self.series)

    @cached_property
    def settlings(self) -> tuple[int, ...]:
        """For each column, the first row on which no seed weighs more than 1e-8."""
        return tuple(settled_of(node) for node in self.series)

    @property
    def warmup(self) -> int:
        """The first row on which every column has a value."""
        return max(self.warmups)

    @property
    def settled(self) -> int:
        """The first row on which every column is settled."""
        return max(self.settlings)

    @cached_property
    def version(self) -> str:
        """The definition's version and the start of its content hash: two answers with equal versions had equal arithmetic."""
        return f"v{self.definition.version}.{self.definition.content_hash[:10]}"

    def describe(self) -> dict[str, Any]:
        """Return plain data: the definition's, with this feature's own id, values, columns, warm-up and version.

        >>> about = parse("sma_50").describe()
        >>> about["parameters"]["period"]["value"], about["warmup"]
        (50, 49)
        """
        about = self.definition.describe()
        rules = about["parameters"].items()
        return about | {
            "id": self.asked or self.id,
            "name": self.name,
            "parameters": {name: {**rule, "value": self.parameters[name]} for name, rule in rules},
            "columns": list(self.columns),
            "warmup": self.warmup,
            "settled": self.settled,
            "version": self.version,
        }


def feature(
    name: str, parameters: Mapping[str, Any] | None = None, *, output: str | None = None, registry: Registry = BUILT_INS
) -> Feature:
    """Return a feature from an indicator's name and its parameters by name.

    >>> feature("rsi", {"period": 14}).id
    'rsi_14'
    """
    stem, _, version = name.partition(":v")
    definition = registry.find(stem, int(version) if version.isdecimal() else None)
    if definition is None or (version and str(definition.version) != version):
        raise _not_found(name, registry)
    values = tuple(definition.resolve(parameters or {}).values())
    pinned = bool(version) and definition.formula is not None
    made = Feature(definition, values, _output(definition, output), pinned=pinned)
    return replace(made, asked=made.id)


@lru_cache(maxsize=8192)
def parse(text: str, registry: Registry = BUILT_INS) -> Feature:
    """Return the feature an id spells, in the words of a store's registry or of the built-ins.

    Raises FeatureNotFoundError for a name nobody registered (with the nearest ones), InvalidRequestError for parameters that
    are too many or out of bounds.

    >>> parse("bbands_20_2.upper").parameters
    {'period': 20, 'width': 2.0}
    """
    found = _ID.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        msg = (
            f"a feature id is written name_parameters, as in sma_50, macd_12_26_9.signal or atr_14@4h; was {text!r:.80}"
        )
        raise FeatureNotFoundError(msg, field="indicators")
    version = int(found["version"]) if found["version"] else None
    definition, tokens = _split(found["stem"], text, registry, version)
    values = definition.resolve(_values(definition, tokens, text, registry))
    if version is not None and version != definition.version:
        msg = f"{definition.name} has version v{definition.version}, not v{version}, which {text!r} asks for"
        raise FeatureNotFoundError(msg, field="indicators")
    timeframe = Timeframe.parse(found["timeframe"]).name if found["timeframe"] else None
    pinned = version is not None and definition.formula is not None
    return Feature(
        definition, tuple(values.values()), _output(definition, found["output"]), timeframe, text.strip(), pinned
    )


def _split(stem: str, text: str, registry: Registry, version: int | None) -> tuple[Definition, list[str]]:
    """Return the definition with the longest name that begins the stem, and the parameters after it."""
    tokens = stem.split("_")
    for count in range(len(tokens), 0, -1):
        definition = registry.find("_".join(tokens[:count]), version)
        if definition is not None:
            return definition, tokens[count:]
    raise _not_found(text, registry)


def _values(definition: Definition, tokens: list[str], text: str, registry: Registry) -> dict[str, Value]:
    names = list(definition.parameters)
    if len(tokens) > len(names):
        has = ", ".join(names) or "no parameters"
        msg = f"{definition.name} takes {has}; {text!r} gives {len(tokens)} values"
        raise InvalidRequestError(msg, field="indicators")
    values: dict[str, Value] = {}
    for name, token in zip(names, tokens, strict=False):
        value = definition.parameters[name].read(token)
        if value is None:
            raise _not_found(text, registry)
        values[name] = value
    return values


def _output(definition: Definition, name: str | None) -> str | None:
    if name is None or name in definition.outputs:
        return name if len(definition.outputs) > 1 else None
    msg = f"{definition.name} has no output {name!r}; it has {', '.join(definition.outputs)}"
    raise FeatureNotFoundError(msg, field="indicators")


def _not_found(text: str, registry: Registry) -> FeatureNotFoundError:
    stem = re.split(r"[.:@]", text.strip())[0]
    word = re.sub(r"(_[0-9.]+)+$", "", stem)
    near = difflib.get_close_matches(word.lower(), registry.names(), n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else "; see feature-store catalog"
    return FeatureNotFoundError(f"no indicator is called {text!r:.80}{hint}", field="indicators")
