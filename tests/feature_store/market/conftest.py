"""Markets to feed: random bars of two pairs with gaps, and what history says of them."""

from __future__ import annotations

import numpy as np
import pandas as pd

import feature_store as fs
from feature_store.bars import Timeframe
from feature_store.calendar import Calendar
from feature_store.times import to_datetime, to_microseconds
from tests.conftest import random_walk, same_bits

ASKED = {
    "EUR/USD": {
        "15m": ["sma_3", "rsi_3@4h", "macd_2_4_3@1h", "vwap", "sma_3@15m"],
        "1h": ["rsi_3", "sma_3@1d", "obv"],
        "1d": ["sma_3"],
    },
    "GBP/USD": {"15m": [], "30m": ["obv", "sma_3@30m"], "4h": ["rsi_3", "sma_3"]},
}
"""Own features, features of higher timeframes, volumes, a clock, a lowest timeframe without any."""

COMPARED = {
    "EUR/USD": {"15m": ["sma_3", "correl_5@GBPUSD", "correl_5@GBPUSD@1h"], "1h": ["correl_5@EURUSD@GBPUSD"]},
    "GBP/USD": {"15m": ["correl_5@EURUSD"], "4h": ["sma_3"]},
}
"""Each looks at the other."""

STARTS = ("2023-03-09T12:00Z", "2023-11-02T12:00Z", "2023-12-21T12:00Z", "2023-05-02T20:00Z")
"""Before New York's clock goes forward and back, before Christmas, and in May."""


def bars_of(
    seed: int, start: str, count: int, *, symbol: str = "EUR/USD", longest_gap: int = 6, timeframe: str = "15m"
) -> dict[int, dict]:
    """Return bars by their open in microseconds; volumes have fractions, which do not add up the same in every order."""
    random = np.random.default_rng(seed)
    first = to_microseconds(start)
    expected = Calendar.of(symbol).expected(first, first + 60 * 86_400_000_000, Timeframe.parse(timeframe))
    gaps = np.where(random.random(count) < 0.1, random.integers(2, longest_gap + 1, count), 1)
    places = np.minimum(np.cumsum(gaps) - 1, len(expected) - 1)
    walk = random_walk(count, seed, step=1e-3).assign(tick_volume=random.random(count) * 100)
    return dict(zip(expected[places].tolist(), walk.to_dict("records"), strict=False))


def history(bars: dict[str, dict[int, dict]], asked: dict) -> dict[tuple[str, str], pd.DataFrame]:
    """Return what a store says of all that a market was asked, by symbol and timeframe."""
    with fs.open(":memory:") as store:
        for symbol, mine in bars.items():
            lowest = min(asked[symbol], key=Timeframe.parse)
            times = pd.DatetimeIndex([to_datetime(moment) for moment in sorted(mine)], name="time")
            frame = pd.DataFrame([mine[moment] for moment in sorted(mine)], index=times)
            report = store.ingest(symbol, lowest, frame)
            assert report.stored == len(mine)
        return {
            (symbol, timeframe): frame
            for symbol, timeframes in asked.items()
            for timeframe, features in timeframes.items()
            if features and (frame := closed(store, symbol, timeframe, features)) is not None
        }


def closed(store, symbol, timeframe, features):
    try:
        return store.features(symbol, timeframe, features)
    except fs.errors.DataNotFoundError:
        return None  # no bar has closed yet


def assert_rows_are_history(rows, bars, asked) -> None:
    """Hold the last row given of each bar against history: the same bars, columns and bits."""
    last = {(row.symbol, row.timeframe, row.time): row for row in rows}
    wanted = history(bars, asked)
    assert {(symbol, timeframe) for symbol, timeframe, _ in last} == set(wanted)
    for (symbol, timeframe), frame in wanted.items():
        mine = sorted(
            (row for row in last.values() if (row.symbol, row.timeframe) == (symbol, timeframe)), key=lambda r: r.time
        )
        assert [row.time for row in mine] == list(frame.index)
        assert all(list(row.values) == list(frame.columns) for row in mine)
        assert same_bits([list(dict.values(row.values)) for row in mine], frame)


def feed(market, bars: dict[str, dict[int, dict]], order=None) -> list:
    """Feed all bars in an order of (symbol, moment), by default of time; return every row given."""
    order = order or sorted(((symbol, moment) for symbol in bars for moment in bars[symbol]), key=lambda each: each[1])
    rows = []
    for symbol, moment in order:
        rows += market.update(symbol, time=to_datetime(moment), **bars[symbol][moment])
    return rows
