"""Where a store's files are: a folder of this machine, or an object store. Files are written whole and never changed.

A folder keeps what was written once it has been synced (`durable`); an object store has kept it when the call returns.
"""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from threading import get_ident
from typing import TYPE_CHECKING, Any, Protocol

from feature_store.errors import FeatureStoreError, InvalidRequestError
from feature_store.store.durable import sync, write_new
from feature_store.store.object_options import said_to_obstore

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    Options = Mapping[str, str]


class Place(Protocol):
    """A folder of files by name, `a/b.parquet`; missing ones raise FileNotFoundError, others that cannot be had OSError."""

    @property
    def address(self) -> str:
        """Where it is, as other programs open it."""

    @property
    def options(self) -> dict[str, str] | None:
        """What other programs need to get in."""

    def inside(self, folder: str) -> Place:
        """Return the place of a folder in it."""

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""

    def write_new(self, name: str, content: bytes) -> None:
        """Write a file whose name is its own; it lasts at return."""

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one of this name; return whether it was written. It lasts at return."""

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name."""

    def names(self, folder: str = "") -> list[str]:
        """Return the files in a folder and those below it, in order."""

    def written_at(self, name: str) -> float:
        """Return when a file was written, in seconds since 1970."""

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""

    def settle(self, names: Iterable[str]) -> None:
        """Wait until files and names that another program wrote last."""


class LocalPlace:
    """A folder of this machine."""

    options = None

    def __init__(self, root: Path) -> None:
        self.root = root

    def __repr__(self) -> str:
        return f"<LocalPlace {self.root}>"

    @property
    def address(self) -> str:
        """The folder's path."""
        return str(self.root)

    def inside(self, folder: str) -> LocalPlace:
        """Return the place of a folder in it."""
        return LocalPlace(self.root / folder)

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        return (self.root / name).read_bytes()

    def write_new(self, name: str, content: bytes) -> None:
        """Write a file whose name is its own; bytes and name are on the disk at return."""
        write_new(self.root / name, content)

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one of this name; return whether it was written."""
        path = self.root / name
        draft = path.with_name(f"{path.name}.{os.getpid()}.{get_ident()}")
        write_new(draft, content)
        try:
            os.link(draft, path)
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        sync(path.parent)
        return True

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        return (self.root / name).exists()

    def names(self, folder: str = "") -> list[str]:
        """Return the files in a folder and those below it, in order."""
        return sorted(str(path.relative_to(self.root)) for path in (self.root / folder).rglob("*") if path.is_file())

    def written_at(self, name: str) -> float:
        """Return when a file was written."""
        return (self.root / name).stat().st_mtime

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        (self.root / name).unlink(missing_ok=True)

    def settle(self, names: Iterable[str]) -> None:
        """Wait until files, and folders' names, are on the disk."""
        for name in names:
            sync(self.root / name)


class MemoryPlace:
    """Files in this process, for a store that lives as long as it."""

    address = ":memory:"
    options = None

    def __init__(self, files: dict[str, bytes] | None = None, folder: str = "") -> None:
        self._files = {} if files is None else files
        self._began = time.time()
        self._folder = folder

    def __repr__(self) -> str:
        return f"<MemoryPlace of {len(self._files)} files>"

    def inside(self, folder: str) -> MemoryPlace:
        """Return the place of a folder in it."""
        return MemoryPlace(self._files, f"{self._folder}{folder}/")

    def read(self, name: str) -> bytes:
        """Return a file's bytes."""
        try:
            return self._files[self._folder + name]
        except KeyError:
            raise FileNotFoundError(name) from None

    def write_new(self, name: str, content: bytes) -> None:
        """Write a file whose name is its own."""
        self._files[self._folder + name] = content

    def create(self, name: str, content: bytes) -> bool:
        """Write a file unless there is one of this name; return whether it was written."""
        return self._files.setdefault(self._folder + name, content) is content

    def exists(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        return self._folder + name in self._files

    def names(self, folder: str = "") -> list[str]:
        """Return the files in a folder and those below it, in order."""
        within = self._folder + (f"{folder}/" if folder else "")
        return sorted(name.removeprefix(self._folder) for name in self._files if name.startswith(within))

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no error."""
        self._files.pop(self._folder + name, None)

    def written_at(self, name: str) -> float:
        """Return when this process began to keep files, as good as when any was written."""
        return self._began if self.exists(name) else 0.0

    def settle(self, names: Iterable[str]) -> None:
        """Nothing here outlasts the process."""


class ObjectPlace:
    """A prefix of an S3-compatible bucket, an Azure container or a Google bucket, whatever `obstore` opens.

    Args:
        address: such as `s3://bucket/market`.
        options: such as `aws_endpoint`, in the words that `deltalake` and `obstore` share; the AWS_* variables of the
            environment count where it says nothing.
    """

    def __init__(self, address: str, options: Options | None = None, _store: Any = None) -> None:
        self.address = address.rstrip("/")
        self.options = dict(options or {})
        self._store = _store if _store is not None else _opened(self.address, self.options)

    def __repr__(self) -> str:
        return f"<ObjectPlace {self.address}>"

    def inside(self, folder: str) -> ObjectPlace:
        """Return the place of a folder in it."""
        return ObjectPlace(f"{self.address}/{folder}", self.options)

    def read(self, name: str) -> bytes:
        """Return an object's bytes."""
        import obstore  # noqa: PLC0415  only stores in buckets need it

        with _as_os_errors():
            return bytes(obstore.get(self._store, name).bytes())

    def write_new(self, name: str, content: bytes) -> None:
        """Write an object whose name is its own; it lasts at return."""
        import obstore  # noqa: PLC0415

        with _as_os_errors():
            obstore.put(self._store, name, content)

    def create(self, name: str, content: bytes) -> bool:
        """Write an object unless there is one of this name; return whether it was written."""
        import obstore  # noqa: PLC0415

        try:
            with _as_os_errors():
                obstore.put(self._store, name, content, mode="create")
        except FileExistsError:
            return False
        return True

    def exists(self, name: str) -> bool:
        """Return whether there is an object of this name."""
        import obstore  # noqa: PLC0415

        try:
            with _as_os_errors():
                obstore.head(self._store, name)
        except FileNotFoundError:
            return False
        return True

    def names(self, folder: str = "") -> list[str]:
        """Return the objects below a prefix, in order."""
        import obstore  # noqa: PLC0415

        with _as_os_errors():
            return sorted(each["path"] for batch in obstore.list(self._store, folder or None) for each in batch)

    def written_at(self, name: str) -> float:
        """Return when an object was written."""
        import obstore  # noqa: PLC0415

        with _as_os_errors():
            return float(obstore.head(self._store, name)["last_modified"].timestamp())

    def remove(self, name: str) -> None:
        """Remove an object; one that is not there is no error."""
        import obstore  # noqa: PLC0415

        with contextlib.suppress(FileNotFoundError), _as_os_errors():
            obstore.delete(self._store, name)

    def settle(self, names: Iterable[str]) -> None:
        """An object store has kept what it acknowledged."""


def place_of(home: str | Path, options: Options | None = None) -> Place:
    """Return the place of a folder's path or an address such as `s3://bucket/market`; raises InvalidRequestError."""
    return ObjectPlace(str(home), options) if is_address(home) else LocalPlace(Path(home).expanduser().resolve())


def is_address(home: str | Path) -> bool:
    """Return whether this names a place in an object store, not a folder."""
    return "://" in str(home)


def _opened(address: str, options: Options) -> Any:
    try:
        from obstore.exceptions import BaseError  # noqa: PLC0415
        from obstore.store import from_url  # noqa: PLC0415
    except ModuleNotFoundError:
        msg = f"{address} needs the package obstore: pip install 'forex-feature-store[s3]'"
        raise FeatureStoreError(msg, field="home") from None
    try:
        return from_url(address, **said_to_obstore(options))
    except (BaseError, ValueError) as problem:
        msg = f"home must be a folder or an address such as s3://bucket/market, was {address!r} ({problem})"
        raise InvalidRequestError(msg, field="home") from problem


@contextlib.contextmanager
def _as_os_errors() -> Any:
    """Say what an object store says as the errors that a folder has."""
    from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError  # noqa: PLC0415

    try:
        yield
    except (NotFoundError, FileNotFoundError) as problem:
        raise FileNotFoundError(str(problem)) from problem
    except AlreadyExistsError as problem:
        raise FileExistsError(str(problem)) from problem
    except BaseError as problem:
        raise ConnectionError(str(problem).partition("\n")[0]) from problem
