"""What a backtest hands back: trades with their costs apart, orders that were refused, and the whole result."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from feature_store.bars import Bars, Floats
    from strategy_execution_engine.backtest.statistics import Statistics
    from strategy_execution_engine.strategies.signals import Signal

ExitReason = Literal["stop", "target", "time", "signal", "reverse", "end", "ruin"]


@dataclass(frozen=True, slots=True)
class Trade:
    """One position from its opening fill to its closing fill.

    Args:
        signal: what was decided, with its reasons.
        units: units of base currency, always above zero; the side is the signal's.
        entry_row, exit_row: bars of the fills.
        entry_price, exit_price: fills in quote currency, spread and slippage included.
        exit_reason: `stop`, `target`, `time` (the signal's expiry), `signal` (an exit), `reverse` (an opposite signal),
            `end` (the data ended; closed at the last close), `ruin` (equity was used up).
        pips: from fill to fill, in the trade's favour.
        gross: profit at mid prices, account currency; `spread`, `slippage` and `commission` are what it cost.
        risk: what a stop at its price would have lost from the entry fill; None without a stop.
        capped: the size was cut to what the margin allowed.
    """

    signal: Signal
    units: float
    entry_row: int
    entry_time: datetime
    entry_price: float
    exit_row: int
    exit_time: datetime
    exit_price: float
    exit_reason: ExitReason
    pips: float
    gross: float
    spread: float
    slippage: float
    commission: float
    profit: float
    risk: float | None = None
    capped: bool = False

    @property
    def side(self) -> int:
        """1 for long, -1 for short."""
        return self.signal.side

    @property
    def r_multiple(self) -> float | None:
        """Profit in units of what was risked; None where nothing was."""
        return self.profit / self.risk if self.risk else None

    @property
    def bars_held(self) -> int:
        """Bars from fill to fill; 0 within one bar."""
        return self.exit_row - self.entry_row


@dataclass(frozen=True, slots=True)
class Refusal:
    """A signal that opened nothing, and why."""

    signal: Signal
    reason: str


@dataclass(frozen=True, eq=False, slots=True)
class BacktestResult:
    """A finished backtest.

    Args:
        name: the strategy's name.
        bars: the bars it ran on.
        account: the account's currency; every amount of money is in it.
        cash: the account at the start.
        signals: those that became orders, in time order.
        trades: in the order in which they ended.
        refused: the signals that opened nothing, each with its reason.
        equity: at each bar's close, open positions valued at what closing them would bring.
        statistics: numbers over all of it.
        features: what the strategy read, for charts; empty where it is not known.
        manifest: what is needed to repeat this: data, features, parameters, costs, versions.
    """

    name: str
    bars: Bars
    account: str
    cash: float
    signals: tuple[Signal, ...]
    trades: tuple[Trade, ...]
    refused: tuple[Refusal, ...]
    equity: Floats
    statistics: Statistics
    features: Mapping[str, Floats] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        series = f"{self.bars.symbol} {self.bars.timeframe}"
        return f"<BacktestResult {self.name!r} {series} trades={len(self.trades)} net={self.statistics.net:.2f}>"
