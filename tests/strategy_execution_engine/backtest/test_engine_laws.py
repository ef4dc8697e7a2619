"""What holds for any bars and any signals: money adds up, nothing looks ahead, no fill is outside its bar."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strategy_execution_engine.backtest import Costs, FixedFraction, FixedLots, backtest
from strategy_execution_engine.strategies import Signal

ROWS = 60


@st.composite
def markets(draw):
    """Bars that jump and gap, with signals of every kind on them."""
    symbol, price, step = draw(st.sampled_from([("EUR/USD", 1.1, 0.003), ("USD/JPY", 130.0, 0.4)]))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    opened = price + np.cumsum(random.normal(0, step, ROWS))
    close = opened + random.normal(0, step, ROWS)
    reach = np.abs(random.normal(0, step, (2, ROWS)))
    frame = pd.DataFrame(
        {
            "open": opened,
            "high": np.maximum(opened, close) + reach[0],
            "low": np.minimum(opened, close) - reach[1],
            "close": close,
            "spread": np.abs(random.normal(0, step / 10, ROWS)),
        },
        pd.date_range("2023-01-02", periods=ROWS, freq="h", tz="UTC"),
    )
    frame.attrs.update(symbol=symbol, timeframe="1h")
    signals = [_signal(draw, frame, row, step) for row in draw(st.sets(st.integers(0, ROWS - 1), max_size=25))]
    return frame, signals


def _signal(draw, frame, row, step):
    direction = draw(st.sampled_from(["long", "short", "exit"]))
    close, side = float(frame["close"].iloc[row]), {"long": 1, "short": -1, "exit": 0}[direction]
    target = draw(st.none() | st.floats(0.2, 5)) if side else None
    return Signal(
        frame.attrs["symbol"],
        frame.index[row],
        direction,
        "any",
        entry=close,
        stop=close - side * step * draw(st.floats(0.2, 5)) if side else None,
        target=None if target is None else close + side * step * target,
        expiry=draw(st.none() | st.integers(1, 20)),
    )


costs = st.builds(
    Costs,
    spread_pips=st.sampled_from([0.0, 1.0, 7.5, "data"]),
    slippage_pips=st.sampled_from([0.0, 0.3]),
    commission_per_lot=st.sampled_from([0.0, 3.5]),
)
sizings = st.sampled_from([FixedLots(0.1), FixedLots(2.0), FixedFraction(0.01), FixedFraction(0.2)])
laws = settings(max_examples=150, deadline=None)


@laws
@given(markets(), costs, sizings)
def test_final_equity_is_the_cash_and_every_trades_profit(market, costs, sizing):
    frame, signals = market
    result = backtest(frame, signals, costs=costs, sizing=sizing)
    assert result.equity[-1] == pytest.approx(result.cash + sum(trade.profit for trade in result.trades), abs=1e-6)
    assert result.statistics.net == pytest.approx(result.equity[-1] - result.cash, abs=1e-6)


@laws
@given(markets(), costs, sizings)
def test_profit_is_gross_less_each_cost(market, costs, sizing):
    frame, signals = market
    result = backtest(frame, signals, costs=costs, sizing=sizing)
    for trade in result.trades:
        paid = trade.spread + trade.slippage + trade.commission
        assert trade.profit == pytest.approx(trade.gross - paid, abs=1e-6)
        assert min(trade.spread, trade.slippage, trade.commission) >= -1e-9
    total = result.statistics
    assert total.net == pytest.approx(total.gross - total.spread - total.slippage - total.commission, abs=1e-6)


@laws
@given(markets(), costs, sizings)
def test_every_signal_is_traded_refused_or_found_the_position_as_it_wanted(market, costs, sizing):
    frame, signals = market
    result = backtest(frame, signals, costs=costs, sizing=sizing)
    used = [trade.signal for trade in result.trades] + [refusal.signal for refusal in result.refused]
    assert len(used) == len(set(used))
    assert set(used) <= set(signals)
    for signal in set(signals) - set(used):
        row = frame.index.get_loc(signal.time) + 1
        lies = [trade for trade in result.trades if trade.entry_row < row <= trade.exit_row]
        assert signal.side == 0 or any(trade.side == signal.side for trade in lies)


@laws
@given(markets(), costs, sizings)
def test_trades_follow_each_other_and_never_begin_on_the_bar_of_their_signal(market, costs, sizing):
    frame, signals = market
    trades = backtest(frame, signals, costs=costs, sizing=sizing).trades
    for trade in trades:
        assert trade.entry_row == frame.index.get_loc(trade.signal.time) + 1
        assert trade.exit_row >= trade.entry_row
    for before, after in pairwise(trades):
        assert after.entry_row >= before.exit_row


@laws
@given(markets())
def test_without_costs_every_fill_lies_within_its_bar(market):
    frame, signals = market
    for trade in backtest(frame, signals, costs=Costs.none(), sizing=FixedLots(0.1)).trades:
        assert trade.entry_price == frame["open"].iloc[trade.entry_row]
        low, high = frame["low"].iloc[trade.exit_row], frame["high"].iloc[trade.exit_row]
        assert low <= trade.exit_price <= high


@laws
@given(markets(), costs, sizings, st.integers(2, ROWS - 1))
def test_nothing_that_happened_depends_on_what_comes_later(market, costs, sizing, cut):
    frame, signals = market
    options = {"costs": costs, "sizing": sizing}
    whole = backtest(frame, signals, **options)
    known = [signal for signal in signals if signal.time < frame.index[cut]]
    prefix = backtest(frame.iloc[:cut], known, **options)
    assert np.array_equal(prefix.equity[: cut - 1], whole.equity[: cut - 1])  # the prefix closes out at its last close
    finished = [trade for trade in whole.trades if trade.exit_row < cut]
    assert [trade for trade in prefix.trades if trade.exit_reason != "end"] == [
        trade for trade in finished if trade.exit_reason != "end"
    ]


@laws
@given(markets(), sizings)
def test_the_same_units_earn_less_at_higher_costs(market, sizing):
    frame, signals = market
    cheap = backtest(frame, signals, costs=Costs.none(), sizing=FixedLots(0.1), max_leverage=1e9, cash=1e9)
    dear = backtest(frame, signals, costs=Costs(0.0, 0.3, 3.5), sizing=FixedLots(0.1), max_leverage=1e9, cash=1e9)
    assert [t.entry_row for t in cheap.trades] == [t.entry_row for t in dear.trades]
    assert dear.statistics.net <= cheap.statistics.net
