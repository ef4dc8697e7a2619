"""The files that a caller means by names, patterns and folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feature_store.errors import UnsupportedFileError
from feature_store.ingest.readers.member import members
from feature_store.ingest.source import READERS, open_sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_PATTERN = "*?["
_PROSE = (".txt", ".md")  # a note beside the data, unless it can be read as data


def files_of(paths: Iterable[str | Path]) -> list[Path]:
    """Return the files that are meant, each once: a folder means all in it and below that a reader knows, a pattern what fits.

    Raises UnsupportedFileError for a pattern that fits nothing, and for a folder without any such file.
    """
    found = (file for path in paths for file in _files(Path(path).expanduser()))
    return list(dict.fromkeys(found))


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return _refuse_none(path, [file for file in _below(path) if is_known(file)])
    if not path.exists() and any(sign in str(path) for sign in _PATTERN):
        fits = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
        return _refuse_none(path, [file for each in fits for file in _files(each)])
    return [path]


def is_known(path: Path) -> bool:
    """Return whether a reader knows the file; one that is broken is known if its name says what it is."""
    try:
        known = all(any(reader.knows(member) for reader in READERS.values()) for member in members(path))
        if known and path.suffix.lower() in _PROSE:
            open_sources(path)
    except UnsupportedFileError:
        return path.suffix.lower() not in _PROSE
    return known


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _refuse_none(path: Path, found: list[Path]) -> list[Path]:
    if not found:
        msg = f"{path}: expected files of bars or ticks, found none that any reader knows; see ingest --help for the formats"
        raise UnsupportedFileError(msg, field="bars")
    return found
