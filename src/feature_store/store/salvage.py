"""Giving up what is damaged so that the rest can be read, and what was lost can be ingested again. Nothing is deleted.

What is given up goes to `<home>/damaged/` under its own name. Of a bucket that loses a file the other rows stay; they are
numbered anew from 0, as if those of the file had never arrived, in one commit. Of a table that is given up whole, and of a
tail, the writes that were not in it, or that are intact, stay as well. Pins taken before do not fit any more, and say so.
"""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from feature_store.bars import Symbol, Timeframe
from feature_store.errors import CorruptDataError, InvalidRequestError
from feature_store.store import definitions, journal, tail
from feature_store.store.delta_table import NewFile, RemovedFileError, VerifiedTable
from feature_store.store.durable import make_folder, sync
from feature_store.store.layout import BAR_SCHEMA, history_of, joined
from feature_store.store.rows import Facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feature_store.store.delta import DeltaStore
    from feature_store.store.places import Place

DAMAGED = "damaged"
_SQLITE = (definitions.FILE, journal.FILE)


def bars_table(place: Place, timeframe: str) -> VerifiedTable:
    """Return the table of a timeframe's bars."""
    return VerifiedTable(place.inside(f"bars/{timeframe}"), BAR_SCHEMA, (tail.APPLICATION,))


def give_up(store: DeltaStore, name: str) -> str:
    """Give up a file of bars, a table of bars or features, or a file of SQLite; return what was done.

    The caller holds the writer's lock. Raises InvalidRequestError for a name that is none of these.
    """
    parts = name.split("/")
    if parts[0] == "bars" and len(parts) > 2 and name.endswith(".parquet"):  # noqa: PLR2004  below a table's folder
        return _give_up_file(store, parts[1], name.split("/", 2)[2])
    if (parts[0] == "bars" and len(parts) == 2) or (parts[0] == "features" and len(parts) == 3):  # noqa: PLR2004
        return _give_up_table(store, name)
    if name == tail.FILE and isinstance(store.home, Path):
        return _give_up_tail(store, store.home)
    if name in _SQLITE and isinstance(store.home, Path):
        store.close()
        move_away(store.home, name)
        return f"{name} is in {DAMAGED}/; a new one is made when it is written to"
    msg = (
        f"{name!r} cannot be given up; name a file or a table of bars such as bars/1h, a table of features, or "
        f"{', '.join((tail.FILE, *_SQLITE))}, below the store's folder"
    )
    raise InvalidRequestError(msg, field="forget")


def move_away(home: Path, name: str) -> None:
    """Move a file of SQLite, with what was written ahead of it, to the damaged ones."""
    for each in (name, f"{name}-wal", f"{name}-shm"):
        if (home / each).exists():
            _move(home / each, home / DAMAGED / each)


def move_folder(place: Place, folder: str) -> None:
    """Move all files of a folder to the damaged ones."""
    for name in place.names(folder):
        _put_aside(place, name)


def _give_up_file(store: DeltaStore, timeframe: str, file: str) -> str:
    store.flush()
    table = bars_table(store.place, timeframe)
    table.begin()
    seen, folder = table.files(), file.rpartition("/")[0]
    if file not in seen.get(folder, ()):
        msg = f"{file} is not in use in {table.place.address}; `feature-store doctor` names the files that are damaged"
        raise InvalidRequestError(msg, field="forget")
    _refuse_sound(table, file)
    rows = [table.read(each) for each in seen[folder] if each != file]
    table.replace(seen, seen[folder], [_numbered_anew(folder, rows)] if rows else [], change=True)
    _put_aside(store.place, f"bars/{timeframe}/{file}")
    lost, left = Facts.of(file).rows, sum(map(len, rows))
    return f"{lost} rows are given up and in {DAMAGED}/; {left} others of the bucket stay. Ingest those rows again"


def _refuse_sound(table: VerifiedTable, file: str) -> None:
    try:
        table.content(file)
    except (CorruptDataError, RemovedFileError):
        return
    msg = f"{file} cannot be given up: it is as it was written"
    raise InvalidRequestError(msg, field="forget")


def _numbered_anew(folder: str, parts: list[pl.DataFrame]) -> NewFile:
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    revision = pl.int_range(pl.len()).over("time").cast(pl.Int32)
    rows = joined([joined(parts).sort("sequence").with_columns(number.alias("sequence"), revision.alias("revision"))])
    history = history_of(rows.sort("time", "known_at", "sequence"))
    bars = len(history.read(None, None, None)[0])
    first, last = int(history.time[0]), int(history.time[-1])
    facts = Facts(0, len(history), bars, first, last, history.latest_known_at, history.content)
    partition = dict(level.split("=") for level in folder.split("/"))
    return NewFile(partition, facts.stem, rows.sort("time", "known_at", "sequence"))


def _give_up_table(store: DeltaStore, name: str) -> str:
    if name.startswith("bars/"):
        _refuse_sound_log(bars_table(store.place, name.partition("/")[2]))
    move_folder(store.place, name)
    home = store.home
    if name.startswith("features/") or not isinstance(home, Path):
        return f"{name} is in {DAMAGED}/"
    store.close()
    waiting = tail.Tail(home)
    waiting.restart(Timeframe.parse(name.split("/")[1]).name)
    waiting.close()
    return f"{name} is in {DAMAGED}/; the rows of it that the tail has stay. Ingest the others again"


def _refuse_sound_log(table: VerifiedTable) -> None:
    try:
        known = table.files()
    except CorruptDataError:
        return
    if known:
        msg = f"{table.place.address} cannot be given up: its log is sound; give up those of its files that are damaged"
        raise InvalidRequestError(msg, field="forget")


def _give_up_tail(store: DeltaStore, home: Path) -> str:
    store.close()
    with tempfile.TemporaryDirectory() as folder:
        for each in home.glob(f"{tail.FILE}*"):
            shutil.copy2(each, folder)
        found, lost = tail.intact(Path(folder) / tail.FILE) if (home / tail.FILE).exists() else ([], 0)
    move_away(home, tail.FILE)
    kept = sum(_written(store, each) for each in found)
    return f"{tail.FILE} is in {DAMAGED}/; {kept} rows of it are kept, and {lost} writes cannot be read. Ingest those again"


def _written(store: DeltaStore, each: tail.Pending) -> int:
    symbol = each.folder.split("/")[0].partition("=")[2]
    return store.write(Symbol.parse(symbol), Timeframe.parse(each.timeframe), each.rows.arrivals)


def _put_aside(place: Place, name: str) -> None:
    root = getattr(place, "root", None)
    if isinstance(root, Path):
        if (root / name).exists():
            _move(root / name, root / DAMAGED / name)
    elif place.exists(name):
        place.write_new(f"{DAMAGED}/{name}", place.read(name))
        place.remove(name)


def _move(old: Path, new: Path) -> None:
    make_folder(new.parent)
    old.replace(new)
    for folder in (new.parent, old.parent):
        sync(folder)


def sources_of(content: bytes) -> Sequence[str]:
    """Return where rows of a file came from, as far as that can still be read."""
    try:
        return sorted(
            pl.read_parquet(io.BytesIO(content), columns=["source"])["source"].unique().drop_nulls().to_list()
        )
    except (pl.exceptions.PolarsError, OSError, ValueError):
        return []
