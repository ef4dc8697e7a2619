"""A training set in the making: what it depends on, and the answer, the frame and the manifest that follow from that."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.dataset.answer import STATUSES, Answer
from feature_store.dataset.digest import digest
from feature_store.dataset.frames import assembled, refuse_taken
from feature_store.dataset.manifest import ENGINE, FeatureRecord, Manifest, SeriesRecord, pins
from feature_store.dataset.point_in_time import PointInTime
from feature_store.dataset.verification import verified
from feature_store.engine.schedule import cores
from feature_store.errors import DataNotFoundError
from feature_store.store.pinned import PinnedStore
from feature_store.times import MICROSECONDS_A_SECOND, to_iso
from feature_store.virtual import VirtualFeatures

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.bars import Integers, Symbol
    from feature_store.dataset.events import Events
    from feature_store.dataset.labels import Labels
    from feature_store.dataset.question import Question
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


@dataclass(frozen=True, eq=False)
class Making:
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
        """Return the training set; raises InvalidRequestError where a column's name is taken, and LeakError."""
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
            engine=ENGINE,
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
            events_sha256=events_digest(self.events, self.labels),
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


def events_digest(events: Events, labels: Labels) -> str:
    """Return the hash of what the answer depends on: whose events, when, and the labels they bring."""
    given = {name: events.numbers(name) for name in labels.given}
    return digest({"symbol": events.codes, "time": events.time, **given}, [symbol.name for symbol in events.symbols])


# ---------------------------------------------------------------- the state of the data
def series_of(
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
