"""Generated modules: kept in a private folder, compiled once on a machine, loaded in milliseconds by the next process.

A module's name is a digest of its text and of all it is compiled with, and numba's own cache beside it knows the processor.
Closures and functions handed over as arguments would be compiled again in every process; files are not.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING

from platformdirs import user_cache_path

from feature_store.events import Compiled, Compiling, emit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_compiling, _next = Lock(), Lock()


def name_of(text: str) -> str:
    """Return the name of the module with this text."""
    return f"loop_{sha256(f'{text}{_versions()}'.encode()).hexdigest()[:24]}"


def is_compiled(text: str) -> bool:
    """Whether the text was compiled on this machine before, so that loading it takes milliseconds."""
    name = name_of(text)
    return name in sys.modules or name in _compiled_before()


def function(text: str, features: int) -> Callable[..., None]:
    """Return `run` of the module with this text, compiled now or loaded from the folder; `features` is for who counts."""
    return functions([(text, features)])[0]


def functions(texts: Sequence[tuple[str, int]]) -> list[Callable[..., None]]:
    """Return `run` of several modules, each with how many columns it answers; those to be compiled are told as events."""
    loops = sum(not is_compiled(text) for text, _ in texts)
    loop, found = 0, []
    for text, features in texts:
        with _in_turn():
            fresh, started = not is_compiled(text), perf_counter()
            if fresh:
                loop += 1
                emit(Compiling(features, loop, max(loop, loops)))
            name = name_of(text)
            if name not in sys.modules:
                _load(name, text)
            if fresh:
                emit(Compiled(features, perf_counter() - started))
            found.append(sys.modules[name].run)
    return found


@contextmanager
def _in_turn() -> Iterator[None]:
    """Let one thread compile at a time, as numba does; who waits is next, however many loops the other still has to compile."""
    with _next:
        _compiling.acquire()
    try:
        yield
    finally:
        _compiling.release()


@lru_cache(maxsize=1)
def _compiled_before() -> frozenset[str]:
    """The modules that the folder held compiled when it was first looked at."""
    kept = _folder() / "__pycache__"
    return frozenset(file.name.split(".")[0] for file in kept.glob("*.nbc")) if kept.exists() else frozenset()


@lru_cache(maxsize=1)
def _versions() -> str:
    """What compiled code depends on beside its text: compiler, Python, and the instructions that loops import."""
    instructions = sha256(Path(__file__).with_name("intrinsics.py").read_bytes()).hexdigest()
    return f"{version('numba')} {version('llvmlite')} {sys.version} {instructions}"


@lru_cache(maxsize=1)
def _folder() -> Path:
    """The folder of generated modules; private, as code is loaded from it."""
    folder = user_cache_path("forex-feature-store") / "loops"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.stat()
        if about.st_uid == os.getuid() and not about.st_mode & 0o077 and os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass  # a home that cannot be written to: compile into a folder of this process
    return Path(mkdtemp(prefix="forex-feature-store-"))


def _load(name: str, text: str) -> None:
    path = _folder() / f"{name}.py"
    if not path.exists() or path.read_text("utf-8") != text:
        with NamedTemporaryFile("w", dir=path.parent, suffix=".new", delete=False, encoding="utf-8") as new:
            new.write(text)
        Path(new.name).replace(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        msg = f"{path} cannot be imported"
        raise ImportError(msg)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where numba looks for the function it saved, and one generated module for another
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
