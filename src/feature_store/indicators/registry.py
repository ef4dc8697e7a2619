"""What names mean: the built-ins for everybody, and beside them the custom indicators of one store.

A registry never changes; adding a definition makes another. So whoever holds one, and whatever was parsed with it, keeps its
meaning while others register.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from feature_store.errors import FeatureNotFoundError
from feature_store.indicators.definition import Definition, registered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from feature_store.indicators.feature import Feature


class Unusable(NamedTuple):
    """A version that can no longer be built, as what it was made of has changed with the package."""

    name: str
    version: int
    why: str


class Unread(Protocol):
    """A version that is made when it is first looked at."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def version(self) -> int:
        """Its number."""

    @property
    def made(self) -> Definition | Unusable:
        """What it is, made once."""


Version = Definition | Unusable | Unread

missing: dict[str, str] = {}
"""Why an indicator of a plugin is not there, by its name; `plugins` adds to it."""


class SkippedPluginError(FeatureNotFoundError):
    """The plugin that an indicator comes with was skipped; the message says why."""


@dataclass(frozen=True, eq=False)
class Registry:
    """Definitions by name: `own` with all their versions, the first at place 0, and the built-ins."""

    own: Mapping[str, tuple[Version, ...]] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Registry {len(self.own)} custom>"

    def __iter__(self) -> Iterator[Definition]:
        """Go through the newest usable version of every definition."""
        yield from (each for name, each in registered.items() if name not in self.own)
        yield from (each for name in self.own if isinstance(each := self.newest(name), Definition))

    def names(self) -> list[str]:
        """Return every name that means something."""
        return list(dict.fromkeys((*self.own, *registered)))

    def newest(self, name: str) -> Definition | Unusable | None:
        """Return the newest version of a custom indicator, usable or not, or None where there is none."""
        return _made(self.own[name][-1]) if name in self.own else None

    def find(self, name: str, version: int | None = None) -> Definition | None:
        """Return the newest version, a version asked for, or None where nobody has the name.

        A built-in has one version, whatever is asked for. Raises FeatureNotFoundError where there is no such version, where it
        cannot be used any more, and where the plugin that should bring it was skipped.
        """
        versions = self.own.get(name)
        if versions is None:
            return _built_in(name)
        place = len(versions) if version is None else version
        if not 1 <= place <= len(versions):
            msg = f"{name} has versions v1 to v{len(versions)}, not v{version}"
            raise FeatureNotFoundError(msg, field="indicators")
        found = _made(versions[place - 1])
        if isinstance(found, Unusable):
            msg = f"{name}:v{place} cannot be used any more ({found.why}); register it anew"
            raise FeatureNotFoundError(msg, field="indicators")
        return found

    def parse(self, text: str) -> Feature:
        """Return the feature an id spells; raises what `feature.parse` raises."""
        from feature_store.indicators.feature import parse  # noqa: PLC0415  ids are read with a registry at hand

        return parse(text, self)

    def adding(self, made: Version) -> Registry:
        """Return the registry with this version: a new one, or in the place of the one of the same number."""
        before = self.own.get(made.name, ())
        return Registry({**self.own, made.name: (*before[: made.version - 1], made, *before[made.version :])})


def _built_in(name: str) -> Definition | None:
    found = registered.get(name)
    if found is None and name in missing:
        raise SkippedPluginError(missing[name], field="indicators")
    return found


def _made(version: Version) -> Definition | Unusable:
    return version if isinstance(version, Definition | Unusable) else version.made


BUILT_INS = Registry()
"""What every process knows."""
