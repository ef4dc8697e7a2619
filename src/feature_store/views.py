"""What features are computed of: a series as known at a moment, in a timeframe, in the parts that its store keeps.

A part is named by what decides its bars and all bars before it: what the stored rows say up to its end, as a number, and the
moment of knowledge where that matters. So what is computed of a part is right for ever under its name: a new bar renames the
last part, a correction the part it lies in and those after it, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from feature_store.resample import resample
from feature_store.store.content import MODULUS

if TYPE_CHECKING:
    from feature_store.bars import Bars, Symbol, Timeframe
    from feature_store.store.snapshot import Snapshot, Span

    Name = tuple[object, ...]


@dataclass(frozen=True, eq=False)
class View:
    """A series as known at a moment, in a timeframe that it is stored in or can be made into.

    Args:
        timeframe: the timeframe looked at.
        snapshot: the stored series that it comes from.
        as_of: the moment; None where everything stored was known.
    """

    timeframe: Timeframe
    snapshot: Snapshot
    as_of: int | None

    @property
    def symbol(self) -> Symbol:
        """Whose series it is."""
        return self.snapshot.symbol

    @property
    def stored(self) -> Timeframe:
        """The timeframe that it comes from."""
        return self.snapshot.timeframe

    @property
    def derived(self) -> bool:
        """Whether it is made of lower bars."""
        return self.stored != self.timeframe

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Its parts, in order of time."""
        parts: list[Part] = []
        content = known_at = 0
        for span in self.snapshot.spans:
            content, known_at = (content + span.content) % MODULUS, max(known_at, span.latest_known_at)
            as_of = None if self.as_of is None or self.as_of >= known_at else self.as_of
            last = span is self.snapshot.spans[-1]
            parts.append(Part(self, span, len(parts), content, as_of, last=last))
        return tuple(parts)

    @property
    def name(self) -> Name:
        """What tells it from every view with other bars."""
        return self.parts[-1].name

    def touching(self, start: int | None, end: int | None) -> list[Part]:
        """Return the parts in which bars may open in `[start, end)`."""
        return [part for part in self.parts if part.touches(start, end)]

    def upto(self, moment: int) -> Name:
        """Return what tells its bars up to a moment from others."""
        return max((part for part in self.parts if part.touches(None, moment)), key=_place, default=self.parts[0]).name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, eq=False)
class Part:
    """A part of a view.

    Args:
        view: whose it is.
        span: the stored rows that it comes from.
        place: its number among the view's parts.
        content: what the rows stored in it and in those before it say, as a number.
        as_of: the moment of knowledge; None where all of these rows were known.
        last: whether no part comes after it.
    """

    view: View
    span: Span
    place: int
    content: int
    as_of: int | None
    last: bool

    @cached_property
    def name(self) -> Name:
        """What tells its bars and those before it from others."""
        view = self.view
        return (
            view.symbol.name,
            view.timeframe.name,
            view.stored.name,
            self.span.bucket,
            self.content,
            self.as_of,
            view.derived and self._followed,  # a bar that lacks its end is closed by any later one
        )

    def touches(self, start: int | None, end: int | None) -> bool:
        """Return whether bars may open in `[start, end)` here."""
        after = end is not None and self.span.start is not None and self.span.start >= end
        before = start is not None and self.span.end is not None and self.span.end <= start
        return not (after or before)

    def bars(self) -> Bars:
        """Read its closed bars."""
        bars = self._stored()
        if not self.view.derived:
            return bars
        made = resample(bars, self.view.timeframe)
        return made.closed if made.forming and not self._followed else made.bars

    @cached_property
    def _followed(self) -> bool:
        """Whether any later bar was known."""
        later = self.view.parts[self.place + 1 :]
        if self.view.as_of is None:
            return any(part.span.bars for part in later)
        return any(len(part._stored()) for part in later)  # noqa: SLF001  of this class

    def _stored(self) -> Bars:
        return self.view.snapshot.part(self.span, self.view.as_of)


@dataclass(frozen=True)
class Ground:
    """What a feature is computed of: a view, and for one that compares two symbols the other's view."""

    view: View
    other: View | None

    def name(self, part: Part) -> Name:
        """Return what tells a part of the view, with what it is compared to, from others."""
        if self.other is None:
            return part.name
        end = part.span.end
        return (*part.name, *(self.other.name if end is None else self.other.upto(end)))


def _place(part: Part) -> int:
    return part.place
