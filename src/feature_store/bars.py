"""What a bar is: its symbol, its timeframe, its columns, and the rules a valid one keeps."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from feature_store.errors import InvalidRequestError
from feature_store.times import MICROSECONDS_A_SECOND

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Integers = NDArray[np.int64]

PRICES = ("open", "high", "low", "close")
COLUMNS = (*PRICES, "tick_volume")
OTHER = "other"
"""The close of a second symbol's bar of the same time, for features that compare two symbols."""
FEATURE_COLUMNS = (*COLUMNS, OTHER)
QUOTE_COLUMNS = tuple(f"{side}_{price}" for side in ("bid", "ask") for price in PRICES)
SPREAD_COLUMNS = ("spread", "spread_mean", "spread_min", "spread_max")
"""Ask minus bid in quote currency: of the bar's last tick, the mean over its ticks, the least and the most.

The mean counts each tick's spread in whole points, ten-thousandths of a pip."""
OPTIONAL_COLUMNS = (*SPREAD_COLUMNS, *QUOTE_COLUMNS)

_CURRENCIES = frozenset(  # codes of three letters, one after another
    textwrap.wrap(
        "AEDAUDBRLCADCHFCLPCNHCNYCOPCZKDKKEURGBPHKDHUFIDRILSINRJPYKRWMXNMYRNOKNZDPENPHPPLNRONRUB"
        "SARSEKSGDTHBTRYTWDUSDZARXAGXAUXPDXPT",
        3,
    )
)
_SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9.]{0,11}(/[A-Z0-9]{2,12})?")


@dataclass(frozen=True, slots=True)
class Symbol:
    """An instrument's canonical name, `EUR/USD` for a currency pair."""

    name: str

    @classmethod
    def parse(cls, text: Any) -> Symbol:
        """Return the symbol for any common spelling (`EURUSD`, `eur_usd`, `EUR-USD`); raises InvalidRequestError.

        A frame's column of symbols stands for the one it holds.

        >>> Symbol.parse("eurusd").name
        'EUR/USD'
        """
        if isinstance(text, Symbol):
            return text
        return _parse_symbol(text if isinstance(text, str) else _only_name(text))

    @property
    def base(self) -> str:
        """The currency that is bought or sold, or the whole name of what is not a pair."""
        return self.name.split("/")[0]

    @property
    def quote(self) -> str:
        """The currency in which the price is given; USD for what is not a pair."""
        return self.name.split("/")[1] if "/" in self.name else "USD"

    @property
    def key(self) -> str:
        """The name for folders and cache keys, which `parse` reads back: no slash in a currency pair, a dash in others.

        >>> Symbol.parse("EUR/USD").key, Symbol.parse("BTC/USD").key
        ('EURUSD', 'BTC-USD')
        """
        return self.name.replace("/", "" if self.is_currency_pair else "-")

    @property
    def is_currency_pair(self) -> bool:
        """Whether both sides are currencies or metals, which rest on weekends.

        >>> Symbol.parse("EUR/USD").is_currency_pair, Symbol.parse("BTC/USD").is_currency_pair
        (True, False)
        """
        return "/" in self.name and self.base in _CURRENCIES and self.quote in _CURRENCIES

    @property
    def pip_size(self) -> float:
        """One pip in quote currency: 0.01 where the quote is yen, won, forint or rupiah, 0.0001 for other pairs, 0.01 else.

        >>> Symbol.parse("USD/JPY").pip_size
        0.01
        """
        if "/" not in self.name or self.base.startswith("X") or self.quote in {"JPY", "KRW", "HUF", "IDR"}:
            return 0.01
        return 0.0001

    def __str__(self) -> str:
        return self.name


def _only_name(column: Any) -> str:
    names = column.unique().tolist() if hasattr(column, "unique") else [column]
    if len(names) != 1 or not isinstance(names[0], str):
        shown = ", ".join(f"{name!r:.40}" for name in names[:3]) or "none"
        msg = f"symbol must be one instrument's name such as EUR/USD, was {shown}"
        raise InvalidRequestError(msg, field="symbol")
    return names[0]


@lru_cache(maxsize=4096)
def _parse_symbol(text: str) -> Symbol:
    name = text.strip().upper().replace("_", "/").replace("-", "/")
    if len(name) == 6 and name[:3] in _CURRENCIES and name[3:] in _CURRENCIES:  # noqa: PLR2004  EURUSD
        name = f"{name[:3]}/{name[3:]}"
    if name == "UNKNOWN" or not _SYMBOL.fullmatch(name):
        msg = f"symbol must be an instrument's name such as EUR/USD, was {text!r}"
        raise InvalidRequestError(msg, field="symbol")
    return Symbol(name)


@dataclass(frozen=True, slots=True, order=True)
class Timeframe:
    """A bar's length. Ordered by it; `1h` and below align to the UTC clock, above that to 17:00 New York."""

    seconds: int
    name: str = field(compare=False)

    @classmethod
    def parse(cls, text: Any) -> Timeframe:
        """Return the timeframe for `1m 5m 15m 30m 1h 2h 4h 8h 12h 1d 1w` or MetaTrader's `H1`; raises InvalidRequestError.

        >>> Timeframe.parse("H1").name
        '1h'
        """
        if isinstance(text, Timeframe):
            return text
        name = str(text).strip()
        found = _TIMEFRAMES.get(_ALIASES.get(name.upper(), name if name in _TIMEFRAMES else name.lower()))
        if found is None:
            msg = f"timeframe must be one of {' '.join(_TIMEFRAMES)}, was {text!r}"
            raise InvalidRequestError(msg, field="timeframe")
        return found

    @property
    def microseconds(self) -> int:
        """The nominal length; a New York day around a clock change is an hour longer or shorter."""
        return self.seconds * MICROSECONDS_A_SECOND

    def __str__(self) -> str:
        return self.name


_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_TIMEFRAMES = {
    name: Timeframe(seconds, name)
    for name, seconds in (
        *((f"{n}m", n * _MINUTE) for n in (1, 2, 3, 5, 10, 15, 30)),
        *((f"{n}h", n * _HOUR) for n in (1, 2, 3, 4, 6, 8, 12)),
        ("1d", _DAY),
        ("1w", 7 * _DAY),
    )
}
_ALIASES = {
    **{f"M{n}": f"{n}m" for n in (1, 2, 3, 5, 10, 15, 30)},
    **{f"H{n}": f"{n}h" for n in (1, 2, 3, 4, 6, 8, 12)},
    "D": "1d",
    "D1": "1d",
    "1DAY": "1d",
    "W": "1w",
    "W1": "1w",
    "60M": "1h",
    "1MIN": "1m",
    "1HOUR": "1h",
}
TIMEFRAMES = tuple(_TIMEFRAMES.values())


def is_timeframe(text: str) -> bool:
    """Return whether the text spells a timeframe."""
    return text.lower() in _TIMEFRAMES or text.upper() in _ALIASES


@dataclass(frozen=True, eq=False, slots=True)
class Bars:
    """Bars of one series as columns: `time` is bar open in UTC microseconds, strictly rising; every column is float64.

    `columns` holds `open high low close`, `tick_volume` (NaN where the source has none) and, where the source quotes both
    sides, `spread` and `bid_*`/`ask_*`; bars made of ticks have `spread_mean`, `spread_min` and `spread_max` too.
    """

    symbol: Symbol
    timeframe: Timeframe
    time: Integers
    columns: Mapping[str, Floats]

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        return f"<Bars {self.symbol} {self.timeframe} rows={len(self)}>"

    def __getitem__(self, rows: slice) -> Bars:
        """Return the rows of a slice, without copying."""
        return Bars(self.symbol, self.timeframe, self.time[rows], {n: c[rows] for n, c in self.columns.items()})

    def between(self, start: int | None, end: int | None) -> Bars:
        """Return the bars that open in `[start, end)`, in UTC microseconds."""
        return self[self.rows(start, end)]

    def rows(self, start: int | None, end: int | None) -> slice:
        """Return which rows open in `[start, end)`, in UTC microseconds."""
        first = 0 if start is None else int(self.time.searchsorted(start))
        return slice(first, len(self) if end is None else int(self.time.searchsorted(end)))
