"""Closed bars one by one: ours beside TA-Lib's stream handles and talipp's indicators; and what all that state takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import talib.stream

import feature_store as fs
from benchmarks import peers
from benchmarks.calls import calls
from benchmarks.child import answer
from benchmarks.functions import CANDLES, INDICATORS, Shared
from benchmarks.market import PRICES, market
from benchmarks.measure import in_turn, median_seconds
from benchmarks.request import MEGABYTE, resident

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

BARS = 20_000
HISTORY = 1_000
TALIPP_BARS = 2_000
SERIES = 28 * 6
EIGHTEEN = (
    *("sma", "ema", "rma", "wma", "stdev", "rsi", "atr", "macd", "bbands", "stoch", "adx", "donchian", "donchian_prev"),
    *("keltner", "obv", "roc", "zscore", "kama"),
)
HUNDRED = [
    each
    for each in (*INDICATORS, *CANDLES)
    if len(calls(each.talib)) == 1 and "other" not in each.talib and each.label != "macd_talib_12_26_9"
][:100]

Bar = dict[str, float]


def rows(bars: int = BARS) -> Iterator[str]:
    """Yield the tables as Markdown lines."""
    closed = closed_bars(bars)
    each = median_seconds(_feed(EIGHTEEN, closed), 7) / bars
    peek = fs.live(EIGHTEEN)
    peeked = median_seconds(lambda: [peek.peek(**bar) for bar in closed[:2000]] and None, 7) / 2000
    yield "### 18 features (33 values) a bar"
    yield ""
    yield f"`update`, its dict included: **{each * 1e6:.1f} µs** a bar (goal: at most 4); `peek`: {peeked * 1e6:.1f} µs."
    yield ""
    yield from _hundred(closed)
    yield ""
    yield from _state()


def closed_bars(count: int) -> list[Bar]:
    """Return bars as `update` takes them."""
    columns = market(count)
    return [
        dict(zip(PRICES, row, strict=True)) for row in zip(*(columns[name].tolist() for name in PRICES), strict=True)
    ]


# ---------------------------------------------------------------- 100 features
def _hundred(closed: list[Bar]) -> Iterator[str]:
    pair = in_turn(_feed(_ids(HUNDRED), closed), _handles(HUNDRED, closed), 5)
    known = [each for each in HUNDRED if each.talipp]
    few = closed[:TALIPP_BARS]
    peers.install()
    beside = in_turn(_feed(_ids(known), few), _talipp(known, few), 3)
    beside_talib = in_turn(_feed(_ids(known), few), _handles(known, few), 5)
    yield f"### {len(HUNDRED)} features a bar, {len(closed):,} bars"
    yield ""
    yield "Ours is one `update`, its dict included; TA-Lib one handle a function, talipp one indicator a function, their values"
    yield "gathered in a list."
    yield ""
    yield "| features | ours | TA-Lib's handles | ratio | talipp | ratio | goal |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    yield (
        f"| {len(HUNDRED)} ({len(fs.live(_ids(HUNDRED)).plan.columns)} values) | **{_us(pair.ours, len(closed))}** "
        f"| {_us(pair.peer, len(closed))} | {pair.ratio:.2f} | | | 10 µs |"
    )
    yield (
        f"| the {len(known)} of them that talipp has | {_us(beside.ours, TALIPP_BARS)} "
        f"| {_us(beside_talib.peer, TALIPP_BARS)} | {beside_talib.ratio:.2f} "
        f"| {_us(beside.peer, TALIPP_BARS)} | {beside.ratio:.1g} | |"
    )


def _feed(ids: Sequence[str], closed: list[Bar]) -> Callable[[], None]:
    """Return what feeds the bars to one `Live`, which goes on from one round to the next."""
    live = fs.live(ids)

    def run() -> None:
        for bar in closed:
            live.update(**bar)

    return run


def _handles(functions: list[Shared], closed: list[Bar]) -> Callable[[], None]:
    """Return what feeds the bars to one handle of TA-Lib's a function, opened on a history of their beginning."""
    bars = market(len(closed))
    wanted = [call for each in functions for call in calls(each.talib)]
    columns = [[bars["tick_volume" if name == "volume" else name] for name in call.columns] for call in wanted]
    given = list(zip(*(zip(*(column.tolist() for column in held), strict=True) for held in columns), strict=True))
    updates = [
        getattr(talib.stream, call.name)(*(column[:HISTORY] for column in held), *call.parameters).update
        for call, held in zip(wanted, columns, strict=True)
    ]

    def run() -> None:
        for row in given:
            [update(*values) for update, values in zip(updates, row, strict=True)]

    return run


def _talipp(functions: list[Shared], closed: list[Bar]) -> Callable[[], None]:
    """Return what feeds the bars to talipp's indicators, which keep every bar they have seen."""
    import talipp.indicators
    from talipp.ohlcv import OHLCV

    wanted = [call for each in functions for call in calls(each.talipp)]
    records = [OHLCV(*bar.values()) for bar in closed]
    given = [[record if call.columns == ("bars",) else record.close for call in wanted] for record in records]
    made = [getattr(talipp.indicators, call.name)(*call.parameters) for call in wanted]

    def run() -> None:
        for row in given:
            for indicator, value in zip(made, row, strict=True):
                indicator.add(value)
            [indicator[-1] for indicator in made]

    return run


def _ids(functions: list[Shared]) -> list[str]:
    return [column for each in functions for column in each.ids]


# ---------------------------------------------------------------- state
def _state() -> Iterator[str]:
    held = answer(state)
    yield f"### State of {len(HUNDRED)} features, 28 pairs x 6 timeframes"
    yield ""
    yield (
        f"**{held['words']:.1f} MB** of words (goal: below 50), {held['resident']:.1f} MB more of the process with {SERIES} "
        f"`fs.live` made; a snapshot of one takes {held['snapshot']:.0f} kB."
    )


def state() -> dict[str, Any]:
    """Return the megabytes that the states of all series take."""
    ids = _ids(HUNDRED)
    first = fs.live(ids)
    (bar,) = closed_bars(1)
    first.update(**bar)
    before = resident("VmRSS")
    lives = [fs.live(ids) for _ in range(SERIES)]
    for live in lives:
        live.update(**bar)  # so that every page is there
    words = len(first.plan.words) * 8 * SERIES / MEGABYTE
    return {"words": words, "resident": resident("VmRSS") - before, "snapshot": len(first.snapshot()) / 1024}


def _us(total: float, bars: int) -> str:
    return f"{total / bars * 1e6:,.1f} µs"


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
