"""Every function that the engine shares with its peers, side by side: time on one core, and errors beside it.

1. Ours and TA-Lib run on the same bars in turn, in a process that is held to one core; then `fs.compute` with its checks and
   TA-Lib; then ours and each other peer, on as many bars as that peer manages in a moment.
2. Answers are compared first: a peer whose values are others, by definition or by unit, is marked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import feature_store as fs
from benchmarks import accuracy, peers
from benchmarks.child import answers
from benchmarks.functions import EVERY, GOAL, GROUPS, Shared
from benchmarks.market import BARS, market
from benchmarks.measure import geometric_mean, in_turn_within, median_seconds, seconds
from benchmarks.ours import plan_of, work

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TALIB_S = 0.4
CHECKED_S = 0.2
OTHERS_S = 0.3
FEW = 5_000
OTHERS = {"polars-talib": "polars", "pandas-ta-classic": "pandas_ta", "talipp": "talipp"}
NOTES = f"""\
Nanoseconds of processor time a bar; in brackets and in `ratio` ours over the peer's, so below 1 ours is faster. Ours is the
engine on arrays beside TA-Lib on the same arrays; `checked` is the ratio of `fs.compute`, which first refuses infinite
prices, crossed bars and disorder, as no peer does. Ours computes the columns that TA-Lib gives; a peer that gives more is
timed as it is. polars-talib (TA-Lib 0.8.1) runs on the same bars, the others on as many as take {OTHERS_S / 3:.1f} s,
{FEW:,} to all. A figure with ≠ is of a function whose values differ, by definition or by unit. Errors are the largest
against exact arithmetic on hostile prices, see Accuracy below.
"""


def rows(bars: int = BARS) -> Iterator[str]:
    """Yield the tables as Markdown lines."""
    yield from NOTES.splitlines()
    errors = accuracy.worst()
    measured: list[dict[str, Any]] = []
    found = answers(measure, bars, cores=1)
    for title, group in GROUPS.items():
        yield from ("", f"### {title}, {bars:,} bars, one core", "")
        yield "| function | ours | TA-Lib | ratio | checked | " + " | ".join(OTHERS) + " | our error | TA-Lib's |"
        yield "|---|" + "---:|" * (6 + len(OTHERS))
        for _ in group:
            measured.append(next(found))
            yield _line(measured[-1], errors.get(measured[-1]["label"], {}))
    yield from ("", "### In one figure each", "", *_summary(measured))


# ---------------------------------------------------------------- in the process that measures
def measure(bars: int) -> Iterator[dict[str, Any]]:
    """Yield the figures of each function."""
    peers.install()
    whole = market(bars)
    for each in EVERY:
        yield _measure(each, whole)


def _measure(each: Shared, whole: peers.Bars) -> dict[str, Any]:
    plan = plan_of(each)
    own = work(plan, whole)
    few = _first(whole, FEW)
    bars = len(whole["close"])
    own_few = work(plan, few)()
    row: dict[str, Any] = {"label": each.label, "ns": _ns(median_seconds(own, 5), bars)}
    if each.talib:
        peer = peers.talib_work(each.talib, whole)
        pair = in_turn_within(own, peer, TALIB_S)
        row |= {"ns": _ns(pair.ours, bars), "TA-Lib": {"ns": _ns(pair.peer, bars), "ratio": pair.ratio}}
        row["TA-Lib"]["same"] = agree(own_few, peers.columns_of(peers.talib_work(each.talib, few)()))
        if not each.is_expression:
            held = {name: whole[name] for name in plan.inputs}
            row["checked"] = in_turn_within(lambda: fs.compute(held, each.ids, as_="numpy"), peer, CHECKED_S).ratio
    for name, kind in OTHERS.items():
        text = each.talib if kind == "polars" else getattr(each, kind)
        if text:
            row[name] = _other(getattr(peers, f"{kind}_work"), text, own, own_few, whole)
    return row


def _other(
    make: Callable[[str, peers.Bars], peers.Work], text: str, own: peers.Work, own_few: np.ndarray, whole: peers.Bars
) -> dict[str, Any]:
    bars = len(whole["close"])
    quick = make(text, _first(whole, FEW))
    same = agree(own_few, peers.columns_of(quick()))
    count = max(FEW, min(bars, int(FEW * OTHERS_S / 3 / seconds(quick))))
    pair = in_turn_within(own, make(text, _first(whole, count)), OTHERS_S)
    return {"ns": _ns(pair.peer, count), "ratio": pair.ratio * count / bars, "same": same}


def agree(ours: np.ndarray, theirs: list[np.ndarray]) -> bool:
    """Whether each of our columns is one of theirs over the last 1,000 rows, to 1e-6 of its reach, a constant apart or not."""
    return all(min(distance(own, their) for their in theirs) < 1e-6 for own in ours)


def distance(own: np.ndarray, their: np.ndarray) -> float:
    """Return the largest difference of two columns' last 1,000 rows, relative to the largest value, a constant aside."""
    if len(their) < 1000:
        return np.inf
    a, b = own[-1000:], their[-1000:]
    size = max(float(np.abs(a).max()), 1e-300)
    apart = min(float(np.abs(a - b).max()), float(np.abs((a - a[0]) - (b - b[0])).max()))
    return apart / size if np.isfinite(apart) else np.inf


def _first(bars: peers.Bars, count: int) -> peers.Bars:
    return {name: column[:count] for name, column in bars.items()}


def _ns(total: float, bars: int) -> float:
    return total / bars * 1e9


# ---------------------------------------------------------------- in the process that writes
def _line(row: dict[str, Any], errors: dict[str, float]) -> str:
    star = " *" if row["label"] in GOAL else ""
    peer = row.get("TA-Lib")
    cells = [
        f"`{row['label']}`{star}",
        figure(row["ns"]),
        figure(peer["ns"]) + _unequal(peer) if peer else "",
        f"{peer['ratio']:.2f}" if peer else "",
        f"{row['checked']:.2f}" if "checked" in row else "",
        *(f"{figure(row[n]['ns'])} ({ratio(row[n]['ratio'])}){_unequal(row[n])}" if n in row else "" for n in OTHERS),
        *(accuracy.error(errors[who]) if who in errors else "" for who in ("ours", "TA-Lib")),
    ]
    return f"| {' | '.join(cells)} |"


def _summary(measured: list[dict[str, Any]]) -> Iterator[str]:
    ratios = {row["label"]: row["TA-Lib"]["ratio"] for row in measured if "TA-Lib" in row}
    starred = [row for row in measured if row["label"] in GOAL]
    slow = sorted(((r, name) for name, r in ratios.items() if r > 1.5), reverse=True)
    worst = max(ratios, key=lambda name: ratios[name])
    yield (
        f"Geometric mean of the seven with a star: **{geometric_mean(row['TA-Lib']['ratio'] for row in starred):.2f}** "
        f"(goal: at most 1.0), checked {geometric_mean(row['checked'] for row in starred):.2f}. Of all {len(ratios)} "
        f"functions shared with TA-Lib: **{geometric_mean(ratios.values()):.2f}** (goal: at most 1.0), worst "
        f"**{ratios[worst]:.2f}**, `{worst}` (goal: at most 2.5)."
    )
    yield ""
    yield f"Above 1.5: {', '.join(f'`{name}` {r:.2f}' for r, name in slow) or 'none'}."
    yield ""
    yield "| group | functions | ours / TA-Lib | " + " | ".join(f"ours / {name}" for name in OTHERS) + " |"
    yield "|---|" + "---:|" * (2 + len(OTHERS))
    for title, group in GROUPS.items():
        names = {each.label for each in group}
        mine = [row for row in measured if row["label"] in names]
        means = [[row[who]["ratio"] for row in mine if who in row] for who in ("TA-Lib", *OTHERS)]
        cells = [f"{ratio(geometric_mean(m))} ({len(m)})" if m else "" for m in means]
        yield f"| {title} | {len(mine)} | {' | '.join(cells)} |"


def _unequal(peer: dict[str, Any]) -> str:
    return "" if peer["same"] else " ≠"


def figure(value: float) -> str:
    """Return a time with three digits or so."""
    return f"{value:.2f}" if value < 10 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def ratio(value: float) -> str:
    """Return a ratio with two digits."""
    return f"{value:.2f}" if value >= 0.1 else f"{value:.1g}"


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
