"""Columns over time in the form a caller asked for: pandas, polars, Arrow, or plain arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.bars import Floats, Integers

Form = Literal["pandas", "polars", "arrow", "numpy"]
FORMS = ("pandas", "polars", "arrow", "numpy")


def check_form(form: str) -> None:
    """Raise InvalidRequestError for a form that nobody makes."""
    if form not in FORMS:
        msg = f"as_ must be one of {', '.join(FORMS)}, was {form!r}"
        raise InvalidRequestError(msg, field="as_")


def in_form(form: Form, time: Integers, columns: Mapping[str, Floats], attributes: Mapping[str, Any]) -> Any:
    """Return bar opens (UTC microseconds) and columns in a form.

    Args:
        form: `pandas` has a UTC index named `time` and carries the attributes in `attrs`; `polars` and `arrow` have a column
            `time` of UTC timestamps; `numpy` is a dict of arrays, `time` being `datetime64[us]` in UTC.
        time: bar opens in UTC microseconds.
        columns: float64 by name.
        attributes: what else there is to say.
    """
    check_form(form)
    moments = time.view("datetime64[us]")
    if form == "pandas":
        return _pandas(moments, columns, attributes)
    if form == "numpy":
        return {"time": moments, **columns}
    import polars as pl  # noqa: PLC0415  only for those who ask for it

    times = pl.Series("time", time, pl.Int64).cast(pl.Datetime("us", "UTC"))
    frame = pl.DataFrame([times, *(pl.Series(name, column) for name, column in columns.items())])
    return frame if form == "polars" else _arrow(frame)


def _pandas(moments: Any, columns: Mapping[str, Floats], attributes: Mapping[str, Any]) -> Any:
    import pandas as pd  # noqa: PLC0415

    index = pd.DatetimeIndex(moments, name="time").tz_localize("UTC")
    frame = pd.DataFrame(dict(columns), index=index)
    frame.attrs.update(attributes)
    return frame


def _arrow(frame: Any) -> Any:
    try:
        return frame.to_arrow()
    except ModuleNotFoundError:
        msg = "as_='arrow' needs pyarrow; install it, or ask for polars"
        raise InvalidRequestError(msg, field="as_") from None
