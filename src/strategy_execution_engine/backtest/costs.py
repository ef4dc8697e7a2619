"""What trading costs: the spread, slippage, and the broker's commission."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from feature_store.bars import Bars, Floats
    from strategy_execution_engine.backtest.instrument import Instrument


@dataclass(frozen=True, slots=True)
class Costs:
    """Costs of a retail account by default; `Costs.none()` is a world without any.

    Bars are taken as mid prices: a buy pays half the spread above them, a sale receives half of it below.

    Args:
        spread_pips: ask - bid in pips, or "data" for the bars' own column `spread` (quote currency) at each bar.
        slippage_pips: how much worse than quoted market and stop orders fill; a target fills at its price or better.
        commission_per_lot: account currency for each lot and side, so twice for a round trip.
    """

    spread_pips: float | Literal["data"] = 1.0
    slippage_pips: float = 0.1
    commission_per_lot: float = 0.0

    def __post_init__(self) -> None:
        """Refuse negative and unknown costs."""
        for name in ("spread_pips", "slippage_pips", "commission_per_lot"):
            value = getattr(self, name)
            if value == "data" and name == "spread_pips":
                continue
            if not (isinstance(value, (int, float)) and math.isfinite(value) and value >= 0):
                msg = f"{name} must be zero or more, was {value!r}"
                raise InvalidRequestError(msg, field=name)

    @classmethod
    def none(cls) -> Costs:
        """Return costs of zero, for comparison."""
        return cls(0.0, 0.0, 0.0)

    def half_spread(self, bars: Bars, instrument: Instrument) -> Floats:
        """Return half the spread at every bar in quote currency.

        >>> import pandas as pd
        >>> from strategy_execution_engine.backtest.instrument import Instrument
        >>> from strategy_execution_engine.strategies.market import bars_of
        >>> flat = pd.DataFrame(1.1, pd.date_range("2023-01-02", periods=2, freq="h"), ["open", "high", "low", "close"])
        >>> Costs(spread_pips=1.5).half_spread(bars_of(flat, "EUR/USD"), Instrument.of("EUR/USD"))
        array([7.5e-05, 7.5e-05])
        """
        if self.spread_pips != "data":
            return np.full(len(bars), self.spread_pips * instrument.pip_size / 2)
        spread = bars.columns.get("spread")
        if spread is None or not bool(np.all(np.isfinite(spread) & (spread >= 0))):
            what = "have no column spread" if spread is None else "have a spread that is missing or negative"
            msg = f'the bars {what}; give spread_pips a number, or bars with ask - bid in "spread" at every row'
            raise InvalidRequestError(msg, field="spread_pips")
        return spread / 2

    def commission(self, units: float, instrument: Instrument) -> float:
        """Return one side's commission in account currency."""
        return self.commission_per_lot * units / instrument.lot

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {name: getattr(self, name) for name in self.__slots__}
