"""Thirty features of one series at once, beside TA-Lib's thirty calls: on one core, on two, and the memory it takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import feature_store as fs
from benchmarks import peers
from benchmarks.child import answer
from benchmarks.functions import EVERY
from benchmarks.market import BARS, market
from benchmarks.measure import in_turn
from feature_store.engine.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterator

LABELS = (
    *("sma_50", "ema_20", "rma_14", "wma_20", "kama_10_2_30", "dema_20", "tema_20", "hma_20", "linreg_slope_14"),
    *("bbands_20_2", "donchian_20", "adx_14.adx", "aroon_25", "supertrend_10_3", "psar_0.02_0.2.value", "vortex_14"),
    *("rsi_14", "macd_12_26_9", "ppo_12_26_9.line", "trix_15_9.value", "mom_10", "roc_10", "cci_20", "stoch_14_3_3"),
    *("willr_14", "atr_14", "stdev_20", "obv", "mfi_14", "cmf_20"),
)
THIRTY = [next(each for each in EVERY if each.label == label) for label in LABELS]
IDS = [column for each in THIRTY for column in each.ids]
CALLS = "; ".join(each.talib for each in THIRTY)
MEGABYTE = 2**20
STATUS = Path("/proc/self/status")


def rows(bars: int = BARS) -> Iterator[str]:
    """Yield the tables as Markdown lines."""
    one, two = (answer(measure, bars, cores=cores) for cores in (1, 2))
    columns = len(Plan.of(IDS).columns)
    yield f"### {len(THIRTY)} features ({columns} columns), {bars:,} bars"
    yield ""
    yield "| cores | ours | TA-Lib, 30 calls | ratio | goal |"
    yield "|---|---:|---:|---:|---|"
    for cores, pair, goal in ((1, one, "0.5"), (2, two, "")):
        yield (
            f"| {cores} | {pair['ours'] * 1e3:.0f} ms, {pair['ours'] / bars / len(THIRTY) * 1e9:.2f} ns a feature and bar "
            f"| {pair['peer'] * 1e3:.0f} ms | **{pair['ratio']:.2f}** | {goal} |"
        )
    yield ""
    yield (
        f"Two cores are **{one['ratio'] / two['ratio']:.2f}** times as fast as one (goal: 1.8), each beside TA-Lib, which "
        "computes one call after another."
    )
    yield ""
    yield f"### Memory of the same request, {bars:,} bars"
    yield ""
    yield "| | outputs | most at a time beyond inputs and outputs | goal |"
    yield "|---|---:|---:|---|"
    for way in ("arrays", "pandas"):
        spent = answer(memory, bars, way)
        yield f"| {way} in and out | {spent['outputs']:.0f} MB | {spent['beyond']:.0f} MB | 64 MB |"


def measure(bars: int) -> dict[str, Any]:
    """Return the times of ours and of TA-Lib's calls, in turn."""
    whole = market(bars)
    plan = Plan.of(IDS)
    held = {name: whole[name] for name in plan.inputs}
    pair = in_turn(lambda: plan.run(held), peers.talib_work(CALLS, whole), 9)
    return {"ours": pair.ours, "peer": pair.peer, "ratio": pair.ratio}


def memory(bars: int, way: str) -> dict[str, float]:
    """Return the megabytes of the answer, and those needed beyond it at the worst moment."""
    import pandas as pd

    fs.compute(pd.DataFrame(market(100)), IDS)  # libraries and compiled loops are not what is asked about
    whole: Any = market(bars)
    whole = pd.DataFrame(whole) if way == "pandas" else whole
    before = resident("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # begin the peak anew
    given = fs.compute(whole, IDS, as_="pandas" if way == "pandas" else "numpy")
    outputs = sum(given[name].nbytes for name in given) / MEGABYTE
    return {"outputs": outputs, "beyond": resident("VmHWM") - before - outputs}


def resident(field: str) -> float:
    """Return megabytes of this process: VmRSS now, VmHWM at the worst moment."""
    line = next(line for line in STATUS.read_text("ascii").splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    for line in rows():
        print(line, flush=True)
