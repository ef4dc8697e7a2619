"""What can be asked of a feature store, and what a way to ask it looks like.

A `Call` is a question, checked and hashable, so it also is the key under which identical questions share one answer. A
`Transport` carries it to a store: over HTTP (`HttpTransport`) or to one opened in this process (`InProcessTransport`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol

from feature_store.wire import Frame

if TYPE_CHECKING:
    from feature_store.wire import FeatureRequest

Endpoint = Literal["ohlcv", "indicators", "compute", "catalog", "indicator", "register"]
Answer = Frame | dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One question.

    Args:
        endpoint: `ohlcv`, `indicators` and `compute` are answered by a frame; `catalog`, `indicator` and `register` by a
            document.
        request: series, range and feature ids; for `compute` one name; None for documents.
        indicator: the id a document is asked for, or the name to register.
        parameters: for `compute`, names and values in the order of the names.
        body: for `register`, the definition as JSON.
    """

    endpoint: Endpoint
    request: FeatureRequest | None = None
    indicator: str = ""
    parameters: tuple[tuple[str, float | str], ...] = ()
    body: bytes = b""

    @property
    def key(self) -> str:
        """The call as text, `indicators:EUR/USD:1h:1672531200000000:1675209600000000:sma_50,rsi_14`."""
        asked = self.request
        if asked is None:
            return f"{self.endpoint}:{self.indicator}" + (f":{self.body.decode()}" if self.body else "")
        start, end = ("" if side is None else side for side in (asked.start, asked.end))
        values = "".join(f";{name}={value!r}" for name, value in self.parameters)
        return f"{self.endpoint}:{asked.symbol}:{asked.timeframe}:{start}:{end}:{','.join(asked.indicators)}{values}"


class Transport(Protocol):
    """A way to a feature store."""

    @property
    def identity(self) -> str:
        """Two transports of one identity give the same answers, so they may share cached ones; contains no secret."""

    async def send(self, call: Call, timeout_s: float) -> Answer:
        """Return the answer.

        Raises:
            Outage: the service failed, where another try or a fallback may help.
            FeatureStoreError: the service refused, for good.
        """

    async def close(self) -> None:
        """Give back what it holds; it may be called again."""
