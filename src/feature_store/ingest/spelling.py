"""Column names as sources spell them (`Open`, `<TICKVOL>`, `Gmt time`, `bidclose`), and the names they have here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from feature_store.bars import PRICES, QUOTE_COLUMNS, SPREAD_COLUMNS
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

_VOLUMES = ("tick_volume", "tickvolume", "tickvol", "tick_vol", "ticks", "volume", "vol", "v")  # the earlier the better
_TIMES = (
    "time",
    "datetime",
    "date_time",
    "timestamp",
    "ts",
    "t",
    "open_time",
    "opentime",
    "bar_time",
    "local_time",
)
_TIMES_UTC = ("gmt_time", "time_gmt", "utc_time", "time_utc", "utc", "gmt", "etc_utc", "timestamp_utc", "datetime_utc")
_INDEXES = ("", "index", "level_0", "unnamed_0")  # an index written to a file, with or without a name
_PRICE_SPELLINGS = {
    spelling: price for price in PRICES for spelling in (price, price[0], f"{price}_price", f"mid_{price}")
}
TICK_PRICES = ("bid", "ask")
TICK_VOLUMES = ("bid_volume", "ask_volume")
_TICK_SPELLINGS = {
    **{spelling: side for side in TICK_PRICES for spelling in (side, f"{side}_price", f"{side}price")},
    **{
        f"{side}{between}{word}": f"{side}_volume"
        for side in TICK_PRICES
        for between in ("", "_")
        for word in ("volume", "vol", "size")
    },
}
_SPELLINGS = {
    **_PRICE_SPELLINGS,
    **_TICK_SPELLINGS,
    **dict.fromkeys(_VOLUMES, "tick_volume"),
    **dict.fromkeys((*_TIMES, *_TIMES_UTC, *_INDEXES), "time"),
    **{name: name for name in (*SPREAD_COLUMNS, "known_at", "date")},
}
_QUOTE = re.compile(
    r"(?P<side>bid|ask)_?(?P<price>open|high|low|close|o|h|l|c)|(?P<price2>open|high|low|close)_?(?P<side2>bid|ask)"
)

EXPECTED = "time, open, high, low and close (tick_volume, spread and bid_* or ask_* prices are welcome)"
EXPECTED_OF_TICKS = "time, bid and ask"
REQUIRED = ("time", *PRICES)
REQUIRED_OF_TICKS = ("time", *TICK_PRICES)


def canonical_names(columns: Iterable[str]) -> dict[str, str]:
    """Return the name here -> the source's name, for the columns that mean something; `date` only beside a `time` of day.

    A source with both a tick volume and a volume means the former. Raises InvalidRequestError when two columns mean the same.

    >>> canonical_names(["Gmt time", "Open", "High", "Low", "Close", "Volume"])["tick_volume"]
    'Volume'
    """
    found: dict[str, str] = {}
    for column in columns:
        name = _meaning(column)
        if name is None:
            continue
        if name in found:
            if name == "tick_volume":
                found[name] = min(found[name], column, key=lambda each: _VOLUMES.index(_plain(each)))
                continue
            msg = f"the columns {found[name]!r} and {column!r} both mean {name}; leave one of them out"
            raise InvalidRequestError(msg, field="bars")
        found[name] = column
    if "date" in found and "time" not in found:
        found["time"] = found.pop("date")
    return found


def lacking(names: Iterable[str]) -> list[str]:
    """Return which required columns are not among `names`; prices of one or both sides stand in for the middle."""
    present = set(names)
    quoted = any(all(f"{side}_{price}" in present for price in PRICES) for side in ("bid", "ask"))
    return [name for name in REQUIRED if name not in present and not (quoted and name in PRICES)]


def are_ticks(names: Iterable[str]) -> bool:
    """Return whether these columns are those of ticks: a time, a bid and an ask, and not what bars need.

    >>> are_ticks(["time", "bid", "ask"])
    True
    """
    present = set(names)
    return bool(lacking(present)) and present.issuperset(REQUIRED_OF_TICKS)


def says_utc(column: str) -> bool:
    """Return whether the name of a column of times says that they are in UTC, as `Gmt time` does."""
    return _plain(column) in _TIMES_UTC


def _meaning(column: str) -> str | None:
    plain = _plain(column)
    quote = _QUOTE.fullmatch(plain)
    if quote is None:
        return _SPELLINGS.get(plain)
    side = quote["side"] or quote["side2"]
    name = f"{side}_{_PRICE_SPELLINGS[quote['price'] or quote['price2']]}"
    assert name in QUOTE_COLUMNS
    return name


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", column.strip().lower()).strip("_")
