"""Backtests: signals in, trades with their costs, equity and statistics out. Names load when first used."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from strategy_execution_engine.backtest.costs import Costs
    from strategy_execution_engine.backtest.engine import backtest
    from strategy_execution_engine.backtest.report import render_report, write_report
    from strategy_execution_engine.backtest.run import run_backtest
    from strategy_execution_engine.backtest.sizing import FixedFraction, FixedLots
    from strategy_execution_engine.backtest.trades import BacktestResult, Trade

__all__ = [
    "BacktestResult",
    "Costs",
    "FixedFraction",
    "FixedLots",
    "Trade",
    "backtest",
    "render_report",
    "run_backtest",
    "write_report",
]

_HOMES = {
    "BacktestResult": "trades",
    "Costs": "costs",
    "FixedFraction": "sizing",
    "FixedLots": "sizing",
    "Trade": "trades",
    "backtest": "engine",
    "render_report": "report",
    "run_backtest": "run",
    "write_report": "report",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
