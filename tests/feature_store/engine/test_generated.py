"""The cache of machine code: private, safe for several processes, and no compiling in the second one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from feature_store import events
from feature_store.engine import generated

_REPORT = """
import sys
from feature_store import compute, events
seen = []
events.subscribe(lambda event: seen.append(type(event).__name__))
assert compute({"close": [1.0, 2.0, 3.0]}, ["sma_2", "ema_2"])["sma_2"].tolist()[1:] == [1.5, 2.5]
assert seen.count("Compiling") == seen.count("Compiled")
print(seen.count("Compiled"))
"""


def run(home, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _REPORT],
        env={**os.environ, "XDG_CACHE_HOME": str(home), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("cache")
    assert run(home) == "1"
    return home


@pytest.fixture
def folder(home):
    return home / "forex-feature-store" / "loops"


def test_the_second_process_compiles_nothing(home):
    assert run(home) == "0"


def test_the_folder_is_private(folder):
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "damage",
    [
        lambda code: code[: len(code) // 2],
        lambda _: b"",
        lambda code: code[:100] + bytes([code[100] ^ 1]) + code[101:],
        lambda _: b"\x7fELF not ours",
    ],
    ids=["cut short", "empty", "a bit flipped", "other content"],
)
def test_machine_code_that_is_damaged_is_compiled_again_and_never_run(home, folder, damage):
    (file,) = folder.glob("loop_*.o")
    good = file.read_bytes()
    file.write_bytes(damage(good))
    assert run(home) == "1"
    assert file.read_bytes() == good


def test_a_folder_open_to_others_is_not_trusted(home, folder):
    folder.chmod(0o777)
    try:
        assert run(home) == "1"
    finally:
        folder.chmod(0o700)


def test_a_folder_of_somebody_else_is_not_trusted(home, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    monkeypatch.setattr(generated.os, "getuid", lambda: os.geteuid() + 1)
    assert generated._folder.__wrapped__().name.startswith("forex-feature-store-")


def test_two_processes_may_compile_at_once(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", _REPORT], env=environment, stdout=subprocess.PIPE) for _ in range(2)
    ]
    for process in started:
        process.communicate(timeout=120)
    assert [process.returncode for process in started] == [0, 0]


class Slow:
    """A machine whose loading waits to be told."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self.began, self.go_on = threading.Event(), threading.Event()

    def load(self, _: str, code: bytes) -> int:
        self.order.append(code.decode())
        self.began.set()
        assert self.go_on.wait(10)
        return len(self.order)


@pytest.fixture
def slow(monkeypatch):
    machine = Slow()
    monkeypatch.setattr(generated, "_machine", lambda: machine)
    monkeypatch.setattr(generated, "_versions", lambda: "slow")
    monkeypatch.setattr(generated, "_compiled", lambda _, text, *__: text.encode())
    monkeypatch.setattr(generated, "_loaded", {})
    return machine


def test_a_request_waits_for_the_loop_being_compiled_and_not_for_the_plan(slow):
    plan = threading.Thread(target=generated.addresses, args=([(f"plan {n}", 1) for n in range(4)],))
    plan.start()
    assert slow.began.wait(10)
    single = threading.Thread(target=generated.address, args=("single", 1))
    single.start()
    while not generated._next.locked():  # until it stands in line
        pass
    slow.go_on.set()
    plan.join()
    single.join()
    assert slow.order == ["plan 0", "single", "plan 1", "plan 2", "plan 3"]


def test_progress_counts_the_loops_that_have_to_be_compiled(tmp_path, monkeypatch):
    monkeypatch.setattr(generated, "_folder", lambda: tmp_path)
    seen = []
    unsubscribe = events.subscribe(seen.append)
    texts = [f"def run(bars, out0):\n    for t in range(bars):\n        put(out0, t, {n}.5)\n" for n in (1, 2)]
    generated.addresses([(texts[0], 3), (texts[1], 2)])
    unsubscribe()
    assert [each for each in seen if isinstance(each, events.Compiling)] == [
        events.Compiling(3, 1, 2),
        events.Compiling(2, 2, 2),
    ]
