"""QuantConnect LEAN's quote files, one a zip, without headers; days and prices of the bid and the ask.

    17007,1.39147,1.39148                                       20140508_eurusd_tick_quote.csv: ms, bid, ask
    60000,1.39101,...,1.39100,0,1.39114,...,1.39113,0           20140508_eurusd_minute_quote.csv: ms, bid and ask bars, sizes
    20140508 17:00,1.39101,...,1.39100,0,1.39114,...,1.39113,0  eurusd.csv in a folder `hour` or `daily`

Milliseconds count from the midnight of the date in the name, on the data's clock: UTC for OANDA, five hours behind it all
year for FXCM (LEAN's market-hours-database.json); the names of folders say which. Sizes are no tick counts and are left out.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from feature_store.bars import QUOTE_COLUMNS, Timeframe
from feature_store.ingest.readers import naming
from feature_store.ingest.readers.lines import Form, read_lines
from feature_store.ingest.readers.reader import Source
from feature_store.ingest.spelling import TICK_PRICES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feature_store.bars import Symbol
    from feature_store.ingest.frames import Table
    from feature_store.ingest.readers.member import Member

_DAY_FILE = re.compile(r"(?P<date>\d{8})_(?P<symbol>\w+?)_(?P<resolution>tick|second|minute)_quote\.csv", re.IGNORECASE)
_TIMED_LINE = re.compile(r"\d{8} \d\d:\d\d(,(\d+(\.\d+)?)?){10}")
_SIDES = (*QUOTE_COLUMNS[:4], "bid_size", *QUOTE_COLUMNS[4:], "ask_size")
_ZONES = {"oanda": "UTC", "fxcm": "Etc/GMT+5"}
_MILLISECONDS_A_DAY = 86_400_000


class LeanReader:
    """Ticks, seconds, minutes, hours or days of quotes."""

    format = "lean"

    def knows(self, member: Member) -> bool:
        """Return whether the name is that of a day's quotes, or a line near the top is an hour or day of quotes."""
        return _DAY_FILE.fullmatch(member.name) is not None or member.says(_TIMED_LINE)

    def open(self, member: Member, symbol: Symbol | None) -> Source:  # noqa: ARG002  the file's name says it
        """Return ticks or bars, in the zone of the market that the names tell."""
        words = {word for name in member.names for word in re.findall("[a-z]+", name.lower())}
        zone = next((zone for market, zone in _ZONES.items() if market in words), None)
        return replace(self._of_day(member) or self._of_history(member), timezone=zone)

    def _of_day(self, member: Member) -> Source | None:
        found = _DAY_FILE.fullmatch(member.name)
        if found is None:
            return None
        try:
            midnight = datetime.strptime(found["date"], "%Y%m%d")  # noqa: DTZ007  on the data's own clock
        except ValueError:
            member.refuse(None, f"expected a name that begins with a date, found {found['date']}")
        ticks = found["resolution"].lower() == "tick"
        columns = TICK_PRICES if ticks else _SIDES
        names = {name: name for name in ("time", *(TICK_PRICES if ticks else QUOTE_COLUMNS))}
        return Source(
            member,
            self.format,
            "ticks" if ticks else "bars",
            partial(_since, midnight, member, Form(("milliseconds", *columns), ","), names),
            symbol=naming.symbol_of(found["symbol"]),
            timeframe=Timeframe.parse("1m") if found["resolution"].lower() == "minute" else None,
        )

    def _of_history(self, member: Member) -> Source:
        member.expect(_TIMED_LINE, "20140508 17:00,1.39101,1.39104,1.39099,1.39100,0,1.39114,1.39118,1.39112,1.39113,0")
        names = {name: name for name in ("time", *QUOTE_COLUMNS)}
        return Source(
            member,
            self.format,
            "bars",
            partial(read_lines, member, Form(("time", *_SIDES), ","), names),
            symbol=naming.symbol_in(member.names),
            timeframe=naming.timeframe_in(member.names),
        )


def _since(midnight: datetime, member: Member, form: Form, names: dict[str, str], batch: int) -> Iterator[Table]:
    """Yield the tables with a column `time` beside the milliseconds; none where those are no time of a day."""
    for table in read_lines(member, form, names, batch):
        number = table.rows["milliseconds"].str.strip_chars().cast(pl.Float64, strict=False)
        of_a_day = (number >= 0) & (number < _MILLISECONDS_A_DAY)
        microseconds = (number.set(~of_a_day, None) * 1_000).round().cast(pl.Int64)
        time = (microseconds.cast(pl.Duration("us")) + midnight).alias("time")
        yield replace(table, rows=table.rows.with_columns(time))
