"""Dukascopy's JSON of 2026, as the service behind its export page answers it; times are UTC.

    {"timestamp": ms, "multiplier": 1e-5, "open", "high", "low", "close", "shift": ms, "times", "opens", ..., "volumes"}
    {"timestamp": ms, "multiplier": 1e-5, "ask", "bid", "times", "asks", "bids", "askVolumes", "bidVolumes"}

1. Times and prices are differences: each row's are added to the row's before, the first row's to the single value of that name.
2. Times count in units of `shift`, milliseconds in ticks; prices in units of `multiplier`. Volumes are plain values.
3. The body does not say whose prices it holds, nor of which side; the file's name does if it keeps the address, as in
   `candles-minute-EUR-USD-BID-2026-7-10.json` or `ticks/EUR-USD/2026/7/13/12.json` (months count from 1 here).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from feature_store.bars import PRICES
from feature_store.ingest.frames import Table
from feature_store.ingest.readers import naming
from feature_store.ingest.readers.json_body import json_keys, json_object
from feature_store.ingest.readers.reader import Source, in_batches
from feature_store.ingest.spelling import TICK_PRICES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.bars import Floats, Integers, Symbol
    from feature_store.ingest.readers.member import Member

_MINUTE_MS = 60_000
_TIMEFRAMES = {_MINUTE_MS: "1m", 60 * _MINUTE_MS: "1h", 1440 * _MINUTE_MS: "1d"}
_VOLUMES = {"bars": {"tick_volume": "volumes"}, "ticks": {"bid_volume": "bidVolumes", "ask_volume": "askVolumes"}}


class DukascopyJsonReader:
    """Bars or ticks as differences."""

    format = "dukascopy-json"

    def knows(self, member: Member) -> bool:
        """Return whether the body begins with the names of such an answer."""
        return json_keys(member) >= {"timestamp", "multiplier", "times"}

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return what the body holds; raises UnsupportedFileError where its lists differ in length or hold no numbers."""
        body = json_object(member)
        kind = "ticks" if "asks" in body else "bars"
        table = _table(member, body, TICK_PRICES if kind == "ticks" else PRICES, _VOLUMES[kind])
        timeframe = _TIMEFRAMES.get(body.get("shift", 0))
        return Source(
            member,
            self.format,
            "ticks" if kind == "ticks" else "bars",
            partial(in_batches, table),
            symbol=naming.symbol_in(member.names) or symbol,
            timeframe=naming.timeframe_of(timeframe) if kind == "bars" and timeframe else None,
            side=naming.side_in(member.names) if kind == "bars" else None,
            timezone="UTC",
        )


def _table(member: Member, body: Mapping[str, Any], prices: tuple[str, ...], volumes: Mapping[str, str]) -> Table:
    try:
        columns: dict[str, Integers | Floats] = {
            "time": (int(body["timestamp"]) + np.cumsum(_whole(body["times"])) * int(body.get("shift", 1))) * 1_000
        }
        for price in prices:
            columns[price] = _prices(body[price], _whole(body[f"{price}s"]), float(body["multiplier"]))
        for name, spelt in volumes.items():
            columns[name] = np.array(body[spelt], dtype=np.float64)
        rows = pl.DataFrame(columns).with_columns(pl.col("time").cast(pl.Datetime("us", "UTC")))
    except (KeyError, TypeError, ValueError, ArithmeticError, pl.exceptions.PolarsError) as problem:
        wanted = ", ".join((*(f"{price}s" for price in prices), *volumes.values()))
        member.refuse(
            None, f"expected lists of numbers of one length: times, {wanted} ({type(problem).__name__}: {problem})"
        )
    return Table(rows, np.arange(1, len(rows) + 1, dtype=np.int64), {name: name for name in rows.columns})


def _whole(differences: list[Any]) -> Integers:
    values = np.array(differences, dtype=np.float64)
    if not (np.isfinite(values) & (values == np.rint(values))).all():
        msg = "a difference is no whole number"
        raise ValueError(msg)
    return values.astype(np.int64)


def _prices(first: float | None, differences: Integers, multiplier: float) -> Floats:
    """Return the prices, each the number nearest to what the source means."""
    if not len(differences):
        return np.zeros(0)
    points = round(1 / multiplier)
    if first is None or points < 1:
        msg = "the first price or the multiplier is missing"
        raise ValueError(msg)
    return (round(first * points) + np.cumsum(differences)) / points
