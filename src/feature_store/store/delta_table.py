"""A Delta table that keeps what it acknowledged and never serves damaged bytes, in a folder or in an object store.

`deltalake` makes the commits, and any program that reads Delta Lake reads the table. It neither waits for the disk nor keeps
checksums of data, so this file adds both:

1. A data file is written and synced, with the folders above it, before the commit that names it; then the log entry and the
   log folder are synced; then the caller is told. A failure before the commit leaves a file that nothing refers to.
2. A data file's name ends in the digest of its bytes, and every read checks the very bytes that it decodes.
3. Every commit carries the sum of the digests of all live names, and of what applications said, as an application transaction,
   which the log's checkpoints keep. Opening or refreshing the table compares it with what is found, so damage to the log can
   neither hide nor invent a file.

A commit may be applied although its answer was lost, as object stores do. So after an error the log is asked whether the
files are in it; their names say what is in them. If they are not because another writer was first, the caller decides anew.

A long-lived handle is refreshed by looking for the next log entry, which costs microseconds in a folder when there is none.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import polars as pl
import xxhash
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import DeltaError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction

from feature_store.errors import CorruptDataError, FeatureStoreError
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from feature_store.store.places import Place

    Files = Mapping[str, list[str]]

_INTEGRITY = "integrity"
_LOG = "_delta_log"
FIRST_ENTRY = f"/{_LOG}/{0:020d}.json"
"""What the name of a table's first log entry ends in."""
_NO_ANSWER = re.compile("Generic (S3|GCS|MicrosoftAzure|HTTP) error")
"""In what an object store's client says when it had no answer, or not the one it hoped for."""
_BITS = 2**63  # a Delta transaction's version is a signed 64-bit number
_TYPES: dict[pl.DataType, str] = {
    pl.Datetime("us", "UTC"): "timestamp",
    pl.Float64(): "double",
    pl.Int64(): "long",
    pl.Int32(): "integer",
    pl.Boolean(): "boolean",
    pl.String(): "string",
}
_CONFIGURATION: dict[str, str | None] = {"delta.enableExpiredLogCleanup": "false"}


class _Engine:
    """Knows which process started the threads of `deltalake` and Polars; a forked child has none of them to wait for."""

    process: int | None = None

    @classmethod
    def start(cls) -> None:
        """Raise FeatureStoreError in a process that was forked from the one that started them."""
        if cls.process is None:
            cls.process = os.getpid()
        if cls.process != os.getpid():
            msg = (
                f"process {os.getpid()} was forked from {cls.process}, which had a store open, and cannot use it; "
                f'start processes with multiprocessing.get_context("spawn")'
            )
            raise FeatureStoreError(msg)


class OvertakenError(Exception):
    """Another writer committed in between; look at the table again and decide anew."""


class RemovedFileError(Exception):
    """A data file is not there: another commit may have put one in its place long ago; look at the table again."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.file = file


@dataclass(frozen=True, slots=True)
class NewFile:
    """Rows of one partition to be added as one file; `stem` begins its name and may tell what is inside."""

    partition: Mapping[str, str]
    stem: str
    rows: pl.DataFrame


class VerifiedTable:
    """One Delta table, created by its first `append`.

    Not for several threads at once but for `read`; the store above sees to that.

    Args:
        place: where it is.
        schema: its columns (None: those of the first rows); a file may lack some.
        applications: the names of the transactions that `append` may be told.
    """

    def __init__(self, place: Place, schema: pl.Schema | None = None, applications: Sequence[str] = ()) -> None:
        self.place = place
        self._schema = schema
        self._applications = applications
        self._table: DeltaTable | None = None
        self._files: dict[str, list[str]] = {}
        self._said: dict[str, int] = {}
        self._version = -1
        self._next_entry = _entry(0)
        self._disk: Literal["unknown", "synced", "failed"] = "unknown"

    def __repr__(self) -> str:
        return f"<VerifiedTable {self.place.address} files={sum(map(len, self._files.values()))}>"

    def files(self) -> Files:
        """Return the live data files by the folder of their partition, as of the latest commit of any process.

        It is the same object until there is another commit.

        Raises CorruptDataError when the log is damaged, and FeatureStoreError when it cannot be reached.
        """
        try:
            if self._table is None or self.place.exists(self._next_entry):
                self._refresh()
        except OSError as problem:
            self._unreachable(problem)
        return self._files

    def transaction(self, name: str) -> int:
        """Return what the commits seen so far say last of an application's transactions; 0 where they say nothing."""
        return self._said.get(name, 0)

    def read(self, file: str, columns: Sequence[str] | None = None) -> pl.DataFrame:
        """Return the rows of a data file with those of `columns` that it has (None: all).

        Raises CorruptDataError when its bytes are not those that were written, and RemovedFileError when it is not there.
        """
        _Engine.start()
        content = self.content(file)
        if columns is not None:
            held = pl.read_parquet_schema(io.BytesIO(content))
            columns = [name for name in columns if name in held]
        return pl.read_parquet(io.BytesIO(content), columns=columns)

    def content(self, file: str) -> bytes:
        """Return the bytes of a data file; raises as `read` does."""
        try:
            content = self.place.read(file)
        except FileNotFoundError as problem:
            raise RemovedFileError(file) from problem
        except ConnectionError as problem:
            self._unreachable(problem)
        except OSError as problem:
            self._corrupt(file, f"cannot be read ({problem.strerror or problem})")
        if not file.endswith(f"-{_digest(content)}.parquet"):
            self._corrupt(file, "does not match its checksum")
        return content

    def look_for(self, missing: RemovedFileError) -> None:
        """Look at the log again; raises CorruptDataError where it still names a file that is not there."""
        if any(missing.file in files for files in self.files().values()):
            self._corrupt(missing.file, "is missing", missing)

    def begin(self) -> None:
        """Get ready to write: what a writer before us committed and perhaps did not live to sync is on the disk at return.

        Raises FeatureStoreError when a sync of this process failed before: the disk may have dropped what it was given, so
        nothing more is acknowledged.
        """
        self._refuse_failed()
        self.files()
        if self._disk == "unknown" and self._table is not None:
            self._settle_log(self._version)
        self._disk = "synced"

    def append(self, seen: Files, files: list[NewFile], transactions: Mapping[str, int] | None = None) -> None:
        """Add rows in one commit that lasts at return, with what applications say of it.

        Raises OvertakenError where another writer was first, and FeatureStoreError where it fails otherwise.

        Args:
            seen: what `files` returned when this was decided; the commit follows upon that state or is not made.
            files: at least one.
            transactions: a number by the name of each application.
        """
        self._commit(seen, files, [], transactions or {})

    def replace(self, seen: Files, old: Sequence[str], files: list[NewFile], *, change: bool = False) -> None:
        """Put files in the place of old ones of the same partitions, in one commit; raises as `append` does.

        Args:
            seen: what `files` returned when this was decided.
            old: at least one.
            files: none where nothing is left.
            change: whether they hold other rows, which those who follow the table then look at.
        """
        self._commit(seen, files, list(old), {}, change=change)

    def unused(self) -> list[str]:
        """Return the data files that are there and that the latest commit does not name."""
        live = {file for folder in self.files().values() for file in folder}
        every = (name for name in self.place.names() if name.endswith(".parquet") and not name.startswith(_LOG))
        return [name for name in every if name not in live]

    def vacuum(self, before: float) -> list[str]:
        """Remove the data files that nobody has needed since a moment, in seconds since 1970; return their names.

        Those are the files that are not in use, were written before it, and that no commit since then took out of use.
        """
        try:
            unused = set(self.unused()) if self.files() else set()
            unused -= self.removed_since(before) if unused else set()
            old = [name for name in sorted(unused) if self.place.written_at(name) < before]
            for name in old:
                self.place.remove(name)
        except OSError as problem:
            self._refused(problem)
        return old

    def removed_since(self, before: float) -> set[str]:
        """Return the data files that commits since a moment, in seconds since 1970, took out of use."""
        found: set[str] = set()
        version = self._version
        while self.place.exists(_entry(version)):
            actions = _actions(self.place.read(_entry(version)))
            if any(action["commitInfo"]["timestamp"] < before * 1000 for action in actions if "commitInfo" in action):
                break
            found.update(action["remove"]["path"] for action in actions if "remove" in action)
            version -= 1
        return found

    def _commit(
        self, seen: Files, files: list[NewFile], old: list[str], transactions: Mapping[str, int], *, change: bool = True
    ) -> None:
        self._refuse_failed()
        if self._files is not seen:
            raise OvertakenError
        try:
            added = [self._written(file, change=change) for file in files]
            table = self._table or self._create(files[0])
        except OSError as problem:
            self._refused(problem)
        live = [file for folder in self._files.values() for file in folder if file not in old]
        total = _sum([*live, *(action.path for action in added)], {**self._of_applications(self._said), **transactions})
        said = [Transaction(_INTEGRITY, total), *(Transaction(*each) for each in transactions.items())]
        properties = CommitProperties(app_transactions=said, max_commit_retries=0)
        version = self._version + 1
        try:
            table.create_write_transaction(
                [*added, *(_removal(file, change=change) for file in old)],
                "append",
                table.schema(),
                table.metadata().partition_columns,
                commit_properties=properties,
            )
        except (DeltaError, OSError) as problem:
            version = self._version_with({action.path for action in added}, set(old), version, problem)
        self._settle_log(version)

    def _of_applications(self, said: Mapping[str, int]) -> dict[str, int]:
        return {name: said.get(name, 0) for name in self._applications}

    def _version_with(self, added: set[str], old: set[str], expected: int, problem: Exception) -> int:
        """Return the version of a commit that was applied although it raised; raises where it was not."""
        try:
            live = {file for folder in self.files().values() for file in folder}
        except FeatureStoreError:
            self._refused(problem)
        if not added <= live or old & live:
            if self._version >= expected:
                raise OvertakenError from problem
            self._refused(problem)
        return self._version

    def _refresh(self) -> None:
        if self._table is None and not self.place.exists(_entry(0)):
            if not any(name.endswith(".json") for name in self.place.names(_LOG)):
                return
            if not self.place.exists(_entry(0)):  # nor was it made just now
                self._corrupt(_entry(0), "is missing")
        _Engine.start()
        with self._damage_named():
            if self._table is None:
                table = DeltaTable(self.place.address, storage_options=self.place.options)
                said = {name: table.transaction_version(name) or 0 for name in (_INTEGRITY, *self._applications)}
            else:
                table = self._table
                table.update_incremental()
                said = self._said | self._said_since(self._version, table.version())
            files = sorted(pl.DataFrame(table.get_add_actions())["path"])
            if _sum(files, self._of_applications(said)) != said.get(_INTEGRITY, 0):
                raise DeltaError("the files it names are not those that were committed")
        folders: dict[str, list[str]] = {}
        for file in files:
            folders.setdefault(file.rpartition("/")[0], []).append(file)
        self._table, self._files, self._said, self._version = table, folders, said, table.version()
        self._next_entry = _entry(self._version + 1)

    def _said_since(self, before: int, version: int) -> dict[str, int]:
        """Return what some commits say; asking `deltalake` for it would read all entries since the last checkpoint."""
        entries = (_actions(self.place.read(_entry(number))) for number in range(before + 1, version + 1))
        said = [action["txn"] for actions in entries for action in actions if "txn" in action]
        return {each["appId"]: each["version"] for each in said}

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
        self._version = 0
        return table

    def _written(self, file: NewFile, *, change: bool) -> AddAction:
        _Engine.start()
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
            if _NO_ANSWER.search(str(problem)):
                self._unreachable(problem)
            self._corrupt(self._damaged_entry(), f"is damaged ({_first_line(problem)})", problem)
        except BaseException as problem:
            if type(problem).__name__ != "PanicException":  # what a bug in Rust becomes; it has no other common base
                raise
            self._corrupt(self._damaged_entry(), f"is damaged ({_first_line(problem)})", problem)

    def _damaged_entry(self) -> str:
        """Return the first log entry whose sum does not follow from the ones before, or the log itself."""
        live: set[str] = set()
        said: dict[str, int] = {}
        for entry in self.place.names(_LOG):
            if not entry.endswith(".json"):
                continue
            try:
                actions = _actions(self.place.read(entry))
                live |= {action["add"]["path"] for action in actions if "add" in action}
                live -= {action["remove"]["path"] for action in actions if "remove" in action}
                said |= {action["txn"]["appId"]: action["txn"]["version"] for action in actions if "txn" in action}
            except (OSError, ValueError, TypeError, KeyError):
                return entry
            if said.get(_INTEGRITY, 0) != _sum(live, self._of_applications(said)):
                return entry
        return _LOG

    def _refuse_failed(self) -> None:
        if self._disk == "failed":
            msg = (
                f"an earlier write to {self.place.address} did not reach the disk; "
                f"check the disk, restart, and repeat the write"
            )
            raise FeatureStoreError(msg)

    def _refused(self, problem: Exception) -> NoReturn:
        why = getattr(problem, "strerror", None) or _first_line(problem)
        msg = f"could not write to {self.place.address} ({why}); nothing stored before is lost, and repeating the write is safe"
        raise FeatureStoreError(msg) from problem

    def _unreachable(self, problem: Exception) -> NoReturn:
        msg = (
            f"{self.place.address} cannot be reached now ({_first_line(problem)}); nothing of it was used, so try again"
        )
        raise FeatureStoreError(msg) from problem

    def _corrupt(self, file: str, what: str, cause: BaseException | None = None) -> NoReturn:
        msg = (
            f"{self.place.address}/{file} {what}; nothing of it was used. "
            f"Restore it from a backup, or ingest the bars again into a new folder"
        )
        raise CorruptDataError(msg) from cause


def _entry(version: int) -> str:
    return f"{_LOG}/{version:020d}.json"


def _removal(file: str, *, change: bool) -> RemoveAction:
    folders = (part.partition("=") for part in file.split("/")[:-1])
    return RemoveAction(
        file,
        data_change=change,
        deletion_timestamp=_milliseconds(),
        partition_values={name: v for name, _, v in folders},
    )


def _milliseconds() -> int:
    return time.time_ns() // 1_000_000


def _digest(content: bytes) -> str:
    return xxhash.xxh3_128_hexdigest(content)


def _sum(files: Iterable[str], said: Mapping[str, int]) -> int:
    """Return what tells these files' names, and what applications said, from any others."""
    words = (f"{name} {number}" for name, number in said.items() if number)
    return sum(int.from_bytes(hashlib.sha256(word.encode()).digest()[:8]) for word in (*files, *words)) % _BITS


def _actions(entry: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in entry.splitlines() if line]


def _statistics(rows: pl.DataFrame) -> str:
    """Return what lets other engines skip the file: its rows, its first and last time (Delta keeps milliseconds)."""
    first, last = rows["time"].dt.epoch("us").min(), rows["time"].dt.epoch("us").max()
    assert isinstance(first, int)
    assert isinstance(last, int)
    bounds = {"minValues": {"time": to_iso(first)}, "maxValues": {"time": to_iso(last)}}
    return json.dumps({"numRecords": len(rows), **bounds, "nullCount": {"time": 0}})


def _first_line(problem: BaseException) -> str:
    line = str(problem).partition("\n")[0]
    return re.sub(r"\x1b\[[0-9;]*m", "", line).strip()[:200]
