"""What can be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import feature_store.indicators  # noqa: F401  registers the built-ins
from feature_store.indicators.definition import registered
from feature_store.indicators.feature import Feature, feature, parse

if TYPE_CHECKING:
    from feature_store.indicators.definition import Definition

__all__ = ["Feature", "catalog", "feature", "parse"]


def catalog(search: str = "") -> list[Definition]:
    """Return every indicator by group and name, or those whose name, title or group contains `search`.

    >>> [each.name for each in catalog("bollinger")]
    ['bbands']
    """
    word = search.lower()
    found = (d for d in registered.values() if word in f"{d.name} {d.title} {d.group}".lower())
    return sorted(found, key=lambda each: (each.group, each.name))
