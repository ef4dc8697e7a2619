"""The backtest: signals become fills at the next bar's open, and every bar between two fills is looked at once.

1. Signals are sorted by the bar they were decided on; each becomes an order for the open of the bar after.
2. Up to that bar the open position is watched: its time stop at an open, its stop and target within a bar, ruin at a
   close. The first to come is found on whole arrays, so the loop below turns once an order and not once a bar.
3. At the open the order is filled: it closes what lies the other way, and opens. An order the way the position already
   lies does nothing. Size is decided from the account as it stood when the signal was.
4. After the last order the position is watched to the end, and closed at the last close.

At which prices, see `fills.py`. Nothing reads a bar that is not closed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.errors import InvalidRequestError
from feature_store.times import to_microseconds
from strategy_execution_engine.backtest.book import Book
from strategy_execution_engine.backtest.costs import Costs
from strategy_execution_engine.backtest.fills import Quotes
from strategy_execution_engine.backtest.instrument import Instrument
from strategy_execution_engine.backtest.manifest import manifest_of
from strategy_execution_engine.backtest.sizing import FixedFraction, Sizing
from strategy_execution_engine.backtest.statistics import statistics_of
from strategy_execution_engine.backtest.trades import BacktestResult, Refusal
from strategy_execution_engine.strategies.market import bars_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.bars import Bars, Floats
    from strategy_execution_engine.strategies.signals import Signal

MAX_LEVERAGE = 30.0  # what European and British retail accounts may use on major pairs


def backtest(
    bars: Any,
    signals: Iterable[Signal],
    *,
    symbol: Any = None,
    account: str = "USD",
    cash: float = 10_000.0,
    costs: Costs | None = None,
    sizing: Sizing | None = None,
    max_leverage: float = MAX_LEVERAGE,
    name: str = "signals",
    features: Mapping[str, Floats] | None = None,
    about: Mapping[str, Any] | None = None,
) -> BacktestResult:
    """Trade `signals` on `bars` of one symbol and return what came of it.

    Args:
        bars: a pandas frame or `Bars` of mid prices.
        symbol: names the bars where the frame does not.
        signals: decisions on these bars, in any order.
        account: the account's currency, which must be one side of the pair.
        cash: what the account holds at the start.
        costs: 1 pip of spread and 0.1 of slippage where nothing is given.
        sizing: 1 % of equity at the stop where nothing is given.
        max_leverage: a position is cut to this many times equity.
        name: what reports call this run.
        features: columns that the signals were decided on, for charts.
        about: what else belongs into the manifest.

    Raises InvalidRequestError where bars, signals and money do not fit together.

    >>> import pandas as pd
    >>> from strategy_execution_engine.strategies import Signal
    >>> hours = pd.date_range("2023-01-02", periods=3, freq="h", tz="UTC")
    >>> price = pd.Series([1.10, 1.11, 1.12], hours)
    >>> frame = pd.DataFrame({"open": price, "high": price, "low": price, "close": price})
    >>> long = Signal("EUR/USD", hours[0], "long", "example", entry=1.10, stop=1.09)
    >>> result = backtest(frame, [long], symbol="EUR/USD", costs=Costs.none())
    >>> result.trades[0].entry_price, round(result.trades[0].pips), round(result.statistics.net, 2)
    (1.11, 100, 100.0)
    """
    held = bars_of(bars, symbol)
    costs, sizing = costs or Costs(), sizing or FixedFraction()
    account = account.upper()
    quotes = Quotes.of(held, Instrument.of(held.symbol), costs, account)
    orders, refused = _orders(signals, held)
    book = Book(quotes, costs, sizing, _checked_cash(cash), _checked_leverage(max_leverage), refused=refused)
    for row, signal in orders:
        book.watch(row)
        book.fill(row, signal)
    book.finish()
    trades = tuple(book.trades)
    return BacktestResult(
        name=name,
        bars=held,
        account=account,
        cash=cash,
        signals=tuple(signal for _, signal in orders),
        trades=trades,
        refused=tuple(book.refused),
        equity=book.equity,
        statistics=statistics_of(trades, book.equity, held.time, cash),
        features=features or {},
        manifest=manifest_of(held, costs=costs, sizing=sizing, account=account, cash=cash, leverage=max_leverage)
        | dict(about or {}),
    )


def _orders(signals: Iterable[Signal], bars: Bars) -> tuple[list[tuple[int, Signal]], list[Refusal]]:
    """Return each signal with the bar at whose open it is filled, in time order, and those that cannot be."""
    orders, refused = [], []
    for signal in signals:
        moment = to_microseconds(signal.time)
        row = int(np.searchsorted(bars.time, moment))
        if signal.symbol != bars.symbol.name or row == len(bars) or int(bars.time[row]) != moment:
            msg = (
                f"the {signal.symbol} signal of {signal.time.isoformat()} belongs to no bar of these {bars.symbol} bars"
            )
            raise InvalidRequestError(msg, field="signals")
        if signal.provenance == "synthetic":
            refused.append(Refusal(signal, "decided on synthetic features"))
        elif row + 1 == len(bars):
            refused.append(Refusal(signal, "no bar after it to be filled on"))
        else:
            orders.append((row + 1, signal))
    orders.sort(key=lambda order: order[0])
    return orders, refused


def _checked_cash(cash: float) -> float:
    if not (math.isfinite(cash) and cash > 0):
        msg = f"cash must be above zero, was {cash!r}"
        raise InvalidRequestError(msg, field="cash")
    return float(cash)


def _checked_leverage(leverage: float) -> float:
    if not leverage > 0:
        msg = f"max_leverage must be above zero, was {leverage!r}"
        raise InvalidRequestError(msg, field="max_leverage")
    return float(leverage)
