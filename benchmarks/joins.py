"""Training sets: for every event the features that were known then, beside pandas, Polars and Feast.

1. A folder holds H1 bars of 28 pairs; events are drawn from a seed, a pair and a microsecond each, in no order.
2. Ours is `training_set`: it reads the bars, computes the features and joins them, the whole of it, in a store opened for it
   (cold) and in one that has answered before (warm).
3. pandas and Polars join features and events by time and pair. Once they begin with bars in memory, and `fs.compute` has a
   part in it; once with features already computed, as one frame in order of the bars' closes. Sorting the events and putting
   the rows back in their order counts.
4. Feast is given the same features in a Parquet file, and does a smaller task in a time limit; ours does that one, too.
5. All must give the same values. Memory is measured in processes of their own.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import feature_store as fs
from benchmarks.child import answer
from benchmarks.fx import PAIRS, opens, series
from benchmarks.request import MEGABYTE, STATUS, resident
from benchmarks.rounds import in_rounds, timed
from benchmarks.throwaway import FEAST, PeerMissingError, Program
from feature_store.bars import Timeframe
from feature_store.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BARS, EVENTS = 200_000, 1_000_000
FEW_BARS, FEW_EVENTS = 20_000, 2_000
FEAST_S = 400
HOUR = Timeframe.parse("1h")
TEN = (
    *("sma_50", "ema_20", "rsi_14", "atr_14", "stdev_20", "roc_10", "zscore_20", "adx_14.adx", "macd_12_26_9.line"),
    "mfi_14",
)
NAMED = {"pandas": "pandas `merge_asof`", "Polars": "Polars `join_asof`"}
WAYS = ("ours", "pandas", "Polars")


def rows(bars: int = BARS, events: int = EVENTS, rounds: int = 5) -> Iterator[str]:
    """Yield the tables as Markdown lines."""
    with tempfile.TemporaryDirectory() as folder:
        answer(fill, folder, bars)
        yield from _large(bars, events, answer(measure, folder, bars, events, rounds))
        sizes = (events // 4, events)
        spent = {way: [answer(memory, folder, bars, size, way) for size in sizes] for way in WAYS}
        yield from _memory(bars, sizes, spent)
    with tempfile.TemporaryDirectory() as folder:
        few_bars, few = min(bars, FEW_BARS), min(events, FEW_EVENTS)
        answer(fill, folder, few_bars)
        yield from _small(few_bars, few, answer(beside_feast, folder, few_bars, few))


def fill(folder: str, bars: int) -> None:
    """Fill the store in a folder with the bars of all pairs."""
    time = _opens(bars)
    with fs.open(Path(folder, "store")) as store:
        for seed, pair in enumerate(PAIRS):
            assert store.ingest(pair, HOUR.name, series(time, seed), source="made").stored == bars


def measure(folder: str, bars: int, events: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Return the seconds of each way of the large task, and ours, cold, over it."""
    home, asked = Path(folder, "store"), drawn(bars, events)
    every = made(bars)
    joins = {way: _joining(way, every, asked) for way in ("pandas", "Polars")}
    with fs.open(home) as held:
        for join in joins.values():
            _refuse_differences(_ours(held, asked), join())
        ways = {
            "ours, cold": timed(partial(_opened, home, asked)),
            "ours, warm": timed(partial(_ours, held, asked)),
            **{f"{NAMED[way]}, from bars in memory": timed(partial(_whole, way, every, asked)) for way in joins},
            **{f"{NAMED[way]}, features given": timed(join) for way, join in joins.items()},
        }
        return {way: (each.seconds, each.ratio) for way, each in in_rounds(ways, rounds).items()}


def memory(folder: str, bars: int, events: int, way: str) -> dict[str, float]:
    """Return the megabytes of a way's answer, and those that this process needed beyond it at the worst moment."""
    home, asked = Path(folder, "store"), drawn(bars, events)
    if way == "ours":
        _opened(home, asked.head(10))  # libraries and compiled loops are not what is asked about
    given, grown = growth(partial(_opened, home, asked) if way == "ours" else _joining(way, made(bars), asked))
    size = sum(np.asarray(given[name]).nbytes for name in TEN) / MEGABYTE
    return {"answer": size, "beyond": max(0.0, grown - size)}


def growth(call: Callable[[], Any]) -> tuple[Any, float]:
    """Return what a call gives, and the megabytes that the process grew by at the worst moment of it."""
    before = resident("VmRSS")
    Path(STATUS.parent, "clear_refs").write_text("5", encoding="ascii")  # begin the peak anew
    return call(), resident("VmHWM") - before


def beside_feast(folder: str, bars: int, events: int) -> dict[str, Any]:
    """Return the seconds of Feast's offline stores and of ours at the small task; and why one is missing if it is."""
    asked, home = drawn(bars, events), Path(folder, "store")
    ours = in_rounds({"ours": timed(partial(_opened, home, asked))}, 5)["ours"].seconds
    expected, grown = growth(partial(_opened, home, asked))
    stores = {offline: _feast(folder, bars, asked, expected, offline) for offline in ("dask", "duckdb")}
    return {"ours": ours, "grown": grown, **stores}


# ---------------------------------------------------------------- the task
def _opens(bars: int) -> np.ndarray:
    """Return the opens of the last so many H1 bars before 2024."""
    return opens(HOUR.name, (1985, 2024))[-bars:]


def drawn(bars: int, events: int) -> Any:
    """Return events, a pair and a time each, in no order; some lie in weekends, a few before features are warm.

    None is before the first bar has closed: Feast 0.67 leaves such events out of its answer, ours says NaN.
    """
    import pandas as pd

    random, time = np.random.default_rng(28), _opens(bars)
    moments = random.integers(time[1], time[-1], events)
    pairs = np.array(PAIRS, dtype=object)[random.integers(0, len(PAIRS), events)]
    return pd.DataFrame({"symbol": pairs, "time": pd.DatetimeIndex(moments.view("M8[us]")).tz_localize("UTC")})


def made(bars: int) -> list[dict[str, np.ndarray]]:
    """Return the bars of all pairs, as arrays."""
    return [series(_opens(bars), seed) for seed in range(len(PAIRS))]


def computed(every: list[dict[str, np.ndarray]]) -> Any:
    """Return the features of all pairs as one frame in order of `available_at`, when each bar closed."""
    import polars as pl

    time = every[0]["time"].view(np.int64)
    closes = pl.Series(Calendar().bar_close(time, HOUR)).cast(pl.Datetime("us", "UTC"))
    parts = [
        pl.DataFrame({"available_at": closes, **fs.compute(bars, TEN, as_="numpy")}).with_columns(
            pl.lit(pair).alias("symbol")
        )
        for pair, bars in zip(PAIRS, every, strict=True)
    ]
    return pl.concat(parts).sort("available_at")


# ---------------------------------------------------------------- the ways
def _ours(store: fs.FeatureStore, events: Any) -> Any:
    return store.training_set(events, TEN, timeframe=HOUR.name).frame


def _opened(home: Path, events: Any) -> Any:
    with fs.open(home) as store:
        return _ours(store, events)


def _joining(way: str, every: list[dict[str, np.ndarray]], events: Any) -> Callable[[], Any]:
    """Return the join of a way over features that are computed already."""
    return (_pandas if way == "pandas" else _polars)(computed(every), events)


def _whole(way: str, every: list[dict[str, np.ndarray]], events: Any) -> Any:
    """Return the answer of a way that begins with bars in memory."""
    return _joining(way, every, events)()


def _pandas(features: Any, events: Any) -> Callable[[], Any]:
    import pandas as pd

    names = pd.CategoricalDtype(list(PAIRS))  # faster than as text
    table, asked = features.to_pandas().astype({"symbol": names}), events.astype({"symbol": names})

    def join() -> Any:
        ordered = asked.sort_values("time").reset_index()
        joined = pd.merge_asof(ordered, table, left_on="time", right_on="available_at", by="symbol")
        return joined.set_index("index").sort_index()

    return join


def _polars(features: Any, events: Any) -> Callable[[], Any]:
    import polars as pl

    names = pl.Enum(PAIRS)
    table = features.with_columns(pl.col("symbol").cast(names)).set_sorted("available_at")
    asked = pl.from_pandas(events).with_columns(pl.col("symbol").cast(names))

    def join() -> Any:
        ordered = asked.with_row_index().sort("time")
        joined = ordered.join_asof(table, left_on="time", right_on="available_at", by="symbol", check_sortedness=False)
        return joined.sort("index")

    return join


def _feast(folder: str, bars: int, events: Any, expected: Any, offline: str) -> dict[str, Any]:
    """Return Feast's seconds and megabytes with one of its offline stores, or why there are none."""
    import polars as pl

    columns = {name: name.replace(".", "_") for name in TEN}
    features, asked = Path(folder, "features.parquet"), Path(folder, "events.parquet")
    computed(made(bars)).rename({"available_at": "event_timestamp", **columns}).write_parquet(features)
    pl.from_pandas(events).rename({"time": "event_timestamp"}).with_row_index("row").write_parquet(asked)
    with ExitStack() as closing:
        try:
            program = closing.enter_context(Program(FEAST, timeout_s=FEAST_S))
            where = {"home": f"{folder}/{offline}", "parquet": str(features)}
            program.ask("fill", columns=list(columns.values()), offline=offline, **where)
            took, grown, values = program.ask("join", events=str(asked))
        except PeerMissingError as problem:
            return {"missing": str(problem)}
    _refuse_differences(expected, dict(zip(TEN, np.array(values, dtype=float).T, strict=True)))
    return {"seconds": took, "grown": grown}


def _refuse_differences(ours: Any, theirs: Any) -> None:
    for name in TEN:
        np.testing.assert_allclose(
            np.asarray(theirs[name], dtype=float), np.asarray(ours[name]), rtol=1e-12, err_msg=name
        )


# ---------------------------------------------------------------- words
def _large(bars: int, events: int, found: dict[str, tuple[float, float]]) -> Iterator[str]:
    yield f"### {events:,} events, {len(PAIRS)} pairs x {bars:,} H1 bars, {len(TEN)} features"
    yield ""
    yield "Ours begins with the request: it reads the bars, computes the features and joins them; cold in a store opened for"
    yield "it, warm in one that has answered before. pandas and Polars begin with arrays of bars, whose features `fs.compute`"
    yield "computes and one sort puts in order of the bars' closes; or with that frame given, so that only sorting the events,"
    yield "the join and the events' order are left. All give the same values."
    yield ""
    yield "| way | time | ours, cold, over it | goal |"
    yield "|---|---:|---:|---|"
    for way, (took, ratio) in found.items():
        yield f"| {way} | **{took:.2f} s** | {ratio:.2f} | {'2 s' if way == 'ours, cold' else ''} |"
    yield ""


def _memory(bars: int, sizes: tuple[int, int], spent: dict[str, list[dict[str, float]]]) -> Iterator[str]:
    held = bars * len(PAIRS) * 8 / MEGABYTE
    yield "### Memory of the same"
    yield ""
    yield "Most megabytes at a time beyond the ten columns of the answer, each in a process of its own; the events are there"
    yield f"before. One column of all bars is {held:.0f} MB; pandas and Polars hold the features before they are measured."
    yield ""
    yield f"| way | {sizes[0]:,} events | {sizes[1]:,} events | growth |"
    yield "|---|---:|---:|---:|"
    for way, (few, many) in spent.items():
        grown = many["beyond"] - few["beyond"]
        yield f"| {way}{', cold' if way == 'ours' else ''} | {few['beyond']:.0f} | {many['beyond']:.0f} | {grown:.0f} |"
    yield ""


def _small(bars: int, events: int, found: dict[str, Any]) -> Iterator[str]:
    yield f"### {events:,} events, {len(PAIRS)} pairs x {bars:,} H1 bars, {len(TEN)} features: beside {FEAST}"
    yield ""
    yield "`get_historical_features(...).to_df()` on a repository as the quickstart makes one (local provider, features in one"
    yield f"Parquet file, computed before, no expiry), once, at most {FEAST_S} s; ours as above, cold, median of 5. The values"
    yield "are the same. Memory is the most at a time beyond what was there before."
    yield ""
    yield "| way | time | times ours | memory |"
    yield "|---|---:|---:|---:|"
    yield f"| ours | **{found['ours']:.3f} s** | | {found['grown']:.0f} MB |"
    for offline, named in (("dask", "Feast, `dask`, its default"), ("duckdb", "Feast, `duckdb`")):
        yield _feast_row(named, found[offline], found["ours"])


def _feast_row(named: str, side: dict[str, Any], ours: float) -> str:
    if "missing" in side:
        return f"| {named} | {side['missing']} | | |"
    return f"| {named} | {side['seconds']:.2f} s | {side['seconds'] / ours:,.0f} | {side['grown']:.0f} MB |"


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
