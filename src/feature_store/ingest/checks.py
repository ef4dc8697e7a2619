"""The rules that a row must keep to be stored. The first rule that it breaks is the reason it is quarantined for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import PRICES
from feature_store.calendar import DAY, HOUR, Calendar, bucket_open
from feature_store.ingest.moments import Moments, moments
from feature_store.ingest.report import Rejected
from feature_store.store.protocol import Arrivals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from feature_store.bars import Floats, Integers, Symbol, Timeframe
    from feature_store.ingest.frames import Table

    Booleans = NDArray[np.bool_]

UNREADABLE_TIME = "time cannot be read"
OFF_GRID = "time is not the open of a {timeframe} bar"
NOT_FINITE = "a price is missing or not a finite number"
NOT_POSITIVE = "a price is not positive"
HIGH_BELOW_LOW = "high is below low"
OUTSIDE = "open or close lies outside low to high"
BAD_VOLUME = "tick volume is negative or infinite"
BAD_SPREAD = "spread is negative or infinite"
BAD_QUOTE = "{side} prices break the rules of a bar"
MARKET_CLOSED = "market closed: currencies rest from Friday 17:00 to Sunday 17:00 New York"
UNREADABLE_KNOWN_AT = "known_at cannot be read"
FORMING = "the bar had not closed when it was known"
REPEATED = "time repeated with other values; the first row was taken"


@dataclass(frozen=True, eq=False, slots=True)
class Checked:
    """A table's rows sorted out: those for the store, how many stood there twice, and those that break a rule."""

    arrivals: Arrivals
    repeated: int
    quarantined: tuple[Rejected, ...]
    timezone: str


def check(
    table: Table,
    symbol: Symbol,
    timeframe: Timeframe,
    *,
    known_at: int | None,
    source: str,
    timezone: str | None,
    now: int,
) -> Checked:
    """Sort out the rows of a table.

    Args:
        table: rows in any order.
        symbol: whose calendar holds.
        timeframe: the bars' length.
        known_at: when the rows were learned, in UTC microseconds; None means when each bar closed, an assumption that is
            marked, unless the table has a column of its own for it.
        source: who said so.
        timezone: the zone of times that carry none; None means UTC.
        now: a bar that closes later is still forming.
    """
    opened = moments(table.time(), timezone or table.timezone)
    calendar = Calendar.of(symbol)
    available_at = calendar.bar_close(np.where(opened.readable, opened.time, 0), timeframe)
    known, assumed = _knowledge(table, known_at, available_at, timezone)
    values = table.values()
    rules = [
        *_rules_of_time(opened, timeframe),
        *_rules_of_values(values),
        *_rules_of_the_market(opened.time, available_at, calendar, timeframe),
        (UNREADABLE_KNOWN_AT, ~known.readable),
        (FORMING, (available_at > known.time) | (available_at > now)),
    ]
    reasons = [reason for reason, _ in rules]
    broken = _first_broken([mask for _, mask in rules], len(table))
    kept, again, differing = _unique(np.flatnonzero(broken < 0), opened.time, known.time, values)
    broken[differing] = len(reasons)
    arrivals = Arrivals(opened.time, available_at, known.time, assumed, values, source).take(kept)
    return Checked(arrivals, len(again), _rejected(table, broken, [*reasons, REPEATED]), opened.timezone)


def _knowledge(
    table: Table, known_at: int | None, available_at: Integers, timezone: str | None
) -> tuple[Moments, Booleans]:
    """Return when each row was known, and where that is assumed."""
    everywhere = np.ones(len(table), dtype=np.bool_)
    if known_at is not None:
        return Moments(np.full(len(table), known_at, dtype=np.int64), everywhere, "UTC"), ~everywhere
    column = table.known_at()
    if column is None:
        return Moments(available_at, everywhere, "UTC"), everywhere
    known = moments(column, timezone)
    absent = column.is_null().to_numpy()
    return Moments(np.where(absent, available_at, known.time), known.readable | absent, known.timezone), absent


# ---------------------------------------------------------------- rules: a reason and where it holds
def _rules_of_time(opened: Moments, timeframe: Timeframe) -> Iterator[tuple[str, Booleans]]:
    yield UNREADABLE_TIME, ~opened.readable
    if timeframe.microseconds <= HOUR:
        yield OFF_GRID.format(timeframe=timeframe), bucket_open(opened.time, timeframe) != opened.time


def _rules_of_values(values: Mapping[str, Floats]) -> Iterator[tuple[str, Booleans]]:
    prices = [values[name] for name in PRICES]
    yield NOT_FINITE, np.logical_or.reduce([~np.isfinite(column) for column in prices])
    yield NOT_POSITIVE, np.logical_or.reduce([column <= 0 for column in prices])
    yield HIGH_BELOW_LOW, values["high"] < values["low"]
    yield OUTSIDE, _outside(*prices)
    volume = values["tick_volume"]
    yield BAD_VOLUME, (volume < 0) | np.isinf(volume)
    if "spread" in values:
        yield BAD_SPREAD, (values["spread"] < 0) | np.isinf(values["spread"])
    for side in ("bid", "ask"):
        quoted = [values[f"{side}_{name}"] for name in PRICES if f"{side}_{name}" in values]
        if quoted:
            bad = np.logical_or.reduce([(column <= 0) | np.isinf(column) for column in quoted])
            whole = len(quoted) == len(PRICES)
            yield BAD_QUOTE.format(side=side), bad | _outside(*quoted) if whole else bad


def _outside(opens: Floats, highs: Floats, lows: Floats, closes: Floats) -> Booleans:
    """Return where high is not the highest or low not the lowest; NaN breaks nothing here."""
    outside: Booleans = (highs < np.fmax(np.fmax(opens, closes), lows)) | (lows > np.fmin(opens, closes))
    return outside


def _rules_of_the_market(
    time: Integers, available_at: Integers, calendar: Calendar, timeframe: Timeframe
) -> Iterator[tuple[str, Booleans]]:
    """A bar must meet the FX week; holidays break nothing, since some brokers quote on them."""
    if timeframe.microseconds <= DAY:
        yield MARKET_CLOSED, calendar.is_weekend(time) & calendar.is_weekend(available_at - 1)


def _first_broken(masks: list[Booleans], rows: int) -> Integers:
    """Return for each row the number of the first rule that it breaks, or -1."""
    broken = np.full(rows, -1, dtype=np.int64)
    for number in reversed(range(len(masks))):
        broken[masks[number]] = number
    return broken


# ---------------------------------------------------------------- rows of one time and one knowledge time
def _unique(
    rows: Integers, time: Integers, known_at: Integers, values: Mapping[str, Floats]
) -> tuple[Integers, Integers, Integers]:
    """Return the first row of each (`time`, `known_at`), the later ones with equal values, and the later ones with others."""
    order = rows[np.lexsort((rows, known_at[rows], time[rows]))]
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (np.diff(time[order]) != 0) | (np.diff(known_at[order]) != 0)
    if begins.all():
        return order, order[:0], order[:0]
    first = order[np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))]
    same = np.ones(len(order), dtype=np.bool_)
    for column in values.values():
        same &= (column[order] == column[first]) | (np.isnan(column[order]) & np.isnan(column[first]))
    return order[begins], order[~begins & same], order[~begins & ~same]


def _rejected(table: Table, broken: Integers, reasons: list[str]) -> tuple[Rejected, ...]:
    rows = np.flatnonzero(broken >= 0)
    values = table.rows[rows.tolist()].to_dicts()
    return tuple(
        Rejected(int(table.numbers[row]), reasons[broken[row]], value) for row, value in zip(rows, values, strict=True)
    )
