"""Asks the feature store: a client that survives what networks and services do, and says where its values come from."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from feature_store.errors import (
    ConflictError,
    CorruptDataError,
    CorruptResponseError,
    DataNotFoundError,
    FeatureNotFoundError,
    FeatureStoreAuthError,
    FeatureStoreConnectionError,
    FeatureStoreError,
    FeatureStoreTimeoutError,
    FeatureStoreUnavailableError,
    InvalidRequestError,
    StoreReadOnlyError,
)

if TYPE_CHECKING:
    from strategy_execution_engine.clients.feature_store_client import ClientClosedError, FeatureStoreClient
    from strategy_execution_engine.clients.http_transport import HttpTransport
    from strategy_execution_engine.clients.in_process_transport import InProcessTransport

_HOMES = {
    "ClientClosedError": "feature_store_client",
    "FeatureStoreClient": "feature_store_client",
    "HttpTransport": "http_transport",
    "InProcessTransport": "in_process_transport",
}

__all__ = [
    "ClientClosedError",
    "ConflictError",
    "CorruptDataError",
    "CorruptResponseError",
    "DataNotFoundError",
    "FeatureNotFoundError",
    "FeatureStoreAuthError",
    "FeatureStoreClient",
    "FeatureStoreConnectionError",
    "FeatureStoreError",
    "FeatureStoreTimeoutError",
    "FeatureStoreUnavailableError",
    "HttpTransport",
    "InProcessTransport",
    "InvalidRequestError",
    "StoreReadOnlyError",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
