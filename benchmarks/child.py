"""Work in a fresh process, where imports, memory, compiled loops and processors are what the measurement says they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[1]


def answers(
    function: Callable[..., object], *arguments: object, cores: int | None = None, cache: Path | None = None
) -> Iterator[Any]:
    """Yield what a module's function yields in a process of its own, as soon as it does; or its one answer.

    Args:
        function: found again by its module and name.
        arguments: plain data, as is what it gives.
        cores: to how many processors the process and its threads are held.
        cache: where it keeps compiled loops, instead of the user's folder.
    """
    module = sys.modules[function.__module__].__spec__
    if module is None:
        msg = f"{function.__name__} is of no module that a process could import"
        raise TypeError(msg)
    question = json.dumps([module.name, function.__name__, list(arguments), cores])
    elsewhere = {"XDG_CACHE_HOME": str(cache)} if cache else {}
    command = [sys.executable, "-m", "benchmarks.child", question]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | elsewhere) as process:
        for line in process.stdout or ():
            yield json.loads(line)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)


def answer(function: Callable[..., object], *arguments: object, **how: Any) -> Any:
    """Return the one answer of a function in a process of its own; see `answers`."""
    (only,) = answers(function, *arguments, **how)
    return only


def main(module: str, name: str, arguments: list[Any], cores: int | None) -> None:
    """Do what the parent asks, a line of JSON for each answer."""
    if cores is not None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
    given = getattr(import_module(module), name)(*arguments)
    for each in given if isinstance(given, Iterator) else [given]:
        print(json.dumps(each), flush=True)


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
