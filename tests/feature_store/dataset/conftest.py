"""Stores with rows that became known late, and what is asked of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from feature_store.bars import Symbol, Timeframe
from feature_store.calendar import HOUR, Calendar
from feature_store.feature_store import FeatureStore
from feature_store.store.delta import DeltaStore
from feature_store.store.memory import MemoryStore
from feature_store.store.protocol import Arrivals
from feature_store.times import to_microseconds
from tests.conftest import random_walk

MONDAY = to_microseconds("2023-01-02T00:00:00Z")


@pytest.fixture(params=["memory", "delta"])
def kept(request, tmp_path):
    """An empty store, once of each kind."""
    made = MemoryStore() if request.param == "memory" else DeltaStore(tmp_path / "market")
    yield made
    made.close()


@pytest.fixture(scope="session")
def market():
    """400 hours of three pairs, known when their bars closed; nothing is written to it."""
    made = MemoryStore()
    for place, symbol in enumerate(("EUR/USD", "GBP/USD", "USD/JPY")):
        write(made, symbol, random_walk(400, seed=place))
    return made


def write(store, symbol, frame, timeframe="1h", first=0, known_at=None):
    """Write bars that open one after another, the first `first` bars after Monday; `known_at` in hours after Monday."""
    timeframe = Timeframe.parse(timeframe)
    time = MONDAY + (first + np.arange(len(frame))) * timeframe.microseconds
    closes = Calendar.of(symbol).bar_close(time, timeframe)
    known = closes if known_at is None else np.maximum(closes, MONDAY + int(known_at * HOUR))
    columns = {name: frame[name].to_numpy(copy=True) for name in frame}
    assumed = np.full(len(frame), known_at is None)
    store.write(Symbol.parse(symbol), timeframe, Arrivals(time, closes, known, assumed, columns, "test"))


def bar(close):
    """One bar, or a deletion where `close` is NaN."""
    return pd.DataFrame({name: [close] for name in ("open", "high", "low", "close", "tick_volume")})


def at(hours):
    """A moment, `hours` after Monday."""
    return MONDAY + int(hours * HOUR)


def events(*rows):
    """Events of (symbol, hours after Monday)."""
    return {"symbol": [symbol for symbol, _ in rows], "time": [pd.Timestamp(at(hours), unit="us") for _, hours in rows]}


def as_known(store, symbol, timeframe, features, moment):
    """What the store says of a moment: the last row of the features as known then, all NaN where there is none."""
    from feature_store.errors import DataNotFoundError

    names = [column for each in features for column in FeatureStore(store).registry.parse(each).columns]
    try:
        rows = FeatureStore(store).features(symbol, timeframe, features, as_of=moment, as_="numpy")
    except DataNotFoundError:
        return dict.fromkeys(names, np.nan)
    return {name: rows[name][-1] for name in names}
