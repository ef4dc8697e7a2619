"""What a file on the disk holds: itself, what is under its `.gz`, or each data file in its `.zip`, as streams of bytes."""

from __future__ import annotations

import codecs
import gzip
import lzma
import zipfile
import zlib
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, NoReturn, cast

from feature_store.errors import UnsupportedFileError

if TYPE_CHECKING:
    import re
    from collections.abc import Iterator

HEAD_BYTES = 2**16
_LINES_LOOKED_AT = 5  # the first may be cut or broken
LARGEST_WHOLE = 2**30
"""What is read whole (JSON, LZMA) may unpack to this many bytes; more is taken for a decompression bomb."""
_COMPANIONS = frozenset({".txt", ".md", ".html", ".pdf"})  # reports that lie beside the data in a zip
_BROKEN_PACKAGE = (gzip.BadGzipFile, zipfile.BadZipFile, EOFError, zlib.error, lzma.LZMAError)


@dataclass(frozen=True, eq=False)
class Member:
    """One data file, unpacked.

    Args:
        path: the file on the disk.
        inside: its name in a zip, or None.
    """

    path: Path
    inside: str | None = None

    def __repr__(self) -> str:
        return f"<Member {self}>"

    def __str__(self) -> str:
        return str(self.path) if self.inside is None else f"{self.path} ({self.inside})"

    @property
    def name(self) -> str:
        """The data file's own name, `.gz` taken off."""
        if self.inside is not None:
            return PurePosixPath(self.inside).name
        return self.path.name[:-3] if self.path.suffix.lower() == ".gz" else self.path.name

    @property
    def is_packed(self) -> bool:
        """Whether its bytes are not those of the file on the disk."""
        return self.inside is not None or self.path.suffix.lower() == ".gz"

    @property
    def place(self) -> str:
        """The folders and names on the way to it, between slashes."""
        return "/".join((*self._outside(), *(self.inside or self.path.name).split("/")))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that may say what it is, the nearest first: its own, the package's, the folders' from the inside out."""
        folders = [*(() if self.inside is None else PurePosixPath(self.inside).parts[:-1]), *self._outside()]
        own = (self.name,) if self.inside is None else (self.name, self.path.name)
        return (*own, *reversed(folders))

    @cached_property
    def head(self) -> bytes:
        """The first 64 KiB."""
        with self.stream() as stream:
            return stream.read(HEAD_BYTES)

    @cached_property
    def encoding(self) -> str:
        """How its text is encoded, as far as the first bytes tell."""
        if self.head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        if len(self.head) > 1 and self.head[0] and not self.head[1]:
            return "utf-16-le"
        return "utf-8-sig"

    @cached_property
    def lines(self) -> list[str]:
        """The first lines as far as they are whole, without their ends; none if this is no text."""
        text = self.head.decode(self.encoding, errors="replace")
        if "\0" in text:
            return []
        lines = text.split("\n")
        return [line.rstrip("\r") for line in (lines[:-1] if len(self.head) == HEAD_BYTES else lines)]

    @property
    def first_line(self) -> str:
        """The first line that says anything, or an empty one."""
        return next((line for line in self.lines if line.strip()), "")

    def says(self, pattern: re.Pattern[str]) -> bool:
        """Return whether any of the first lines is one of these, from its beginning to its end."""
        return any(pattern.fullmatch(line.strip(" ")) for line in self.lines[:_LINES_LOOKED_AT])

    def expect(self, pattern: re.Pattern[str], example: str) -> None:
        """Raise UnsupportedFileError unless one of the lines at hand is one of these."""
        if not any(pattern.fullmatch(line.strip(" ")) for line in self.lines):
            self.refuse(1, f"expected lines such as {example}, found {self.first_line or 'nothing':.80}")

    @contextmanager
    def stream(self) -> Iterator[BinaryIO]:
        """Open its bytes; raises UnsupportedFileError for what is absent, unreadable or broken."""
        with ExitStack() as stack, _refusing(self):
            yield stack.enter_context(self._opened(stack))

    def content(self) -> bytes:
        """Return all its bytes; raises UnsupportedFileError when they are more than 1 GiB."""
        with self.stream() as stream:
            content = stream.read(LARGEST_WHOLE + 1)
        if len(content) > LARGEST_WHOLE:
            self.refuse(None, f"expected at most {LARGEST_WHOLE:,} bytes once unpacked, found more")
        return content

    def refuse(self, line: int | None, what: str) -> NoReturn:
        """Raise UnsupportedFileError that names the file and the line, if it is one."""
        where = f"{self}" if line is None else f"{self}, line {line}"
        msg = f"{where}: {what}"
        raise UnsupportedFileError(msg, field="bars")

    def _outside(self) -> tuple[str, ...]:
        return self.path.parent.parts[-6:]

    def _opened(self, stack: ExitStack) -> BinaryIO:
        if self.inside is not None:
            return cast("BinaryIO", stack.enter_context(zipfile.ZipFile(self.path)).open(self.inside))
        if self.path.suffix.lower() == ".gz":
            return cast("BinaryIO", gzip.open(self.path))
        return self.path.open("rb")


def members(path: Path) -> tuple[Member, ...]:
    """Return the data files in `path`, in the order of their names: several only for a zip that holds several.

    Reports (`.txt`, `.md`, `.html`, `.pdf`) beside data are passed over. Raises UnsupportedFileError when it is absent, no
    zip although its name says so, or holds nothing.
    """
    whole = Member(path)
    if path.suffix.lower() != ".zip":
        return (whole,)
    with _refusing(whole), zipfile.ZipFile(path) as package:
        inside = sorted(
            each.filename for each in package.infolist() if not each.is_dir() and not _is_hidden(each.filename)
        )
    data = [name for name in inside if PurePosixPath(name).suffix.lower() not in _COMPANIONS]
    found = data or [name for name in inside if name.lower().endswith(".txt")]
    if not found:
        whole.refuse(None, "expected a zip with data in it, found none")
    return tuple(Member(path, name) for name in found)


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__")) for part in PurePosixPath(name).parts)


@contextmanager
def _refusing(member: Member) -> Iterator[None]:
    """Raise UnsupportedFileError instead of what the libraries that open and unpack files raise."""
    zipped = member.path.suffix.lower() == ".zip"
    try:
        yield
    except FileNotFoundError:
        member.refuse(None, "there is no such file")
    except _BROKEN_PACKAGE as problem:
        member.refuse(None, f"expected a whole {'zip' if zipped else 'gzip'} file ({problem})")
    except (RuntimeError, NotImplementedError) as problem:  # zipfile's words for passwords and unknown compression
        if not zipped:
            raise
        member.refuse(None, f"expected a zip without a password, deflated or stored ({problem})")
    except OSError as problem:
        member.refuse(None, f"it cannot be opened ({problem.strerror or problem})")
