"""A market in a folder, and commands that are run on it."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

import feature_store as fs
from feature_store.bars import Bars, Symbol, Timeframe
from feature_store.calendar import HOUR, Calendar
from feature_store.cli import app
from feature_store.times import to_microseconds

START, END = to_microseconds("2022-11-01T00:00Z"), to_microseconds("2023-03-01T00:00Z")
GONE = to_microseconds("2023-01-04T10:00Z")


def bars(symbol="EUR/USD", seed=0):
    """Every hour that the calendar expects but five, on 4 January 2023."""
    hourly = Timeframe.parse("1h")
    time = Calendar().expected(START, END, hourly)
    time = time[(time < GONE) | (time >= GONE + 5 * HOUR)]
    close = np.round(1.08 + np.cumsum(np.random.default_rng(seed).normal(0, 1e-4, len(time))), 5)
    columns = {"open": close, "high": close + 1e-4, "low": close - 1e-4, "close": close, "tick_volume": close * 0 + 9}
    return Bars(Symbol.parse(symbol), hourly, time, columns)


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "market"
    with fs.open(folder) as store:
        for seed, pair in enumerate(("EUR/USD", "GBP/USD")):
            store.ingest(pair, "1h", bars(pair, seed))
    return folder


@pytest.fixture
def bars_file(tmp_path):
    """The market's EUR/USD bars as a file."""
    with fs.open(tmp_path / "other") as store:
        store.ingest("EUR/USD", "1h", bars())
        frame = store.bars("EUR/USD", "1h")
    frame.to_csv(tmp_path / "EURUSD.csv")
    return tmp_path / "EURUSD.csv"


@pytest.fixture
def run(home, monkeypatch):
    """Run a command on the market; what it gives has `exit_code`, `stdout` and `stderr`."""
    monkeypatch.setenv("FEATURE_STORE_HOME", str(home))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])
