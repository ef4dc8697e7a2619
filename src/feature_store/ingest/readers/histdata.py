"""HistData's ASCII files: M1 bars of the bid, and ticks.

    20180101 170000;1.200370;1.201000;1.200370;1.201000;0       DAT_ASCII_EURUSD_M1_2018.csv
    20180101 170014123,1.200370,1.200450,0                      DAT_ASCII_EURUSD_T_201801.csv

The volume is always 0 and is left out. The clock is said to be EST without summer time, but is New York's or changes on
European dates, so that no zone is claimed here.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from feature_store.bars import PRICES, Timeframe
from feature_store.ingest.readers import naming
from feature_store.ingest.readers.lines import Form, read_lines
from feature_store.ingest.readers.reader import Source
from feature_store.ingest.spelling import TICK_PRICES

if TYPE_CHECKING:
    from feature_store.bars import Symbol
    from feature_store.ingest.readers.member import Member

_BARS = Form(("time", *PRICES, "volume"), ";")
_TICKS = Form(("time", *TICK_PRICES, "volume"), ",")


class HistDataBarsReader:
    """`YYYYMMDD HHMMSS;open;high;low;close;0`, minutes of the bid."""

    format = "histdata-m1"
    _line = re.compile(r"\d{8} \d{6}(;\d+(\.\d+)?){5}")

    def knows(self, member: Member) -> bool:
        """Return whether a line near the top is one of these."""
        return member.says(self._line)

    def open(self, member: Member, symbol: Symbol | None) -> Source:  # noqa: ARG002  the file's name says it
        """Return bars of the bid."""
        member.expect(self._line, "20180101 170000;1.200370;1.201000;1.200370;1.201000;0")
        names = {name: name for name in ("time", *PRICES)}
        return Source(
            member,
            self.format,
            "bars",
            partial(read_lines, member, _BARS, names),
            symbol=naming.symbol_in(member.names),
            timeframe=Timeframe.parse("1m"),
            side="bid",
        )


class HistDataTicksReader:
    """`YYYYMMDD HHMMSSmmm,bid,ask,0`."""

    format = "histdata-ticks"
    _line = re.compile(r"\d{8} \d{9}(,\d+(\.\d+)?){3}")

    def knows(self, member: Member) -> bool:
        """Return whether a line near the top is one of these."""
        return member.says(self._line)

    def open(self, member: Member, symbol: Symbol | None) -> Source:  # noqa: ARG002  the file's name says it
        """Return ticks."""
        member.expect(self._line, "20180101 170014123,1.200370,1.200450,0")
        names = {name: name for name in ("time", *TICK_PRICES)}
        read = partial(read_lines, member, _TICKS, names)
        return Source(member, self.format, "ticks", read, symbol=naming.symbol_in(member.names))
