"""Die at the n-th step of an operation, for every n until it completes; look at what is left each time, and repeat it.

Run as `python -m tests.faults.crash_points <operation> <folder>`. A step is the end of anything that changes the disk or waits
for it: a sync, a file that is half written, linked, or removed, a statement of SQLite that writes, a commit of Delta. What
comes before one is what comes after the one before. This process only imports and forks: each child has threads and connections
of its own.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import traceback
from datetime import timedelta
from pathlib import Path

import polars as pl

from feature_store.indicators.custom import Draft
from feature_store.store import delta_table
from feature_store.store.buckets import ALL
from feature_store.store.delta import DeltaStore
from tests.feature_store.store.conftest import EURUSD, HOUR, arrivals, closes
from tests.feature_store.store.test_store import block

CRASHED = 77
BEFORE = {0: 9.0, 1: 2.0, 2: 3.0}
FIRST, SECOND = Draft("mine", "close * 2"), Draft("mine", "close * 3")


# ---------------------------------------------------------------- operations
def nothing(_home):
    """A folder that is not there yet."""


def some_rows(home):
    store = DeltaStore(home, few_rows=1)
    store.write(EURUSD, HOUR, arrivals([0, 1, 2], [1.0, 2.0, 3.0]))
    store.write(EURUSD, HOUR, arrivals([0], [9.0], known_at=9))
    store.definitions.register(FIRST)
    store.features.hold(EURUSD, HOUR, "set", ALL, block([0, 1], a=[1.0, 2.0]))
    store.close()


def many_files(home):
    store = DeltaStore(home, few_rows=0)
    for n in range(2):
        store.write(EURUSD, HOUR, arrivals([n], [n + 1.0]))
    store.compact()
    store.write(EURUSD, HOUR, arrivals([2], [3.0]))
    store.write(EURUSD, HOUR, arrivals([0], [9.0], known_at=9))
    store.features.hold(EURUSD, HOUR, "set", ALL, block([0], a=[1.0]))
    store.features.hold(EURUSD, HOUR, "set", ALL, block([0, 1], a=[1.0, 2.0]))
    store.close()
    tail = DeltaStore(home)
    tail.definitions.register(FIRST)
    tail.close()


def write(home, few_rows):
    store = DeltaStore(home, few_rows=few_rows)
    store.write(EURUSD, HOUR, arrivals([1, 2, 3, 4], [2.0, 3.0, 4.0, 5.0]))
    store.close()


def first_write(home, few_rows):
    store = DeltaStore(home, few_rows=few_rows)
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    store.close()


def flush(home):
    store = DeltaStore(home)
    store.flush()
    store.close()


def compact(home):
    store = DeltaStore(home)
    store.compact(retention=timedelta(0))
    store.close()


def register(home):
    store = DeltaStore(home)
    store.definitions.register(SECOND)
    store.close()


def fill_features(home):
    store = DeltaStore(home)
    store.features.hold(EURUSD, HOUR, "set", ALL, block([0, 1, 2], a=[1.0, 2.0, 3.0]))
    store.close()


AFTER = BEFORE | {3: 4.0, 4: 5.0}
OPERATIONS = {
    # name: what is there, what is done, and the closes before and after it
    "first write to the tail": (nothing, lambda home: first_write(home, 10), {}, {0: 1.0, 1: 2.0}),
    "first write to the history": (nothing, lambda home: first_write(home, 0), {}, {0: 1.0, 1: 2.0}),
    "write to the tail": (some_rows, lambda home: write(home, 10), BEFORE, AFTER),
    "write to the history": (some_rows, lambda home: write(home, 0), BEFORE, AFTER),
    "flush": (some_rows, flush, BEFORE, BEFORE),
    "compact": (many_files, compact, BEFORE, BEFORE),
    "register": (some_rows, register, BEFORE, BEFORE),
    "fill features": (some_rows, fill_features, BEFORE, BEFORE),
}


# ---------------------------------------------------------------- steps
class Steps:
    """Counts steps and dies at the n-th."""

    def __init__(self, last):
        self.left = last

    def step(self):
        self.left -= 1
        if self.left == 0:
            os._exit(CRASHED)  # as a process that is killed: nothing is flushed, closed or undone

    def after(self, call):
        def stepped(*arguments, **named):
            result = call(*arguments, **named)
            self.step()
            return result

        return stepped

    def watch(self):
        """Make everything that changes the disk, or waits for it, a step."""
        for name in ("fsync", "link", "unlink", "mkdir", "ftruncate"):
            setattr(os, name, self.after(getattr(os, name)))
        table = delta_table.DeltaTable
        table.create_write_transaction = self.after(table.create_write_transaction)
        table.create = staticmethod(self.after(table.create))
        steps, opened, connect = self, Path.open, sqlite3.connect

        def open_(path, mode="r", *arguments, **named):
            if mode != "wb":
                return opened(path, mode, *arguments, **named)
            return HalfWritten(opened(path, mode, *arguments, **named), steps)

        class Connection(sqlite3.Connection):
            def execute(self, sql, *arguments):
                reads = sql.startswith(("select", "pragma"))
                return (super().execute if reads else steps.after(super().execute))(sql, *arguments)

        Path.open = open_
        sqlite3.connect = lambda *arguments, **named: connect(*arguments, **named, factory=Connection)


class HalfWritten:
    """A file of which a step may leave the first half."""

    def __init__(self, file, steps):
        self.file, self.steps = file, steps

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()

    def write(self, content):
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        self.steps.step()
        self.file.write(content[len(content) // 2 :])


# ---------------------------------------------------------------- looking
def look(home, do, before, after):
    """Check that nothing is lost, half done or doubled, and that repeating the operation completes it."""
    reader = DeltaStore(home)
    held = closes(reader)
    assert held in (before, after), held
    registry = DeltaStore(home).definitions.registry()
    if before:
        assert registry.find("mine").version in {1, 2}
        features = reader.features.read(EURUSD, HOUR, "set")
        assert features.columns["a"].tolist() in ([1.0, 2.0], [1.0, 2.0, 3.0])
    do(home)
    assert closes(reader) == closes(DeltaStore(home)) == after
    store = DeltaStore(home)
    store.flush()
    store.compact(retention=timedelta(0))
    rows = len(after) + bool(before)
    assert closes(store) == closes(reader) == after
    assert store.snapshot(EURUSD, HOUR).edition.rows == rows
    assert store.write(EURUSD, HOUR, arrivals(list(after), list(after.values()), known_at=9)) > 0
    table = pl.scan_delta(str(home / "bars/1h")).collect()
    assert table["sequence"].sort().to_list() == list(range(rows))
    store.close()


def in_a_child(work, *arguments):
    """Return how a child that does the work ends."""
    child = os.fork()
    if child == 0:
        try:
            work(*arguments)
        except BaseException:  # noqa: BLE001  a forked child must end here, whatever happens
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def crash(home, do, last):
    Steps(last).watch()
    do(home)


def main(operation, root):
    """Go through all steps and print how many there were."""
    prepare, do, before, after = OPERATIONS[operation]
    assert in_a_child(prepare, root / "begin") == 0
    (root / "begin").mkdir(parents=True, exist_ok=True)
    last, ended = 0, CRASHED
    while ended == CRASHED:
        last += 1
        home = root / f"step{last}"
        if before:
            shutil.copytree(root / "begin", home)
        ended = in_a_child(crash, home, do, last)
        if in_a_child(look, home, do, before, after) != 0:
            sys.exit(f"after dying at step {last} of {operation}")
        shutil.rmtree(home)
    sys.stdout.write(f"{last - 1}\n")
    sys.exit(ended)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
