"""The contract of a strategy: a name, frozen parameters, the features it reads, signals from bars, and a clean end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping
    from types import TracebackType

    from strategy_execution_engine.strategies.parameters import Parameters
    from strategy_execution_engine.strategies.signals import Signal

MAX_NAME_LENGTH = 100


class FeatureClient(Protocol):
    """What a strategy needs of a client: `FeatureStoreClient` is one."""

    def get_indicators(
        self,
        symbol: Any,
        start_date: Any,
        end_date: Any,
        timeframe: Any = "1h",
        indicators: list[str] | None = None,
        *,
        bars: Any = None,
    ) -> Awaitable[Any]:
        """Return a frame with one column an output, with `attrs["provenance"]`."""

    def close(self) -> Awaitable[None]:
        """Give back the client's connections."""


class BaseStrategy(ABC):
    """Turns bars into signals; `generate_signals` is the one method a strategy must write.

    Args:
        name: what reports and logs call it; by default the class's name.
        parameters: values by name. A class with a `parameter_class` takes those it declares and refuses others; a class
            without one keeps whatever it is given, read-only.
        use_feature_store: False calculates features in this process and never asks a client.
        feature_store_client: a client to borrow; whoever made it closes it. Without one a strategy makes its own.

    Raises InvalidRequestError where a parameter is unknown or out of bounds.

    >>> class Buyer(BaseStrategy):
    ...     async def generate_signals(self, data):
    ...         return []
    >>> Buyer("always long", {"lots": 0.1})
    <Buyer 'always long' lots=0.1>
    """

    parameter_class: ClassVar[type[Parameters] | None] = None

    def __init__(
        self,
        name: str = "",
        parameters: Mapping[str, Any] | None = None,
        *,
        use_feature_store: bool = True,
        feature_store_client: FeatureClient | None = None,
    ) -> None:
        self.name = _checked_name(name or type(self).__name__)
        self.parameters: Mapping[str, Any] = (
            MappingProxyType(dict(parameters or {}))
            if self.parameter_class is None
            else self.parameter_class.of(parameters)
        )
        self.use_feature_store = use_feature_store
        self.feature_store_client = feature_store_client
        self._borrowed = feature_store_client

    def __repr__(self) -> str:
        values = "".join(f" {name}={value}" for name, value in self.parameters.items())
        return f"<{type(self).__name__} {self.name!r}{values}>"

    def features(self) -> list[str]:
        """Return the ids of the features this strategy reads with its parameters; none unless it declares them."""
        return []

    @property
    def warmup(self) -> int:
        """Bars before every declared feature has a value, derived from their definitions."""
        import feature_store  # noqa: PLC0415  only those who ask need the definitions

        return max((feature_store.parse(feature).warmup for feature in self.features()), default=0)

    @abstractmethod
    async def generate_signals(self, data: Any) -> list[Signal]:
        """Return the decisions made at the closes of `data`, a frame of bars in time order; none looks ahead.

        `data` has a rising UTC index of bar opens and columns `open high low close`; its symbol is in a column `symbol`
        or in `attrs["symbol"]`.
        """

    async def cleanup(self) -> None:
        """Close the client this strategy made; one it borrowed stays open. May be called more than once."""
        client, self.feature_store_client = self.feature_store_client, self._borrowed
        if client is not None and client is not self._borrowed:
            await client.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.cleanup()


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME_LENGTH:
        msg = f"a strategy's name must be a text of 1 to {MAX_NAME_LENGTH} characters, was {name!r:.120}"
        raise InvalidRequestError(msg, field="name")
    return name
