"""Text in columns as tables, a block of whole lines at a time, so that memory does not grow with the file.

1. Bytes are unpacked in pieces, made UTF-8, and cut after the last line end; the rest waits for the next piece.
2. A block is split into columns by polars, with one column more than a line should have. Where that one holds something, or
   the last proper one nothing, the line itself is looked at: a blank one is no row, one with the wrong number of values is
   broken and is handed over as such, with its number and its text.
3. A block with quotes or with bytes that are no UTF-8 is split line by line, to the same rows.
"""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from feature_store.ingest.frames import Table
from feature_store.ingest.report import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from feature_store.ingest.readers.member import Member

SHORTEST_LINE = 16
"""No row of a time and two prices is shorter, so a block of n times as many bytes holds at most n rows."""
_LONGEST_LINE = 2**20
_SHOWN = 200
_BEYOND = "\x00beyond"


@dataclass(frozen=True, slots=True)
class Form:
    """How a line is split.

    Args:
        columns: the columns' names in order, a line having one value for each.
        separator: what stands between values.
        header: how many lines come before the first row.
    """

    columns: tuple[str, ...]
    separator: str
    header: int = 0


def read_lines(member: Member, form: Form, names: Mapping[str, str], batch: int) -> Iterator[Table]:
    """Yield the rows of a text, at most `batch` of them in a table, every value as a string or null; one table at least."""
    table = None
    for number, block in _blocks(member, batch * SHORTEST_LINE):
        above = max(form.header - number + 1, 0)
        below = block.split(b"\n", above)[above:] if above else [block]
        table = _table(b"".join(below), number + above, form, names)
        yield table
    if table is None:
        yield _table(b"", 1, form, names)


def split(line: str, separator: str) -> list[str]:
    """Return a line's values, quotes taken off; raises csv.Error where a quote does not end."""
    if '"' not in line:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator, strict=True))


def _blocks(member: Member, size: int) -> Iterator[tuple[int, bytes]]:
    """Yield blocks of whole lines in UTF-8, each with the number of its first line."""
    number, left = 1, b""
    for piece in _pieces(member, size):
        block, end, left = (left + piece).rpartition(b"\n")
        if end:
            yield number, block + end
            number += block.count(b"\n") + 1
        if len(left) > _LONGEST_LINE:
            member.refuse(number, f"expected lines of text, found one of more than {_LONGEST_LINE:,} bytes")
    if left:
        yield number, left


def _pieces(member: Member, size: int) -> Iterator[bytes]:
    with member.stream() as stream:
        if member.encoding == "utf-8-sig":
            yield stream.read(size).removeprefix(codecs.BOM_UTF8)
            while piece := stream.read(size):
                yield piece
            return
        decoder = codecs.getincrementaldecoder(member.encoding)(errors="replace")
        while piece := stream.read(size):
            yield decoder.decode(piece).encode()
        yield decoder.decode(b"", final=True).encode()


def _table(block: bytes, number: int, form: Form, names: Mapping[str, str]) -> Table:
    rows = _split_at_once(block, form)
    if rows is None:
        return _split_by_line(block, number, form, names)
    numbers = np.arange(number, number + len(rows), dtype=np.int64)
    doubtful = (rows[_BEYOND].is_not_null() | rows[form.columns[-1]].is_null()).to_numpy()
    rows = rows.drop(_BEYOND)
    if not doubtful.any():
        return Table(rows, numbers, names)
    lines = block.split(b"\n")
    left_out, broken = np.zeros(len(rows), dtype=np.bool_), []
    for row in np.flatnonzero(doubtful).tolist():
        line = lines[row].decode()
        problem = _problem(split(line, form.separator), form)
        left_out[row] = problem is not None
        if problem:
            broken.append(_rejected(number + row, problem, line))
    return Table(rows.filter(~left_out), numbers[~left_out], names, broken=tuple(broken))


def _split_at_once(block: bytes, form: Form) -> pl.DataFrame | None:
    """Return a row for each line, or None where only a look at every line can tell."""
    if b'"' in block:
        return None
    header = form.separator.join(str(place) for place in range(len(form.columns) + 1)).encode()
    try:
        rows = pl.read_csv(
            header + b"\n" + block,
            separator=form.separator,
            infer_schema=False,
            quote_char=None,
            truncate_ragged_lines=True,
        )
    except pl.exceptions.PolarsError:  # bytes that are no UTF-8; found again line by line
        return None
    lines = block.count(b"\n") + (not block.endswith(b"\n"))
    rows.columns = [*form.columns, _BEYOND]
    return rows if len(rows) == lines else None


def _split_by_line(block: bytes, number: int, form: Form, names: Mapping[str, str]) -> Table:
    numbers, kept, broken = [], [], []
    for row, line in enumerate(block.removesuffix(b"\n").split(b"\n"), number):
        values, problem = _values(line, form)
        if problem is None:
            numbers.append(row)
            kept.append([value or None for value in values[: len(form.columns)]])
        elif problem:
            broken.append(_rejected(row, problem, line.decode(errors="replace")))
    rows = pl.DataFrame(kept, schema=dict.fromkeys(form.columns, pl.String), orient="row")
    return Table(rows, np.array(numbers, dtype=np.int64), names, broken=tuple(broken))


def _values(line: bytes, form: Form) -> tuple[list[str], str | None]:
    try:
        values = split(line.decode().rstrip("\r"), form.separator)
    except UnicodeDecodeError as problem:
        return [], f"expected text in UTF-8, found the byte 0x{line[problem.start]:02x}"
    except csv.Error as problem:
        return [], f"expected values between {form.separator!r} ({problem})"
    return values, _problem(values, form)


def _problem(values: list[str], form: Form) -> str | None:
    """Return what is wrong with a line: nothing, that it is blank (an empty text), or its number of values."""
    if not any(value.strip() for value in values):
        return ""
    found = len(values) - (len(values) == len(form.columns) + 1 and not values[-1].strip())
    return None if found == len(form.columns) else f"expected {len(form.columns)} values, found {found}"


def _rejected(number: int, reason: str, line: str) -> Rejected:
    return Rejected(number, reason, {"line": line.rstrip("\r")[:_SHOWN]})
