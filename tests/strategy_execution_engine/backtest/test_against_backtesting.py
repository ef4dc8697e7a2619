"""The same signals through the `backtesting` library: the same trades, and equity to 1e-9.

That library has no signals, so a strategy replays ours on the bar they were decided on. It closes what is open at the end
at the last bar's open, this engine at its close; that one trade and bar are left out.
"""

import numpy as np
import pandas as pd
import pytest
from backtesting import Backtest, Strategy
from backtesting.test import EURUSD

import feature_store
from strategy_execution_engine.backtest import Costs, FixedLots, backtest
from strategy_execution_engine.strategies import MACrossoverStrategy, VolatilityBreakoutStrategy
from strategy_execution_engine.strategies.feature_source import DirectSource
from strategy_execution_engine.strategies.market import bars_of

pytestmark = pytest.mark.filterwarnings("ignore:DatetimeIndex.dayofweek")  # the library's own

LOTS, UNITS, CASH = 0.1, 10_000, 100_000.0


@pytest.fixture(scope="module")
def frame():
    bars = EURUSD.rename(columns=str.lower).rename(columns={"volume": "tick_volume"}).tz_localize("UTC")
    bars.attrs.update(symbol="EUR/USD", timeframe="1h")
    return bars


def theirs(signals, commission_per_lot=0.0):
    """Return the other library's trades and equity for these signals."""
    rows = {EURUSD.index.get_loc(signal.time.replace(tzinfo=None)): signal for signal in signals}

    class Replay(Strategy):
        def init(self):
            pass

        def next(self):
            signal = rows.get(len(self.data) - 1)
            if signal is None:
                return
            if signal.side == 0:
                self.position.close()
            elif self.position.size * signal.side <= 0:
                place = self.buy if signal.side > 0 else self.sell
                place(size=UNITS, sl=signal.stop, tp=signal.target)

    per_unit = commission_per_lot / 100_000
    run = Backtest(
        EURUSD,
        Replay,
        cash=CASH,
        margin=1 / 30,
        commission=lambda size, _price: abs(size) * per_unit,
        exclusive_orders=True,
        finalize_trades=True,
    ).run()
    return run["_trades"].sort_values(["ExitBar", "EntryBar"]), run["_equity_curve"]["Equity"].to_numpy()


async def assert_equal(frame, strategy, commission_per_lot=0.0, at_least=100):
    market = await DirectSource().observe(bars_of(frame), strategy.features())
    signals = [signal for signal in strategy.decide(market) if signal.time < frame.index[-1]]
    costs = Costs(0, 0, commission_per_lot)
    ours = backtest(frame, signals, costs=costs, sizing=FixedLots(LOTS), cash=CASH)
    their_trades, their_equity = theirs(signals, commission_per_lot)
    mine = pd.DataFrame(
        {
            "Size": [trade.side * trade.units for trade in ours.trades],
            "EntryBar": [trade.entry_row for trade in ours.trades],
            "ExitBar": [trade.exit_row for trade in ours.trades],
            "EntryPrice": [trade.entry_price for trade in ours.trades],
            "ExitPrice": [trade.exit_price for trade in ours.trades],
            "Commission": [trade.commission for trade in ours.trades],
            "PnL": [trade.profit for trade in ours.trades],
        }
    )
    finished = [trade.exit_reason != "end" for trade in ours.trades]
    assert len(mine) == len(their_trades)
    assert sum(finished) >= at_least
    pd.testing.assert_frame_equal(
        mine[finished],
        their_trades[mine.columns].reset_index(drop=True)[finished],
        check_dtype=False,
        rtol=0,
        atol=1e-9,
    )
    assert np.abs(ours.equity[:-1] - their_equity[:-1]).max() < 1e-9 * CASH
    return ours


async def test_a_plain_moving_average_cross_is_equal(frame):
    class Reversing(MACrossoverStrategy):
        """The cross alone, without stop and target."""

        def decide(self, market):
            return [market.decided(frame.index.get_loc(s.time), s.direction, s.kind) for s in super().decide(market)]

    ours = await assert_equal(frame, Reversing("sma", {"fast": 10, "slow": 20}))
    assert {trade.exit_reason for trade in ours.trades} == {"reverse", "end"}


async def test_stops_and_targets_are_hit_alike(frame):
    ours = await assert_equal(frame, MACrossoverStrategy("sma", {"fast": 5, "slow": 15}))
    assert {trade.exit_reason for trade in ours.trades} >= {"stop", "target", "reverse"}


async def test_commission_is_paid_alike(frame):
    await assert_equal(frame, MACrossoverStrategy("sma", {"fast": 5, "slow": 15}), commission_per_lot=3.5)


async def test_exits_on_a_signal_are_alike(frame):
    ours = await assert_equal(frame, VolatilityBreakoutStrategy("turtle", {"mode": "turtle"}))
    assert "signal" in {trade.exit_reason for trade in ours.trades}


async def test_the_cross_itself_is_the_other_librarys(frame):
    from backtesting.lib import crossover

    close = EURUSD["Close"]
    fast, slow = close.rolling(10).mean(), close.rolling(20).mean()
    up = [t for t in range(20, len(close)) if crossover(fast[: t + 1], slow[: t + 1])]
    strategy = MACrossoverStrategy("sma", {"fast": 10, "slow": 20}, use_feature_store=False)
    longs = [frame.index.get_loc(s.time) for s in await strategy.generate_signals(frame) if s.side > 0]
    features = feature_store.compute(frame, ["sma_10", "sma_20"])
    tied = np.flatnonzero(np.abs(features["sma_10"] - features["sma_20"]) < 1e-12)
    assert [t for t in longs if t - 1 not in tied and t not in tied] == [
        t for t in up if t - 1 not in tied and t not in tied
    ]
    assert len(longs) > 100
