"""What a caller wants done with rows, and each source that it is done to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from feature_store import json_codec
from feature_store.ingest.account import Account
from feature_store.ingest.placing import UTC, Placing
from feature_store.ingest.readers.reader import BATCH
from feature_store.ingest.series_of import first_time, timeframe_of
from feature_store.ingest.source import open_sources

if TYPE_CHECKING:
    from pathlib import Path

    from feature_store.bars import Symbol, Timeframe
    from feature_store.ingest.report import IngestReport
    from feature_store.ingest.source import Source

EDITION = 1
"""Raise it when the same bytes may give other rows than before, so that no journal answers for them."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a caller says of the rows.

    Args:
        symbol: whose they are.
        timeframe: what to store them as; None means what they are.
        known_at: when they were learned, in UTC microseconds; see `Rules`.
        source: who said so; a file's name by default.
        tz: the zone or clock of times that carry none; None means what the source says or shows.
        format: the reader; None asks the file.
        dry_run: whether to count only.
        again: whether to read what the journal knows.
        batch: how many rows to look at together.
    """

    symbol: Symbol
    timeframe: Timeframe | None = None
    known_at: int | None = None
    source: str = ""
    tz: str | None = None
    format: str | None = None
    dry_run: bool = False
    again: bool = False
    batch: int = BATCH

    @property
    def options(self) -> str:
        """What decides how a file is read, as text."""
        words = {"format": self.format, "tz": self.tz, "known_at": self.known_at, "edition": EDITION}
        return json_codec.dumps({name: value for name, value in words.items() if value is not None}).decode()

    @property
    def named(self) -> Placing | None:
        """What places times that carry no zone, where the caller named it; raises InvalidRequestError."""
        return None if self.tz is None else Placing.named(self.tz)


@dataclass(eq=False)
class Job:
    """A source on its way into the store.

    Args:
        source: the rows.
        timeframe: what they are stored as.
        begins: the first time in a source of ticks, as it stands there.
        account: what became of its rows so far.
        placing: what places its times, once it is known.
    """

    source: Source
    timeframe: Timeframe
    begins: int = 0
    account: Account = field(default_factory=Account)
    placing: Placing = UTC

    @property
    def path(self) -> Path:
        """The file that it is in."""
        return self.source.member.path

    @property
    def name(self) -> str:
        """The file's name, and its own in a package."""
        inside = self.source.member.inside
        return self.path.name if inside is None else f"{self.path.name} ({inside})"

    def report(self) -> IngestReport:
        """Return what became of its rows."""
        return self.account.report(self.timeframe, self.placing, self.source)


def jobs_in(path: Path, wish: Wish) -> list[Job]:
    """Return the sources in a file; raises UnsupportedFileError, and ConflictError where one is not what was asked for."""
    sources = open_sources(path, format=wish.format, symbol=wish.symbol)
    return [
        Job(
            source,
            timeframe_of(source, wish.symbol, wish.timeframe),
            first_time(source) if source.kind == "ticks" else 0,
        )
        for source in sources
    ]
