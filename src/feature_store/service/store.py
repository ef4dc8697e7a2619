"""What the service asks of a store; `feature_store.open` returns one, and a test may bring a smaller one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from feature_store import wire
    from feature_store.indicators.definition import Definition
    from feature_store.store.protocol import Series


class FrameStore(Protocol):
    """Answers questions about stored series.

    Where it also has `generation(symbol, timeframe)`, a value that changes with every row added to the symbol, a caller who
    holds the newest answer is told so without computing it again.
    """

    def frame(self, request: wire.FeatureRequest) -> wire.Frame:
        """Return the answer: bars where the request names no indicators, else features."""

    def catalog(self) -> Sequence[Definition]:
        """Return the definitions of everything that can be asked for."""

    def symbols(self) -> Sequence[Series]:
        """Return what is stored."""


def store_of(request: Request) -> FrameStore:
    """Return the store that the application of this request serves."""
    return cast("FrameStore", request.app.state.store)
