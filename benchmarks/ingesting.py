"""Files of millions of rows into a store on the disk, on one core, and what memory that takes as the file grows.

1. HistData files are made from a seed: ticks, and M1 bars, in New York's time as those that are sold.
2. Ours opens a new store, ingests the file and closes: the time zone is found, every row is checked, the bars are on the disk
   when it returns. A plain Polars script is the yardstick: it reads the text, knows the format and the time zone, checks
   nothing, makes ticks into M1 bars with the same columns, writes one Parquet file and syncs it.
3. Both must have the same bars. Memory is measured in processes of their own, with a file and one four times as long.
"""

from __future__ import annotations

import os
import tempfile
from functools import partial
from itertools import count
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import numpy as np

import feature_store as fs
from benchmarks import histdata
from benchmarks.child import answer
from benchmarks.joins import growth
from benchmarks.measure import seconds
from benchmarks.rounds import in_rounds
from feature_store.bars import PRICES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SYMBOL = "EUR/USD"
TICKS, MINUTES = 10_000_000, 3_600_000
KINDS = {"ticks": ("ticks to M1 bars", TICKS, 1_000_000), "minutes": ("M1 bars", MINUTES, 500_000)}
TIMES = 4
ROUNDS = 3


def rows(parts: int = 1) -> Iterator[str]:
    """Yield the tables as Markdown lines; of files that are `parts` times shorter."""
    found = {kind: _kind(kind, size // parts) for kind, (_, size, _) in KINDS.items()}
    yield "### Files of HistData's into a store on the disk, one core"
    yield ""
    yield "Ours is a new store opened, the file ingested (zone found, every row checked, bars durable) and closed. Polars is"
    yield "a script that knows the format and the zone, checks nothing, and writes the same bars into one synced Parquet file."
    yield ""
    yield "| file | rows | ours, rows/s | Polars script, rows/s | ours / Polars, time | goal, rows/s |"
    yield "|---|---:|---:|---:|---:|---:|"
    for kind, (title, _, goal) in KINDS.items():
        size, sides = found[kind]["rows"], found[kind]["sides"]
        (ours, _), (theirs, ratio) = sides["ours"], sides["Polars"]
        yield f"| {title} | {size:,} | **{size / ours:,.0f}** | {size / theirs:,.0f} | {ratio:.2f} | {goal:,} |"
    yield ""
    yield "### Memory of the same"
    yield ""
    yield "Most megabytes at a time beyond what the process took before."
    yield ""
    yield f"| file | way | a file of a {TIMES}th | the file | file on the disk |"
    yield "|---|---|---:|---:|---:|"
    for kind, (title, _, _) in KINDS.items():
        for way, (few, many) in found[kind]["memory"].items():
            yield f"| {title} | {way} | {few:.0f} | {many:.0f} | {found[kind]['megabytes']:.0f} MB |"


def _kind(kind: str, size: int) -> dict[str, Any]:
    """Return rows, seconds and memory of one kind of file."""
    with tempfile.TemporaryDirectory() as short, tempfile.TemporaryDirectory() as folder:
        few, many = answer(make, short, kind, size // TIMES), answer(make, folder, kind, size)
        spent = {way: [answer(memory, kind, file, way, cores=1) for file in (few, many)] for way in ("ours", "Polars")}
        megabytes = Path(many).stat().st_size / 1e6
        sides = answer(measure, folder, kind, many, cores=1)
        return {"rows": size, "memory": spent, "megabytes": megabytes, "sides": sides}


def make(folder: str, kind: str, size: int) -> str:
    """Make a file of a kind, and return its name."""
    return str(getattr(histdata, kind)(Path(folder), size))


def measure(folder: str, kind: str, file: str) -> dict[str, tuple[float, float]]:
    """Return the seconds of each way and ours over them; the way's bars must be the same."""
    fresh = (Path(folder, f"new-{number}") for number in count())
    _refuse_differences(_ours(next(fresh), file), _polars(next(fresh), kind, file))
    ways = {
        "ours": lambda: _timed(partial(_stored, next(fresh), file)),
        "Polars": lambda: _timed(partial(_scripted, next(fresh), kind, file)),
    }
    return {way: (each.seconds, each.ratio) for way, each in in_rounds(ways, ROUNDS).items()}


def memory(kind: str, file: str, way: str) -> float:
    """Return the megabytes that a way takes beyond what the process has."""
    with tempfile.TemporaryDirectory() as folder:
        small = str(getattr(histdata, kind)(Path(folder), 50_000))
        call = _stored if way == "ours" else partial(_scripted, kind=kind)
        call(Path(folder, "small"), file=small)  # libraries are not what is asked about
        _, grown = growth(lambda: call(Path(folder, "new"), file=file))
    return grown


# ---------------------------------------------------------------- the ways
def _timed(call: Callable[[], Path]) -> float:
    """Return how long a call takes; the folder that it gives is removed."""
    made: list[Path] = []
    took = seconds(lambda: made.append(call()))
    rmtree(made[0])
    return took


def _stored(home: Path, file: str) -> Path:
    with fs.open(home) as store:
        report = store.ingest(SYMBOL, "1m", file)
    assert not len(report.quarantined)
    return home


def _scripted(home: Path, kind: str, file: str) -> Path:
    """Make the file's bars and write them as one Parquet file that is on the disk at return."""
    home.mkdir()
    (_ticks_to_minutes if kind == "ticks" else _minutes)(file).write_parquet(home / "bars.parquet")
    with (home / "bars.parquet").open("rb") as written:
        os.fsync(written.fileno())
    return home


def _minutes(file: str) -> Any:
    import polars as pl

    schema = {"time": pl.String, **dict.fromkeys((*PRICES, "tick_volume"), pl.Float64)}
    read = pl.scan_csv(file, has_header=False, separator=";", schema=schema).drop("tick_volume")  # always 0, so unknown
    return read.with_columns(_utc("%Y%m%d %H%M%S")).collect()


def _ticks_to_minutes(file: str) -> Any:
    import polars as pl

    schema = {"time": pl.String, **dict.fromkeys(("bid", "ask", "volume"), pl.Float64)}
    read = pl.scan_csv(file, has_header=False, schema=schema)
    middle = ((pl.col("bid") + pl.col("ask")) / 2).alias("middle")
    quoted = read.select(
        _utc("%Y%m%d %H%M%S%3f"), "bid", "ask", middle, (pl.col("ask") - pl.col("bid")).alias("spread")
    )
    sides = [
        getattr(pl.col(side), how)().alias(name if side == "middle" else f"{side}_{name}")
        for side in ("middle", "bid", "ask")
        for name, how in (("open", "first"), ("high", "max"), ("low", "min"), ("close", "last"))
    ]
    minutes = quoted.group_by(pl.col("time").dt.truncate("1m"), maintain_order=True)
    return minutes.agg(*sides, pl.col("spread").last(), pl.len().alias("tick_volume")).collect()


def _utc(form: str) -> Any:
    import polars as pl

    local = pl.col("time").str.to_datetime(form, time_unit="us")
    return local.dt.replace_time_zone("America/New_York").dt.convert_time_zone("UTC")


# ---------------------------------------------------------------- the same bars
def _ours(home: Path, file: str) -> Any:
    with fs.open(_stored(home, file)) as store:
        return store.bars(SYMBOL, "1m", as_="polars")


def _polars(home: Path, kind: str, file: str) -> Any:
    import polars as pl

    return pl.read_parquet(_scripted(home, kind, file) / "bars.parquet")


def _refuse_differences(ours: Any, theirs: Any) -> None:
    """Raise where times, prices or, of ticks, the quotes and counts differ; the last minute of ticks may still be forming."""
    assert len(theirs) - 1 <= len(ours) <= len(theirs)
    theirs = theirs.head(len(ours))
    np.testing.assert_array_equal(ours["time"].to_numpy(), theirs["time"].to_numpy())
    for name in sorted(set(ours.columns) & set(theirs.columns) - {"time"}):
        mine, other = (frame[name].cast(float).fill_null(np.nan).to_numpy() for frame in (ours, theirs))
        np.testing.assert_allclose(mine, other, rtol=1e-12, err_msg=name)


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
