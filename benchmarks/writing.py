"""What is written as it happens: one bar acknowledged on the disk, and features filled in over whole series.

1. A live bar: ours ingests one H1 bar after another into a series of 100,000; it is on the disk when `ingest` returns.
   Beside it in turn, a bar each: a row into SQLite as careful as ours (WAL, `synchronous=FULL`), the least that durability
   costs here; a row appended by `write_deltalake` and one by ArcticDB, neither of which waits for the disk.
2. Filling in: features of several pairs are computed and written, in processes held to one core and to two, in turn, each
   with a copy of the same folder.
"""

from __future__ import annotations

import sqlite3
import tempfile
from contextlib import ExitStack, closing
from pathlib import Path
from shutil import copytree
from statistics import median, quantiles
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

import feature_store as fs
from benchmarks.child import answer
from benchmarks.fx import PAIRS, opens, series
from benchmarks.joins import TEN
from benchmarks.market import PRICES, market
from benchmarks.measure import seconds
from benchmarks.throwaway import ARCTIC, PeerMissingError, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BARS, LIVE, PAIRS_FILLED = 100_000, 500, 8
TIMEFRAME = "1h"
ROUNDS = 3

Bar = dict[str, np.ndarray]


def rows(bars: int = BARS, live: int = LIVE) -> Iterator[str]:
    """Yield the tables as Markdown lines."""
    with tempfile.TemporaryDirectory() as folder:
        answer(fill, folder, bars)
        yield from _live(bars, live, answer(write_live, folder, bars, live))
        times = [(answer(backfill, folder, cores=1), answer(backfill, folder, cores=2)) for _ in range(ROUNDS)]
        yield from _filled(bars, times)


def fill(folder: str, bars: int) -> None:
    """Fill the store in a folder, and a file for ArcticDB with the first pair's bars."""
    time = _opens(bars)
    with fs.open(Path(folder, "store")) as store:
        for seed, pair in enumerate(PAIRS[:PAIRS_FILLED]):
            assert store.ingest(pair, TIMEFRAME, series(time, seed)).stored == bars
    np.savez(Path(folder, "bars.npz"), **series(time))


def _opens(bars: int) -> np.ndarray:
    return opens(TIMEFRAME, (2000, 2025))[:bars]


# ---------------------------------------------------------------- a live bar
def write_live(folder: str, bars: int, live: int) -> dict[str, Any]:
    """Return the seconds of each bar by way; and why ArcticDB is missing if it is."""
    whole = series(_opens(bars + live))
    news = [{name: column[place : place + 1] for name, column in whole.items()} for place in range(bars, bars + live)]
    found: dict[str, Any] = {"missing": ""}
    with ExitStack() as open_:
        held = open_.enter_context(fs.open(Path(folder, "store")))
        database = open_.enter_context(closing(_database(Path(folder, "rows.sqlite"))))
        ways: dict[str, Callable[[Bar], float]] = {
            "ours": lambda bar: seconds(lambda: _acknowledged(held, bar)),
            "SQLite": lambda bar: seconds(lambda: _inserted(database, bar)),
            "deltalake": lambda bar: seconds(lambda: _appended(f"{folder}/rows", bar)),
        }
        try:
            program = open_.enter_context(Program(ARCTIC))
            where = {"home": f"{folder}/arctic", "name": "live"}
            program.ask("fill", arrays=f"{folder}/bars.npz", **where)
            ways["ArcticDB"] = lambda _: float(program.ask("append", **where))
        except PeerMissingError as problem:
            found["missing"] = str(problem)
        took = [[way(bar) for way in ways.values()] for bar in news]
        found["times"] = dict(zip(ways, zip(*took, strict=True), strict=True))
        assert len(held.bars(PAIRS[0], TIMEFRAME)) == bars + live
    return found


def _acknowledged(store: fs.FeatureStore, bar: Bar) -> None:
    assert store.ingest(PAIRS[0], TIMEFRAME, bar).stored == 1


def _database(file: Path) -> sqlite3.Connection:
    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE bars (time INTEGER PRIMARY KEY, open, high, low, close, tick_volume)")
    return database


def _inserted(database: sqlite3.Connection, bar: Bar) -> None:
    row = (bar["time"].view(np.int64)[0].item(), *(bar[name][0].item() for name in PRICES))
    database.execute("INSERT INTO bars VALUES (?, ?, ?, ?, ?, ?)", row)


def _appended(table: str, bar: Bar) -> None:
    import polars as pl
    from deltalake import write_deltalake

    write_deltalake(table, pl.DataFrame(bar).to_arrow(), mode="append")


# ---------------------------------------------------------------- filling in
def backfill(folder: str) -> float:
    """Return how long the features of all pairs take to be computed and written, the store opened and closed for it."""
    fs.compute(market(100), TEN, as_="numpy")  # compiled loops are not what is asked about
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        home = copytree(Path(folder, "store"), Path(fresh, "store"))
        started = perf_counter()
        with fs.open(home) as store:
            for report in store.backfill(PAIRS[:PAIRS_FILLED], TIMEFRAME, TEN):
                assert report.written == report.rows
        return perf_counter() - started


# ---------------------------------------------------------------- words
def _live(bars: int, live: int, found: dict[str, Any]) -> Iterator[str]:
    yield f"### A live bar, on the disk when it is acknowledged: {live} H1 bars after {bars:,}"
    yield ""
    yield "| way | waits for the disk | median | p99 |"
    yield "|---|---|---:|---:|"
    for way, title, durable in (
        ("ours", "ours, `store.ingest` of one bar", "yes"),
        ("SQLite", "a row into SQLite, WAL, `synchronous=FULL`", "yes"),
        ("deltalake", "`write_deltalake`, append to a table of its own", "no"),
        ("ArcticDB", f"{ARCTIC}, append, LMDB", "no"),
    ):
        if way in found["times"]:
            times = found["times"][way]
            last = quantiles(times, n=100)[-1]
            yield f"| {title} | {durable} | **{median(times) * 1e3:.2f} ms** | {last * 1e3:.2f} ms |"
        else:
            yield f"| {found['missing']} | | | |"
    yield ""


def _filled(bars: int, times: list[tuple[float, float]]) -> Iterator[str]:
    one, two = (median(each[place] for each in times) for place in (0, 1))
    ratio = median(a / b for a, b in times)
    values = bars * PAIRS_FILLED * len(TEN)
    yield f"### Filling in {len(TEN)} features of {PAIRS_FILLED} pairs x {bars:,} H1 bars"
    yield ""
    yield f"Bars read, features computed and written to Delta tables, durable: {one:.2f} s on one core, {two:.2f} s on two"
    yield f"(**{ratio:.2f}** times as fast), {values / one:.1e} and {values / two:.1e} values/s."


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
