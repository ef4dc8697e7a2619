"""Bars, and a feature store's client that calculates what it is asked, for tests of strategies."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

import feature_store
from strategy_execution_engine.strategies.market import frame_of


@pytest.fixture(scope="session")
def bars_from():
    """Return a function from closes to a frame of hourly bars: each opens at the close before and reaches `reach` further."""

    def build(closes, reach=0.0005, symbol="EUR/USD"):
        close = np.asarray(closes, dtype=float)
        opened = np.concatenate((close[:1], close[:-1]))
        index = pd.date_range("2023-01-02", periods=len(close), freq="h", tz="UTC", name="time")
        frame = pd.DataFrame(
            {
                "open": opened,
                "high": np.maximum(opened, close) + reach,
                "low": np.minimum(opened, close) - reach,
                "close": close,
            },
            index=index,
        )
        frame.attrs.update(symbol=symbol, timeframe="1h")
        return frame

    return build


@pytest.fixture(scope="session")
def wandering(bars_from):
    """Return a function from a seed to a frame of 400 bars that wander around 1.1 by turns quietly and wildly."""

    def build(seed, rows=400):
        random = np.random.default_rng(seed)
        step = np.where(np.arange(rows) // 40 % 2, 0.0015, 0.0003)
        return bars_from(1.1 + np.cumsum(random.normal(0, step)), reach=0.0004)

    return build


class CalculatingClient:
    """Answers `get_indicators` by calculating on the bars it is handed; `source` is what it claims the answer to be."""

    def __init__(self, source="live", as_of=None, error=None, fallback="direct"):
        self.source, self.error, self.fallback = source, error, fallback
        self.as_of = as_of or datetime.now(UTC).isoformat()
        self.asked, self.closed = [], 0

    async def get_indicators(self, symbol, start_date, end_date, timeframe="1h", indicators=None, bars=None):
        self.asked.append({"symbol": symbol, "start": start_date, "end": end_date, "timeframe": timeframe})
        if self.error is not None:
            raise self.error
        frame = feature_store.compute(bars if isinstance(bars, pd.DataFrame) else frame_of(bars), indicators)
        frame.attrs["provenance"] = {"source": self.source, "as_of": self.as_of}
        return frame

    async def close(self):
        self.closed += 1


@pytest.fixture
def client():
    return CalculatingClient()


@pytest.fixture
def client_that():
    return CalculatingClient
