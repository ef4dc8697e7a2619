"""A column of times in whatever form it comes, made into UTC microseconds; what cannot be read is marked, never guessed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from feature_store.bars import Integers

_DATES = ("%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%Y%m%d", "%d.%m.%Y")
_CLOCKS = (" %H:%M:%S%.f", " %H:%M", "", " %H%M%S")
_COMPACT = ("%Y%m%d%H%M%S", "%Y%m%d%H%M")
_FORMATS = (*(date + clock for clock in _CLOCKS for date in _DATES), *_COMPACT)
_EPOCH = r"^-?(\d{9,10}|\d{13}|\d{16}|\d{19})$"
_OFFSET = r"([+-]\d{2}:?\d{2})$"
_SECONDS_BELOW, _MILLISECONDS_BELOW, _MICROSECONDS_BELOW = 1e11, 1e14, 1e17
_EARLIEST, _LATEST = -(2**61), 2**61


@dataclass(frozen=True, eq=False, slots=True)
class Moments:
    """Times in UTC microseconds, which of them could be read, and the zone they were read in."""

    time: Integers
    readable: NDArray[np.bool_]
    timezone: str


def moments(column: pl.Series, timezone: str | None = None) -> Moments:
    """Return the moments of a column.

    Args:
        column: times; dates; text in ISO 8601 or the forms of MetaTrader, HistData and Dukascopy (`2019.01.02 17:00`, `20190102
            170000`, `02.01.2019 17:00:00.000 GMT+0100`); or numbers since 1970, whose size tells seconds, milliseconds,
            microseconds and nanoseconds apart.
        timezone: where the clock stood that wrote times without a zone; None means UTC. A time that this clock skipped or
            showed twice cannot be read.

    Raises InvalidRequestError for a zone that does not exist.
    """
    if timezone is not None:
        _refuse_unknown(timezone)
    zone = timezone or "UTC"
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is not None:
            return _moments(column.dt.convert_time_zone("UTC"), dtype.time_zone)
        return _moments(_placed(column, zone), zone)
    if dtype == pl.Date:
        return _moments(_placed(column.cast(pl.Datetime("us")), zone), zone)
    if dtype.is_numeric():
        return _moments(_since_1970(column), "UTC")
    return _of_text(column.cast(pl.String, strict=False).str.strip_chars(), zone)


def _of_text(text: pl.Series, zone: str) -> Moments:
    known = text.drop_nulls()
    if len(known) and bool(known.str.contains(_EPOCH).all()):
        return _moments(_since_1970(text.cast(pl.Int64, strict=False)), "UTC")
    text = text.str.replace(r"(\d)T(\d)", "$1 $2").str.replace(r"\s*(Z|GMT|UTC)$", "+00:00")
    text = text.str.replace(r"\s*(?:GMT|UTC)?\s*" + _OFFSET, "$1")
    placed = text.str.contains(_OFFSET).fill_null(value=False)
    local = _parsed(text.set(placed, None), "")
    moments = _placed(local, zone)
    if not placed.any():
        return _moments(moments, zone)
    whole = _parsed(text.set(~placed, None), "%#z")
    return _moments(whole.zip_with(whole.is_not_null(), moments), "as written")


def _parsed(text: pl.Series, ending: str) -> pl.Series:
    """Return the times that any of the known formats reads, each format trying what the ones before could not."""
    kind = pl.Datetime("us", "UTC" if ending else None)
    found = (
        pl.Series(text.name, [None], kind).new_from_index(0, len(text)) if len(text) else pl.Series(text.name, [], kind)
    )
    for form in _FORMATS:
        left = found.is_null() & text.is_not_null()
        if not left.any():
            break
        if text.filter(left).head(1_000).str.to_datetime(form + ending, strict=False, time_unit="us").is_null().all():
            continue
        tried = text.str.to_datetime(form + ending, strict=False, time_unit="us")
        found = found.zip_with(found.is_not_null(), tried)
    return found


def _placed(local: pl.Series, zone: str) -> pl.Series:
    return local.dt.replace_time_zone(zone, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")


def _since_1970(numbers: pl.Series) -> pl.Series:
    size = numbers.cast(pl.Float64).fill_nan(None).abs().max()
    largest = size if isinstance(size, float) else 0.0
    if largest < _SECONDS_BELOW:
        microseconds = numbers * 1_000_000
    elif largest < _MILLISECONDS_BELOW:
        microseconds = numbers * 1_000
    elif largest < _MICROSECONDS_BELOW:
        microseconds = numbers
    else:
        microseconds = numbers // 1_000
    return microseconds.cast(pl.Int64, strict=False).cast(pl.Datetime("us", "UTC"))


def _moments(column: pl.Series, timezone: str) -> Moments:
    time = column.cast(pl.Datetime("us", "UTC")).to_physical()
    readable = (time.is_not_null() & time.is_between(_EARLIEST, _LATEST)).fill_null(value=False)
    return Moments(time.fill_null(0).to_numpy(), readable.to_numpy(), timezone)


def _refuse_unknown(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"tz must be a time zone's name such as Europe/Athens or UTC, was {timezone!r}"
        raise InvalidRequestError(msg, field="tz") from None
