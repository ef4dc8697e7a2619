"""Times as callers write them, made into one thing: whole microseconds since 1970 in UTC.

Naive times are UTC, strings are ISO 8601, `start` is inclusive and `end` exclusive. One exception, as a person means it: a
bare date as `end` covers that whole day.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from feature_store.errors import InvalidRequestError

TimeLike = str | datetime | date | int | None

MICROSECONDS_A_SECOND = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BARE_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


def to_microseconds(value: Any, field: str = "time") -> int:
    """Return `value` as microseconds since 1970 UTC; whole numbers are taken to be epoch milliseconds.

    >>> to_microseconds("2023-01-01T00:00:01Z")
    1672531201000000
    """
    moment = _moment(value, field)
    if not _EARLIEST <= moment < _LATEST:
        msg = f"{field} must lie between 1900 and 2200, was {value!r}"
        raise InvalidRequestError(msg, field=field)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_datetime(microseconds: int) -> datetime:
    """Return the UTC moment of `microseconds` since 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def to_iso(microseconds: int) -> str:
    """Return `microseconds` since 1970 as ISO 8601 with a Z.

    >>> to_iso(1672531201000000)
    '2023-01-01T00:00:01Z'
    """
    return to_datetime(microseconds).isoformat().replace("+00:00", "Z")


def to_range(start: Any, end: Any) -> tuple[int | None, int | None]:
    """Return the half-open range `[start, end)` in microseconds; None leaves a side open.

    Raises InvalidRequestError when `end` is not after `start`.

    >>> first, last = to_range("2023-01-01", "2023-01-31")
    >>> (last - first) // (24 * 3600 * MICROSECONDS_A_SECOND)
    31
    """
    first = None if start is None else to_microseconds(start, "start")
    last = None if end is None else to_microseconds(end, "end")
    if last is not None and _is_bare_date(end):
        last += 24 * 3600 * MICROSECONDS_A_SECOND
    if first is not None and last is not None and last <= first:
        msg = f"end must be after start, but start was {start} and end was {end}"
        raise InvalidRequestError(msg, field="end")
    return first, last


def _moment(value: Any, field: str) -> datetime:
    try:
        moment = _read(value)
    except (ValueError, OverflowError):
        moment = None
    if moment is None:
        msg = f"{field} must be an ISO 8601 time such as 2023-01-31 or 2023-01-31T17:00:00Z, was {value!r}"
        raise InvalidRequestError(msg, field=field)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _read(value: Any) -> datetime | None:
    if isinstance(value, str):
        return datetime.fromisoformat(value.strip())
    if isinstance(value, datetime):  # pandas' Timestamp is one, and its NaT fails here as it should
        return datetime.fromisoformat(value.isoformat())
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, int) and not isinstance(value, bool):
        return _EPOCH + timedelta(milliseconds=value)
    if hasattr(value, "astype") and str(getattr(value, "dtype", "")).startswith(("datetime64", "int")):
        whole = value.astype("datetime64[ms]" if str(value.dtype).startswith("int") else "datetime64[us]")
        return _EPOCH + timedelta(microseconds=int(whole.astype("datetime64[us]").astype("int64")))
    return None


def _is_bare_date(value: Any) -> bool:
    if isinstance(value, str):
        return _BARE_DATE.fullmatch(value.strip()) is not None
    return isinstance(value, date) and not isinstance(value, datetime)
