"""What the first use of features costs: compiled anew into an empty folder, and loaded from it by the next process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import feature_store as fs
from benchmarks.child import answer, answers
from benchmarks.market import market, times
from benchmarks.measure import seconds
from benchmarks.request import IDS, THIRTY

if TYPE_CHECKING:
    from collections.abc import Iterator

FEW = 10
GOAL_S = 1.5


def rows() -> Iterator[str]:
    """Yield the tables as Markdown lines."""
    with tempfile.TemporaryDirectory() as folder:
        cold, warm = (answer(first_use, cache=Path(folder)) for _ in range(2))
    with tempfile.TemporaryDirectory() as folder:
        single = dict(answers(each_alone, cache=Path(folder)))
    yield f"### {len(THIRTY)} features, the first request of a process"
    yield ""
    yield "| | imports | first answer beyond them | goal |"
    yield "|---|---:|---:|---|"
    yield f"| nothing compiled on this machine | {cold['imports']:.2f} s | **{cold['answer']:.1f} s** | 8 s |"
    yield f"| compiled by an earlier process | {warm['imports']:.2f} s | **{warm['answer']:.2f} s** | 0.1 s |"
    yield ""
    slow = sorted(single.items(), key=lambda item: -item[1])
    late = [f"`{name}` {took:.1f} s" for name, took in slow if took > GOAL_S]
    yield f"### Each of the {len(single)} indicators alone, nothing compiled before"
    yield ""
    yield (
        f"Median {slow[len(slow) // 2][1]:.2f} s, worst **{slow[0][1]:.2f} s**, `{slow[0][0]}` (goal: {GOAL_S} s). "
        f"Above the goal: {', '.join(late) or 'none'}."
    )


def first_use() -> dict[str, float]:
    """Return how long the imports take that a computation needs, and then its first answer."""
    started = perf_counter()
    import llvmlite.binding  # noqa: F401

    from feature_store.engine import compute  # noqa: F401

    imported = perf_counter()
    bars = market(FEW)
    return {"imports": imported - started, "answer": seconds(lambda: fs.compute(bars, IDS, as_="numpy"))}


def each_alone() -> Iterator[tuple[str, float]]:
    """Yield how long the first answer of each indicator takes, after one that wakes the compiler up."""
    bars: dict[str, Any] = market(FEW) | {"time": times(FEW).view("M8[us]")}
    fs.compute(bars, ["lag_1", "sma_20"], as_="numpy")
    for definition in fs.catalog():
        yield definition.name, seconds(lambda name=definition.name: fs.compute(bars, [name], as_="numpy"))


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
