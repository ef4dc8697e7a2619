"""The times of bars as callers hold them -> UTC microseconds, checked before any work.

A pandas index of moments, or a column `time` of moments, ISO 8601 strings or whole epoch milliseconds. Each must be there and
later than the one before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import Bars
from feature_store.engine.columns import column_names
from feature_store.errors import InvalidRequestError
from feature_store.times import to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feature_store.bars import Integers

_PIECE = 1 << 16
_NO_TIME = np.iinfo(np.int64).min
"""What numpy and pandas keep for a time that is not there."""


def bar_times(bars: Any) -> Integers | None:
    """Return bar opens as UTC microseconds, None where bars have none; raises InvalidRequestError naming row and rule.

    >>> bar_times({"time": ["1970-01-01", "1970-01-01T00:00:01+00:00"]})
    array([      0, 1000000])
    """
    times = _held(bars)
    if times is not None:
        _refuse_disorder(times)
    return times


def clocked(times: Integers | None, names: Iterable[str]) -> Integers:
    """Return the times; raises InvalidRequestError where there are none but the clocks `names` need them."""
    if times is None:
        msg = f"these features look at a clock ({', '.join(names)}): give the bars a DatetimeIndex or a column `time`"
        raise InvalidRequestError(msg, field="time")
    return times


def _held(bars: Any) -> Integers | None:
    if isinstance(bars, Bars):
        return bars.time
    index = getattr(bars, "index", None)
    if hasattr(index, "tz"):
        return _microseconds(index)
    return _microseconds(bars["time"]) if "time" in column_names(bars) else None


def _microseconds(times: Any) -> Integers:
    moments = getattr(times, "array", times)  # of a pandas index or column, which are in UTC whatever their zone
    if hasattr(moments, "asi8") and hasattr(moments, "tz"):
        return np.asarray(moments.as_unit("us").asi8)
    values = np.asarray(times)
    if values.ndim != 1:
        msg = f"column 'time' must have one dimension, not {values.ndim}"
        raise InvalidRequestError(msg, field="time")
    return _read(values)


def _read(values: Any) -> Integers:
    kind = values.dtype.kind
    if kind == "M":
        return np.asarray(values.astype("datetime64[us]", copy=False).view(np.int64))
    if not len(values) or kind in "OUS":
        return np.array([to_microseconds(each, "time") for each in values.tolist()], np.int64)
    if kind not in "iu":
        msg = f"column 'time' must hold moments, ISO 8601 strings or whole epoch milliseconds, not {values.dtype}"
        raise InvalidRequestError(msg, field="time")
    for extreme in (values.min(), values.max()):
        to_microseconds(int(extreme), "time")
    return np.asarray(values, np.int64) * 1000


def _refuse_disorder(times: Integers) -> None:
    """Raise InvalidRequestError where times do not strictly rise, or one is not there."""
    for first in range(0, len(times), _PIECE):  # in pieces small enough that their answers need no fresh memory
        piece = times[first : first + _PIECE + 1]
        if piece[0] == _NO_TIME or not (piece[1:] > piece[:-1]).all():
            wrong = np.append(piece[0] == _NO_TIME, piece[1:] <= piece[:-1])
            row = int(wrong.argmax())
            raise _disorder(first + row, piece[row], piece[max(row - 1, 0)])


def _disorder(row: int, time: int, before: int) -> InvalidRequestError:
    if time == _NO_TIME:
        return InvalidRequestError(f"every bar needs a time, but row {row} has none; drop it", field="time")
    what = "twice" if time == before else "after a later one"
    shown = str(np.datetime64(int(time), "us"))
    msg = f"times must rise, but row {row} ({shown}Z) comes {what}; sort the bars and drop duplicates"
    return InvalidRequestError(msg, field="time")
