"""OANDA's v20 candles.

    {"instrument": "EUR_USD", "granularity": "H1", "candles": [
        {"complete": true, "volume": 7, "time": "2016-10-17T15:00:00.000000000Z", "mid": {"o": "1.09946", "h", "l", "c"}}]}

There may be `bid` and `ask` beside `mid` or instead. Times are RFC 3339 or seconds since 1970, in UTC. A candle that is not
complete is still forming: it is handed over among what is broken, with its place in the list, so that the report counts and
shows it as it does a line that cannot be read.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from feature_store.ingest.readers import naming
from feature_store.ingest.readers.json_body import json_keys, json_object, rows_of
from feature_store.ingest.readers.reader import Side, Source, in_batches
from feature_store.ingest.report import Rejected

if TYPE_CHECKING:
    from feature_store.bars import Symbol
    from feature_store.ingest.frames import Table
    from feature_store.ingest.readers.member import Member

NOT_COMPLETE = "the candle is not complete"
_PRICES = {"open": "o", "high": "h", "low": "l", "close": "c"}


class OandaReader:
    """Bars of the middle, the bid, the ask, or several of them."""

    format = "oanda"

    def knows(self, member: Member) -> bool:
        """Return whether the body begins with the names of such an answer, or of a refusal."""
        keys = json_keys(member)
        return keys >= {"instrument", "granularity", "candles"} or "errorMessage" in keys

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return the bars; raises UnsupportedFileError that quotes a refusal."""
        body = json_object(member)
        if "candles" not in body:
            member.refuse(None, f"OANDA refused: {body.get('errorMessage')}")
        candles = body["candles"] if isinstance(body["candles"], list) else []
        quoted = [side for side in ("mid", "bid", "ask") if any(isinstance(c, dict) and side in c for c in candles)]
        table = _complete(rows_of(candles, _names(quoted)))
        side: Side | None = "bid" if quoted == ["bid"] else "ask" if quoted == ["ask"] else None
        return Source(
            member,
            self.format,
            "bars",
            partial(in_batches, table),
            symbol=naming.symbol_of(body.get("instrument")) or symbol,
            timeframe=naming.timeframe_of(body.get("granularity")),
            side=side,
            timezone="UTC",
        )


def _names(quoted: list[str]) -> dict[str, str]:
    """Return what the columns mean: one side's prices are the prices, those of two or three stand apart."""
    names = {"time": "time", "tick_volume": "volume"}
    for side in quoted or ["mid"]:
        here = "" if side == "mid" or len(quoted) == 1 else f"{side}_"
        names |= {f"{here}{price}": f"{side}.{letter}" for price, letter in _PRICES.items()}
    return names


def _complete(table: Table) -> Table:
    """Return the table without forming candles, and with times in whole seconds where they are numbers."""
    rows = table.rows
    if rows["time"].dtype == pl.String:
        rows = rows.with_columns(pl.col("time").str.replace(r"^(\d{9,10})\.\d+$", "$1"))
    if "complete" not in rows.columns:
        return replace(table, rows=rows)
    forming = (rows["complete"].cast(pl.String).str.to_lowercase() == "false").fill_null(value=False)
    broken = [
        Rejected(int(number), NOT_COMPLETE, _values(row))
        for number, row in zip(table.numbers[forming.to_numpy()], rows.filter(forming).to_dicts(), strict=True)
    ]
    return replace(
        table,
        rows=rows.filter(~forming),
        numbers=table.numbers[~forming.to_numpy()],
        broken=tuple(sorted((*table.broken, *broken), key=lambda each: each.row)),
    )


def _values(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}
