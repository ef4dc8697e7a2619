"""What the service asks of a store; `feature_store.open` returns one, and a test may bring a smaller one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from feature_store.indicators.registry import BUILT_INS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from feature_store import wire
    from feature_store.indicators.definition import Definition
    from feature_store.indicators.registry import Registry
    from feature_store.store.protocol import Series


class FrameStore(Protocol):
    """Answers questions about stored series.

    Where it also has `generation(symbol, timeframe, features)`, a value that changes with every row added to a symbol that is
    looked at, a caller who holds the newest answer is told so without computing it again. Where it has a `registry`, ids are
    read in its words.
    """

    def frame(self, request: wire.FeatureRequest) -> wire.Frame:
        """Return the answer: bars where the request names no indicators, else features."""

    def catalog(self) -> Sequence[Definition]:
        """Return the definitions of everything that can be asked for."""

    def symbols(self) -> Sequence[Series]:
        """Return what is stored."""


@runtime_checkable
class RegisteringStore(FrameStore, Protocol):
    """A store that also takes custom indicators."""

    def register(self, name: str, expression: Any, parameters: Any, **words: Any) -> Definition:
        """Add a version, or none where the newest has this content; return the definition."""


def registry_of(store: FrameStore) -> Registry:
    """Return what names mean in a store: its own custom indicators, if it has any, and the built-ins."""
    return cast("Registry", getattr(store, "registry", BUILT_INS))


def store_of(request: Request) -> FrameStore:
    """Return the store that the application of this request serves."""
    return cast("FrameStore", request.app.state.store)
