"""Prices at which something can be bought or sold, and when a position ends: decisions without state.

Bars are mid prices. A buy pays half the spread above, a sale gets half of it below, and slippage makes market and stop
orders worse. A long's stop is triggered by the bid, a short's by the ask. Worst case within a bar: where stop and
target are both touched the stop is taken. A bar that opens beyond a stop or a target fills it at the open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import PRICES
from feature_store.errors import InvalidRequestError
from feature_store.times import to_datetime
from strategy_execution_engine.backtest.trades import ExitReason, Trade

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.bars import Bars, Floats, Integers
    from strategy_execution_engine.backtest.costs import Costs
    from strategy_execution_engine.backtest.instrument import Instrument
    from strategy_execution_engine.strategies.signals import Signal


@dataclass(frozen=True, eq=False, slots=True)
class Quotes:
    """Mid prices of every bar with what stands between them and a fill, all in quote currency."""

    instrument: Instrument
    account: str
    time: Integers
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    half: Floats
    slippage: float

    @classmethod
    def of(cls, bars: Bars, instrument: Instrument, costs: Costs, account: str) -> Quotes:
        """Return the quotes of `bars`; raises InvalidRequestError where a price is missing or impossible."""
        prices = {name: bars.columns[name] for name in PRICES}
        _check_prices(bars, prices)
        instrument.account_rate(1.0, account)  # refuses an account that this pair cannot be converted to
        half = costs.half_spread(bars, instrument)
        return cls(
            instrument, account, bars.time, **prices, half=half, slippage=costs.slippage_pips * instrument.pip_size
        )

    def __len__(self) -> int:
        return len(self.time)

    def rate(self, price: float) -> float:
        """Return the account's worth of one unit of quote currency at `price`."""
        return self.instrument.account_rate(price, self.account)

    def rates(self, prices: Floats) -> Floats:
        """Return the same for many prices."""
        return self.instrument.account_rate(prices, self.account)


@dataclass(frozen=True, slots=True)
class Fill:
    """A price at which something was bought or sold, and the mid price and slippage behind it."""

    row: int
    price: float
    mid: float
    slippage: float


@dataclass(frozen=True, slots=True)
class Position:
    """What is held: `units` on the signal's side since the `entry` fill; `paid` is the commission of that fill."""

    signal: Signal
    units: float
    entry: Fill
    paid: float
    capped: bool

    @property
    def side(self) -> int:
        """1 for long, -1 for short."""
        return self.signal.side

    def open_profit(self, quotes: Quotes, rows: slice) -> Floats:
        """Return what closing at each close would bring in account currency, before commission and slippage."""
        close = quotes.close[rows]
        way_out = close - self.side * quotes.half[rows]
        profit: Floats = self.side * self.units * (way_out - self.entry.price) * quotes.rates(close)
        return profit


def market_fill(quotes: Quotes, row: int, side: int, *, at_close: bool = False) -> Fill:
    """Return the fill of a market order at the open (or close) of `row`: half a spread and slippage against it."""
    mid = float((quotes.close if at_close else quotes.open)[row])
    return Fill(row, mid + side * (float(quotes.half[row]) + quotes.slippage), mid, quotes.slippage)


def first_exit(position: Position, quotes: Quotes, start: int, end: int, cash: float) -> tuple[Fill, ExitReason] | None:
    """Return how the position ends within bars `[start, end)`, or None where it outlives them."""
    expiry = position.signal.expiry
    timed = end if expiry is None else min(end, position.entry.row + expiry)
    row, ended = _first_touch(position, quotes, start, timed, cash)
    if ended is not None:
        return _touch_fill(position, quotes, row, ended), ended
    if timed < end:
        return market_fill(quotes, timed, -position.side), "time"
    return None


def _first_touch(
    position: Position, quotes: Quotes, start: int, end: int, cash: float
) -> tuple[int, ExitReason | None]:
    """Return the first bar that touches stop or target or ends in ruin; within one bar they count in that order."""
    if start >= end:
        return end, None
    rows, side, signal = slice(start, end), position.side, position.signal
    away = side * quotes.half[rows]  # the side of the quote at which this position is closed
    worst, best = (quotes.low, quotes.high) if side > 0 else (quotes.high, quotes.low)
    candidates: list[tuple[int, ExitReason]] = []
    if signal.stop is not None:
        _note(candidates, side * (worst[rows] - away - signal.stop) <= 0, "stop")
    if signal.target is not None:
        _note(candidates, side * (best[rows] - away - signal.target) >= 0, "target")
    _note(candidates, cash - position.paid + position.open_profit(quotes, rows) <= 0, "ruin")
    if not candidates:
        return end, None
    first, reason = min(candidates, key=lambda found: found[0])  # stable: an earlier candidate wins a tie
    return start + first, reason


def _note(candidates: list[tuple[int, ExitReason]], touched: Any, reason: ExitReason) -> None:
    first = int(touched.argmax())
    if touched[first]:
        candidates.append((first, reason))


def _touch_fill(position: Position, quotes: Quotes, row: int, reason: ExitReason) -> Fill:
    side, half, signal = position.side, float(quotes.half[row]), position.signal
    if reason == "ruin":
        return market_fill(quotes, row, -side, at_close=True)
    opened = float(quotes.open[row]) - side * half
    if reason == "stop":
        assert signal.stop is not None
        quoted = min(opened * side, signal.stop * side) * side
        return Fill(row, quoted - side * quotes.slippage, quoted + side * half, quotes.slippage)
    assert signal.target is not None
    quoted = max(opened * side, signal.target * side) * side
    return Fill(row, quoted, quoted + side * half, 0.0)


def settle(position: Position, way_out: Fill, reason: ExitReason, quotes: Quotes, costs: Costs) -> Trade:
    """Return the finished trade; its money is converted at the mid price of the closing fill."""
    entry, side, units, signal = position.entry, position.side, position.units, position.signal
    rate = quotes.rate(way_out.mid)
    moved = side * (way_out.price - entry.price)
    slippage = units * (entry.slippage + way_out.slippage) * rate
    gross = side * units * (way_out.mid - entry.mid) * rate
    commission = position.paid + costs.commission(units, quotes.instrument)
    risk = None if signal.stop is None else units * side * (entry.price - signal.stop) * quotes.rate(entry.mid)
    return Trade(
        signal=signal,
        units=units,
        entry_row=entry.row,
        entry_time=to_datetime(int(quotes.time[entry.row])),
        entry_price=entry.price,
        exit_row=way_out.row,
        exit_time=to_datetime(int(quotes.time[way_out.row])),
        exit_price=way_out.price,
        exit_reason=reason,
        pips=moved / quotes.instrument.pip_size,
        gross=gross,
        spread=units * (abs(entry.price - entry.mid) + abs(way_out.price - way_out.mid)) * rate - slippage,
        slippage=slippage,
        commission=commission,
        profit=units * moved * rate - commission,
        risk=risk if risk is not None and risk > 0 else None,
        capped=position.capped,
    )


def _check_prices(bars: Bars, prices: Mapping[str, Floats]) -> None:
    if not len(bars):
        msg = "a backtest needs bars, had none"
        raise InvalidRequestError(msg, field="bars")
    body_high = np.maximum(prices["open"], prices["close"])
    body_low = np.minimum(prices["open"], prices["close"])
    sound = (
        (prices["low"] > 0) & (prices["low"] <= body_low) & (body_high <= prices["high"]) & (prices["high"] < math.inf)
    )
    if not bool(sound.all()):  # a NaN fails every comparison
        row = int(np.argmin(sound))
        shown = ", ".join(f"{name} {prices[name][row]}" for name in PRICES)
        msg = f"the bar of {to_datetime(int(bars.time[row])).isoformat()} is not sound ({shown}); drop or repair it"
        raise InvalidRequestError(msg, field="bars")
