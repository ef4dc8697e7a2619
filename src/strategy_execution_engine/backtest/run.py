"""From a strategy to its backtest: ask it for signals, trade them, and keep what it read for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from strategy_execution_engine.backtest.engine import backtest
from strategy_execution_engine.strategies.feature_strategy import FeatureStrategy
from strategy_execution_engine.strategies.market import bars_of, frame_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.bars import Floats
    from strategy_execution_engine.backtest.trades import BacktestResult
    from strategy_execution_engine.strategies.base_strategy import BaseStrategy
    from strategy_execution_engine.strategies.signals import Signal


async def run_backtest(strategy: BaseStrategy, bars: Any, *, symbol: Any = None, **options: Any) -> BacktestResult:
    """Return the backtest of `strategy` on `bars`; `options` are those of `backtest`. The strategy is left open.

    Raises InvalidRequestError for bars that are not, FeaturesUnavailableError where the strategy may not trade on what
    features there are: a backtest of nothing would look like a quiet strategy.
    """
    held = bars_of(bars, symbol)
    signals, features, read = await _decisions(strategy, held)
    about = {
        "strategy": {
            "name": strategy.name,
            "class": type(strategy).__name__,
            "parameters": dict(strategy.parameters),
            "features": strategy.features(),
        },
        **({"features": read} if read else {}),
    }
    return backtest(held, signals, name=strategy.name, features=features, about=about, **options)


async def _decisions(
    strategy: BaseStrategy, bars: Any
) -> tuple[list[Signal], Mapping[str, Floats], dict[str, Any] | None]:
    if isinstance(strategy, FeatureStrategy):
        market = await strategy.observe(bars)
        return strategy.decide(market), market.features, market.provenance.to_dict()
    return await strategy.generate_signals(frame_of(bars)), {}, None
