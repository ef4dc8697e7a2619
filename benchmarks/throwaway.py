"""Peers with a world of their own: a virtual environment each, made once in the user's cache, and a program to talk to.

1. `python_of` makes the environment: `python -m venv`, then `pip install` of the pinned packages. It is built under another
   name and renamed when it is whole, so an interrupted run leaves none that looks ready. One that is there is used as it is.
2. `Program` starts a script of `benchmarks/peers_of_store` in it. Every question is a line of JSON on its standard input, every
   answer a line of JSON on its standard output, and the script times its own work: so it takes turns with ours, and neither
   starting a process nor the pipe counts.

The project's own environment is never touched. What cannot be installed or does not answer raises `PeerMissingError`, whose
words the tables show in the peer's place.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from threading import Timer
from typing import Any, Self

from platformdirs import user_cache_path

SCRIPTS = Path(__file__).with_name("peers_of_store")
PYTHON = "/".join(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python"))
INSTALL_S = 1_800


class PeerMissingError(Exception):
    """A peer cannot be installed here, or did not answer; the words say which and why."""


@dataclass(frozen=True)
class Peer:
    """A script, and the packages it needs at the versions that are measured; the first is the peer itself."""

    script: str
    packages: tuple[str, ...]

    def __str__(self) -> str:
        return re.sub(r"(\[.*\])?==", " ", self.packages[0])


ARCTIC = Peer("arctic.py", ("arcticdb==6.28.0", "pandas==2.3.3", "TA-Lib==0.8.2"))
FEAST = Peer("feast_join.py", ("feast[duckdb]==0.67.0", "pandas==2.3.3", "dask==2026.8.0"))
QLIB = Peer("qlib_factors.py", ("pyqlib==0.9.7", "pandas==2.3.3", "setuptools==80.9.0"))
EVERY = (ARCTIC, FEAST, QLIB)


def python_of(peer: Peer) -> Path:
    """Return the interpreter of the peer's environment; takes a minute the first time, and then asks a package index.

    Raises PeerMissingError where the packages cannot be installed.
    """
    name = "-".join((sys.implementation.cache_tag or "python", *peer.packages))
    folder = user_cache_path("forex-feature-store") / "peers" / name
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(dir=folder.parent))
        try:
            _make(fresh, peer)
            fresh.rename(folder)  # moved, its interpreter still finds its packages
        finally:
            rmtree(fresh, ignore_errors=True)
    return folder / PYTHON


def _make(folder: Path, peer: Peer) -> None:
    pip = (str(folder / PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *peer.packages)
    try:
        for command in ((sys.executable, "-m", "venv", str(folder)), pip):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=INSTALL_S)
    except subprocess.TimeoutExpired as problem:
        raise PeerMissingError(f"{peer} was not installed within {INSTALL_S} s") from problem
    except subprocess.CalledProcessError as problem:
        raise PeerMissingError(f"{peer} cannot be installed: {_reason(problem.stderr)}") from problem


class Program:
    """A peer's script at work; close it, or use it in a `with`.

    Args:
        peer: whose.
        cores: to how many processors it is held.
        timeout_s: how long one answer may take.
    """

    def __init__(self, peer: Peer, *, cores: int | None = None, timeout_s: float = 600.0) -> None:
        self._peer = peer
        self._timeout_s = timeout_s
        command = [str(python_of(peer)), "-Es", str(SCRIPTS / peer.script), *([str(cores)] if cores else [])]
        self._process = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __repr__(self) -> str:
        return f"<Program {self._peer} pid={self._process.pid}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, task: str, **arguments: Any) -> Any:
        """Return the answer of the script's function `task`; raises PeerMissingError where none comes in time."""
        assert self._process.stdin
        assert self._process.stdout
        alarm = Timer(self._timeout_s, self._process.kill)
        alarm.start()
        try:
            self._process.stdin.write(json.dumps([task, arguments]) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError as problem:
            raise PeerMissingError(f"{self._peer} ended before `{task}`") from problem
        finally:
            late = not alarm.is_alive()
            alarm.cancel()
        if not line:
            why = f"gave no answer within {self._timeout_s:.0f} s" if late else "failed; its words are above"
            raise PeerMissingError(f"{self._peer}, `{task}`: {why}")
        return json.loads(line)

    def close(self) -> None:
        """End the script; what it was doing is lost."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


def _reason(words: str) -> str:
    """Return the last error that pip names; what else it says may be warnings."""
    errors = (line.removeprefix("ERROR: ") for line in reversed(words.splitlines()) if line.startswith("ERROR: "))
    return next(errors, "pip gives no reason")


if __name__ == "__main__":
    for each in EVERY:
        print(each, python_of(each), flush=True)
