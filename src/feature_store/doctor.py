"""What is wrong with a store's folder, and putting right what can be put right without losing a row.

`examine` reads everything and changes nothing: SQLite's files are copied before they are opened, for opening them takes over
what was written ahead. `repair` finishes what was interrupted, and removes what nobody refers to and what is made anew when it
is missing. Bars that are damaged it leaves alone: it says which rows of which series they are and where they came from. Who has
no backup of them names them in `forget`; then they are moved to `<home>/damaged/`, the rest can be read, and ingesting the
same source again brings them back.
"""

from __future__ import annotations

import fcntl
import os
import re
import sqlite3
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING

from feature_store.errors import CorruptDataError, FeatureStoreError, InvalidRequestError
from feature_store.store import definitions, journal, tail
from feature_store.store.delta import DeltaStore
from feature_store.store.delta_table import VerifiedTable
from feature_store.store.feature_sets import FeatureSets
from feature_store.store.inspection import (
    BACKUP,
    NOTHING,
    Finding,
    copied,
    look_at_bars,
    look_at_features,
    look_at_waiting,
    short,
    tables_of,
    tail_of,
)
from feature_store.store.lock import WriterLock
from feature_store.store.object_definitions import ObjectDefinitions
from feature_store.store.places import LocalPlace, place_of
from feature_store.store.salvage import DAMAGED, bars_table, give_up, move_away, move_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from feature_store.store.places import Place

_DRAFT = re.compile(r"\.sqlite\.\d+\.\d+(-wal|-shm|-journal)?$")
_KNOWN = (tail.FILE, definitions.FILE, journal.FILE)


def examine(home: Path | str, *, options: Mapping[str, str] | None = None) -> list[Finding]:
    """Return what there is to say of a store, whatever is worst first; nothing of it is changed.

    >>> examine("/nowhere/at/all")[0].what
    'there is no store here'
    """
    place = place_of(home, options)
    if not place.names():
        return [Finding("info", place.address, "there is no store here")]
    found = list(_findings(place))
    found.sort(key=lambda finding: ("damage", "warning", "info", "ok").index(finding.severity))
    return found


def repair(home: Path | str, *, forget: Sequence[str] = (), options: Mapping[str, str] | None = None) -> list[Finding]:
    """Put right what can be put right without losing a row, and give up what is named; return what was done.

    Args:
        home: the store's folder or address.
        forget: damaged files or tables as `Finding.where` names them, to be moved to `<home>/damaged/`.
        options: what gets into an object store.

    Raises StoreLockedError while another process writes, and InvalidRequestError for a name that cannot be given up.
    """
    place = place_of(home, options)
    if not place.names():
        msg = f"there is no store at {place.address}; give the folder of one"
        raise InvalidRequestError(msg, field="home")
    store = DeltaStore(home, options=options)
    lock = WriterLock(place.root) if isinstance(place, LocalPlace) else None
    try:
        with nullcontext() if lock is None else lock.writing():
            return [*_repaired(place), *(Finding("ok", n, give_up(store, n)) for n in forget), *_finished(store, place)]
    finally:
        store.close()
        if lock is not None:
            lock.release()


# ---------------------------------------------------------------- looking
def _findings(place: Place) -> Iterator[Finding]:
    with tail_of(place) as (waiting, problems):
        yield from problems
        folders = tables_of(place, "bars", 1)
        for folder in folders:
            yield from look_at_bars(place, folder, waiting.get(folder.partition("/")[2], NOTHING))
        for timeframe in sorted(waiting):
            if f"bars/{timeframe}" not in folders:
                yield from look_at_waiting(f"bars/{timeframe}", waiting[timeframe], {}, 0)
    for folder in tables_of(place, "features", 2):
        yield from look_at_features(place, folder)
    if isinstance(place, LocalPlace):
        yield from _lock(place.root)
        yield from _leftovers(place.root)
        yield from _sqlite(place.root)
    yield from _definitions(place)
    yield from _sets(place)


def _lock(home: Path) -> Iterator[Finding]:
    path = home / ".lock"
    if not path.exists():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(handle, 20, 0).decode(errors="replace").strip() or "unknown"
        yield Finding("info", ".lock", f"process {owner} is writing here; what it does meanwhile may look unfinished")
    finally:
        os.close(handle)


def _leftovers(home: Path) -> Iterator[Finding]:
    for path in _drafts(home):
        yield Finding("warning", path.name, "a file that was not finished", "remove it", repairable=True)


def _drafts(home: Path) -> list[Path]:
    return sorted(path for path in home.iterdir() if _DRAFT.search(path.name))


def _sqlite(home: Path) -> Iterator[Finding]:
    """Ask SQLite of each of its files; those that are not known are caches."""
    for path in sorted(home.glob("*.sqlite")):
        if path.name == tail.FILE:
            continue
        with copied(home, path.name) as folder:
            problem = _quick_check(folder / path.name)
        if problem and path.name not in _KNOWN:
            yield Finding("warning", path.name, problem, "move it away; it is made anew", repairable=True)
        elif problem:
            remedy = f"{BACKUP}, or give it up with forget=[{path.name!r}]"
            yield Finding("damage", path.name, problem, remedy)
        else:
            yield Finding("ok", path.name, "SQLite finds nothing wrong with it")


def _quick_check(path: Path) -> str:
    try:
        with closing(sqlite3.connect(path)) as connection:
            (said,) = connection.execute("pragma quick_check(1)").fetchone()
    except sqlite3.DatabaseError as problem:
        said = str(problem)
    return "" if said == "ok" else str(said)


def _definitions(place: Place) -> Iterator[Finding]:
    if not isinstance(place, LocalPlace):
        yield from _registry(ObjectDefinitions(place), "definitions")
    elif any(place.root.glob(f"{definitions.FILE}*")):
        with copied(place.root, definitions.FILE) as folder:
            yield from _registry(definitions.SqliteDefinitions(folder), definitions.FILE)


def _registry(kept: ObjectDefinitions | definitions.SqliteDefinitions, where: str) -> Iterator[Finding]:
    remedy = f"{BACKUP}, or register the indicator again in another store"
    try:
        for versions in kept.registry().own.values():
            for version in versions:
                yield from _version(version, where, remedy)
    except FeatureStoreError as problem:
        yield Finding("damage", where, short(problem), remedy)
    kept.close()


def _version(version: object, where: str, remedy: str) -> Iterator[Finding]:
    try:
        if isinstance(version, definitions.Stored):
            _ = version.made
    except CorruptDataError as problem:
        yield Finding("damage", where, short(problem), remedy)


def _sets(place: Place) -> Iterator[Finding]:
    try:
        FeatureSets(place).all()
    except (FeatureStoreError, ValueError) as problem:
        yield Finding("damage", "sets", short(problem), f"{BACKUP}, or remove the file and register the set again")


# ---------------------------------------------------------------- putting right
def _repaired(place: Place) -> Iterator[Finding]:
    """Do what `examine` says that `repair` does, but for the tail."""
    if isinstance(place, LocalPlace):
        for path in _drafts(place.root):
            path.unlink()
            yield Finding("ok", path.name, "removed")
        for finding in _sqlite(place.root):
            if finding.repairable:
                move_away(place.root, finding.where)
                yield Finding("ok", finding.where, f"moved to {DAMAGED}/")
    for folder in tables_of(place, "features", 2):
        if any(finding.severity == "damage" for finding in look_at_features(place, folder)):
            move_folder(place, folder)
            yield Finding("ok", folder, f"moved to {DAMAGED}/; compute it anew")


def _finished(store: DeltaStore, place: Place) -> Iterator[Finding]:
    """Move the tail to the history, wait for every log to be on the disk, and remove what no commit names."""
    try:
        rows = store.flush()
        yield Finding("ok", tail.FILE, f"{rows} rows moved to the history")
    except FeatureStoreError as problem:
        yield Finding("damage", tail.FILE, f"could not be moved to the history: {problem}")
    tables = [*tables_of(place, "bars", 1), *tables_of(place, "features", 2)]
    yield from (finding for folder in tables for finding in _swept(place, folder))


def _swept(place: Place, folder: str) -> Iterable[Finding]:
    bars = folder.startswith("bars/")
    table = bars_table(place, folder.partition("/")[2]) if bars else VerifiedTable(place.inside(folder))
    try:
        table.begin()
        orphans = set(table.unused()) - table.removed_since(0)
        for name in (
            sorted(orphans) if isinstance(place, LocalPlace) else ()
        ):  # in a bucket it may be somebody's next commit
            place.remove(f"{folder}/{name}")
    except FeatureStoreError as problem:
        return [Finding("damage", folder, short(problem))]
    return [Finding("ok", folder, f"{len(orphans)} files of writes that did not complete removed")] if orphans else []
