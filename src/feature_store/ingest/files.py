"""A file of bars as one table, for callers that hold it whole; `open_source` hands over batches and all that a file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from feature_store.ingest.frames import Table
from feature_store.ingest.source import open_source

if TYPE_CHECKING:
    from pathlib import Path

    from feature_store.ingest.readers.reader import Source


def read_file(path: str | Path, *, format: str | None = None) -> Table:  # noqa: A002  the field's word
    """Return the rows of a file of bars; raises UnsupportedFileError for one that holds ticks, a broken line, or nothing."""
    source = open_source(path, format=format)
    if source.kind != "bars":
        source.member.refuse(None, "expected bars, found ticks")
    tables = list(source.tables())
    for table in tables:
        for line in table.broken[:1]:
            source.member.refuse(line.row, line.reason)
    return _joined(source, tables)


def _joined(source: Source, tables: list[Table]) -> Table:
    if not tables:
        source.member.refuse(None, "expected rows, found none")
    rows = pl.concat([table.rows for table in tables])
    numbers = np.concatenate([table.numbers for table in tables])
    return Table(rows, numbers, tables[0].names, tables[0].timezone, price_divisor=source.price_divisor)
