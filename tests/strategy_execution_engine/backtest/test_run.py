import json

import numpy as np
import pytest
from backtesting.test import EURUSD

from strategy_execution_engine.backtest import Costs, run_backtest
from strategy_execution_engine.strategies import BaseStrategy, MACrossoverStrategy, Signal
from strategy_execution_engine.strategies.feature_source import FeaturesUnavailableError
from strategy_execution_engine.strategies.market import bars_of


@pytest.fixture(scope="module")
def eurusd():
    return EURUSD.rename(columns=str.lower).tz_localize("UTC")


async def test_a_strategy_is_asked_traded_and_described(eurusd):
    strategy = MACrossoverStrategy("cross", {"fast": 5}, use_feature_store=False)
    result = await run_backtest(strategy, eurusd, symbol="eurusd", costs=Costs(2.0), cash=5_000)
    about = json.loads(json.dumps(result.manifest))
    assert result.trades
    assert result.name == "cross"
    assert about["strategy"]["parameters"]["fast"] == 5
    assert about["strategy"]["features"] == ["sma_5", "sma_30", "atr_14"]
    assert set(about["features"]["versions"]) == {"sma_5", "sma_30", "atr_14"} == set(result.features)
    assert about["features"]["source"] == "direct"
    assert about["data"] == {
        "symbol": "EUR/USD",
        "timeframe": "1h",
        "rows": 5000,
        "first": "2017-04-19T09:00:00Z",
        "last": "2018-02-07T15:00:00Z",
        "sha256": about["data"]["sha256"],
    }
    assert about["costs"]["spread_pips"] == 2.0
    assert about["money"] == {"account": "USD", "cash": 5_000, "max_leverage": 30.0}


async def test_a_second_run_is_the_same_and_other_bars_have_another_digest(eurusd):
    strategy = MACrossoverStrategy("cross", use_feature_store=False)
    first, second = [await run_backtest(strategy, eurusd, symbol="EUR/USD") for _ in range(2)]
    assert (first.trades, first.manifest["data"]) == (second.trades, second.manifest["data"])
    assert np.array_equal(first.equity, second.equity)
    moved = eurusd.copy()
    moved.iloc[17, moved.columns.get_loc("high")] += 0.0001
    other = await run_backtest(strategy, moved, symbol="EUR/USD")
    assert other.manifest["data"]["sha256"] != first.manifest["data"]["sha256"]


async def test_a_strategy_that_only_generates_signals_runs_too(eurusd):
    class Fridays(BaseStrategy):
        async def generate_signals(self, data):
            assert data.attrs["symbol"] == "EUR/USD"
            entries = data[(data.index.day_of_week == 4) & (data.index.hour == 12)]
            return [
                Signal("EUR/USD", t, "short", "friday", entry=c, stop=c + 0.005, expiry=5)
                for t, c in entries["close"].items()
            ]

    result = await run_backtest(Fridays("fridays"), eurusd, symbol="EUR/USD")
    fridays = eurusd.index[(eurusd.index.day_of_week == 4) & (eurusd.index.hour == 12)]
    assert [trade.signal.time for trade in result.trades] == list(fridays)
    assert "features" not in result.manifest


async def test_a_backtest_without_features_is_an_error_and_not_a_quiet_strategy(eurusd):
    class Inventing:
        async def get_indicators(self, **_):
            frame = eurusd[["close"]].copy()
            frame.attrs["provenance"] = {"source": "synthetic", "as_of": "2023-01-01T00:00:00+00:00"}
            return frame

    strategy = MACrossoverStrategy("cross", feature_store_client=Inventing())
    with pytest.raises(FeaturesUnavailableError, match="synthetic"):
        await run_backtest(strategy, eurusd, symbol="EUR/USD")


async def test_five_thousand_bars_take_a_fraction_of_a_second(eurusd):
    from time import perf_counter

    from strategy_execution_engine.backtest import backtest

    strategy = MACrossoverStrategy("cross", {"fast": 5, "slow": 15}, use_feature_store=False)
    signals = await strategy.generate_signals(eurusd.assign(symbol="EUR/USD"))
    bars = bars_of(eurusd, "EUR/USD")
    taken = []
    for _ in range(5):
        began = perf_counter()
        backtest(bars, signals)
        taken.append(perf_counter() - began)
    assert min(taken) < 0.1
