"""Looking at the tables and the tail of a store without changing them: is every row there that was written, once, as it was?"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from feature_store.bars import Symbol
from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.store import tail
from feature_store.store.delta_features import numbers
from feature_store.store.delta_table import RemovedFileError, VerifiedTable
from feature_store.store.places import LocalPlace
from feature_store.store.rows import Facts
from feature_store.store.salvage import DAMAGED, bars_table, sources_of
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import polars as pl

    from feature_store.store.places import Place

    Severity = Literal["ok", "info", "warning", "damage"]
    Waiting = tuple[int, Sequence[tail.Pending]]

NOTHING: Waiting = (0, ())
"""What waits in a tail that is not there."""
BACKUP = "restore it from a backup"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at.

    Args:
        severity: `ok`; `info` for what needs nothing; `warning` for what `repair` should put right; `damage` for what is lost
            unless there is a backup or a source to ingest again.
        where: the file or folder, below the store's.
        what: what there is to say.
        remedy: what to do, or "".
        repairable: whether `repair` puts it right without losing a row.
    """

    severity: Severity
    where: str
    what: str
    remedy: str = ""
    repairable: bool = False

    def __str__(self) -> str:
        ending = " (repair does)" if self.repairable else ""
        return f"{self.severity}: {self.where}: {self.what}{'; ' if self.remedy else ''}{self.remedy}{ending}"


def tables_of(place: Place, kind: str, levels: int) -> list[str]:
    """Return the folders of the tables of a kind, which lie so many levels deep."""
    names = (name.split("/") for name in place.inside(kind).names())
    return sorted({"/".join((kind, *parts[:levels])) for parts in names if len(parts) > levels})


def look_at_bars(place: Place, folder: str, waiting: Waiting) -> Iterator[Finding]:
    """Look at every file of a table of bars, and at what is in the tail for it."""
    table = bars_table(place, folder.partition("/")[2])
    try:
        files = table.files()
    except CorruptDataError as problem:
        yield Finding("damage", folder, short(problem), f"{BACKUP}, or give up {folder} and ingest its bars again")
        return
    ends: dict[str, int] = {}
    rows = 0
    for partition, names in files.items():
        problems = list(_partition(table, folder, partition, sorted(names, key=lambda name: Facts.of(name).sequence)))
        yield from problems
        ends[partition] = max((Facts.of(name).end for name in names), default=0)
        rows += 0 if problems else ends[partition]
    yield Finding("ok", folder, f"{rows} rows in {sum(map(len, files.values()))} files are as they were written")
    yield from _unused(table, folder)
    yield from look_at_waiting(folder, waiting, ends, table.transaction(tail.APPLICATION))


def _partition(table: VerifiedTable, folder: str, partition: str, names: Sequence[str]) -> Iterator[Finding]:
    end = 0
    for name in names:
        facts = Facts.of(name)
        if facts.sequence != end:
            what = f"its files hold the rows up to {end}, and go on from {facts.sequence}"
            yield Finding("damage", f"{folder}/{partition}", what, BACKUP)
        end = facts.end
        frame, problem = _read(table, name)
        if frame is None:
            yield _damaged_bars(table, folder, name, problem)
        elif not _as_named(frame, facts):
            yield Finding("damage", f"{folder}/{name}", "its rows are not those that its name tells", BACKUP)


def _read(table: VerifiedTable, name: str) -> tuple[pl.DataFrame | None, str]:
    try:
        return table.read(name), ""
    except RemovedFileError:
        return None, "is missing"
    except CorruptDataError as problem:
        return None, short(problem).rpartition(f"{name} ")[2]


def _as_named(frame: pl.DataFrame, facts: Facts) -> bool:
    numbered = frame["sequence"].sort().to_list() == list(range(facts.sequence, facts.end))
    return (
        numbered
        and frame["time"].to_physical().min() == facts.first
        and frame["time"].to_physical().max() == facts.last
    )


def _damaged_bars(table: VerifiedTable, folder: str, name: str, problem: str) -> Finding:
    facts = Facts.of(name)
    symbol = Symbol.parse(name.partition("/")[0].partition("=")[2])
    try:
        sources = " and ".join(filter(None, sources_of(table.place.read(name))))
    except OSError:
        sources = ""
    came = f", which came from {sources}" if sources else ""
    what = (
        f"{problem}: {facts.rows} rows of {symbol} {folder.partition('/')[2]} that open from {to_iso(facts.first)} to "
        f"{to_iso(facts.last)}{came}"
    )
    where = f"{folder}/{name}"
    return Finding(
        "damage", where, what, f"{BACKUP}, or give it up with forget=[{where!r}] and ingest those bars again"
    )


def _unused(table: VerifiedTable, folder: str) -> Iterator[Finding]:
    unused, kept = set(table.unused()), table.removed_since(0)
    if unused & kept:
        what = f"{len(unused & kept)} files that were put together are kept for programs that still read them"
        yield Finding("info", folder, what)
    if unused - kept:
        what = f"{len(unused - kept)} files of writes that did not complete are in nobody's way"
        yield Finding("warning", folder, what, "remove them", repairable=True)


def look_at_waiting(folder: str, waiting: Waiting, ends: Mapping[str, int], taken: int) -> Iterator[Finding]:
    """Say what the tail holds beyond the history, and whether it goes on from there."""
    dropped, pending = waiting
    if dropped > taken:
        what = "it lacks rows that the tail handed over to it, as an older copy does"
        yield Finding("damage", folder, what, f"restore the whole folder from one backup, or give up {tail.FILE}")
    left = [each for each in pending if each.number > taken]
    if len(left) < len(pending):
        what = f"{len(pending) - len(left)} writes are in the history and still in the tail"
        yield Finding("warning", folder, what, "finish moving them", repairable=True)
    expected = dict(ends)
    for each in left:
        end = expected.get(each.folder, 0)
        if each.facts.sequence != end:
            what = f"{each.folder} ends at row {end}, and the tail goes on from {each.facts.sequence}"
            yield Finding("damage", folder, what, f"restore the folder from one backup, or give up {tail.FILE}")
        expected[each.folder] = each.facts.end
    if left:
        rows = sum(each.facts.rows for each in left)
        yield Finding("info", folder, f"{rows} rows wait in the tail to be moved to the history")


def look_at_features(place: Place, folder: str) -> Iterator[Finding]:
    """Look at every file of a feature set."""
    table = VerifiedTable(place.inside(folder))
    try:
        files = table.files()
        problem = next((what for names in files.values() for what in _wrong_features(table, names)), "")
    except CorruptDataError as damage:
        problem = short(damage)
    if problem:
        remedy = f"move it to {DAMAGED}/; it can be computed anew from the bars"
        yield Finding("damage", folder, problem, remedy, repairable=True)
        return
    yield Finding("ok", folder, f"{sum(map(len, files.values()))} files are as they were written")
    yield from _unused(table, folder)


def _wrong_features(table: VerifiedTable, names: Sequence[str]) -> Iterator[str]:
    end = 0
    for name in sorted(names, key=numbers):
        frame, problem = _read(table, name)
        if frame is None:
            yield f"{name} {problem}"
        elif (numbers(name)[0], len(frame)) != (end, numbers(name)[1] - end):
            yield f"{name} has other rows than its name tells, or others are missing before it"
        end = numbers(name)[1]


@contextmanager
def tail_of(place: Place) -> Iterator[tuple[Mapping[str, Waiting], list[Finding]]]:
    """Give what is in the tail by timeframe, and what is wrong with it."""
    if not isinstance(place, LocalPlace) or not any(place.root.glob(f"{tail.FILE}*")):
        yield {}, []
        return
    with copied(place.root, tail.FILE) as folder:
        held = tail.Tail(folder)
        try:
            waiting, problems = held.held(), []
        except FeatureStoreError as problem:
            found, lost = tail.intact(folder / tail.FILE) if (folder / tail.FILE).exists() else ([], 0)
            rows = sum(each.facts.rows for each in found)
            what = f"{short(problem)}; {rows} rows of it can be read, and {lost} writes cannot"
            remedy = f"{BACKUP}, or give it up with forget=[{tail.FILE!r}], which keeps those that can be read"
            waiting, problems = {}, [Finding("damage", tail.FILE, what, remedy)]
        held.close()
        yield waiting, problems


@contextmanager
def copied(home: Path, name: str) -> Iterator[Path]:
    """Give a folder with a copy of a file of SQLite as it was at one moment, with what was written ahead of it."""
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(20):
            before = _stamps(home, name)
            for each in before:
                shutil.copy2(home / each, folder)
            if _stamps(home, name) == before:
                break
        yield Path(folder)


def _stamps(home: Path, name: str) -> dict[str, tuple[int, int]]:
    paths = (home / each for each in (name, f"{name}-wal"))
    return {path.name: (path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.exists()}


def short(problem: Exception) -> str:
    """Return the first part of what an error says: what is wrong, without what to do."""
    return str(problem).partition("; ")[0]
