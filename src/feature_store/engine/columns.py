"""Bars as callers hold them -> contiguous float64 columns, checked before any work.

Accepted: `Bars`, pandas, polars and Arrow frames, dicts of arrays. A price that is infinite is refused; NaN is a gap.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import FEATURE_COLUMNS, Bars
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.bars import Floats

_PIECE = 1 << 16
_NAMES_SHOWN = 12


def bar_columns(bars: Any, names: Iterable[str]) -> dict[str, Floats]:
    """Return the columns `names` of `bars`; raises InvalidRequestError naming column, row and rule."""
    held = _held(bars)
    missing = next((name for name in names if name not in held), None)
    if missing:
        raise _lacking(missing, column_names(bars))
    columns = {name: _floats(name, held[name]) for name in names}
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        msg = f"columns must have one length, these have {lengths}"
        raise InvalidRequestError(msg, field="bars")
    if not _surely_good(columns):
        _refuse_bad_rows(columns)
    return columns


def column_names(bars: Any) -> list[str]:
    """Return the columns a frame or dict has; raises InvalidRequestError for anything else."""
    if isinstance(bars, (Bars, dict)):
        return list(bars.columns if isinstance(bars, Bars) else bars)
    names = (
        None if hasattr(bars, "collect") else getattr(bars, "column_names", None)
    )  # Arrow's; its `columns` are values
    names = getattr(bars, "columns", None) if names is None and not hasattr(bars, "collect") else names
    if names is None:
        way_out = "; call collect() first" if hasattr(bars, "collect") else ""
        msg = f"bars must be a pandas, polars or Arrow frame or a dict of columns, not {type(bars).__name__}{way_out}"
        raise InvalidRequestError(msg, field="bars")
    return [str(name) for name in names]


def _lacking(name: str, names: list[str]) -> InvalidRequestError:
    have = ", ".join(f"{each!s:.20}" for each in names[:_NAMES_SHOWN]) + (" ..." if len(names) > _NAMES_SHOWN else "")
    alike = next((f"; rename {each!r:.40}" for each in names if name in str(each).lower()), "")
    msg = f"these features need the column {name!r}, and the bars have {have or 'none'}{alike}"
    return InvalidRequestError(msg, field=name)


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
        raw = _array(name, values)
    if raw.dtype.kind not in "fiu":
        msg = f"column {name!r} must hold numbers, not {raw.dtype}; convert it with astype(float)"
        raise InvalidRequestError(msg, field=name)
    return np.asarray(raw, dtype=np.float64, order="C")


def _array(name: str, values: Any) -> Any:
    if isinstance(values, np.ma.MaskedArray) and values.dtype.kind in "fiu":
        return np.ma.filled(values.astype(np.float64), np.nan)
    try:
        return np.asarray(values)
    except ValueError:
        msg = f"column {name!r} must hold one number a row, and some rows hold several"
        raise InvalidRequestError(msg, field=name) from None


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
        msg = f"{name} {rule}, was {float(column[row])} in row {row}; correct or drop the row"
        raise InvalidRequestError(msg, field=name)
