"""A Delta table that keeps what it acknowledged and never serves damaged bytes, in a folder or in an object store.

`deltalake` makes the commits, and any program that reads Delta Lake reads the table. It neither waits for the disk nor keeps
checksums of data, so this file adds both:

1. A data file is written and synced, with the folders above it, before the commit that names it; then the log entry and the
   log folder are synced; then the caller is told. A failure before the commit leaves a file that nothing refers to.
2. A data file's name ends in the digest of its bytes, and every read checks the very bytes that it decodes.
3. Every commit carries the sum of the digests of all live names as an application transaction, which the log's checkpoints
   keep. Opening or refreshing the table compares it with the names found, so damage to the log cannot hide or invent a file.

A commit may be applied although its answer was lost, as object stores do. So after an error the log is asked whether the
files are in it; their names say what is in them. If they are not because another writer was first, the caller decides anew.

A long-lived handle is refreshed by looking for the next log entry, which costs microseconds in a folder when there is none.
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
from deltalake.transaction import AddAction, RemoveAction

from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from feature_store.store.places import Place

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


class OvertakenError(Exception):
    """Another writer committed in between; look at the table again and decide anew."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """Rows of one partition to be added as one file; `stem` begins its name and may tell what is inside."""

    partition: Mapping[str, str]
    stem: str
    rows: pl.DataFrame


class VerifiedTable:
    """One Delta table, created by its first `append` with `schema` (None: that of the rows); a file may lack columns of it.

    Not for several threads at once but for `read`; the store above sees to that.
    """

    def __init__(self, place: Place, schema: pl.Schema | None = None) -> None:
        self.place = place
        self._schema = schema
        self._table: DeltaTable | None = None
        self._files: dict[str, list[str]] = {}
        self._next_entry = _entry(0)
        self._disk: Literal["unknown", "synced", "failed"] = "unknown"

    def __repr__(self) -> str:
        return f"<VerifiedTable {self.place.address} files={sum(map(len, self._files.values()))}>"

    def files(self) -> dict[str, list[str]]:
        """Return the live data files by the folder of their partition, as of the latest commit of any process.

        Raises CorruptDataError when the log is damaged.
        """
        if self._table is None or self.place.exists(self._next_entry):
            self._refresh()
        return self._files

    def transaction(self, name: str) -> int:
        """Return what the commits seen so far say last of an application's transactions; 0 where they say nothing."""
        return 0 if self._table is None else self._table.transaction_version(name) or 0

    def read(self, file: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the rows of a data file with those of `columns` that it has (None: all).

        Raises CorruptDataError when its bytes are not those that were written.
        """
        content = self.content(file)
        if columns is not None:
            held = pl.read_parquet_schema(io.BytesIO(content))
            columns = [name for name in columns if name in held]
        return pl.read_parquet(io.BytesIO(content), columns=columns)

    def content(self, file: str) -> bytes:
        """Return the bytes of a data file; raises CorruptDataError when they are not those that were written."""
        try:
            content = self.place.read(file)
        except OSError as problem:
            self._corrupt(file, f"cannot be read ({problem.strerror or problem})")
        if not file.endswith(f"-{_digest(content)}.parquet"):
            self._corrupt(file, "does not match its checksum")
        return content

    def begin(self) -> None:
        """Get ready to write: what a writer before us committed and perhaps did not live to sync is on the disk at return.

        Raises FeatureStoreError when a sync of this process failed before: the disk may have dropped what it was given, so
        nothing more is acknowledged.
        """
        if self._disk == "failed":
            msg = (
                f"an earlier write to {self.place.address} did not reach the disk; "
                f"check the disk, restart, and repeat the write"
            )
            raise FeatureStoreError(msg)
        self.files()
        if self._disk == "unknown" and self._table is not None:
            self._settle_log(self._table.version())
        self._disk = "synced"

    def append(self, files: list[NewFile], transactions: Mapping[str, int] | None = None) -> None:
        """Add rows in one commit that lasts at return, with what applications say of it.

        Raises OvertakenError where another writer was first, and FeatureStoreError where it fails otherwise.
        """
        self._commit(files, [], transactions or {})

    def replace(self, old: Sequence[str], files: list[NewFile]) -> None:
        """Put files that hold the rows of old ones in their place, in one commit; raises as `append` does."""
        self._commit(files, list(old), {})

    def removed(self) -> list[str]:
        """Return the data files that no commit seen so far names any more and that are still there."""
        live = {file for folder in self.files().values() for file in folder}
        every = (name for name in self.place.names() if name.endswith(".parquet") and not name.startswith(_LOG))
        return [name for name in every if name not in live]

    def _commit(self, files: list[NewFile], old: list[str], transactions: Mapping[str, int]) -> None:
        self.begin()
        try:
            added = [self._written(file, change=not old) for file in files]
            table = self._table or self._create(files[0])
        except OSError as problem:
            self._refused(problem)
        live = [file for folder in self._files.values() for file in folder if file not in old]
        total = _sum_of_names([*live, *(action.path for action in added)])
        said = [Transaction(_INTEGRITY, total), *(Transaction(*each) for each in transactions.items())]
        properties = CommitProperties(app_transactions=said, max_commit_retries=0)
        version = table.version() + 1
        self._table = None  # whatever happens now, the next look reads what the log says
        try:
            table.create_write_transaction(
                [*added, *map(_removal, old)],
                "append",
                table.schema(),
                list(files[0].partition),
                commit_properties=properties,
            )
        except (DeltaError, OSError) as problem:
            version = self._version_with([action.path for action in added], version, problem)
        self._settle_log(version)

    def _version_with(self, paths: list[str], expected: int, problem: Exception) -> int:
        """Return the version of a commit that was applied although it raised; raises where it was not."""
        try:
            live = {file for folder in self.files().values() for file in folder}
        except FeatureStoreError:
            self._refused(problem)
        latest = self._table.version() if self._table is not None else -1
        if not live.issuperset(paths):
            if latest >= expected:
                raise OvertakenError from problem
            self._refused(problem)
        return latest

    def _refresh(self) -> None:
        if self._table is None and not self.place.exists(_entry(0)):
            if any(name.endswith(".json") for name in self._log_names()):
                self._corrupt(_entry(0), "is missing")
            return
        with self._damage_named():
            if self._table is None:
                table = DeltaTable(self.place.address, storage_options=self.place.options)
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
        self._next_entry = _entry(table.version() + 1)

    def _log_names(self) -> list[str]:
        try:
            return self.place.names(_LOG)
        except OSError:
            return []

    def _create(self, first: NewFile) -> DeltaTable:
        columns = self._schema or first.rows.schema
        fields = {**dict.fromkeys(first.partition, "string"), **{n: _TYPES[t] for n, t in columns.items()}}
        schema = Schema([Field(name, PrimitiveType(kind)) for name, kind in fields.items()])
        try:
            table = DeltaTable.create(
                self.place.address,
                schema,
                partition_by=list(first.partition),
                configuration=_CONFIGURATION,
                storage_options=self.place.options,
            )
            self.place.settle([""])
        except (DeltaError, OSError) as problem:
            self.files()
            if self._table is None:
                self._refused(problem)
            raise OvertakenError from problem
        self._settle_log(0)
        return table

    def _written(self, file: NewFile, *, change: bool) -> AddAction:
        buffer = io.BytesIO()
        file.rows.write_parquet(buffer, compression="lz4", statistics=True)
        content = buffer.getvalue()
        folder = "/".join(f"{name}={value}" for name, value in file.partition.items())
        name = f"{folder}/{file.stem}-{_digest(content)}.parquet"
        self.place.write_new(name, content)
        return AddAction(
            path=name,
            size=len(content),
            partition_values=file.partition,
            modification_time=_milliseconds(),
            data_change=change,
            stats=_statistics(file.rows),
        )

    def _settle_log(self, version: int) -> None:
        """Wait until a commit's entry is on the disk, and the checkpoint that every hundredth commit brings.

        Raises FeatureStoreError where that fails, and then nothing more is written by this table.
        """
        checkpoint = f"{_LOG}/{version:020d}.checkpoint.parquet"
        checkpoints = (checkpoint, f"{_LOG}/_last_checkpoint") if self.place.exists(checkpoint) else ()
        try:
            self.place.settle([_entry(version), *checkpoints, _LOG])
        except OSError as problem:
            self._disk = "failed"
            self._refused(problem)

    # ---------------------------------------------------------------- damage
    @contextmanager
    def _damage_named(self) -> Iterator[None]:
        """Turn whatever a damaged log makes `deltalake` raise into one error that names the file."""
        try:
            yield
        except (DeltaError, OSError, ValueError, TypeError, KeyError) as problem:
            self._corrupt(self._damaged_entry(), f"is damaged ({_first_line(problem)})", problem)
        except BaseException as problem:
            if type(problem).__name__ != "PanicException":  # what a bug in Rust becomes; it has no other common base
                raise
            self._corrupt(self._damaged_entry(), f"is damaged ({_first_line(problem)})", problem)

    def _damaged_entry(self) -> str:
        """Return the first log entry whose sum does not follow from the ones before, or the log itself."""
        total = 0
        for entry in self._log_names():
            if not entry.endswith(".json"):
                continue
            try:
                actions: list[dict[str, Any]] = [
                    json.loads(line) for line in self.place.read(entry).splitlines() if line
                ]
                gained = _sum_of_names(action["add"]["path"] for action in actions if "add" in action)
                lost = _sum_of_names(action["remove"]["path"] for action in actions if "remove" in action)
                said = {action["txn"]["appId"]: action["txn"]["version"] for action in actions if "txn" in action}
            except (OSError, ValueError, TypeError, KeyError):
                return entry
            total = (total + gained - lost) % _BITS
            if said.get(_INTEGRITY, 0) != total:
                return entry
        return _LOG

    def _refused(self, problem: Exception) -> NoReturn:
        why = getattr(problem, "strerror", None) or str(problem)
        msg = f"could not write to {self.place.address} ({why}); nothing stored before is lost, and repeating the write is safe"
        raise FeatureStoreError(msg) from problem

    def _corrupt(self, file: str, what: str, cause: BaseException | None = None) -> NoReturn:
        msg = (
            f"{self.place.address}/{file} {what}; nothing of it was used. "
            f"Restore it from a backup, or ingest the bars again into a new folder"
        )
        raise CorruptDataError(msg) from cause


def _entry(version: int) -> str:
    return f"{_LOG}/{version:020d}.json"


def _removal(file: str) -> RemoveAction:
    folders = (part.partition("=") for part in file.split("/")[:-1])
    return RemoveAction(
        file,
        data_change=False,
        deletion_timestamp=_milliseconds(),
        partition_values={name: v for name, _, v in folders},
    )


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


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


def _first_line(problem: BaseException) -> str:
    return str(problem).partition("\n")[0][:200]
