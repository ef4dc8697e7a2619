"""Kept features are the virtual ones to the bit, are brought up to date part by part, and go on where a run was stopped."""

import threading

import numpy as np
import polars as pl
import pytest

import feature_store as fs
from feature_store.bars import Bars, Symbol, Timeframe
from feature_store.errors import ConflictError, DataNotFoundError, FeatureNotFoundError, InvalidRequestError
from feature_store.indicators.parameters import Int
from feature_store.store.feature_sets import FeatureSets
from feature_store.store.memory import MemoryStore
from feature_store.store.places import LocalPlace, MemoryPlace

from .test_virtual import fill, minutes, same

PAIRS = ["EUR/USD", "GBP/USD"]
SET = ["ema_9", "sma_5", "atr_3@4h", "rsi_3@GBPUSD"]


@pytest.fixture
def store(tmp_path):
    with fs.open(tmp_path / "market") as made:
        fill(made)
        yield made


def one_changed(store, place):
    """The bar at a place, with prices 10 pips up."""
    held = store.bars("EUR/USD", "1m").iloc[[place]]
    columns = {name: held[name].to_numpy() + (0 if name == "tick_volume" else 0.001) for name in held}
    time = held.index.as_unit("us").asi8
    return Bars(Symbol.parse("EUR/USD"), Timeframe.parse("1m"), time, columns)


def test_a_set_has_a_table_of_its_name_with_one_row_a_bar(store):
    made = store.register_set("trend", SET, description="for the tests")
    assert (made.id, made.features) == ("trend:v1", tuple(SET))
    report = store.materialize("EUR/USD", "1m", "trend")
    assert report.path.endswith("features/1m/trend_v1")
    assert report.written == report.rows == len(store.bars("EUR/USD", "1m"))
    kept = pl.scan_delta(report.path).sort("time").collect()
    assert kept["time"].is_unique().all()
    same(store.materialized("EUR/USD", "1m", "trend"), store.features("EUR/USD", "1m", SET))
    assert np.array_equal(kept["ema_9"].to_numpy(), store.features("EUR/USD", "1m", "trend")["ema_9"], equal_nan=True)


def test_of_a_higher_timeframe_the_table_says_what_it_was_made_from(store):
    store.register_set("trend", ["ema_9"])
    report = store.materialize("EUR/USD", "1h", "trend")
    assert report.path.endswith("features/1h/trend_v1_from_1m")
    same(store.materialized("EUR/USD", "1h", "trend"), store.features("EUR/USD", "1h", ["ema_9"]))


def test_a_second_run_computes_nothing_in_this_process_or_the_next(store, tmp_path):
    first = store.materialize("EUR/USD", "1m", SET)
    assert first.computed == first.parts >= 5
    again = store.materialize("EUR/USD", "1m", SET)
    assert (again.computed, again.written) == (0, 0)
    store.close()
    with fs.open(tmp_path / "market") as later:
        again = later.materialize("EUR/USD", "1m", SET)
        assert (again.computed, again.written, again.rows) == (0, 0, first.rows)


def test_new_bars_add_their_rows_and_touch_the_last_part_alone(store):
    store.materialize("EUR/USD", "1m", ["ema_9"])
    last = store.bars("EUR/USD", "1m").index[-1]
    more = minutes(8, seed=9, start=last.value // 1000 + 60_000_000, every=1)
    stored = store.ingest("EUR/USD", "1m", more).stored
    assert stored
    report = store.materialize("EUR/USD", "1m", ["ema_9"])
    assert (report.computed, report.written) == (1, stored)
    same(store.materialized("EUR/USD", "1m", ["ema_9"]), store.features("EUR/USD", "1m", ["ema_9"]))


def test_a_correction_is_followed_forward_and_only_by_what_depends_on_it(store):
    for features in (["sma_5"], ["ema_9"], ["rsi_3@GBPUSD"]):
        store.materialize("EUR/USD", "1m", features)
    parts = store.materialize("EUR/USD", "1m", ["sma_5"]).parts
    bars = len(store.bars("EUR/USD", "1m"))
    place = bars // 2
    assert store.ingest("EUR/USD", "1m", one_changed(store, place), known_at="2024-12-01").stored == 1
    average = store.materialize("EUR/USD", "1m", ["sma_5"])
    assert 1 <= average.computed < parts
    assert average.written == 5
    memory = store.materialize("EUR/USD", "1m", ["ema_9"])
    assert memory.written > 50
    assert store.materialize("EUR/USD", "1m", ["rsi_3@GBPUSD"]).written == 0
    for features in (["sma_5"], ["ema_9"], ["rsi_3@GBPUSD"]):
        same(store.materialized("EUR/USD", "1m", features), store.features("EUR/USD", "1m", features))


def test_a_correction_of_another_symbol_reaches_the_features_that_look_at_it(store):
    store.materialize("EUR/USD", "1m", ["rsi_3@GBPUSD"])
    store.delete("GBP/USD", "1m", "2023-06-01", "2023-06-30")
    assert store.materialize("EUR/USD", "1m", ["rsi_3@GBPUSD"]).written
    same(store.materialized("EUR/USD", "1m", ["rsi_3@GBPUSD"]), store.features("EUR/USD", "1m", ["rsi_3@GBPUSD"]))


def test_deleted_bars_leave_the_table(store):
    before = store.materialize("EUR/USD", "1m", ["ema_9"])
    gone = store.delete("EUR/USD", "1m", "2023-12-01", None)
    assert gone
    report = store.materialize("EUR/USD", "1m", ["ema_9"])
    assert report.rows == before.rows - gone
    assert report.written >= gone
    same(store.materialized("EUR/USD", "1m", ["ema_9"]), store.features("EUR/USD", "1m", ["ema_9"]))
    store.delete("EUR/USD", "1m", None, None)
    assert store.materialize("EUR/USD", "1m", ["ema_9"]).rows == 0


def test_many_symbols_at_once_give_what_one_after_the_other_gives(store, tmp_path):
    told = []
    reports = list(store.backfill(PAIRS, "1m", ["ema_9", "sma_5"], workers=2, progress=told.append))
    assert [report.symbol for report in reports] == PAIRS
    assert {(each.symbol, each.done) for each in told} == {(r.symbol, n + 1) for r in reports for n in range(r.parts)}
    for pair in PAIRS:
        same(store.materialized(pair, "1m", ["ema_9", "sma_5"]), store.features(pair, "1m", ["ema_9", "sma_5"]))


def test_a_run_that_was_stopped_goes_on_where_it_was(store, tmp_path):
    class StoppedError(Exception):
        pass

    def stop(progress):
        if progress.done == 2:
            raise StoppedError

    with pytest.raises(StoppedError):
        list(store.backfill(["EUR/USD"], "1m", ["ema_9"], progress=stop))
    report = store.materialize("EUR/USD", "1m", ["ema_9"])
    assert report.computed == report.parts - 2
    same(store.materialized("EUR/USD", "1m", ["ema_9"]), store.features("EUR/USD", "1m", ["ema_9"]))


def test_a_table_that_was_removed_is_made_again(store, tmp_path):
    import shutil

    report = store.materialize("EUR/USD", "1m", ["ema_9"])
    store.close()
    shutil.rmtree(report.path)
    with fs.open(tmp_path / "market") as later:
        assert later.materialize("EUR/USD", "1m", ["ema_9"]).written == report.rows


def test_nothing_is_begun_where_one_symbol_has_no_bars(store):
    with pytest.raises(DataNotFoundError, match="no bars of AUD/USD"):
        store.backfill(["EUR/USD", "AUD/USD"], "1m", ["ema_9"])
    with pytest.raises(DataNotFoundError, match="never materialized"):
        store.materialized("EUR/USD", "1m", ["ema_9"])


# ---------------------------------------------------------------- named sets
@pytest.fixture(params=["memory", "folder"])
def sets(request, tmp_path):
    return FeatureSets(MemoryPlace() if request.param == "memory" else LocalPlace(tmp_path))


def test_a_set_is_asked_for_by_its_name_and_by_its_version():
    store = fs.FeatureStore(MemoryStore())
    fill(store)
    assert store.register_set("trend", ["ema_9"]).version == 1
    assert store.register_set("trend", ["ema_9"]).version == 1
    assert store.register_set("trend", ["ema_9", "sma_5"]).version == 2
    assert list(store.features("EUR/USD", "1m", "trend")) == ["ema_9", "sma_5"]
    assert list(store.features("EUR/USD", "1m", "trend:v1")) == ["ema_9"]
    assert [(each.id, each.features) for each in store.feature_sets()] == [("trend:v2", ("ema_9", "sma_5"))]
    with pytest.raises(FeatureNotFoundError, match="trend has the versions v1, v2, and no v3"):
        store.features("EUR/USD", "1m", "trend:v3")


@pytest.mark.parametrize("name", ["", "Trend", "1st", "a b", "../up", "x" * 65, "trend:v1", None])
def test_a_name_that_is_no_word_is_refused(name):
    with pytest.raises(InvalidRequestError, match="a set's name must be a word"):
        fs.FeatureStore(MemoryStore()).register_set(name, ["ema_9"])


@pytest.mark.parametrize("name", ["rsi", "rsi_14", "mine"])
def test_a_set_does_not_hide_an_indicator(name):
    store = fs.FeatureStore(MemoryStore())
    store.register(name="mine", expression="close - ema(close, n)", parameters={"n": Int(5, ge=2)})
    with pytest.raises(ConflictError, match="is the name of an indicator"):
        store.register_set(name, ["ema_9"])


def test_a_set_of_unknown_or_no_features_is_refused():
    store = fs.FeatureStore(MemoryStore())
    with pytest.raises(FeatureNotFoundError):
        store.register_set("trend", ["nonsense_9"])
    with pytest.raises(InvalidRequestError, match="needs at least one feature"):
        store.register_set("trend", [])


def test_a_set_whose_definitions_changed_says_so():
    store = fs.FeatureStore(MemoryStore())
    fill(store)
    store.register(name="mine", expression="close - ema(close, n)", parameters={"n": Int(5, ge=2)})
    store.register_set("own", ["mine_7"])
    store.register(name="mine", expression="close - sma(close, n)", parameters={"n": Int(5, ge=2)})
    with pytest.raises(FeatureNotFoundError, match="mine_7 of own:v1 are defined otherwise now; register it again"):
        store.features("EUR/USD", "1m", "own")
    assert store.register_set("own", ["mine_7"]).version == 2
    assert list(store.features("EUR/USD", "1m", "own")) == ["mine_7"]


def test_of_two_who_want_the_same_number_one_has_it(sets):
    from feature_store.store.feature_sets import FeatureSet

    drafts = [FeatureSet("trend", 0, (f"sma_{n}",), {f"sma_{n}": "v"}) for n in range(2, 10)]
    threads = [threading.Thread(target=sets.register, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = [sets.find(f"trend:v{n}") for n in range(1, 9)]
    assert sorted(each.features for each in held) == sorted(draft.features for draft in drafts)
    assert [each.version for each in held] == list(range(1, 9))


def test_a_flipped_byte_of_a_set_is_an_error(tmp_path):
    from feature_store.errors import CorruptDataError
    from feature_store.store.feature_sets import FeatureSet

    sets = FeatureSets(LocalPlace(tmp_path))
    sets.register(FeatureSet("trend", 0, ("sma_5",), {"sma_5": "v"}))
    path = tmp_path / "sets" / "trend" / "0001.json"
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises(CorruptDataError, match=r"0001\.json does not match its checksum"):
            sets.find("trend")
