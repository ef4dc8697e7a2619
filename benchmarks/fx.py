"""Bars of currency pairs on the FX calendar, made from a seed: what stores are filled with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import Timeframe
from feature_store.calendar import Calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

YEARS = (2014, 2024)
_LEGS = ("EUR", "GBP", "AUD", "NZD", "USD", "CAD", "CHF", "JPY")
PAIRS = tuple(f"{base}/{quote}" for place, base in enumerate(_LEGS) for quote in _LEGS[place + 1 :])


def opens(timeframe: str, years: Sequence[int] = YEARS) -> np.ndarray:
    """Return the opens of all bars that the FX calendar expects from the first year up to the second, UTC microseconds."""
    start, end = (moment(f"{year}-01-01") for year in years)
    return Calendar().expected(start, end, Timeframe.parse(timeframe))


def moment(text: str) -> int:
    """Return an ISO 8601 time in UTC microseconds."""
    return int(np.datetime64(text, "us").astype(np.int64))


def prices(bars: int, seed: int = 0, step: float = 2e-5) -> dict[str, np.ndarray]:
    """Return a walk of prices with five decimals, open, high, low, close and tick volume; every bar is valid.

    Args:
        bars: how many.
        seed: of which walk.
        step: the standard deviation of a bar's move, relative to the price; a minute's unless told otherwise.
    """
    random = np.random.default_rng(seed)
    close = np.round(1.1 * np.exp(np.cumsum(random.normal(0, step, bars))), 5)
    open_ = np.append(1.1, close[:-1])
    high = np.round(np.maximum(open_, close) * (1 + random.integers(0, 20, bars) * step / 2), 5)
    low = np.round(np.minimum(open_, close) * (1 - random.integers(0, 20, bars) * step / 2), 5)
    volume = random.integers(1, 100, bars).astype(float)
    return {"open": open_, "high": high, "low": low, "close": close, "tick_volume": volume}


def series(time: np.ndarray, seed: int = 0) -> dict[str, np.ndarray]:
    """Return bars as `ingest` takes them, with `time` as datetime64 in UTC."""
    return {"time": time.view("M8[us]"), **prices(len(time), seed)}
