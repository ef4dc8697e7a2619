"""Bars that laws are run over: a calm walk, and markets that break indicators. All are hours of EUR/USD's calendar.

A market is a dict of read-only columns, with the bars' opens as `time` and what clocks say then; copy what a test changes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import FEATURE_COLUMNS, OTHER, PRICES, Timeframe
from feature_store.calendar import Calendar
from feature_store.clock import CLOCK, clock_columns
from feature_store.times import to_microseconds
from tests.conftest import random_walk

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Columns = dict[str, NDArray[np.float64]]

ALL_PRICES = (*PRICES, OTHER)
BARS = 700
FLAT, LEVEL = 1.25, 1.1  # the first is a sum of powers of two, the second is not
HOLES = ((0, 23), (130, 131), (300, 360), (BARS - 30, BARS))

HOURS = Calendar.of("EUR/USD").expected(
    to_microseconds("2022-12-20"), to_microseconds("2027-12-20"), Timeframe.parse("1h")
)
"""Five years of hours, with weekends, holidays and ten clock changes."""


@lru_cache(maxsize=64)
def market(name: str, bars: int = BARS) -> Columns:
    """Return the first bars of a market."""
    return timed(MARKETS[name](bars), HOURS[:bars])


def timed(columns: Columns, opens: NDArray[np.int64]) -> Columns:
    """Return the market with its bars' opens, and what all clocks say then."""
    made = columns | {"time": opens.view("M8[us]")} | clock_columns(opens, CLOCK)
    for column in made.values():
        column.setflags(write=False)
    return made


def walk(bars: int, step: float = 1e-4, seed: int = 0) -> Columns:
    """Return a seeded walk of valid bars, and another as the second symbol."""
    frame = random_walk(bars, seed, step=step).assign(**{OTHER: random_walk(bars, seed + 1, step=step)["close"]})
    return {name: frame[name].to_numpy().copy() for name in FEATURE_COLUMNS}


def moved(columns: Columns, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Columns:
    """Return the market with every price changed in the same way."""
    return columns | {name: change(columns[name]) for name in ALL_PRICES}


def at_one_price(bars: int, price: float, volume: float = 10.0) -> Columns:
    """Return a market that does not move."""
    return {name: np.full(bars, price) for name in ALL_PRICES} | {"tick_volume": np.full(bars, volume)}


def without(columns: Columns, holes: tuple[tuple[int, int], ...] = HOLES) -> Columns:
    """Return the market with nothing known in some runs of rows."""
    holed = {name: column.copy() for name, column in columns.items()}
    for first, end in holes:
        for name in FEATURE_COLUMNS:
            holed[name][first:end] = np.nan
    return holed


def joined(*parts: Columns) -> Columns:
    """Return one market after another."""
    return {name: np.concatenate([part[name] for part in parts]) for name in FEATURE_COLUMNS}


def spiked(columns: Columns, row: int, **prices: float) -> Columns:
    """Return the market with some columns of one bar replaced."""
    return columns | {
        name: np.where(np.arange(len(columns[name])) == row, price, columns[name]) for name, price in prices.items()
    }


def _rising_and_resting(bars: int) -> Columns:
    """Return a walk that stands still for 150 bars of every 200."""
    columns, still = walk(bars), np.arange(bars) % 200 >= 50
    return moved(columns, lambda price: np.where(still, LEVEL, price))


def _staircase(bars: int) -> Columns:
    stairs = np.repeat(1.0 + np.arange(-(-bars // 10)) / 64, 10)[:bars]
    columns = {name: stairs + place / 1024 for place, name in enumerate(("low", "open", "close", "high"))}
    return columns | {OTHER: stairs, "tick_volume": np.arange(bars) % 3.0}


def _silent_at_times(bars: int) -> Columns:
    columns, row = walk(bars), np.arange(bars)
    return columns | {"tick_volume": np.where((row % 7 == 0) | ((row > 50) & (row < 170)), 0.0, columns["tick_volume"])}


def _everything(bars: int) -> Columns:
    """Return pieces of all markets one after another, with rows of which nothing is known."""
    pieces = [
        without(walk(160), ((0, 12), (70, 71), (100, 108))),
        at_one_price(70, LEVEL),
        MARKETS["yen"](60),
        {name: column[95:255] for name, column in MARKETS["spikes"](300).items()},
        MARKETS["no volume"](40),
        MARKETS["a staircase"](50),
        MARKETS["moves of a millionth"](50),
        MARKETS["wild"](60),
    ]
    whole = without(joined(*pieces), ((430, 436), (500, 501)))
    return {name: np.resize(column, bars) for name, column in whole.items()}


MARKETS: dict[str, Callable[[int], Columns]] = {
    "a walk": walk,
    "whole points": lambda bars: moved(walk(bars), lambda price: price.round(5)),
    "yen": lambda bars: moved(walk(bars, 3e-4), lambda price: (price * 136.0).round(3)),
    "offset of a million": lambda bars: moved(walk(bars), lambda price: price + 1e6),
    "moves of a millionth": lambda bars: walk(bars, 1e-6),
    "wild": lambda bars: walk(bars, 5e-2),
    "spikes": lambda bars: spiked(spiked(walk(bars), 100, high=1e9, close=1e9), 250, low=1e-9, close=1e-9),
    "at rest": lambda bars: at_one_price(bars, FLAT),
    "at rest at a price of many digits": lambda bars: at_one_price(bars, LEVEL),
    "resting": _rising_and_resting,
    "a staircase": _staircase,
    "a line": lambda bars: dict.fromkeys(ALL_PRICES, 1.0 + np.arange(bars) / 1000.0) | {"tick_volume": np.ones(bars)},
    "no volume": lambda bars: walk(bars) | {"tick_volume": np.zeros(bars)},
    "silent at times": _silent_at_times,
    "holes": lambda bars: without(walk(bars)),
    "nothing known": lambda bars: without(walk(bars), ((0, bars),)),
    "about zero": lambda bars: moved(walk(bars), lambda price: (price - 1.1) * 100.0),
    "at zero now and then": lambda bars: moved(
        walk(bars), lambda price: np.where(np.arange(bars) % 50 < 3, 0.0, price)
    ),
    "at zero": lambda bars: at_one_price(bars, 0.0),
    "of no size": lambda bars: moved(walk(bars), lambda price: price * 1e-300),
    "of any size": lambda bars: moved(walk(bars), lambda price: price * 1e300),
    "everything": _everything,
}
"""Every market by what it is like."""

ABOVE_ZERO = tuple(name for name in MARKETS if "zero" not in name)
"""Those with prices as currencies have them."""
