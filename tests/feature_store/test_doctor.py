"""The doctor sees what is wrong, changes nothing by looking, repairs without loss, and gives up only what it is told to."""

import hashlib
import shutil
import subprocess
import sys

import pytest

from feature_store.doctor import Finding, examine, repair
from feature_store.errors import CorruptDataError, FeatureStoreError, InvalidRequestError, StoreLockedError
from feature_store.indicators.custom import Draft
from feature_store.store.buckets import ALL
from feature_store.store.delta import DeltaStore
from feature_store.store.tail import Tail
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals, closes
from tests.feature_store.store.test_store import block

WHOLE = {0: 9.0, 1: 2.0, 2: 3.0, 3: 4.0}


@pytest.fixture
def home(tmp_path):
    """A store with three files of bars, a row in the tail, features and an indicator."""
    store = DeltaStore(tmp_path / "market", few_rows=0)
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0], source="first file"))
    store.write(EURUSD, HOUR, arrivals([2], [3.0], source="second file"))
    store.write(EURUSD, HOUR, arrivals([0], [9.0], known_at=9, source="third file"))
    store.features.hold(EURUSD, HOUR, "set", ALL, block([0, 1], a=[1.0, 2.0]))
    store.definitions.register(Draft("mine", "close * 2"))
    store.close()
    tail = DeltaStore(store.home)
    tail.write(EURUSD, HOUR, arrivals([3], [4.0]))
    tail.close()
    return store.home


def state(home):
    """Every file with its digest."""
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in home.rglob("*.*")}


def worst(home):
    return [finding for finding in examine(home) if finding.severity in {"damage", "warning"}]


def bars(home):
    """The files of bars in the order of their rows."""
    return sorted(home.glob("bars/1h/symbol=EURUSD/bucket=all/*.parquet"))


def flip(path, place=None):
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2 if place is None else place] ^= 0x11
    path.write_bytes(bytes(whole))


def test_a_sound_store_is_said_to_be_sound_and_stays_as_it_is(home):
    before = state(home)
    assert worst(home) == []
    said = [str(finding) for finding in examine(home)]
    assert "ok: bars/1h: 4 rows in 3 files are as they were written" in said
    assert "info: bars/1h: 1 rows wait in the tail to be moved to the history" in said
    assert "ok: definitions.sqlite: SQLite finds nothing wrong with it" in said
    assert state(home) == before


def test_there_may_be_no_store(tmp_path):
    assert examine(tmp_path / "none") == [Finding("info", str(tmp_path / "none"), "there is no store here")]
    with pytest.raises(InvalidRequestError, match="there is no store at"):
        repair(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_who_is_writing_is_named_and_repairing_waits_for_its_end(home):
    script = f"""
import sys
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals
from feature_store.store.delta import DeltaStore
DeltaStore({str(home)!r}).write(EURUSD, HOUR, arrivals([4], [5.0]))
print("written", flush=True)
sys.stdin.readline()
"""
    writer = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "written\n"
    assert any(f"process {writer.pid} is writing here" in str(finding) for finding in examine(home))
    assert worst(home) == []
    with pytest.raises(StoreLockedError):
        repair(home)
    writer.communicate("end\n")
    repair(home)


# ---------------------------------------------------------------- without loss
def test_what_was_interrupted_is_finished_and_what_is_in_the_way_removed(home):
    shutil.copytree(home, home.parent / "kept")
    store = DeltaStore(home)
    store.flush()
    store.close()
    for name in ("tail.sqlite", "tail.sqlite-wal"):  # as if the writer had died before the tail was cut
        (home / name).unlink(missing_ok=True)
        if (home.parent / "kept" / name).exists():
            shutil.copy2(home.parent / "kept" / name, home / name)
    (home / "tail.sqlite.123.456").write_bytes(b"draft")
    orphan = bars(home)[0].with_name("9_1_1_1_1_1_1-" + "a" * 32 + ".parquet")
    orphan.write_bytes(b"half")
    said = [str(finding) for finding in worst(home)]
    assert len(said) == 3
    assert all(line.startswith("warning") and line.endswith("(repair does)") for line in said)
    assert any("1 writes are in the history and still in the tail" in line for line in said)
    assert closes(DeltaStore(home)) == WHOLE
    repair(home)
    assert worst(home) == []
    assert not orphan.exists()
    assert closes(DeltaStore(home)) == WHOLE
    assert Tail(home).held()["1h"][1] == ()


def test_old_files_of_a_compaction_are_no_orphans(home):
    store = DeltaStore(home)
    store.compact()
    store.close()
    assert any(
        "3 files that were put together are kept" in str(finding) or "4 files" in str(finding)
        for finding in examine(home)
    )
    repair(home)
    assert len(bars(home)) >= 4


def test_features_that_are_damaged_are_moved_away_as_they_can_be_computed_anew(home):
    (path,) = home.glob("features/1h/set/symbol=EURUSD/bucket=all/*.parquet")
    flip(path)
    (finding,) = worst(home)
    assert (finding.severity, finding.where, finding.repairable) == ("damage", "features/1h/set", True)
    repair(home)
    assert worst(home) == []
    assert DeltaStore(home).features.read(EURUSD, HOUR, "set") is None
    assert (home / "damaged" / path.relative_to(home)).exists()


def test_a_cache_that_is_damaged_is_moved_away(home):
    (home / "states.sqlite").write_bytes(b"no database" * 100)
    (finding,) = worst(home)
    assert (finding.severity, finding.where, finding.repairable) == ("warning", "states.sqlite", True)
    repair(home)
    assert not (home / "states.sqlite").exists()


# ---------------------------------------------------------------- damage
@pytest.mark.parametrize("damage", ["flipped", "gone"])
def test_damaged_bars_are_named_with_their_rows_and_source_and_left_alone(home, damage):
    path = bars(home)[0]
    flip(path, 10) if damage == "flipped" else path.unlink()
    (finding,) = worst(home)
    assert finding.where == str(path.relative_to(home))
    assert "2 rows of EUR/USD 1h that open from 2023-01-02T00:00:00Z to 2023-01-02T01:00:00Z" in finding.what
    assert finding.what.endswith(", which came from first file") == (damage == "flipped")
    assert not finding.repairable
    assert "ingest those bars again" in finding.remedy
    before = state(home)
    repair(home)
    kept = state(home)
    assert all(kept.get(name) == digest for name, digest in before.items() if name.endswith(".parquet"))
    assert finding in worst(home)


@pytest.mark.parametrize("damage", ["flipped", "gone"])
@pytest.mark.parametrize("which", [0, 1, 2])
def test_what_is_given_up_can_be_ingested_again_and_all_is_as_it_was(home, damage, which):
    path = bars(home)[which]
    flip(path) if damage == "flipped" else path.unlink()
    (finding,) = worst(home)
    repair(home, forget=[finding.where])
    assert worst(home) == []
    assert (home / "damaged" / finding.where).exists() == (damage == "flipped")
    store = DeltaStore(home)
    held = closes(store)
    assert held.items() <= {**WHOLE, 0: held.get(0)}.items()
    assert held.get(0) in (None, 1.0, 9.0)
    store.write(EURUSD, HOUR, arrivals([0, 1, 2], [1.0, 2.0, 3.0]))
    store.write(EURUSD, HOUR, arrivals([0], [9.0], known_at=9))
    assert closes(store) == WHOLE
    assert closes(store, as_of=5)[0] == 1.0
    assert store.snapshot(EURUSD, HOUR).edition.rows == 5
    assert [each.rows for each in store.series()] == [4]
    store.compact()
    store.close()
    assert closes(DeltaStore(home)) == WHOLE
    assert worst(home) == []


def test_a_table_whose_log_is_damaged_can_be_given_up_whole_and_what_waits_in_the_tail_stays(home):
    flushed = DeltaStore(home)
    flushed.flush()
    flushed.write(EURUSD, HOUR, arrivals([4], [5.0]))
    flushed.write(EURUSD, HOUR, arrivals([4], [6.0], known_at=9))
    flushed.close()
    flip(home / "bars/1h/_delta_log" / f"{1:020d}.json")
    (finding,) = worst(home)
    assert (finding.severity, finding.where) == ("damage", "bars/1h")
    repair(home, forget=["bars/1h"])
    assert worst(home) == []
    store = DeltaStore(home)
    assert closes(store) == {4: 6.0}
    assert closes(store, as_of=8) == {4: 5.0}
    store.write(EURUSD, HOUR, arrivals(range(4), list(WHOLE.values())))
    assert closes(store) == {**WHOLE, 4: 6.0}
    store.close()
    assert closes(DeltaStore(home)) == {**WHOLE, 4: 6.0}


def test_a_damaged_tail_is_named_and_given_up_but_for_what_can_be_read(home):
    store = DeltaStore(home)
    store.write(EURUSD, HOUR, arrivals([4], [5.0], source="broken here"))
    store.close()
    flip(home / "tail.sqlite", (home / "tail.sqlite").read_bytes().find(b"broken here"))
    with pytest.raises(CorruptDataError):
        closes(DeltaStore(home))
    (finding,) = worst(home)
    assert finding.where == "tail.sqlite"
    assert "1 rows of it can be read, and 1 writes cannot" in finding.what
    repair(home, forget=["tail.sqlite"])
    assert worst(home) == []
    assert closes(DeltaStore(home)) == WHOLE
    assert (home / "damaged/tail.sqlite").exists()


def test_a_history_of_an_older_copy_is_named_and_readable_without_the_tail(home):
    kept = shutil.copytree(home / "bars", home.parent / "kept")
    store = DeltaStore(home)
    store.flush()
    store.write(EURUSD, HOUR, arrivals([4], [5.0]))
    store.close()
    shutil.rmtree(home / "bars")
    shutil.move(kept, home / "bars")
    assert any("lacks rows that the tail handed over" in finding.what for finding in worst(home))
    repair(home, forget=["tail.sqlite"])
    assert worst(home) == []
    assert closes(DeltaStore(home)) == {0: 9.0, 1: 2.0, 2: 3.0, 4: 5.0}


def test_damaged_definitions_are_named_and_can_be_given_up(home):
    path = home / "definitions.sqlite"
    flip(path, path.read_bytes().find(b"close * 2") + 8)
    assert [finding.where for finding in worst(home)] == ["definitions.sqlite"]
    repair(home, forget=["definitions.sqlite"])
    assert worst(home) == []
    assert DeltaStore(home).definitions.registry().own == {}


@pytest.mark.parametrize(
    "name", ["bars", "definitions", "../market", "bars/1h/symbol=EURUSD/bucket=all/1.parquet", ".lock", "bars/1h"]
)
def test_only_what_is_damaged_can_be_given_up(home, name):
    with pytest.raises(FeatureStoreError, match=r"cannot be given up|is not in use"):
        repair(home, forget=[name])
    assert closes(DeltaStore(home)) == WHOLE


def test_a_sound_file_is_not_given_up(home):
    with pytest.raises(InvalidRequestError, match="it is as it was written"):
        repair(home, forget=[str(bars(home)[0].relative_to(home))])
    assert closes(DeltaStore(home)) == WHOLE
