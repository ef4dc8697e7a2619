"""Features computed when they are asked for, over the whole stored series, and kept in memory while there is room.

1. A view is what is looked at: a snapshot of a stored series, the timeframe it is wanted in, the moment of knowledge. Views of
   one name have the same bars for ever, so what is computed over one is kept under its name.
2. A feature runs over the view's bars from the first, so a range asked for is a slice of one answer, whatever the range.
3. A feature of other bars, of a higher timeframe or another symbol, runs over their view. Each row takes the value of the
   last of those bars that had closed when the row's own bar closed; a bar still forming then is absent.
4. A feature that compares two symbols takes the other's close of the very same bar; where the other has none, the row is a gap.

A timeframe that is not stored is made from the highest stored one below that divides it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import OTHER, TIMEFRAMES, Bars, Symbol, Timeframe
from feature_store.calendar import Calendar, bucket_open
from feature_store.clock import clock_columns
from feature_store.engine.plan import Plan
from feature_store.errors import DataNotFoundError, InvalidRequestError
from feature_store.indicators.catalog import parse
from feature_store.recent import Recent
from feature_store.resample import divides, resample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from feature_store.bars import Floats, Integers
    from feature_store.indicators.feature import Feature
    from feature_store.indicators.registry import Registry
    from feature_store.store.snapshot import Snapshot
    from feature_store.store.protocol import Store


@dataclass(frozen=True, eq=False)
class View:
    """A series as known at a moment, in a timeframe that it is stored in or can be made into.

    Args:
        timeframe: the timeframe looked at.
        snapshot: the stored series that it comes from.
        as_of: the moment; None where everything stored was known.
    """

    timeframe: Timeframe
    snapshot: Snapshot
    as_of: int | None

    @property
    def symbol(self) -> Symbol:
        """Whose series it is."""
        return self.snapshot.symbol

    @property
    def stored(self) -> Timeframe:
        """The timeframe that it comes from."""
        return self.snapshot.timeframe

    @cached_property
    def name(self) -> tuple[object, ...]:
        """What tells it from every view with other bars."""
        return (self.symbol, self.timeframe, self.stored, self.snapshot.edition, self.as_of)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True)
class Ground:
    """What a feature is computed of: a view, and for one that compares two symbols the other's view."""

    view: View
    other: View | None

    @property
    def name(self) -> tuple[object, ...]:
        """What tells it from every ground with other bars."""
        return (self.view.name, self.other and self.other.name)


class VirtualFeatures:
    """Bars and features of a store's series in any timeframe; keeps what it computed under a budget of bytes."""

    def __init__(self, store: Store, budget: int) -> None:
        self._store = store
        self._kept: Recent[tuple[Any, ...], Any] = Recent(budget)

    def __repr__(self) -> str:
        return f"<VirtualFeatures of {self._store!r} keeping {self._kept.nbytes} bytes>"

    def view(self, symbol: Symbol, timeframe: Timeframe, as_of: int | None) -> View:
        """Return the series as known at `as_of`; raises DataNotFoundError where nothing stored can become it."""
        for stored in (timeframe, *(t for t in reversed(TIMEFRAMES) if t < timeframe and divides(t, timeframe))):
            snapshot = self._store.snapshot(symbol, stored)
            if snapshot is not None:
                everything = as_of is None or as_of >= snapshot.edition.latest_known_at
                return View(timeframe, snapshot, None if everything else as_of)
        held = ", ".join(f"{series.symbol} {series.timeframe}" for series in self._store.series()) or "nothing yet"
        msg = f"there are no bars of {symbol} in {timeframe} or a timeframe to make it from; this store holds {held}"
        raise DataNotFoundError(msg, field="symbol")

    def range(self, view: View, start: int | None, end: int | None) -> Bars:
        """Return the view's closed bars that open in `[start, end)`."""
        if view.stored == view.timeframe:
            return view.snapshot.read(start, end, view.as_of)
        return self.bars(view).between(start, end)

    def bars(self, view: View) -> Bars:
        """Return all of the view's closed bars."""
        kept = self._kept.get((view.name, "bars"))
        if isinstance(kept, Bars):
            return kept
        bars = view.snapshot.read(as_of=view.as_of)
        if view.stored != view.timeframe:
            bars = resample(bars, view.timeframe).closed
        self._kept.put(
            (view.name, "bars"), bars, bars.time.nbytes + sum(column.nbytes for column in bars.columns.values())
        )
        return bars

    def columns(
        self, view: View, features: Sequence[str], as_of: int | None
    ) -> tuple[dict[str, Floats], dict[str, str]]:
        """Return the features over all of the view's bars, and the versions of their definitions, both by column.

        Higher timeframes are read as of `as_of`; the view's own moment does not tell, being None where all of it was known.

        Raises what `parse` raises, and InvalidRequestError for a feature of a timeframe below the view's.
        """
        registry = self.registry()
        parsed = [parse(each, registry) for each in features]
        grounds = {feature: self._ground(view, feature, as_of) for feature in parsed}
        values = {
            ground: self._own(ground, [feature.plain for feature in parsed if grounds[feature] == ground])
            for ground in dict.fromkeys(grounds.values())
        }
        columns: dict[str, Floats] = {}
        for feature in parsed:
            ground = grounds[feature]
            rows = values[ground][feature.plain]
            if ground.view != view:
                rows = self._joined(view, ground, feature, rows)
            columns.update(zip(feature.columns, rows, strict=True))
        return columns, _versions(parsed)

    def available_at(self, view: View) -> Integers:
        """Return when each of the view's bars closed."""
        kept: Integers | None = self._kept.get((view.name, "available_at"))
        if kept is None:
            kept = Calendar.of(view.symbol).bar_close(self.bars(view).time, view.timeframe)
            self._kept.put((view.name, "available_at"), kept, kept.nbytes)
        return kept

    def versions(self, features: Iterable[str]) -> dict[str, str]:
        """Return the versions of the features' definitions by column."""
        registry = self.registry()
        return _versions(parse(each, registry) for each in features)

    def registry(self) -> Registry:
        """Return what the names in ids mean in this store."""
        return self._store.definitions.registry()

    def anchor(self, view: View) -> int:
        """Return the open of the view's first bar, from which recursive values run; its first bucket's if none has closed."""
        if view.as_of is None:
            first = view.snapshot.edition.first
            return first if view.stored == view.timeframe else int(bucket_open(first, view.timeframe))
        return int(self.bars(view).time[0])

    def _ground(self, view: View, feature: Feature, as_of: int | None) -> Ground:
        """Return which bars a feature asked of the view is computed of."""
        if feature.definition.compares and feature.other is None:
            msg = f"{feature.asked} compares two symbols; name the other, as in {feature.asked}@GBPUSD"
            raise InvalidRequestError(msg, field="indicators")
        timeframe = _timeframe_of(feature, view)
        symbol = view.symbol if feature.symbol is None else Symbol.parse(feature.symbol)
        mine = symbol == view.symbol and timeframe == view.timeframe
        own = view if mine else self.view(symbol, timeframe, as_of)
        return Ground(own, None if feature.other is None else self.view(Symbol.parse(feature.other), timeframe, as_of))

    def _own(self, ground: Ground, features: list[Feature]) -> dict[Feature, tuple[Floats, ...]]:
        """Return the values of features over all bars of their ground; those not kept are computed together."""
        found: dict[Feature, tuple[Floats, ...]] = {}
        missing = []
        for feature in dict.fromkeys(features):
            kept = self._kept.get((ground.name, feature, feature.version))
            if kept is None:
                missing.append(feature)
            else:
                found[feature] = kept
        if missing:
            found.update(self._compute(ground, missing))
        return found

    def _compute(self, ground: Ground, features: list[Feature]) -> dict[Feature, tuple[Floats, ...]]:
        bars = self.bars(ground.view)
        plan = Plan.of(features)
        columns = _contiguous(bars.columns) | clock_columns(bars.time, plan.clock)
        if ground.other is not None:
            columns[OTHER] = close_at(bars.time, self.bars(ground.other))
        rows = iter(plan.run(columns))
        computed = {}
        for feature in features:
            values = tuple(_owned(next(rows)) for _ in feature.columns)
            self._kept.put((ground.name, feature, feature.version), values, sum(column.nbytes for column in values))
            computed[feature] = values
        return computed

    def _joined(self, view: View, ground: Ground, feature: Feature, values: tuple[Floats, ...]) -> tuple[Floats, ...]:
        """Return values of other bars as known at the close of each of the view's bars."""
        name = (view.name, ground.name, feature, feature.version)
        kept: tuple[Floats, ...] | None = self._kept.get(name)
        if kept is None:
            last_closed = self.available_at(ground.view).searchsorted(self.available_at(view), side="right") - 1
            kept = tuple(_taken(column, last_closed) for column in values)
            self._kept.put(name, kept, sum(column.nbytes for column in kept))
        return kept

    def clear(self) -> None:
        """Forget what was computed."""
        self._kept.clear()


def _versions(features: Iterable[Feature]) -> dict[str, str]:
    return {column: feature.version for feature in features for column in feature.columns}


def _timeframe_of(feature: Feature, view: View) -> Timeframe:
    timeframe = view.timeframe if feature.timeframe is None else Timeframe.parse(feature.timeframe)
    if timeframe < view.timeframe:
        msg = (
            f"{feature.asked} is of a lower timeframe than these {view.timeframe} bars; ask for it on {timeframe} bars"
        )
        raise InvalidRequestError(msg, field="indicators")
    return timeframe


def close_at(times: Integers, bars: Bars) -> Floats:
    """Return the close of the bar that opens at each of `times`, NaN where none does.

    >>> import numpy as np
    >>> from feature_store.bars import Timeframe
    >>> bars = Bars(Symbol.parse("EUR/USD"), Timeframe.parse("1h"), np.array([10, 30]), {"close": np.array([1.0, 2.0])})
    >>> close_at(np.array([10, 20, 30]), bars)
    array([ 1., nan,  2.])
    """
    places = bars.time.searchsorted(times)
    values = np.append(bars.columns["close"], np.nan)
    return np.where(np.append(bars.time, -1)[places] == times, values[places], np.nan)


def _contiguous(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: np.ascontiguousarray(column) for name, column in columns.items()}


def _owned(column: Floats) -> Floats:
    """Return a column that does not keep the columns beside it alive and that nobody can change."""
    owned = column.copy()
    owned.setflags(write=False)
    return owned


def _taken(values: Floats, places: Integers) -> Floats:
    """Return the values at `places`, NaN where a place is below 0."""
    padded = np.append(values, np.nan)
    return _owned(padded[places])
