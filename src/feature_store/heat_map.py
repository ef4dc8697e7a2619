"""A year of days in a few lines of a terminal: a column a week, a row a weekday, each cell as full as the day is complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feature_store.calendar import Completeness

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_LEVELS = (  # at least this share of the expected bars: what stands for it, and its colour
    (1.0, "█", "green"),
    (0.98, "▓", "green"),
    (0.9, "▒", "yellow"),
    (1e-9, "░", "red"),
    (0.0, "x", "bold red"),
)
_NOTHING_EXPECTED = ("·", "dim")
_BEFORE_OR_AFTER = (" ", "")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONDAY = 3  # 1970-01-01 was a Thursday


def heat_map(days: Completeness) -> Iterator[Text]:
    r"""Return the lines of a heat map, a block a year; weekends stand there where any trade is expected on them.

    >>> from feature_store.calendar import Completeness
    >>> dates = np.arange("2023-01-02", "2023-01-14", dtype="datetime64[D]")
    >>> full = np.array([24, 24, 24, 24, 24, 0, 0, 24, 24, 24, 24, 24])
    >>> held = np.array([24, 24, 12, 24, 0, 0, 0, 24, 24, 24, 24, 23])
    >>> print("\n".join(line.plain for line in heat_map(Completeness(dates, full, held))))
    2023 Jan
    Mon  ██
    Tue  ██
    Wed  ░█
    Thu  ██
    Fri  x▒
    """
    numbers = days.day.astype("datetime64[D]").astype(np.int64)
    weeks, weekdays = (numbers + _MONDAY) // 7, (numbers + _MONDAY) % 7
    years = (days.day.astype("datetime64[Y]").astype(np.int64) + 1970).tolist()
    shown = 7 if bool(days.expected[weekdays >= 5].any()) else 5  # noqa: PLR2004  Saturday
    for year in dict.fromkeys(years):
        mine = np.flatnonzero((np.array(years) == year) & (weekdays < shown))
        if len(mine):
            yield from _block(year, days, mine, weeks, weekdays, shown)


def legend() -> Text:
    """Return what the cells mean."""
    line = Text("     ", style="dim")
    for (_, cell, style), meaning in zip(_LEVELS, ("all bars", "98 %", "90 %", "some", "none"), strict=True):
        line.append(cell, style)
        line.append(f" {meaning}   ", "dim")
    line.append(f"{_NOTHING_EXPECTED[0]} closed", "dim")
    return line


def _block(
    year: int,
    days: Completeness,
    mine: np.ndarray[tuple[int], np.dtype[np.int64]],
    weeks: np.ndarray[tuple[int], np.dtype[np.int64]],
    weekdays: np.ndarray[tuple[int], np.dtype[np.int64]],
    shown: int,
) -> Iterator[Text]:
    first = int(weeks[mine[0]])
    width = int(weeks[mine[-1]]) - first + 1
    cells = [[_BEFORE_OR_AFTER] * width for _ in range(shown)]
    for place in mine.tolist():
        cells[weekdays[place]][weeks[place] - first] = _cell(int(days.expected[place]), int(days.present[place]))
    yield _months(year, days.day[mine], weeks[mine] - first, width)
    for weekday, row in zip(WEEKDAYS, cells, strict=False):
        yield Text.assemble((f"{weekday}  ", "dim"), *row)


def _cell(expected: int, present: int) -> tuple[str, str]:
    if not expected:
        return _NOTHING_EXPECTED
    share = present / expected
    return next((cell, style) for least, cell, style in _LEVELS if share >= least)


def _months(
    year: int,
    days: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    weeks: np.ndarray[tuple[int], np.dtype[np.int64]],
    width: int,
) -> Text:
    """Return the year and, over the week in which each month begins, its name."""
    line = [" "] * (width + 3)
    months = days.astype("datetime64[M]").astype(np.int64) % 12
    free = 0
    for month in dict.fromkeys(months.tolist()):
        week = int(weeks[np.flatnonzero(months == month)[0]])
        if week >= free:
            line[week : week + 3] = _MONTHS[month]
            free = week + 4
    return Text.assemble((f"{year} ", "bold"), ("".join(line).rstrip(), "dim"))
