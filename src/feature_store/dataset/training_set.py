"""Training sets: events with the features as they were known then, and a manifest that makes the same bytes again.

1. Everything that can be refused is refused: bad rows, unknown features, names that are taken.
2. The state of every series that is looked at is pinned, and only that state is looked at from then on.
3. Symbol by symbol, one a core, is answered (`point_in_time`) into arrays that are there already, so memory does not grow
   with the number of series; labels are made beside.
4. What was asked, of which state, and the hash of the answer go into the manifest.

Making it again repeats steps 3 and 4 with the pins, ids and versions of a manifest, and compares the hashes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

import feature_store
from feature_store.bars import Symbol, Timeframe
from feature_store.dataset.answer import STATUSES, Answer
from feature_store.dataset.digest import digest
from feature_store.dataset.events import Events
from feature_store.dataset.frames import assembled, refuse_taken
from feature_store.dataset.labels import Labels
from feature_store.dataset.manifest import FeatureRecord, Manifest, SeriesRecord, pins
from feature_store.dataset.point_in_time import PointInTime
from feature_store.dataset.question import EVENT, question
from feature_store.dataset.verification import check_sample, verified
from feature_store.engine.schedule import cores
from feature_store.errors import DataNotFoundError, InvalidRequestError, SnapshotMismatchError
from feature_store.forms import check_form
from feature_store.indicators.catalog import parse
from feature_store.store.pinned import PinnedStore
from feature_store.times import MICROSECONDS_A_SECOND, to_iso
from feature_store.virtual import VirtualFeatures
from feature_store.wire import FeatureRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.bars import Integers
    from feature_store.dataset.question import MaxAge, Question
    from feature_store.forms import Form
    from feature_store.store.protocol import Store
    from feature_store.store.snapshot import Snapshot

BUDGET = 128 * 2**20
"""Bytes of computed features that are kept while a set is made: enough for the few series that several symbols look at."""


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class TrainingSet:
    """Events with features as known then.

    Args:
        frame: the events' own columns in their order, `bar_time` (the open of the bar that answers), the features, statuses and
            ages where they were asked for, and the labels.
        manifest: how it was made.
        features: the columns of features.
        labels: the columns of labels.
    """

    frame: Any
    manifest: Manifest
    features: tuple[str, ...]
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return self.manifest.rows

    def __repr__(self) -> str:
        counts = self.manifest.statuses.values()
        known = sum(each["ok"] + each["unsettled"] for each in counts) / (len(self) * len(counts))
        made = f"{len(self)} events x {len(self.features)} features"
        return f"<TrainingSet {made}, {known:.1%} known, {len(self.labels)} labels, {self.manifest.sha256[:10]}>"


def training_set(
    store: Store,
    events: Any,
    features: Iterable[str] | str,
    labels: Any = None,
    timeframe: str = "1h",
    as_of: Any = EVENT,
    *,
    max_age: MaxAge | Mapping[str, MaxAge] = None,
    status: bool = False,
    ages: bool = False,
    as_: Form = "pandas",
    verify: bool | int = False,
) -> TrainingSet:
    """Return the features of events as they were known then; `FeatureStore.training_set` says the rest.

    Raises InvalidRequestError, FeatureNotFoundError, DataNotFoundError where no event's symbol has bars, and LeakError where
    `verify` finds other values than were served.
    """
    check_form(as_)
    check_sample(verify)
    happened = Events.of(events)
    request = FeatureRequest.of(happened.symbols[0], timeframe, indicators=features)
    registry = store.definitions.registry()
    parsed = [parse(each, registry) for each in request.indicators]
    asked = question(parsed, request.timeframe, as_of, max_age)
    wanted = Labels.of(labels, happened)
    series, absent = _series(store, asked, happened.symbols)
    return _Making(store, happened, asked, wanted, series, absent, status=status, ages=ages).made(as_, verify)


def rebuild(
    store: Store, manifest: Manifest, events: Any, *, as_: Form = "pandas", verify: bool | int = False
) -> TrainingSet:
    """Return the same training set again, to the bit, from the rows it was made of, whatever came since.

    Args:
        store: the store it was made from.
        manifest: of the first making.
        events: the same events with the same labels; other columns may differ.
        as_: the form of the frame.
        verify: as in `training_set`.

    Raises InvalidRequestError for other events, SnapshotMismatchError where a definition changed or the answer has other bytes,
    and DataNotFoundError where the store lacks rows that were there.
    """
    check_form(as_)
    check_sample(verify)
    happened, wanted = Events.of(events), Labels.described(manifest.labels)
    _refuse_other_events(happened, wanted, manifest)
    asked = _asked_again(store, manifest)
    made = _Making(
        store,
        happened,
        asked,
        wanted,
        manifest.series,
        manifest.no_data,
        status=manifest.status,
        ages=manifest.ages,
    ).made(as_, verify)
    if made.manifest.sha256 != manifest.sha256:
        msg = (
            f"the same rows gave other bytes ({made.manifest.sha256[:10]}, not {manifest.sha256[:10]}): the set was made by "
            f"version {manifest.engine}, this is {feature_store.__version__}; rebuild it with that version, or make it anew"
        )
        raise SnapshotMismatchError(msg)
    return made


# ---------------------------------------------------------------- making
@dataclass(frozen=True, eq=False)
class _Making:
    """A training set in the making: everything it depends on."""

    store: Store
    events: Events
    question: Question
    labels: Labels
    series: tuple[SeriesRecord, ...]
    absent: tuple[str, ...]
    status: bool
    ages: bool

    def made(self, form: Form, verify: bool | int) -> TrainingSet:
        pinned = PinnedStore(self.store, pins(self.series))
        answer = Answer.without_data(self.question, len(self.events), status=self.status, ages=self.ages)
        labels = self.labels.columns(self.events)
        added = {name: each for name, each in labels.items() if name not in self.labels.given}
        refuse_taken(self.events.names, (*answer.columns(), *added))
        self._fill(pinned, answer, labels)
        if verify:
            verified(pinned, self.question, self.events, answer, self.absent, verify)
        frame = assembled(self.events.table, self.labels.given, answer.columns() | added, form)
        manifest = self._manifest(answer, labels)
        return TrainingSet(frame, manifest, tuple(answer.values), self.labels.names)

    def _fill(self, pinned: PinnedStore, answer: Answer, labels: dict[str, Any]) -> None:
        """Answer the symbols, as many at once as there are cores; no two have rows in common."""
        virtual = VirtualFeatures(pinned, BUDGET)
        joins = PointInTime(virtual, self.question)

        def fill(mine: tuple[Symbol, Integers]) -> None:
            symbol, rows = mine
            joins.fill(answer, symbol, rows, self.events.time[rows])
            if self.labels.made:
                view = virtual.view(symbol, self.question.timeframe, self.question.moment)
                self.labels.fill(labels, virtual, view, rows, answer.bar_time[rows])

        present = [(symbol, rows) for symbol, rows in self.events.by_symbol() if symbol.name not in self.absent]
        with ThreadPoolExecutor(cores()) as threads:
            for _ in threads.map(fill, present):
                pass

    def _manifest(self, answer: Answer, labels: Mapping[str, Any]) -> Manifest:
        as_of = self.question.as_of
        counts = {name: dict(zip(STATUSES, each.tolist(), strict=True)) for name, each in answer.counts.items()}
        return Manifest(
            engine=feature_store.__version__,
            timeframe=self.question.timeframe.name,
            as_of=to_iso(as_of) if isinstance(as_of, int) else as_of,
            features=_records(self.question),
            labels=tuple(self.labels.describe()),
            status=self.status,
            ages=self.ages,
            series=self.series,
            no_data=self.absent,
            rows=len(self.events),
            statuses=counts,
            lacking={name: int(np.isnan(labels[name]).sum()) for name in self.labels.names},
            events_sha256=_events_digest(self.events, self.labels),
            sha256=digest(answer.columns() | dict(labels)),
        )


def _records(asked: Question) -> tuple[FeatureRecord, ...]:
    return tuple(
        FeatureRecord(
            asked=each.feature.asked,
            id=each.feature.id,
            version=each.feature.version,
            columns=tuple(column.name for column in each.columns),
            max_age_s=_seconds(each.columns[0].max_age),
        )
        for each in asked.asked
    )


def _seconds(microseconds: int | None) -> float | None:
    return None if microseconds is None else microseconds / MICROSECONDS_A_SECOND


def _events_digest(events: Events, labels: Labels) -> str:
    """Return the hash of what the answer depends on: whose events, when, and the labels they bring."""
    given = {name: events.numbers(name) for name in labels.given}
    return digest({"symbol": events.codes, "time": events.time, **given}, [symbol.name for symbol in events.symbols])


# ---------------------------------------------------------------- the state of the data
def _series(
    store: Store, asked: Question, symbols: Iterable[Symbol]
) -> tuple[tuple[SeriesRecord, ...], tuple[str, ...]]:
    """Return the series that the events look at as they stand now, and the symbols of which there are no bars.

    Raises DataNotFoundError where there are none of any event's symbol, and for what features name.
    """
    virtual = VirtualFeatures(store, 0)
    found: dict[tuple[str, str], SeriesRecord] = {}
    absent: dict[str, DataNotFoundError] = {}
    for symbol in symbols:
        try:
            own = virtual.view(symbol, asked.timeframe, None)
        except DataNotFoundError as problem:
            absent[symbol.name] = problem
            continue
        grounds = [virtual.ground(own, each.feature, None) for each in asked.asked]
        views = (own, *(ground.view for ground in grounds), *(ground.other for ground in grounds))
        for snapshot in {view.name: view.snapshot for view in views if view is not None}.values():
            found.setdefault((snapshot.symbol.name, snapshot.timeframe.name), _record(snapshot))
    if not found:
        raise next(iter(absent.values()))
    return tuple(found.values()), tuple(absent)


def _record(snapshot: Snapshot) -> SeriesRecord:
    anchor = to_iso(snapshot.edition.first)
    return SeriesRecord(snapshot.symbol.name, snapshot.timeframe.name, snapshot.pin, anchor)


# ---------------------------------------------------------------- making it again
def _refuse_other_events(events: Events, labels: Labels, manifest: Manifest) -> None:
    stranger = next((name for name in labels.given if name not in events.names), None)
    if stranger is not None:
        msg = (
            f"the set was made with a label {stranger!r}, which these events lack; give the events that it was made of"
        )
        raise InvalidRequestError(msg, field="events")
    found = _events_digest(events, labels)
    if found != manifest.events_sha256:
        msg = (
            f"these are not the events that the set was made of: {len(events)} rows with hash {found[:10]}, not "
            f"{manifest.rows} with {manifest.events_sha256[:10]}; give the same symbols, times and labels in the same order"
        )
        raise InvalidRequestError(msg, field="events")


def _asked_again(store: Store, manifest: Manifest) -> Question:
    """Return the question of a manifest; raises SnapshotMismatchError where a definition is another now."""
    registry = store.definitions.registry()
    features = [replace(parse(each.id, registry), asked=each.asked) for each in manifest.features]
    for record, feature in zip(manifest.features, features, strict=True):
        if feature.version != record.version:
            msg = f"{record.id} was {record.version} when the set was made and is {feature.version} now; make the set anew"
            raise SnapshotMismatchError(msg)
    ages = {each.asked: _length(each.max_age_s) for each in manifest.features}
    return question(features, Timeframe.parse(manifest.timeframe), manifest.as_of, ages)


def _length(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
