"""What was acknowledged is on the disk; what failed midway loses nothing and can be repeated."""

import errno
import json
import os
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from feature_store.errors import FeatureStoreError
from feature_store.store import delta_table, durable, places
from tests.conftest import absent, program

from .conftest import EURUSD, HOUR, arrivals, closes, committing

TESTS = str(Path(__file__).parent)


@pytest.fixture
def home(tmp_path):
    return tmp_path / "market"


# ---------------------------------------------------------------- the order of syncs
@pytest.fixture
def steps(monkeypatch):
    """The files synced and the commits made, in order."""
    seen = []
    real_sync, real_commit = os.fsync, delta_table.DeltaTable.create_write_transaction

    def fsync(handle):
        seen.append(Path(f"/proc/self/fd/{handle}").readlink())
        real_sync(handle)

    def commit(table, *arguments, **named):
        seen.append("commit")
        real_commit(table, *arguments, **named)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(delta_table.DeltaTable, "create_write_transaction", commit)
    return seen


def test_data_is_on_the_disk_before_the_commit_and_the_log_before_the_answer(home, steps):
    store = committing(home)
    store.write(EURUSD, HOUR, arrivals([0], [1.0]))
    table = home / "bars" / "1h"
    (file,) = table.rglob("*.parquet")
    before, after = steps[: steps.index("commit")], steps[steps.index("commit") + 1 :]
    assert {file, file.parent, *file.parents[1:5], table / "_delta_log"} <= set(before)
    assert after == [table / "_delta_log" / f"{1:020d}.json", table / "_delta_log"]
    store.close()


def test_every_commit_of_many_files_syncs_each_of_them(home, steps):
    store = committing(home)
    minute = type(HOUR).parse("1m")
    store.write(EURUSD, minute, arrivals([0, 525_600, 2 * 525_600], [1.0, 2.0, 3.0], timeframe=minute))
    files = set((home / "bars" / "1m").rglob("symbol=*/*/*.parquet"))
    assert len(files) == 3
    assert files | {file.parent for file in files} <= set(steps[: steps.index("commit")])
    store.close()


def test_a_new_writer_first_syncs_what_the_last_one_may_not_have(home, steps):
    committing(home).write(EURUSD, HOUR, arrivals([0], [1.0]))
    steps.clear()
    again = committing(home)
    assert again.write(EURUSD, HOUR, arrivals([0], [1.0])) == 0
    log = home / "bars" / "1h" / "_delta_log"
    assert steps == [log / f"{1:020d}.json", log]
    again.close()


def test_the_hundredth_commits_checkpoint_is_synced_and_read(home, steps):
    store = committing(home)
    for n in range(100):
        store.write(EURUSD, HOUR, arrivals([n], [n]))
    log = home / "bars" / "1h" / "_delta_log"
    (checkpoint,) = log.glob("*.checkpoint.parquet")
    assert {checkpoint, log / "_last_checkpoint"} <= set(steps)
    assert closes(committing(home)) == {n: n for n in range(100)}
    store.close()


def test_the_kernel_saw_the_same_order(home, tmp_path):
    trace = tmp_path / "trace"
    script = f"""
import sys; sys.path.insert(0, {TESTS!r})
import conftest as c
store = c.committing({str(home)!r})
store.write(c.EURUSD, c.HOUR, c.arrivals([0], [1.0]))
open({str(tmp_path / "acknowledged")!r}, "w").close()
"""
    watched = "trace=openat,fsync,fdatasync,rename,renameat,renameat2,link,linkat"
    command = [
        program("strace"),
        "-f",
        "-y",
        "-s",
        "400",
        "-e",
        watched,
        "-o",
        str(trace),
        sys.executable,
        "-c",
        script,
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    if b"ptrace" in done.stderr and done.returncode:
        absent("leave to trace by strace")
    assert done.returncode == 0, done.stderr.decode()
    lines = [
        line for line in trace.read_text(errors="replace").splitlines() if "market" in line or "acknowledged" in line
    ]

    def last(pattern):
        return max(place for place, line in enumerate(lines) if re.search(pattern, line))

    data = last(r"fsync\(.*bucket=all/[^>]*\.parquet>")
    folder = last(r"fsync\(.*bucket=all>")
    named = last(r"(rename|link).*00000000000000000001\.json\"")
    entry = last(r"fsync\(.*00000000000000000001\.json>")
    log = last(r"fsync\(.*_delta_log>")
    said = last(r"acknowledged")
    assert data < folder < named < entry < log < said


# ---------------------------------------------------------------- failures midway
def failing(monkeypatch, module, name, when):
    """Make the n-th call of a function fail as a full disk does, before it does anything."""
    real, calls = getattr(module, name), []

    def fail(*arguments, **named):
        calls.append(arguments)
        if len(calls) == when:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*arguments, **named)

    monkeypatch.setattr(module, name, fail)


@pytest.mark.parametrize("when", range(1, 5))
@pytest.mark.parametrize("first", [True, False])
def test_a_sync_that_fails_is_an_error_and_repeating_in_a_new_process_is_safe(home, monkeypatch, when, first):
    expected = {0: 1.0, 1: 2.0}
    if not first:
        committing(home).write(EURUSD, HOUR, arrivals([0], [1.0]))
    store = committing(home)
    with monkeypatch.context() as patch:
        failing(patch, os, "fsync", when)
        with pytest.raises(FeatureStoreError, match="No space left"):
            store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    store.close()
    again = committing(home)
    assert first or closes(again)[0] == 1.0
    again.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    assert {n: closes(again)[n] for n in (0, 1)} == expected
    assert pl.scan_delta(str(home / "bars" / "1h")).collect().height == len(closes(again))
    again.close()


def test_after_a_log_that_could_not_be_synced_this_process_acknowledges_nothing_more(home, monkeypatch):
    store = committing(home)
    store.write(EURUSD, HOUR, arrivals([0], [1.0]))
    with monkeypatch.context() as patch:
        failing(patch, places, "sync", 2)
        with pytest.raises(FeatureStoreError, match=r"could not write to .* repeating the write is safe"):
            store.write(EURUSD, HOUR, arrivals([1], [2.0]))
    with pytest.raises(FeatureStoreError, match="did not reach the disk; check the disk, restart"):
        store.write(EURUSD, HOUR, arrivals([1], [2.0]))
    assert closes(store)[0] == 1.0
    store.close()


def test_a_full_disk_leaves_no_half_file(home, monkeypatch):
    store = committing(home)
    store.write(EURUSD, HOUR, arrivals([0], [1.0]))

    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def write(self, _):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        real = Path.open
        patch.setattr(
            Path,
            "open",
            lambda path, mode="r": (real(path, mode).close(), Full())[1] if mode == "wb" else real(path, mode),
        )
        with pytest.raises(FeatureStoreError, match="No space left on device"):
            store.write(EURUSD, HOUR, arrivals([1], [2.0]))
    assert len(list(home.rglob("symbol=*/*/*.parquet"))) == 1
    assert store.write(EURUSD, HOUR, arrivals([1], [2.0])) == 1
    assert closes(store) == {0: 1.0, 1: 2.0}
    store.close()


def test_a_commit_that_fails_is_refused_and_can_be_repeated(home, monkeypatch):
    store = committing(home)
    store.write(EURUSD, HOUR, arrivals([0], [1.0]))
    with monkeypatch.context() as patch:
        failing(patch, delta_table.DeltaTable, "create_write_transaction", 1)
        with pytest.raises(FeatureStoreError, match="nothing stored before is lost"):
            store.write(EURUSD, HOUR, arrivals([1], [2.0]))
    assert closes(store) == {0: 1.0}
    assert store.write(EURUSD, HOUR, arrivals([1], [2.0])) == 1
    store.close()


def test_a_commit_reported_as_failed_after_it_was_made_is_not_made_twice(home, monkeypatch):
    store = committing(home)
    real = delta_table.DeltaTable.create_write_transaction

    def commit(table, *arguments, **named):
        real(table, *arguments, **named)
        raise delta_table.DeltaError("the answer was lost")

    with monkeypatch.context() as patch:
        patch.setattr(delta_table.DeltaTable, "create_write_transaction", commit)
        assert store.write(EURUSD, HOUR, arrivals([0], [1.0])) == 1
    assert DeltaTable(home / "bars" / "1h").version() == 1
    assert store.write(EURUSD, HOUR, arrivals([0], [1.0])) == 0
    assert closes(store) == {0: 1.0}
    store.close()


def test_a_writer_killed_at_any_moment_loses_nothing_it_acknowledged(home, tmp_path):
    said = tmp_path / "said"
    script = f"""
import os, sys; sys.path.insert(0, {TESTS!r})
import conftest as c
said = os.open({str(said)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
store = c.committing({str(home)!r})
n = int(sys.argv[1])
while True:
    store.write(c.EURUSD, c.HOUR, c.arrivals([n], [n + 0.5]))
    os.write(said, f"{{n}}\\n".encode())
    n += 1
"""
    chance = random.Random(1)
    begin = 0
    for _ in range(4):
        process = subprocess.Popen([sys.executable, "-c", script, str(begin)])
        size = said.stat().st_size if said.exists() else 0
        wanted = size + chance.randrange(4, 60)
        while process.poll() is None and not (said.exists() and said.stat().st_size > wanted):
            os.sched_yield()
        process.send_signal(signal.SIGKILL)
        process.wait()
        acknowledged = [int(line) for line in said.read_text().split()]
        held = closes(committing(home))
        assert set(acknowledged) <= set(held)
        assert held == {n: n + 0.5 for n in held}
        begin = max(acknowledged)  # repeats the last one, as a writer that does not know would
    rows = pl.scan_delta(str(home / "bars" / "1h")).collect()
    assert rows.height == len(held)
    assert rows["sequence"].sort().to_list() == list(range(rows.height))


def test_other_programs_read_the_table(home):
    store = committing(home)
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0], source="broker"))
    store.write(EURUSD, HOUR, arrivals([0], [3.0], known_at=9))
    rows = pl.scan_delta(str(home / "bars" / "1h")).sort("sequence").collect()
    assert rows.select("symbol", "bucket", "revision", "sequence", "close", "assumed", "source", "spread").rows() == [
        ("EURUSD", "all", 0, 0, 1.0, True, "broker", None),
        ("EURUSD", "all", 0, 1, 2.0, True, "broker", None),
        ("EURUSD", "all", 1, 2, 3.0, False, "test", None),
    ]
    store.write(EURUSD, HOUR, arrivals([2], [4.0], spread=[0.5]))
    spreads = pl.scan_delta(str(home / "bars" / "1h")).sort("sequence").collect()["spread"]
    assert spreads.to_list() == [None, None, None, 0.5]
    assert DeltaTable(home / "bars" / "1h").to_pyarrow_table()["spread"].to_pylist().count(None) == 3
    assert str(rows.schema["time"]) == "Datetime(time_unit='us', time_zone='UTC')"
    entry = home / "bars" / "1h" / "_delta_log" / f"{1:020d}.json"
    (add,) = [json.loads(line)["add"] for line in entry.read_text().splitlines() if '"add"' in line]
    assert json.loads(add["stats"])["minValues"] == {"time": "2023-01-02T00:00:00Z"}
    store.close()


def test_a_folder_of_any_name_is_a_home(tmp_path):
    store = committing(tmp_path / "März & Co = 100% #1")
    store.write(EURUSD, HOUR, arrivals([0], [1.0]))
    store.write(EURUSD, HOUR, arrivals([1], [2.0]))
    store.close()
    assert closes(committing(store.home)) == {0: 1.0, 1: 2.0}


def test_a_half_written_file_of_a_dead_writer_is_written_anew(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"ha")
    durable.write_new(path, b"half")
    assert path.read_bytes() == b"half"
