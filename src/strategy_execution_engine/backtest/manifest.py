"""What is needed to run a backtest again and get the same numbers."""

from __future__ import annotations

from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import PRICES
from feature_store.times import to_iso
from strategy_execution_engine.backtest.statistics import CHANCE_FLIPS, CHANCE_SEED, TRADING_DAYS

if TYPE_CHECKING:
    from feature_store.bars import Bars
    from strategy_execution_engine.backtest.costs import Costs
    from strategy_execution_engine.backtest.sizing import Sizing


def manifest_of(
    bars: Bars, *, costs: Costs, sizing: Sizing, account: str, cash: float, leverage: float
) -> dict[str, Any]:
    """Return plain data about the bars (with a digest of their times and prices), the money and the software."""
    return {
        "software": f"forex-feature-store {_software_version()}",
        "data": {
            "symbol": bars.symbol.name,
            "timeframe": bars.timeframe.name,
            "rows": len(bars),
            "first": to_iso(int(bars.time[0])),
            "last": to_iso(int(bars.time[-1])),
            "sha256": digest_of(bars),
        },
        "money": {"account": account, "cash": cash, "max_leverage": leverage},
        "costs": costs.to_dict(),
        "sizing": sizing.to_dict(),
        "statistics": {"chance_seed": CHANCE_SEED, "chance_flips": CHANCE_FLIPS, "trading_days": TRADING_DAYS},
    }


def digest_of(bars: Bars) -> str:
    """Return the first 16 hex digits of the SHA-256 of times and prices, little-endian, column by column."""
    digest = sha256(np.ascontiguousarray(bars.time, dtype="<i8").tobytes())
    for name in PRICES:
        digest.update(np.ascontiguousarray(bars.columns[name], dtype="<f8").tobytes())
    return digest.hexdigest()[:16]


def _software_version() -> str:
    try:
        return version("forex-feature-store")
    except PackageNotFoundError:  # run from a folder that was never installed
        return "unknown"
