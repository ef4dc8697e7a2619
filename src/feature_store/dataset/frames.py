"""Events and their answers side by side, in the form a caller asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl

from feature_store.dataset.answer import STATUSES
from feature_store.dataset.events import NO_TIME
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from feature_store.bars import Integers
    from feature_store.forms import Form

    Arrays = Mapping[str, NDArray[Any]]

_STATUS = pd.CategoricalDtype(list(STATUSES))


def assembled(table: Any, last: Iterable[str], added: Arrays, form: Form) -> Any:
    """Return the caller's columns, then the added ones, then the caller's `last` ones.

    Args:
        table: the events in pandas or polars.
        last: names of columns that are moved to the end.
        added: times in UTC microseconds (int64), numbers (float64) and statuses (int8), by name.
        form: `pandas` (with the index that pandas events have), `polars`, `arrow`, or `numpy` for a dict of arrays.
    """
    moved = list(last)
    kept = [name for name in table.columns if name not in moved]
    if form == "pandas":
        frame = table if isinstance(table, pd.DataFrame) else _converted(table.to_pandas)
        new = pd.DataFrame({name: _pandas(each) for name, each in added.items()}, copy=False)
        return pd.concat([frame[kept], new.set_axis(frame.index, axis=0), frame[moved]], axis=1)
    if form == "numpy":
        columns = {name: table[name].to_numpy() for name in (*kept, *moved)}
        return _between(columns, kept, {name: _numpy(each) for name, each in added.items()})
    frame = table if isinstance(table, pl.DataFrame) else _converted(lambda: pl.from_pandas(table))
    series = [_polars(name, each) for name, each in added.items()]
    frame = pl.DataFrame([*frame[kept].get_columns(), *series, *frame[moved].get_columns()])
    return frame if form == "polars" else _converted(frame.to_arrow)


def refuse_taken(names: Iterable[str], added: Iterable[str]) -> None:
    """Raise InvalidRequestError where the caller has a column of the same name as one that is added."""
    taken = next((name for name in added if name in names), None)
    if taken is not None:
        msg = f"events have a column {taken!r} of their own, which is the name of one to be added; rename it"
        raise InvalidRequestError(msg, field="events")


def _between(columns: dict[str, Any], kept: list[str], added: dict[str, Any]) -> dict[str, Any]:
    first = {name: columns[name] for name in kept}
    return first | added | {name: column for name, column in columns.items() if name not in first}


def _pandas(column: NDArray[Any]) -> Any:
    if column.dtype == np.int64:
        return pd.DatetimeIndex(column.view("datetime64[us]")).tz_localize("UTC")
    if column.dtype == np.int8:
        return pd.Categorical.from_codes(column, dtype=_STATUS)
    return column


def _numpy(column: NDArray[Any]) -> NDArray[Any]:
    if column.dtype == np.int64:
        return column.view("datetime64[us]")
    return np.array(STATUSES)[column] if column.dtype == np.int8 else column


def _polars(name: str, column: NDArray[Any]) -> pl.Series:
    if column.dtype == np.int64:
        return _times(name, column)
    if column.dtype == np.int8:
        return pl.Series(name, column.astype(np.uint8)).cat.to(pl.Enum(STATUSES))
    return pl.Series(name, column)


def _times(name: str, column: Integers) -> pl.Series:
    moments = pl.Series(name, column)
    return moments.set(moments == NO_TIME, None).cast(pl.Datetime("us", "UTC"))


def _converted(convert: Any) -> Any:
    try:
        return convert()
    except ModuleNotFoundError as problem:
        msg = "events in pandas and an answer in another form, or the other way round, need pyarrow; install it"
        raise InvalidRequestError(msg, field="as_") from problem
