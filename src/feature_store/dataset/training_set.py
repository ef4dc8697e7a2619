"""Training sets: events with the features as they were known then, and a manifest that makes the same bytes again.

1. Everything that can be refused is refused: bad rows, unknown features, names that are taken.
2. The state of every series that is looked at is pinned, and only that state is looked at from then on.
3. Symbol by symbol, one a core, is answered (`point_in_time`) into arrays that are there already, so memory does not grow
   with the number of series; labels are made beside.
4. What was asked, of which state, and the hash of the answer go into the manifest.

Making it again repeats steps 3 and 4 with the pins, ids and versions of a manifest, and compares the hashes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from feature_store.bars import Timeframe
from feature_store.dataset.events import Events
from feature_store.dataset.labels import Labels
from feature_store.dataset.making import Making, TrainingSet, events_digest, series_of
from feature_store.dataset.manifest import ENGINE
from feature_store.dataset.question import EVENT, question
from feature_store.dataset.verification import check_sample
from feature_store.errors import InvalidRequestError, SnapshotMismatchError
from feature_store.forms import check_form
from feature_store.indicators.catalog import parse
from feature_store.wire import FeatureRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.dataset.manifest import Manifest
    from feature_store.dataset.question import MaxAge, Question
    from feature_store.forms import Form
    from feature_store.store.protocol import Store

__all__ = ["TrainingSet", "rebuild", "training_set"]


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
    series, absent = series_of(store, asked, happened.symbols)
    return Making(store, happened, asked, wanted, series, absent, status=status, ages=ages).made(as_, verify)


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
    made = Making(
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
            f"version {manifest.engine}, this is {ENGINE}; rebuild it with that version, or make it anew"
        )
        raise SnapshotMismatchError(msg)
    return made


# ---------------------------------------------------------------- making it again
def _refuse_other_events(events: Events, labels: Labels, manifest: Manifest) -> None:
    stranger = next((name for name in labels.given if name not in events.names), None)
    if stranger is not None:
        msg = (
            f"the set was made with a label {stranger!r}, which these events lack; give the events that it was made of"
        )
        raise InvalidRequestError(msg, field="events")
    found = events_digest(events, labels)
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
