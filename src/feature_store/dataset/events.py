"""Events as callers hold them: checked before any work, with symbols as small numbers and times as UTC microseconds.

A pandas, polars or Arrow frame or a dict of arrays with the columns `symbol` and `time`, in any order; its columns are kept
as they are. Naive times are UTC, text is ISO 8601, whole numbers are epoch milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl

from feature_store.bars import Symbol
from feature_store.errors import InvalidRequestError
from feature_store.ingest.moments import moments
from feature_store.times import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from feature_store.bars import Floats, Integers

NO_TIME = int(np.iinfo(np.int64).min)
"""What numpy and pandas keep for a time that is not there."""

_EARLIEST, _LATEST = to_microseconds("1900-01-01"), to_microseconds("2199-12-31")
_READABLE = "an ISO 8601 time such as 2023-01-31T17:00:00Z between 1900 and 2200"
_NUMBERS = "iufb"


@dataclass(frozen=True, eq=False, slots=True)
class Events:
    """Rows that ask what was known.

    Args:
        table: the caller's columns, in pandas or polars.
        symbols: whose events there are, in order of their names.
        codes: each event's symbol, by its place in `symbols`.
        time: each event's moment, in UTC microseconds.
    """

    table: Any
    symbols: tuple[Symbol, ...]
    codes: NDArray[np.int32]
    time: Integers

    def __len__(self) -> int:
        return len(self.time)

    @property
    def names(self) -> tuple[str, ...]:
        """The caller's columns, in their order."""
        return tuple(self.table.columns)

    @classmethod
    def of(cls, events: Any) -> Events:
        """Return the events of a frame; raises InvalidRequestError, which names the row, the value and the way out.

        >>> Events.of({"symbol": ["gbpusd", "EUR/USD"], "time": ["2023-01-02", "2023-01-02T12:00:00+01:00"]}).symbols
        (Symbol(name='EUR/USD'), Symbol(name='GBP/USD'))
        """
        table = _table(events)
        _refuse_lacking([str(name) for name in table.columns])
        if not len(table):
            raise InvalidRequestError("events have no rows; give at least one", field="events")
        symbols, codes = _symbols(table["symbol"])
        return cls(table, symbols, codes, _times(table["time"]))

    def by_symbol(self) -> Iterator[tuple[Symbol, Integers]]:
        """Yield each symbol with the rows of its events, in order of time."""
        order = np.argsort(self.codes.astype(np.min_scalar_type(len(self.symbols))), kind="stable")
        ends = np.bincount(self.codes, minlength=len(self.symbols)).cumsum()
        for symbol, rows in zip(self.symbols, np.split(order, ends[:-1]), strict=True):
            yield symbol, rows[self.time[rows].argsort(kind="stable")]

    def numbers(self, name: str) -> Floats:
        """Return a column of numbers, NaN where there is none; raises InvalidRequestError for one that is not numeric."""
        column = self.table[name]
        values = np.asarray(column.to_numpy())
        if values.dtype.kind not in _NUMBERS:
            values = _as_numbers(values, name)
        return np.asarray(values, dtype=np.float64)


def _table(events: Any) -> Any:
    if isinstance(events, pl.LazyFrame):
        events = events.collect()
    if isinstance(events, pd.DataFrame | pl.DataFrame):
        return events
    try:
        if hasattr(events, "__arrow_c_stream__"):
            return pl.DataFrame(events)
        if isinstance(events, dict):
            return pd.DataFrame(events)
    except (pl.exceptions.PolarsError, TypeError, ValueError) as problem:
        msg = f"events cannot be read as a table ({problem}); give columns of equal length"
        raise InvalidRequestError(msg, field="events") from problem
    msg = f"events must be a pandas, polars or Arrow frame or a dict of arrays, were {type(events).__name__}"
    raise InvalidRequestError(msg, field="events")


def _refuse_lacking(names: Sequence[str]) -> None:
    for wanted in ("symbol", "time"):
        if wanted not in names:
            held = ", ".join(map(repr, names[:12])) or "none"
            msg = f"events need a column {wanted!r}, and their columns are {held}; rename one, or reset the index"
            raise InvalidRequestError(msg, field="events")
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        msg = f"events have two columns called {twice!r}; rename one"
        raise InvalidRequestError(msg, field="events")


def _bad_row(row: int, why: object, others: int = 0) -> InvalidRequestError:
    more = f" (and {others:,} other rows)" if others else ""
    return InvalidRequestError(f"row {row} of events{more}: {why}; correct it or drop the row", field="events")


# ---------------------------------------------------------------- symbols
def _symbols(column: Any) -> tuple[tuple[Symbol, ...], NDArray[np.int32]]:
    """Return the symbols in order of their names, and each row's place among them; every spelling is read once."""
    codes, spelt = pd.factorize(column if isinstance(column, pd.Series) else column.cast(pl.String).to_numpy())
    if codes.min() < 0:
        nameless = np.flatnonzero(codes < 0)
        raise _bad_row(
            int(nameless[0]), "symbol must be an instrument's name such as EUR/USD, was none", len(nameless) - 1
        )
    parsed = [_symbol(text, codes, place) for place, text in enumerate(spelt)]
    symbols = sorted(set(parsed), key=lambda symbol: symbol.name)
    places = {symbol: place for place, symbol in enumerate(symbols)}
    return tuple(symbols), np.array([places[symbol] for symbol in parsed], dtype=np.int32)[codes]


def _symbol(text: object, codes: NDArray[np.int64], place: int) -> Symbol:
    try:
        return Symbol.parse(text)
    except InvalidRequestError as problem:
        rows = np.flatnonzero(codes == place)
        raise _bad_row(int(rows[0]), problem, len(rows) - 1) from problem


# ---------------------------------------------------------------- times
def _times(column: Any) -> Integers:
    time, readable = _moments(column)
    bad = np.flatnonzero(~(readable & (time >= _EARLIEST) & (time <= _LATEST)))
    if len(bad):
        row = int(bad[0])
        value = column.iloc[row] if isinstance(column, pd.Series) else column[row]
        raise _bad_row(row, f"time must be {_READABLE}, was {value!r}", len(bad) - 1)
    return time


def _moments(column: Any) -> tuple[Integers, NDArray[np.bool_]]:
    """Return the moments of a column and which of them could be read."""
    if isinstance(column, pl.Series) and not column.dtype.is_numeric():
        return _read(column)
    if isinstance(column, pd.Series) and isinstance(column.dtype, pd.DatetimeTZDtype):
        time = np.asarray(column.dt.as_unit("us").array.asi8)  # in UTC whatever the zone
        return time, time != NO_TIME
    values = column.to_numpy()
    if values.dtype.kind == "M":
        time = np.asarray(values.astype("datetime64[us]")).view(np.int64)
        return time, time != NO_TIME
    if values.dtype.kind in "iu":
        within = np.abs(values.astype(np.float64)) < np.iinfo(np.int64).max // 1_000
        return np.where(within, values.astype(np.int64), 0) * 1_000, within
    if all(isinstance(value, str) for value in values):
        return _read(pl.Series(values.tolist(), dtype=pl.String))
    return _one_by_one(values)


def _read(column: pl.Series) -> tuple[Integers, NDArray[np.bool_]]:
    found = moments(column)
    return found.time, found.readable


def _one_by_one(values: NDArray[Any]) -> tuple[Integers, NDArray[np.bool_]]:
    """Return the moments of objects of several kinds."""
    time = np.full(len(values), NO_TIME, dtype=np.int64)
    for row, value in enumerate(values):
        try:
            time[row] = to_microseconds(value)
        except InvalidRequestError:
            break  # the row is named by the caller, where nothing could be read
    return time, time != NO_TIME


def _as_numbers(values: NDArray[Any], name: str) -> Floats:
    try:
        return np.array([np.nan if value is None or value is pd.NA else value for value in values], dtype=np.float64)
    except (TypeError, ValueError) as problem:
        msg = f"label {name!r} must be a column of numbers ({problem}); encode its classes as numbers"
        raise InvalidRequestError(msg, field="labels") from problem
