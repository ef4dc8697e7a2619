"""The catalog of the engine in this process, in the words of the service's."""

from __future__ import annotations

from typing import Any


def local_catalog() -> dict[str, Any]:
    """Return what `GET /indicators` answers for the built-in indicators."""
    import feature_store as fs  # noqa: PLC0415  read when it is asked for

    return {"indicators": [definition.describe() for definition in fs.catalog()]}


def local_indicator(indicator: str) -> dict[str, Any]:
    """Return what `GET /indicators/{indicator}` answers; raises FeatureNotFoundError."""
    import feature_store as fs  # noqa: PLC0415

    return fs.parse(indicator).describe()
