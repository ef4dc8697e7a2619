"""Bars as callers hold them -> contiguous float64 columns, checked before any work.

Accepted: `Bars`, pandas, polars and Arrow frames, dicts of arrays. A price that is infinite is refused; NaN is a gap. Times,
where there are any, must rise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import FEATURE_COLUMNS, Bars
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.bars import Floats, Integers


_PIECE = 1 << 16


def bar_columns(bars: Any, names: Iterable[str]) -> dict[str, Floats]:
    """Return the columns `names` of `bars`; raises InvalidRequestError naming column, row and rule."""
    held = _held(bars)
    missing = [name for name in names if name not in held]
    if missing:
        msg = f"these features need the column {missing[0]!r}, and the bars have {', '.join(map(str, held)) or 'none'}"
        raise InvalidRequestError(msg, field=missing[0])
    columns = {name: _floats(name, held[name]) for name in names}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        msg = f"columns must have one length, these have {lengths}"
        raise InvalidRequestError(msg, field="bars")
    if not _surely_good(columns):
        _refuse_bad_rows(columns)
    return columns


def refuse_disorder(times: Any) -> None:
    """Raise InvalidRequestError where times do not strictly rise."""
    values = np.asarray(times)
    falls = np.flatnonzero(values[1:] <= values[:-1])
    if len(falls):
        row = int(falls[0]) + 1
        what = "twice" if values[row] == values[row - 1] else "after a later one"
        msg = f"times must rise, but row {row} ({values[row]}) comes {what}; sort the bars and drop duplicates"
        raise InvalidRequestError(msg, field="time")


def times_in_microseconds(times: Any, names: Iterable[str]) -> Integers:
    """Return bar opens as UTC microseconds; raises InvalidRequestError where bars have no times but `names` need them."""
    if times is None:
        msg = f"these features look at a clock ({', '.join(names)}): give the bars a DatetimeIndex or a column `time`"
        raise InvalidRequestError(msg, field="time")
    if hasattr(times, "asi8"):  # pandas' index, in UTC whatever its zone
        return np.asarray(times.as_unit("us").asi8)
    values = np.asarray(times)
    if values.dtype.kind in "iu":  # whole numbers are epoch milliseconds, as everywhere
        return values.astype(np.int64) * 1000
    return values.astype("datetime64[us]").astype(np.int64)


def column_names(bars: Any) -> list[str]:
    """Return the columns a frame or dict has; raises InvalidRequestError for anything else."""
    if isinstance(bars, (Bars, dict)):
        return list(bars.columns if isinstance(bars, Bars) else bars)
    names = getattr(bars, "column_names", None)  # Arrow's word; its `columns` are the values
    names = getattr(bars, "columns", None) if names is None else names
    if names is None:
        msg = f"bars must be a pandas, polars or Arrow frame or a dict of columns, not {type(bars).__name__}"
        raise InvalidRequestError(msg, field="bars")
    return [str(name) for name in names]


def _held(bars: Any) -> Mapping[str, Any]:
    held = bars.columns if isinstance(bars, Bars) else bars
    return {name: held[name] for name in column_names(bars) if name in FEATURE_COLUMNS}


def _floats(name: str, values: Any) -> Floats:
    column = _converted(name, values)
    if column.ndim != 1:
        msg = f"column {name!r} must have one dimension, not {column.ndim}"
        raise InvalidRequestError(msg, field=name)
    return column


def _converted(name: str, values: Any) -> Floats:
    numpy_dtype = isinstance(getattr(values, "dtype", None), np.dtype)
    if (
        getattr(getattr(values, "dtype", None), "kind", "?") in "fiu"
        and hasattr(values, "to_numpy")
        and not numpy_dtype
    ):
        raw = values.to_numpy(dtype=np.float64, na_value=np.nan)  # pandas' own numbers, which may be missing
    else:
        raw = values.to_numpy() if hasattr(values, "to_numpy") else np.asarray(values)
    if raw.dtype.kind not in "fiu":
        msg = f"column {name!r} must hold numbers, not {raw.dtype}; convert it with astype(float)"
        raise InvalidRequestError(msg, field=name)
    return np.ascontiguousarray(raw, dtype=np.float64)


def _surely_good(columns: Mapping[str, Floats]) -> bool:
    """Whether a quick look finds every value finite and no high below its low; a gap asks for the slow one."""
    lowest = dict.fromkeys(columns, -math.inf) | {"tick_volume": -1e-300}
    highest = dict.fromkeys(columns, math.inf)
    if {"high", "low"} <= columns.keys():  # where no high is below its low, two bounds are enough for both
        if not _never_below(columns["high"], columns["low"]):
            return False
        del lowest["high"], highest["low"]
    above = all(columns[name].min(initial=0.0) > bound for name, bound in lowest.items() if name in columns)
    return above and all(columns[name].max(initial=0.0) < bound for name, bound in highest.items())


def _never_below(high: Floats, low: Floats) -> bool:
    """Whether no high is below its low, in pieces small enough that their answers need no fresh memory."""
    return all((high[row : row + _PIECE] >= low[row : row + _PIECE]).all() for row in range(0, len(high), _PIECE))


def _refuse_bad_rows(columns: Mapping[str, Floats]) -> None:
    for name, column in columns.items():
        _refuse(name, column, np.isinf(column), "must be finite, or NaN for a gap")
    if {"high", "low"} <= columns.keys():
        _refuse("high", columns["high"], columns["high"] < columns["low"], "must not be below low")
    if "tick_volume" in columns:
        _refuse("tick_volume", columns["tick_volume"], columns["tick_volume"] < 0.0, "must not be negative")


def _refuse(name: str, column: Floats, bad: Any, rule: str) -> None:
    if bad.any():
        row = int(bad.argmax())
        msg = f"{name} {rule}, was {column[row]!r} in row {row}; correct or drop the row"
        raise InvalidRequestError(msg, field=name)
