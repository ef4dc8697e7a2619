"""Invented bars for demonstrations and tests: a seeded walk on the FX calendar, the same for everyone at every time.

1. Each calendar year begins at a price that the symbol and the year alone decide, so years fit together.
2. Within a year logarithmic steps of equal size and random sign and length, from a generator seeded by symbol,
   timeframe and year, are tilted so that they end where the next year begins.
3. Closes follow that path, a bar opens where the last one closed, and highs and lows reach a little beyond both.

So two requests that overlap agree where they do. The prices mean nothing; frames made of them are marked `synthetic`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from feature_store.bars import Bars
from feature_store.calendar import Calendar
from feature_store.times import MICROSECONDS_A_SECOND, to_datetime

if TYPE_CHECKING:
    from numpy.random import Generator

    from feature_store.bars import Floats, Symbol, Timeframe

_STEP_A_YEAR = 0.08  # standard deviation of a year's logarithmic return, as the major pairs have it
_HOURS_A_YEAR = 6240


def synthetic_bars(symbol: Symbol, timeframe: Timeframe, start: int, end: int) -> Bars:
    """Return invented bars that open in `[start, end)`, UTC microseconds, after a year of invented history before them.

    >>> from feature_store.bars import Symbol, Timeframe
    >>> week = synthetic_bars(Symbol.parse("EUR/USD"), Timeframe.parse("1d"), 1_672_700_400_000_000, 1_673_305_200_000_000)
    >>> len(week.between(1_672_700_400_000_000, None))
    5
    """
    years = range(to_datetime(start).year - 1, to_datetime(end - 1).year + 1)
    parts = [_year(symbol, timeframe, year) for year in years]
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    return Bars(symbol, timeframe, np.concatenate([part.time for part in parts]), columns).between(None, end)


def _year(symbol: Symbol, timeframe: Timeframe, year: int) -> Bars:
    first, last = (int(datetime(y, 1, 1, tzinfo=UTC).timestamp()) * MICROSECONDS_A_SECOND for y in (year, year + 1))
    time = Calendar.of(symbol).expected(first, last, timeframe)
    random = _random(symbol.name, timeframe.name, year)
    rows = len(time)
    noise = _STEP_A_YEAR * np.sqrt(timeframe.seconds / 3600 / _HOURS_A_YEAR)
    path = np.concatenate([[0.0], np.cumsum(random.normal(0.0, noise, rows))])
    begins, ends = np.log(_first_price(symbol, year)), np.log(_first_price(symbol, year + 1))
    share = np.linspace(0.0, 1.0, rows + 1)
    path += begins + share * (ends - begins - path[-1])
    price = np.exp(path)
    opens, closes = price[:-1], price[1:]
    return Bars(symbol, timeframe, time, _columns(random, opens, closes, noise))


def _columns(random: Generator, opens: Floats, closes: Floats, noise: float) -> dict[str, Floats]:
    reach = np.abs(random.normal(0.0, noise / 2, (2, len(opens))))
    return {
        "open": opens,
        "high": np.maximum(opens, closes) * (1 + reach[0]),
        "low": np.minimum(opens, closes) * (1 - reach[1]),
        "close": closes,
        "tick_volume": random.integers(50, 5000, len(opens)).astype(np.float64),
    }


def _first_price(symbol: Symbol, year: int) -> float:
    usual = 140.0 if symbol.pip_size > 0.001 else 1.1  # noqa: PLR2004  a quote in yen, or in a currency like the dollar
    return usual * float(np.exp(_random(symbol.name, "", year).normal(0.0, _STEP_A_YEAR)))


def _random(name: str, timeframe: str, year: int) -> Generator:
    return np.random.default_rng(crc32(f"{name} {timeframe} {year}".encode()))
