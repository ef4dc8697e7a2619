"""Bars written as tuples, and signals by row, for backtests that can be checked by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from strategy_execution_engine.strategies import Signal


@pytest.fixture(scope="session")
def bars_of_tuples():
    """Return a function from (open, high, low, close) tuples to a frame of hourly bars."""

    def build(rows, symbol="EUR/USD", **columns):
        index = pd.date_range("2023-01-02", periods=len(rows), freq="h", tz="UTC", name="time")
        frame = pd.DataFrame(rows, index, ["open", "high", "low", "close"], dtype=float).assign(**columns)
        frame.attrs.update(symbol=symbol, timeframe="1h")
        return frame

    return build


@pytest.fixture(scope="session")
def signal_at():
    """Return a function to a signal decided at the close of a frame's row."""

    def build(frame, row, direction, **details):
        close = float(frame["close"].iloc[row])
        return Signal(frame.attrs["symbol"], frame.index[row], direction, "by hand", entry=close, **details)

    return build
