"""Times in text of fixed width, such as `20180101 170000`, read by arithmetic on their digits: 0.1 µs a time.

1. The texts of one width are put end to end, so that their characters are an array with a column a place.
2. The layout whose signs (`-`, `.`, `:`, blanks) stand where the first text's do is taken; all layouts of a width differ there.
3. Digits are weighted and added up to years, months and so on; a table gives the day on which each month begins.

A text that is laid out so but names no real moment (30 February, 25:00, second 60) is refused; one laid out otherwise is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from feature_store.bars import Integers

    Booleans = NDArray[np.bool_]
    Characters = NDArray[np.uint8]

_DATES = ("YYYY-MM-DD", "YYYY.MM.DD", "YYYY/MM/DD", "YYYYMMDD", "DD.MM.YYYY")
_CLOCKS = (
    "",
    "_hh:mm",
    "_hh:mm:ss",
    "_hhmmss",
    "_hhmmssfff",
    *(f"_hh:mm:ss.{'f' * digits}" for digits in range(1, 10)),
)
_COMPACT = ("YYYYMMDDhhmm", "YYYYMMDDhhmmss", "YYYYMMDDhhmmssfff")
_ZERO, _NINE = ord("0"), 9
_EITHER = "_"  # a blank, or the T of ISO 8601
_LAST_YEAR = 9999
_LIMITS = {"h": 23, "m": 59, "s": 59}
_MICROSECONDS = {"D": 86_400_000_000, "h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000}


@dataclass(frozen=True)
class _Layout:
    """Where each part of a time stands: `Y M D h m s f` for its digits, `_` for a blank or a T, any other sign for itself."""

    text: str

    def places(self, part: str) -> list[int]:
        return [place for place, sign in enumerate(self.text) if sign == part]

    @cached_property
    def digits(self) -> list[int]:
        return [place for place, sign in enumerate(self.text) if sign in "YMDhmsf"]

    @cached_property
    def signs(self) -> list[tuple[int, str]]:
        return [(place, sign) for place, sign in enumerate(self.text) if sign not in "YMDhmsf"]

    def fits(self, text: str) -> bool:
        return all(text[place] in (" T" if sign == _EITHER else sign) for place, sign in self.signs) and all(
            text[place].isdigit() for place in self.digits
        )


_LAYOUTS = tuple(_Layout(text) for text in (*(date + clock for date, clock in product(_DATES, _CLOCKS)), *_COMPACT))


def parse_fixed_width(text: pl.Series) -> tuple[Integers, Booleans, Booleans]:
    """Return microseconds since 1970 as the text's clock shows them, which are moments, and which are laid out in a known way.

    Nulls are laid out in no way. What is laid out but no moment need not be tried otherwise.
    """
    time = np.zeros(len(text), dtype=np.int64)
    is_moment, is_laid_out = np.zeros((2, len(text)), dtype=np.bool_)
    widths = text.str.len_bytes()
    for width in widths.drop_nulls().unique().to_list():
        layouts = [layout for layout in _LAYOUTS if len(layout.text) == width]
        if not layouts:
            continue
        here = (widths == width).fill_null(value=False).to_numpy()
        alike = text if here.all() else text.filter(here)
        layout = next((each for each in layouts if each.fits(alike[0])), None)
        if layout is not None:
            time[here], is_moment[here], is_laid_out[here] = _parse(alike, layout)
    return time, is_moment, is_laid_out


def _parse(text: pl.Series, layout: _Layout) -> tuple[Integers, Booleans, Booleans]:
    joined = np.frombuffer(text.str.join("").item().encode(), dtype=np.uint8)
    characters: Characters = np.ascontiguousarray(joined.reshape(len(text), -1).T)
    fits = _fits(characters, layout)
    digits = characters - _ZERO
    month = _number(digits, layout.places("M"))
    months = _number(digits, layout.places("Y")) * 12 + month - 1
    begins = _month_begins()
    months = np.where(fits & (month >= 1) & (month <= 12), months, 0)  # noqa: PLR2004  months of a year
    day = _number(digits, layout.places("D"))
    is_moment = fits & (month >= 1) & (month <= 12) & (day >= 1) & (day <= begins[months + 1] - begins[months])  # noqa: PLR2004
    time = (begins[months] + day - 1).astype(np.int64) * _MICROSECONDS["D"]
    for part, limit in _LIMITS.items():
        places = layout.places(part)
        if places:
            number = _number(digits, places)
            is_moment &= number <= limit
            time += number.astype(np.int64) * _MICROSECONDS[part]
    fraction = layout.places("f")[:6]
    if fraction:
        time += _number(digits, fraction) * 10 ** (6 - len(fraction))
    return np.where(is_moment, time, 0), is_moment, fits


def _fits(characters: Characters, layout: _Layout) -> Booleans:
    fits: Booleans = (characters[layout.digits] - _ZERO).max(axis=0) <= _NINE
    for place, sign in layout.signs:
        there = characters[place]
        fits &= (there == ord(" ")) | (there == ord("T")) if sign == _EITHER else there == ord(sign)
    return fits


def _number(digits: Characters, places: list[int]) -> NDArray[np.int32]:
    number: NDArray[np.int32] = digits[places[0]].astype(np.int32)
    for place in places[1:]:
        number = number * 10 + digits[place]
    return number


@lru_cache(maxsize=1)
def _month_begins() -> NDArray[np.int32]:
    """Return the day since 1970 on which each month from January of year 0 begins."""
    months = np.arange("0000-01", f"{_LAST_YEAR + 1}-02", dtype="datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int32)
