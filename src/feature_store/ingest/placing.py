"""Where on the line of time a source's rows stand: by the zone they carry, the one that was named, or the clock found in them.

1. A zone that the caller names counts, then one that the format fixes, then what stands in the times themselves.
2. Where none of them says anything, the clock is looked for in the weekends of all rows (`clock_detection`): so all rows are
   read for their times first. A source of at most `HELD` rows is kept meanwhile, a longer one is read again.
3. Where that tells nothing (too few weeks, a market without weekends, bars longer than a few hours), UTC is assumed, and said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from feature_store.calendar import DAY
from feature_store.errors import InvalidRequestError
from feature_store.ingest.clock_detection import FEWEST_WEEKENDS, LONGEST_BAR, detect
from feature_store.ingest.clocks import Clock
from feature_store.ingest.moments import Local, Moments, local_moments
from feature_store.ingest.week_edges import KEPT_BACKWARDS, SILENCE, WeekEdges, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from feature_store.bars import Integers
    from feature_store.ingest.clock_detection import Detected
    from feature_store.ingest.frames import Table
    from feature_store.ingest.source import Source

HELD = 1_000_000
"""A source of so many rows is read once even where its clock must be found first."""
_BELIEVABLE = 0.5  # of the weeks; with fewer, the times are no FX market's
_WAY_OUT = "name the zone with tz (--tz), such as America/New_York or UTC+2/EU, and ingest again"
_MANY = 3  # one of so many rows
_STEPS_TOLD = 5
_OTHERS_TOLD = 3
_UTC = Clock(0)


@dataclass(frozen=True, slots=True)
class Placing:
    """What places the times of a source.

    Args:
        name: the zone as a report says it.
        clock: an IANA zone's name, or a server's clock.
        notes: what else to say of it.
    """

    name: str
    clock: str | Clock | Detected
    notes: tuple[str, ...] = ()

    @classmethod
    def named(cls, tz: str) -> Placing:
        """Return what a caller means by an IANA name or by a clock such as `UTC+2/EU`; raises InvalidRequestError.

        >>> Placing.named("UTC+2/EU").name
        'UTC+2, summer time by European dates'
        """
        try:
            ZoneInfo(tz)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return cls._clock(tz)
        return cls(tz, tz)

    @classmethod
    def _clock(cls, tz: str) -> Placing:
        try:
            clock = Clock.parse(tz)
        except InvalidRequestError:
            msg = (
                "tz must be a time zone's name such as Europe/Athens or UTC, or a clock such as UTC+2, UTC+2/EU or New York+7, "
                f"was {tz!r}"
            )
            raise InvalidRequestError(msg, field="tz") from None
        return cls(str(clock), clock)

    @classmethod
    def found(cls, detected: Detected) -> Placing:
        """Return the clock that was found in a source."""
        told = f"found from {detected.agreeing} of {detected.weeks} weeks"
        if _UTC in detected.undecided and len(detected.segments) == 1:
            return cls(
                "UTC", "UTC", (f"the times fit UTC and other clocks; if it is not UTC, {_WAY_OUT}", *_steps(detected))
            )
        name = "; ".join(
            str(each.clock) if place == 0 else f"from {written(each.first_local)[:10]} on {each.clock}"
            for place, each in enumerate(detected.segments)
        )
        if name == "UTC":
            return cls(name, detected, (f"the times fit UTC, {told}", *_doubts(detected)))
        notes = (
            ("the file's clock changed its rule on the way; see the time zone",) if len(detected.segments) > 1 else ()
        )
        return cls(f"{name} ({told})", detected, (*notes, *_doubts(detected)))

    @classmethod
    def assumed(cls, why: str) -> Placing:
        """Return UTC where nothing tells the zone."""
        return cls(
            "UTC (assumed)",
            "UTC",
            (f"the times carry no zone and {why}, so UTC was assumed; if that is wrong, {_WAY_OUT}",),
        )

    def where_none_is_carried(self, local: Local) -> Placing:
        """Return itself, under the name of the zone that these times carry where all of them do."""
        carried = local.placed and local.timezone is not None and bool(local.readable.any())
        return replace(self, name=local.timezone) if carried and local.timezone is not None else self

    def moments(self, local: Local) -> Moments:
        """Return the UTC moments of times as they stand in the source; those that carry a zone of their own keep it."""
        if isinstance(self.clock, str) or local.placed:
            return local.at(self.clock if isinstance(self.clock, str) else "UTC")
        utc, exists = self.clock.to_utc(local.time)
        time = np.where(local.utc, local.time, utc) if local.utc.any() else utc
        return Moments(time, local.readable & (exists | local.utc), self.name)


UTC = Placing("UTC", "UTC")


@dataclass(frozen=True, eq=False)
class Piece:
    """Some rows of a source, and their times as they stand there."""

    table: Table

    @cached_property
    def local(self) -> Local:
        """The times."""
        return local_moments(self.table.time())


def placed(
    source: Source,
    tz: Placing | None,
    *,
    rests: bool,
    bar_length: int,
    batch: int,
    latest: int,
    seen: Callable[[Piece], None],
) -> tuple[Placing, Iterator[Piece]]:
    """Return what places the times of a source, and its rows from the first on.

    Args:
        source: the rows.
        tz: what the caller named.
        rests: whether the market keeps the FX week.
        bar_length: of the bars in microseconds; 0 for ticks.
        batch: how many rows a piece may hold.
        latest: later times, in UTC microseconds, are mistakes.
        seen: is told of each piece that is read for its times before it is read for its rows.
    """
    pieces = map(Piece, source.tables(batch))
    first = next(pieces)
    rows = chain([first], pieces)
    if tz is not None:
        return tz.where_none_is_carried(first.local), rows
    if source.timezone is not None:
        return Placing(source.timezone, source.timezone), rows
    if first.local.placed and first.local.readable.any():
        return UTC.where_none_is_carried(first.local), rows
    if not rests or bar_length > LONGEST_BAR:
        why = (
            "its bars are too long to show when a week opens" if rests else "this market has no weekends to tell it by"
        )
        return Placing.assumed(why), rows
    found, held = _looked_for(rows, bar_length, latest, seen)
    return found, map(Piece, source.tables(batch)) if held is None else iter(held)


def _looked_for(
    pieces: Iterator[Piece], bar_length: int, latest: int, seen: Callable[[Piece], None]
) -> tuple[Placing, list[Piece] | None]:
    """Return the clock found in all pieces, and the pieces where they are not too many."""
    edges, rows = WeekEdges(bar_length), 0
    held: list[Piece] | None = []
    for piece in pieces:
        edges.add(_plausible(piece.local, latest))
        rows += len(piece.table)
        held = None if held is None or rows > HELD else [*held, piece]
        seen(piece)
    if held is not None and _runs_backwards(edges):
        edges = WeekEdges(bar_length)
        edges.add(np.sort(np.concatenate([_plausible(piece.local, latest) for piece in held])))
    return _judged(edges), held


def _runs_backwards(edges: WeekEdges) -> bool:
    """Return whether a file is in another order than from the oldest row to the newest, but for some steps back."""
    behind = sum(each.rows for each in edges.backwards)
    return edges.steps_back > KEPT_BACKWARDS or behind > edges.rows // _MANY


def _plausible(local: Local, latest: int) -> Integers:
    """Return the times that can be read, without those of the future and single ones far ahead of the next."""
    time = local.time[local.readable & ~local.utc]
    time = time[time <= latest + DAY]
    ahead = np.zeros(len(time), dtype=np.bool_)
    ahead[:-1] = time[:-1] - time[1:] > SILENCE
    return time[~ahead] if 0 < np.count_nonzero(ahead) < len(time) // _MANY else time


def _judged(edges: WeekEdges) -> Placing:
    detected = detect(edges)
    if detected is None:
        return Placing.assumed(f"the file has fewer than {FEWEST_WEEKENDS} weekends between its rows to tell it by")
    if detected.agreement < _BELIEVABLE:
        return Placing.assumed(f"no clock explains more than {detected.agreeing} of its {detected.weeks} weeks")
    return Placing.found(detected)


def _doubts(detected: Detected) -> tuple[str, ...]:
    """Return what a reader should know of where the file steps back, and of other clocks that fit as well."""
    if not detected.undecided:
        return _steps(detected)
    others = [str(clock) for clock in detected.undecided[:_OTHERS_TOLD]]
    if len(detected.undecided) > _OTHERS_TOLD:
        others.append(f"{len(detected.undecided) - _OTHERS_TOLD} other clocks")
    told = f"these weeks would also fit {', or '.join(others)}; if one of them is right, {_WAY_OUT}"
    return (*_steps(detected), told)


def _steps(detected: Detected) -> tuple[str, ...]:
    steps = tuple(str(each) for each in detected.backwards[:_STEPS_TOLD])
    if len(detected.backwards) <= _STEPS_TOLD:
        return steps
    return (*steps, f"the file steps back in time in {len(detected.backwards)} places or more")
