"""Prices in points, as MetaTrader dumps them (USD/JPY 81121 means 81.121), told from the values where nothing else says so.

Only pairs whose digits are the same everywhere are looked at: three for yen, five among the other seven majors. Their
prices lie between 0.3 and 3, or 30 and 300 yen, so that whole numbers from 30,000 to 300,000 can be nothing but points. Metals,
rupiah, won and the like are left alone: 25,000 is a price there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import PRICES
from feature_store.ingest.spelling import TICK_PRICES

if TYPE_CHECKING:
    from feature_store.bars import Symbol
    from feature_store.ingest.frames import Table

_MAJORS = frozenset({"USD", "EUR", "GBP", "CHF", "CAD", "AUD", "NZD"})
_LOWEST, _HIGHEST = 30_000, 300_000
_DUST = 1e-6


def price_divisor(table: Table, symbol: Symbol | None) -> float:
    """Return what the prices of a table must be divided by: 1.0 unless every one of them is in points beyond doubt."""
    points = _points(symbol)
    if points == 1 or not len(table):
        return 1.0
    columns = table.quotes() if "open" not in table.names and "bid" in table.names else table.values()
    prices = np.concatenate([columns[name] for name in (*PRICES, *TICK_PRICES) if name in columns])
    prices = prices[np.isfinite(prices)]
    whole = np.abs(prices - np.rint(prices)) < _DUST
    plausible = (prices >= _LOWEST) & (prices <= _HIGHEST)
    return points if len(prices) and bool((whole & plausible).all()) else 1.0


def _points(symbol: Symbol | None) -> float:
    """Return how many points one unit of the quote currency has, for the pairs where that is the same everywhere."""
    if symbol is None or not symbol.is_currency_pair or symbol.base not in _MAJORS:
        return 1.0
    return 1e3 if symbol.quote == "JPY" else 1e5 if symbol.quote in _MAJORS else 1.0
