"""TrueFX's monthly tick files: `EUR/USD,20090501 00:00:00.231,1.32655,1.32681`, without a header, in GMT."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from feature_store.ingest.readers import naming
from feature_store.ingest.readers.lines import Form, read_lines
from feature_store.ingest.readers.reader import Source
from feature_store.ingest.report import Rejected
from feature_store.ingest.spelling import TICK_PRICES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feature_store.bars import Symbol
    from feature_store.ingest.frames import Table
    from feature_store.ingest.readers.member import Member

_FORM = Form(("symbol", "time", *TICK_PRICES), ",")
_NAMES = {name: name for name in ("time", *TICK_PRICES)}


class TrueFxReader:
    """Ticks of one pair, which stands in every line; a line of another pair is broken."""

    format = "truefx"
    _line = re.compile(r"([A-Z]{3}/[A-Z]{3}),\d{8} \d\d:\d\d:\d\d(?:\.\d+)?(?:,\d+(?:\.\d+)?){2}")

    def knows(self, member: Member) -> bool:
        """Return whether a line near the top is one of these."""
        return member.says(self._line)

    def open(self, member: Member, symbol: Symbol | None) -> Source:  # noqa: ARG002  every line says it
        """Return ticks of the pair in the first line."""
        member.expect(self._line, "EUR/USD,20090501 00:00:00.231,1.32655,1.32681")
        pair = next(found[1] for line in member.lines if (found := self._line.fullmatch(line.strip(" "))))
        read = partial(_read, member, pair)
        return Source(member, self.format, "ticks", read, symbol=naming.symbol_of(pair), timezone="UTC")


def _read(member: Member, pair: str, batch: int) -> Iterator[Table]:
    return (_of_one_pair(table, pair) for table in read_lines(member, _FORM, _NAMES, batch))


def _of_one_pair(table: Table, pair: str) -> Table:
    others = (table.rows["symbol"] != pair).fill_null(value=True)
    if not others.any():
        return table
    strange = table.rows.filter(others).to_dicts()
    broken = tuple(
        Rejected(int(number), f"expected a tick of {pair}, found {row['symbol']}", row)
        for number, row in zip(table.numbers[others.to_numpy()], strange, strict=True)
    )
    return replace(
        table,
        rows=table.rows.filter(~others),
        numbers=table.numbers[~others.to_numpy()],
        broken=tuple(sorted((*table.broken, *broken), key=lambda each: each.row)),
    )
