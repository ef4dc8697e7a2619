"""How rows lie in files: which bucket a time belongs to, what a file's name tells, and rows to and from Parquet's columns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from feature_store.bars import COLUMNS, OPTIONAL_COLUMNS, Timeframe
from feature_store.calendar import Calendar
from feature_store.store.history import History
from feature_store.store.protocol import FeatureBlock

if TYPE_CHECKING:
    from feature_store.bars import Integers, Symbol
    from feature_store.store.history import Additions
    from feature_store.store.protocol import Arrivals

HOLIDAY = 1  # in `flags`: the bar opened on a day that the calendar calls closed

_BY_YEAR_BELOW = Timeframe.parse("5m")
_VALUES = (*COLUMNS, *OPTIONAL_COLUMNS)
_TIME = pl.Datetime("us", "UTC")

HISTORY_COLUMNS = ("time", "known_at", *_VALUES)
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


@dataclass(frozen=True, slots=True)
class Facts:
    """What the name of a file of bars tells; times in UTC microseconds.

    Args:
        sequence: the number of its first row among the arrivals of its partition.
        rows: how many it has.
        bars: how many of them are not corrections of earlier ones.
        first: the earliest bar open.
        last: the latest bar open.
        latest_known_at: the latest `known_at`.
    """

    sequence: int
    rows: int
    bars: int
    first: int
    last: int
    latest_known_at: int

    @property
    def stem(self) -> str:
        """The facts as a file's name begins."""
        return "_".join(map(str, (self.sequence, self.rows, self.bars, self.first, self.last, self.latest_known_at)))

    @classmethod
    def of(cls, file: str) -> Facts:
        """Return the facts of a file."""
        return _facts(file)


@lru_cache(maxsize=65_536)
def _facts(file: str) -> Facts:
    return Facts(*map(int, file.rpartition("/")[2].rpartition("-")[0].split("_")))


def buckets(timeframe: Timeframe, time: Integers) -> list[tuple[str, Integers | slice]]:
    """Return the buckets of `time` with the rows in each: years below five minutes, else one."""
    if timeframe >= _BY_YEAR_BELOW:
        return [("all", slice(None))] if len(time) else []
    years = time.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
    return [(str(year), np.flatnonzero(years == year)) for year in np.unique(years)]


def folder_of(symbol: Symbol, bucket: str) -> str:
    """Return a partition's folder inside its table."""
    return f"symbol={symbol.key}/bucket={bucket}"


# ---------------------------------------------------------------- bars
def bar_rows(symbol: Symbol, arrivals: Arrivals, new: Additions) -> tuple[Facts, pl.DataFrame]:
    """Return the new ones among the arrivals as a file's rows, and what to say of them in its name.

    Rows stand in order of time, which is the order of their sequence; a column without any value is left out.
    """
    arrivals = arrivals.take(new.rows)
    opened = Calendar.of(symbol).is_open(arrivals.time)
    values = {name: arrivals.columns[name] for name in _VALUES if name in arrivals.columns}
    values = {name: column for name, column in values.items() if name in COLUMNS or not np.isnan(column).all()}
    rows = pl.DataFrame(
        {
            **_times(time=arrivals.time, available_at=arrivals.available_at, known_at=arrivals.known_at),
            "assumed": arrivals.assumed,
            "revision": new.revision,
            "sequence": new.sequence,
            **{name: pl.Series(name, column, pl.Float64).fill_nan(None) for name, column in values.items()},
            "source": pl.repeat(arrivals.source, len(arrivals), eager=True),
            "flags": np.where(opened, 0, HOLIDAY).astype(np.int32),
        }
    )
    facts = Facts(
        sequence=int(new.sequence[0]),
        rows=len(arrivals),
        bars=int((new.revision == 0).sum()),
        first=int(arrivals.time[0]),
        last=int(arrivals.time[-1]),
        latest_known_at=int(arrivals.known_at.max()),
    )
    return facts, rows


def history_of(file: str, rows: pl.DataFrame) -> History:
    """Return the history of a file of bars."""
    facts = Facts.of(file)
    return History(
        rows["time"].to_physical().to_numpy(),
        rows["known_at"].to_physical().to_numpy(),
        np.arange(facts.sequence, facts.sequence + facts.rows, dtype=np.int64),
        {name: rows[name].fill_null(np.nan).to_numpy() for name in _VALUES if name in rows.columns},
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
        rows["time"].to_physical().to_numpy(),
        rows["available_at"].to_physical().to_numpy(),
        {name: rows[name].to_numpy() for name in names},
    )


def _times(**moments: Integers) -> dict[str, pl.Series]:
    return {name: pl.Series(name, values, pl.Int64).cast(_TIME) for name, values in moments.items()}
