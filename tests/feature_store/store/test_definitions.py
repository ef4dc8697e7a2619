"""Definitions that a store keeps: durable, numbered without gaps, seen by every process, and made of what they were made of."""

from __future__ import annotations

import errno
import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import feature_store as fs
from feature_store.errors import (
    ConflictError,
    CorruptDataError,
    FeatureNotFoundError,
    FeatureStoreError,
    InvalidRequestError,
    StoreLockedError,
    StoreReadOnlyError,
)
from feature_store.indicators.custom import Draft, custom
from feature_store.indicators.definition import registered
from feature_store.store import definitions as module
from feature_store.store import sqlite_file
from feature_store.store.definitions import FILE, MemoryDefinitions, SqliteDefinitions

N = {"n": fs.Int(20, ge=2)}
FIRST = Draft("mine", "ema(close, n)", N)
SECOND = Draft("mine", "sma(close, n)", N)


@pytest.fixture(params=["memory", "sqlite"])
def definitions(request, tmp_path):
    made = MemoryDefinitions() if request.param == "memory" else SqliteDefinitions(tmp_path)
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path):
    opened = []

    def again() -> SqliteDefinitions:
        opened.append(SqliteDefinitions(tmp_path / "market"))
        return opened[-1]

    yield again
    for each in opened:
        each.close()


def versions(definitions, name="mine") -> list[str]:
    registry = definitions.registry()
    return [registry.find(name, place + 1).content_hash for place in range(len(registry.own.get(name, ())))]


def test_a_definition_is_found_once_it_is_registered(definitions):
    assert definitions.registry().find("mine") is None
    made = definitions.register(FIRST)
    assert definitions.registry().find("mine") is made
    assert definitions.registry().parse("mine_5").series == fs.parse("ema_5").series
    assert fs.catalog("mine") == []


def test_the_same_content_again_writes_nothing_and_other_content_a_version(definitions):
    first = definitions.register(FIRST)
    assert definitions.register(FIRST).version == 1
    assert definitions.register(SECOND).version == 2
    assert versions(definitions) == [first.content_hash, definitions.registry().find("mine").content_hash]
    assert definitions.registry().parse("mine_5:v1").series == fs.parse("ema_5").series


def test_other_words_for_the_same_content_replace_the_old_ones(definitions):
    definitions.register(FIRST)
    definitions.register(Draft("user", "mine * 2"))
    definitions.register(Draft("mine", "ema(close, n)", N, title="In better words"))
    assert definitions.registry().find("mine").title == "In better words"
    assert len(versions(definitions)) == 1
    assert len(versions(definitions, "user")) == 1


def test_what_is_refused_leaves_nothing_behind(definitions):
    with pytest.raises(InvalidRequestError):
        definitions.register(Draft("mine", "close.real"))
    assert definitions.registry().names() == list(registered)
    assert definitions.register(FIRST).version == 1


def test_a_registry_stays_what_it_is_while_others_register(definitions):
    before = definitions.registry()
    definitions.register(FIRST)
    assert before.find("mine") is None


def test_definitions_are_there_when_the_folder_is_opened_again(folder):
    one = folder()
    hashes = [
        one.register(draft).content_hash
        for draft in (
            FIRST,
            Draft(
                "bands",
                {"low_side": "lowest(low, n) * k", "high_side": "mine(high, n) - low_side"},
                {**N, "k": fs.Real(0.5)},
            ),
            SECOND,
            Draft("mine", "sma(close, n)", N, title="Words"),
            Draft("of_newest", "mine(close, 5) + bands__high_side"),
        )
    ]
    one.close()
    again = folder()
    registry = again.registry()
    assert versions(again) == [hashes[0], hashes[2]]
    assert registry.find("bands").content_hash == hashes[1]
    assert registry.find("of_newest").content_hash == hashes[4]
    assert registry.find("of_newest").describe()["uses"] == ["bands:v1", "mine:v2"]
    assert registry.find("bands").describe()["uses"] == ["lowest:v1", "mine:v1"]
    assert registry.find("mine").title == "Words"


def test_a_reader_sees_what_another_connection_registers(folder):
    writer, reader = folder(), folder()
    assert reader.registry().find("mine") is None
    writer.register(FIRST)
    before = reader.registry().find("mine")
    assert before.version == 1
    writer.register(SECOND)
    assert reader.registry().find("mine").version == 2
    assert reader.registry().find("mine", 1) is before, "what is known is not made again"
    assert reader.register(FIRST).version == 3


def test_looking_creates_nothing(tmp_path):
    assert SqliteDefinitions(tmp_path / "market").registry().find("mine") is None
    assert not (tmp_path / "market").exists()


def test_a_process_that_is_killed_after_registering_has_registered(tmp_path, folder):
    program = f"""
import os, signal, feature_store as fs
store = fs.open({str(tmp_path / "market")!r})
store.register("mine", "ema(close, n)", {{"n": fs.Int(20, ge=2)}})
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert folder().registry().find("mine").version == 1


def test_processes_that_register_at_once_share_out_the_numbers(tmp_path, folder):
    program = """
import sys, feature_store as fs
with fs.open(sys.argv[1]) as store:
    for k in range(5):
        store.register("mine", f"close * {sys.argv[2]}.{k}5")
"""
    home = str(tmp_path / "market")
    started = [
        subprocess.Popen([sys.executable, "-c", program, home, str(who)], stderr=subprocess.PIPE) for who in range(3)
    ]
    for each in started:
        _, said = each.communicate()
        assert each.returncode == 0, said
    assert len(set(versions(folder()))) == 15


def test_threads_that_register_at_once_share_out_the_numbers(definitions):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda k: definitions.register(Draft("mine", f"close * {k}")), range(1, 21)))
    assert len(set(versions(definitions))) == 20


def test_a_forked_child_reads_and_registers_by_itself(folder):
    parent = folder()
    parent.register(FIRST)
    child = os.fork()
    if child == 0:
        try:
            good = parent.registry().find("mine").version == 1 and parent.register(SECOND).version == 2
            os._exit(0 if good else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert parent.registry().find("mine").version == 2
    assert parent.register(FIRST).version == 3


def test_a_damaged_file_says_so(tmp_path, folder):
    store = folder()
    store.register(FIRST)
    store.close()
    file = tmp_path / "market" / FILE
    whole = file.read_bytes()
    file.write_bytes(b"not a database at all" * 100)
    with pytest.raises(CorruptDataError, match=r"definitions\.sqlite is damaged .*; restore it"):
        folder().registry()
    file.write_bytes(whole)
    with sqlite3.connect(file) as connection:
        connection.execute("update definitions set content = '{\"name\": 5'")
    connection.close()
    with pytest.raises(CorruptDataError, match=r"mine:v1 in definitions\.sqlite is not a definition; restore the file"):
        folder().registry().find("mine")
    with sqlite3.connect(file) as connection:
        connection.execute("update definitions set version = 2")
    connection.close()
    with pytest.raises(CorruptDataError, match=r"is damaged \(mine:v1 is missing\)"):
        folder().registry()


def test_a_damaged_definition_takes_no_other_along(tmp_path, folder):
    store = folder()
    store.register(FIRST)
    store.register(Draft("sound", "close * 2"))
    store.close()
    with sqlite3.connect(tmp_path / "market" / FILE) as connection:
        connection.execute("update definitions set content = '[]' where name = 'mine'")
    connection.close()
    assert folder().registry().parse("sound").version.startswith("v1.")
    assert folder().register(Draft("another", "close * 3")).version == 1


def test_a_disk_that_is_locked_for_too_long_is_an_error_that_says_what_to_do(folder, monkeypatch):
    store = folder()
    store.register(FIRST)
    holder = sqlite3.connect(store._file.path, isolation_level=None)
    holder.execute("begin immediate")
    monkeypatch.setattr("feature_store.store.sqlite_file._PATIENCE_S", 0.05)
    hasty = folder()
    with pytest.raises(
        StoreLockedError, match=r"another process has been writing to .* for more than 0.05 s; try again"
    ):
        hasty.register(SECOND)
    assert hasty.registry().find("mine").version == 1
    holder.execute("rollback")
    holder.close()
    assert hasty.register(SECOND).version == 2


def test_a_folder_that_cannot_be_written_to_is_read(folder, monkeypatch):
    writer = folder()
    writer.register(FIRST)
    monkeypatch.setattr("os.access", lambda *_: False)
    assert folder().registry().find("mine").version == 1, "beside a process that has the file open"
    writer.close()
    alone = folder()
    assert alone.registry().find("mine").version == 1
    with pytest.raises(StoreReadOnlyError, match=r"cannot be written to .*; write where its folder can be"):
        alone.register(SECOND)


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_where_nothing_can_be_made_says_that_it_is_read_only(folder, monkeypatch, number):
    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(sqlite_file, "make_folder", refuse)
    with pytest.raises(StoreReadOnlyError, match="cannot be written to"):
        folder().register(FIRST)


def test_a_full_disk_says_so(folder, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sqlite_file, "make_folder", refuse)
    with pytest.raises(FeatureStoreError, match=r"cannot be used .*No space left on device.*that the disk has room"):
        folder().register(FIRST)


def test_a_store_keeps_so_many_names_and_no_more(definitions, monkeypatch):
    monkeypatch.setattr(module, "MAX_NAMES", 3)
    for name in ("mine", "second", "third"):
        definitions.register(Draft(name, "close * 2"))
    with pytest.raises(ConflictError, match=r"keeps at most 3 custom indicators.*; register in another store"):
        definitions.register(Draft("fourth", "close * 2"))
    with pytest.raises(InvalidRequestError, match="nothing is called clse"):
        definitions.register(Draft("fourth", "clse * 2"))
    assert definitions.register(Draft("third", "close * 3")).version == 2, "a version is no new name"
    assert definitions.registry().find("fourth") is None


def test_a_name_has_so_many_versions_and_no_more(definitions, monkeypatch):
    monkeypatch.setattr(module, "MAX_VERSIONS", 3)
    for factor in (1, 2, 3):
        definitions.register(Draft("mine", f"close * {factor}"))
    with pytest.raises(ConflictError, match=r"mine has 3 versions, the most .*; register it under another name"):
        definitions.register(Draft("mine", "close * 4"))
    assert definitions.register(Draft("mine", "close * 3", title="In other words")).version == 3
    assert definitions.registry().parse("mine:v1").version.startswith("v1.")


def test_opening_a_store_makes_only_what_is_looked_at(folder, monkeypatch):
    store = folder()
    for factor in range(2, 9):
        store.register(Draft("mine", f"close * {factor}"))
    store.register(Draft("user", "mine - open"))
    store.close()
    made = []
    monkeypatch.setattr(
        module, "custom", lambda draft, *more, **how: made.append(draft.name) or custom(draft, *more, **how)
    )
    registry = folder().registry()
    assert made == []
    registry.parse("user")
    assert made == ["user", "mine"]
    registry.parse("user:v1")
    assert made == ["user", "mine"], "once"


def test_a_version_whose_parts_are_gone_is_refused_alone(folder, monkeypatch):
    store = folder()
    store.register(Draft("mine", "wma(close, 5)"))
    store.register(Draft("above", "mine * 2"))
    store.register(Draft("sound", "close * 2"))
    store.close()
    monkeypatch.delitem(registered, "wma")
    registry = folder().registry()
    assert registry.find("sound").version == 1
    for name in ("mine", "above"):
        with pytest.raises(FeatureNotFoundError, match=rf"{name}:v1 cannot be used any more"):
            registry.find(name)
    assert {each.name for each in registry} - set(registered) == {"sound"}


def test_a_built_in_that_takes_the_name_later_leaves_the_stores_own_in_its_place(folder, monkeypatch):
    store = folder()
    store.register(FIRST)
    store.close()
    monkeypatch.setitem(registered, "mine", fs.parse("rsi").definition)
    assert folder().registry().parse("mine_5").series == fs.parse("ema_5").series


def test_the_file_lies_in_the_stores_folder(tmp_path):
    with fs.open(tmp_path / "market") as store:
        store.register("mine", "close")
    assert {path.name for path in Path(tmp_path / "market").iterdir()} == {FILE}
