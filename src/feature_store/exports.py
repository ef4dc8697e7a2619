"""Answers as files for other programs: Parquet, Arrow, CSV or JSON, by the file's name."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from feature_store import json_codec, wire
from feature_store.errors import FeatureStoreError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Writer = Callable[[wire.Frame, Path], object]

_MICROSECONDS_A_MILLISECOND = 1_000


def write_frame(frame: wire.Frame, path: Path) -> None:
    """Write a frame, a column `time` of UTC timestamps before the others; the file appears with all of its rows.

    Parquet carries symbol, timeframe and provenance in its metadata, JSON is what the service answers, and in CSV and JSON
    nothing and null stand for what is not known.

    Raises InvalidRequestError for a name that does not tell the format, and FeatureStoreError where it cannot be written.
    """
    writer = _writer(path)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.touch()  # where this fails, it says why in the system's words
        writer(frame, draft)
        draft.replace(path)
    except OSError as problem:
        msg = f"{path} cannot be written ({problem.strerror or problem}); choose another place with --output"
        raise FeatureStoreError(msg, field="output") from problem
    finally:
        draft.unlink(missing_ok=True)


def check_output(path: Path) -> None:
    """Raise InvalidRequestError where a file's name does not tell a format."""
    _writer(path)


def _writer(path: Path) -> Writer:
    found = _WRITERS.get(path.suffix.lower())
    if found is None:
        msg = f"output must end in {', '.join(_WRITERS)}, was {path.name!r}"
        raise InvalidRequestError(msg, field="output")
    return found


def _polars(frame: wire.Frame) -> Any:
    import polars as pl  # noqa: PLC0415  only those who write files need it

    time = pl.Series("time", frame.time * _MICROSECONDS_A_MILLISECOND, pl.Int64).cast(pl.Datetime("us", "UTC"))
    return pl.DataFrame([time, *(pl.Series(name, column) for name, column in frame.columns.items())])


def _parquet(frame: wire.Frame, path: Path) -> None:
    provenance = json_codec.dumps(frame.provenance.to_dict()).decode()
    about = {"symbol": frame.symbol, "timeframe": frame.timeframe, "provenance": provenance}
    _polars(frame).write_parquet(path, metadata=about)


def _arrow(frame: wire.Frame, path: Path) -> None:
    _polars(frame).write_ipc(path)


def _csv(frame: wire.Frame, path: Path) -> None:
    rows = _polars(frame).fill_nan(None)
    rows.with_columns(rows["time"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")).write_csv(path)


def _json(frame: wire.Frame, path: Path) -> None:
    path.write_bytes(wire.frame_to_json(frame))


_WRITERS: dict[str, Writer] = {".parquet": _parquet, ".arrow": _arrow, ".csv": _csv, ".json": _json}
