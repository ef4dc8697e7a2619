"""What became of the rows of an import: every one is stored, a duplicate, or quarantined with a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

KEPT = 100_000
"""Of so many quarantined rows a report holds the values; the others it counts."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not stored.

    Args:
        row: its line in the file, counting from 1, or its position in the frame, counting from 0.
        reason: the rule it breaks.
        values: the row as the source spelt it, by the source's column names.
    """

    row: int
    reason: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason} ({', '.join(f'{name}={value}' for name, value in self.values.items())})"


class Quarantine(Collection[Rejected]):
    """Quarantined rows: `len` counts all of them, and iterating gives those that are held, the first `KEPT` of a source.

    Args:
        held: rows with their values.
        by_reason: how many rows there are of each reason; None where all are held.

    >>> bad = Quarantine([Rejected(7, "high is below low", {"high": 1, "low": 2})], {"high is below low": 1_000_000})
    >>> len(bad), len(list(bad)), bad[0].row
    (1000000, 1, 7)
    """

    def __init__(self, held: Iterable[Rejected] = (), by_reason: Mapping[str, int] | None = None) -> None:
        self.held = tuple(held)
        self.by_reason: Mapping[str, int] = (
            Counter(each.reason for each in self.held) if by_reason is None else by_reason
        )
        self.count = sum(self.by_reason.values())

    def __repr__(self) -> str:
        return f"<Quarantine {self.count:,} rows, {len(self.held):,} of them held>"

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Rejected]:
        return iter(self.held)

    def __contains__(self, row: object) -> bool:
        return row in self.held

    @overload
    def __getitem__(self, place: int) -> Rejected: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Rejected, ...]: ...
    def __getitem__(self, place: int | slice) -> Rejected | tuple[Rejected, ...]:
        """Return one or some of the rows that are held."""
        return self.held[place]

    def __eq__(self, other: object) -> bool:
        """Return whether another has the same rows; a tuple of rows has all of its own."""
        if isinstance(other, tuple):
            other = Quarantine(other)
        if not isinstance(other, Quarantine):
            return NotImplemented
        return self.held == other.held and dict(self.by_reason) == dict(other.by_reason)

    __hash__ = None  # type: ignore[assignment]  # rows hold dicts

    @classmethod
    def together(cls, parts: Iterable[Quarantine]) -> Quarantine:
        """Return the rows of several, in order, as one."""
        parts = list(parts)
        counts: Counter[str] = Counter()
        for part in parts:
            counts.update(part.by_reason)
        held = (row for part in parts for row in part.held)
        return cls((row for row, _ in zip(held, range(KEPT), strict=False)), counts)


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The outcome of an import; `read == stored + duplicates + len(quarantined)`. Of ticks, these three count ticks.

    Args:
        read: rows found in the source.
        stored: rows that are on the disk now and were not before; in a dry run, those that would be. Of ticks, those in such
            bars.
        duplicates: rows that were known already, or stood in the source twice with equal values. Of ticks, those in bars that
            were known already.
        quarantined: rows that break a rule.
        timezone: the zone or clock in which the source's times were read, and how it was found where the source says none.
        bars: how many bars were stored, or would be.
        timeframe: what they were stored as.
        format: the reader's name; empty for a frame.
        price_divisor: what prices were divided by, 1.0 unless they were in points.
        side: `bid` or `ask`, where the prices are of one side.
        notes: what else there is to know, a sentence each.
    """

    read: int
    stored: int
    duplicates: int
    quarantined: Quarantine = field(repr=False)
    timezone: str = "UTC"
    bars: int = 0
    timeframe: str = ""
    format: str = ""
    price_divisor: float = 1.0
    side: str | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.read} rows read, {self.stored} stored, {self.duplicates} known already, "
            f"{len(self.quarantined)} quarantined, times in {self.timezone}"
        )

    def of(self, format_: str, price_divisor: float, side: str | None) -> IngestReport:
        """Return the report with what the source's reader said of it."""
        return replace(self, format=format_, price_divisor=price_divisor, side=side)

    @classmethod
    def together(cls, reports: Sequence[IngestReport]) -> IngestReport:
        """Return the report of several sources as one: of at least one."""
        divisors = {each.price_divisor for each in reports}
        sides = {each.side for each in reports}
        return cls(
            sum(each.read for each in reports),
            sum(each.stored for each in reports),
            sum(each.duplicates for each in reports),
            Quarantine.together(each.quarantined for each in reports),
            _listed(each.timezone for each in reports),
            sum(each.bars for each in reports),
            _listed(each.timeframe for each in reports),
            _listed(each.format for each in reports),
            divisors.pop() if len(divisors) == 1 else 1.0,
            sides.pop() if len(sides) == 1 else None,
            tuple(dict.fromkeys(note for each in reports for note in each.notes)),
        )


def _listed(words: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(words))
