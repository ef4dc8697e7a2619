"""Which series a source's rows belong to: what was asked for, held against what the file says and what its times show."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import TIMEFRAMES, Timeframe
from feature_store.errors import ConflictError
from feature_store.ingest.moments import local_moments

if TYPE_CHECKING:
    from feature_store.bars import Integers, Symbol
    from feature_store.ingest.frames import Table
    from feature_store.ingest.source import Source

OF_TICKS = Timeframe.parse("1m")
OTHERWISE = Timeframe.parse("1h")
_LOOKED_AT = 4096  # rows
_SOME, _SURE = (2, 0.5), (20, 0.9)  # how many steps, and what share of them alike, tell a timeframe, or refute a caller


def timeframe_of(source: Source, symbol: Symbol, asked: Timeframe | None) -> Timeframe:
    """Return what a source's rows are stored as: what was asked for, else what they are; ticks become minutes.

    Raises ConflictError, before anything is stored, where the file is of another symbol or its bars of another length.
    """
    if source.symbol is not None and source.symbol != symbol:
        msg = f"{source.member} holds {source.symbol}, and {symbol} was asked for; ingest it as {source.symbol}"
        raise ConflictError(msg, field="symbol")
    if source.kind == "ticks":
        return asked or OF_TICKS
    told = source.timeframe or step(next(source.tables(_LOOKED_AT)), *(_SOME if asked is None else _SURE))
    if asked is None or told is None:
        return asked or told or OTHERWISE
    if told != asked:
        raise ConflictError(
            f"{source.member} holds {told} bars, and {asked} was asked for; {_way_out(told, asked)}", field="timeframe"
        )
    return asked


def step(table: Table, fewest: int = _SOME[0], share: float = _SOME[1]) -> Timeframe | None:
    """Return the timeframe whose length a share of a table's rows are apart, or None where fewer tell none."""
    local = local_moments(table.time())
    steps = np.diff(np.unique(local.time[local.readable]))
    if len(steps) < fewest:
        return None
    lengths, counts = np.unique(steps, return_counts=True)
    usual = int(counts.argmax())
    if counts[usual] < share * len(steps):
        return None
    return next((each for each in TIMEFRAMES if each.microseconds == lengths[usual]), None)


def first_time(source: Source) -> int:
    """Return the first time in a source that can be read, as it stands there; the earliest number where there is none."""
    for table in source.tables(_LOOKED_AT):
        local = local_moments(table.time())
        readable: Integers = local.time[local.readable]
        if len(readable):
            return int(readable[0])
    return -(2**63)


def _way_out(told: Timeframe, asked: Timeframe) -> str:
    if told < asked:
        return f"ingest it as {told}: the store makes higher bars of lower ones"
    return f"ingest it as {told}, since shorter bars cannot be made of it"
