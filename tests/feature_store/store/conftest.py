"""Stores of both kinds, and rows to put into them."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from feature_store.bars import Symbol, Timeframe
from feature_store.calendar import Calendar
from feature_store.store.delta import DeltaStore
from feature_store.store.memory import MemoryStore
from feature_store.store.protocol import Arrivals
from feature_store.times import to_microseconds
from tests.faults import object_store

EURUSD, HOUR = Symbol.parse("EUR/USD"), Timeframe.parse("1h")
MONDAY = to_microseconds("2023-01-02T00:00:00Z")


def committing(home):
    """A store in a folder that commits every write to the history."""
    return DeltaStore(home, few_rows=0)


KINDS = {
    "memory": lambda _: MemoryStore(),
    "tail": DeltaStore,
    "history": committing,
    "tail and history": lambda home: DeltaStore(home, few_rows=3),
}
OBJECTS = "object store"
_homes = count()


@pytest.fixture(scope="session")
def port():
    """The port of an S3 server with an empty bucket."""
    with object_store.served() as port:
        yield port


@pytest.fixture(params=[*KINDS, OBJECTS])
def store(request, tmp_path):
    """An empty store, once of each kind: what is written goes to memory, the tail, the history, by size to either, or to S3."""
    if request.param == OBJECTS:
        address = f"s3://{object_store.BUCKET}/store{next(_homes)}"
        made = DeltaStore(address, options=object_store.options(request.getfixturevalue("port")))
    else:
        made = KINDS[request.param](tmp_path / "market")
    yield made
    made.close()


def arrivals(hours, close, known_at=None, *, timeframe=HOUR, start=MONDAY, source="test", **columns):
    """Rows that open `hours` bars after `start` with these closes; `known_at` in hours after `start` too."""
    time = start + np.asarray(hours, dtype=np.int64) * timeframe.microseconds
    closes = np.broadcast_to(np.asarray(close, dtype=float), time.shape).copy()
    available_at = Calendar().bar_close(time, timeframe)
    known = available_at if known_at is None else np.full(len(time), hour(known_at))
    values = {"open": closes, "high": closes + 1, "low": closes - 1, "close": closes, "tick_volume": closes * 0 + 7}
    extra = {name: np.asarray(column, dtype=float) for name, column in columns.items()}
    return Arrivals(time, available_at, known, np.full(len(time), known_at is None), values | extra, source)


def hour(number):
    """The moment `number` hours after the first bar opens."""
    return int(MONDAY + number * HOUR.microseconds)


def read(store, symbol=EURUSD, timeframe=HOUR, start=None, end=None, as_of=None):
    """The bars of a series, or None where the store has no such series."""
    snapshot = store.snapshot(symbol, timeframe)
    return None if snapshot is None else snapshot.read(start, end, as_of)


def closes(store, as_of=None, start=None, end=None):
    """The closes of EUR/USD 1h as known `as_of` hours after the first bar opens."""
    bars = read(store, start=start, end=end, as_of=None if as_of is None else hour(as_of))
    if bars is None:
        return {}
    return dict(zip(((bars.time - MONDAY) // HOUR.microseconds).tolist(), bars.columns["close"].tolist(), strict=True))
