from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from feature_store.errors import (
    CorruptResponseError,
    DataNotFoundError,
    FeatureNotFoundError,
    FeatureStoreAuthError,
    FeatureStoreConnectionError,
    FeatureStoreTimeoutError,
    FeatureStoreUnavailableError,
)
from strategy_execution_engine.clients.feature_store_client import FeatureStoreClient
from strategy_execution_engine.strategies import MACrossoverStrategy
from strategy_execution_engine.strategies.feature_source import ClientSource, DirectSource, FeaturesUnavailableError
from strategy_execution_engine.strategies.market import bars_of

NOW = datetime(2023, 2, 1, 12, tzinfo=UTC)
AWAY = [
    FeatureStoreConnectionError,
    FeatureStoreTimeoutError,
    FeatureStoreUnavailableError,
    CorruptResponseError,
]


async def test_the_client_is_asked_for_every_bar_including_the_last(client, wandering):
    bars = bars_of(wandering(1))
    market = await ClientSource(client).observe(bars, ["sma_5"])
    assert client.asked == [
        {
            "symbol": "EUR/USD",
            "start": datetime(2023, 1, 2, tzinfo=UTC),
            "end": datetime(2023, 1, 2, tzinfo=UTC) + timedelta(hours=len(bars)),
            "timeframe": "1h",
        }
    ]
    assert market.provenance.source == "live"
    assert np.isfinite(market.feature("sma_5")[4:]).all()


async def test_bars_the_store_does_not_hold_are_calculated_here_and_marked(client_that, wandering):
    bars = bars_of(wandering(1))
    market = await ClientSource(client_that(error=DataNotFoundError("holds GBP/USD"))).observe(bars, ["sma_5"])
    direct = await DirectSource().observe(bars, ["sma_5"])
    assert np.array_equal(market.feature("sma_5"), direct.feature("sma_5"), equal_nan=True)
    assert (market.provenance.source, market.provenance.degraded) == ("direct", True)
    assert "holds GBP/USD" in market.provenance.warnings[0]


async def test_a_client_that_forbids_a_fallback_is_obeyed(client_that, wandering):
    source = ClientSource(client_that(error=DataNotFoundError("none"), fallback="none"))
    with pytest.raises(FeaturesUnavailableError, match="allows no fallback"):
        await source.observe(bars_of(wandering(1)), ["sma_5"])


@pytest.mark.parametrize("error", AWAY)
async def test_when_the_clients_own_ladder_ends_there_are_no_features(client_that, wandering, error):
    with pytest.raises(FeaturesUnavailableError, match="gave no answer: the reason"):
        await ClientSource(client_that(error=error("the reason"))).observe(bars_of(wandering(1)), ["sma_5"])


async def test_a_service_that_is_down_is_replaced_by_the_clients_own_calculation(wandering):
    async with FeatureStoreClient("http://127.0.0.1:9/api/v1", max_retries=0, use_cache=False) as client:
        strategy = MACrossoverStrategy("cross", feature_store_client=client)
        signals = await strategy.generate_signals(wandering(1, 600))
    alone = MACrossoverStrategy("cross", use_feature_store=False)
    calculated = await alone.generate_signals(wandering(1, 600))
    settled = [s for s in calculated if s.time >= signals[0].time]  # where the bars begin no longer weighs on ATR
    assert {s.provenance for s in signals} == {"direct"}
    assert signals == settled


async def test_a_strategy_makes_and_closes_a_client_of_its_own(wandering, monkeypatch):
    monkeypatch.setenv("FEATURE_STORE_URL", "http://127.0.0.1:9/api/v1")
    async with MACrossoverStrategy("cross") as strategy:
        assert await strategy.generate_signals(wandering(2, 600))
        assert isinstance(strategy.feature_store_client, FeatureStoreClient)
    assert strategy.feature_store_client is None


@pytest.mark.parametrize("error", [FeatureNotFoundError, FeatureStoreAuthError])
async def test_a_wrong_request_or_key_is_not_hidden_by_a_fallback(client_that, wandering, error):
    with pytest.raises(error):
        await ClientSource(client_that(error=error("wrong"))).observe(bars_of(wandering(1)), ["sma_5"])


async def test_synthetic_features_are_refused(client_that, wandering):
    with pytest.raises(FeaturesUnavailableError, match="synthetic"):
        await ClientSource(client_that(source="synthetic")).observe(bars_of(wandering(1)), ["sma_5"])


@pytest.mark.parametrize(("age", "tradable"), [(299, True), (301, False)])
async def test_stale_features_are_used_up_to_their_bound(client_that, wandering, age, tradable):
    client = client_that(source="stale", as_of=(NOW - timedelta(seconds=age)).isoformat())
    source = ClientSource(client, max_stale_s=300.0, now=lambda: NOW)
    if tradable:
        assert (await source.observe(bars_of(wandering(1)), ["sma_5"])).provenance.source == "stale"
    else:
        with pytest.raises(FeaturesUnavailableError, match="301 s old, the bound is 300 s"):
            await source.observe(bars_of(wandering(1)), ["sma_5"])


async def test_bars_the_answer_does_not_know_have_no_values(client, wandering):
    bars = bars_of(wandering(1))
    answer = await client.get_indicators("EUR/USD", None, None, indicators=["sma_5"], bars=wandering(1))

    class Shorter:
        async def get_indicators(self, **_):
            kept = answer.iloc[:-10]
            kept.attrs.update(answer.attrs)
            return kept

    market = await ClientSource(Shorter()).observe(bars, ["sma_5"])
    assert np.isnan(market.feature("sma_5")[-10:]).all()
    assert np.isfinite(market.feature("sma_5")[-11])


async def test_a_strategy_without_features_is_silent_and_says_why(client_that, wandering, caplog):
    strategy = MACrossoverStrategy("quiet", feature_store_client=client_that(source="synthetic"))
    assert await strategy.generate_signals(wandering(1)) == []
    assert "quiet gives no signals: these features are synthetic" in caplog.text


async def test_no_client_is_asked_when_the_feature_store_is_switched_off(client, wandering):
    asked = MACrossoverStrategy(feature_store_client=client)
    alone = MACrossoverStrategy(feature_store_client=client, use_feature_store=False)
    through_client = await asked.generate_signals(wandering(1))
    directly = await alone.generate_signals(wandering(1))
    assert len(client.asked) == 1
    assert through_client
    assert [s.marked("direct") for s in through_client] == directly
    assert {s.provenance for s in through_client} == {"live"}


async def test_without_an_engine_there_are_no_features(monkeypatch, wandering):
    def missing(*_):
        raise ImportError("No module named 'llvmlite'")

    monkeypatch.setattr("feature_store.compute", missing)
    with pytest.raises(FeaturesUnavailableError, match=r"pip install 'forex-feature-store\[engine\]'"):
        await DirectSource().observe(bars_of(wandering(1)), ["sma_5"])
