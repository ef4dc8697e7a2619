"""What can be asked for: the built-ins and those of installed plugins, which join here; a store adds its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import feature_store.indicators  # noqa: F401  registers the built-ins
from feature_store.indicators.feature import Feature, feature, parse
from feature_store.indicators.plugins import join
from feature_store.indicators.prose import prose_of
from feature_store.indicators.registry import BUILT_INS

if TYPE_CHECKING:
    from feature_store.indicators.definition import Definition
    from feature_store.indicators.registry import Registry

__all__ = ["BUILT_INS", "Feature", "catalog", "feature", "parse"]


def catalog(search: str = "", registry: Registry = BUILT_INS) -> list[Definition]:
    """Return every indicator by group and name, or those whose name, title, group, source or text contains `search`.

    In a text a word that begins with it counts: `rsi` is not in "version". Of a custom indicator that is the newest version.

    >>> [each.name for each in catalog("bollinger")]
    ['bbands', 'squeeze', 'stdev']
    """
    word = search.strip().lower()
    found = (each for each in registry if not word or _is_about(each, word))
    return sorted(found, key=lambda each: (each.group, each.name))


def _is_about(definition: Definition, word: str) -> bool:
    if word in f"{definition.name} {definition.title} {definition.group}".lower():
        return True
    said = prose_of(definition)
    text = " ".join((definition.source, said.summary, *said.notes)).lower()
    return re.search(rf"\b{re.escape(word)}", text) is not None


join()
