"""Files of bars. One reader a format; each knows its own from the file's name and first bytes.

A reader turns a file's bytes into a `Table` whose row numbers are the file's line numbers, and raises
UnsupportedFileError naming the file, the line and what was expected. To add a format, write a reader with those three
members and add it to `READERS`.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from pathlib import Path
from typing import NoReturn, Protocol

import numpy as np
import polars as pl

from feature_store.errors import InvalidRequestError, UnsupportedFileError
from feature_store.ingest.frames import Table
from feature_store.ingest.spelling import EXPECTED, canonical_names, lacking


class Reader(Protocol):
    """Reads the files of one format."""

    format: str

    def knows(self, name: str, content: bytes) -> bool:
        """Return whether a file of this name, `.gz` taken off, and with these bytes is of the format."""

    def read(self, path: Path, content: bytes) -> Table:
        """Return the file's rows."""


def read_file(path: str | Path, *, format: str | None = None) -> Table:  # noqa: A002, RET503  the field's word; _refuse raises
    """Return the rows of a file of bars; a compressed one (`.gz`) is unpacked.

    Args:
        path: a `.csv`, `.txt`, `.tsv` or `.parquet` file with columns in any common spelling.
        format: which reader to use; None asks the file.

    Raises UnsupportedFileError when the file is absent or cannot be read as bars, and InvalidRequestError for a format
    that nobody reads.
    """
    path = Path(path)
    content = _content(path)
    name = path.name.lower().removesuffix(".gz")
    if format is not None:
        if format not in READERS:
            msg = f"format must be one of {', '.join(READERS)}, was {format!r}"
            raise InvalidRequestError(msg, field="format")
        return READERS[format].read(path, content)
    for reader in READERS.values():
        if reader.knows(name, content):
            return reader.read(path, content)
    _refuse(path, None, f"the name does not tell what it is; expected one of {', '.join(READERS)}, or name the format")


class ParquetReader:
    """Parquet files with named columns; a row's number counts from 1."""

    format = "parquet"

    def knows(self, name: str, content: bytes) -> bool:
        """Return whether the name or the file's first bytes say Parquet."""
        return name.endswith((".parquet", ".pq")) or content.startswith(b"PAR1")

    def read(self, path: Path, content: bytes) -> Table:
        """Return the file's rows."""
        try:
            rows = pl.read_parquet(io.BytesIO(content))
        except (pl.exceptions.PolarsError, OSError) as problem:
            _refuse(path, None, f"expected a Parquet file ({_first_line(problem)})")
        return _table(path, rows, None, np.arange(1, len(rows) + 1, dtype=np.int64))


class CsvReader:
    """Text with a header line; commas, semicolons, tabs or bars between values; UTF-8 or UTF-16."""

    format = "csv"

    def knows(self, name: str, content: bytes) -> bool:  # noqa: ARG002  what other readers ask
        """Return whether the name says text in columns."""
        return name.endswith((".csv", ".txt", ".tsv"))

    def read(self, path: Path, content: bytes) -> Table:
        """Return the file's rows; a line without any value is none."""
        text = _text(path, content)
        header = text[: text.find("\n") if "\n" in text else None].strip()
        if not header:
            _refuse(path, 1, f"expected a header with {EXPECTED}, found nothing")
        separator = max(",;\t|", key=header.count)
        try:
            rows = pl.read_csv(io.BytesIO(text.encode()), separator=separator, infer_schema=False)
        except pl.exceptions.PolarsError as problem:
            _refuse(path, *_bad_line(text, separator, problem))
        blank = rows.select(pl.all_horizontal(pl.all().is_null())).to_series()
        numbers = np.flatnonzero(~blank.to_numpy()) + 2
        return _table(path, rows.filter(~blank), 1, numbers)


READERS: dict[str, Reader] = {reader.format: reader for reader in (ParquetReader(), CsvReader())}


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix.lower() == ".gz" else content
    except FileNotFoundError:
        _refuse(path, None, "there is no such file")
    except (gzip.BadGzipFile, EOFError, zlib.error) as problem:
        _refuse(path, None, f"expected a whole gzip file ({problem})")
    except OSError as problem:
        _refuse(path, None, f"it cannot be opened ({problem.strerror})")


def _text(path: Path, content: bytes) -> str:
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as problem:
        line = content[: problem.start].count(b"\n") + 1
        _refuse(path, line, f"expected text in UTF-8 or UTF-16, found the byte 0x{content[problem.start]:02x}")


def _table(
    path: Path, rows: pl.DataFrame, line: int | None, numbers: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Table:
    try:
        names = canonical_names(rows.columns)
    except InvalidRequestError as problem:
        _refuse(path, line, str(problem))
    absent = lacking(names)
    if absent:
        found = ", ".join(rows.columns)
        _refuse(
            path, line, f"expected a header with {EXPECTED}; no column means {', '.join(absent)} among {found:.200}"
        )
    return Table(rows, numbers, names)


def _bad_line(text: str, separator: str, problem: Exception) -> tuple[int | None, str]:
    """Return the line that broke the reader, and what was expected of it."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        expected = len(next(reader))
        for values in reader:
            if len(values) > expected:
                return reader.line_num, f"expected {expected} values as in the header, found {len(values)}"
    except csv.Error as broken:
        return reader.line_num, f"expected values between {separator!r} ({broken})"
    return None, f"expected values between {separator!r} ({_first_line(problem)})"


def _first_line(problem: Exception) -> str:
    return str(problem).split("\n", 1)[0]


def _refuse(path: Path, line: int | None, what: str) -> NoReturn:
    where = f"{path}" if line is None else f"{path}, line {line}"
    msg = f"{where}: {what}"
    raise UnsupportedFileError(msg, field="bars")
