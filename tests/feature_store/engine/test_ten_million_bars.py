"""Ten million bars: nothing but the answer grows with them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

_CHILD = """
import json, resource, sys
import numpy as np
import feature_store as fs

ids, by_the_clock, bars = json.loads(sys.argv[1]), sys.argv[2] == "by the clock", 10_000_000

def columns(rows):
    made = {name: np.empty(rows) for name in ("open", "high", "low", "close", "tick_volume")}
    np.random.default_rng(0).random(out=made["close"])  # in place, so that nothing is held that was not there before
    made["close"] *= 1e-2
    made["close"] += 100.0
    made["open"][:] = made["close"]
    np.add(made["close"], 1e-3, out=made["high"])
    np.subtract(made["close"], 1e-3, out=made["low"])
    made["tick_volume"].fill(5.0)
    if by_the_clock:
        made["time"] = np.empty(rows, np.int64)
        made["time"].fill(60_000_000)
        made["time"][0] = 1_600_000_000_000_000
        np.cumsum(made["time"], out=made["time"])
        made["time"] = made["time"].view("M8[us]")
    return made

fs.compute(columns(1000), ids, as_="numpy")
data = columns(bars)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
answer = fs.compute(data, ids, as_="numpy")
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({
    "grown": (after - before) * 1024,
    "answer": sum(column.nbytes for column in answer.values()),
    "known": [int((column[-1000:] == column[-1000:]).all()) for column in answer.values()],
}))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the unit of a process's memory differs elsewhere")
@pytest.mark.parametrize(
    ("kind", "ids"),
    [
        ("by prices", ["sma_50", "ema_20", "rsi_14", "atr_14", "macd_12_26_9.line"]),
        ("by the clock", ["vwap", "session_minutes"]),
    ],
    ids=["by prices", "by the clock"],
)
def test_ten_million_bars_take_the_memory_of_the_answer_and_at_most_64_mb(kind, ids):
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, json.dumps(ids), kind], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["answer"] == 80_000_000 * len(told["known"])
    assert told["grown"] <= told["answer"] + 64 * 2**20
    assert all(told["known"])
