"""One process writes a folder: the operating system's lock on `<folder>/.lock`, which a process that dies lets go by itself.

Within a process every store on the folder shares the lock, and threads take turns. Readers need none of it.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from threading import Lock, RLock
from typing import TYPE_CHECKING

from feature_store.errors import StoreLockedError, StoreReadOnlyError
from feature_store.store.durable import make_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE = ".lock"
_held: dict[Path, _Held] = {}
_changing = Lock()


class WriterLock:
    """A store's right to write to `folder`, taken at the first write and kept until `release`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self._held: _Held | None = None

    def __repr__(self) -> str:
        return f"<WriterLock {self.folder} {'free' if self._held is None else 'held'}>"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold off the other writers of this process for a while; raises StoreLockedError when another process writes."""
        if self._held is None or self._held.process != os.getpid():
            self._held = _take(self.folder)
        with self._held.turn:
            yield

    def release(self) -> None:
        """Let other processes write, unless another store of this process still does."""
        held, self._held = self._held, None
        if held is not None and held.process == os.getpid():
            _give_back(self.folder, held)


class _Held:
    """The lock as this process holds it; a forked child does not, though it inherits the handle."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.process = os.getpid()
        self.users = 0
        self.turn = RLock()


def _take(folder: Path) -> _Held:
    with _changing:
        held = _held.get(folder)
        if held is None or held.process != os.getpid():
            held = _held[folder] = _Held(_locked(folder))
        held.users += 1
        return held


def _give_back(folder: Path, held: _Held) -> None:
    with _changing:
        held.users -= 1
        if held.users == 0:
            del _held[folder]
            os.ftruncate(held.handle, 0)
            os.close(held.handle)


def _locked(folder: Path) -> int:
    try:
        make_folder(folder)
        handle = os.open(folder / _FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as problem:
        msg = f"{folder} cannot be written to ({problem.strerror}); reading it is possible"
        raise StoreReadOnlyError(msg) from problem
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
        os.close(handle)
        msg = f"process {owner} is writing to {folder}, and one process writes a folder: stop it, or write to another folder"
        raise StoreLockedError(msg) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
    return handle
