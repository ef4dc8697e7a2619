"""What a server's clock is: whole hours from UTC, and whose dates its summer time follows.

Brokers keep one of very few clocks. HistData writes New York's (`UTC-5/US`); most MetaTrader servers run seven hours ahead
of it, so that their day ends at 17:00 New York (`UTC+2/US`), the others by Eastern European time (`UTC+2/EU`); the rest is
UTC or a fixed distance from it. Summer time begins and ends at the moments at which New York's does (`us`) or the European
Union's does (`eu`), wherever the server stands; both lie in the weekend, when currencies rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from feature_store.calendar import HOUR
from feature_store.errors import InvalidRequestError
from feature_store.timezones import NEW_YORK, clock_changes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feature_store.bars import Integers

    Booleans = NDArray[np.bool_]

Summer = Literal["none", "us", "eu"]

EARLIEST_OFFSET, LATEST_OFFSET = -12, 14
_ZONES = {"us": NEW_YORK, "eu": "Europe/Berlin"}  # whose change of clocks is every zone's of the same rule
_DATES = {"us": "US", "eu": "European"}
_NEW_YORK_OFFSET = -5
_SPELLING = re.compile(
    r"(?P<base>utc|gmt|new york|ny) *(?P<hours>[+-] *\d{1,2})?"
    r"( */ *(?P<rule>us|eu)|, *summer time by (?P<dates>us|european) dates)?"
)


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock `offset_hours` ahead of UTC in winter, an hour more in a summer that follows nobody's, US or EU dates.

    >>> print(Clock(2, "eu"))
    UTC+2, summer time by European dates
    """

    offset_hours: int
    summer: Summer = "none"

    def __post_init__(self) -> None:
        """Refuse what no server shows."""
        if not EARLIEST_OFFSET <= self.offset_hours <= LATEST_OFFSET or self.summer not in get_args(Summer):
            msg = (
                f"tz must be {EARLIEST_OFFSET} to +{LATEST_OFFSET} whole hours from UTC with summer time by none, us or eu, "
                f"was {self.offset_hours!r} and {self.summer!r}"
            )
            raise InvalidRequestError(msg, field="tz")

    def __str__(self) -> str:
        base = f"UTC{self.offset_hours:+d}" if self.offset_hours or self.summer != "none" else "UTC"
        return base if self.summer == "none" else f"{base}, summer time by {_DATES[self.summer]} dates"

    @classmethod
    def parse(cls, text: str) -> Clock:
        """Return the clock that `text` means: `UTC`, `UTC+3`, `UTC-5/US`, `UTC+2/EU`, `New York+7`, or what `str` gives.

        Raises InvalidRequestError for anything else.

        >>> Clock.parse("New York+7") == Clock.parse("UTC+2/US")
        True
        """
        found = _SPELLING.fullmatch(text.strip().lower())
        if found is None or (found["base"] in ("new york", "ny") and (found["rule"] or found["dates"])):
            msg = f"tz must be a clock such as UTC, UTC+3, UTC-5/US, UTC+2/EU or New York+7, was {text!r}"
            raise InvalidRequestError(msg, field="tz")
        hours = int((found["hours"] or "0").replace(" ", ""))
        if found["base"] in ("new york", "ny"):
            return cls(hours + _NEW_YORK_OFFSET, "us")
        rules: dict[str, Summer] = {"us": "us", "eu": "eu", "european": "eu"}
        return cls(hours, rules.get(found["rule"] or found["dates"] or "", "none"))

    def to_utc(self, local: Integers, *, rising: bool = False) -> tuple[Integers, Booleans]:
        """Return the UTC microseconds of local times (microseconds since 1970 on this clock), and which could be read.

        A time in the hour that spring skips cannot be read. One in the hour that autumn shows twice cannot either: it is
        given as its first showing and marked. In a `rising` file the order tells: where the rows of such an hour step
        back once, those before the step are its first showing and those after it the second, and all can be read.

        >>> spring = np.array([np.datetime64("2023-03-26T03:30", "us"), np.datetime64("2023-03-26T04:30", "us")])
        >>> utc, readable = Clock(2, "eu").to_utc(spring.astype(np.int64))
        >>> readable.tolist(), str(utc[1:].astype("datetime64[us]")[0])
        ([False, True], '2023-03-26T01:30:00.000000')
        """
        if len(local) == 0:
            return local.copy(), np.ones(0, dtype=np.bool_)
        edges, offsets = _edges_within(self, int(local.min()), int(local.max()))
        if len(edges) == 0:
            return local - offsets[0], np.ones(len(local), dtype=np.bool_)
        place = edges.searchsorted(local, side="right")
        utc, readable = local - offsets[place // 2], place % 2 == 0
        if rising:
            _read_twice_shown(local, place, offsets, utc, readable)
        return utc, readable


@lru_cache(maxsize=128)
def _table(clock: Clock) -> tuple[Integers, Integers]:
    """Return the local times between which a change of clocks lies, in pairs, and the offsets before, between and after."""
    if clock.summer == "none":
        return np.zeros(0, dtype=np.int64), np.array([clock.offset_hours * HOUR])
    moments, offsets = clock_changes(_ZONES[clock.summer])
    offsets = offsets - offsets.min() + clock.offset_hours * HOUR
    before, after = moments + offsets[:-1], moments + offsets[1:]
    return np.column_stack([np.minimum(before, after), np.maximum(before, after)]).ravel(), offsets


def _edges_within(clock: Clock, first: int, last: int) -> tuple[Integers, Integers]:
    """Return the part of the table that local times from `first` to `last` need: a short one is searched faster."""
    edges, offsets = _table(clock)
    begin = int(edges.searchsorted(first, side="right")) // 2
    end = (int(edges.searchsorted(last, side="right")) + 1) // 2
    return edges[2 * begin : 2 * end], offsets[begin : end + 1]


def _read_twice_shown(local: Integers, place: Integers, offsets: Integers, utc: Integers, readable: Booleans) -> None:
    """Read, in place, the rows of hours that are shown twice where one step back tells the showings apart."""
    unread = np.flatnonzero(place % 2)
    for change in np.unique(place[unread]).tolist():
        rows = unread[place[unread] == change]
        back = np.flatnonzero(np.diff(local[rows]) < 0)
        if len(back) == 1 and offsets[change // 2] > offsets[change // 2 + 1]:
            second = rows[back[0] + 1 :]
            utc[second] = local[second] - offsets[change // 2 + 1]
            readable[rows] = True
