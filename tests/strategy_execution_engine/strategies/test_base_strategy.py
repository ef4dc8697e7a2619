import pytest

import feature_store
from feature_store.errors import DataNotFoundError, InvalidRequestError
from strategy_execution_engine.clients.feature_store_client import FeatureStoreClient
from strategy_execution_engine.strategies import BaseStrategy, MACrossoverStrategy, Signal


@pytest.fixture
def my_strategy(client):
    """The documented example's strategy, with a client that calculates."""

    class MyStrategy(BaseStrategy):
        def __init__(self, name, parameters=None):
            super().__init__(name, parameters)
            self.feature_store_client = client

        async def generate_signals(self, data):
            indicators = await self.feature_store_client.get_indicators(
                symbol=data.get("symbol", "unknown"),
                start_date=data.index[0],
                end_date=data.index[-1],
                indicators=["sma_5", "rsi_14"],
                bars=data[["open", "high", "low", "close"]],
            )
            risen = data["close"] > indicators["sma_5"]
            return [Signal("EUR/USD", time, "long", "above_sma") for time in data.index[risen]]

        async def cleanup(self):
            await self.feature_store_client.close()

    return MyStrategy


async def test_the_documented_example_runs(my_strategy, client, wandering):
    data = wandering(1)
    data["symbol"] = "EUR/USD"
    strategy = my_strategy("mine", {"anything": 1})
    signals = await strategy.generate_signals(data)
    assert signals
    assert strategy.parameters["anything"] == 1
    await strategy.cleanup()
    assert client.closed == 1


async def test_the_documented_example_reaches_the_service_with_a_column_of_symbols(wandering):
    class Transport:
        """Takes note of what would be sent."""

        identity = "note"

        async def send(self, call, _timeout_s):
            self.asked = call.request
            raise DataNotFoundError("the store holds nothing")

        async def close(self):
            self.closed = True

    transport = Transport()

    class MyStrategy(BaseStrategy):
        def __init__(self, name, parameters=None):
            super().__init__(name, parameters)
            self.feature_store_client = FeatureStoreClient(use_cache=True, transport=transport)

        async def generate_signals(self, data):
            return await self.feature_store_client.get_indicators(
                symbol=data.get("symbol", "unknown"),
                start_date=data.index[0],
                end_date=data.index[-1],
                indicators=["sma_50", "sma_200", "rsi_14"],
            )

        async def cleanup(self):
            await self.feature_store_client.close()

    strategy = MyStrategy("mine")
    with pytest.raises(DataNotFoundError):
        await strategy.generate_signals(wandering(1).assign(symbol="EUR/USD"))
    assert (transport.asked.symbol.name, transport.asked.timeframe.name) == ("EUR/USD", "1h")
    with pytest.raises(InvalidRequestError, match="was 'unknown'"):
        await strategy.generate_signals(wandering(1))
    await strategy.cleanup()
    assert transport.closed


async def test_a_strategy_is_cleaned_up_when_its_block_ends(my_strategy, client):
    async with my_strategy("mine"):
        assert client.closed == 0
    assert client.closed == 1


def test_undeclared_parameters_are_read_only(my_strategy):
    with pytest.raises(TypeError):
        my_strategy("mine", {"a": 1}).parameters["a"] = 2


@pytest.mark.parametrize("name", ["  ", "n" * 101, 7])
def test_a_name_that_is_none_is_refused(my_strategy, name):
    with pytest.raises(InvalidRequestError, match="a strategy's name must be a text"):
        my_strategy(name)


async def test_a_borrowed_client_stays_open_and_usable(client):
    strategy = MACrossoverStrategy(feature_store_client=client)
    await strategy.cleanup()
    assert client.closed == 0
    assert strategy.feature_store_client is client


async def test_a_client_of_its_own_is_closed_once(client):
    strategy = MACrossoverStrategy()
    strategy.feature_store_client = client
    await strategy.cleanup()
    await strategy.cleanup()
    assert client.closed == 1


def test_warmup_follows_from_the_declared_features():
    strategy = MACrossoverStrategy(parameters={"fast": 5, "slow": 60})
    assert strategy.warmup == max(feature_store.parse(f).warmup for f in ("sma_5", "sma_60", "atr_14")) == 59


def test_a_strategy_that_declares_nothing_needs_no_warmup(my_strategy):
    assert my_strategy("mine").warmup == 0


def test_a_strategy_must_say_how_it_generates_signals():
    class Mute(BaseStrategy):
        pass

    with pytest.raises(TypeError, match="generate_signals"):
        Mute("mute")


def test_repr_tells_name_and_parameters():
    assert repr(MACrossoverStrategy("cross")).startswith("<MACrossoverStrategy 'cross' average=sma fast=10 slow=30")
