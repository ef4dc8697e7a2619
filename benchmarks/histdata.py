"""Files as HistData sells them, made from a seed: ticks and M1 bars in New York's time, no header."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.fx import opens, prices

if TYPE_CHECKING:
    from pathlib import Path

MINUTE = 60_000_000
TICKS_A_MINUTE = 60
FIRST_YEAR = 2014


def minutes(folder: Path, rows: int) -> Path:
    """Write so many M1 bars, `YYYYMMDD HHMMSS;O;H;L;C;V`, and return the file."""
    time = opens("1m", (FIRST_YEAR, 2025))[:rows]
    file = folder / "DAT_ASCII_EURUSD_M1_2014.csv"
    columns = {"time": _written(time, "%Y%m%d %H%M%S"), **_texts({**prices(rows), "tick_volume": np.zeros(rows)})}
    columns["tick_volume"] = columns["tick_volume"].str.head(1)  # HistData knows no volume: 0
    return _write(file, columns, ";")


def ticks(folder: Path, rows: int) -> Path:
    """Write so many ticks, sixty a minute, `YYYYMMDD HHMMSSmmm,bid,ask,0`, and return the file."""
    random = np.random.default_rng(7)
    every = opens("1m", (FIRST_YEAR, 2016))[: -(-rows // TICKS_A_MINUTE)]
    within = np.sort(random.integers(0, 60_000, (len(every), TICKS_A_MINUTE)), axis=1) * 1_000
    time = (every[:, None] + within).ravel()[:rows]
    bid = np.round(1.1 * np.exp(np.cumsum(random.normal(0, 3e-6, rows))), 5)
    columns = {"time": _written(time, "%Y%m%d %H%M%S%3f"), **_texts({"bid": bid, "ask": bid + _spread(random, rows)})}
    columns["volume"] = columns["bid"].str.head(0) + "0"
    return _write(folder / "DAT_ASCII_EURUSD_T_201401.csv", columns, ",")


def _spread(random: np.random.Generator, rows: int) -> np.ndarray:
    return random.integers(1, 20, rows) * 1e-5


def _written(time: np.ndarray, form: str):
    import polars as pl

    moments = pl.Series(time).cast(pl.Datetime("us", "UTC"))
    return moments.dt.convert_time_zone("America/New_York").dt.strftime(form)


def _texts(columns: dict[str, np.ndarray]):
    """Return the numbers as text with six decimals, as HistData writes them."""
    import polars as pl

    frame = pl.DataFrame(columns).select(pl.all().round(5))
    return {name: _six(frame[name]) for name in frame.columns}


def _six(numbers):
    """Return numbers below ten as text with six decimals."""
    import polars as pl

    whole = (numbers * 1e6).round().cast(pl.Int64).cast(pl.String).str.zfill(7)
    return whole.str.head(1) + "." + whole.str.tail(6)


def _write(file: Path, columns, separator: str) -> Path:
    import polars as pl

    pl.DataFrame(columns).write_csv(file, include_header=False, separator=separator, quote_style="never")
    return file
