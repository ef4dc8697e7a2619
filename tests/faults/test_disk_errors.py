"""A disk that refuses: an error, nothing acknowledged that is not kept, and repeating in a new process completes it."""

import errno
import os
import re
import subprocess
import sys

import pytest

from feature_store.errors import FeatureStoreError
from feature_store.store import durable, places
from feature_store.store.delta import DeltaStore
from tests.conftest import absent, program
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals, closes

BEFORE, AFTER = {0: 1.0, 1: 2.0}, {0: 1.0, 1: 2.0, 2: 3.0}


@pytest.fixture
def home(tmp_path):
    """A folder with a row in the history and one in the tail."""
    store = DeltaStore(tmp_path / "market")
    store.write(EURUSD, HOUR, arrivals([0], [1.0]))
    store.flush()
    store.write(EURUSD, HOUR, arrivals([1], [2.0]))
    store.close()
    return tmp_path / "market"


def third_row(store):
    store.write(EURUSD, HOUR, arrivals([2], [3.0]))


OPERATIONS = {
    "write": (lambda home: DeltaStore(home, few_rows=0), third_row, AFTER),
    "flush": (DeltaStore, lambda store: store.flush(), BEFORE),
    "compact": (lambda home: DeltaStore(home, few_rows=0), lambda store: store.compact(), BEFORE),
}


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_sync_that_fails_anywhere_is_an_error_and_can_be_repeated(home, monkeypatch, operation, code):
    make, do, after = OPERATIONS[operation]
    real, failed = os.fsync, True
    when = 0
    while failed:
        when += 1
        store, calls = make(home), []

        def fail(handle, calls=calls, when=when):
            calls.append(handle)
            if len(calls) == when:
                raise OSError(code, os.strerror(code))
            real(handle)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", fail)
            failed = False
            try:
                do(store)
            except FeatureStoreError as problem:
                failed = True
                said = str(problem)
        assert failed == (len(calls) >= when)
        assert not failed or os.strerror(code) in said
        assert closes(store).items() >= BEFORE.items()
        store.close()
        assert closes(DeltaStore(home)) in (BEFORE, after)
    assert when > 3
    assert closes(DeltaStore(home)) == after


def test_a_full_disk_at_any_file_is_an_error_and_can_be_repeated(home, monkeypatch):
    def full(path, content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = DeltaStore(home, few_rows=0)
    with monkeypatch.context() as patch:
        patch.setattr(places, "write_new", full)
        with pytest.raises(FeatureStoreError, match="No space left"):
            third_row(store)
        with pytest.raises(FeatureStoreError, match="No space left"):
            store.flush()
    assert closes(store) == BEFORE
    third_row(store)
    assert closes(DeltaStore(home)) == AFTER
    store.close()
    assert durable.write_new is places.write_new


def test_a_tail_that_has_grown_to_its_limit_is_an_error_and_keeps_nothing_of_the_write(home):
    store = DeltaStore(home)
    connection = store._tail._file.connection()
    (pages,) = connection.execute("pragma page_count").fetchone()
    connection.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(FeatureStoreError, match="disk is full"):
        store.write(EURUSD, HOUR, arrivals(range(2, 900), 3.0))
    assert closes(store) == closes(DeltaStore(home)) == BEFORE
    connection.execute("pragma max_page_count = 1000000")
    third_row(store)
    assert closes(DeltaStore(home)) == AFTER
    store.close()


# ---------------------------------------------------------------- as the kernel sees it
WRITER = """
import sys
from feature_store.errors import FeatureStoreError
from feature_store.store.delta import DeltaStore
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals
store = DeltaStore(sys.argv[1])
for n in range(2, 8):
    try:
        store.write(EURUSD, HOUR, arrivals([n], [n + 1.0]))
        print("kept", n, flush=True)
    except FeatureStoreError as problem:
        print("refused", n, problem, flush=True)
"""


def traced(home, *arguments):
    """Run the writer under strace and return what it said; skip where tracing is not allowed."""
    command = [program("strace"), "-f", "-qq", *arguments, sys.executable, "-c", WRITER, str(home)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "ptrace" in done.stderr and done.returncode:
        absent("leave to trace by strace")
    assert done.returncode == 0, done.stderr
    return [line.split(maxsplit=2) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("code", ["EIO", "ENOSPC"])
def test_after_a_sync_of_the_tail_that_failed_nothing_more_is_acknowledged(home, tmp_path, code):
    log = str(tmp_path / "trace")
    watched = ["-o", log, "-P", str(home / "tail.sqlite-wal"), "-e", "trace=fsync,fdatasync"]
    said = traced(home, *watched, "-e", f"inject=fsync,fdatasync:error={code}:when=4+")
    kept = [int(n) for what, n, *_ in said if what == "kept"]
    refused = [problem for what, _, *problem in said if what == "refused"]
    assert kept == list(range(2, 2 + len(kept)))
    assert refused
    assert all("did not reach the disk" in problem for (problem,) in refused[1:])
    held = closes(DeltaStore(home))
    assert {n: n + 1.0 for n in (0, 1, *kept)}.items() <= held.items()
    assert all(value == n + 1.0 for n, value in held.items())
    again = DeltaStore(home)
    for n in range(2, 8):
        again.write(EURUSD, HOUR, arrivals([n], [n + 1.0]))
    assert closes(DeltaStore(home)) == {n: n + 1.0 for n in range(8)}
    assert again.snapshot(EURUSD, HOUR).edition.rows == 8
    again.close()


FLUSHER = (
    WRITER
    + """
store.flush()
print("flushed", flush=True)
"""
)


def test_the_kernel_saw_the_tail_synced_before_the_answer_and_the_history_before_the_tail_was_cut(home, tmp_path):
    log = tmp_path / "trace"
    events = "trace=openat,fsync,fdatasync,rename,renameat,renameat2,link,linkat,write,pwrite64,ftruncate"
    command = [program("strace"), "-f", "-y", "-s", "300", "-e", events, "-o", str(log)]
    done = subprocess.run(
        [*command, sys.executable, "-c", FLUSHER, str(home)], capture_output=True, text=True, check=False
    )
    if "ptrace" in done.stderr and done.returncode:
        absent("leave to trace by strace")
    assert done.returncode == 0, done.stderr
    lines = log.read_text(errors="replace").splitlines()

    def places(pattern):
        return [place for place, line in enumerate(lines) if re.search(pattern, line)]

    wal = r"tail\.sqlite-wal>"
    answers = places(r'write\(1<.*"kept')
    assert len(answers) == 6
    for answer in answers:  # between what was written ahead last and the answer there is a sync
        written = max(place for place in places(rf"pwrite64\(\d+<[^>]*{wal}") if place < answer)
        assert any(written < place < answer for place in places(rf"f(data)?sync\(\d+<[^>]*{wal}"))
    entry = rf"{2:020d}\.json"
    (flushed,) = places(r'write\(1<.*"flushed')
    data = max(places(r"fsync\(.*bucket=all/[^>]*\.parquet>"))
    folder = max(places(r"fsync\(.*bucket=all>"))
    named = max(places(rf"(rename|link).*{entry}\""))
    synced = max(places(rf"fsync\(.*{entry}>"))
    log_folder = max(place for place in places(r"fsync\(.*_delta_log>") if place < flushed)
    cut = min(place for place in places(rf"pwrite64\(\d+<[^>]*{wal}") if place > answers[-1])
    assert data < named
    assert folder < named
    assert named < synced < log_folder < cut < flushed
