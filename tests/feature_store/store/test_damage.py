"""A flipped byte anywhere is an error that names the file, or changes nothing; never a wrong number."""

import random
import shutil

import pytest
from deltalake import DeltaTable

from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.store.buckets import ALL

from .conftest import EURUSD, HOUR, arrivals, closes, committing, read
from .test_store import block

KINDS = {
    "data": "bars/1h/symbol=EURUSD/bucket=all/*.parquet",
    "first log entry": f"bars/1h/_delta_log/{0:020d}.json",
    "log entry": f"bars/1h/_delta_log/{2:020d}.json",
    "last log entry": f"bars/1h/_delta_log/{3:020d}.json",
    "checkpoint": "bars/1h/_delta_log/*.checkpoint.parquet",
    "last checkpoint": "bars/1h/_delta_log/_last_checkpoint",
}
EXPECTED = {0: 5.0, 1: 2.0, 2: 3.0}


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """A folder of three commits with a correction, with a checkpoint and a log entry after it."""
    home = tmp_path_factory.mktemp("market")
    store = committing(home)
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    store.write(EURUSD, HOUR, arrivals([0], [5.0], known_at=9))
    DeltaTable(home / "bars" / "1h").create_checkpoint()
    store.write(EURUSD, HOUR, arrivals([2], [3.0]))
    store.features.hold(EURUSD, HOUR, "set", ALL, block([0, 1], a=[1.0, 2.0]))
    store.close()
    return home


@pytest.fixture
def copy(market, tmp_path):
    return shutil.copytree(market, tmp_path / "copy")


def without_checkpoint(home):
    for path in home.glob("bars/1h/_delta_log/*checkpoint*"):
        path.unlink()


def closes_or_error(home):
    try:
        return closes(committing(home))
    except CorruptDataError as problem:
        return problem


def flips(content, count):
    """Some places to flip, the same ones every time: all in a small file, spread over a large one."""
    chance = random.Random(len(content))
    return range(len(content)) if len(content) <= count else sorted(chance.sample(range(len(content)), count))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_flipped_byte_is_an_error_or_changes_nothing(copy, kind, capfd):
    if "entry" in kind:
        without_checkpoint(copy)  # it stands in for the entries before it
    for path in sorted(copy.glob(KINDS[kind])):
        whole = path.read_bytes()
        noticed = 0
        for place in flips(whole, 80):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x11]) + whole[place + 1 :])
            answer = closes_or_error(copy)
            if answer != EXPECTED:
                assert isinstance(answer, CorruptDataError), f"flipping byte {place} of {path.name} gave wrong numbers"
                assert f"{copy / 'bars' / '1h'}" in str(answer)
                noticed += 1
        path.write_bytes(whole)
        assert noticed or kind == "last checkpoint", f"no flip in {path.name} was noticed"
    capfd.readouterr()  # what Rust says of it
    assert closes(committing(copy)) == EXPECTED


@pytest.mark.parametrize("kind", ["data", "log entry", "last log entry"])
def test_the_error_names_the_damaged_file(copy, kind):
    path = next(copy.glob(KINDS[kind]))
    whole = path.read_bytes()
    place = whole.find(b".parquet") - 3 if kind != "data" else len(whole) // 2
    path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    without_checkpoint(copy)
    with pytest.raises(CorruptDataError, match=path.name):
        closes(committing(copy))


@pytest.mark.parametrize("kind", ["data", "first log entry", "log entry"])
@pytest.mark.parametrize("damage", ["empty", "cut", "gone"])
def test_a_file_cut_short_or_gone_is_an_error(copy, kind, damage, capfd):
    without_checkpoint(copy)
    path = next(copy.glob(KINDS[kind]))
    whole = path.read_bytes()
    path.write_bytes(b"" if damage == "empty" else whole[: len(whole) // 2])
    if damage == "gone":
        path.unlink()
    with pytest.raises(CorruptDataError, match=str(copy)):
        closes(committing(copy))
    capfd.readouterr()


def test_a_log_entry_that_lost_its_last_line_is_noticed(copy):
    entry = copy / KINDS["last log entry"]
    entry.write_text("".join(line for line in entry.read_text().splitlines(keepends=True) if '"add"' not in line))
    with pytest.raises(CorruptDataError, match=entry.name):
        closes(committing(copy))


def test_a_damaged_series_leaves_the_others_readable(copy):
    other = type(EURUSD).parse("GBP/USD")
    store = committing(copy)
    store.write(other, HOUR, arrivals([0], [1.5]))
    store.close()
    for path in copy.glob(KINDS["data"]):
        path.write_bytes(b"")
    assert read(committing(copy), other).columns["close"].tolist() == [1.5]
    assert [series.rows for series in committing(copy).series()] == [3, 1]


def test_writing_to_a_damaged_series_is_refused_and_makes_nothing_worse(copy):
    path = next(copy.glob(KINDS["data"]))
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    store = committing(copy)
    with pytest.raises(FeatureStoreError, match=path.name):
        store.write(EURUSD, HOUR, arrivals([3], [4.0]))
    path.write_bytes(whole)
    assert closes(store) == EXPECTED
    store.close()


def test_a_damaged_feature_set_is_an_error(copy):
    for path in copy.glob("features/1h/set/symbol=EURUSD/bucket=all/*.parquet"):
        whole = path.read_bytes()
        for place in flips(whole, 20):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x40]) + whole[place + 1 :])
            with pytest.raises(CorruptDataError, match=path.name):
                committing(copy).features.read(EURUSD, HOUR, "set")


@pytest.mark.parametrize("name", ["0_2_2_1_2_3-{digest}.parquet", "nonsense-{digest}.parquet"])
def test_a_file_of_another_layout_is_told_as_such(name):
    from feature_store.store.rows import Facts

    with pytest.raises(CorruptDataError, match="was laid out by another version of this program; ingest its source"):
        Facts.of(f"symbol=EURUSD/bucket=all/{name}")


def test_a_bucket_of_another_layout_is_told_as_such():
    from feature_store.store.parts import Filed, Parts

    minute = type(HOUR).parse("1m")
    file = "symbol=EURUSD/bucket=2023Q1/0_2_2_1_2_3_4-digest.parquet"
    parts = Parts(minute, Filed({"symbol=EURUSD/bucket=2023Q1": [file]}), ())
    with pytest.raises(CorruptDataError, match="bucket=2023Q1 was laid out by another version of this program"):
        parts.spans("symbol=EURUSD")
