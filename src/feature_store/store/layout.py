"""How rows stand in files: rows of a bucket and computed columns, to and from Parquet's columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from feature_store.bars import COLUMNS, OPTIONAL_COLUMNS
from feature_store.calendar import Calendar
from feature_store.store.history import History
from feature_store.store.protocol import FeatureBlock
from feature_store.store.rows import Rows

if TYPE_CHECKING:
    from feature_store.bars import Integers, Symbol
    from feature_store.store.rows import Facts

HOLIDAY = 1
"""In `flags`: the bar opened on a day that the calendar calls closed."""
DELETED = 2
"""In `flags`: from `known_at` on there is no bar of this time."""

_VALUES = (*COLUMNS, *OPTIONAL_COLUMNS)
_TIME = pl.Datetime("us", "UTC")
_ORDER = ("time", "known_at", "sequence")

HISTORY_COLUMNS = (*_ORDER, *_VALUES)
BAR_SCHEMA = pl.Schema(
    {
        **dict.fromkeys(("time", "available_at", "known_at"), _TIME),
        "assumed": pl.Boolean(),
        "revision": pl.Int32(),
        "sequence": pl.Int64(),
        **dict.fromkeys(_VALUES, pl.Float64()),
        "source": pl.String(),
        "flags": pl.Int32(),
    }
)


def folder_of(symbol: Symbol, bucket: str) -> str:
    """Return a partition's folder inside its table."""
    return f"symbol={symbol.key}/bucket={bucket}"


# ---------------------------------------------------------------- bars
def bar_file(symbol: Symbol, parts: list[Rows]) -> tuple[Facts, pl.DataFrame]:
    """Return consecutive rows of a bucket as one file's, and what to say of them in its name.

    A column without any value is left out.
    """
    whole = Rows.together(parts)
    sources = np.repeat([rows.arrivals.source for rows in parts], [len(rows) for rows in parts])
    frame = _bar_frame(symbol, whole).with_columns(pl.Series("source", sources, pl.String))
    return whole.facts, frame if len(parts) == 1 else frame.sort(_ORDER)


def joined(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of files, of bars or of features, as one file's, in order of time."""
    if len(frames) == 1:
        return frames[0]
    every = pl.concat(frames, how="diagonal")
    bars = "known_at" in every.columns
    names = [name for name in BAR_SCHEMA if name in every.columns] if bars else every.columns
    return every.select(names).sort([name for name in _ORDER if name in names])


def _bar_frame(symbol: Symbol, rows: Rows) -> pl.DataFrame:
    arrivals = rows.arrivals
    values = {name: arrivals.columns[name] for name in _VALUES if name in arrivals.columns}
    values = {name: column for name, column in values.items() if name in COLUMNS or not np.isnan(column).all()}
    holiday = np.where(Calendar.of(symbol).is_open(arrivals.time), 0, HOLIDAY)
    deleted = np.where(np.isnan(arrivals.columns["close"]), DELETED, 0)
    return pl.DataFrame(
        {
            **_times(time=arrivals.time, available_at=arrivals.available_at, known_at=arrivals.known_at),
            "assumed": arrivals.assumed,
            "revision": rows.revision.astype(np.int32),
            "sequence": rows.sequence,
            **{name: pl.Series(name, column, pl.Float64).fill_nan(None) for name, column in values.items()},
            "source": pl.repeat(arrivals.source, len(arrivals), eager=True),
            "flags": (holiday | deleted).astype(np.int32),
        }
    )


def history_of(rows: pl.DataFrame) -> History:
    """Return the history of a file of bars."""
    return History(
        rows["time"].to_numpy().view(np.int64),
        rows["known_at"].to_numpy().view(np.int64),
        rows["sequence"].to_numpy(),
        {name: rows[name].to_numpy() for name in _VALUES if name in rows.columns},
    )


# ---------------------------------------------------------------- features
def feature_rows(block: FeatureBlock, rows: Integers | slice, sequence: int) -> pl.DataFrame:
    """Return some rows of computed columns as a file's rows, numbered from `sequence`; NaN stays NaN, bit for bit."""
    time = block.time[rows]
    return pl.DataFrame(
        {
            **_times(time=time, available_at=block.available_at[rows]),
            "sequence": np.arange(sequence, sequence + len(time), dtype=np.int64),
            **{name: pl.Series(name, column[rows], pl.Float64) for name, column in block.columns.items()},
        }
    )


def feature_block(rows: pl.DataFrame) -> FeatureBlock:
    """Return the computed columns of a file."""
    names = [name for name in rows.columns if name not in {"time", "available_at", "sequence"}]
    return FeatureBlock(
        rows["time"].to_numpy().view(np.int64),
        rows["available_at"].to_numpy().view(np.int64),
        {name: rows[name].to_numpy() for name in names},
    )


def _times(**moments: Integers) -> dict[str, pl.Series]:
    return {name: pl.Series(name, values, pl.Int64).cast(_TIME) for name, values in moments.items()}
