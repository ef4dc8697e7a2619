"""A flipped byte in any file of a home is an error, or changes nothing; never a wrong number, and never a missing row."""

import random
import shutil

import pytest

from feature_store.errors import FeatureStoreError
from feature_store.indicators.custom import Draft
from feature_store.store import sqlite_file
from feature_store.store.buckets import ALL
from feature_store.store.delta import DeltaStore
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals, closes
from tests.feature_store.store.test_store import block

DRAFTS = [Draft("mine", "close * 2"), Draft("mine", "close * 3"), Draft("yours", "ema(close, 12) - mine()")]
FLIPS = 60


def filled(home):
    """A store with rows in the history and the tail, features and custom indicators; still open."""
    store = DeltaStore(home)
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    store.flush()
    for draft in DRAFTS[:2]:
        store.definitions.register(draft)
    store.write(EURUSD, HOUR, arrivals([0], [5.0], known_at=9))
    store.write(EURUSD, type(HOUR).parse("1d"), arrivals([0], [7.0], timeframe=type(HOUR).parse("1d")))
    store.features.hold(EURUSD, HOUR, "set", ALL, block([0, 1], a=[1.0, 2.0]))
    store.write(EURUSD, HOUR, arrivals([2, 3], [3.0, 4.0]))
    store.definitions.register(DRAFTS[2])
    return store


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    """A home whose writer has ended, and one whose writer was killed: what SQLite wrote ahead is still to be taken over."""
    root = tmp_path_factory.mktemp("homes")
    store = filled(root / "ended")
    shutil.copytree(root / "ended", root / "killed", ignore=shutil.ignore_patterns("*-shm"))
    store.close()
    return root


@pytest.fixture
def home(homes, tmp_path, request, monkeypatch):
    monkeypatch.setattr(sqlite_file, "_WRITTEN_WITHIN_S", 0.0)
    return lambda name: shutil.copytree(homes / name, tmp_path / name)


def answers(home):
    """What a reader sees, each an answer or an error of ours."""
    store = DeltaStore(home)

    def asked(question):
        try:
            return question()
        except FeatureStoreError as problem:
            return problem

    seen = {
        "closes": asked(lambda: closes(store)),
        "before": asked(lambda: closes(store, as_of=5)),
        "edition": asked(lambda: store.snapshot(EURUSD, HOUR).edition.rows),
        "series": asked(lambda: [(each.timeframe, each.rows) for each in store.series()]),
        "features": asked(lambda: list(store.features.read(EURUSD, HOUR, "set").columns["a"])),
        "newest": asked(lambda: store.definitions.registry().find("mine").content_hash),
        "first": asked(lambda: store.definitions.registry().parse("mine:v1").version),
        "yours": asked(lambda: store.definitions.registry().find("yours").content_hash),
        "names": asked(lambda: sorted(store.definitions.registry().own)),
    }
    store.close()
    return seen


def places(size):
    """Some places to flip, the same ones every time: all of a small file, and both ends of a large one."""
    if size <= FLIPS:
        return list(range(size))
    chance = random.Random(size)
    return sorted({*range(24), size - 1, size - 25, *chance.sample(range(size), FLIPS)})


FILES = {
    "the tail": ("ended", "tail.sqlite"),
    "the tail before it is taken over": ("killed", "tail.sqlite"),
    "what the tail wrote ahead": ("killed", "tail.sqlite-wal"),
    "the indicators": ("ended", "definitions.sqlite"),
    "the indicators before they are taken over": ("killed", "definitions.sqlite"),
    "what the indicators wrote ahead": ("killed", "definitions.sqlite-wal"),
    "bars": ("ended", "bars/1h/symbol=EURUSD/bucket=all/*.parquet"),
    "the log of bars": ("ended", "bars/1h/_delta_log/*.json"),
    "features": ("ended", "features/1h/set/symbol=EURUSD/bucket=all/*.parquet"),
    "the log of features": ("ended", "features/1h/set/_delta_log/*.json"),
}


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_flipped_byte_never_gives_a_wrong_number(home, kind, capfd):
    name, pattern = FILES[kind]
    folder = home(name)
    right = answers(folder)
    assert not any(isinstance(answer, Exception) for answer in right.values())
    files = sorted(folder.glob(pattern)) if name == "ended" else [folder / pattern]
    noticed = 0
    for path in files:
        shutil.rmtree(folder)
        folder = home(name)
        whole = path.read_bytes()
        for place in places(len(whole)):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x11]) + whole[place + 1 :])
            seen = answers(folder)
            for question, answer in seen.items():
                assert answer == right[question] or isinstance(answer, FeatureStoreError), (path.name, place, question)
            noticed += seen != right
            if name == "killed":  # SQLite has taken over, or put aside, what was written ahead
                shutil.rmtree(folder)
                folder = home(name)
    capfd.readouterr()  # what Rust says of it
    assert noticed > len(files)


@pytest.mark.parametrize("name", ["tail.sqlite", "definitions.sqlite"])
def test_a_file_that_is_gone_beside_what_was_written_ahead_is_an_error(home, name):
    folder = home("killed")
    (folder / name).unlink()
    seen = answers(folder)
    assert any(
        isinstance(answer, FeatureStoreError) and "is there, and it is not" in str(answer) for answer in seen.values()
    )


def test_a_history_of_an_older_copy_is_an_error(home):
    folder = home("ended")
    kept = shutil.copytree(folder / "bars", folder.parent / "kept")
    store = DeltaStore(folder)
    store.write(EURUSD, HOUR, arrivals([4], [5.0]))
    store.flush()
    store.close()
    shutil.rmtree(folder / "bars")
    shutil.move(kept, folder / "bars")
    with pytest.raises(FeatureStoreError, match="lacks rows that the tail handed over"):
        closes(DeltaStore(folder))


def test_rows_after_a_lost_tail_are_not_taken_for_ones_that_the_history_has(home):
    folder = home("ended")
    (folder / "tail.sqlite").unlink()
    store = DeltaStore(folder)
    assert closes(store) == {0: 1.0, 1: 2.0}
    assert store.write(EURUSD, HOUR, arrivals([0, 2], [5.0, 3.0], known_at=9)) == 2
    assert closes(store) == {0: 5.0, 1: 2.0, 2: 3.0}
    assert store.flush() == 2
    assert closes(DeltaStore(folder)) == {0: 5.0, 1: 2.0, 2: 3.0}
    store.close()
