"""Bars in any frame (pandas, polars, Arrow, a dict of arrays, `Bars`) or file as one kind of table with numbered rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from feature_store.bars import COLUMNS, OPTIONAL_COLUMNS, PRICES, Bars
from feature_store.errors import InvalidRequestError
from feature_store.ingest.spelling import EXPECTED, TICK_PRICES, TICK_VOLUMES, are_ticks, canonical_names, lacking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.bars import Floats, Integers
    from feature_store.ingest.report import Rejected


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """Rows as a source spelt them, and what its columns mean.

    Args:
        rows: the source's columns under its own names, `numbers` being each row's place there.
        names: the name here -> the source's name.
        timezone: the zone of its times where the format itself says so.
        broken: what stands among the rows and is none, such as a line with too few values.
        price_divisor: what prices and the spread are divided by; 1 unless they are written in points.
    """

    rows: pl.DataFrame
    numbers: Integers
    names: Mapping[str, str]
    timezone: str | None = None
    broken: tuple[Rejected, ...] = ()
    price_divisor: float = 1.0

    def __len__(self) -> int:
        return len(self.rows)

    def time(self) -> pl.Series:
        """Return the column of times, date and time of day put together where the source has them apart."""
        time = self.rows[self.names["time"]]
        if "date" not in self.names:
            return time
        return pl.Series("time", self.rows[self.names["date"]].cast(pl.String) + " " + time.cast(pl.String))

    def known_at(self) -> pl.Series | None:
        """Return the column of knowledge times, where there is one."""
        return self.rows[self.names["known_at"]] if "known_at" in self.names else None

    def values(self) -> dict[str, Floats]:
        """Return the bars' columns as float64, NaN where a value is absent or not a number; prices from quotes if need be."""
        wanted = [name for name in (*COLUMNS, *OPTIONAL_COLUMNS) if name in self.names]
        values = {name: self._prices(name) if name != "tick_volume" else self._numbers(name) for name in wanted}
        for price in PRICES:
            if price not in values:
                values[price] = _middle(values.get(f"bid_{price}"), values.get(f"ask_{price}"))
        if "spread" not in values and "bid_close" in values and "ask_close" in values:
            values["spread"] = values["ask_close"] - values["bid_close"]
        return {**dict.fromkeys(COLUMNS, np.full(len(self), np.nan)), **values}

    def quotes(self) -> dict[str, Floats]:
        """Return the ticks' `bid` and `ask`, and their volumes where there are any, as float64; NaN where a value is none."""
        volumes = {name: self._numbers(name) for name in TICK_VOLUMES if name in self.names}
        return {name: self._prices(name) for name in TICK_PRICES} | volumes

    def _numbers(self, name: str) -> Floats:
        return _numbers(self.rows[self.names[name]])

    def _prices(self, name: str) -> Floats:
        prices = self._numbers(name)
        return prices if self.price_divisor == 1 else np.rint(prices) / self.price_divisor


def table_of(bars: Any) -> Table:
    """Return the rows of a frame; raises InvalidRequestError when it is not one or lacks a column that bars or ticks need.

    Columns of `time`, `bid` and `ask` without prices of bars are ticks. Times are a column under any common name or a pandas
    index of times. Column names may be spelt in any common way.
    """
    rows = _rows(bars)
    names = canonical_names(rows.columns)
    absent = [] if are_ticks(names) else lacking(names)
    if absent:
        found = ", ".join(map(repr, rows.columns)) or "no columns"
        msg = f"bars need {EXPECTED}; no column means {', '.join(absent)} among {found}"
        raise InvalidRequestError(msg, field="bars")
    return Table(rows, np.arange(len(rows), dtype=np.int64), names)


def _rows(bars: Any) -> pl.DataFrame:
    if isinstance(bars, Bars):
        return pl.DataFrame({"time": _utc(bars.time), **{name: np.asarray(c) for name, c in bars.columns.items()}})
    if isinstance(bars, pl.LazyFrame):
        bars = bars.collect()
    if isinstance(bars, pl.DataFrame):
        return bars
    try:
        if hasattr(bars, "iloc"):
            return _of_pandas(bars)
        if hasattr(bars, "__arrow_c_stream__") or hasattr(bars, "__arrow_c_array__"):
            return pl.DataFrame(bars)
        if isinstance(bars, dict):
            return pl.DataFrame([_series(str(name), values) for name, values in bars.items()])
    except (pl.exceptions.PolarsError, TypeError, ValueError) as problem:
        msg = f"bars cannot be read as a table ({problem}); give columns of equal length"
        raise InvalidRequestError(msg, field="bars") from problem
    msg = f"bars must be a pandas, polars or Arrow frame, a dict of arrays, Bars, or a file's name, was {type(bars).__name__}"
    raise InvalidRequestError(msg, field="bars")


def _of_pandas(frame: Any) -> pl.DataFrame:
    """Return a pandas frame's columns, and its index as `time` where it holds times or is named like them."""
    names = [str(name) for name in frame.columns]
    columns = [_series(name, frame.iloc[:, place]) for place, name in enumerate(names)]
    index = frame.index
    named = index.name is not None and canonical_names([str(index.name)]).get("time") is not None
    if _is_times(index) or (named and "time" not in canonical_names(names)):
        columns = [c for c in columns if canonical_names([c.name]).get("time") is None]
        columns.insert(0, _series(str(index.name or "time") if named else "time", index))
    return pl.DataFrame(columns)


def _series(name: str, values: Any) -> pl.Series:
    if isinstance(values, pl.Series):
        return values.alias(name)
    if _is_times(values):
        zone = values.dt.tz if hasattr(values, "dt") else values.tz
        series = pl.Series(name, np.asarray(values, dtype="datetime64[us]"))  # in UTC where there is a zone
        return series if zone is None else series.dt.replace_time_zone("UTC")
    array = np.asarray(values)
    if array.dtype.kind == "M":
        return pl.Series(name, array.astype("datetime64[us]"))
    return pl.Series(name, array.tolist() if array.dtype.kind in "OUS" else array, strict=False)


def _is_times(values: Any) -> bool:
    """Return whether this is a pandas index or column of times, with or without a zone."""
    return hasattr(values, "tz") or (hasattr(values, "dt") and hasattr(values.dt, "tz"))


def _utc(microseconds: Integers) -> pl.Series:
    return pl.Series(microseconds, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))


def _numbers(column: pl.Series) -> Floats:
    if column.dtype.is_float() or column.dtype.is_integer():
        return np.asarray(column.to_numpy(), dtype=np.float64)  # NaN where a value is null
    if column.dtype == pl.String:
        numbers = column.cast(pl.Float64, strict=False)
        if numbers.null_count() == column.null_count():
            return numbers.fill_null(np.nan).to_numpy()
        column = column.str.strip_chars()
    elif not column.dtype.is_numeric() or column.dtype == pl.Boolean:
        column = column.cast(pl.String, strict=False)
    return column.cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy()


def _middle(bid: Floats | None, ask: Floats | None) -> Floats:
    if bid is not None and ask is not None:
        return (bid + ask) / 2
    side = ask if bid is None else bid
    assert side is not None
    return side
