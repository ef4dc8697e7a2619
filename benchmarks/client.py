"""The client: a cached month, beside copying the same frame with pandas; and a live answer over loopback."""

from __future__ import annotations

import asyncio
import tempfile
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import feature_store as fs
from benchmarks.measure import in_turn
from feature_store.service.process import ServiceProcess
from strategy_execution_engine.caching.feature_cache import FeatureCache
from strategy_execution_engine.clients.feature_store_client import FeatureStoreClient

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 744
IDS = ["sma_50", "sma_200", "rsi_14"]
MONTH = ("GOLD", "2023-01-01", "2023-01-31", "1h", IDS)


def rows() -> Iterator[str]:
    """Yield the tables as Markdown lines."""
    with tempfile.TemporaryDirectory() as home:
        _fill(home)
        with ServiceProcess(home) as service:
            hit, copy, live = asyncio.run(_measure(service.api_url))
    yield f"### `get_indicators`, {ROWS} x {len(IDS)}"
    yield ""
    yield "| way | time |"
    yield "|---|---|"
    yield f"| from the cache, answer the caller's own | **{hit * 1e6:.0f} µs** (goal: at most 80) |"
    yield f"| `DataFrame.copy()` of the same answer, as a yardstick | {copy * 1e6:.0f} µs |"
    yield f"| from the service over loopback, nothing cached by the client | {live * 1e3:.2f} ms |"


def _fill(home: str) -> None:
    """Store 40 days without a weekend (GOLD is no currency pair), so that January has 744 hours."""
    time = pd.date_range("2022-12-22", "2023-02-01", freq="h", tz="UTC", inclusive="left")
    close = 1800.0 + np.cumsum(np.random.default_rng(0).normal(0, 1, len(time)))
    frame = pd.DataFrame(
        {"open": close, "high": close + 1, "low": close - 1, "close": close, "volume": 1.0}, index=time
    )
    with fs.open(home) as store:
        store.ingest("GOLD", "1h", frame)


async def _measure(url: str) -> tuple[float, float, float]:
    async with FeatureStoreClient(url, cache=FeatureCache()) as client:
        frame = await client.get_indicators(*MONTH)
        if frame.shape != (ROWS, len(IDS)):
            msg = f"expected {ROWS} x {len(IDS)}, got {frame.shape}"
            raise SystemExit(msg)
        loop = asyncio.get_running_loop()
        pair = await loop.run_in_executor(
            None, lambda: in_turn(lambda: _many_hits(client), lambda: _many_copies(frame))
        )
    async with FeatureStoreClient(url, use_cache=False) as client:
        times = []
        for _ in range(50):
            started = loop.time()
            await client.get_indicators(*MONTH)
            times.append(loop.time() - started)
    return pair.ours / 200, pair.peer / 200, float(np.median(times))


def _many_hits(client: FeatureStoreClient) -> None:
    async def hits() -> None:
        for _ in range(200):
            await client.get_indicators(*MONTH)

    asyncio.run(hits())


def _many_copies(frame: pd.DataFrame) -> None:
    for _ in range(200):
        frame.copy()


if __name__ == "__main__":
    print("\n".join(rows()))
