"""MetaTrader's exports: bars of version 4, bars and ticks of version 5. Their clock is the broker's server's.

    2018.01.02,00:00,1.20037,1.20100,1.20030,1.20090,153                     MT4, and HistData's copy of it
    <DATE>  <TIME>  <OPEN>  <HIGH>  <LOW>  <CLOSE>  <TICKVOL>  <VOL>  <SPREAD>    MT5 bars; no <TIME> in days and weeks
    <DATE>  <TIME>  <BID>  <ASK>  <LAST>  <VOLUME>  <FLAGS>                  MT5 ticks; a blank bid or ask is the one before

Version 5 writes the spread in points, which are made prices by the number of decimals that the file's prices have.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from feature_store.bars import PRICES
from feature_store.ingest.readers import naming
from feature_store.ingest.readers.lines import Form, read_lines
from feature_store.ingest.readers.named import SAMPLE, described, header_form, meanings
from feature_store.ingest.readers.reader import Source
from feature_store.ingest.spelling import TICK_PRICES, canonical_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from feature_store.bars import Symbol
    from feature_store.ingest.frames import Table
    from feature_store.ingest.readers.member import Member

_FOUR = Form(("date", "time", *PRICES, "volume"), ",")


class MetaTrader4Reader:
    """`YYYY.MM.DD,HH:MM,open,high,low,close,volume`, no header, bars of the bid; HistData's volume, always 0, is left out."""

    format = "mt4"
    _line = re.compile(r"\d{4}\.\d\d\.\d\d,\d\d:\d\d(:\d\d)?(,\d+(\.\d+)?){5}")

    def knows(self, member: Member) -> bool:
        """Return whether a line near the top is one of these."""
        return member.says(self._line)

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return bars of the bid; what their prices are in points of is told from the values."""
        member.expect(self._line, "2018.01.02,00:00,1.20037,1.20100,1.20030,1.20090,153")
        names = {name: name for name in ("date", "time", *PRICES)}
        if not member.name.upper().startswith("DAT_MT_"):
            names["tick_volume"] = "volume"
        read = partial(read_lines, member, _FOUR, names)
        return replace(described(self.format, member, names, read, symbol), side="bid")


class MetaTrader5BarsReader:
    """Columns between tabs under a header with `<OPEN>`; UTF-8 or UTF-16; bars of the bid."""

    format = "mt5-bars"
    _header = re.compile(r"<DATE>[\t,;](<TIME>[\t,;])?<OPEN>.*", re.IGNORECASE)

    def knows(self, member: Member) -> bool:
        """Return whether the first line is such a header."""
        return self._header.match(member.first_line) is not None

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return bars of the bid, with the spread as a price."""
        form = header_form(member)
        names = meanings(member, form.columns, 1)
        read = partial(read_lines, member, form, names)
        if "spread" in names:
            points = 10.0 ** _decimals(next(read(SAMPLE)), names)
            read = partial(_with_spread, read, names, points)
        return replace(described(self.format, member, names, read, symbol), side="bid")


class MetaTrader5TicksReader:
    """Columns between tabs under a header with `<BID>` and `<ASK>`; UTF-8 or UTF-16."""

    format = "mt5-ticks"
    _header = re.compile(r"<DATE>[\t,;]<TIME>[\t,;]<BID>[\t,;]<ASK>.*", re.IGNORECASE)

    def knows(self, member: Member) -> bool:
        """Return whether the first line is such a header."""
        return self._header.match(member.first_line) is not None

    def open(self, member: Member, symbol: Symbol | None) -> Source:  # noqa: ARG002  the file's name says it
        """Return ticks that quote both sides, a blank one being the one before."""
        form = header_form(member)
        spelt = canonical_names(form.columns)
        return Source(
            member,
            self.format,
            "ticks",
            partial(_carried, member, form, spelt),
            symbol=naming.symbol_in(member.names),
        )


def _decimals(sample: Table, names: Mapping[str, str]) -> int:
    decimals = [sample.rows[names[price]].str.extract(r"\.(\d+)$").str.len_chars().max() for price in PRICES]
    return max((each for each in decimals if isinstance(each, int)), default=0)


def _with_spread(
    read: partial[Iterator[Table]], names: Mapping[str, str], points: float, batch: int
) -> Iterator[Table]:
    """Yield the tables with a column `spread`, a price, beside the source's in points."""
    for table in read(batch):
        spread = table.rows[names["spread"]].str.strip_chars().cast(pl.Float64, strict=False).to_numpy()
        prices = pl.Series(
            "spread", spread / points, nan_to_null=True
        )  # by numpy: polars multiplies by 1 / points, which differs
        yield replace(table, rows=table.rows.with_columns(prices), names={**names, "spread": "spread"})


def _carried(member: Member, form: Form, spelt: Mapping[str, str], batch: int) -> Iterator[Table]:
    """Yield the tables with columns `bid` and `ask` without blanks, beside the source's; a first blank one stays."""
    names = {**spelt, **{side: side for side in TICK_PRICES}}
    last: dict[str, str | None] = dict.fromkeys(TICK_PRICES)
    for table in read_lines(member, form, names, batch):
        sides = [_filled(table.rows[spelt[side]], last[side]).alias(side) for side in TICK_PRICES]
        if len(table):
            last = {side.name: side[-1] for side in sides}
        yield replace(table, rows=table.rows.with_columns(sides))


def _filled(column: pl.Series, before: str | None) -> pl.Series:
    stripped = column.str.strip_chars()
    filled = stripped.set(stripped == "", None).fill_null(strategy="forward")
    return filled if before is None else filled.fill_null(before)
