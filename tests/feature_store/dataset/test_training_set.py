"""What a training set looks like, and why a value is what it is."""

from datetime import timedelta

import numpy as np
import pandas as pd
import polars as pl
import pytest

from feature_store.dataset.answer import STATUSES
from feature_store.dataset.training_set import training_set
from feature_store.errors import DataNotFoundError, FeatureNotFoundError, InvalidRequestError
from feature_store.feature_store import FeatureStore
from feature_store.indicators.parameters import Int
from feature_store.store.memory import MemoryStore
from tests.conftest import random_walk, same_bits

from .conftest import as_known, at, bar, events, write

EIGHT = pd.Timestamp("2023-01-02T08:00Z")


def one(store, hours, feature, **options):
    """The value, status and age of one feature for one event of EUR/USD."""
    found = training_set(store, events(("EURUSD", hours)), [feature], status=True, ages=True, **options).frame
    return found[feature].item(), found[f"{feature}.status"].item(), found[f"{feature}.age_s"].item()


# ---------------------------------------------------------------- the frame
def test_the_events_keep_their_order_their_columns_and_their_index(market):
    asked = pd.DataFrame(
        {
            "note": ["c", "a", "b", "a"],
            "symbol": ["gbpusd", "EUR/USD", "EURUSD", "gbpusd"],
            "y": [1, 0, 1, 0],
            "time": ["2023-01-10T00:00", "2023-01-09T01:30:00+01:00", "2023-01-04", "2023-01-10T00:00"],
            "side": pd.Categorical(["buy", "sell", "buy", "buy"]),
        },
        index=[7, 7, 3, 1],
    )
    found = training_set(market, asked, "sma_5, rsi_3@4h", labels=["y"])
    assert list(found.frame) == ["note", "symbol", "time", "side", "bar_time", "sma_5", "rsi_3@4h", "y"]
    pd.testing.assert_frame_equal(found.frame[list(asked)], asked)
    assert same_bits(found.frame["sma_5"].iloc[0], found.frame["sma_5"].iloc[3])
    assert found.features == ("sma_5", "rsi_3@4h")
    assert found.labels == ("y",)
    assert len(found) == 4


@pytest.mark.parametrize("form", ["pandas", "polars", "arrow", "numpy"])
@pytest.mark.parametrize("given", [pd.DataFrame, pl.DataFrame, lambda columns: pl.DataFrame(columns).to_arrow()])
def test_every_form_holds_the_same(market, form, given):
    asked = events(("EURUSD", 8), ("GBPUSD", 0)) | {"y": [1.0, 2.0]}
    plain = training_set(market, asked, ["sma_3"], labels="y", status=True, ages=True)
    found = training_set(market, given(asked), ["sma_3"], labels="y", status=True, ages=True, as_=form)
    assert found.manifest == plain.manifest
    names = ["symbol", "time", "bar_time", "sma_3", "sma_3.status", "sma_3.age_s", "y"]
    as_pandas = found.frame.to_pandas() if form in {"polars", "arrow"} else pd.DataFrame(found.frame)
    assert list(as_pandas) == names
    assert same_bits(as_pandas["sma_3"], plain.frame["sma_3"])
    assert as_pandas["sma_3.status"].tolist() == ["ok", "not known yet"]
    assert as_pandas["bar_time"].isna().tolist() == [False, True]


def test_a_column_asked_for_twice_is_there_once(market):
    found = training_set(market, events(("EURUSD", 99)), ["macd.line", "macd", "macd.line"])
    assert found.features == ("macd.line", "macd.signal", "macd.histogram")


def test_it_says_in_a_line_what_it_is(market):
    found = training_set(market, events(("EURUSD", 99), ("EURUSD", 1)), ["sma_5", "sma_9"])
    assert repr(found).startswith("<TrainingSet 2 events x 2 features, 50.0% known, 0 labels, ")


# ---------------------------------------------------------------- every status
def test_a_value_is_ok(market):
    value, status, age = one(market, 8.5, "sma_5")
    assert (np.isnan(value), status, age) == (False, "ok", 1800.0)


def test_a_value_whose_beginning_still_weighs_is_unsettled(market):
    assert one(market, 30, "ema_20")[1] == "unsettled"
    assert one(market, 399, "ema_20")[1] == "ok"


def test_a_value_that_depends_on_the_beginning_for_ever_is_ok(market):
    assert one(market, 30, "obv")[1] == "ok"


def test_too_few_bars_are_warming_up(market):
    value, status, age = one(market, 4, "sma_5")
    assert (np.isnan(value), status, age) == (True, "warming up", 0.0)


def test_a_bar_that_the_other_symbol_lacks_is_a_gap(market):
    store = MemoryStore()
    write(store, "EUR/USD", random_walk(20))
    write(store, "GBP/USD", random_walk(15))
    assert one(store, 15, "correl_3@GBPUSD")[1] == "ok"
    value, status, age = one(store, 16, "correl_3@GBPUSD")
    assert (np.isnan(value), status, age) == (True, "gap", 0.0)


def test_a_value_older_than_allowed_is_withheld(market):
    write(store := MemoryStore(), "EUR/USD", random_walk(20))
    assert one(store, 22, "sma_5", max_age="2h")[1:] == ("ok", 7200.0)
    value, status, age = one(store, 22.25, "sma_5", max_age="2h")
    assert (np.isnan(value), status, age) == (True, "too old", 8100.0)
    assert one(store, 22.25, "sma_5", max_age=timedelta(hours=3))[1] == "ok"


def test_before_the_first_bar_nothing_is_known_yet(market):
    value, status, age = one(market, 0.5, "sma_5")
    assert (np.isnan(value), status, np.isnan(age)) == (True, "not known yet", True)


def test_a_bar_that_was_learned_late_is_not_known_yet():
    write(store := MemoryStore(), "EUR/USD", bar(1.0), known_at=5)
    assert one(store, 4, "lag_1")[1] == "not known yet"
    assert one(store, 5, "lag_1")[1] == "warming up"


def test_a_symbol_without_bars_is_no_data_and_no_error(market):
    found = training_set(market, events(("AUDUSD", 99), ("EURUSD", 99)), ["sma_5"], status=True)
    assert found.frame["sma_5.status"].tolist() == ["no data", "ok"]
    assert found.frame["sma_5"].isna().tolist() == [True, False]
    assert found.manifest.no_data == ("AUD/USD",)


def test_the_manifest_counts_every_status(market):
    asked = events(*[("EURUSD", hours) for hours in (0, 2, 3, 40, 50, 60)], ("AUDUSD", 9))
    counts = training_set(market, asked, ["sma_5"]).manifest.statuses["sma_5"]
    assert counts == dict.fromkeys(STATUSES, 0) | {"not known yet": 1, "warming up": 2, "ok": 3, "no data": 1}


def test_a_higher_timeframe_has_the_age_of_its_own_bar(market):
    assert one(market, 8.5, "lag_1@4h")[2] == 2.5 * 3600
    assert one(market, 8.5, "lag_1")[2] == 0.5 * 3600


def test_ages_are_allowed_feature_by_feature(market):
    found = training_set(
        market, events(("EURUSD", 8.5)), ["lag_1@4h", "lag_1"], max_age={"lag_1@4h": "2h"}, status=True
    )
    assert found.frame["lag_1@4h.status"].item() == "too old"
    assert found.frame["lag_1.status"].item() == "ok"


# ---------------------------------------------------------------- as known when
def test_a_correction_counts_from_the_moment_it_was_known(kept):
    write(kept, "EUR/USD", pd.concat([bar(1.0), bar(2.0), bar(3.0)]))
    write(kept, "EUR/USD", bar(9.0), first=1, known_at=10)
    asked = events(("EURUSD", 9.75), ("EURUSD", 10))
    assert training_set(kept, asked, ["lag_1"]).frame["lag_1"].tolist() == [2.0, 9.0]
    assert training_set(kept, asked, ["lag_1"], as_of=None).frame["lag_1"].tolist() == [9.0, 9.0]
    assert training_set(kept, asked, ["lag_1"], as_of="2023-01-02T09:59Z").frame["lag_1"].tolist() == [2.0, 2.0]


def test_a_deleted_bar_is_gone_from_the_moment_that_was_known(kept):
    write(kept, "EUR/USD", pd.concat([bar(1.0), bar(2.0), bar(3.0)]))
    write(kept, "EUR/USD", bar(np.nan), first=2, known_at=10)
    found = training_set(kept, events(("EURUSD", 9.75), ("EURUSD", 10)), ["lag_1"]).frame
    assert found["lag_1"].tolist() == [2.0, 1.0]
    assert found["bar_time"].tolist() == [EIGHT - timedelta(hours=6), EIGHT - timedelta(hours=7)]


@pytest.fixture
def late():
    """Twelve hours of EUR/USD, known when they closed, and of GBP/USD, known half an hour later."""
    made = MemoryStore()
    for place in range(12):
        write(made, "EUR/USD", bar(1.0 + place**2), first=place)
        write(made, "GBP/USD", bar(2.0 + place**3), first=place, known_at=place + 1.5)
    return made


def test_a_bar_of_another_symbol_counts_from_the_moment_it_was_known(late):
    found = training_set(late, events(("EURUSD", 8), ("EURUSD", 8.5)), ["lag_1@GBPUSD", "lag_1@GBPUSD@2h"], verify=True)
    assert found.frame["lag_1@GBPUSD"].tolist() == [2.0 + 5**3, 2.0 + 6**3]
    assert found.frame["lag_1@GBPUSD@2h"].tolist() == [2.0 + 3**3, 2.0 + 5**3]


def test_two_symbols_are_compared_once_both_bars_are_known(late):
    found = training_set(late, events(("EURUSD", 8), ("EURUSD", 8.5)), ["correl_2@GBPUSD"], verify=True)
    assert found.frame["correl_2@GBPUSD"].isna().tolist() == [True, False]


def test_absence_is_asked_as_of_the_event(late):
    FeatureStore(late).register("present", "is_known(other) + 0 * lag(close, n)", {"n": Int(1)})
    found = training_set(late, events(("EURUSD", 8), ("EURUSD", 8.5)), ["present_1@GBPUSD"], verify=True)
    assert found.frame["present_1@GBPUSD"].tolist() == [0.0, 1.0]


def test_a_longer_bar_whose_last_hour_was_deleted_is_forming_again():
    write(store := MemoryStore(), "EUR/USD", pd.concat([bar(float(place)) for place in range(1, 7)]))
    write(store, "EUR/USD", bar(np.nan), first=5, known_at=8)
    found = training_set(store, events(("EURUSD", 7), ("EURUSD", 8)), ["lag_1"], timeframe="2h", verify=True)
    assert found.frame["lag_1"].tolist() == [4.0, 2.0]


def test_a_series_in_several_parts_is_one_series(kept):
    christmas = 51 * 168  # hours after Monday; half-hours are stored year by year
    features = ["ema_3", "lag_1@4h", "correl_5@GBPUSD"]
    write(kept, "EUR/USD", random_walk(800, seed=1), "30m", first=2 * christmas)
    write(kept, "GBP/USD", random_walk(800, seed=2), "30m", first=2 * christmas)
    write(kept, "EUR/USD", bar(1.5), "30m", first=2 * christmas + 100, known_at=christmas + 300)
    write(kept, "GBP/USD", bar(np.nan), "30m", first=2 * christmas + 700, known_at=christmas + 360)
    hours = [christmas + each for each in (0, 20, 60, 170.25, 299.75, 300, 345, 360, 380, 999)]
    found = training_set(kept, events(*(("EURUSD", each) for each in hours)), features, verify=True)
    assert len(found.manifest.series[0].pin) == (1 if isinstance(kept, MemoryStore) else 2)
    for row, each in enumerate(hours):
        expected = as_known(kept, "EUR/USD", "1h", features, np.datetime64(at(each), "us"))
        assert same_bits(found.frame.loc[row, features], [expected[name] for name in features])


# ---------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"features": []}, "name at least one feature"),
        ({"features": ["sma_5@30m"]}, "lower timeframe"),
        ({"features": ["correl_5"]}, "compares two symbols"),
        ({"labels": ["profit"]}, "label 'profit' is not a column"),
        ({"labels": ["time"]}, "label 'time' is not a column"),
        ({"labels": ["note"]}, "label 'note' must be a column of numbers"),
        ({"labels": {"r": 4}}, "labels to be made are names with a ForwardReturn"),
        ({"max_age": "soon"}, "max_age must be a length of time .* was 'soon'"),
        ({"max_age": timedelta(0)}, "max_age must be a length of time"),
        ({"max_age": {"sma_9": "4h"}}, "max_age names 'sma_9', which is not among the features; they are sma_5"),
        ({"as_of": "whenever"}, "as_of must be an ISO 8601 time"),
        ({"timeframe": "7h"}, "timeframe must be one of"),
        ({"as_": "csv"}, "as_ must be one of"),
        ({"verify": -1}, "verify must be True for all events, or how many of them, was -1"),
        ({"features": ["sma_5", "y"]}, "no indicator is called 'y'"),
    ],
)
def test_what_breaks_a_rule_is_refused(market, options, told):
    asked = events(("EURUSD", 99)) | {"y": [1], "note": ["a"]}
    with pytest.raises(InvalidRequestError, match=told):
        training_set(market, asked, **{"features": ["sma_5"], **options})


@pytest.mark.parametrize("name", ["bar_time", "sma_5", "sma_5.status"])
def test_a_column_of_the_name_of_one_to_be_added_is_refused(market, name):
    with pytest.raises(InvalidRequestError, match=f"events have a column '{name}' of their own"):
        training_set(market, events(("EURUSD", 99)) | {name: [1]}, ["sma_5"], status=True)


def test_events_of_which_there_are_no_bars_at_all_are_refused(market):
    with pytest.raises(DataNotFoundError, match="no bars of AUD/USD"):
        training_set(market, events(("AUDUSD", 99), ("NZDUSD", 99)), ["sma_5"])


def test_a_feature_of_a_symbol_without_bars_is_refused(market):
    with pytest.raises(DataNotFoundError, match="no bars of AUD/USD"):
        training_set(market, events(("EURUSD", 99)), ["rsi_14@AUDUSD"])


def test_an_unknown_feature_is_refused_with_the_nearest_names(market):
    with pytest.raises(FeatureNotFoundError, match="did you mean"):
        training_set(market, events(("EURUSD", 99)), ["smaa_5"])


def test_times_are_told_to_the_microsecond(market):
    asked = {"symbol": ["EURUSD", "EURUSD"], "time": np.array([at(8) - 1, at(8)]).view("M8[us]")}
    found = training_set(market, asked, ["sma_5"], ages=True).frame
    assert found["bar_time"].tolist() == [EIGHT - timedelta(hours=2), EIGHT - timedelta(hours=1)]
    assert found["sma_5.age_s"].tolist() == [3600 - 1e-6, 0.0]
