"""Features computed when they are asked for, over the whole stored series, and kept in memory while there is room.

1. A view is what is looked at: a snapshot of a stored series, the timeframe it is wanted in, the moment of knowledge. Views of
   one name have the same bars for ever, so what is computed over one is kept under its name.
2. A feature runs over the view's bars from the first, so a range asked for is a slice of one answer, whatever the range.
3. A feature of a higher timeframe runs over that timeframe's view. Each row takes the value of the last higher bar that
   had closed when the row's own bar closed; a higher bar still forming then is absent.

A timeframe that is not stored is made from the highest stored one below that divides it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import TIMEFRAMES, Bars, Symbol, Timeframe
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
    from feature_store.store.history import Snapshot
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
        own = [feature for feature in parsed if _timeframe_of(feature, view) == view.timeframe]
        values = self._own(view, [_without_timeframe(feature) for feature in own])
        columns: dict[str, Floats] = {}
        for feature in parsed:
            rows = values[_without_timeframe(feature)] if feature in own else self._joined(view, feature, as_of)
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

    def _own(self, view: View, features: list[Feature]) -> dict[Feature, tuple[Floats, ...]]:
        """Return the values of features of the view's own timeframe; those not kept are computed together."""
        found: dict[Feature, tuple[Floats, ...]] = {}
        missing = []
        for feature in dict.fromkeys(features):
            kept = self._kept.get((view.name, feature, feature.version))
            if kept is None:
                missing.append(feature)
            else:
                found[feature] = kept
        if missing:
            found.update(self._compute(view, missing))
        return found

    def _compute(self, view: View, features: list[Feature]) -> dict[Feature, tuple[Floats, ...]]:
        bars = self.bars(view)
        plan = Plan.of(features)
        rows = iter(plan.run(_contiguous(bars.columns) | clock_columns(bars.time, plan.clock)))
        computed = {}
        for feature in features:
            values = tuple(_owned(next(rows)) for _ in feature.columns)
            self._kept.put((view.name, feature, feature.version), values, sum(column.nbytes for column in values))
            computed[feature] = values
        return computed

    def _joined(self, view: View, feature: Feature, as_of: int | None) -> tuple[Floats, ...]:
        """Return the values of a higher timeframe's feature as known at the close of each of the view's bars."""
        higher = self.view(view.symbol, _timeframe_of(feature, view), as_of)
        kept: tuple[Floats, ...] | None = self._kept.get((view.name, higher.name, feature, feature.version))
        if kept is None:
            plain = _without_timeframe(feature)
            last_closed = self.available_at(higher).searchsorted(self.available_at(view), side="right") - 1
            kept = tuple(_taken(values, last_closed) for values in self._own(higher, [plain])[plain])
            self._kept.put(
                (view.name, higher.name, feature, feature.version), kept, sum(column.nbytes for column in kept)
            )
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


def _without_timeframe(feature: Feature) -> Feature:
    return replace(feature, timeframe=None, asked="")


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
