"""From stored bars through the service and the client to strategies: the same bits on every way."""

from __future__ import annotations

import asyncio

import pytest

import feature_store as fs
from feature_store.errors import (
    DataNotFoundError,
    FeatureNotFoundError,
    FeatureStoreConnectionError,
    InvalidRequestError,
)
from feature_store.service.process import ServiceProcess
from strategy_execution_engine.backtest.run import run_backtest
from strategy_execution_engine.caching.feature_cache import FeatureCache
from strategy_execution_engine.clients.feature_store_client import FeatureStoreClient
from strategy_execution_engine.strategies import MACrossoverStrategy, VolatilityBreakoutStrategy
from tests.conftest import same_bits

IDS = ["sma_50", "sma_200", "rsi_14", "macd_12_26_9", "obv", "atr_14@4h"]
MONTH = ("EUR/USD", "2023-01-01", "2023-01-31", "1h")


def client_of(service: ServiceProcess, **options) -> FeatureStoreClient:
    return FeatureStoreClient(service.api_url, cache=FeatureCache(), **options)


@pytest.mark.parametrize("wire_format", ["json", "arrow"])
async def test_store_service_and_client_give_the_same_bits(service, january, wire_format):
    async with client_of(service, wire_format=wire_format) as client:
        asked = await client.get_indicators(*MONTH, IDS)
        again = await client.get_indicators(*MONTH, IDS)
    with fs.open(january) as store:
        stored = store.features("EUR/USD", "1h", IDS, "2023-01-01", "2023-01-31")
    assert asked.attrs["provenance"]["source"] == "live"
    assert again.attrs["provenance"]["source"] == "cache"
    assert list(asked.columns) == list(stored.columns)
    assert asked.index.equals(stored.index)
    assert same_bits(asked, stored)
    assert same_bits(again, stored)


async def test_live_steps_continue_what_the_service_answers(service, bars):
    ids = ["sma_50", "rsi_14", "macd_12_26_9"]
    async with client_of(service) as client:
        asked = await client.get_indicators(*MONTH, ids)
    live = fs.live(ids)
    stepped = {time: live.update(**bar) for time, bar in zip(bars.index, bars.to_dict("records"), strict=True)}
    assert same_bits(asked, [list(stepped[time].values()) for time in asked.index])


async def test_an_outage_is_bridged_by_the_same_bits_and_said(january):
    service = ServiceProcess(january).start()
    cache = FeatureCache()
    try:
        async with FeatureStoreClient(service.api_url, cache=cache, stale_for=0, breaker_reset_s=0.05) as client:
            whole = await client.get_ohlcv_data("EUR/USD", None, None)
            live = await client.get_indicators(*MONTH, IDS[:5])
            service.kill()
            cache.clear()
            direct = await client.get_indicators(*MONTH, IDS[:5])
            given = await client.get_indicators(*MONTH, IDS[:5], bars=whole)
            service.start()
            cache.clear()
            await asyncio.sleep(0.05)  # the breaker's own pause, here as short as it goes
            back = await client.get_indicators(*MONTH, IDS[:5])
    finally:
        service.stop()
    for frame in (direct, given):
        about = frame.attrs["provenance"]
        assert about["source"] == "direct"
        assert about["degraded"]
        assert "cannot be reached" in about["warnings"][0]
        assert same_bits(frame, live)
    assert back.attrs["provenance"]["source"] == "live"
    assert same_bits(back, live)


@pytest.mark.parametrize(
    ("question", "error", "message"),
    [
        (("EUR/USD", "2023-01-01", "2023-01-31", "1h", ["smaa_50"]), FeatureNotFoundError, "did you mean sma"),
        (("EUR/USD", "2023-01-01", "2023-01-31", "1h", ["rsi_1"]), InvalidRequestError, "from 2 to 5000, was 1"),
        (("GBP/USD", "2023-01-01", "2023-01-31", "1h", ["sma_5"]), DataNotFoundError, "EUR/USD 1h"),
        (("EUR/USD", "2023-01-01", "2023-01-31", "7h", ["sma_5"]), InvalidRequestError, "timeframe must be one of"),
        (("EUR/USD", "2023-01-31", "2023-01-01", "1h", ["sma_5"]), InvalidRequestError, "end must be after start"),
        (("EUR/USD", "2031-01-01", "2031-01-31", "1h", ["sma_5"]), DataNotFoundError, "runs from 2022-12-01"),
        (("unknown", "2023-01-01", "2023-01-31", "1h", ["sma_5"]), InvalidRequestError, "symbol must be .*unknown"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_value_rule_and_way_out(service, question, error, message):
    async with client_of(service) as client:
        with pytest.raises(error, match=message):
            await client.get_indicators(*question)


async def test_without_a_service_and_without_bars_the_error_says_what_to_do():
    async with FeatureStoreClient("http://127.0.0.1:9/api/v1", use_cache=False, max_retries=0) as client:
        with pytest.raises(FeatureStoreConnectionError, match=r"feature-store serve"):
            await client.get_indicators(*MONTH, ["sma_5"])


@pytest.mark.parametrize("make", [MACrossoverStrategy, VolatilityBreakoutStrategy])
async def test_a_strategy_trades_alike_on_the_service_and_on_its_own_calculation(service, bars, make):
    bars.attrs["symbol"] = "EUR/USD"
    asking = make("asking")
    asking.feature_store_client = client_of(service)
    try:
        asked = await run_backtest(asking, bars, symbol="EUR/USD")
    finally:
        await asking.cleanup()
    computed = await run_backtest(make("computing", use_feature_store=False), bars, symbol="EUR/USD")
    assert len(asked.trades) > 0
    assert [(t.entry_time, t.exit_time, t.profit) for t in asked.trades] == [
        (t.entry_time, t.exit_time, t.profit) for t in computed.trades
    ]
