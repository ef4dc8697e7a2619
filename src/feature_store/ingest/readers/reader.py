"""What a reader is, and what it makes of a file: a `Source`, which says what the rows are and hands them over in batches."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from feature_store.bars import Symbol, Timeframe
    from feature_store.ingest.frames import Table
    from feature_store.ingest.readers.member import Member

Kind = Literal["bars", "ticks"]
Side = Literal["bid", "ask"]

BATCH = 500_000


@dataclass(frozen=True, eq=False)
class Source:
    """A file of bars or ticks; what it does not say is None.

    Args:
        member: the file, and where in a zip.
        format: the reader's name.
        kind: `bars` or `ticks`.
        read: yields its rows, given how many a table may hold.
        symbol: whose prices they are.
        timeframe: the bars' length.
        side: which side of the market, where the prices are of one.
        timezone: an IANA name where the format fixes its clock; None where the clock is a server's, or the times carry it.
        price_divisor: what prices are divided by: 1.0 unless they are written in points.
    """

    member: Member
    format: str
    kind: Kind
    read: Callable[[int], Iterator[Table]] = field(repr=False)
    symbol: Symbol | None = None
    timeframe: Timeframe | None = None
    side: Side | None = None
    timezone: str | None = None
    price_divisor: float = 1.0

    def tables(self, batch: int = BATCH) -> Iterator[Table]:
        """Yield the rows in the order of the file, at most `batch` in a table; at least one table, if only an empty one.

        Raises UnsupportedFileError where the file ends too early or is broken, perhaps after some tables.
        """
        for table in self.read(batch):
            yield replace(table, timezone=self.timezone, price_divisor=self.price_divisor)


class Reader(Protocol):
    """Reads the files of one format."""

    format: str

    def knows(self, member: Member) -> bool:
        """Return whether the file is of this format, by its name and first bytes."""

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return what the file says; `symbol` is whose prices they are if it does not say."""


def in_batches(table: Table, batch: int) -> Iterator[Table]:
    """Yield a table in pieces of at most `batch` rows, what is broken with the first; at least one, if only an empty one."""
    for start in range(0, max(len(table), 1), batch):
        yield replace(
            table,
            rows=table.rows[start : start + batch],
            numbers=table.numbers[start : start + batch],
            broken=() if start else table.broken,
        )
