"""Bars in, one column per output out: the pure face of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from feature_store.bars import Bars
from feature_store.clock import clock_columns
from feature_store.engine.columns import bar_columns, column_names, refuse_disorder, times_in_microseconds
from feature_store.engine.plan import Plan
from feature_store.engine.snapshot import Snapshot
from feature_store.errors import InvalidRequestError, SnapshotMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feature_store.bars import Floats
    from feature_store.indicators.feature import Feature

Form = Literal["pandas", "polars", "arrow", "numpy"]


def compute(bars: Any, features: Iterable[str | Feature], *, state: bytes | None = None, as_: Form = "pandas") -> Any:
    """Return one float64 column for each output of `features`, a row a bar.

    Args:
        bars: a pandas, polars or Arrow frame, `Bars` or a dict of arrays with the columns that the features need among open,
            high, low, close, tick_volume; oldest first. A pandas frame's index is the answer's.
        features: ids such as `sma_50`, `macd_12_26_9`, `bbands_20_2.upper`.
        state: a snapshot to continue from; without one the values are anchored at the first row.
        as_: `pandas`, `polars`, `arrow`, or `numpy` for a dict of arrays.

    A row before a column's warm-up is NaN, and so is a row whose inputs are NaN, which leaves no trace in later rows. A pandas
    answer's `attrs["feature_store"]` holds, by column, `versions`, `warmup` (the first row with a value) and `settled` (the
    first row on which the anchor weighs less than 1e-8; beyond every row for values that depend on it for ever).

    Raises FeatureNotFoundError, or InvalidRequestError for parameters, columns, values or times that break a rule.

    >>> fs.compute({"close": [1.0, 2.0, 4.0]}, ["sma_2", "roc_1"]).round(2).to_dict("list")
    {'sma_2': [nan, 1.5, 3.0], 'roc_1': [nan, 100.0, 100.0]}
    """
    plan = Plan.of(features)
    _refuse_form(as_)
    columns = bar_columns(bars, plan.prices)
    index = _times(bars)
    if index is not None:
        refuse_disorder(index)
    if plan.clock:
        columns |= clock_columns(times_in_microseconds(index, plan.clock), plan.clock)
    values = plan.run(columns, None if state is None else _words(state, plan))
    return _form(values, plan, index, as_, continued=state is not None)


def _words(state: bytes, plan: Plan) -> Any:
    snapshot = Snapshot.from_bytes(state)
    asked = tuple(feature.asked for feature in plan.features)
    if snapshot.features != asked:
        msg = f"the snapshot is of {', '.join(snapshot.features)}, not of {', '.join(asked)}; ask for those, in that order"
        raise SnapshotMismatchError(msg)
    snapshot.refuse_other(tuple(feature.version for feature in plan.features), len(plan.words))
    return snapshot.words


def _times(bars: Any) -> Any:
    """The bars' times: a pandas index of moments, or a `time` column."""
    if isinstance(bars, Bars):
        return bars.time.view("M8[us]")
    index = getattr(bars, "index", None)
    if index is not None and hasattr(index, "tz"):
        return index
    return np.asarray(bars["time"]) if "time" in column_names(bars) else None


def _form(values: Floats, plan: Plan, index: Any, as_: Form, *, continued: bool) -> Any:
    if as_ == "numpy":
        return dict(zip(plan.columns, values, strict=True))
    if as_ == "pandas":
        return _pandas(values, plan, index, continued=continued)
    times = {} if index is None else {"time": np.asarray(index)}
    named = times | dict(zip(plan.columns, values, strict=True))
    if as_ == "polars":
        import polars as pl  # noqa: PLC0415  only those who ask for it need it

        return pl.DataFrame(named)
    import pyarrow as pa  # noqa: PLC0415

    return pa.table(named)


def _pandas(values: Floats, plan: Plan, index: Any, *, continued: bool) -> Any:
    import pandas as pd  # noqa: PLC0415  a process that computes arrays needs no pandas

    if index is not None and not isinstance(index, pd.Index):
        index = pd.DatetimeIndex(index, name="time")
        index = index.tz_localize("UTC") if index.tz is None else index
    frame = pd.DataFrame(values.T, index=index, columns=list(plan.columns), copy=False)
    first = dict.fromkeys(plan.columns, 0)
    frame.attrs["feature_store"] = {
        "versions": plan.versions,
        "warmup": first if continued else plan.warmups,
        "settled": first if continued else plan.settlings,
    }
    return frame


def _refuse_form(as_: str) -> None:
    if as_ not in {"pandas", "polars", "arrow", "numpy"}:
        msg = f"as_ must be pandas, polars, arrow or numpy, was {as_!r}"
        raise InvalidRequestError(msg, field="as_")
