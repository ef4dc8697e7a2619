"""What a training set was made of: enough to make it again from the same rows, and to tell if that gave other bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from feature_store import json_codec
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMAT = 1
"""Raised when a field changes its meaning."""
ENGINE = version("forex-feature-store")
"""The version of this package."""


@dataclass(frozen=True, slots=True)
class FeatureRecord:
    """A feature as it was asked for and as it was understood.

    Args:
        asked: the words.
        id: every parameter spelt out, and the version of a custom indicator.
        version: the definition's version and the start of its content hash.
        columns: its columns.
        max_age_s: how old a value may be, in seconds; None for any age.
    """

    asked: str
    id: str
    version: str
    columns: tuple[str, ...]
    max_age_s: float | None


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """The state of a stored series that was looked at.

    Args:
        symbol: its name.
        timeframe: its name.
        pin: how many rows each part of the series had; rows are only added, so this names the state for ever.
        anchor: the open of its first bar in ISO 8601, from which recursive values run.
    """

    symbol: str
    timeframe: str
    pin: Mapping[str, int]
    anchor: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """How a training set was made. JSON and back is the same.

    Args:
        engine: the version of this package.
        timeframe: of the bars that answer.
        as_of: `event`, a moment in ISO 8601, or None for all that was known in the end.
        features: what was asked for.
        labels: names of labels, with the definition of those that were made.
        status: whether there are columns of statuses.
        ages: whether there are columns of ages.
        series: the state of the data.
        no_data: symbols of events of which the store held no bars.
        rows: how many events there are.
        statuses: how often each status occurs, by column.
        lacking: how many values of each label are NaN.
        events_sha256: of the events' symbols, times and labels.
        sha256: of the answer.
        format: of this record.
    """

    engine: str
    timeframe: str
    as_of: str | None
    features: tuple[FeatureRecord, ...]
    labels: tuple[Mapping[str, Any], ...]
    status: bool
    ages: bool
    series: tuple[SeriesRecord, ...]
    no_data: tuple[str, ...]
    rows: int
    statuses: Mapping[str, Mapping[str, int]]
    lacking: Mapping[str, int]
    events_sha256: str
    sha256: str
    format: int = FORMAT

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)

    def to_json(self) -> bytes:
        """Return JSON."""
        return json_codec.dumps(self.to_dict())

    @classmethod
    def from_json(cls, text: bytes | str) -> Manifest:
        """Return the manifest of JSON; raises InvalidRequestError for what is none, or of a newer version."""
        data = json_codec.loads(text)
        if not isinstance(data, Mapping) or data.get("format") != FORMAT:
            found = data.get("format") if isinstance(data, Mapping) else None
            msg = f"a manifest of format {FORMAT} is needed, this one is of {found!r}; use the version that wrote it"
            raise InvalidRequestError(msg, field="manifest")
        try:
            return cls(**_tuples(data))
        except (KeyError, TypeError) as problem:
            msg = f"this is no manifest of a training set ({problem}); give what `manifest.save` wrote"
            raise InvalidRequestError(msg, field="manifest") from problem

    def save(self, path: str | Path) -> None:
        """Write it to a file as JSON."""
        Path(path).write_bytes(self.to_json())

    @classmethod
    def load(cls, path: str | Path) -> Manifest:
        """Return the manifest in a file; raises InvalidRequestError as `from_json` does, and where there is no such file."""
        try:
            text = Path(path).read_bytes()
        except OSError as problem:
            msg = f"there is no manifest to read at {str(path)!r} ({problem.strerror}); give what `manifest.save` wrote"
            raise InvalidRequestError(msg, field="manifest") from problem
        return cls.from_json(text)


def _tuples(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return plain data with the records that a manifest holds."""
    return {
        **{field.name: data[field.name] for field in fields(Manifest)},
        "features": tuple(FeatureRecord(**{**each, "columns": tuple(each["columns"])}) for each in data["features"]),
        "series": tuple(SeriesRecord(**each) for each in data["series"]),
        "labels": tuple(data["labels"]),
        "no_data": tuple(data["no_data"]),
    }


def pins(series: Iterable[SeriesRecord]) -> dict[tuple[str, str], dict[str, int]]:
    """Return the state of each series by its symbol's and its timeframe's name."""
    return {(each.symbol, each.timeframe): dict(each.pin) for each in series}
