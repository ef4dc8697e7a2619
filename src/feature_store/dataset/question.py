"""What is asked of each event: features with the versions they have now, where their bars are, and how old a value may be."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from feature_store.bars import OTHER, Symbol, Timeframe
from feature_store.errors import InvalidRequestError
from feature_store.indicators.series import in_order
from feature_store.times import MICROSECONDS_A_SECOND, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from feature_store.indicators.feature import Feature
    from feature_store.indicators.series import Series

Event = Literal["event"]
EVENT: Event = "event"
AsOf = int | Event | None
MaxAge = str | timedelta | None

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


@dataclass(frozen=True, slots=True)
class Place:
    """Of which bars a feature is computed, and the closes of which other symbol it looks at."""

    symbol: Symbol
    timeframe: Timeframe
    other: Symbol | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the answer.

    Args:
        name: the words it was asked for in.
        source: what it is called among the columns of its own bars.
        warmup: the first row of its own bars with a value.
        settled: the first row on which the series' beginning weighs less than 1e-8.
        compares: whether it looks at another symbol's close.
        counts_absence: whether it has a value where the other symbol has no bar, so that a bar which comes later changes it.
        max_age: how long before the event its bar may have closed, in microseconds; None for ever.
    """

    name: str
    source: str
    warmup: int
    settled: int
    compares: bool
    counts_absence: bool
    max_age: int | None


@dataclass(frozen=True)
class Asked:
    """A feature whose version is named, and its columns."""

    feature: Feature
    columns: tuple[Column, ...]

    @cached_property
    def own(self) -> Feature:
        """The same feature of the bars that it is computed of."""
        return _own(self.feature)

    def place(self, symbol: Symbol, timeframe: Timeframe) -> Place:
        """Return where its bars are when it is asked of these."""
        feature = self.feature
        return Place(
            symbol if feature.symbol is None else Symbol.parse(feature.symbol),
            timeframe if feature.timeframe is None else Timeframe.parse(feature.timeframe),
            None if feature.other is None else Symbol.parse(feature.other),
        )


@dataclass(frozen=True)
class Question:
    """Which features, of which bars, as known when: at each event, at one moment, or in the end (None)."""

    asked: tuple[Asked, ...]
    timeframe: Timeframe
    as_of: AsOf

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the answer, in their order."""
        return tuple(column for each in self.asked for column in each.columns)

    @property
    def moment(self) -> int | None:
        """The moment as known at which bars after the event are looked at: None for all that is known."""
        return None if self.as_of == EVENT else self.as_of

    def places(self, symbol: Symbol) -> dict[Place, list[Asked]]:
        """Return what is computed where for events of a symbol."""
        found: dict[Place, list[Asked]] = {}
        for each in self.asked:
            found.setdefault(each.place(symbol, self.timeframe), []).append(each)
        return found


def question(
    features: Sequence[Feature], timeframe: Timeframe, as_of: Any, max_age: MaxAge | Mapping[str, MaxAge]
) -> Question:
    """Return the question for what a caller wrote; ages are by the words in which features are asked for.

    Raises InvalidRequestError for an age or a moment that is none, and for no features.
    """
    if not features:
        raise InvalidRequestError("name at least one feature, such as sma_50", field="features")
    moment: AsOf = as_of if as_of is None or as_of == EVENT else to_microseconds(as_of, "as_of")
    return Question(tuple(_asked(features, _max_ages(max_age, features))), timeframe, moment)


def _asked(features: Sequence[Feature], max_ages: Mapping[str, int | None]) -> Iterable[Asked]:
    """Yield the features with the columns that none before them has: `macd.line` after `macd` has none."""
    seen: set[str] = set()
    for feature in features:
        named = replace(feature, pinned=feature.definition.formula is not None)
        columns = tuple(each for each in _columns(named, max_ages[feature.asked]) if each.name not in seen)
        seen.update(each.name for each in columns)
        if columns:
            yield Asked(named, columns)


def _columns(feature: Feature, max_age: int | None) -> Iterable[Column]:
    own = _own(feature)
    for place, name in enumerate(feature.columns):
        compares, counts_absence = _looks(feature.series[place])
        yield Column(
            name=name,
            source=own.columns[place],
            warmup=feature.warmups[place],
            settled=feature.settlings[place],
            compares=compares,
            counts_absence=counts_absence,
            max_age=max_age,
        )


def _own(feature: Feature) -> Feature:
    symbols = () if feature.other is None else (feature.other,)
    return replace(feature, timeframe=None, symbols=symbols, asked="")


def _looks(series: Series) -> tuple[bool, bool]:
    """Return whether a series looks at another symbol's close, and whether it asks if that is known.

    All but `is_known` is NaN on a row where any of its inputs is.
    """
    below: set[str] = set()
    asks = False
    for node in in_order([series]):
        if (node.kind == "price" and node.what == OTHER) or any(each.key in below for each in node.inputs):
            below.add(node.key)
            asks = asks or (node.kind == "operation" and node.what == "is_known")
    return series.key in below, asks


# ---------------------------------------------------------------- ages
def _max_ages(max_age: MaxAge | Mapping[str, MaxAge], features: Sequence[Feature]) -> dict[str, int | None]:
    if max_age is None or isinstance(max_age, str | timedelta):
        return dict.fromkeys((feature.asked for feature in features), _age(max_age))
    words = [feature.asked for feature in features]
    stranger = next((each for each in max_age if each not in words), None)
    if stranger is not None:
        msg = f"max_age names {stranger!r}, which is not among the features; they are {', '.join(words)}"
        raise InvalidRequestError(msg, field="max_age")
    return {word: _age(max_age.get(word)) for word in words}


def _age(age: MaxAge) -> int | None:
    if age is None:
        return None
    found = _DURATION.fullmatch(age.strip()) if isinstance(age, str) else None
    length = timedelta(seconds=float(found[1]) * _SECONDS[found[2]]) if found else age
    if not isinstance(length, timedelta) or length <= timedelta(0):
        msg = f"max_age must be a length of time such as '4h', '90m' or a timedelta, was {age!r}"
        raise InvalidRequestError(msg, field="max_age")
    return int(length.total_seconds() * MICROSECONDS_A_SECOND)
