"""A feature: an indicator with its parameters, and the id that spells it, read and written.

    name[_parameter...][.output][:version][@place...]

    sma_50   macd_12_26_9.signal   psar_0.02_0.2.value
    atr_14@4h   rsi_14@GBPUSD   correl_50@GBPUSD   correl_50@EURUSD@GBPUSD@4h

A name without parameters takes the defaults and is answered under the id that was asked for. Parameters may be decimals; a
dot followed by a letter begins the output.

A place says of which bars, where they are not the ones asked of: a timeframe, which begins with a digit (or is MetaTrader's
`H4`), or a symbol. A feature that compares two symbols takes two; where one is left out, the series asked of is the first.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from feature_store.bars import Symbol, Timeframe, is_timeframe
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
    r"(?:\.(?P<output>[a-z][a-z0-9_]*))?(?::v(?P<version>[0-9]{1,6}))?(?P<places>(?:@[0-9a-zA-Z/._-]{1,24}){0,3})"
)


_SUGGESTIONS, _A_WORD = 3, 3


@dataclass(frozen=True)
class Feature:
    """One indicator with resolved parameters, all of its outputs or one of them.

    Args:
        definition: of a custom indicator, one of its versions.
        values: of its parameters, in their order.
        output: which; None for all, or the only one.
        timeframe: of the bars it is computed of, where that is not the caller's.
        symbols: of the bars it is computed of, where the first is not the caller's; `EURUSD` is written for `EUR/USD`.
        asked: the words it was asked for in.
        pinned: whether those name the version of a custom indicator, so that a newer one changes nothing.
    """

    definition: Definition
    values: tuple[Value, ...]
    output: str | None = None
    timeframe: str | None = None
    symbols: tuple[str, ...] = ()
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
        return stem + "".join(f"@{place}" for place in (*self.symbols, self.timeframe) if place)

    @property
    def symbol(self) -> str | None:
        """Whose bars it is computed of; None for the caller's own."""
        return self.symbols[0] if len(self.symbols) == 1 + self.definition.compares else None

    @property
    def other(self) -> str | None:
        """The symbol that it is compared with, or None.

        >>> parse("correl_50@GBPUSD").symbol, parse("correl_50@GBPUSD").other
        (None, 'GBPUSD')
        """
        return self.symbols[-1] if self.definition.compares and self.symbols else None

    @cached_property
    def plain(self) -> Feature:
        """The same feature of the bars that it is computed of, under its full id."""
        return replace(self, timeframe=None, symbols=(), asked="")

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


@lru_cache(maxsize=1024)
def parse(text: str, registry: Registry = BUILT_INS) -> Feature:
    """Return the feature an id spells, in the words of a store's registry or of the built-ins.

    Raises FeatureNotFoundError for a name nobody registered (with the nearest ones), InvalidRequestError for parameters that
    are too many or out of bounds.

    >>> parse("bbands_20_2.upper").parameters
    {'period': 20, 'width': 2.0}
    """
    found = _ID.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise _misspelt(text)
    version = int(found["version"]) if found["version"] else None
    definition, tokens = _split(found["stem"], text, registry, version)
    values = definition.resolve(_values(definition, tokens, text, registry))
    if version is not None and version != definition.version:
        msg = f"{definition.name} has version v{definition.version}, not v{version}, which {text!r:.80} asks for"
        raise FeatureNotFoundError(msg, field="indicators")
    timeframe, symbols = _places(found["places"], definition, text)
    pinned = version is not None and definition.formula is not None
    output = _output(definition, found["output"])
    return Feature(definition, tuple(values.values()), output, timeframe, symbols, text.strip(), pinned)


def _places(text: str, definition: Definition, asked: str) -> tuple[str | None, tuple[str, ...]]:
    """Return the timeframe and the symbols among the places of an id."""
    timeframes, symbols = [], []
    for place in text.split("@")[1:]:
        if place[0].isdigit() or is_timeframe(place):
            timeframes.append(Timeframe.parse(place).name)
        else:
            symbols.append(Symbol.parse(place).key)
    most = 1 + definition.compares
    if len(timeframes) > 1 or len(symbols) > most:
        msg = f"{definition.name} takes at most {most} symbol{'s' * (most > 1)} and one timeframe after @, was {asked!r:.80}"
        raise InvalidRequestError(msg, field="indicators")
    return (timeframes[0] if timeframes else None), tuple(symbols)


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
    values: dict[str, Value] = {}
    for name, token in zip(names, tokens, strict=False):
        value = definition.parameters[name].read(token)
        if value is None:
            raise _not_found(text, registry)
        values[name] = value
    if len(tokens) > len(names):
        has = ", ".join(names) or "no parameters"
        msg = f"{definition.name} takes {has}; {text!r:.80} gives {len(tokens)} values"
        raise InvalidRequestError(msg, field="indicators")
    return values


def _output(definition: Definition, name: str | None) -> str | None:
    if name is None or name in definition.outputs:
        return name if len(definition.outputs) > 1 else None
    msg = f"{definition.name} has no output {name!r}; it has {', '.join(definition.outputs)}"
    raise FeatureNotFoundError(msg, field="indicators")


def _misspelt(text: object) -> FeatureNotFoundError:
    how = "a feature id is written name_parameters, as in sma_50, macd_12_26_9.signal or atr_14@4h"
    lower = str(text).strip().lower()
    small = f"; did you mean {lower}?" if isinstance(text, str) and _ID.fullmatch(lower) else ""
    return FeatureNotFoundError(f"{how}; was {text!r:.80}{small}", field="indicators")


def _not_found(text: str, registry: Registry) -> FeatureNotFoundError:
    stem = re.split(r"[.:@]", text.strip())[0]
    word = re.sub(r"(_[0-9.]+)+$", "", stem).lower()
    near = list(
        dict.fromkeys((*_spelt_like(word, registry, 0.75), *_called(word, registry), *_spelt_like(word, registry, 0.5)))
    )
    hint = f"; did you mean {' or '.join(near[:_SUGGESTIONS])}?" if near else "; see feature-store catalog"
    return FeatureNotFoundError(f"no indicator is called {text!r:.80}{hint}", field="indicators")


def _spelt_like(word: str, registry: Registry, likeness: float) -> list[str]:
    return difflib.get_close_matches(word, registry.names(), n=_SUGGESTIONS, cutoff=likeness)


def _called(word: str, registry: Registry) -> list[str]:
    """Return the names of indicators in whose title a word is like this one or begins with it: `max` is the rolling maximum."""
    if len(word) < _A_WORD:
        return []
    titles = {each.name: each.title.lower().split() for each in registry}
    words = {each for title in titles.values() for each in title}
    meant = {each for each in words if each.startswith(word)} | {*difflib.get_close_matches(word, words, cutoff=0.8)}
    return [name for name, title in titles.items() if not meant.isdisjoint(title)]
