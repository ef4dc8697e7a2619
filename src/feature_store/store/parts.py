"""What is stored of one timeframe: which files and which writes of the tail hold which rows of which bucket.

A look at it is made anew only where a commit or a write has changed it: the files' names are read apart once a commit, and
those of a folder when it is first asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feature_store.store.buckets import bounds
from feature_store.store.rows import Facts, other_layout
from feature_store.store.snapshot import Span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feature_store.bars import Timeframe
    from feature_store.store.tail import Pending


@dataclass(frozen=True, slots=True)
class Stored:
    """Some consecutive rows of a bucket, in a file or in the tail."""

    facts: Facts
    where: str | Pending


class Filed:
    """The files of one commit, by symbol and folder."""

    def __init__(self, files: Mapping[str, list[str]]) -> None:
        self.files = files
        self.folders: dict[str, list[str]] = {}
        self._parsed: dict[str, list[Stored]] = {}
        for folder in sorted(files):
            self.folders.setdefault(folder.partition("/")[0], []).append(folder)

    def __repr__(self) -> str:
        return f"<Filed folders={len(self.files)}>"

    def of(self, folder: str) -> list[Stored]:
        """Return the files of a folder in the order of their rows' numbers."""
        if folder not in self._parsed:
            stored = [Stored(Facts.of(file), file) for file in self.files.get(folder, ())]
            self._parsed[folder] = sorted(stored, key=lambda each: each.facts.sequence)
        return self._parsed[folder]


class Parts:
    """The history of a timeframe as of one commit, and the tail behind it."""

    def __init__(self, timeframe: Timeframe, filed: Filed, pending: Sequence[Pending]) -> None:
        self.filed = filed
        self.pending = pending
        self._timeframe = timeframe
        self._spans: dict[str, tuple[Span, ...]] = {}
        self._tail: dict[str, dict[str, list[Stored]]] = {}
        for each in pending:
            symbol = self._tail.setdefault(each.folder.partition("/")[0], {})
            symbol.setdefault(each.folder, []).append(Stored(each.facts, each))

    def __repr__(self) -> str:
        return f"<Parts {self._timeframe.name} {self.filed!r} pending={len(self.pending)}>"

    @property
    def symbols(self) -> list[str]:
        """The symbols' folders."""
        return sorted(self.filed.folders.keys() | self._tail.keys())

    def of(self, folder: str) -> list[Stored]:
        """Return what is stored of a bucket in the order of its numbers: the history, then the tail."""
        return [*self.filed.of(folder), *self._tail.get(folder.partition("/")[0], {}).get(folder, ())]

    def spans(self, symbol: str) -> tuple[Span, ...]:
        """Return the parts of a series, which is named by its folder, in order of time."""
        if symbol not in self._spans:
            folders = {*self.filed.folders.get(symbol, ()), *self._tail.get(symbol, ())}
            self._spans[symbol] = tuple(_span(self._timeframe, folder, self.of(folder)) for folder in sorted(folders))
        return self._spans[symbol]


def _span(timeframe: Timeframe, folder: str, stored: list[Stored]) -> Span:
    facts = Facts.together([each.facts for each in stored])
    bucket = folder.rpartition("=")[2]
    try:
        start, end = bounds(timeframe, bucket)
    except ValueError as problem:
        raise other_layout(folder) from problem
    return Span(
        bucket, start, end, facts.rows, facts.bars, facts.first, facts.last, facts.latest_known_at, facts.content
    )
