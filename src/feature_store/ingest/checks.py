"""The rules that a row must keep to be stored. The first rule that it breaks is the reason it is quarantined for."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import PRICES, SPREAD_COLUMNS
from feature_store.calendar import DAY, HOUR, Calendar, bucket_open
from feature_store.ingest.moments import Moments, local_moments
from feature_store.ingest.placing import UTC, Placing
from feature_store.ingest.report import KEPT, Quarantine, Rejected
from feature_store.store.protocol import Arrivals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from feature_store.bars import Floats, Integers, Symbol, Timeframe
    from feature_store.ingest.frames import Table
    from feature_store.ingest.given import Given

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
    """A table's rows sorted out: those for the store, how many stood there before, and those that break a rule."""

    arrivals: Arrivals
    repeated: int
    quarantined: Quarantine


@dataclass(frozen=True, slots=True)
class Rules:
    """What rows of one series must keep.

    Args:
        symbol: whose calendar holds.
        timeframe: the bars' length.
        known_at: when the rows were learned, in UTC microseconds; None means when each bar closed, an assumption that is
            marked, unless the table has a column of its own for it.
        source: who said so.
        now: a bar that closes later is still forming.
        knowledge: where the clock stood that wrote such a column.
    """

    symbol: Symbol
    timeframe: Timeframe
    known_at: int | None
    source: str
    now: int
    knowledge: Placing = UTC

    def check(self, table: Table, opened: Moments, given: Given, held: int = KEPT) -> Checked:
        """Sort out the rows of a table.

        Args:
            table: rows in any order.
            opened: their bar opens.
            given: the rows of the tables before, which are remembered with these; of rows of one `time` and `known_at` the
                first is taken.
            held: how many quarantined rows to show with their values.
        """
        calendar = Calendar.of(self.symbol)
        time = np.where(opened.readable, opened.time, 0)
        available_at = calendar.bar_close(time, self.timeframe)
        known, assumed = self._knowledge(table, available_at)
        values = table.values()
        rules = [
            *_rules_of_time(time, opened.readable, self.timeframe),
            *_rules_of_values(values),
            *_rules_of_the_market(time, available_at, calendar, self.timeframe),
            (UNREADABLE_KNOWN_AT, ~known.readable),
            (FORMING, (available_at > known.time) | (available_at > self.now)),
        ]
        reasons = [*(reason for reason, _ in rules), REPEATED]
        broken = first_broken([mask for _, mask in rules], len(table))
        every = Arrivals(time, available_at, known.time, assumed, values, self.source)
        good = np.flatnonzero(broken < 0)
        first, again, changed = given.sort_out(every if len(good) == len(table) else every.take(good))
        broken[good[changed]] = len(reasons) - 1
        kept = good[first]
        arrivals = every if len(kept) == len(table) else every.take(kept)
        return Checked(arrivals, len(again), rejected(table, broken, reasons, held))

    def _knowledge(self, table: Table, available_at: Integers) -> tuple[Moments, Booleans]:
        """Return when each row was known, and where that is assumed."""
        everywhere = np.ones(len(table), dtype=np.bool_)
        if self.known_at is not None:
            return Moments(np.full(len(table), self.known_at, dtype=np.int64), everywhere, "UTC"), ~everywhere
        column = table.known_at()
        if column is None:
            return Moments(available_at, everywhere, "UTC"), everywhere
        known = self.knowledge.moments(local_moments(column))
        absent = column.is_null().to_numpy()
        return Moments(np.where(absent, available_at, known.time), known.readable | absent, known.timezone), absent


# ---------------------------------------------------------------- rules: a reason and where it holds
def _rules_of_time(time: Integers, readable: Booleans, timeframe: Timeframe) -> Iterator[tuple[str, Booleans]]:
    yield UNREADABLE_TIME, ~readable
    if timeframe.microseconds <= HOUR:
        yield OFF_GRID.format(timeframe=timeframe), bucket_open(time, timeframe) != time


def _rules_of_values(values: Mapping[str, Floats]) -> Iterator[tuple[str, Booleans]]:
    prices = [values[name] for name in PRICES]
    yield NOT_FINITE, np.logical_or.reduce([~np.isfinite(column) for column in prices])
    yield NOT_POSITIVE, np.logical_or.reduce([column <= 0 for column in prices])
    yield HIGH_BELOW_LOW, values["high"] < values["low"]
    yield OUTSIDE, _outside(*prices)
    volume = values["tick_volume"]
    yield BAD_VOLUME, (volume < 0) | np.isinf(volume)
    spreads = [values[name] for name in SPREAD_COLUMNS if name in values]
    if spreads:
        yield BAD_SPREAD, np.logical_or.reduce([(column < 0) | np.isinf(column) for column in spreads])
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


# ---------------------------------------------------------------- shared with the rules of ticks
def first_broken(masks: list[Booleans], rows: int) -> Integers:
    """Return for each row the number of the first rule that it breaks, or -1."""
    broken = np.full(rows, -1, dtype=np.int64)
    for number in reversed(range(len(masks))):
        broken[masks[number]] = number
    return broken


def rejected(table: Table, broken: Integers, reasons: list[str], held: int) -> Quarantine:
    """Return the rows that break a rule, and among them, in order, what stands in the table and is no row."""
    rows = np.flatnonzero(broken >= 0)
    if not len(rows):
        return Quarantine(table.broken)
    values = table.rows[rows[:held].tolist()].to_dicts()
    shown = [
        Rejected(int(table.numbers[row]), reasons[broken[row]], value)
        for row, value in zip(rows[:held], values, strict=True)
    ]
    counts = Counter(each.reason for each in table.broken)
    for number, count in enumerate(np.bincount(broken[rows], minlength=len(reasons)).tolist()):
        if count:
            counts[reasons[number]] += count
    return Quarantine(sorted((*table.broken, *shown), key=lambda each: each.row)[:held], counts)
