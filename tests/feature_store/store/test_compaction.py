"""Fewer files, the same rows: no answer, pin or edition changes, whoever reads meanwhile, and a crash is harmless."""

import logging
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable

from feature_store.bars import Symbol, Timeframe
from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.store import compaction, delta_table
from feature_store.store.delta import DeltaStore
from feature_store.store.pinned import PinnedStore

from .conftest import EURUSD, HOUR, arrivals, closes, committing, hour, read
from .test_store import block

MINUTE = Timeframe.parse("1m")
NOW = timedelta(0)


@pytest.fixture
def store(tmp_path):
    made = committing(tmp_path / "market")
    yield made
    made.close()


def fill(store):
    """Originals, corrections, a deletion and a column that only some rows have, in five files of one bucket."""
    store.write(EURUSD, HOUR, arrivals([2, 3], [3.0, 4.0]))
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0], spread=[0.1, np.nan], source="other"))
    store.write(EURUSD, HOUR, arrivals([0], [5.0], known_at=9))
    store.write(EURUSD, HOUR, arrivals([1], [np.nan], known_at=10))
    store.write(EURUSD, HOUR, arrivals([4], [6.0]))


def files(store, timeframe="1h"):
    return DeltaTable(store.home / "bars" / timeframe).file_uris()


def table(home):
    """The rows as another program sees them."""
    return pl.scan_delta(str(home)).sort("symbol", "bucket", "sequence").collect()


def answers(store):
    snapshot = store.snapshot(EURUSD, HOUR)
    seen = [closes(store, as_of) for as_of in (0, 1, 2, 5, 9, 10, None)]
    return seen, snapshot.spans, snapshot.edition, snapshot.pin, store.series()


def test_the_answers_stay_and_the_files_become_one(store):
    fill(store)
    before, rows = answers(store), table(store.home / "bars/1h")
    assert str(store.compact()) == "5 files of 7 rows are 1 now; 0 old files removed"
    assert len(files(store)) == 1
    assert answers(store) == before
    assert answers(DeltaStore(store.home)) == before
    assert table(store.home / "bars/1h").equals(rows.select(table(store.home / "bars/1h").columns))
    assert str(store.compact()) == "nothing to compact; 0 old files removed"


def test_rows_go_on_from_there(store):
    fill(store)
    store.compact()
    assert store.write(EURUSD, HOUR, arrivals([0], [5.0], known_at=9)) == 0
    assert store.write(EURUSD, HOUR, arrivals([0], [7.0], known_at=9)) == 1
    assert store.write(EURUSD, HOUR, arrivals([1], [8.0], known_at=11)) == 1
    assert table(store.home / "bars/1h")["sequence"].to_list() == list(range(9))
    store.compact()
    assert closes(DeltaStore(store.home)) == {0: 7.0, 1: 8.0, 2: 3.0, 3: 4.0, 4: 6.0}


def test_the_tail_goes_along(tmp_path):
    store = DeltaStore(tmp_path / "market")
    fill(store)
    before = answers(store)
    assert str(store.compact()) == "nothing to compact; 0 old files removed"
    assert len(table(store.home / "bars/1h")) == 7
    assert answers(store) == before
    store.close()


def test_each_bucket_and_symbol_has_its_own_file(store):
    other = Symbol.parse("GBP/USD")
    for n in range(3):
        steps = [n, 525_600 + n]
        store.write(EURUSD, MINUTE, arrivals(steps, [n, -n], timeframe=MINUTE))
        store.write(other, MINUTE, arrivals(steps, [2 * n, -2 * n], timeframe=MINUTE))
    store.write(EURUSD, MINUTE, arrivals([10], [1.0], timeframe=MINUTE))
    before = [read(store, symbol, MINUTE).columns["close"].tolist() for symbol in (EURUSD, other)]
    assert store.compact(min_files=4).folders == 1
    assert store.compact().folders == 3
    assert len(files(store, "1m")) == 4
    assert [read(DeltaStore(store.home), s, MINUTE).columns["close"].tolist() for s in (EURUSD, other)] == before


def test_a_pin_taken_before_reads_the_same_after(store):
    fill(store)
    pin = store.snapshot(EURUSD, HOUR).pin
    store.write(EURUSD, HOUR, arrivals([2], [9.0], known_at=12))
    pinned = PinnedStore(store, {(EURUSD.name, HOUR.name): pin})
    before = answers(pinned)
    store.compact()
    assert answers(pinned) == before
    assert answers(PinnedStore(DeltaStore(store.home), pinned.pins)) == before


# ---------------------------------------------------------------- readers meanwhile
def test_who_holds_the_old_files_reads_them_and_looks_again_when_they_are_gone(store):
    fill(store)
    reader = DeltaStore(store.home)
    held, again = reader.snapshot(EURUSD, HOUR), DeltaStore(store.home).snapshot(EURUSD, HOUR)
    store.compact()
    assert held.read().columns["close"].tolist() == [5.0, 3.0, 4.0, 6.0]
    store.write(EURUSD, HOUR, arrivals([5], [9.0]))
    assert store.compact(retention=NOW).removed == 5
    assert again.read().columns["close"].tolist() == [5.0, 3.0, 4.0, 6.0]
    assert closes(reader)[5] == 9.0


def test_another_programs_open_table_keeps_its_files_for_the_retention(store):
    fill(store)
    opened = DeltaTable(store.home / "bars/1h")
    store.compact()
    store.compact(retention=timedelta(days=1))
    assert opened.to_pyarrow_table().num_rows == 7
    store.compact(retention=NOW)
    with pytest.raises(FileNotFoundError):
        opened.to_pyarrow_table()


def test_what_a_crashed_writer_left_is_removed_when_it_is_old(store):
    fill(store)
    left = store.home / "bars/1h/symbol=EURUSD/bucket=all/9_1_1_0_0_0_0-abc.parquet"
    left.write_bytes(b"half")
    assert store.compact().removed == 0
    assert store.compact(retention=NOW).removed == 6
    assert not left.exists()


def test_a_file_that_is_in_use_and_gone_is_damage(store):
    fill(store)
    for path in store.home.glob("bars/1h/symbol=EURUSD/*/*.parquet"):
        path.unlink()
        break
    with pytest.raises(CorruptDataError, match=f"{path.name} is missing"):
        closes(DeltaStore(store.home))
    with pytest.raises(CorruptDataError, match=f"{path.name} is missing"):
        store.compact()


def test_a_damaged_folder_stays_as_it_is(store):
    fill(store)
    paths = sorted(store.home.glob("bars/1h/symbol=EURUSD/*/*.parquet"))
    paths[0].write_bytes(paths[0].read_bytes()[:-1])
    with pytest.raises(CorruptDataError, match="checksum"):
        store.compact()
    assert sorted(store.home.glob("bars/1h/symbol=EURUSD/*/*.parquet")) == paths


# ---------------------------------------------------------------- by itself
def test_years_of_single_bars_stay_in_few_files(store, monkeypatch):
    monkeypatch.setattr(compaction, "MANY_FILES", 4)
    most = 0
    for n in range(60):
        store.write(EURUSD, HOUR, arrivals([n], [n]))
        most = max(most, len(files(store)))
    assert most <= 4 + 3
    assert closes(DeltaStore(store.home)) == {n: n for n in range(60)}
    added = [action["add"] for action in _actions(store) if "add" in action]
    assert (
        sum(int(add["path"].rpartition("/")[2].split("_")[1]) for add in added) < 60 * 5
    )  # rewritten a few times each


def test_old_files_go_by_themselves(store, monkeypatch):
    monkeypatch.setattr(compaction, "MANY_FILES", 4)
    monkeypatch.setattr(compaction, "RETENTION", NOW)
    for n in range(30):
        store.write(EURUSD, HOUR, arrivals([n], [n]))
    assert len(list(store.home.glob("bars/1h/symbol=EURUSD/*/*.parquet"))) < 15
    assert closes(DeltaStore(store.home)) == {n: n for n in range(30)}


def test_feature_sets_of_single_bars_stay_in_few_files(store, monkeypatch):
    monkeypatch.setattr(compaction, "MANY_FILES", 4)
    for n in range(20):
        store.features.hold(EURUSD, HOUR, "set", "all", block(range(n + 1), a=[1 - n, *range(1, n + 1)]))  # adds a row
        store.features.hold(EURUSD, HOUR, "set", "all", block(range(n + 1), a=[-n, *range(1, n + 1)]))  # changes one
    held = store.features.read(EURUSD, HOUR, "set")
    assert held.columns["a"].tolist() == [-19, *range(1, 20)]
    assert len(DeltaTable(store.features.path(HOUR, "set")).file_uris()) <= 6
    rows = table(store.features.path(HOUR, "set"))
    assert store.compact(retention=NOW).removed > 20
    assert table(store.features.path(HOUR, "set")).equals(rows)
    assert DeltaStore(store.home).features.read(EURUSD, HOUR, "set").columns["a"].tolist() == [-19, *range(1, 20)]


def test_feature_sets_that_are_held_up_to_date_bar_by_bar_stay_in_few_files(store, monkeypatch):
    monkeypatch.setattr(compaction, "MANY_FILES", 4)
    for n in range(1, 20):
        assert store.features.hold(EURUSD, HOUR, "set", "all", block(range(n), a=range(n))) == 1
    assert len(DeltaTable(store.features.path(HOUR, "set")).file_uris()) <= 6
    assert store.features.read(EURUSD, HOUR, "set").columns["a"].tolist() == list(range(19))


def test_a_row_counts_as_kept_though_compacting_failed(store, monkeypatch, caplog):
    monkeypatch.setattr(compaction, "MANY_FILES", 2)
    store.write(EURUSD, HOUR, arrivals([0], [1.0]))
    store.write(EURUSD, HOUR, arrivals([1], [1.0]))

    def refuse(*_):
        raise FeatureStoreError("the disk is full")

    monkeypatch.setattr(delta_table.VerifiedTable, "replace", refuse)
    with caplog.at_level(logging.WARNING):
        assert store.write(EURUSD, HOUR, arrivals([2], [1.0])) == 1
    assert "was not compacted: the disk is full" in caplog.text
    with pytest.raises(FeatureStoreError, match="disk is full"):
        store.compact()


def _actions(store):
    table = store._table(HOUR)
    for name in table.place.names("_delta_log"):
        if name.endswith(".json"):
            yield from delta_table._actions(table.place.read(name))


def test_memory_has_no_files_to_put_together():
    from feature_store.store.memory import MemoryStore

    store = MemoryStore()
    store.write(EURUSD, HOUR, arrivals([0], [1.0]))
    assert store.compact().folders == 0
    assert closes(store) == {0: 1.0}
    assert store.snapshot(EURUSD, HOUR).edition.first == hour(0)
