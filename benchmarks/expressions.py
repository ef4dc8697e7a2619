"""Custom expressions beside the built-in indicators that they spell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.market import BARS, market
from benchmarks.measure import geometric_mean, in_turn
from benchmarks.ours import expressed, work
from feature_store.engine.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

SPELT = {
    "hl2": "(high + low) / 2",
    "roc_10": "100 * (close / lag(close, 10) - 1)",
    "log_return_1": "log(close / lag(close, 1))",
    "apo_12_26": "ema(close, 12) - ema(close, 26)",
    "tema_20": "3 * ema(close, 20) - 3 * ema(ema(close, 20), 20) + ema(ema(ema(close, 20), 20), 20)",
    "hma_20": "wma(2 * wma(close, 10) - wma(close, 20), 4)",
    "rsi_14": "100 * rma(max(diff(close, 1), 0), 14) / rma(abs(diff(close, 1)), 14)",
    "atr_14": "rma(tr(high, low, close), 14)",
    "natr_14": "100 * rma(tr(high, low, close), 14) / close",
    "zscore_20": "(close - sma(close, 20)) / stdev(close, 20)",
    "bbands_20_2.upper": "sma(close, 20) + 2 * stdev(close, 20)",
    "midprice_14": "(highest(high, 14) + lowest(low, 14)) / 2",
    "willr_14": "100 * (close - highest(high, 14)) / (highest(high, 14) - lowest(low, 14))",
    "vosc_5_10": "100 * (sma(tick_volume, 5) / sma(tick_volume, 10) - 1)",
    "efi_13": "ema(diff(close, 1) * tick_volume, 13)",
    "qstick_10": "sma(close - open, 10)",
    "ao_5_34": "sma((high + low) / 2, 5) - sma((high + low) / 2, 34)",
}


def rows(bars: int = BARS) -> Iterator[str]:
    """Yield the table as Markdown lines."""
    whole = market(bars)
    yield f"### Expressions beside the built-in they spell, {bars:,} bars (ns a bar)"
    yield ""
    yield "| built-in | expression | built-in | as expression | ratio |"
    yield "|---|---|---:|---:|---:|"
    ratios = {}
    for name, text in SPELT.items():
        spelt, built_in = (work(Plan.of([each]), whole) for each in (expressed(text), name))
        if not np.allclose(spelt(), built_in(), rtol=1e-9, atol=1e-9, equal_nan=True):
            msg = f"{text} is not {name}"
            raise SystemExit(msg)
        pair = in_turn(spelt, built_in, 9)
        ratios[name] = pair.ratio
        yield f"| `{name}` | `{text}` | {pair.peer / bars * 1e9:.2f} | {pair.ours / bars * 1e9:.2f} | {pair.ratio:.2f} |"
    worst = max(ratios, key=lambda name: ratios[name])
    yield ""
    yield (
        f"Geometric mean {geometric_mean(ratios.values()):.2f}, worst **{ratios[worst]:.2f}**, `{worst}` (goal: at most 1.5)."
    )


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
