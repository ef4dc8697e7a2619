"""Moving-average crossover: follow the side on which the fast average lies, and turn when it turns.

1. side = sign(fast - slow); a tie keeps the side before it.
2. A change of side that has held for `confirmation_bars` is a turn.
3. A turn ends whatever is held. It opens the other way if the trend filter agrees: ADX above `adx_above`, or no filter.
4. Stop `stop_pips`, or `stop_atr` average true ranges, from the close; target `target_pips`.

Source: Brock, Lakonishok, LeBaron 1992; Qi, Wu 2006 for foreign exchange, where the profit of such rules fades.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feature_store.errors import InvalidRequestError
from strategy_execution_engine.strategies.crossings import sides, turns
from strategy_execution_engine.strategies.feature_strategy import FeatureStrategy
from strategy_execution_engine.strategies.parameters import Choice, Int, Parameters, Real

if TYPE_CHECKING:
    from strategy_execution_engine.strategies.market import Market
    from strategy_execution_engine.strategies.signals import Signal


@dataclass(frozen=True, eq=False)
class MACrossoverParameters(Parameters):
    """What may be chosen about a crossover; `fast` must be below `slow`."""

    average: str = Choice("sma", "ema", description="kind of moving average")
    fast: int = Int(10, ge=1, le=2000, description="bars in the fast average")
    slow: int = Int(30, ge=2, le=5000, description="bars in the slow average")
    confirmation_bars: int = Int(0, ge=0, le=100, description="bars for which a new side must hold before it counts")
    adx_above: float = Real(0.0, le=100.0, description="enter only while ADX(14) is above this; 0 for no filter")
    stop: str = Choice("pips", "atr", description="unit of the stop's distance")
    stop_pips: float = Real(25.0, ge=0.1, le=10_000.0, description="stop's distance from the close in pips")
    stop_atr: float = Real(2.0, ge=0.1, le=50.0, description="stop's distance from the close in ATR(14)")
    target_pips: float = Real(50.0, ge=0.0, le=10_000.0, description="target's distance in pips; 0 for no target")

    def check(self) -> None:
        """Refuse a fast average that is not faster than the slow one."""
        if self.fast >= self.slow:
            msg = f"fast must be below slow, were {self.fast} and {self.slow}"
            raise InvalidRequestError(msg, field="fast")


class MACrossoverStrategy(FeatureStrategy):
    """Stop-and-reverse on the cross of two moving averages.

    >>> MACrossoverStrategy("cross", {"fast": 5, "slow": 20}).features()
    ['sma_5', 'sma_20', 'atr_14']
    """

    parameter_class = MACrossoverParameters
    parameters: MACrossoverParameters

    def features(self) -> list[str]:
        """Return the two averages, ATR, and ADX where it filters."""
        chosen = self.parameters
        filters = ["adx_14"] if chosen.adx_above > 0 else []
        return [f"{chosen.average}_{chosen.fast}", f"{chosen.average}_{chosen.slow}", "atr_14", *filters]

    def decide(self, market: Market) -> list[Signal]:
        """Return a long or a short for each turn the filter allows, an exit for each it does not."""
        chosen = self.parameters
        fast = market.feature(f"{chosen.average}_{chosen.fast}")
        slow = market.feature(f"{chosen.average}_{chosen.slow}")
        atr = market.feature("atr_14")
        adx = market.feature("adx_14.adx") if chosen.adx_above > 0 else np.full(len(market), np.inf)
        turn = turns(sides(fast, slow), chosen.confirmation_bars)
        rows = np.flatnonzero((turn != 0) & (atr > 0) & ~np.isnan(adx))
        signals = []
        for row in rows.tolist():
            reasons = {"fast": float(fast[row]), "slow": float(slow[row]), "atr": float(atr[row])}
            if chosen.adx_above > 0:
                reasons["adx"] = float(adx[row])
            signals.append(self._signal(market, row, int(turn[row]) if adx[row] > chosen.adx_above else 0, reasons))
        return signals

    def _signal(self, market: Market, row: int, side: int, reasons: dict[str, float]) -> Signal:
        chosen, pip, close = self.parameters, market.bars.symbol.pip_size, float(market.close[row])
        apart = abs(reasons["fast"] - reasons["slow"]) / reasons["atr"]
        confidence = 0.5 + 0.5 * min(1.0, apart)
        if not side:
            return market.decided(row, "exit", "ma_cross", confidence=confidence, reasons=reasons)
        risk = chosen.stop_pips * pip if chosen.stop == "pips" else chosen.stop_atr * reasons["atr"]
        reward = chosen.target_pips * pip
        return market.decided(
            row,
            "long" if side > 0 else "short",
            "ma_cross",
            stop=close - side * risk,
            target=close + side * reward if reward else None,
            confidence=confidence,
            reasons=reasons,
        )
