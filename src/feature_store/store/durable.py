"""Files that survive a power cut: written whole, and known to be on the disk before anyone is told so.

A file's bytes and its name are two things. `fsync` of the file keeps the bytes; only `fsync` of its folder keeps the name, and
a new folder has a name in its own parent.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def sync(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(path: Path) -> None:
    """Create a folder and its parents so that their names last."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that did not exist, its bytes and its name on the disk at return; what fails leaves no half file behind.

    Content that is there already, left by a writer that died before it said so, is taken as written.
    """
    make_folder(path.parent)
    if not (path.exists() and path.read_bytes() == content):
        try:
            with path.open("wb") as file:
                file.write(content)
        except OSError:
            path.unlink(missing_ok=True)
            raise
    sync(path)
    sync(path.parent)
