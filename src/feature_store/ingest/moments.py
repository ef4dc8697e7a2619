"""A column of times in whatever form it comes, made into UTC microseconds; what cannot be read is marked, never guessed.

`local_moments` reads what stands there; `moments` places it in a time zone where it does not say one itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import polars as pl

from feature_store.errors import InvalidRequestError
from feature_store.ingest.fixed_width import parse_fixed_width

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from feature_store.bars import Integers

    Booleans = NDArray[np.bool_]

_DATES = ("%Y-%m-%d", "%Y.%m.%d", "%Y/%m/%d", "%d.%m.%Y")  # digits without signs between are of fixed width or cut off
_CLOCKS = (" %H:%M:%S%.f", " %H:%M", "")
_FORMATS = tuple(date + clock for clock in _CLOCKS for date in _DATES)
_EPOCH = r"^-?(\d{9,10}(\.\d+)?|\d{13}|\d{16}|\d{19})$"
_ENDING = r"(\s*(?:Z|GMT|UTC|(?:GMT|UTC)?\s*[+-]\d{2}:?\d{2}))$"
_OFFSET = r"([+-]\d{2}:?\d{2})$"
_LEAP_SECOND = r":60(\D|$)"
_SECONDS_BELOW, _MILLISECONDS_BELOW, _MICROSECONDS_BELOW = 1e11, 1e14, 1e17
_EARLIEST, _LATEST = -(2**61), 2**61
_MICROSECONDS_A_MINUTE = 60_000_000


@dataclass(frozen=True, eq=False, slots=True)
class Moments:
    """Times in UTC microseconds, which of them could be read, and the zone they were read in."""

    time: Integers
    readable: Booleans
    timezone: str


@dataclass(frozen=True, eq=False, slots=True)
class Local:
    """Times as they stand there, before any zone is applied.

    Args:
        time: microseconds since 1970 on the clock that wrote them, or in UTC where `utc` holds.
        readable: which of them could be read.
        utc: which carried an offset, were numbers since 1970 or of a type with a zone.
        timezone: the zone that the data names, where it names one.
    """

    time: Integers
    readable: Booleans
    utc: Booleans
    timezone: str | None = None

    @property
    def placed(self) -> bool:
        """Whether every time that can be read is in UTC already, so that no zone is needed."""
        return not bool((self.readable & ~self.utc).any())

    def at(self, zone: str) -> Moments:
        """Return the moments if the clock that wrote them stood in `zone`; what it skipped or showed twice cannot be read."""
        if zone == "UTC" or self.placed:
            return Moments(self.time, self.readable, self.timezone or zone)
        local = pl.Series(self.time, dtype=pl.Int64).cast(pl.Datetime("us"))
        placed = local.dt.replace_time_zone(zone, ambiguous="null", non_existent="null").dt.convert_time_zone("UTC")
        exists = self.utc | placed.is_not_null().to_numpy()
        time = np.where(self.utc, self.time, placed.to_physical().fill_null(0).to_numpy())
        return Moments(np.where(exists, time, 0), self.readable & exists, self.timezone or zone)


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
    return local_moments(column).at(timezone or "UTC")


def local_moments(column: pl.Series) -> Local:
    """Return the times of a column as they stand there; see `moments` for what is read.

    >>> local_moments(pl.Series(["20180101 170000"])).placed
    False
    """
    dtype = column.dtype
    if isinstance(dtype, pl.Datetime):
        return _of_datetimes(column, dtype.time_zone)
    if dtype == pl.Date:
        return _of_datetimes(column.cast(pl.Datetime("us")), None)
    if dtype.is_numeric():
        return _of_datetimes(_since_1970(column), "UTC")
    return _of_text(column.cast(pl.String, strict=False))


def _of_datetimes(column: pl.Series, zone: str | None) -> Local:
    moments = column.to_numpy()
    there = ~np.isnat(moments)
    time = np.where(there, moments.astype("datetime64[us]").astype(np.int64), 0)
    readable = there & (time >= _EARLIEST) & (time <= _LATEST)
    return Local(time, readable, np.full(len(column), zone is not None), zone)


# ---------------------------------------------------------------- text
def _of_text(text: pl.Series) -> Local:
    """Read what has a fixed width by arithmetic, and try every known format on what is left."""
    if _are_numbers(text):
        return _of_datetimes(_since_1970(_whole_or_float(text.str.strip_chars())), "UTC")
    time = np.zeros(len(text), dtype=np.int64)
    readable, settled, utc = np.zeros((3, len(text)), dtype=np.bool_)
    for ending, here in _by_ending(text):
        bare = text if here.all() else text.filter(here)
        bare = bare if ending is None else bare.str.strip_suffix(ending)
        local, readable[here], settled[here] = parse_fixed_width(bare)
        time[here] = local - _offset_of(ending)
        utc[here] = ending is not None
    left = ~settled & text.is_not_null().to_numpy()
    if left.any():
        time[left], readable[left], utc[left] = _of_any_format(text.filter(left).str.strip_chars())
    return Local(np.where(readable, time, 0), readable, utc, "as written" if utc.any() else None)


def _are_numbers(text: pl.Series) -> bool:
    known = text.drop_nulls().str.strip_chars()
    return bool(known.head(1).str.contains(_EPOCH).any()) and bool(known.str.contains(_EPOCH).all())


def _whole_or_float(text: pl.Series) -> pl.Series:
    whole = text.cast(pl.Int64, strict=False)
    return whole if whole.null_count() == text.null_count() else text.cast(pl.Float64, strict=False)


def _by_ending(text: pl.Series) -> Iterator[tuple[str | None, Booleans]]:
    """Yield every ending that names an offset (`Z`, ` GMT+0100`), None for none, and the rows that end so."""
    first = text.drop_nulls().head(1)
    if not first.str.contains(_ENDING).any():
        yield None, np.ones(len(text), dtype=np.bool_)
        return
    endings = text.str.extract(_ENDING)
    for ending in endings.unique().to_list():
        yield ending, (endings.is_null() if ending is None else endings == ending).fill_null(value=False).to_numpy()


def _offset_of(ending: str | None) -> int:
    """Return how many microseconds a clock with this ending is ahead of UTC."""
    found = re.search(r"([+-])(\d{2}):?(\d{2})", ending or "")
    if found is None:
        return 0
    minutes = int(found[2]) * 60 + int(found[3])
    return (-minutes if found[1] == "-" else minutes) * _MICROSECONDS_A_MINUTE


def _of_any_format(text: pl.Series) -> tuple[Integers, Booleans, Booleans]:
    """Return microseconds, which of them were read, and which of those carried an offset."""
    text = text.set(text.str.contains(_LEAP_SECOND).fill_null(value=False), None)
    text = text.str.replace(r"(\d)T(\d)", "$1 $2").str.replace(r"\s*(Z|GMT|UTC)$", "+00:00")
    text = text.str.replace(r"\s*(?:GMT|UTC)?\s*" + _OFFSET, "$1")
    placed = text.str.contains(_OFFSET).fill_null(value=False)
    local = _parsed(text.set(placed, None), "").to_physical()
    whole = _parsed(text.set(~placed, None), "%#z").to_physical()
    utc = whole.is_not_null()
    time = whole.zip_with(utc, local)
    return time.fill_null(0).to_numpy(), time.is_not_null().to_numpy(), utc.to_numpy()


def _parsed(text: pl.Series, ending: str) -> pl.Series:
    """Return the times that any of the known formats reads, each format trying what the ones before could not."""
    found = pl.Series(text.name, [None] * len(text), pl.Datetime("us", "UTC" if ending else None))
    for form in _FORMATS:
        left = found.is_null() & text.is_not_null()
        if not left.any():
            break
        tried = text.filter(left).str.to_datetime(form + ending, strict=False, time_unit="us")
        if not tried.is_null().all():
            found = found.scatter(left.arg_true(), tried)
    return found


# ---------------------------------------------------------------- numbers
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
    if numbers.dtype.is_float():
        microseconds = microseconds.round()
    return microseconds.cast(pl.Int64, strict=False).cast(pl.Datetime("us", "UTC"))


def _refuse_unknown(timezone: str) -> None:
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"tz must be a time zone's name such as Europe/Athens or UTC, was {timezone!r}"
        raise InvalidRequestError(msg, field="tz") from None
