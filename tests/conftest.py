"""What every test may use."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from feature_store.engine import generated
from feature_store.engine.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.indicators.series import Series

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real market data that is not part of the project; absent on most machines."""
    if not SHARED_DATA.is_dir():
        pytest.skip("../shared/data is not here")
    return SHARED_DATA


@pytest.fixture(scope="session")
def eurusd() -> pd.DataFrame:
    """5,000 hours of EUR/USD, 2017-04-19 to 2018-02-07, from the backtesting package."""
    frame = pd.read_csv(backtesting_file("EURUSD.csv"), index_col=0, parse_dates=True)
    frame.columns = ["open", "high", "low", "close", "tick_volume"]
    frame.index = frame.index.tz_localize("UTC").rename("time")
    frame.attrs["symbol"] = "EUR/USD"
    return frame.astype(float)


@pytest.fixture
def walk() -> pd.DataFrame:
    """1,200 invented hours of a seeded walk: for arithmetic that needs no market."""
    hours = pd.date_range("2023-01-02", periods=1200, freq="h", tz="UTC", unit="us", name="time")
    return random_walk(1200).set_index(hours)


def random_walk(bars: int, seed: int = 0, start: float = 1.1, step: float = 1e-4) -> pd.DataFrame:
    """Return a seeded walk of valid bars."""
    random = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(random.normal(0, step, bars)))
    open_ = np.concatenate([[start], close[:-1]])
    reach = np.abs(random.normal(0, step * start, (2, bars)))
    high, low = np.maximum(open_, close) + reach[0], np.minimum(open_, close) - reach[1]
    volume = random.integers(0, 500, bars).astype(float)
    return pd.DataFrame({"open": open_, "high": high, "low": low, "close": close, "tick_volume": volume})


def program(*names: str) -> str:
    """Return where one of these programs is; see `absent` for a machine that has none."""
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        absent(names[0])
    return str(found)


@pytest.fixture(scope="session")
def chromium() -> str:
    """A browser to look at pages with (Debian: chromium)."""
    return program("chromium", "chromium-browser", "google-chrome")


def absent(what: str) -> None:
    """Skip a test that needs what is absent; where CI runs the same absence is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is absent, and CI must have it")
    pytest.skip(f"{what} is absent")


def backtesting_file(name: str) -> Path:
    found = importlib.util.find_spec("backtesting")
    if found is None or found.origin is None:
        absent("the backtesting package")
    return Path(found.origin).parent / "test" / name


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock that is stepped."""
    return Clock()


def same_bits(left: object, right: object) -> bool:
    """Whether two arrays of float64 are equal to the bit, NaN to NaN."""
    a, b = (np.ascontiguousarray(each, dtype=np.float64) for each in (left, right))
    return a.shape == b.shape and bool(((a.view(np.int64) == b.view(np.int64)) | (np.isnan(a) & np.isnan(b))).all())


def values_of(node: Series, columns: Mapping[str, object]) -> np.ndarray:
    """Return the values of one node of the graph over columns."""
    loop = Loop((node,))
    given = [np.ascontiguousarray(columns[name], dtype=np.float64) for name in loop.columns]
    words, out = loop.words.copy(), np.empty(len(given[0]) if given else len(columns["close"]))
    arguments = np.array([len(out), *(array.ctypes.data for array in (*given, words, out))])
    generated.caller(loop.address)(arguments.ctypes.data)
    return out


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their length: compressed ones hold the time of day, and names must not change from process to process."""
    return f"{argname}-{len(val)}-bytes" if isinstance(val, bytes) else None
