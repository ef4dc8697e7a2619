"""Features computed when they are asked for, part by part, and kept in memory while there is room.

1. A view is what is looked at: a snapshot of a stored series, the timeframe it is wanted in, the moment of knowledge. Its parts
   (`views`) are named by what decides their bars, so what is computed of one is kept under its name.
2. A feature runs over the view's bars from the first, so its values are the same whatever the range asked for. The states that
   features have at the ends of parts are kept (`states`), so a range takes the parts that it touches and not those before.
3. A feature of other bars, of a higher timeframe or another symbol, runs over their view. Each row takes the value of the
   last of those bars that had closed when the row's own bar closed; a bar still forming then is absent.
4. A feature that compares two symbols takes the other's close of the very same bar; where the other has none, the row is a gap.

A timeframe that is not stored is made from the highest stored one below that divides it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import OTHER, TIMEFRAMES, Bars, Symbol, Timeframe
from feature_store.calendar import Calendar, bucket_open
from feature_store.clock import clock_columns
from feature_store.engine.plan import Plan
from feature_store.engine.schedule import cores
from feature_store.errors import DataNotFoundError, InvalidRequestError
from feature_store.indicators.catalog import parse
from feature_store.recent import Recent
from feature_store.resample import divides
from feature_store.states import States
from feature_store.store.history import stack
from feature_store.views import Ground, View

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from feature_store.bars import Floats, Integers
    from feature_store.indicators.feature import Feature
    from feature_store.indicators.registry import Registry
    from feature_store.store.protocol import Store
    from feature_store.store.snapshot import Snapshot
    from feature_store.views import Name, Part

    Values = dict[Feature, tuple[Floats, ...]]


class VirtualFeatures:
    """Bars and features of a store's series in any timeframe; keeps what it computed under a budget of bytes.

    Args:
        store: where the bars are.
        budget: bytes of bars and features to keep in memory.
        states: where carried states are kept; in memory by default.
    """

    def __init__(self, store: Store, budget: int, states: States | None = None) -> None:
        self._store = store
        self._states = States() if states is None else states
        self._kept: Recent[tuple[Any, ...], Any] = Recent(budget)
        self._views: dict[tuple[Symbol, Timeframe], View] = {}

    def __repr__(self) -> str:
        return f"<VirtualFeatures of {self._store!r} keeping {self._kept.nbytes} bytes>"

    def clear(self) -> None:
        """Forget what was computed."""
        self._kept.clear()
        self._views.clear()
        self._states.clear()

    # ---------------------------------------------------------------- bars
    def view(self, symbol: Symbol, timeframe: Timeframe, as_of: int | None) -> View:
        """Return the series as known at `as_of`; raises DataNotFoundError where nothing stored can become it."""
        for stored in (timeframe, *(t for t in reversed(TIMEFRAMES) if t < timeframe and divides(t, timeframe))):
            snapshot = self._store.snapshot(symbol, stored)
            if snapshot is not None:
                return self._view(timeframe, snapshot, as_of)
        held = ", ".join(f"{series.symbol} {series.timeframe}" for series in self._store.series()) or "nothing yet"
        msg = f"there are no bars of {symbol} in {timeframe} or a timeframe to make it from; this store holds {held}"
        raise DataNotFoundError(msg, field="symbol")

    def _view(self, timeframe: Timeframe, snapshot: Snapshot, as_of: int | None) -> View:
        """Return a view; of all that is known, the same one as long as the snapshot is, with its parts made once."""
        if as_of is not None and as_of < snapshot.edition.latest_known_at:
            return View(timeframe, snapshot, as_of)
        key = snapshot.symbol, timeframe
        view = self._views.get(key)
        if view is None or view.snapshot is not snapshot:
            view = self._views[key] = View(timeframe, snapshot, None)
        return view

    def range(self, view: View, start: int | None, end: int | None) -> Bars:
        """Return the view's closed bars that open in `[start, end)`."""
        found = [bars.between(start, end) for bars in self._parts(view.touching(start, end))]
        bars = [each for each in found if len(each)] or found[:1]
        if not bars:
            return self.part(view.parts[0])[:0]
        if len(bars) == 1:
            return bars[0]
        columns = stack([each.columns for each in bars], [len(each) for each in bars])
        return Bars(view.symbol, view.timeframe, np.concatenate([each.time for each in bars]), columns)

    def bars(self, view: View) -> Bars:
        """Return all of the view's closed bars."""
        return self.range(view, None, None)

    def part(self, part: Part) -> Bars:
        """Return the closed bars of a part of a view."""
        kept = self._kept.get((part.name, "bars"))
        if isinstance(kept, Bars):
            return kept
        bars = part.bars()
        nbytes = bars.time.nbytes + sum(column.nbytes for column in bars.columns.values())
        self._kept.put((part.name, "bars"), bars, nbytes)
        return bars

    def _parts(self, parts: Sequence[Part]) -> list[Bars]:
        """Return the closed bars of parts; where several have to be read, several at once."""
        unread = [part for part in parts if self._kept.get((part.name, "bars")) is None]
        if len(unread) < 2 or cores() < 2:  # noqa: PLR2004  one reads as fast alone
            return [self.part(part) for part in parts]
        with ThreadPoolExecutor(cores()) as pool:
            return list(pool.map(self.part, parts))

    def available_at(self, view: View, start: int | None = None, end: int | None = None) -> Integers:
        """Return when each of the view's bars that open in `[start, end)` closed."""
        parts = view.touching(start, end)
        return np.concatenate([self._closes(part)[self.part(part).rows(start, end)] for part in parts] or [_NONE])

    def anchor(self, view: View) -> int:
        """Return the open of the view's first bar, from which recursive values run."""
        for part in view.parts:
            untouched = part.as_of is None and part.span.rows == part.span.bars  # nothing was corrected or deleted
            if untouched:
                return int(bucket_open(part.span.first, view.timeframe)) if view.derived else part.span.first
            if len(bars := self.part(part)):
                return int(bars.time[0])
        return view.snapshot.edition.first

    def _closes(self, part: Part) -> Integers:
        kept: Integers | None = self._kept.get((part.name, "available_at"))
        if kept is None:
            kept = Calendar.of(part.view.symbol).bar_close(self.part(part).time, part.view.timeframe)
            self._kept.put((part.name, "available_at"), kept, kept.nbytes)
        return kept

    # ---------------------------------------------------------------- features
    def registry(self) -> Registry:
        """Return what the names in ids mean in this store."""
        return self._store.definitions.registry()

    def versions(self, features: Iterable[str]) -> dict[str, str]:
        """Return the versions of the features' definitions by column."""
        registry = self.registry()
        return _versions(parse(each, registry) for each in features)

    def columns(
        self,
        view: View,
        features: Sequence[str],
        as_of: int | None,
        start: int | None = None,
        end: int | None = None,
    ) -> tuple[dict[str, Floats], dict[str, str]]:
        """Return the features at the view's bars that open in `[start, end)`, and their definitions' versions, by column.

        Other bars are read as of `as_of`; the view's own moment does not tell, being None where all of it was known.

        Raises what `parse` raises, and InvalidRequestError for a feature of a timeframe below the view's.
        """
        registry = self.registry()
        parsed = [parse(each, registry) for each in features]
        grounds = {feature: self.ground(view, feature, as_of) for feature in parsed}
        parts = [
            _cut(self._of_part(part, grounds), self.part(part).rows(start, end)) for part in view.touching(start, end)
        ]
        named = {
            name: rows
            for feature in parsed
            for name, rows in zip(feature.columns, _turned(parts, feature), strict=True)
        }
        return _joined_rows(named), _versions(parsed)

    def ground(self, view: View, feature: Feature, as_of: int | None) -> Ground:
        """Return which bars a feature asked of a view is computed of; raises as `columns` does."""
        if feature.definition.compares and feature.other is None:
            msg = f"{feature.asked} compares two symbols; name the other, as in {feature.asked}@GBPUSD"
            raise InvalidRequestError(msg, field="indicators")
        timeframe = _timeframe_of(feature, view)
        symbol = view.symbol if feature.symbol is None else Symbol.parse(feature.symbol)
        mine = symbol == view.symbol and timeframe == view.timeframe
        own = view if mine else self.view(symbol, timeframe, as_of)
        return Ground(own, None if feature.other is None else self.view(Symbol.parse(feature.other), timeframe, as_of))

    def _of_part(self, part: Part, grounds: Mapping[Feature, Ground]) -> Values:
        """Return features at the rows of a part of the view that they were asked of."""
        found: Values = {}
        for ground in dict.fromkeys(grounds.values()):
            asked = [feature for feature in grounds if grounds[feature] == ground]
            if ground.view == part.view:
                own = self._own(ground, part, [feature.plain for feature in asked])
                found.update((feature, own[feature.plain]) for feature in asked)
            else:
                found.update(self._joined(ground, part, asked))
        return found

    def _own(self, ground: Ground, part: Part, features: Sequence[Feature]) -> Values:
        """Return features at the rows of a part of their ground; those not kept are computed together."""
        name, asked = ground.name(part), list(dict.fromkeys(features))
        found = {feature: self._kept.get((name, feature, feature.version)) for feature in asked}
        missing = [feature for feature in asked if found[feature] is None]
        if missing:  # one plan has one state: of a series in parts, all that was asked for together stays together
            found.update(self._compute(ground, part, missing if len(part.view.parts) == 1 else asked))
        return {feature: values for feature, values in found.items() if values is not None}

    def _compute(self, ground: Ground, part: Part, features: Sequence[Feature]) -> Values:
        """Run features over a part, from the state that they had at the end of the one before."""
        ordered = sorted(features, key=lambda feature: feature.id)  # in whatever order they were asked for
        plan = Plan.of(ordered)
        known, words = self._carried(ground, part, plan)
        carried: dict[Name, Integers] = {}
        values: Values = {}
        for each in ground.view.parts[known : part.place + 1]:
            values = self._run(ground, each, plan, words)
            if not each.last:
                carried[ground.name(each)] = words.copy()
        self._states.put(carried, plan)
        return values

    def _carried(self, ground: Ground, part: Part, plan: Plan) -> tuple[int, Integers]:
        """Return the latest part up to this one before which a plan's state is known, and its words there."""
        for place in range(part.place, 0, -1):
            words = self._states.get(ground.name(ground.view.parts[place - 1]), plan)
            if words is not None:
                return place, words
        return 0, plan.words.copy()

    def _run(self, ground: Ground, part: Part, plan: Plan, words: Integers) -> Values:
        """Run a plan over a part, keep its values, and leave in `words` the state at the end."""
        bars = self.part(part)
        columns = _contiguous(bars.columns) | clock_columns(bars.time, plan.clock)
        if ground.other is not None and len(bars):
            columns[OTHER] = self._close_of(ground.other, part)
        elif ground.other is not None:
            columns[OTHER] = np.empty(0)
        rows = [np.empty(len(bars)) for _ in plan.columns]
        plan.fill(columns, words, rows)
        left = iter(rows)
        values = {feature: tuple(_sealed(next(left)) for _ in feature.columns) for feature in plan.features}
        for feature, mine in values.items():
            key = (ground.name(part), feature, feature.version)
            self._kept.put(key, mine, sum(column.nbytes for column in mine))
        return values

    def _close_of(self, other: View, part: Part) -> Floats:
        """Return the other's close of each of a part's bars, NaN where none was known when that bar closed."""
        time = self.part(part).time
        first, last = int(time[0]), int(time[-1]) + 1
        bars = self.range(other, first, last)
        closed = value_at(time, bars.time, self.available_at(other, first, last).astype(np.float64))
        return np.where(closed <= self._closes(part), value_at(time, bars.time, bars.columns["close"]), np.nan)

    # ---------------------------------------------------------------- features of other bars
    def _joined(self, ground: Ground, part: Part, features: Sequence[Feature]) -> Values:
        """Return features of other bars as known at the close of each of a part's bars."""
        closes = self._closes(part)
        name = (part.name, _upto(ground, closes))
        found = {feature: self._kept.get((*name, feature, feature.version)) for feature in features}
        missing = [feature for feature in features if found[feature] is None]
        if missing:
            closed, values = self._until(ground, missing, closes)
            last_closed = closed.searchsorted(closes, side="right") - 1
            for feature in missing:
                mine = tuple(_taken(column, last_closed) for column in values[feature])
                self._kept.put((*name, feature, feature.version), mine, sum(column.nbytes for column in mine))
                found[feature] = mine
        return {feature: values for feature, values in found.items() if values is not None}

    def _until(self, ground: Ground, features: Sequence[Feature], closes: Integers) -> tuple[Integers, Values]:
        """Return when the ground's bars closed, and features at them: from the last bar that had closed at the first close."""
        plain = [feature.plain for feature in features]
        closed: list[Integers] = []
        values: list[Values] = []
        begun = ground.view.touching(None, int(closes[-1]) if len(closes) else None)
        for part in reversed(begun or ground.view.parts[:1]):  # which may begin later, and then gives nothing yet
            closed.insert(0, self._closes(part))
            values.insert(0, self._own(ground, part, plain))
            if len(closed[0]) and len(closes) and closed[0][0] <= closes[0]:
                break
        together = {
            feature: tuple(np.concatenate(each) for each in _turned(values, feature.plain)) for feature in features
        }
        return np.concatenate(closed), together


_NONE = np.empty(0, dtype=np.int64)


def _upto(ground: Ground, closes: Integers) -> Name:
    """Return what tells the bars of a ground that had closed by the last of these closes from others."""
    moment = int(closes[-1]) if len(closes) else 0
    others = () if ground.other is None else ground.other.upto(moment)
    return (*ground.view.upto(moment), *others)


def _joined_rows(columns: Mapping[str, list[Floats]]) -> dict[str, Floats]:
    """Return each column's rows of consecutive parts as one; in one block, which the system hands out faster than many."""
    lengths = [len(rows) for rows in next(iter(columns.values()))]
    if len(lengths) == 1:
        return {name: rows for name, (rows,) in columns.items()}
    block = np.empty((len(columns), sum(lengths)))
    return {name: np.concatenate(rows, out=row) for row, (name, rows) in zip(block, columns.items(), strict=True)}


def _cut(values: Values, rows: slice) -> Values:
    return {feature: tuple(column[rows] for column in each) for feature, each in values.items()}


def _turned(parts: Sequence[Values], feature: Feature) -> list[list[Floats]]:
    """Return for each output of a feature its columns in all parts."""
    return [[part[feature][place] for part in parts] for place in range(len(feature.columns))]


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


def value_at(times: Integers, opens: Integers, values: Floats) -> Floats:
    """Return the value of the bar that opens at each of `times`, NaN where none does.

    >>> value_at(np.array([10, 20, 30]), np.array([10, 30]), np.array([1.0, 2.0]))
    array([ 1., nan,  2.])
    """
    places = opens.searchsorted(times)
    return np.where(np.append(opens, -1)[places] == times, np.append(values, np.nan)[places], np.nan)


def _contiguous(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    return {name: np.ascontiguousarray(column) for name, column in columns.items()}


def _sealed(column: Floats) -> Floats:
    """Return a column that nobody can change."""
    column.setflags(write=False)
    return column


def _taken(values: Floats, places: Integers) -> Floats:
    """Return the values at `places`, NaN where a place is below 0."""
    padded = np.append(values, np.nan)
    return _sealed(padded[places])
