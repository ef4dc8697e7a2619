"""Threads, processes and forked children on one folder at once: no answer is ever wrong, and nobody waits for ever."""

import subprocess
import sys
from datetime import timedelta
from threading import Event, Thread

import numpy as np
import pytest

from feature_store.store import delta
from feature_store.store.delta import DeltaStore
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals, closes, hour

ROUNDS = 40


@pytest.fixture
def home(tmp_path):
    return tmp_path / "market"


def work(store, rounds):
    """Write, correct, flush and compact; hour n has n, and 2n from the moment 1000 + n on."""
    for n in range(rounds):
        store.write(EURUSD, HOUR, arrivals([2 * n, 2 * n + 1], [2 * n, 2 * n + 1]))
        store.write(EURUSD, HOUR, arrivals([n], [2 * n], known_at=1000 + n))
        if n % 3 == 2:
            store.flush()
        if n % 8 == 7:
            store.compact(retention=timedelta(0))


def test_threads_read_while_another_writes_flushes_compacts_and_removes(home, monkeypatch):
    monkeypatch.setattr(delta, "_FULL_WRITES", 5)
    store, ended, problems = DeltaStore(home, cached_bytes=0), Event(), []
    readers = [store, DeltaStore(home), DeltaStore(home, cached_bytes=0)]

    def look(reader):
        most, pinned = 0, None
        while not ended.is_set():
            snapshot = reader.snapshot(EURUSD, HOUR)
            if snapshot is None:
                continue
            bars = snapshot.read()
            hours = (bars.time - bars.time[:1]) // HOUR.microseconds
            assert np.array_equal(hours, np.arange(len(hours)))
            assert len(hours) >= most
            close = bars.columns["close"]
            corrected = int((snapshot.edition.latest_known_at - hour(1000)) // HOUR.microseconds)
            expected = np.where(hours <= corrected, 2 * hours, hours)
            assert np.array_equal(close, expected)
            assert np.array_equal(snapshot.read(as_of=hour(999)).columns["close"], hours)
            if pinned is None or len(hours) > most + 20:
                pinned = snapshot, close
            assert np.array_equal(pinned[0].read().columns["close"], pinned[1])
            most = len(hours)

    def guarded(reader):
        try:
            look(reader)
        except BaseException as problem:  # noqa: BLE001  it is raised again below, in the thread of the test
            problems.append(problem)

    threads = [Thread(target=guarded, args=(reader,)) for reader in readers]
    for thread in threads:
        thread.start()
    work(store, ROUNDS)
    ended.set()
    for thread in threads:
        thread.join()
    store.close()
    assert problems == []
    assert len(closes(DeltaStore(home))) == 2 * ROUNDS


FORKING = """
import os, sys, warnings
warnings.simplefilter("ignore")
from feature_store.errors import FeatureStoreError
from feature_store.store.delta import DeltaStore
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals, closes, read
home, kind = sys.argv[1:]
day = type(HOUR).parse("1d")
with_rows = DeltaStore(home, few_rows=0)
with_rows.write(EURUSD, HOUR, arrivals([0], [1.0]))
with_rows.write(EURUSD, day, arrivals([0], [1.0], timeframe=day))
with_rows.close()
store = DeltaStore(home)
assert closes(store) == {0: 1.0}
if kind == "write":
    store.write(EURUSD, HOUR, arrivals([1], [2.0]))
child = os.fork()
if child == 0:
    code = 1
    try:
        if kind == "known":
            code = 42 if closes(store) == {0: 1.0} else 2
        elif kind == "other":
            read(store, EURUSD, day)
        else:
            store.write(EURUSD, HOUR, arrivals([2], [3.0]))
    except FeatureStoreError as problem:
        print(problem, flush=True)
        code = 42
    os._exit(code)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 42
store.write(EURUSD, HOUR, arrivals([3], [4.0]))
assert closes(store)[3] == 4.0
"""


@pytest.mark.parametrize(
    ("kind", "says"),
    [("known", ""), ("other", "was forked from"), ("write", "one process writes a folder")],
)
def test_a_forked_child_gets_a_right_answer_or_an_error_and_the_parent_goes_on(home, kind, says):
    done = subprocess.run(
        [sys.executable, "-c", FORKING, str(home), kind], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert says in done.stdout
