"""What can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import feature_store.indicators  # noqa: F401  registers the built-ins
from feature_store.indicators.feature import Feature, feature, parse
from feature_store.indicators.registry import BUILT_INS

if TYPE_CHECKING:
    from feature_store.indicators.definition import Definition
    from feature_store.indicators.registry import Registry

__all__ = ["BUILT_INS", "Feature", "catalog", "feature", "parse"]


def catalog(search: str = "", registry: Registry = BUILT_INS) -> list[Definition]:
    """Return every indicator by group and name, or those whose name, title or group contains `search`.

    Of a custom indicator that is the newest version.

    >>> [each.name for each in catalog("bollinger")]
    ['bbands']
    """
    word = search.lower()
    found = (d for d in registry if word in f"{d.name} {d.title} {d.group}".lower())
    return sorted(found, key=lambda each: (each.group, each.name))
