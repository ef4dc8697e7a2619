"""Loops as machine code: kept in a private folder, compiled once on a machine, loaded in a millisecond by the next process.

A file's name is a digest of the loop's text and of all it is compiled with, the processor included; its last four bytes are a
checksum, so that a file cut short is compiled again and never run.
"""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import contextmanager
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile, mkdtemp
from threading import Lock
from time import perf_counter
from typing import TYPE_CHECKING
from zlib import crc32

from platformdirs import user_cache_path

from feature_store.events import Compiled, Compiling, emit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from feature_store.engine.machine import Machine

_CHECKSUM = 4
_WRITERS = ("compiler", "values", "kinds", "instructions", "machine")
_compiling, _next, _making = Lock(), Lock(), Lock()
_loaded: dict[str, int] = {}


def name_of(text: str) -> str:
    """Return the name of the machine code of a text."""
    return f"loop_{sha256(f'{text}{_versions()}'.encode()).hexdigest()[:24]}"


def is_compiled(text: str) -> bool:
    """Whether the text was compiled on this machine before, so that loading it takes a millisecond."""
    name = name_of(text)
    return name in _loaded or _file(name).exists()


def address(text: str, features: int) -> int:
    """Return where the machine code of a text stands, compiled now or loaded; `features` is for who counts."""
    return addresses([(text, features)])[0]


def addresses(texts: Sequence[tuple[str, int]]) -> list[int]:
    """Return `address` of several texts, each with how many columns it answers; those to be compiled are told as events."""
    loops = sum(not is_compiled(text) for text, _ in texts)
    loop, found = 0, []
    for text, features in texts:
        with _in_turn():
            name = name_of(text)
            if name not in _loaded:
                code = _read(name)
                if code is None:
                    loop += 1
                    code = _compiled(name, text, features, loop, max(loop, loops))
                _loaded[name] = _machine().load(name, code)
            found.append(_loaded[name])
    return found


def caller(where: int) -> Callable[[int], None]:
    """Return machine code as a function of the address of its arguments; it runs without the interpreter's lock."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(where)


def _compiled(name: str, text: str, features: int, loop: int, loops: int) -> bytes:
    from feature_store.engine.compiler import module_of  # noqa: PLC0415  a process that finds all compiled needs none

    emit(Compiling(features, loop, loops))
    started = perf_counter()
    code = _machine().compile(str(module_of(text, name)))
    _write(name, code)
    emit(Compiled(features, perf_counter() - started))
    return code


@contextmanager
def _in_turn() -> Iterator[None]:
    """Let one thread compile at a time; who waits is next, however many loops the other still has to compile."""
    with _next:
        _compiling.acquire()
    try:
        yield
    finally:
        _compiling.release()


def _machine() -> Machine:
    """The one machine of this process: code that another had loaded would go with it."""
    with _making:
        return _only_machine()


@lru_cache(maxsize=1)
def _only_machine() -> Machine:
    from feature_store.engine.machine import Machine  # noqa: PLC0415  LLVM takes a while to load

    return Machine()


@lru_cache(maxsize=1)
def _versions() -> str:
    """What machine code depends on beside the text: what writes it, and the processor."""
    sources = (Path(__file__).with_name(f"{each}.py").read_bytes() for each in _WRITERS)
    return f"{sha256(b''.join(sources)).hexdigest()} {sys.platform} {_machine().about}"


# ---------------------------------------------------------------- files
@lru_cache(maxsize=1)
def _folder() -> Path:
    """The folder of machine code; private, as code is loaded from it."""
    folder = user_cache_path("forex-feature-store") / "loops"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        about = folder.stat()
        if about.st_uid == os.getuid() and not about.st_mode & 0o077 and os.access(folder, os.W_OK):
            return folder
    except OSError:
        pass  # a home that cannot be written to: compile into a folder of this process
    return Path(mkdtemp(prefix="forex-feature-store-"))


def _file(name: str) -> Path:
    return _folder() / f"{name}.o"


def _read(name: str) -> bytes | None:
    try:
        held = _file(name).read_bytes()
    except FileNotFoundError:
        return None
    code, checksum = held[:-_CHECKSUM], held[-_CHECKSUM:]
    return code if crc32(code).to_bytes(_CHECKSUM, "little") == checksum else None


def _write(name: str, code: bytes) -> None:
    with NamedTemporaryFile("wb", dir=_folder(), suffix=".new", delete=False) as new:
        new.write(code + crc32(code).to_bytes(_CHECKSUM, "little"))
    Path(new.name).replace(_file(name))
