"""Volatility breakout: after a contraction, follow the first close outside.

`squeeze` mode (Bollinger 2001; Carter 2005):
1. The market is squeezed while the Bollinger bands lie inside the Keltner channel.
2. It was squeezed at one of the `squeeze_bars` bars before this one.
3. Now it closes beyond a Bollinger band, the bar before having closed inside, and ATR is rising.
4. Go to the side of that band; stop and target in ATR, and out after `time_stop_bars`.

`turtle` mode (Faith 2003): enter on a close beyond the previous 20 bars, leave on one beyond the previous 10 the other
way, stop 2 N where N is Wilder's ATR of 20 bars, no target.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from strategy_execution_engine.strategies.crossings import bars_since, breaks
from strategy_execution_engine.strategies.feature_strategy import FeatureStrategy
from strategy_execution_engine.strategies.parameters import Choice, Int, Parameters, Real

if TYPE_CHECKING:
    from feature_store.bars import Floats
    from strategy_execution_engine.strategies.crossings import Flags, Sides
    from strategy_execution_engine.strategies.market import Market
    from strategy_execution_engine.strategies.signals import Signal

BANDS, CHANNEL = "bbands_20_2", "keltner_20_10_1.5"


@dataclass(frozen=True, eq=False)
class VolatilityBreakoutParameters(Parameters):
    """What may be chosen about a breakout."""

    mode: str = Choice("squeeze", "turtle", description="which of the two rules decides")
    squeeze_bars: int = Int(10, ge=1, le=500, description="a squeeze counts for this many bars after it ended")
    stop_atr: float = Real(2.0, ge=0.1, le=50.0, description="stop's distance from the close in ATR")
    target_atr: float = Real(
        4.0, ge=0.0, le=100.0, description="target's distance in ATR; 0 for none; squeeze mode only"
    )
    time_stop_bars: int = Int(10, ge=0, le=5000, description="leave after so many bars; 0 for never; squeeze mode only")


class VolatilityBreakoutStrategy(FeatureStrategy):
    """Trade the end of a quiet market in the direction in which it ends.

    >>> VolatilityBreakoutStrategy("turtle", {"mode": "turtle"}).features()
    ['donchian_prev_20', 'donchian_prev_10', 'atr_20']
    """

    parameter_class = VolatilityBreakoutParameters
    parameters: VolatilityBreakoutParameters

    def features(self) -> list[str]:
        """Return what the chosen mode reads."""
        if self.parameters.mode == "turtle":
            return ["donchian_prev_20", "donchian_prev_10", "atr_20"]
        return [BANDS, CHANNEL, "donchian_prev_20", "atr_14"]

    def decide(self, market: Market) -> list[Signal]:
        """Return the chosen mode's decisions."""
        return self._turtle(market) if self.parameters.mode == "turtle" else self._squeeze(market)

    def _squeeze(self, market: Market) -> list[Signal]:
        chosen, close, atr = self.parameters, market.close, market.feature("atr_14")
        upper, lower = market.feature(f"{BANDS}.upper"), market.feature(f"{BANDS}.lower")
        squeezed = inside(upper, lower, market.feature(f"{CHANNEL}.upper"), market.feature(f"{CHANNEL}.lower"))
        ago = bars_since(squeezed)
        side = np.where((ago <= chosen.squeeze_bars) & rising(atr), breaks(close, upper, lower), 0)
        channel = beyond(close, market.feature("donchian_prev_20.upper"), market.feature("donchian_prev_20.lower"))
        signals = []
        for row in np.flatnonzero(side).tolist():
            went = int(side[row])
            reasons = {
                "squeeze_bars_ago": float(ago[row]),
                "break_atr": abs(float(close[row] - (upper if went > 0 else lower)[row])) / float(atr[row]),
                "atr": float(atr[row]),
                "atr_before": float(atr[row - 1]),
                "beyond_20_bars": float(channel[row] == went),
            }
            confidence = 0.5 + 0.25 * reasons["beyond_20_bars"] + 0.25 * min(1.0, reasons["break_atr"])
            target, expiry = chosen.target_atr, chosen.time_stop_bars or None
            signals.append(
                self._entry(market, row, went, "squeeze_break", reasons, confidence, target_atr=target, expiry=expiry)
            )
        return signals

    def _turtle(self, market: Market) -> list[Signal]:
        close, atr = market.close, market.feature("atr_20")
        entry_upper, entry_lower = market.feature("donchian_prev_20.upper"), market.feature("donchian_prev_20.lower")
        exit_upper, exit_lower = market.feature("donchian_prev_10.upper"), market.feature("donchian_prev_10.lower")
        entered = np.where(atr > 0, breaks(close, entry_upper, entry_lower), 0)
        signals = []
        for row, side in turtle_turns(entered, breaks(close, exit_upper, exit_lower)):
            if side:
                level = float((entry_upper if side > 0 else entry_lower)[row])
                size = abs(float(close[row]) - level) / float(atr[row])
                reasons = {"channel_20": level, "break_atr": size, "atr": float(atr[row])}
                signals.append(self._entry(market, row, side, "turtle_20", reasons, 0.5 + 0.5 * min(1.0, size)))
            else:
                reasons = {"upper_10": float(exit_upper[row]), "lower_10": float(exit_lower[row])}
                signals.append(market.decided(row, "exit", "turtle_10", reasons=reasons))
        return signals

    def _entry(
        self,
        market: Market,
        row: int,
        side: int,
        kind: str,
        reasons: dict[str, float],
        confidence: float,
        *,
        target_atr: float = 0.0,
        expiry: int | None = None,
    ) -> Signal:
        close, atr = float(market.close[row]), reasons["atr"]
        return market.decided(
            row,
            "long" if side > 0 else "short",
            kind,
            stop=close - side * self.parameters.stop_atr * atr,
            target=close + side * target_atr * atr if target_atr else None,
            confidence=confidence,
            expiry=expiry,
            reasons=reasons,
        )


def inside(upper: Floats, lower: Floats, outer_upper: Floats, outer_lower: Floats) -> Flags:
    """Return where the first band lies wholly within the second; false where either is unknown."""
    return (upper < outer_upper) & (lower > outer_lower)


def rising(values: Floats) -> Flags:
    """Return where a value is above the one before it; false at the first and next to a NaN."""
    up = np.zeros(len(values), dtype=bool)
    up[1:] = values[1:] > values[:-1]
    return up


def beyond(close: Floats, upper: Floats, lower: Floats) -> Sides:
    """Return 1 above `upper`, -1 below `lower`, else 0."""
    return (close > upper).astype(np.int8) - (close < lower).astype(np.int8)


def turtle_turns(entered: Sides, left: Sides) -> list[tuple[int, int]]:
    """Return rows with 1 or -1 to enter and 0 to leave; only what is held is left, and an entry wins over an exit.

    >>> turtle_turns(np.array([0, 1, 0, 0, 0]), np.array([-1, 1, 0, -1, -1]))
    [(1, 1), (3, 0)]
    """
    held, found = 0, []
    for row in np.flatnonzero((entered != 0) | (left != 0)).tolist():
        if entered[row]:
            held = int(entered[row])
            found.append((row, held))
        elif held and left[row] == -held:
            held = 0
            found.append((row, 0))
    return found
