"""What is asked of a live market, put in order: which bars each symbol needs, which features run over them, and what a row has.

A ground is what features are computed of: a timeframe's bars, alone or beside another symbol's bars of the same times. The
features of one ground run together, whoever asks; a row of a timeframe takes its columns from grounds of that timeframe and
of higher ones.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from feature_store.bars import Symbol, Timeframe
from feature_store.engine.plan import Plan
from feature_store.errors import InvalidRequestError
from feature_store.indicators.feature import Feature, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.indicators.registry import Registry

    Asked: TypeAlias = Mapping[str, Mapping[str, Iterable[str | Feature]]]
    Parsed: TypeAlias = dict[Symbol, dict[Timeframe, list[Feature]]]


class Ground(NamedTuple):
    """Bars that features are computed of; `other` is the symbol they are compared with."""

    timeframe: Timeframe
    other: Symbol | None


@dataclass(frozen=True)
class Columns:
    """The columns of a timeframe's rows.

    Args:
        labels: as asked.
        grounds: where their values come from.
        places: of each column's value among the values of those grounds, one ground after another.
    """

    labels: tuple[str, ...]
    grounds: tuple[Ground, ...]
    places: tuple[int, ...]

    def named(self, values: list[list[float]]) -> dict[str, float]:
        """Return the values of a row by label, from those of its grounds."""
        every = values[0] if len(values) == 1 else [value for each in values for value in each]
        if self._in_order and len(every) == len(self.labels):
            return dict(zip(self.labels, every, strict=True))
        return dict(zip(self.labels, [every[place] for place in self.places], strict=True))

    @cached_property
    def _in_order(self) -> bool:
        return self.places == tuple(range(len(self.labels)))


@dataclass(frozen=True)
class Layout:
    """One symbol's part of a market.

    Args:
        asked: features by timeframe, as asked.
        plans: the features of each ground, made ready to run.
        rows: the columns of each timeframe that has any.
        lowest: the timeframe of the bars that are fed.
        looked_at: timeframes in which another symbol, or this one, looks at the closes.
    """

    asked: dict[Timeframe, list[Feature]]
    plans: dict[Ground, Plan]
    rows: dict[Timeframe, Columns]
    lowest: Timeframe
    looked_at: set[Timeframe] = field(default_factory=set)

    @property
    def timeframes(self) -> set[Timeframe]:
        """Every timeframe that is needed."""
        return {self.lowest, *self.rows, *self.looked_at, *(ground.timeframe for ground in self.plans)}


def layouts(asked: Asked, registry: Registry) -> dict[Symbol, Layout]:
    """Return each symbol's part; raises what `parse` raises, and InvalidRequestError for what cannot be derived live."""
    parsed = _parsed(asked, registry)
    made = {symbol: _layout(symbol, features) for symbol, features in parsed.items()}
    for symbol, layout in made.items():
        for ground in layout.plans:
            if ground.other is not None:
                _look_at(made, symbol, ground.other, ground.timeframe)
    return made


def _parsed(asked: Asked, registry: Registry) -> Parsed:
    made: Parsed = {}
    for name, timeframes in asked.items():
        symbol = Symbol.parse(name)
        if symbol in made:
            msg = f"{symbol} is named twice; name it once, with all its timeframes"
            raise InvalidRequestError(msg, field="symbol")
        made[symbol] = mine = {}
        for word, features in timeframes.items():
            timeframe = Timeframe.parse(word)
            if timeframe in mine:
                msg = f"{timeframe} is named twice for {symbol}; name it once, with all its features"
                raise InvalidRequestError(msg, field="timeframe")
            given = [features] if isinstance(features, str | Feature) else features
            mine[timeframe] = [parse(each, registry) if isinstance(each, str) else each for each in given]
        if not mine:
            msg = f"name at least one timeframe of {symbol}, that of the bars which will be fed"
            raise InvalidRequestError(msg, field="timeframe")
    if not made:
        msg = 'name at least one symbol, as in {"EUR/USD": {"15m": ["rsi_14", "atr_14@4h"]}}'
        raise InvalidRequestError(msg, field="symbol")
    return made


def _layout(symbol: Symbol, asked: dict[Timeframe, list[Feature]]) -> Layout:
    features: dict[Ground, dict[Feature, None]] = {}
    for timeframe, wanted in asked.items():
        for feature in wanted:
            ground = _ground(symbol, timeframe, feature)
            features.setdefault(ground, {})[feature.plain] = None
    plans = {
        ground: Plan.of(replace(feature, asked=feature.id) for feature in wanted) for ground, wanted in features.items()
    }
    rows = {timeframe: _columns(symbol, timeframe, wanted, plans) for timeframe, wanted in asked.items() if wanted}
    return Layout(asked, plans, rows, min(asked))


def _ground(symbol: Symbol, timeframe: Timeframe, feature: Feature) -> Ground:
    """Return what a feature of a symbol's timeframe is computed of."""
    own = Timeframe.parse(feature.timeframe) if feature.timeframe else timeframe
    if own < timeframe:
        why = f"{feature.asked} is of a lower timeframe than these {timeframe} bars; ask for it on {own} bars"
    elif feature.symbol is not None and Symbol.parse(feature.symbol) != symbol:
        theirs = Symbol.parse(feature.symbol)
        why = f"{feature.asked} is of {theirs}'s bars: name it among {theirs}'s features, whose rows come with theirs"
    elif feature.definition.compares and feature.other is None:
        why = f"{feature.asked} compares two symbols; name the other, as in {feature.asked}@GBPUSD"
    else:
        return Ground(own, None if feature.other is None else Symbol.parse(feature.other))
    raise InvalidRequestError(why, field="indicators")


def _columns(symbol: Symbol, timeframe: Timeframe, features: list[Feature], plans: dict[Ground, Plan]) -> Columns:
    grounds = tuple(dict.fromkeys(_ground(symbol, timeframe, feature) for feature in features))
    every = [(ground, column) for ground in grounds for column in plans[ground].columns]
    place = {each: number for number, each in enumerate(every)}
    found = {}
    for feature in features:
        ground = _ground(symbol, timeframe, feature)
        for label, column in zip(feature.columns, feature.plain.columns, strict=True):
            found[label] = place[ground, column]
    return Columns(tuple(found), grounds, tuple(found.values()))


def _look_at(made: dict[Symbol, Layout], symbol: Symbol, other: Symbol, timeframe: Timeframe) -> None:
    """Note that closes of another symbol are needed."""
    if other not in made:
        why = f"{symbol} is compared with {other}, which is not in this market: name it too, its features may be none"
        raise InvalidRequestError(why, field="symbol")
    if made[other].lowest > timeframe:
        why = f"{symbol} is compared with {other} on {timeframe} bars: name {timeframe} among the timeframes of {other}"
        raise InvalidRequestError(why, field="timeframe")
    made[other].looked_at.add(timeframe)
