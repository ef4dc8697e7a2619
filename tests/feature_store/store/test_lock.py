"""One process writes a folder, any number read it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from feature_store.errors import FeatureStoreError, StoreLockedError
from feature_store.store.delta import DeltaStore
from feature_store.store.lock import WriterLock

from .conftest import EURUSD, HOUR, arrivals, closes

WRITER = """
import sys
sys.path.insert(0, {tests!r})
from feature_store.store.delta import DeltaStore
import conftest as c
store = DeltaStore({home!r})
store.write(c.EURUSD, c.HOUR, c.arrivals([0], [1.0]))
print("written", flush=True)
sys.stdin.readline()
"""


@pytest.fixture
def home(tmp_path):
    return tmp_path / "market"


@pytest.fixture
def writer(home):
    """Another process that has written one bar to `home` and keeps the lock until it is told to end."""
    script = WRITER.format(tests=str(Path(__file__).parent), home=str(home))
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "written\n"
    yield process
    process.kill()
    process.communicate()


def test_a_second_process_is_refused_by_name_and_still_reads(home, writer):
    store = DeltaStore(home)
    with pytest.raises(
        StoreLockedError, match=rf"process {writer.pid} is writing to {home}.*stop it, or write to another"
    ):
        store.write(EURUSD, HOUR, arrivals([1], [2.0]))
    assert closes(store) == {0: 1.0}


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, None])
def test_the_folder_is_free_when_its_writer_has_ended(home, writer, ending):
    if ending is None:
        writer.communicate("end\n")
    else:
        writer.send_signal(ending)
        writer.wait()
    store = DeltaStore(home)
    assert store.write(EURUSD, HOUR, arrivals([1], [2.0])) == 1
    assert closes(store) == {0: 1.0, 1: 2.0}
    store.close()


def test_a_reader_beside_the_writer_sees_each_commit(home):
    writer, reader = DeltaStore(home), DeltaStore(home)
    assert closes(reader) == {}
    for n in range(3):
        writer.write(EURUSD, HOUR, arrivals([n], [n]))
        assert closes(reader) == {m: m for m in range(n + 1)}
    writer.close()


def test_a_reader_beside_a_writing_process_sees_whole_commits_only(home, writer):
    writer.communicate("end\n")
    script = WRITER.format(tests=str(Path(__file__).parent), home=str(home)).replace(
        "sys.stdin.readline()",
        "for n in range(1, 40): store.write(c.EURUSD, c.HOUR, c.arrivals([3 * n, 3 * n + 1, 3 * n + 2], n))",
    )
    busy = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    reader, seen = DeltaStore(home), [0]
    while busy.poll() is None:
        held = closes(reader)
        assert all(value == max(1, n // 3) for n, value in held.items())
        assert len(held) % 3 == 1
        assert len(held) >= seen[-1]
        seen.append(len(held))
    assert busy.returncode == 0
    assert len(closes(reader)) == 118
    assert len(set(seen)) > 3
    busy.stdout.close()


def test_closing_lets_go_and_the_next_write_takes_it_again(home):
    store = DeltaStore(home)
    store.write(EURUSD, HOUR, arrivals([0], [1.0]))
    assert (home / ".lock").read_text() == f"{os.getpid()}\n"
    store.close()
    assert (home / ".lock").read_text() == ""
    store.write(EURUSD, HOUR, arrivals([1], [2.0]))
    assert (home / ".lock").read_text() == f"{os.getpid()}\n"
    store.close()


def test_reading_takes_no_lock(home):
    closes(DeltaStore(home))
    assert not home.exists()


def test_a_folder_that_cannot_be_written_to_is_told(home):
    (home / ".lock").mkdir(parents=True)
    with pytest.raises(
        FeatureStoreError, match=r"market cannot be written to \(Is a directory\); reading it is possible"
    ):
        DeltaStore(home).write(EURUSD, HOUR, arrivals([0], [1.0]))


def test_stores_of_one_process_share_the_folder_and_lose_nothing(home):
    stores = [DeltaStore(home) for _ in range(3)]

    def write(place):
        for n in range(4):
            stores[place].write(EURUSD, HOUR, arrivals([4 * place + n], [n]))

    threads = [Thread(target=write, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(len(closes(store)) == 12 for store in stores)
    stores[0].close()
    assert stores[1].write(EURUSD, HOUR, arrivals([50], [1.0])) == 1
    for store in stores[1:]:
        store.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # forking beside threads; the child only asks for the lock
def test_a_forked_child_does_not_inherit_the_right_to_write(home):
    lock = WriterLock(home)
    with lock.writing():
        pass
    child = os.fork()
    if child == 0:
        try:
            with lock.writing():
                os._exit(1)
        except StoreLockedError:
            os._exit(42)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 42
    lock.release()
