"""The engine beside TA-Lib: functions over 1,000,000 bars on one core, many features at once, and live bars."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import talib

import feature_store as fs
from benchmarks.measure import in_turn, median_seconds
from feature_store.engine.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BARS = 1_000_000
LIVE_BARS = 20_000
GOAL = ("rsi_14", "sma_50", "ema_20", "atr_14", "macd_12_26_9", "bbands_20_2", "stdev_20")
EIGHTEEN = [
    "sma",
    "ema",
    "rma",
    "wma",
    "stdev",
    "rsi",
    "atr",
    "macd",
    "bbands",
    "stoch",
    "adx",
    "donchian",
    "donchian_prev",
    "keltner",
    "obv",
    "roc",
    "zscore",
    "kama",
]


def market() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    close = 1.1 * np.exp(np.cumsum(random.normal(0, 1e-4, BARS)))
    reach = np.abs(random.normal(0, 1e-4, (2, BARS)))
    bars = {"open": close, "high": close * (1 + reach[0]), "low": close * (1 - reach[1]), "close": close}
    return bars | {"tick_volume": random.integers(1, 100, BARS).astype(float)}


def peers(bars: dict[str, np.ndarray]) -> dict[str, tuple[list[str], Callable[[], object]]]:
    """For each of our features, the columns that are asked of us and the peer's call that gives as many."""
    h, l, c, v = (bars[name] for name in ("high", "low", "close", "tick_volume"))  # noqa: E741
    bands = [f"bbands_20_2.{name}" for name in ("upper", "middle", "lower")]
    return {
        "rsi_14": (["rsi_14"], lambda: talib.RSI(c, 14)),
        "sma_50": (["sma_50"], lambda: talib.SMA(c, 50)),
        "ema_20": (["ema_20"], lambda: talib.EMA(c, 20)),
        "atr_14": (["atr_14"], lambda: talib.ATR(h, l, c, 14)),
        "macd_12_26_9": (["macd_12_26_9"], lambda: talib.MACD(c, 12, 26, 9)),
        "bbands_20_2": (bands, lambda: talib.BBANDS(c, 20, 2, 2)),
        "stdev_20": (["stdev_20"], lambda: talib.STDDEV(c, 20)),
        "rma_14": (["rma_14"], lambda: talib.RMA(c, 14)),
        "wma_20": (["wma_20"], lambda: talib.WMA(c, 20)),
        "kama_10": (["kama_10"], lambda: talib.KAMA(c, 10)),
        "stoch_14_3_3": (["stoch_14_3_3"], lambda: talib.STOCH(h, l, c, 14, 3, 0, 3, 0)),
        "adx_14": (["adx_14"], lambda: [f(h, l, c, 14) for f in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)]),
        "donchian_20": (["donchian_20"], lambda: talib.DONCHIAN(h, l, 20)),
        "obv": (["obv"], lambda: talib.OBV(c, v)),
        "roc_10": (["roc_10"], lambda: talib.ROC(c, 10)),
    }


def rows() -> Iterator[str]:
    """Yield the tables as Markdown lines."""
    bars = market()
    yield "### One function over 1,000,000 bars, one core (ns a bar)"
    yield ""
    yield "The engine on arrays beside TA-Lib on the same arrays; `checked` is the ratio of `fs.compute`, which first refuses"
    yield "infinite prices, crossed bars and disorder; TA-Lib checks nothing."
    yield ""
    yield "| feature | ours | TA-Lib | ratio | checked |"
    yield "|---|---|---|---|---|"
    ratios, checked = {}, {}
    for name, (ids, peer) in peers(bars).items():
        plan = Plan.of(ids)
        held = {column: bars[column] for column in plan.inputs}
        pair = in_turn(lambda plan=plan, held=held: plan.run(held), peer)
        ratios[name] = pair.ratio
        checked[name] = in_turn(lambda held=held, ids=ids: fs.compute(held, ids, as_="numpy"), peer).ratio
        star = " *" if name in GOAL else ""
        yield f"| `{name}`{star} | {_ns(pair.ours)} | {_ns(pair.peer)} | {pair.ratio:.2f} | {checked[name]:.2f} |"
    yield ""
    yield (
        f"Geometric mean of the seven with a star: **{_geometric([ratios[n] for n in GOAL]):.2f}** (goal: at most 1.0), "
        f"checked {_geometric([checked[n] for n in GOAL]):.2f}; of all: {_geometric(list(ratios.values())):.2f}."
    )
    yield ""
    yield from _live(bars)


def _live(bars: dict[str, np.ndarray]) -> Iterator[str]:
    names = tuple(bars)
    closed = [
        dict(zip(names, row, strict=True)) for row in zip(*(c[:LIVE_BARS].tolist() for c in bars.values()), strict=True)
    ]

    def run() -> None:
        live = fs.live(EIGHTEEN)
        for bar in closed:
            live.update(**bar)

    each = median_seconds(run, 7) / LIVE_BARS
    peek = fs.live(EIGHTEEN)
    peeked = median_seconds(lambda: [peek.peek(**bar) for bar in closed[:2000]] and None, 7) / 2000
    yield "### Live, 18 features (33 values) a bar"
    yield ""
    yield f"`update`, its dict included: **{each * 1e6:.1f} µs** a bar (goal: at most 4); `peek`: {peeked * 1e6:.1f} µs."


def _ns(total: float) -> str:
    return f"{total / BARS * 1e9:.2f}"


def _geometric(ratios: list[float]) -> float:
    return math.exp(sum(map(math.log, ratios)) / len(ratios))
