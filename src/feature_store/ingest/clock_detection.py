"""Find a file's clock from its weeks, which open on Sunday and close on Friday at 17:00 New York, in summer and in winter.

1. Of all rows, `WeekEdges` keeps the times around each silence of a weekend's length. Between two of them lies a week.
2. Every clock of `CANDIDATES` turns a week's first and last row into UTC, and `_costs` says how ill they fit:
   - Nothing trades while the market rests. A bar that lies wholly before the open or after the close speaks against a clock,
     fully so from a quarter of an hour on.
   - Opens may be late and closes, more rarely, early: in thin hours, at a broker's own times, on holidays. What costs most is
     lateness unlike that of the weeks before and that of the weeks after. A habit does not change with the clocks,
     whereas under a wrong rule it seems to, by an hour, in the weeks when US and EU dates differ.
   - Many files have no Sunday: an open on a Monday is late only from the clock's midnight on.
   No single cost is large, so that a week on its own decides little.
3. The cheapest sequence of clocks over all weeks is found by dynamic programming, where a change costs: a little
   between US and EU dates, which brokers do, much between offsets. Every clock costs its `_prior`, which settles ties: UTC,
   then the clocks that are common, then fixed offsets.

What this cannot tell: whether, in a file that has weekends of 49 hours throughout, each week opens an hour late, as is taken,
or closes an hour early; nor a change of clock within a week.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from feature_store.calendar import DAY, HOUR, WEEK, shifted
from feature_store.ingest.clocks import EARLIEST_OFFSET, LATEST_OFFSET, Clock
from feature_store.ingest.week_edges import Backwards, WeekEdges, written

if TYPE_CHECKING:
    from feature_store.bars import Floats, Integers
    from feature_store.ingest.clocks import Booleans

LONGEST_BAR = 4 * HOUR
"""Longer bars do not show when a week opens or closes."""
FEWEST_WEEKENDS = 2

CHANGE_OF_DATES, CHANGE_OF_CLOCK = 3.0, 15.0
TELLING = 1.0  # a clock that costs this much more than another is worse; with less, the weeks do not tell
_OUTSIDE, _SURELY_OUTSIDE = 3.0, HOUR // 4
_STRAGGLING = HOUR // 24  # a longer bar that opens at the close may hold last quotes only, and often does
_LATE, _EARLY = 0.08, 0.6  # an hour; an early close is much rarer than a late open
_MORE_PUNCTUAL, _OTHER = 0.5, 0.25
_MOST_LATENESS, _MOST_UNLIKE = 4.0, 3.0  # hours
_FIRST = 1e-9  # of moments for a change that cost the same, the first is taken
_HABIT = 6  # weeks
_LONGEST_WEEK = 5 * DAY + 2 * HOUR
_MONDAY = 3 * DAY  # 1970-01-01 was a Thursday

CANDIDATES = tuple(
    Clock(hours, summer)
    for summer in ("none", "us", "eu")
    for hours in sorted(range(EARLIEST_OFFSET, LATEST_OFFSET + 1), key=abs)
)
_COMMON = {
    Clock(0): 0.0,
    Clock(-5, "us"): 0.2,
    Clock(2, "us"): 0.3,
    Clock(2, "eu"): 0.4,
    Clock(1, "eu"): 0.5,
    Clock(0, "eu"): 0.5,
}
_UNCOMMON = {"none": 0.6, "us": 0.8, "eu": 0.9}


@dataclass(frozen=True, slots=True)
class Segment:
    """Weeks that one clock explains.

    Args:
        first_local: the first local time, in microseconds since 1970 on the clock; the earliest that the weeks allow.
        last_local: the last one.
        clock: that explains them best.
        weeks: how many lie between weekends, the file's first and last included.
        agreeing: how many of them no other clock explains much better.
        undecided: other clocks that explain them as well; they may read some rows as other moments where weeks are few.
    """

    first_local: int
    last_local: int
    clock: Clock
    weeks: int
    agreeing: int
    undecided: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True)
class Detected:
    """The clock or clocks that explain a file's weeks, in order, and where the file steps back.

    >>> winter, summer = (int(np.datetime64(day, "us").astype(int)) for day in ("2023-01-08", "2023-06-04"))
    >>> print(Detected((Segment(winter, summer, Clock(-5, "us"), 21, 20),)))
    UTC-5, summer time by US dates (20 of 21 weeks agree)
    """

    segments: tuple[Segment, ...]
    backwards: tuple[Backwards, ...] = field(default=(), repr=False)

    def __str__(self) -> str:
        parts = [str(self.segments[0].clock)]
        parts += [f"from {written(each.first_local)} on {each.clock}" for each in self.segments[1:]]
        text = f"{'; '.join(parts)} ({self.agreeing} of {self.weeks} weeks agree)"
        if self.undecided:
            text += f"; these weeks would also fit: {', or '.join(map(str, self.undecided))}"
        return text

    @property
    def weeks(self) -> int:
        """How many weeks were looked at."""
        return sum(segment.weeks for segment in self.segments)

    @property
    def agreeing(self) -> int:
        """How many of them no other clock explains much better."""
        return sum(segment.agreeing for segment in self.segments)

    @property
    def agreement(self) -> float:
        """The share of weeks that agree, 0 to 1."""
        return self.agreeing / self.weeks

    @property
    def undecided(self) -> tuple[Clock, ...]:
        """Clocks that explain all weeks, or those of a segment, as well as the one that was chosen."""
        return tuple(dict.fromkeys(clock for segment in self.segments for clock in segment.undecided))

    def to_utc(self, local: Integers, *, rising: bool = False) -> tuple[Integers, Booleans]:
        """Return UTC microseconds and what could be read, each time by the clock of its segment; see `Clock.to_utc`."""
        if len(self.segments) == 1:
            return self.segments[0].clock.to_utc(local, rising=rising)
        place = np.searchsorted([each.first_local for each in self.segments[1:]], local, side="right")
        utc, readable = np.empty_like(local), np.empty(len(local), dtype=np.bool_)
        for number, segment in enumerate(self.segments):
            rows = place == number
            utc[rows], readable[rows] = segment.clock.to_utc(local[rows], rising=rising)
        return utc, readable


def detect(edges: WeekEdges) -> Detected | None:
    """Return the clock of a file, or None where fewer than two of its weekends tell anything.

    That is so for bars of more than four hours, for what trades on weekends, and for rows that run from the newest to the
    oldest: sort those first. Only a market that keeps the FX week has weeks that mean what this reads out of them.
    """
    first, last = edges.weeks()
    told = last - first <= _LONGEST_WEEK
    if edges.bar_length > LONGEST_BAR or np.count_nonzero(told[1:] & told[:-1]) < FEWEST_WEEKENDS:
        return None
    costs = np.where(told[:, np.newaxis], _costs(first, last, edges.bar_length), 0.0)
    chosen = _cheapest(costs)
    bounds = [0, *(np.flatnonzero(np.diff(chosen)) + 1).tolist(), len(chosen)]
    spans = [slice(start, stop) for start, stop in pairwise(bounds)]
    return Detected(
        tuple(
            _segment(int(first[span][0]), int(last[span][-1]), costs[span][told[span]], chosen[span][0])
            for span in spans
        ),
        edges.backwards,
    )


def _segment(first: int, last: int, costs: Floats, chosen: int) -> Segment:
    totals = costs.sum(axis=0)
    agreeing = costs[:, chosen] <= costs.min(axis=1) + TELLING / 2
    as_well = [n for n in np.argsort(_prior(), kind="stable") if n != chosen and totals[n] < totals[chosen] + TELLING]
    others = tuple(CANDIDATES[n] for n in as_well)
    return Segment(first, last, CANDIDATES[chosen], len(costs), int(agreeing.sum()), others)


# ---------------------------------------------------------------- how ill each clock explains each week
def _costs(first: Integers, last: Integers, bar_length: int) -> Floats:
    """Return a number for each week (rows) and candidate (columns); the file's own beginning and end are no edges."""
    costs = np.zeros((len(first), len(CANDIDATES)))
    costs[1:] += _open_costs(first[1:], bar_length)
    costs[:-1] += _close_costs(last[:-1], bar_length)
    return costs


def _open_costs(local: Integers, bar_length: int) -> Floats:
    since = _since_open(local)
    early = np.where(since >= 5 * DAY, WEEK - since, 0)
    late = np.where(early > 0, 0, since)
    outside = np.where(early >= bar_length, early, 0)
    from_midnight = (local + _MONDAY)[:, np.newaxis] % WEEK
    unexplained = np.where(from_midnight < DAY, np.minimum(late, from_midnight), late)
    change = _cost_of_change(unexplained - outside, late - outside)
    return _cost_outside(outside) + _cost_of_lateness(late, _LATE) + change


def _close_costs(local: Integers, bar_length: int) -> Floats:
    past = _since_open(local) - 5 * DAY
    early = np.maximum(-past - bar_length, 0)
    outside = np.where(past >= 0, past + min(bar_length, _STRAGGLING), 0)
    punctuality = early - np.maximum(past, 0)
    return _cost_outside(outside) + _cost_of_lateness(early, _EARLY) + _cost_of_change(punctuality, punctuality)


def _since_open(local: Integers) -> Integers:
    """Return how long after Sunday 17:00 New York each time is by each candidate, less than a week."""
    utc = np.column_stack([clock.to_utc(local)[0] for clock in CANDIDATES])
    since: Integers = (shifted(utc) + _MONDAY) % WEEK
    return since


def _cost_outside(time: Integers) -> Floats:
    return _OUTSIDE * np.minimum(time / _SURELY_OUTSIDE, 1.0)


def _cost_of_lateness(time: Integers, an_hour: float) -> Floats:
    return an_hour * np.minimum(time / HOUR, _MOST_LATENESS)


def _cost_of_change(least: Integers, most: Integers) -> Floats:
    """Return how unlike its neighbours each week is, whose lateness lies between two times.

    What is usual is the median of the weeks before and of those after: the nearer counts, and the other a little.
    """
    low, high = (np.clip(each / HOUR, -1.0, _MOST_LATENESS) for each in (least, most))
    blank = np.full((_HABIT, low.shape[1]), np.nan)
    around = np.concatenate([blank, low, blank])
    usual = _medians(np.lib.stride_tricks.sliding_window_view(around, _HABIT, axis=0))
    before, after = (_unlike(each, low, high) for each in (usual[: len(low)], usual[_HABIT + 1 :]))
    nearer, other = np.fmin(before, after), np.fmax(before, after)
    cost: Floats = nearer + _OTHER * (other - nearer)
    return cost


def _unlike(usual: Floats, low: Floats, high: Floats) -> Floats:
    more = np.clip(usual, low, high) - usual
    unlike: Floats = np.minimum(np.where(more < 0, -_MORE_PUNCTUAL * more, more), _MOST_UNLIKE)
    return unlike


def _medians(windows: Floats) -> Floats:
    """Return the medians along the last axis of what is known; several times as fast as `nanmedian`."""
    known = np.count_nonzero(~np.isnan(windows), axis=-1, keepdims=True)
    ordered = np.sort(windows, axis=-1)  # unknown ones last
    middle = [np.take_along_axis(ordered, place, axis=-1)[..., 0] for place in ((known - 1) // 2, known // 2)]
    medians: Floats = (middle[0] + middle[1]) / 2
    return medians


# ---------------------------------------------------------------- the cheapest sequence
def _prior() -> Floats:
    """Return what each candidate costs before any week is seen; less than what tells clocks apart."""
    return np.array([_COMMON.get(c, _UNCOMMON[c.summer] + abs(c.offset_hours) / 1000) for c in CANDIDATES])


def _price_of_change() -> Floats:
    """Return what it costs to change from each candidate (rows) to each other (columns)."""
    offset = np.array([clock.offset_hours for clock in CANDIDATES])
    rule = np.array([clock.summer for clock in CANDIDATES])
    changes = offset[:, np.newaxis] != offset
    takes_up_or_drops = (rule[:, np.newaxis] == "none") != (rule == "none")
    dates = (rule[:, np.newaxis] != rule) & ~takes_up_or_drops
    price: Floats = CHANGE_OF_CLOCK * (changes | takes_up_or_drops) + CHANGE_OF_DATES * dates
    return price


def _cheapest(costs: Floats) -> Integers:
    """Return the number of the candidate chosen for each week: dynamic programming over weeks (Viterbi 1967)."""
    prior = _prior()
    price = np.where(np.eye(len(prior), dtype=np.bool_), -_FIRST, _price_of_change() + prior)
    total = costs[0] + prior
    came_from = np.empty(costs.shape, dtype=np.int64)
    for week in range(1, len(costs)):
        ways = total[:, np.newaxis] + price
        came_from[week] = ways.argmin(axis=0)
        total = ways.min(axis=0) + costs[week]
    chosen = np.empty(len(costs), dtype=np.int64)
    chosen[-1] = total.argmin()
    for week in range(len(costs) - 1, 0, -1):
        chosen[week - 1] = came_from[week, chosen[week]]
    return chosen
