"""Named sets of features with every version they ever had: one small file a version, `<home>/sets/<name>/<version>.json`.

Whoever creates the file of a version first has it; another who wanted the same number looks again. A file carries a digest of
what it says, and is never changed.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from feature_store import json_codec
from feature_store.errors import ConflictError, CorruptDataError, FeatureNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.store.places import Place

_TRIES = 20


@dataclass(frozen=True, slots=True)
class FeatureSet:
    """Features that are asked for and kept together.

    Args:
        name: a word.
        version: counts from 1.
        features: their ids, those of custom indicators with their version.
        versions: each column's definition.
        description: for a person.
    """

    name: str
    version: int
    features: tuple[str, ...]
    versions: Mapping[str, str]
    description: str = ""

    @property
    def id(self) -> str:
        """The name with the version, `trend:v1`."""
        return f"{self.name}:v{self.version}"

    @property
    def table(self) -> str:
        """The name of its tables, `trend_v1`."""
        return f"{self.name}_v{self.version}"

    def says(self, other: FeatureSet) -> bool:
        """Return whether the other has the same content, whatever its version."""
        return (self.features, dict(self.versions), self.description) == (
            other.features,
            dict(other.versions),
            other.description,
        )


class FeatureSets:
    """The feature sets of a store."""

    def __init__(self, place: Place) -> None:
        self._place = place.inside("sets")

    def __repr__(self) -> str:
        return f"<FeatureSets {self._place.address}>"

    def register(self, draft: FeatureSet) -> FeatureSet:
        """Add a version, or none where the newest says the same; return the newest. It lasts at return.

        Raises ConflictError where others keep registering the same name.
        """
        for _ in range(_TRIES):
            versions = self._versions(draft.name)
            newest = self._read(draft.name, versions[-1]) if versions else None
            if newest is not None and newest.says(draft):
                return newest
            made = FeatureSet(draft.name, len(versions) + 1, draft.features, draft.versions, draft.description)
            if self._place.create(_file(made.name, made.version), _sealed(made)):
                return made
        msg = f"others registered {draft.name} {_TRIES} times meanwhile; try again"
        raise ConflictError(msg, field="name")

    def find(self, text: str) -> FeatureSet | None:
        """Return the set of a name, `trend` the newest or `trend:v1` that one, or None; raises CorruptDataError.

        Raises FeatureNotFoundError for a version that a known name does not have.
        """
        name, _, version = text.partition(":v")
        versions = self._versions(name) if name.isidentifier() else []
        if not versions:
            return None
        number = int(version) if version.isdecimal() else versions[-1] if not version else 0
        if number not in versions:
            msg = (
                f"{name} has the versions {', '.join(f'v{each}' for each in versions)}, and no {text.partition(':')[2]}"
            )
            raise FeatureNotFoundError(msg, field="features")
        return self._read(name, number)

    def all(self) -> list[FeatureSet]:
        """Return the newest version of every set, by name."""
        names = dict.fromkeys(file.partition("/")[0] for file in self._place.names())
        return [self._read(name, self._versions(name)[-1]) for name in sorted(names)]

    def _versions(self, name: str) -> list[int]:
        files = (file.rpartition("/")[2] for file in self._place.names(name))
        return sorted(int(file.removesuffix(".json")) for file in files if file.endswith(".json"))

    def _read(self, name: str, version: int) -> FeatureSet:
        file = _file(name, version)
        content = self._place.read(file)
        body, _, digest = content.rpartition(b"\n")
        if hashlib.sha256(body).hexdigest().encode() != digest:
            msg = f"{self._place.address}/{file} does not match its checksum; restore it from a backup"
            raise CorruptDataError(msg)
        data: dict[str, Any] = json_codec.loads(body)
        return FeatureSet(**{**data, "features": tuple(data["features"])})


def _file(name: str, version: int) -> str:
    return f"{name}/{version:04d}.json"


def _sealed(made: FeatureSet) -> bytes:
    body = json_codec.dumps({**asdict(made), "features": list(made.features), "versions": dict(made.versions)})
    return body + b"\n" + hashlib.sha256(body).hexdigest().encode()
