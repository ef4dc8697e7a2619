"""Files whose columns have names: any CSV with a header, and Parquet."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from feature_store.errors import InvalidRequestError
from feature_store.ingest.frames import Table
from feature_store.ingest.readers import naming
from feature_store.ingest.readers.lines import Form, read_lines, split
from feature_store.ingest.readers.points import price_divisor
from feature_store.ingest.readers.reader import Source
from feature_store.ingest.spelling import (
    EXPECTED,
    EXPECTED_OF_TICKS,
    are_ticks,
    canonical_names,
    lacking,
    says_utc,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from feature_store.bars import Symbol
    from feature_store.ingest.readers.member import Member

SAMPLE = 4096
"""How many rows are looked at to tell whether prices are in points."""


class CsvReader:
    """Text with a header line; commas, semicolons, tabs or bars between values; UTF-8 or UTF-16."""

    format = "csv"

    def knows(self, member: Member) -> bool:
        """Return whether the name says text in columns."""
        return member.name.lower().endswith((".csv", ".txt", ".tsv"))

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return what the header and the name say."""
        form = header_form(member)
        names = meanings(member, form.columns, 1)
        return described(self.format, member, names, partial(read_lines, member, form, names), symbol)


class ParquetReader:
    """Parquet files with named columns; a row's number counts from 1."""

    format = "parquet"

    def knows(self, member: Member) -> bool:
        """Return whether the name or the file's first bytes say Parquet."""
        return member.head.startswith(b"PAR1") or member.name.lower().endswith((".parquet", ".pq"))

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return what the columns' names and the file's say."""
        parquet = _Parquet(member)
        names = meanings(member, parquet.columns(), None)
        return described(self.format, member, names, partial(parquet.read, names), symbol)


@dataclass(frozen=True, slots=True)
class _Parquet:
    member: Member

    def columns(self) -> list[str]:
        return self._collect(self._lazy().head(0)).columns

    def read(self, names: Mapping[str, str], batch: int) -> Iterator[Table]:
        lazy = self._lazy()
        rows = int(self._collect(lazy.select(pl.len())).item())
        for start in range(0, max(rows, 1), batch):
            table = self._collect(lazy.slice(start, batch))
            yield Table(table, np.arange(start + 1, start + 1 + len(table), dtype=np.int64), names)

    def _lazy(self) -> pl.LazyFrame:
        if self.member.is_packed:
            return pl.scan_parquet(io.BytesIO(self.member.content()))
        with self.member.stream():  # what cannot be opened is refused in our words
            return pl.scan_parquet(self.member.path, glob=False)

    def _collect(self, lazy: pl.LazyFrame) -> pl.DataFrame:
        try:
            return lazy.collect()
        except (pl.exceptions.PolarsError, OSError) as problem:
            self.member.refuse(None, f"expected a Parquet file ({str(problem).split(chr(10), 1)[0]})")


def header_form(member: Member) -> Form:
    """Return how the lines below a header are split; raises UnsupportedFileError where the first line is none."""
    header = member.lines[0].strip() if member.lines else ""
    if not header:
        member.refuse(1, f"expected a header with {EXPECTED}, or {EXPECTED_OF_TICKS}; found nothing")
    separator = max(",;\t|", key=header.count)
    try:
        columns = [column.strip() for column in split(header, separator)]
    except csv.Error as problem:
        member.refuse(1, f"expected a header with names between {separator!r} ({problem})")
    columns = columns[:-1] if len(columns) > 1 and not columns[-1] else columns  # a separator at the end of each line
    return Form(tuple(columns), separator, header=1)


def meanings(member: Member, columns: Iterable[str], line: int | None) -> dict[str, str]:
    """Return the name here -> the source's name; raises UnsupportedFileError for what are neither bars nor ticks."""
    columns = list(columns)
    try:
        names = canonical_names(columns)
    except InvalidRequestError as problem:
        member.refuse(line, str(problem))
    absent = lacking(names)
    if absent and not are_ticks(names):
        found = ", ".join(columns)
        member.refuse(
            line,
            f"expected a header with {EXPECTED}, or {EXPECTED_OF_TICKS}; "
            f"no column means {', '.join(absent)} among {found:.200}",
        )
    again = next((column for place, column in enumerate(columns) if column in columns[:place]), None)
    if again is not None:
        member.refuse(line, f"expected a header that names each column once, found {again!r} twice")
    return names


def described(
    format_: str,
    member: Member,
    names: Mapping[str, str],
    read: Callable[[int], Iterator[Table]],
    symbol: Symbol | None,
) -> Source:
    """Return a source of rows with these columns: what the file's name says, and whether its prices are in points."""
    named = naming.symbol_in(member.names)
    ticks = are_ticks(names)
    return Source(
        member,
        format_,
        "ticks" if ticks else "bars",
        read,
        symbol=named,
        timeframe=None if ticks else naming.timeframe_in(member.names),
        side=None if ticks else naming.side_in(member.names[:2]),
        timezone="UTC" if says_utc(names["time"]) else None,
        price_divisor=price_divisor(next(read(SAMPLE)), symbol or named),
    )
