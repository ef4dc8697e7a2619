"""Bars in, one column per output out: the pure face of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from feature_store.clock import clock_columns
from feature_store.engine.bar_times import bar_times, clocked
from feature_store.engine.columns import bar_columns
from feature_store.engine.plan import Plan
from feature_store.engine.snapshot import Snapshot
from feature_store.errors import InvalidRequestError, SnapshotMismatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.bars import Floats, Integers
    from feature_store.indicators.feature import Feature

_BLOCK = 1 << 18

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
    times = bar_times(bars)
    _refuse_other_length(times, columns)
    words = plan.words.copy() if state is None else _words(state, plan)
    values = _by_the_clock(plan, columns, clocked(times, plan.clock), words) if plan.clock else plan.run(columns, words)
    if as_ == "pandas":
        return _pandas(values, plan, _index(bars, times), continued=state is not None)
    return _form(values, plan, times, as_)


def _by_the_clock(plan: Plan, columns: Mapping[str, Floats], times: Integers, words: Integers) -> Floats:
    """Return what `plan.run` does, block by block, so that what clocks say takes no memory to speak of."""
    values = np.empty((len(plan.columns), len(times)))
    for first in range(0, len(times), _BLOCK):
        rows = slice(first, first + _BLOCK)
        mine = {name: column[rows] for name, column in columns.items()}
        plan.fill(mine | clock_columns(times[rows], plan.clock), words, list(values[:, rows]))
    return values


def _refuse_other_length(times: Integers | None, columns: Mapping[str, Floats]) -> None:
    for name, column in columns.items():
        if times is not None and len(column) != len(times):
            msg = f"every bar needs a time, but there are {len(times)} times and {len(column)} rows of {name}"
            raise InvalidRequestError(msg, field="time")


def _words(state: bytes, plan: Plan) -> Any:
    if not isinstance(state, bytes):
        msg = f"state must be the bytes of a snapshot, was {type(state).__name__}"
        raise InvalidRequestError(msg, field="state")
    snapshot = Snapshot.from_bytes(state)
    asked = tuple(feature.asked for feature in plan.features)
    if snapshot.features != asked:
        msg = f"the snapshot is of {', '.join(snapshot.features)}, not of {', '.join(asked)}; ask for those, in that order"
        raise SnapshotMismatchError(msg)
    snapshot.refuse_other(tuple(feature.version for feature in plan.features), len(plan.words))
    return snapshot.words


def _index(bars: Any, times: Integers | None) -> Any:
    """The answer's index: the one that a pandas frame has, or the bars' times."""
    import pandas as pd  # noqa: PLC0415  a process that computes arrays needs no pandas

    index = getattr(bars, "index", None)
    if times is None or hasattr(index, "tz"):
        return index if isinstance(index, pd.Index) else None
    return pd.DatetimeIndex(times.view("M8[us]"), name="time", copy=False).tz_localize("UTC")


def _pandas(values: Floats, plan: Plan, index: Any, *, continued: bool) -> Any:
    import pandas as pd  # noqa: PLC0415

    frame = pd.DataFrame(values.T, index=index, columns=list(plan.columns), copy=False)
    first = dict.fromkeys(plan.columns, 0)
    frame.attrs["feature_store"] = {
        "versions": plan.versions,
        "warmup": first if continued else plan.warmups,
        "settled": first if continued else plan.settlings,
    }
    return frame


def _form(values: Floats, plan: Plan, times: Integers | None, as_: Form) -> Any:
    columns = dict(zip(plan.columns, values, strict=True))
    if as_ == "numpy":
        return columns
    if as_ == "polars":
        import polars as pl  # noqa: PLC0415  only those who ask for it need it

        opens = {} if times is None else {"time": pl.Series(times).cast(pl.Datetime("us", "UTC"))}
        return pl.DataFrame(opens | columns)
    import pyarrow as pa  # noqa: PLC0415

    return pa.table(({} if times is None else {"time": pa.array(times, pa.timestamp("us", "UTC"))}) | columns)


def _refuse_form(as_: str) -> None:
    if as_ not in ("pandas", "polars", "arrow", "numpy"):
        msg = f"as_ must be pandas, polars, arrow or numpy, was {as_!r}"
        raise InvalidRequestError(msg, field="as_")
