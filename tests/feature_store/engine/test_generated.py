"""The cache of generated modules: private, safe for several processes, and no compiling in the second one."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from types import SimpleNamespace

import pytest

from feature_store import events
from feature_store.engine import generated

_REPORT = """
import sys
from feature_store import compute, events
seen = []
events.subscribe(lambda event: seen.append(type(event).__name__))
compute({"close": [1.0, 2.0, 3.0]}, ["sma_2", "ema_2"])
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


def test_a_module_that_was_tampered_with_is_written_again(home, folder):
    (module,) = folder.glob("loop_*.py")
    good = module.read_text()
    module.write_text("raise SystemExit('not ours')\n")
    assert run(home) in {"0", "1"}
    assert module.read_text() == good


def test_a_folder_open_to_others_is_not_trusted(home, folder):
    folder.chmod(0o777)
    try:
        assert run(home) == "1"
    finally:
        folder.chmod(0o700)


def test_two_processes_may_compile_at_once(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    started = [
        subprocess.Popen([sys.executable, "-c", _REPORT], env=environment, stdout=subprocess.PIPE) for _ in range(2)
    ]
    for process in started:
        process.communicate(timeout=120)
    assert [process.returncode for process in started] == [0, 0]


def test_a_request_waits_for_the_loop_being_compiled_and_not_for_the_plan(monkeypatch):
    order: list[str] = []
    began, go_on = threading.Event(), threading.Event()

    def load(name: str, text: str) -> None:
        order.append(text)
        began.set()
        assert go_on.wait(10)
        sys.modules[name] = SimpleNamespace(run=text)

    monkeypatch.setattr(generated, "_load", load)
    plan = threading.Thread(target=generated.functions, args=([(f"plan {n}", 1) for n in range(4)],))
    plan.start()
    assert began.wait(10)
    single = threading.Thread(target=generated.function, args=("single", 1))
    single.start()
    while not generated._next.locked():  # until it stands in line
        pass
    go_on.set()
    plan.join()
    single.join()
    assert order == ["plan 0", "single", "plan 1", "plan 2", "plan 3"]


def test_progress_counts_the_loops_that_have_to_be_compiled(monkeypatch):
    monkeypatch.setattr(generated, "_load", lambda name, text: sys.modules.__setitem__(name, SimpleNamespace(run=text)))
    seen = []
    unsubscribe = events.subscribe(seen.append)
    assert generated.functions([("first", 3), ("second", 2)]) == ["first", "second"]
    unsubscribe()
    assert [each for each in seen if isinstance(each, events.Compiling)] == [
        events.Compiling(3, 1, 2),
        events.Compiling(2, 2, 2),
    ]
