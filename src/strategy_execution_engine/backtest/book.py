"""The account while a backtest runs: cash, at most one position, and how far the bars have been looked at."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from strategy_execution_engine.backtest.fills import Fill, Position, Quotes, first_exit, market_fill, settle
from strategy_execution_engine.backtest.trades import ExitReason, Refusal, Trade

if TYPE_CHECKING:
    from feature_store.bars import Floats
    from strategy_execution_engine.backtest.costs import Costs
    from strategy_execution_engine.backtest.sizing import Sizing
    from strategy_execution_engine.strategies.signals import Signal


@dataclass(slots=True)
class Book:
    """Orders must come in time order: `watch` up to a bar, then `fill` at its open, and `finish` after the last."""

    quotes: Quotes
    costs: Costs
    sizing: Sizing
    cash: float
    max_leverage: float
    refused: list[Refusal]
    position: Position | None = None
    seen: int = 0
    trades: list[Trade] = field(default_factory=list)
    equity: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Make room for the equity of every bar."""
        self.equity = np.empty(len(self.quotes))

    def watch(self, until: int) -> None:
        """Look at the bars from `seen` up to `until`, which is left out, and close the position where it ends."""
        while self.seen < until:
            if self.position is None:
                self.equity[self.seen : until] = self.cash
                self.seen = until
                return
            found = first_exit(self.position, self.quotes, self.seen, until, self.cash)
            self._value(until if found is None else found[0].row)
            if found is not None:
                self._close(*found)

    def fill(self, row: int, signal: Signal) -> None:
        """Fill an order at the open of `row`, up to which the bars have been watched."""
        if self.position is not None and self.position.side != signal.side:
            reason: ExitReason = "reverse" if signal.side else "signal"
            self._close(market_fill(self.quotes, row, -self.position.side), reason)
        elif self.position is not None or not signal.side:
            return
        if signal.side:
            self._open(row, signal)

    def finish(self) -> None:
        """Watch to the end and close what is left at the last close."""
        last = len(self.quotes) - 1
        self.watch(len(self.quotes))
        if self.position is not None:
            self._close(market_fill(self.quotes, last, -self.position.side, at_close=True), "end")
            self.equity[last] = self.cash

    def _open(self, row: int, signal: Signal) -> None:
        close = float(self.quotes.close[row - 1])  # the bar on which the signal was decided
        equity = self.equity_before(row)
        if equity <= 0:
            self.refused.append(Refusal(signal, "the account is empty"))
            return
        rate = self.quotes.rate(close)
        wanted = self.sizing.units(signal, equity, rate, self.quotes.instrument)
        allowed = self.max_leverage * equity / (close * rate)
        units = self.quotes.instrument.whole_steps(min(wanted, allowed))
        if units <= 0:
            self.refused.append(Refusal(signal, "too small: less than the smallest size that can be traded"))
            return
        paid = self.costs.commission(units, self.quotes.instrument)
        entry = market_fill(self.quotes, row, signal.side)
        self.position = Position(signal, units, entry, paid, capped=wanted > allowed)

    def equity_before(self, row: int) -> float:
        """Return equity at the close before `row`, or the cash at the very start."""
        return float(self.equity[row - 1]) if row else self.cash

    def _value(self, until: int) -> None:
        """Write the equity of the bars from `seen` to `until` while the position was held."""
        assert self.position is not None
        rows = slice(self.seen, until)
        self.equity[rows] = self.cash - self.position.paid + self.position.open_profit(self.quotes, rows)
        self.seen = until

    def _close(self, way_out: Fill, reason: ExitReason) -> None:
        assert self.position is not None
        trade = settle(self.position, way_out, reason, self.quotes, self.costs)
        self.trades.append(trade)
        self.cash += trade.profit
        self.position = None
        if reason == "ruin":  # settled at this bar's close, so nothing of the bar is left to watch
            self.equity[way_out.row] = self.cash
            self.seen = way_out.row + 1
