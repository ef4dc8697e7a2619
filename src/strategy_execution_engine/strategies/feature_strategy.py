"""A strategy that decides by rule on declared features: it fetches them and hands arrays to a pure function."""

from __future__ import annotations

import logging
from abc import abstractmethod
from typing import TYPE_CHECKING, Any

from strategy_execution_engine.strategies.base_strategy import BaseStrategy, FeatureClient
from strategy_execution_engine.strategies.feature_source import ClientSource, DirectSource, FeaturesUnavailableError
from strategy_execution_engine.strategies.market import Market, bars_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from strategy_execution_engine.strategies.signals import Signal

_log = logging.getLogger(__name__)


class FeatureStrategy(BaseStrategy):
    """A strategy written as `features()`, what it reads, and `decide(market)`, what follows from it.

    `decide` is a pure function of closed bars and features: row t of its input is known at the close of bar t, and a
    longer history never changes what was decided on a shorter one.

    Args:
        max_stale_s: how old a cached answer may be, in seconds, before the strategy is silent rather than trade on it.
    """

    def __init__(
        self,
        name: str = "",
        parameters: Mapping[str, Any] | None = None,
        *,
        use_feature_store: bool = True,
        feature_store_client: FeatureClient | None = None,
        max_stale_s: float = 300.0,
    ) -> None:
        super().__init__(
            name, parameters, use_feature_store=use_feature_store, feature_store_client=feature_store_client
        )
        self.max_stale_s = max_stale_s

    @abstractmethod
    def decide(self, market: Market) -> list[Signal]:
        """Return the decisions of every closed bar, in time order."""

    async def observe(self, data: Any) -> Market:
        """Return bars and declared features as one market.

        Raises FeaturesUnavailableError where there are none to trade on, InvalidRequestError where `data` is not bars.
        """
        return await self._source().observe(bars_of(data), self.features())

    async def generate_signals(self, data: Any) -> list[Signal]:
        """Return the decisions of every bar of `data`; none, with a warning in the log, without features."""
        if len(data) < 2:  # noqa: PLR2004  a change needs two bars
            return []
        try:
            return self.decide(await self.observe(data))
        except FeaturesUnavailableError as problem:
            _log.warning("%s gives no signals: %s", self.name, problem)
            return []

    def _source(self) -> ClientSource | DirectSource:
        if not self.use_feature_store:
            return DirectSource()
        if self.feature_store_client is None:
            self.feature_store_client = _own_client()
        return ClientSource(self.feature_store_client, self.max_stale_s)


def _own_client() -> FeatureClient:
    from strategy_execution_engine.clients.feature_store_client import (  # noqa: PLC0415  unless a client is lent
        FeatureStoreClient,
    )

    return FeatureStoreClient(use_cache=True)
