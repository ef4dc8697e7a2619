"""Strategies: they ask for features, decide on closed bars, and say so in signals. Names load when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from strategy_execution_engine.strategies.base_strategy import BaseStrategy
    from strategy_execution_engine.strategies.feature_strategy import FeatureStrategy
    from strategy_execution_engine.strategies.ma_crossover import MACrossoverStrategy
    from strategy_execution_engine.strategies.signals import Signal
    from strategy_execution_engine.strategies.volatility_breakout import VolatilityBreakoutStrategy

__all__ = ["BaseStrategy", "FeatureStrategy", "MACrossoverStrategy", "Signal", "VolatilityBreakoutStrategy"]

_HOMES = {
    "BaseStrategy": "base_strategy",
    "FeatureStrategy": "feature_strategy",
    "MACrossoverStrategy": "ma_crossover",
    "Signal": "signals",
    "VolatilityBreakoutStrategy": "volatility_breakout",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
