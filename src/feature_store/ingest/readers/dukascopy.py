"""Dukascopy's binary files (`.bi5`) and the CSV of its export page. All times are UTC unless the CSV's header says otherwise.

    EURUSD/2018/00/02/13h_ticks.bi5              20 bytes a tick: ms since the hour, ask, bid, ask volume, bid volume
    EURUSD/2018/00/02/BID_candles_min_1.bi5      24 bytes a bar: seconds since the day, open, close, low, high, volume
    EURUSD/2018/00/BID_candles_hour_1.bi5        the same since the month, and .../2018/BID_candles_day_1.bi5 since the year
    Gmt time,Open,High,Low,Close,Volume          02.01.2018 00:00:00.000; `Local time` adds GMT+0100; ticks: Ask,Bid,...

Binary files are LZMA and big-endian, prices are points, folders count months from 00. An empty file is an hour without ticks.
"""

from __future__ import annotations

import lzma
import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import available_timezones

import numpy as np
import polars as pl

from feature_store.bars import PRICES, Timeframe
from feature_store.ingest.frames import Table
from feature_store.ingest.readers import naming
from feature_store.ingest.readers.lines import read_lines
from feature_store.ingest.readers.member import LARGEST_WHOLE
from feature_store.ingest.readers.named import described, header_form, meanings
from feature_store.ingest.readers.reader import Side, Source, in_batches
from feature_store.ingest.report import Rejected
from feature_store.ingest.spelling import TICK_PRICES, TICK_VOLUMES, says_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from feature_store.bars import Symbol
    from feature_store.ingest.readers.member import Member

_TICK = np.dtype(
    [("milliseconds", ">u4"), ("ask", ">u4"), ("bid", ">u4"), ("ask_volume", ">f4"), ("bid_volume", ">f4")]
)
_CANDLE = np.dtype(
    [("seconds", ">u4"), *((name, ">u4") for name in ("open", "close", "low", "high")), ("volume", ">f4")]
)
_TICK_NAMES = {name: name for name in ("time", *TICK_PRICES, *TICK_VOLUMES)}
_CANDLE_NAMES = {**{name: name for name in ("time", *PRICES)}, "tick_volume": "volume"}
_PAIR = r"(?P<symbol>[A-Za-z]{6})[/_-](?P<year>\d{4})"
_TICKS_PLACE = re.compile(
    _PAIR + r"[/_-](?P<month>\d\d)[/_-](?P<day>\d\d)[/_-](?P<hour>\d\d)h_ticks\.bi5$", re.IGNORECASE
)
_CANDLES_PLACE = re.compile(
    _PAIR
    + r"(?:[/_-](?P<month>\d\d))?(?:[/_-](?P<day>\d\d))?[/_-](?P<side>bid|ask)_candles_(?P<unit>min|hour|day)_1\.bi5$",
    re.IGNORECASE,
)
_DIGITS = {"JPY": 3, "HUF": 3, "CZK": 4, "RON": 4, "THB": 4}  # five for other currencies, three for metals


class DukascopyTicksReader:
    """`13h_ticks.bi5`: an hour of ticks; symbol and hour are read from the folders or a name that keeps them."""

    format = "dukascopy-ticks"

    def knows(self, member: Member) -> bool:
        """Return whether the name is that of an hour of ticks."""
        return member.name.lower().endswith("h_ticks.bi5")

    def open(self, member: Member, symbol: Symbol | None) -> Source:  # noqa: ARG002  the file's place says it
        """Return ticks; raises UnsupportedFileError where no folder says whose and when."""
        place = _placed(member, _TICKS_PLACE, "EURUSD/2018/00/02/13h_ticks.bi5")
        read = partial(_read, member, _TICK, "milliseconds", 1_000, _start(member, place), _TICK_NAMES)
        return _source(self.format, member, place, read)


class DukascopyCandlesReader:
    """`BID_candles_min_1.bi5`: a day of minutes, a month of hours or a year of days."""

    format = "dukascopy-candles"

    def knows(self, member: Member) -> bool:
        """Return whether the name is that of such bars."""
        return re.search(r"(bid|ask)_candles_\w+_1\.bi5$", member.name.lower()) is not None

    def open(self, member: Member, symbol: Symbol | None) -> Source:  # noqa: ARG002  the file's place says it
        """Return bars; raises UnsupportedFileError where no folder says whose and when."""
        place = _placed(member, _CANDLES_PLACE, "EURUSD/2018/00/02/BID_candles_min_1.bi5")
        read = partial(_read, member, _CANDLE, "seconds", 1_000_000, _start(member, place), _CANDLE_NAMES)
        side: Side = "bid" if place["side"].lower() == "bid" else "ask"
        timeframe = Timeframe.parse({"min": "1m", "hour": "1h", "day": "1d"}[place["unit"].lower()])
        return replace(_source(self.format, member, place, read), kind="bars", side=side, timeframe=timeframe)


class DukascopyCsvReader:
    """The export page's CSV: `Gmt time`, `Local time` or a zone such as `Etc/UTC`, then a bar of one side, or a tick."""

    format = "dukascopy-csv"
    _header = re.compile(
        r"(gmt time|local time|time \((?P<zone>\w+)\)|(?P<place>[a-z]+/[a-z_]+)),(open,high,low,close|ask,bid)\b.*",
        re.IGNORECASE,
    )

    def knows(self, member: Member) -> bool:
        """Return whether the first line is such a header."""
        return self._header.match(member.first_line) is not None

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return bars of the side in the file's name, or ticks."""
        form = header_form(member)
        time = form.columns[0]
        names = {**meanings(member, ("time", *form.columns[1:]), 1), "time": time}
        read = partial(read_lines, member, form, names)
        return replace(described(self.format, member, names, read, symbol), timezone=self._zone(time))

    def _zone(self, time: str) -> str | None:
        if says_utc(time):
            return "UTC"
        found = re.search(r"\((\w+)\)", time)
        zone = time if found is None else found[1]
        return zone if zone in available_timezones() else None


def _placed(member: Member, pattern: re.Pattern[str], example: str) -> re.Match[str]:
    place = pattern.search(member.place)
    if place is None:
        member.refuse(None, f"expected folders that say the symbol and the time, as in {example}")
    return place


def _start(member: Member, place: re.Match[str]) -> datetime:
    """Return what the file's times count from."""
    parts = {"month": "00", "day": "01", "hour": "00", **{k: v for k, v in place.groupdict().items() if v is not None}}
    try:
        return datetime(int(parts["year"]), int(parts["month"]) + 1, int(parts["day"]), int(parts["hour"]), tzinfo=UTC)
    except ValueError:
        member.refuse(None, f"expected folders of a year, a month from 00 to 11 and a day, found {place[0]}")


def _source(format_: str, member: Member, place: re.Match[str], read: partial[Iterator[Table]]) -> Source:
    symbol = naming.symbol_of(place["symbol"])
    if symbol is None or not symbol.is_currency_pair:
        member.refuse(None, f"expected the folder of a currency pair, whose digits are known, found {place['symbol']}")
    digits = 3 if symbol.base.startswith("X") else _DIGITS.get(symbol.quote, 5)
    return Source(member, format_, "ticks", read, symbol=symbol, timezone="UTC", price_divisor=10.0**digits)


def _read(
    member: Member,
    record: np.dtype[np.void],
    unit: str,
    scale: int,
    start: datetime,
    names: Mapping[str, str],
    batch: int,
) -> Iterator[Table]:
    """Yield the records with their `time`; what is left over at the end is a broken one. A row's number is its record's."""
    content = _unpacked(member)
    left = len(content) % record.itemsize
    records = np.frombuffer(content, dtype=record, count=len(content) // record.itemsize)
    columns = {name: records[name].astype(records[name].dtype.newbyteorder("=")) for name in record.names or ()}
    time = pl.Series(columns[unit].astype(np.int64) * scale).cast(pl.Duration("us")) + start
    rows = pl.DataFrame(columns).with_columns(time.alias("time"))
    rest = Rejected(
        len(records) + 1, f"expected {record.itemsize} bytes, found {left}", {"bytes": content[-left:].hex()}
    )
    broken = (rest,) if left else ()
    return in_batches(Table(rows, np.arange(1, len(rows) + 1, dtype=np.int64), names, broken=broken), batch)


def _unpacked(member: Member) -> bytes:
    packed = member.content()
    if not packed:
        return b""
    unpacker = lzma.LZMADecompressor()
    try:
        content = unpacker.decompress(packed, max_length=LARGEST_WHOLE)
    except lzma.LZMAError as problem:
        member.refuse(None, f"expected LZMA ({problem})")
    if not unpacker.eof:
        what = (
            "at most 1 GiB once unpacked, found more"
            if len(content) == LARGEST_WHOLE
            else "a whole LZMA file, found a part"
        )
        member.refuse(None, f"expected {what}")
    return content
