"""qlib's task, 14 factors of 100 instruments over 3,400 days: ours from arrays and from the store, beside qlib without cache.

qlib's table of storages says 14 factors and does not list them, so these are 14 of its Alpha158, by their names there, over 20
days. qlib keeps prices as float32; so ours are given the same float32 values, and its answers are compared as such. Its
windows begin with the first day, ours when they are full: compared is what lies after that.
"""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np

import feature_store as fs
from benchmarks.child import answer
from benchmarks.fx import moment, prices
from benchmarks.market import PRICES
from benchmarks.rounds import in_rounds, timed
from benchmarks.throwaway import QLIB, PeerMissingError, Program
from feature_store.bars import Timeframe
from feature_store.calendar import DAY, Calendar
from feature_store.indicators.custom import Draft, custom
from feature_store.indicators.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAILY = Timeframe.parse("1d")
INSTRUMENTS, DAYS, GOAL = 100, 3_400, 5e7
WINDOW = 20

Bars = dict[str, np.ndarray]

FACTORS = {  # Alpha158's name: qlib's expression, ours
    "KMID": ("($close-$open)/$open", "(close - open) / open"),
    "KLEN": ("($high-$low)/$open", "(high - low) / open"),
    "ROC20": ("Ref($close, 20)/$close", "lag(close, 20) / close"),
    "MA20": ("Mean($close, 20)/$close", "sma(close, 20) / close"),
    "STD20": ("Std($close, 20)/$close", "sqrt(20 / 19) * stdev(close, 20) / close"),
    "BETA20": ("Slope($close, 20)/$close", "linreg_slope(close, 20) / close"),
    "RSQR20": ("Rsquare($close, 20)", "linreg_r2(close, 20)"),
    "MAX20": ("Max($high, 20)/$close", "highest(high, 20) / close"),
    "MIN20": ("Min($low, 20)/$close", "lowest(low, 20) / close"),
    "QTLU20": ("Quantile($close, 20, 0.8)/$close", "quantile(close, 20, 0.8) / close"),
    "RSV20": (
        "($close-Min($low, 20))/(Max($high, 20)-Min($low, 20)+1e-12)",
        "(close - lowest(low, 20)) / (highest(high, 20) - lowest(low, 20) + 1e-12)",
    ),
    "CORR20": ("Corr($close, Log($volume+1), 20)", "correl(close, log(tick_volume + 1), 20)"),
    "SUMP20": (
        "Sum(Greater($close-Ref($close, 1), 0), 20)/(Sum(Abs($close-Ref($close, 1)), 20)+1e-12)",
        "sum(max(diff(close, 1), 0), 20) / (sum(abs(diff(close, 1)), 20) + 1e-12)",
    ),
    "VMA20": ("Mean($volume, 20)/($volume+1e-12)", "sma(tick_volume, 20) / (tick_volume + 1e-12)"),
}
NAMES = tuple(f"alpha_{name.lower()}" for name in FACTORS)
NEAR = 1e-4  # of a factor's spread: what float32 leaves of it


def rows(instruments: int = INSTRUMENTS, days: int = DAYS, rounds: int = 5) -> Iterator[str]:
    """Yield the table as Markdown lines."""
    with tempfile.TemporaryDirectory() as folder:
        found = answer(measure, folder, instruments, days, rounds, cores=1)
    count = instruments * days * len(FACTORS)
    yield f"### {len(FACTORS)} factors of Alpha158, {instruments} instruments x {days:,} days, one core"
    yield ""
    yield f"{', '.join(FACTORS)}: {count:,} values."
    yield "qlib computes in float32 from its own files without its caches, one process"
    yield f"(`expression_cache=None, dataset_cache=None, disk_cache=0`, its memory cleared). {found['agree']}"
    yield "The store's files are in the system's memory, as qlib's are; loops are compiled."
    yield ""
    yield "| way | processor time | values/s | times qlib | goal |"
    yield "|---|---:|---:|---:|---|"
    for way, (took, ratio) in found["sides"].items():
        times, goal = ("", "") if way == str(QLIB) else (f"{ratio:,.0f}" if not found["missing"] else "", f"{GOAL:.0e}")
        yield f"| {way} | {took * 1e3:,.0f} ms | **{count / took:.1e}** | {times} | {goal} |"
    if found["missing"]:
        yield f"| {found['missing']} | | | | |"


def measure(folder: str, instruments: int, days: int, rounds: int) -> dict[str, Any]:
    """Return the seconds of each way and qlib's over them; how far apart the answers are; and why qlib is missing if it is."""
    bars = _bars(instruments, days)
    home = Path(folder, "store")
    _fill(home, bars)
    ways: dict[str, Callable[[], float]] = {}
    missing, agree = "", "It is missing here, so nothing was compared."
    with ExitStack() as closing:
        try:
            program = closing.enter_context(Program(QLIB, cores=1))
            agree = _compared(program, folder, bars)
            ways[str(QLIB)] = _qlib(program, bars)
        except PeerMissingError as problem:
            missing = str(problem)
        held = closing.enter_context(fs.open(home, budget=0))  # bars stay in memory, computed features do not
        ways["ours, a store opened, asked and closed"] = timed(lambda: _opened(home, instruments), process_time)
        ways["ours, a store that has its bars in memory"] = timed(lambda: _asked(held, instruments), process_time)
        ways["ours, `fs.compute` on arrays"] = timed(lambda: _computed(bars), process_time)
        sides = in_rounds(ways, rounds)
    return {
        "sides": {way: (each.seconds, each.ratio) for way, each in sides.items()},
        "agree": agree,
        "missing": missing,
    }


# ---------------------------------------------------------------- the bars
def _bars(instruments: int, days: int) -> Bars:
    """Return arrays of instruments x days, of float32 values, and the days' opens in UTC microseconds."""
    opens = Calendar(rests=False).expected(moment("2007-01-01"), moment("2007-01-01") + (days + 2) * DAY, DAILY)[:days]
    every = [prices(days, seed, step=0.01) for seed in range(instruments)]
    bars = {name: np.stack([each[name] for each in every]).astype(np.float32).astype(float) for name in PRICES}
    return bars | {"opens": opens}


def _of(bars: Bars, place: int) -> Bars:
    return {name: bars[name][place] for name in PRICES}


def _name(place: int) -> str:
    return f"S{place:03}"


# ---------------------------------------------------------------- ours
def _fill(home: Path, bars: Bars) -> None:
    with fs.open(home) as store:
        for name, (_, expression) in zip(NAMES, FACTORS.values(), strict=True):
            store.register(name, expression)
        for place in range(len(bars["close"])):
            days = {"time": bars["opens"].view("M8[us]"), **_of(bars, place)}
            assert store.ingest(_name(place), DAILY.name, days).stored == len(bars["opens"])


def _opened(home: Path, instruments: int) -> None:
    with fs.open(home) as store:
        _asked(store, instruments)


def _asked(store: fs.FeatureStore, instruments: int) -> list[Bars]:
    return [store.features(_name(place), DAILY.name, NAMES, as_="numpy") for place in range(instruments)]


def _computed(bars: Bars) -> list[Bars]:
    return [fs.compute(_of(bars, place), _features(), as_="numpy") for place in range(len(bars["close"]))]


@cache
def _features() -> list[Any]:
    """Return the factors as features of a registry of their own."""
    drafts = {name: (custom(Draft(name, ours)),) for name, (_, ours) in zip(NAMES, FACTORS.values(), strict=True)}
    registry = Registry(drafts)
    return [fs.feature(name, registry=registry) for name in NAMES]


# ---------------------------------------------------------------- qlib
def _qlib(program: Program, bars: Bars) -> Callable[[], float]:
    """Return qlib's way; raises where it gives other than all values."""
    took, count = program.ask("factors", **_question(bars))
    if count != bars["close"].size * len(FACTORS):
        raise AssertionError(f"qlib gave {count:,} values in {took:.1f} s")
    return lambda: float(program.ask("factors", **_question(bars))[0])


def _question(bars: Bars) -> dict[str, Any]:
    days = _days(len(bars["opens"]))
    return {"fields": [theirs for theirs, _ in FACTORS.values()], "start": str(days[0]), "end": str(days[-1])}


def _days(count: int) -> np.ndarray:
    return np.datetime64("2007-01-01") + np.arange(count)


def _compared(program: Program, folder: str, bars: Bars) -> str:
    """Give qlib the bars, and say how far its answers are from ours at most; raises where that is more than float32 leaves."""
    arrays = f"{folder}/qlib.npz"
    days = _days(len(bars["opens"])).astype(np.int64)
    np.savez(arrays, days=days, volume=bars["tick_volume"], **{name: bars[name] for name in PRICES})
    program.ask("fill", home=f"{folder}/qlib", arrays=arrays)
    worst = 0.0
    for place in {0, len(bars["close"]) - 1}:
        theirs = program.ask("values", instrument=_name(place), **_question(bars))
        ours = fs.compute(_of(bars, place), _features(), as_="numpy")
        for name, column, other in zip(FACTORS, ours.values(), theirs, strict=True):
            apart = _apart(column[WINDOW:], np.array(other, dtype=float)[WINDOW:])
            if not apart < NEAR:
                raise AssertionError(f"{name} is {apart:.1e} of its spread apart from qlib's")
            worst = max(worst, apart)
    return f"Its answers agree with ours to {worst:.0e} of a factor's standard deviation."


def _apart(ours: np.ndarray, theirs: np.ndarray) -> float:
    return float(np.abs(ours - theirs).max() / ours.std())


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
