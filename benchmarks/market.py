"""The bars on which everything is measured: a seeded walk of prices with five decimals, as a broker of EUR/USD quotes them."""

from __future__ import annotations

import numpy as np

BARS = 1_000_000
PRICES = ("open", "high", "low", "close", "tick_volume")
MINUTE = 60_000_000


def market(bars: int = BARS) -> dict[str, np.ndarray]:
    """Return columns of bars, `other` a second symbol's closes; the first rows are the same however many are asked for."""
    moves, gaps, up, down, ticks, apart = (np.random.default_rng(seed) for seed in range(6))
    close = 1.1 * np.exp(np.cumsum(moves.normal(0, 1e-4, bars)))
    open_ = np.concatenate([[1.1], close[:-1]]) + gaps.choice([-1e-5, 0.0, 1e-5], bars)
    high = np.maximum(open_, close) + np.abs(up.normal(0, 1e-4, bars))
    low = np.minimum(open_, close) - np.abs(down.normal(0, 1e-4, bars))
    volume = ticks.integers(1, 100, bars).astype(float)
    prices = (np.round(each, 5) for each in (open_, high, low, close))
    other = np.round(close * np.exp(np.cumsum(apart.normal(0, 1e-4, bars))), 5)
    return dict(zip(PRICES, (*prices, volume), strict=True)) | {"other": other}


def times(bars: int) -> np.ndarray:
    """Return the open of each bar, a minute apart, in microseconds since 1970; the first is of 2020."""
    return 1_577_836_800_000_000 + MINUTE * np.arange(bars)
