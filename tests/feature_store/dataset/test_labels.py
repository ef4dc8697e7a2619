"""Labels look ahead on purpose, and say when they had become known."""

import numpy as np
import pandas as pd
import pytest

from feature_store.dataset.labels import ForwardReturn
from feature_store.dataset.training_set import training_set
from feature_store.errors import InvalidRequestError
from feature_store.store.memory import MemoryStore

from .conftest import at, bar, events, write

CLOSES = [1.0, 2.0, 4.0, 3.0, 6.0]


@pytest.fixture
def store():
    made = MemoryStore()
    write(made, "EUR/USD", pd.concat([bar(close) for close in CLOSES]))
    return made


def labels(store, *hours, timeframe="1h", as_of="event", **made):
    asked = events(*(("EURUSD", each) for each in hours))
    frame = training_set(store, asked, ["lag_1"], labels=made, timeframe=timeframe, as_of=as_of).frame
    known = [None if pd.isna(each) else (each.value // 1000 - at(0)) / 3.6e9 for each in frame["label_known_at"]]
    return {name: frame[name].tolist() for name in made}, known


def test_a_forward_return_runs_from_the_close_of_the_events_bar(store):
    found, known = labels(store, 1, 2.5, 3, two=ForwardReturn(2))
    assert found == {"two": [3.0, 0.5, 0.5]}
    assert known == [3.0, 4.0, 5.0]


def test_a_logarithmic_one_is_the_logarithm_of_the_ratio(store):
    found, _ = labels(store, 1, one=ForwardReturn(1, kind="log"))
    assert found == {"one": [np.log(2.0)]}


def test_a_label_whose_bar_has_not_come_is_not_known(store):
    found, known = labels(store, 4, 5, 0.5, two=ForwardReturn(2))
    assert np.isnan(found["two"]).all()
    assert known == [None, None, None]


def test_an_event_is_known_when_the_last_of_its_labels_is(store):
    _, known = labels(store, 1, 4, one=ForwardReturn(1), three=ForwardReturn(3))
    assert known == [4.0, 5.0]


def test_a_corrected_bar_makes_the_label_known_later(store):
    write(store, "EUR/USD", bar(8.0), first=2, known_at=30)
    found, known = labels(store, 1, 2, two=ForwardReturn(2))
    assert found == {"two": [7.0, 0.5]}
    assert known == [30.0, 4.0]


def test_a_label_as_of_a_moment_is_as_known_then(store):
    write(store, "EUR/USD", bar(8.0), first=2, known_at=30)
    found, known = labels(store, 1, 3, as_of="2023-01-02T04:00Z", two=ForwardReturn(2))
    assert (found["two"][0], np.isnan(found["two"][1])) == (3.0, True)
    assert known == [3.0, None]


def test_longer_bars_are_known_when_the_last_row_they_are_made_of_is(store):
    write(store, "EUR/USD", bar(6.0), first=1, known_at=30)
    found, known = labels(store, 2, timeframe="2h", one=ForwardReturn(1))
    assert (found, known) == ({"one": [-0.5]}, [30.0])


def test_a_deleted_bar_of_an_event_has_no_label(store):
    write(store, "EUR/USD", bar(np.nan), first=1, known_at=30)
    found, known = labels(store, 2, 1, one=ForwardReturn(1))
    assert (np.isnan(found["one"][0]), found["one"][1], known) == (True, 3.0, [None, 3.0])


def test_labels_are_last_and_in_the_manifest(store):
    found = training_set(store, events(("EURUSD", 2)), ["lag_1"], labels={"next": ForwardReturn(1)})
    assert list(found.frame)[-2:] == ["next", "label_known_at"]
    assert found.labels == ("next",)
    assert found.manifest.labels == ({"name": "next", "bars": 1, "kind": "simple"},)
    assert found.manifest.lacking == {"next": 0}


@pytest.mark.parametrize("bars", [0, -1, 1.5, True, 100_001, "4"])
def test_a_return_over_no_whole_number_of_bars_is_refused(bars):
    with pytest.raises(InvalidRequestError, match="whole number of bars ahead, from 1 to 100000"):
        ForwardReturn(bars)


def test_a_return_of_no_known_kind_is_refused():
    with pytest.raises(InvalidRequestError, match="'simple' or 'log', was 'percent'"):
        ForwardReturn(1, kind="percent")
