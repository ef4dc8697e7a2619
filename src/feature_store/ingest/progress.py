"""How far an import has come, in bytes of its files: what a row stands at is told from how long the first lines are."""

from __future__ import annotations

import zipfile
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from feature_store.ingest.readers.member import Member

    Tell = Callable[[Path, int], None]

_LENGTH_BYTES = 4  # a gzip file ends in the length of what it holds


class Progress:
    """Tells how many bytes of each file have been read.

    Args:
        members: all there is to read.
        tell: is told a file, and how many more of its bytes on the disk were read.
    """

    def __init__(self, members: list[Member], tell: Tell) -> None:
        self._tell = tell
        self._sizes = {member: unpacked_size(member) for member in members}
        self._whole: defaultdict[Path, int] = defaultdict(int)
        for member, size in self._sizes.items():
            self._whole[member.path] += size
        self._told: defaultdict[Member, int] = defaultdict(int)

    def read(self, member: Member, rows: int, share: float = 1.0) -> None:
        """Say that so many rows of a data file have been read, and what share of the reading that is."""
        lines = member.head.count(b"\n")
        line = len(member.head) / lines if lines else 0.0
        self._reach(member, share * min(1.0, rows * line / max(1, self._sizes[member])))

    def done(self, member: Member) -> None:
        """Say that a data file has been read."""
        self._reach(member, 1.0)

    def _reach(self, member: Member, share: float) -> None:
        on_disk = member.path.stat().st_size * self._sizes[member] / max(1, self._whole[member.path])
        bytes_read = int(share * on_disk)
        if bytes_read > self._told[member]:
            self._tell(member.path, bytes_read - self._told[member])
            self._told[member] = bytes_read


def unpacked_size(member: Member) -> int:
    """Return how many bytes a data file has, as far as its package says; those of the package where it does not."""
    size = member.path.stat().st_size
    if member.inside is not None:
        with suppress(zipfile.BadZipFile, KeyError), zipfile.ZipFile(member.path) as package:
            return package.getinfo(member.inside).file_size
    elif member.is_packed and size > _LENGTH_BYTES:
        with member.path.open("rb") as stream:
            stream.seek(-_LENGTH_BYTES, 2)
            return max(size, int.from_bytes(stream.read(_LENGTH_BYTES), "little"))
    return size
