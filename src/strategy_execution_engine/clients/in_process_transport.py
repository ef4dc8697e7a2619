"""Asks a store opened in this process: the client's whole face, without a service, a socket or an encoding."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Any, Protocol

from feature_store import json_codec
from feature_store.errors import FeatureStoreTimeoutError
from feature_store.wire import FeatureRequest
from strategy_execution_engine.clients.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feature_store.wire import Frame
    from strategy_execution_engine.clients.transport import Answer, Call

_numbers = count(1)


class Store(Protocol):
    """What is needed of a store; `feature_store.open` returns one. Where it has a `registry`, ids are read in its words."""

    def frame(self, request: FeatureRequest, /) -> Frame:
        """Return bars where the request names no indicators, else features."""

    def catalog(self) -> Sequence[Any]:
        """Return the definitions of everything that can be asked for."""

    def register(self, name: str, expression: Any, parameters: Any, **words: Any) -> Any:
        """Add a custom indicator, or another version of it, and return its definition."""


class InProcessTransport:
    """Asks `store`, in a worker thread so that the event loop goes on; who opened the store closes it.

    client = FeatureStoreClient(transport=InProcessTransport(feature_store.open("./market")))
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.identity = f"store-{next(_numbers)}"

    def __repr__(self) -> str:
        return f"<InProcessTransport {self._store!r}>"

    async def send(self, call: Call, timeout_s: float) -> Answer:
        """Return the store's answer; raises what the store raises, and Outage when it takes too long."""
        try:
            async with asyncio.timeout(timeout_s):
                return await asyncio.to_thread(self._answer, call)
        except TimeoutError:
            raise Outage(FeatureStoreTimeoutError(f"the store gave no answer within {timeout_s:.3g} s")) from None

    async def close(self) -> None:
        """Do nothing: the store was lent."""

    def _answer(self, call: Call) -> Answer:
        if call.endpoint == "catalog":
            return {"indicators": [definition.describe() for definition in self._store.catalog()]}
        if call.endpoint == "indicator":
            return self._described(call.indicator)
        if call.endpoint == "register":
            made = self._store.register(**json_codec.loads(call.body))
            return self._described(f"{made.name}:v{made.version}")
        assert call.request is not None
        return self._store.frame(self._resolved(call, call.request))

    def _described(self, indicator: str) -> dict[str, Any]:
        import feature_store as fs  # noqa: PLC0415  a store needs the engine, a client does not

        return fs.parse(indicator, **self._words()).describe()

    def _resolved(self, call: Call, asked: FeatureRequest) -> FeatureRequest:
        """Return the request with the id that a name and its parameters spell."""
        if not call.parameters:
            return asked
        import feature_store as fs  # noqa: PLC0415

        found = fs.feature(asked.indicators[0], dict(call.parameters), **self._words())
        return FeatureRequest(asked.symbol, asked.timeframe, asked.start, asked.end, (found.id,))

    def _words(self) -> dict[str, Any]:
        """Return the registry in whose words the store reads ids, where it has one."""
        return {"registry": self._store.registry} if hasattr(self._store, "registry") else {}
