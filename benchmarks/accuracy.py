"""The largest error of ours and of the peers against exact arithmetic, on prices that are hard to add up.

Errors are relative to the value, or to the series' median value where the value is smaller, as of those that pass through zero.
Rows are compared 1,000 bars after the spike: every window has lost it, and an average has forgotten it to the last digit.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import peers
from benchmarks.exact import FORMULAS, exactly
from benchmarks.functions import EVERY, Shared
from benchmarks.ours import plan_of, work

if TYPE_CHECKING:
    from collections.abc import Iterator

BARS = 3_000
SPIKE = 1_000
SINCE = 2_000
CALM = "EUR/USD"
PEERS = {"TA-Lib": "talib", "pandas-ta-classic": "pandas_ta", "talipp": "talipp"}

Errors = dict[str, dict[str, float]]
"""Of one function: who -> series -> the largest error."""


def hostile() -> dict[str, peers.Bars]:
    """Return the series of bars by what is hard about them."""
    calm = _walk(1.1, 1e-4)
    spike = {name: column.copy() for name, column in calm.items()}
    for name in ("high", "close", "other"):
        spike[name][SPIKE] = 1e9
    return {
        CALM: calm,
        "USD/JPY": _walk(140.0, 1e-4),
        "offset of a million": {n: column + 1e6 * (n != "tick_volume") for n, column in calm.items()},
        "moves of a millionth": _walk(1.1, 1e-6),
        "a spike of 1e9 that has left": spike,
    }


def rows() -> Iterator[str]:
    """Yield the table as Markdown lines."""
    series = list(hostile())
    yield "Largest error of ours / of TA-Lib against decimal arithmetic of 60 digits, relative to the value, or to the median"
    yield f"value where it is smaller; {BARS - SINCE:,} bars of each series. The last columns are the largest of the other"
    yield "peers over all series; polars-talib is TA-Lib. Empty where a peer has no such function or its values are others."
    yield ""
    yield f"| function | {' | '.join(series)} | pandas-ta-classic | talipp |"
    yield f"|---|{'---:|' * (len(series) + 2)}"
    for label, found in errors().items():
        cells = [" / ".join(error(found[who][name]) for who in ("ours", "TA-Lib") if who in found) for name in series]
        cells += [error(max(found[who].values())) if who in found else "" for who in ("pandas-ta-classic", "talipp")]
        yield f"| `{label}` | {' | '.join(cells)} |"


def worst() -> dict[str, dict[str, float]]:
    """Return for each function the largest error over all series, of ours and of each peer."""
    return {label: {who: max(e.values()) for who, e in found.items()} for label, found in errors().items()}


@cache
def errors() -> dict[str, Errors]:
    """Return the errors of every function that has an exact formula."""
    peers.install()
    functions = {each.label: each for each in EVERY}
    series = hostile()
    return {label: _errors(functions[label], series) for label in FORMULAS}


def error(value: float) -> str:
    """Return an error with one digit."""
    return "0" if value == 0 else f"{value:.0e}"


def _errors(each: Shared, series: dict[str, peers.Bars]) -> Errors:
    exact = {name: np.array(exactly(each.label, bars)) for name, bars in series.items()}
    plan = plan_of(each)
    given: dict[str, dict[str, Any]] = {
        "ours": {name: list(work(plan, bars)()[: len(exact[name])]) for name, bars in series.items()}
    }
    for who, kind in PEERS.items():
        text = getattr(each, kind)
        if text:
            make = getattr(peers, f"{kind}_work")
            given[who] = {name: peers.columns_of(make(text, bars)()) for name, bars in series.items()}
    found = {}
    for who, answers in given.items():
        places = [_place(answers[CALM], output) for output in exact[CALM]]
        if all(place is not None for place in places):
            found[who] = {
                name: max(
                    _error(answers[name][place], output) for place, output in zip(places, exact[name], strict=True)
                )
                for name in series
            }
    return found


def _place(columns: list[np.ndarray], output: np.ndarray) -> int | None:
    """Which of a peer's columns an output is; None where none is near it."""
    distances = [_error(column, output) for column in columns]
    nearest = int(np.argmin(distances))
    return nearest if distances[nearest] < 1e-8 else None


def _error(got: np.ndarray, exact: np.ndarray) -> float:
    if len(got) != len(exact):
        return np.inf
    size = np.abs(exact[SINCE:])
    size = np.maximum(size, np.median(size))
    largest = float((np.abs(got[SINCE:] - exact[SINCE:]) / size).max())
    return largest if np.isfinite(largest) else np.inf


def _walk(start: float, step: float) -> peers.Bars:
    """Return bars of a seeded walk with all the digits that doubles have."""
    random = np.random.default_rng(7)
    close = start * np.exp(np.cumsum(random.normal(0, step, BARS)))
    open_ = np.concatenate([[start], close[:-1]])
    reach = np.abs(random.normal(0, step * start, (2, BARS)))
    high, low = np.maximum(open_, close) + reach[0], np.minimum(open_, close) - reach[1]
    other = close * np.exp(np.cumsum(random.normal(0, step, BARS)))
    volume = random.integers(1, 500, BARS).astype(float)
    return {"open": open_, "high": high, "low": low, "close": close, "tick_volume": volume, "other": other}


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
