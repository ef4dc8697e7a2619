"""A month out of ten years, and a year of fifty indicators: the store beside a scan of its own Delta tables and ArcticDB.

1. A process fills a folder with ten years of M1 and of H1 bars of one symbol, one with a single year of M1, and ArcticDB's
   LMDB with the same bars.
2. Ours and the peers take turns at the same month, another one each round, and must agree about it: the rows, the sum of each
   column. Cold is a store opened, asked and closed, in a process that has asked others before; the files are in the system's
   memory. Warm is a store that has answered before. A scan has nothing that warms it but its open table.
3. A fresh process tells what its imports and its first question take.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

import feature_store as fs
from benchmarks import peers
from benchmarks.child import answer
from benchmarks.first_answer import first_answer
from benchmarks.functions import INDICATORS
from benchmarks.fx import YEARS, moment, opens, series
from benchmarks.measure import in_turn
from benchmarks.request import THIRTY
from benchmarks.rounds import in_rounds
from benchmarks.throwaway import ARCTIC, PeerMissingError, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SYMBOL = "EUR/USD"
THREE = ("sma_50", "rsi_14", "atr_14")
COLUMNS = ("open", "high", "low", "close", "tick_volume")
ANSWERED = {"month": COLUMNS, "indicators": THREE}
MONTHS = tuple(
    (f"2023-{month:02}-01T00:00", f"2023-{month + 1:02}-01T00:00") for month in range(1, 12)
)  # a date alone is a day
LONG, SHORT = "ten", "one"
FIFTY = (
    *THIRTY,
    *[each for each in INDICATORS if each not in THIRTY and each.talib and "other" not in each.talib][:20],
)
FRESH = 5

Month = tuple[str, str]


def rows(years: tuple[int, int] = YEARS, rounds: int = 21) -> Iterator[str]:
    """Yield the tables as Markdown lines."""
    with tempfile.TemporaryDirectory() as folder:
        held = answer(fill, folder, years)
        for wanted, timeframe, ask, goals in (
            ("H1 with 3 indicators", "1h", "indicators", (25, 1)),
            ("M1", "1m", "month", (20, 1)),
        ):
            yield from _month(wanted, held[timeframe], answer(measure, folder, timeframe, ask, rounds), goals)
        home = str(Path(folder, LONG))
        asked = ("1h", THREE), ("1m", ())
        yield from _fresh(
            *([answer(first_answer, home, SYMBOL, *each, MONTHS[4]) for _ in range(FRESH)] for each in asked)
        )
        yield from _year(held, answer(year, folder, SHORT, 7), answer(year, folder, LONG, 3))


def fill(folder: str, years: tuple[int, int]) -> dict[str, int]:
    """Fill the stores in a folder, and its `.npz` files with the same bars; returns how many bars there are of each."""
    held = {}
    for name, timeframe, span in ((LONG, "1h", years), (LONG, "1m", years), (SHORT, "1m", (years[1] - 1, years[1]))):
        bars = series(opens(timeframe, span))
        with fs.open(Path(folder, name)) as store:
            stored = store.ingest(SYMBOL, timeframe, bars, source="made").stored
        assert stored == len(bars["time"])
        np.savez(Path(folder, f"{name}-{timeframe}.npz"), **bars)
        held[timeframe if name == LONG else SHORT] = stored
    return held


# ---------------------------------------------------------------- a month
def measure(folder: str, timeframe: str, ask: str, rounds: int) -> dict[str, Any]:
    """Return the milliseconds of each way, cold and warm, with the ratio to ours; and why a peer is not among them."""
    found: dict[str, Any] = {"missing": ""}
    with ExitStack() as closing:
        ways = {"ours": _ours, "Polars": _polars, "deltalake": _deltalake}
        bound = {name: way(folder, timeframe, ask) for name, way in ways.items()}
        try:
            program = closing.enter_context(Program(ARCTIC))
            program.ask("fill", home=f"{folder}/arctic", name=timeframe, arrays=f"{folder}/{LONG}-{timeframe}.npz")
            bound["ArcticDB"] = _arctic(program, folder, timeframe, ask)
        except PeerMissingError as problem:
            found["missing"] = str(problem)
        _refuse_differences(bound)
        for cold in (True, False):
            sides = in_rounds({name: _in_months(way, cold) for name, way in bound.items()}, rounds)
            found["cold" if cold else "warm"] = {name: (each.seconds * 1e3, each.ratio) for name, each in sides.items()}
    return found


def _ours(folder: str, timeframe: str, ask: str) -> Any:
    home = Path(folder, LONG)
    open_store = fs.open(home)

    def asked(store: fs.FeatureStore, month: Month) -> Any:
        if ask == "month":
            return store.bars(SYMBOL, timeframe, *month, as_="numpy")
        return store.features(SYMBOL, timeframe, THREE, *month, as_="numpy")

    def opened(month: Month) -> Any:
        with fs.open(home) as store:
            return asked(store, month)

    return _timing(opened, lambda month: asked(open_store, month), ANSWERED[ask])


def _polars(folder: str, timeframe: str, ask: str) -> Any:
    import polars as pl
    from deltalake import DeltaTable

    path = _table(folder, timeframe)
    held = DeltaTable(path)

    def scan(table: Any, month: Month) -> Any:
        found = pl.scan_delta(table).filter(pl.col("symbol") == "EURUSD")
        if ask == "month":
            start, end = (pl.lit(moment(each)).cast(pl.Datetime("us", "UTC")) for each in month)
            return found.filter(pl.col("time").is_between(start, end, closed="left")).select("time", *COLUMNS).collect()
        whole = found.select("time", "high", "low", "close").sort("time").collect()
        return _talib({name: whole[name].to_numpy() for name in ("high", "low", "close")}, _utc(whole["time"]), month)

    return _timing(lambda month: scan(path, month), lambda month: scan(held, month), ANSWERED[ask])


def _deltalake(folder: str, timeframe: str, ask: str) -> Any:
    from deltalake import DeltaTable

    path = _table(folder, timeframe)
    held = DeltaTable(path)

    def scan(table: Any, month: Month) -> Any:
        from pyarrow import compute, scalar, timestamp

        mine = compute.field("symbol") == "EURUSD"
        data = table.to_pyarrow_dataset()
        if ask == "month":
            start, end = (scalar(moment(each), timestamp("us", "UTC")) for each in month)
            wanted = mine & (compute.field("time") >= start) & (compute.field("time") < end)
            return data.to_table(columns=["time", *COLUMNS], filter=wanted)
        whole = data.to_table(columns=["time", "high", "low", "close"], filter=mine).sort_by("time")
        time = whole["time"].cast("int64").to_numpy()
        return _talib({name: whole[name].to_numpy() for name in ("high", "low", "close")}, time, month)

    return _timing(
        lambda month: scan(DeltaTable(path), month),
        lambda month: scan(held, month),
        ANSWERED[ask],
    )


def _arctic(program: Program, folder: str, timeframe: str, ask: str) -> Any:
    def way(month: Month, cold: bool) -> tuple[float, list[float]]:
        took, facts = program.ask(ask, home=f"{folder}/arctic", name=timeframe, start=month[0], end=month[1], cold=cold)
        return took, facts

    return way


def _timing(opened: Callable[[Month], Any], warm: Callable[[Month], Any], columns: tuple[str, ...]) -> Any:
    """Return a way: seconds, and what of the answer peers must agree with, which is not timed."""

    def way(month: Month, cold: bool) -> tuple[float, list[float]]:
        started = perf_counter()
        given = (opened if cold else warm)(month)
        took = perf_counter() - started
        summed = columns if columns == THREE else ("close",)
        return took, [len(given[columns[0]]), *(float(np.asarray(given[name]).sum()) for name in summed)]

    return way


def _in_months(way: Any, cold: bool) -> Callable[[], float]:
    """Return the way over one month after another, the same in each round for all."""
    months = cycle(MONTHS)
    return lambda: float(way(next(months), cold)[0])


def _refuse_differences(ways: dict[str, Any]) -> None:
    """Raise where the ways do not give the same month; cold and warm, in a month in winter and one in summer."""
    for month in (MONTHS[0], MONTHS[6]):
        for cold in (True, False):
            facts = {name: way(month, cold)[1] for name, way in ways.items()}
            for name, given in facts.items():
                np.testing.assert_allclose(given, facts["ours"], rtol=1e-9, err_msg=f"{name} of {month}")


def _table(folder: str, timeframe: str) -> str:
    return f"{folder}/{LONG}/bars/{timeframe}"


def _utc(time: Any) -> np.ndarray:
    return time.to_physical().to_numpy()


def _talib(bars: dict[str, np.ndarray], time: np.ndarray, month: Month) -> dict[str, np.ndarray]:
    """Return the three indicators by TA-Lib over all bars, and of those the month's rows."""
    import talib

    high, low, close = (bars[name] for name in ("high", "low", "close"))
    found = (talib.SMA(close, 50), talib.RSI(close, 14), talib.ATR(high, low, close, 14))
    rows = slice(*time.searchsorted([moment(each) for each in month]))
    return {name: column[rows] for name, column in zip(THREE, found, strict=True)}


# ---------------------------------------------------------------- a year
def year(folder: str, name: str, pairs: int) -> dict[str, float]:
    """Return the seconds of fifty indicators over the last year that a store has, and of TA-Lib's calls on its arrays."""
    ids = [column for each in FIFTY for column in each.ids]
    with fs.open(Path(folder, name), budget=0) as store:  # bars stay in memory, computed features do not
        last = store.symbols()[0].last.year
        bars = store.bars(SYMBOL, "1m", f"{last}-01-01", as_="numpy")
        work = peers.talib_work("; ".join(each.talib for each in FIFTY), {key: bars[key].copy() for key in COLUMNS})
        pair = in_turn(lambda: store.features(SYMBOL, "1m", ids, f"{last}-01-01", as_="numpy"), work, pairs)
    return {"ours": pair.ours, "peer": pair.peer, "ratio": pair.ratio, "bars": len(bars["time"])}


# ---------------------------------------------------------------- words
def _month(wanted: str, held: int, found: dict[str, Any], goals: tuple[int, int]) -> Iterator[str]:
    yield f"### A month of {wanted} out of {held:,} bars"
    yield ""
    yield "Milliseconds, and in brackets ours over the way's. `scan_delta` and `deltalake` read the store's own table with the"
    yield "same filters; they and ArcticDB check no digests, know no corrections. Ours answers with arrays, they with frames."
    if wanted != "M1":
        yield "For indicators they read the whole series, as recursive values need, and TA-Lib computes them."
    yield ""
    yield f"| | goal | ours | `pl.scan_delta` | `deltalake`, pyarrow | {ARCTIC}, LMDB |"
    yield "|---|---:|---:|---:|---:|---:|"
    for state, goal in zip(("cold", "warm"), goals, strict=True):
        sides = found[state]
        cells = [_cell(sides.get(name), found["missing"]) for name in ("Polars", "deltalake", "ArcticDB")]
        yield f"| {state} | {goal} | **{sides['ours'][0]:.2f}** | {' | '.join(cells)} |"
    yield ""


def _cell(side: list[float] | None, missing: str) -> str:
    return missing if side is None else f"{side[0]:.2f} ({side[1]:.2g})"


def _fresh(hourly: list[dict[str, float]], minutes: list[dict[str, float]]) -> Iterator[str]:
    yield f"### The same of a fresh process, loops compiled before; medians of {FRESH}"
    yield ""
    yield "| | imports | opened and answered |"
    yield "|---|---:|---:|"
    for name, found in (("H1 with 3 indicators", hourly), ("M1", minutes)):
        imports, took = (median(each[part] for each in found) * 1e3 for part in ("imports", "answer"))
        yield f"| {name} | {imports:.0f} ms | {took:.1f} ms |"
    yield ""


def _year(held: dict[str, int], alone: dict[str, float], of_many: dict[str, float]) -> Iterator[str]:
    columns = sum(len(each.ids) for each in FIFTY)
    yield f"### A year of M1 bars, {len(FIFTY)} indicators ({columns} ids), asked of the store"
    yield ""
    yield "Bars are in memory, features are not kept (`budget=0`), loops are compiled. Ours is from the request to a dict of"
    yield "arrays, computed from the series' first bar on the cores there are; TA-Lib's is its calls in turn on arrays."
    yield ""
    yield "| store | bars answered | ours | TA-Lib | ratio | goal |"
    yield "|---|---:|---:|---:|---:|---|"
    for name, found, goal in (("one year", alone, "0.2 s"), (f"ten years, {held['1m']:,} bars", of_many, "")):
        yield (
            f"| {name} | {found['bars']:,.0f} | **{found['ours']:.3f} s** | {found['peer']:.3f} s "
            f"| {found['ratio']:.2f} | {goal} |"
        )


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
