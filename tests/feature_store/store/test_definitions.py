"""Definitions that a store keeps: durable, numbered without gaps, seen by every process, and made of what they were made of."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import feature_store as fs
from feature_store.errors import CorruptDataError, FeatureNotFoundError, FeatureStoreError, InvalidRequestError
from feature_store.indicators.custom import Draft
from feature_store.indicators.definition import registered
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
    return [each.content_hash for each in definitions.registry().own.get(name, ())]


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
    registry = folder().registry()
    assert [each.content_hash for each in registry.own["mine"]] == [hashes[0], hashes[2]]
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
    with pytest.raises(CorruptDataError, match="mine:v1 is not a definition"):
        folder().registry()


def test_a_full_or_locked_disk_is_an_error_that_says_what_to_do(folder, monkeypatch):
    store = folder()
    store.register(FIRST)
    holder = sqlite3.connect(store.path, isolation_level=None)
    holder.execute("begin immediate")
    monkeypatch.setattr("feature_store.store.definitions._PATIENCE_S", 0.05)
    hasty = folder()
    with pytest.raises(FeatureStoreError, match=r"cannot be used .*locked"):
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
    with pytest.raises(FeatureStoreError, match="cannot be used"):
        alone.register(SECOND)


def test_a_version_whose_parts_are_gone_is_refused_alone(folder, monkeypatch):
    store = folder()
    store.register(Draft("mine", "wma(close, 5)"))
    store.register(Draft("other", "mine * 2"))
    store.register(Draft("sound", "close * 2"))
    store.close()
    monkeypatch.delitem(registered, "wma")
    registry = folder().registry()
    assert registry.find("sound").version == 1
    for name in ("mine", "other"):
        with pytest.raises(FeatureNotFoundError, match=rf"{name}:v1 cannot be used with this version of the package"):
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
