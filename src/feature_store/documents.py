"""Small documents that people write: TOML or JSON, by the file's name."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from feature_store import json_codec
from feature_store.errors import InvalidRequestError

MAX_BYTES = 64 * 1024


def read_document(file: Path | str) -> Any:
    """Return what a `.toml` or `.json` file holds; raises InvalidRequestError naming the file and what is wrong with it."""
    path = Path(file)
    readers = {".toml": _toml, ".json": json_codec.loads}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        msg = f"{path} is neither .toml nor .json by its name; call it by what it is"
        raise InvalidRequestError(msg, field="file")
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as problem:
        msg = f"{path} cannot be read ({problem.strerror})"
        raise InvalidRequestError(msg, field="file") from problem
    if len(content) > MAX_BYTES:
        msg = f"{path} has more than {MAX_BYTES // 1024} kB; a definition has its expressions and little else"
        raise InvalidRequestError(msg, field="file")
    try:
        return reader(content)
    except (ValueError, RecursionError) as problem:
        msg = f"{path} is not {path.suffix[1:].upper()}: {str(problem)[:200]}"
        raise InvalidRequestError(msg, field="file") from problem


def _toml(content: bytes) -> Any:
    return tomllib.loads(content.decode("utf-8"))
