"""The same bytes again, whatever has come in since; or a refusal that says why."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import feature_store
from feature_store.dataset.labels import ForwardReturn
from feature_store.dataset.manifest import Manifest
from feature_store.dataset.training_set import rebuild, training_set
from feature_store.errors import DataNotFoundError, InvalidRequestError, SnapshotMismatchError
from feature_store.feature_store import FeatureStore
from feature_store.indicators.parameters import Int
from feature_store.store.memory import MemoryStore
from tests.conftest import random_walk

from .conftest import bar, events, write

ASKED = events(("EURUSD", 60.5), ("GBPUSD", 47), ("AUDUSD", 9), ("EURUSD", 3)) | {"y": [1.0, np.nan, 0.0, 1.0]}
FEATURES = ["ema_3", "macd", "macd_12_26_9", "lag_1@4h", "correl_5@GBPUSD", "mine_3"]


@pytest.fixture
def filled(kept):
    """A store with two symbols and a custom indicator."""
    write(kept, "EUR/USD", random_walk(60, seed=1))
    write(kept, "GBP/USD", random_walk(60, seed=2))
    FeatureStore(kept).register("mine", "sma(close, n) - open", {"n": Int(3)})
    return kept


def made(store, **options):
    return training_set(store, ASKED, FEATURES, **{"labels": ["y"], **options})


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"as_of": "2023-01-04T01:00Z"},
        {"as_of": None},
        {"max_age": {"ema_3": "30m", "lag_1@4h": "2.5h"}, "status": True, "ages": True},
        {"labels": {"next": ForwardReturn(1), "later": ForwardReturn(4, "log")}},
    ],
    ids=["event", "a moment", "in the end", "ages", "made labels"],
)
def test_the_same_bytes_come_back_after_more_rows_corrections_and_deletions(filled, options):
    first = made(filled, **options)
    write(filled, "EUR/USD", random_walk(40, seed=3), first=60)
    write(filled, "EUR/USD", bar(2.0), first=50, known_at=55)
    write(filled, "GBP/USD", bar(np.nan), first=30, known_at=40)
    write(filled, "AUD/USD", random_walk(40, seed=4))
    write(filled, "EUR/USD", random_walk(20, seed=5), timeframe="4h")
    FeatureStore(filled).register("mine", "close - open + n", {"n": Int(3)})
    again = rebuild(filled, Manifest.from_json(first.manifest.to_json()), ASKED, verify=True)
    pd.testing.assert_frame_equal(again.frame, first.frame, check_exact=True)
    assert again.manifest == first.manifest
    assert made(filled, **options).manifest.sha256 != first.manifest.sha256


def test_a_manifest_survives_a_file(filled, tmp_path):
    first = made(filled, labels={"next": ForwardReturn(1)}, max_age="4h").manifest
    first.save(tmp_path / "set.json")
    assert Manifest.load(tmp_path / "set.json") == first


def test_a_manifest_names_versions_series_and_anchors(filled):
    found = made(filled).manifest
    assert {each.asked: each.id for each in found.features}["mine_3"] == "mine_3:v1"
    assert all(each.version.startswith("v1.") for each in found.features)
    assert {(each.symbol, each.timeframe, each.anchor) for each in found.series} == {
        ("EUR/USD", "1h", "2023-01-02T00:00:00Z"),
        ("GBP/USD", "1h", "2023-01-02T00:00:00Z"),
    }
    assert [sum(each.pin.values()) for each in found.series] == [60, 60]
    assert found.lacking == {"y": 1}
    assert found.engine == feature_store.__version__


@pytest.mark.parametrize(
    "change",
    [
        {"time": ASKED["time"][::-1]},
        {"symbol": ["EURUSD", "EURUSD", "AUDUSD", "EURUSD"]},
        {"y": [1.0, np.nan, 0.0, 0.0]},
    ],
    ids=["times", "symbols", "labels"],
)
def test_other_events_are_refused(filled, change):
    first = made(filled)
    with pytest.raises(InvalidRequestError, match="not the events that the set was made of: 4 rows with hash"):
        rebuild(filled, first.manifest, ASKED | change)


def test_events_without_the_label_are_refused(filled):
    first = made(filled)
    with pytest.raises(InvalidRequestError, match="a label 'y', which these events lack"):
        rebuild(filled, first.manifest, {name: ASKED[name] for name in ("symbol", "time")})


def test_other_spellings_and_columns_of_the_same_events_are_taken(filled):
    first = made(filled)
    other = pd.DataFrame(ASKED | {"symbol": ["EUR/USD", "gbp_usd", "AUD-USD", "eurusd"], "note": list("abcd")})
    assert rebuild(filled, first.manifest, other).manifest == first.manifest


def test_a_definition_that_changed_is_refused(filled):
    manifest = made(filled).manifest
    was = replace(manifest.features[0], version="v1.0000000000")
    with pytest.raises(SnapshotMismatchError, match=r"ema_3 was v1\.0000000000 when the set was made and is v1"):
        rebuild(filled, replace(manifest, features=(was, *manifest.features[1:])), ASKED)


def test_a_store_without_the_pinned_rows_is_refused(filled):
    first = made(filled)
    other = MemoryStore()
    write(other, "EUR/USD", random_walk(59, seed=1))
    write(other, "GBP/USD", random_walk(60, seed=2))
    FeatureStore(other).register("mine", "sma(close, n) - open", {"n": Int(3)})
    with pytest.raises(DataNotFoundError, match="EUR/USD 1h was pinned with 60 rows"):
        rebuild(other, first.manifest, ASKED)


def test_other_bytes_from_as_many_rows_are_refused(filled):
    first = made(filled)
    other = MemoryStore()
    write(other, "EUR/USD", random_walk(60, seed=9))
    write(other, "GBP/USD", random_walk(60, seed=2))
    FeatureStore(other).register("mine", "sma(close, n) - open", {"n": Int(3)})
    with pytest.raises(SnapshotMismatchError, match="gave other bytes"):
        rebuild(other, first.manifest, ASKED)


@pytest.mark.parametrize("text", ["[]", "{}", '{"format": 99}', '{"format": 1}'])
def test_what_is_no_manifest_is_refused(text):
    with pytest.raises(InvalidRequestError, match="manifest"):
        Manifest.from_json(text)


def test_a_manifest_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(InvalidRequestError, match="no manifest to read"):
        Manifest.load(tmp_path / "none.json")
