"""A Delta table on the local disk that keeps what it acknowledged and never serves damaged bytes.

`deltalake` makes the commits, and any program that reads Delta Lake reads the table. It neither waits for the disk nor keeps
checksums of data, so this file adds both:

1. A data file is written and synced, with the folders above it, before the commit that names it; then the log entry and the
   log folder are synced; then the caller is told. A failure before the commit leaves a file that nothing refers to.
2. A data file's name ends in the digest of its bytes, and every read checks the very bytes that it decodes.
3. Every commit carries the sum of the digests of all live names as an application transaction, which the log's checkpoints
   keep. Opening or refreshing the table compares it with the names found, so damage to the log cannot hide or invent a file.

A long-lived handle is refreshed by looking for the next log entry, which costs microseconds when there is none.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import polars as pl
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import DeltaError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction

from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.store.durable import sync, write_new
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_INTEGRITY = "integrity"
_LOG = "_delta_log"
_DIGEST_LENGTH = 32
_BITS = 2**63  # a Delta transaction's version is a signed 64-bit number
_TYPES: dict[pl.DataType, str] = {
    pl.Datetime("us", "UTC"): "timestamp",
    pl.Float64(): "double",
    pl.Int64(): "long",
    pl.Int32(): "integer",
    pl.Boolean(): "boolean",
    pl.String(): "string",
}
_CONFIGURATION: dict[str, str | None] = {"delta.appendOnly": "true", "delta.enableExpiredLogCleanup": "false"}


@dataclass(frozen=True, slots=True)
class NewFile:
    """Rows of one partition to be added as one file; `stem` begins its name and may tell what is inside."""

    partition: Mapping[str, str]
    stem: str
    rows: pl.DataFrame


class VerifiedTable:
    """One Delta table, created by its first `append` with `schema` (None: that of the rows); a file may lack columns of it.

    Not for several threads at once; the store above sees to that.
    """

    def __init__(self, path: Path, schema: pl.Schema | None = None) -> None:
        self.path = path
        self._schema = schema
        self._table: DeltaTable | None = None
        self._files: dict[str, list[str]] = {}
        self._next_entry = self._entry(0)
        self._disk: Literal["unknown", "synced", "failed"] = "unknown"

    def __repr__(self) -> str:
        return f"<VerifiedTable {self.path} files={sum(map(len, self._files.values()))}>"

    def files(self) -> dict[str, list[str]]:
        """Return the live data files by the folder of their partition, as of the latest commit of any process.

        Raises CorruptDataError when the log is damaged.
        """
        if self._table is None or self._next_entry.exists():
            self._refresh()
        return self._files

    def read(self, file: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the rows of a data file with those of `columns` that it has (None: all).

        Raises CorruptDataError when its bytes are not those that were written.
        """
        path = self.path / file
        try:
            content = path.read_bytes()
        except OSError as problem:
            _corrupt(path, f"cannot be read ({problem.strerror})")
        if not file.endswith(f"-{_digest(content)}.parquet"):
            _corrupt(path, "does not match its checksum")
        if columns is not None:
            held = pl.read_parquet_schema(io.BytesIO(content))
            columns = [name for name in columns if name in held]
        return pl.read_parquet(io.BytesIO(content), columns=columns)

    def begin(self) -> None:
        """Get ready to write: what a writer before us committed and perhaps did not live to sync is on the disk at return.

        Raises FeatureStoreError when a sync of this process failed before: the disk may have dropped what it was given, so
        nothing more is acknowledged.
        """
        if self._disk == "failed":
            msg = (
                f"an earlier write to {self.path} did not reach the disk; check the disk, restart, and repeat the write"
            )
            raise FeatureStoreError(msg)
        self.files()
        if self._disk == "unknown" and self._table is not None:
            self._sync_log(self._table.version())
        self._disk = "synced"

    def append(self, files: list[NewFile]) -> None:
        """Add rows in one commit that is on the disk at return; raises FeatureStoreError where that fails."""
        self.begin()
        try:
            actions = [self._written(file) for file in files]
            table = self._table or self._create(files[0])
        except OSError as problem:
            _refused(self.path, problem)
        live = [file for folder in self._files.values() for file in folder]
        total = _sum_of_names([*live, *(action.path for action in actions)])
        properties = CommitProperties(app_transactions=[Transaction(_INTEGRITY, total)], max_commit_retries=0)
        version = table.version() + 1
        self._table = None  # whatever happens now, the next look reads what the log says
        try:
            table.create_write_transaction(
                list(actions), "append", table.schema(), list(files[0].partition), commit_properties=properties
            )
        except (DeltaError, OSError) as problem:
            _refused(self.path, problem)
        self._sync_log(version)

    def _refresh(self) -> None:
        log = self.path / _LOG
        if self._table is None and not self._entry(0).exists():
            if any(log.glob("[0-9]*.json")):
                _corrupt(self._entry(0), "is missing")
            return
        with _damage_named(self.path):
            if self._table is None:
                table = DeltaTable(str(self.path))
            else:
                table = self._table
                table.update_incremental()
            files = sorted(pl.DataFrame(table.get_add_actions())["path"])
            if _sum_of_names(files) != (table.transaction_version(_INTEGRITY) or 0):
                raise DeltaError("the files it names are not those that were committed")
        folders: dict[str, list[str]] = {}
        for file in files:
            folders.setdefault(file.rpartition("/")[0], []).append(file)
        self._table, self._files = table, folders
        self._next_entry = self._entry(table.version() + 1)

    def _create(self, first: NewFile) -> DeltaTable:
        columns = self._schema or first.rows.schema
        fields = {**dict.fromkeys(first.partition, "string"), **{n: _TYPES[t] for n, t in columns.items()}}
        schema = Schema([Field(name, PrimitiveType(kind)) for name, kind in fields.items()])
        try:
            table = DeltaTable.create(
                str(self.path), schema, partition_by=list(first.partition), configuration=_CONFIGURATION
            )
            sync(self.path)
        except (DeltaError, OSError) as problem:
            _refused(self.path, problem)
        self._sync_log(0)
        return table

    def _written(self, file: NewFile) -> AddAction:
        buffer = io.BytesIO()
        file.rows.write_parquet(buffer, compression="lz4", statistics=True)
        content = buffer.getvalue()
        folder = "/".join(f"{name}={value}" for name, value in file.partition.items())
        name = f"{folder}/{file.stem}-{_digest(content)}.parquet"
        write_new(self.path / name, content)
        return AddAction(
            path=name,
            size=len(content),
            partition_values=file.partition,
            modification_time=time.time_ns() // 1_000_000,
            data_change=True,
            stats=_statistics(file.rows),
        )

    def _sync_log(self, version: int) -> None:
        """Wait until a commit's entry is on the disk, and the checkpoint that every hundredth commit brings.

        Raises FeatureStoreError where that fails, and then nothing more is written by this table.
        """
        log = self.path / _LOG
        checkpoint = log / f"{version:020d}.checkpoint.parquet"
        checkpoints = (checkpoint, log / "_last_checkpoint") if checkpoint.exists() else ()
        try:
            for path in (self._entry(version), *checkpoints, log):
                sync(path)
        except OSError as problem:
            self._disk = "failed"
            _refused(self.path, problem)

    def _entry(self, version: int) -> Path:
        return self.path / _LOG / f"{version:020d}.json"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:_DIGEST_LENGTH]


def _sum_of_names(files: Iterable[str]) -> int:
    return sum(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) for name in files) % _BITS


def _statistics(rows: pl.DataFrame) -> str:
    """Return what lets other engines skip the file: its rows, its first and last time (Delta keeps milliseconds)."""
    first, last = rows["time"].dt.epoch("us").min(), rows["time"].dt.epoch("us").max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    bounds = {"minValues": {"time": to_iso(first)}, "maxValues": {"time": to_iso(last)}}
    return json.dumps({"numRecords": len(rows), **bounds, "nullCount": {"time": 0}})


# ---------------------------------------------------------------- damage
@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turn whatever a damaged log makes `deltalake` raise into one error that names the file."""
    try:
        yield
    except (DeltaError, OSError, ValueError, TypeError, KeyError) as problem:
        _corrupt(_damaged_entry(path / _LOG), f"is damaged ({_first_line(problem)})", problem)
    except BaseException as problem:
        if type(problem).__name__ != "PanicException":  # what a bug in Rust becomes; it has no other common base
            raise
        _corrupt(_damaged_entry(path / _LOG), f"is damaged ({_first_line(problem)})", problem)


def _first_line(problem: BaseException) -> str:
    return str(problem).partition("\n")[0][:200]


def _damaged_entry(log: Path) -> Path:
    """Return the first log entry whose sum does not follow from the ones before, or the log itself."""
    total = 0
    for entry in sorted(log.glob("*.json")):
        try:
            actions: list[dict[str, Any]] = [json.loads(line) for line in entry.read_text().splitlines() if line]
            added = [action["add"]["path"] for action in actions if "add" in action]
            sums = [action["txn"]["version"] for action in actions if "txn" in action]
        except (OSError, ValueError, TypeError, KeyError):
            return entry
        total = (total + _sum_of_names(added)) % _BITS
        if sums != ([total] if total else []):
            return entry
    return log


def _refused(path: Path, problem: Exception) -> NoReturn:
    why = getattr(problem, "strerror", None) or str(problem)
    msg = f"could not write to {path} ({why}); nothing stored before is lost, and repeating the write is safe"
    raise FeatureStoreError(msg) from problem


def _corrupt(path: Path, what: str, cause: BaseException | None = None) -> NoReturn:
    msg = f"{path} {what}; nothing of it was used. Restore it from a backup, or ingest the bars again into a new folder"
    raise CorruptDataError(msg) from cause
