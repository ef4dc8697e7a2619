import asyncio
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import stamina

from feature_store import errors
from feature_store.events import ApiCall, BreakerChange, Fallback, Retried, subscribe
from feature_store.settings import DEFAULT_URL
from strategy_execution_engine.caching.feature_cache import FeatureCache, get_feature_cache
from strategy_execution_engine.clients import feature_store_client, in_process_transport
from strategy_execution_engine.clients.feature_store_client import (
    DEFAULT_INDICATORS,
    ClientClosedError,
    DataNotFoundError,
    FeatureNotFoundError,
    FeatureStoreAuthError,
    FeatureStoreClient,
    FeatureStoreConnectionError,
    FeatureStoreTimeoutError,
    FeatureStoreUnavailableError,
    InvalidRequestError,
)

from .conftest import NEVER_USED, refusing, reset, stall

IDS = ["sma_50", "sma_200", "rsi_14"]
FEBRUARY = ("EUR/USD", "2023-02-01", "2023-02-10", "1h", IDS)


@pytest.fixture
def events():
    seen = []
    unsubscribe = subscribe(seen.append)
    yield seen
    unsubscribe()


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def source(frame):
    return frame.attrs["provenance"]["source"]


def frame_of(bars):
    return pd.DataFrame(dict(bars.columns), index=pd.DatetimeIndex(bars.time.view("M8[us]"), tz="UTC", name="time"))


# ---------------------------------------------------------------- the six methods
async def test_bars_come_as_a_frame_by_utc_time(make_client, store):
    frame = await make_client().get_ohlcv_data("eurusd", "2023-02-01", "2023-02-10", "H1")
    assert list(frame.columns) == ["open", "high", "low", "close", "tick_volume"]
    assert (frame.index.name, str(frame.index.dtype)) == ("time", "datetime64[us, UTC]")
    assert frame.index[0] == pd.Timestamp("2023-02-01", tz="UTC")
    assert frame.index[-1] == pd.Timestamp("2023-02-10T23:00", tz="UTC")
    assert frame.attrs["symbol"] == "EUR/USD"
    assert frame.attrs["provenance"] == {
        "source": "live",
        "as_of": "2023-06-01T00:00:00Z",
        "degraded": False,
        "warnings": [],
        "versions": dict.fromkeys(frame.columns, "v1"),
        "anchor": 1672531200000,
    }
    expected = store.bars.columns["close"][31 * 24 : 41 * 24]
    assert frame["close"].to_numpy().tobytes() == expected.tobytes()


async def test_indicators_come_as_columns_in_the_order_asked(make_client):
    frame = await make_client().get_indicators("EUR/USD", "2023-01-01", "2023-01-31", indicators=IDS)
    assert list(frame.columns) == IDS
    assert len(frame) == 744
    assert frame["sma_200"].isna().sum() == 199


async def test_without_names_a_documented_set_is_asked_for(make_client):
    frame = await make_client().get_indicators("EUR/USD", "2023-02-01", "2023-02-02")
    assert {name.split(".")[0] for name in frame.columns} == set(DEFAULT_INDICATORS)


async def test_one_feature_is_computed_by_name_and_parameters_or_by_id(make_client):
    client = make_client()
    by_name = await client.compute_feature("rsi", "EUR/USD", "2023-02-01", "2023-02-02", parameters={"period": 5})
    by_id = await client.compute_feature("rsi_5", "EUR/USD", "2023-02-01", "2023-02-02")
    pd.testing.assert_frame_equal(by_name, by_id)
    again = await client.compute_feature("rsi", "EUR/USD", "2023-02-01", "2023-02-02", parameters={"period": 6})
    assert list(again.columns) == ["rsi_6"]


async def test_the_catalog_and_its_entries_say_where_they_come_from(make_client):
    client = make_client()
    indicators = await client.get_available_indicators()
    assert {"rsi", "macd", "sma"} <= {each["id"] for each in indicators}
    assert {each["provenance"]["source"] for each in indicators} == {"live"}
    about = await client.get_indicator_metadata("rsi_14")
    assert (about["id"], about["provenance"]["source"]) == ("rsi_14", "live")
    assert (await client.get_indicator_metadata("rsi_14"))["provenance"]["source"] == "cache"


@pytest.mark.parametrize("wire_format", ["json", "arrow"])
async def test_every_way_to_the_store_gives_the_same_bits(make_client, store, wire_format):
    over_http = await make_client(wire_format=wire_format).get_indicators(*FEBRUARY)
    transport = in_process_transport.InProcessTransport(store)
    in_process = await make_client(transport=transport).get_indicators(*FEBRUARY)
    pd.testing.assert_frame_equal(over_http, in_process, check_exact=True)


# ---------------------------------------------------------------- checked before any I/O
@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        (("unknown", "2023-01-01", "2023-01-02"), "symbol"),
        (("EUR/USD", "2023-01-02", "2023-01-01T00:00"), "end"),
        (("EUR/USD", "yesterday", "2023-01-02"), "start"),
        (("EUR/USD", pd.NaT, "2023-01-02"), "start"),
        (("EUR/USD", "2023-01-01", "2023-01-02", "7m"), "timeframe"),
        (("EUR/USD", "2023-01-01", "2023-01-02", "1h", []), "indicators"),
        (("EUR/USD", "2023-01-01", "2023-01-02", "1h", [""]), "indicators"),
        (("EUR/USD", "2023-01-01", "2023-01-02", "1h", [1]), "indicators"),
        (("EUR/USD", "2023-01-01", "2023-01-02", "1h", ["sma_5"] * 201), "indicators"),
        ((["EUR/USD"], "2023-01-01", "2023-01-02"), "symbol"),
    ],
)
async def test_a_request_that_breaks_a_rule_is_refused_before_any_io(make_client, service, arguments, field):
    with pytest.raises(InvalidRequestError) as raised:
        await make_client().get_indicators(*arguments)
    assert raised.value.field == field
    assert service.asked == []


@pytest.mark.parametrize("parameters", [{"period": True}, {"period": None}, {"period": [1]}, {1: 2}])
async def test_parameters_that_are_none_are_refused_before_any_io(make_client, service, parameters):
    with pytest.raises(InvalidRequestError, match="a parameter is a name and a number"):
        await make_client().compute_feature("rsi", "EUR/USD", "2023-01-01", "2023-01-02", parameters=parameters)
    assert service.asked == []


async def test_times_may_be_given_in_any_form(make_client):
    client = make_client()
    expected = await client.get_ohlcv_data("EUR/USD", "2023-02-01T00:00:00Z", "2023-02-02T00:00:00Z")
    for start, end in [
        (pd.Timestamp("2023-02-01"), pd.Timestamp("2023-02-01T19:00", tz="America/New_York")),
        (1675209600000, np.datetime64("2023-02-02")),
        (expected.index[0].to_pydatetime(), "2023-02-01"),
    ]:
        frame = await client.get_ohlcv_data("EUR/USD", start, end)
        pd.testing.assert_frame_equal(frame, expected)


@pytest.mark.parametrize(
    "options",
    [
        {"cache_ttl": 0},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"max_retries": -1},
        {"max_retries": 11},
        {"max_retries": 1.5},
        {"max_retries": True},
        {"stale_for": -1},
        {"fallback": "guess"},
        {"mode": "demo"},
        {"breaker_failures": 0},
        {"breaker_reset_s": 0},
        {"base_url": "nowhere"},
        {"wire_format": "csv"},
        {"fallback": "synthetic", "mode": "live"},
    ],
    ids=str,
)
def test_a_client_that_cannot_work_is_not_made(options):
    with pytest.raises(InvalidRequestError):
        FeatureStoreClient(**{"base_url": NEVER_USED, **options})


def test_address_and_key_come_from_the_environment(monkeypatch):
    monkeypatch.delenv("FEATURE_STORE_URL", raising=False)
    assert DEFAULT_URL in repr(FeatureStoreClient())
    monkeypatch.setenv("FEATURE_STORE_URL", "http://features.example/api/v1")
    monkeypatch.setenv("FEATURE_STORE_API_KEY", "fsk_hidden")
    client = FeatureStoreClient()
    assert "http://features.example/api/v1" in repr(client)
    assert "fsk_hidden" not in repr(client)
    assert FeatureStoreClient(NEVER_USED, "other")._transport.identity != client._transport.identity


# ---------------------------------------------------------------- refusals are answers
async def test_refusals_are_raised_and_nothing_replaces_them(make_client, service, store, events):
    client = make_client(fallback="synthetic")
    with pytest.raises(FeatureNotFoundError, match="rsj"):
        await client.get_indicators(*FEBRUARY[:4], ["rsj_14"], bars=frame_of(store.bars))
    service.script.append(refusing(404, "data_not_found", "holds EUR/USD 1h"))
    with pytest.raises(DataNotFoundError, match="holds EUR/USD"):
        await client.get_ohlcv_data("EUR/USD", "1999-01-01", "1999-01-02")
    with pytest.raises(FeatureStoreAuthError):
        await make_client(api_key="wrong").get_ohlcv_data("EUR/USD", "2023-01-01", "2023-01-02")
    assert len(service.asked) == 3
    assert [event.error for event in of_kind(events, ApiCall)] == [
        "feature_not_found",
        "data_not_found",
        "not_authorised",
    ]


# ---------------------------------------------------------------- cache
async def test_the_second_answer_comes_from_the_cache(make_client, service, events):
    client = make_client()
    first, second = [await client.get_indicators(*FEBRUARY) for _ in range(2)]
    assert (source(first), source(second)) == ("live", "cache")
    assert first.attrs["provenance"] | {"source": "cache"} == second.attrs["provenance"]
    pd.testing.assert_frame_equal(first, second, check_exact=True)
    assert len(service.asked) == 1
    assert [(event.method, event.source, event.error) for event in of_kind(events, ApiCall)] == [
        ("get_indicators", "live", None),
        ("get_indicators", "cache", None),
    ]


async def test_cached_answers_grow_old(make_client, service, clock):
    client = make_client(cache_ttl=300)
    await client.get_indicators(*FEBRUARY)
    clock.now += 299
    assert source(await client.get_indicators(*FEBRUARY)) == "cache"
    clock.now += 1
    assert source(await client.get_indicators(*FEBRUARY)) == "live"


async def test_without_a_cache_every_call_asks(make_client, service):
    client = make_client(use_cache=False)
    assert [source(await client.get_indicators(*FEBRUARY)) for _ in range(2)] == ["live", "live"]
    assert client.cache is None


async def test_keys_name_what_they_hold_so_that_patterns_can_drop_it(make_client):
    client = make_client()
    await client.get_indicators(*FEBRUARY)
    await client.get_ohlcv_data(*FEBRUARY[:4])
    assert client.cache.invalidate_pattern("indicators:EUR/USD:1h:*:sma_50,*") == 1
    assert client.cache.invalidate_pattern("ohlcv:EUR/USD:*") == 1


async def test_another_key_never_sees_what_was_cached_for_this_one(make_client):
    cache = FeatureCache()
    await make_client(cache=cache).get_indicators(*FEBRUARY)
    with pytest.raises(FeatureStoreAuthError):
        await make_client(cache=cache, api_key="wrong").get_indicators(*FEBRUARY)


def test_the_cache_of_the_process_is_the_default():
    assert FeatureStoreClient(NEVER_USED).cache is get_feature_cache()


async def test_mutating_an_answer_never_changes_the_next(make_client):
    client = make_client()
    first = await client.get_indicators(*FEBRUARY)
    untouched = first.copy(deep=True)
    for _ in range(3):
        frame = await client.get_indicators(*FEBRUARY)
        assert frame.equals(untouched)
        assert frame.attrs["provenance"] == untouched.attrs["provenance"] | {"source": "cache"}
        frame.iloc[:, :] = 0.0
        frame["more"] = 1.0
        frame.index.name = "when"
        frame.columns.name = "what"
        frame.columns = [*"abcd"]
        frame.attrs["provenance"]["warnings"].append("changed")
        frame.attrs["provenance"]["versions"].clear()
        frame.attrs["provenance"]["source"] = "mine"
        frame.pop("a")
        frame.loc[frame.index[0], "b"] = -1.0
    assert frame.shape == (240, 3)


async def test_mutating_a_document_never_changes_the_next(make_client):
    client = make_client()
    for _ in range(3):
        indicators = await client.get_available_indicators()
        about = await client.get_indicator_metadata("rsi_14")
        assert indicators[0]["parameters"]
        assert about["parameters"]
        indicators[0]["parameters"].clear()
        indicators[0]["provenance"]["source"] = "mine"
        assert indicators[1]["provenance"]["source"] != "mine"
        about["parameters"].clear()


# ---------------------------------------------------------------- single flight and cancellation
async def test_identical_concurrent_calls_share_one_request(make_client, service):
    client = make_client(use_cache=False)
    frames = await asyncio.gather(*(client.get_indicators(*FEBRUARY) for _ in range(20)))
    assert len(service.asked) == 1
    frames[0].iloc[0, 0] = -1.0
    assert frames[1].iloc[0, 0] != -1.0


async def test_a_cancelled_caller_leaves_the_others_their_answer_and_the_breaker_alone(make_client, service):
    client = make_client(breaker_failures=1)
    service.script.append(stall)
    waiting = [asyncio.create_task(client.get_indicators(*FEBRUARY)) for _ in range(3)]
    await service.called.wait()
    waiting.pop(0).cancel()
    await asyncio.sleep(0)
    assert client._guarded.breaker("indicators").state == "closed"
    for task in waiting:
        task.cancel()
    assert [type(each) for each in await asyncio.gather(*waiting, return_exceptions=True)] == [
        asyncio.CancelledError
    ] * 2
    await asyncio.sleep(0)
    assert client._guarded.breaker("indicators").state == "closed"
    assert source(await client.get_indicators(*FEBRUARY)) == "live"


# ---------------------------------------------------------------- what is tried again, and what is held back
async def test_a_broken_connection_is_tried_again(make_client, service, events):
    service.script.extend([reset, refusing(503)])
    assert source(await make_client().get_indicators(*FEBRUARY)) == "live"
    assert len(service.asked) == 3
    assert of_kind(events, Retried) == [Retried("get_indicators")] * 2


async def test_an_outage_costs_at_most_a_fifth_more_requests(make_client, service):
    service.always = reset
    client = make_client(breaker_failures=10_000, use_cache=False, fallback="none")
    for minute in range(200):
        with pytest.raises(FeatureStoreConnectionError):
            await client.get_ohlcv_data("EUR/USD", "2023-01-01", f"2023-01-02T00:{minute % 60:02}")
    assert 200 < len(service.asked) <= 240


async def test_a_call_ends_at_its_deadline_however_many_tries_are_left(make_client, service):
    service.always = stall
    with stamina.set_testing(False), pytest.raises(FeatureStoreTimeoutError, match="no answer within"):
        await make_client(timeout=0.04, fallback="none", clock=time.monotonic).get_indicators(*FEBRUARY)
    assert len(service.asked) == 1


async def test_the_breaker_opens_and_recovers_through_one_probe(make_client, service, clock, events):
    client = make_client(breaker_failures=2, breaker_reset_s=60, max_retries=0, fallback="none", use_cache=False)
    service.always = refusing(500, detail="broken")
    for _ in range(2):
        with pytest.raises(FeatureStoreUnavailableError, match="broken"):
            await client.get_indicators(*FEBRUARY)
    with pytest.raises(FeatureStoreUnavailableError, match="held back"):
        await client.get_indicators(*FEBRUARY)
    assert len(service.asked) == 2
    assert "indicators=open" in repr(client)
    service.always = None
    assert source(await client.get_ohlcv_data(*FEBRUARY[:4])) == "live"  # each endpoint has its own
    clock.now += 60
    assert source(await client.get_indicators(*FEBRUARY)) == "live"
    assert "indicators=closed" in repr(client)
    changes = [(change.endpoint, change.state) for change in of_kind(events, BreakerChange)]
    assert changes == [("indicators", "open"), ("indicators", "half_open"), ("indicators", "closed")]


async def test_refusals_and_throttling_do_not_open_the_breaker(make_client, service):
    client = make_client(breaker_failures=1, max_retries=0, fallback="none", use_cache=False)
    for misbehave, error in [
        (refusing(422, "invalid_request"), InvalidRequestError),
        (refusing(429, "invalid_request"), FeatureStoreUnavailableError),
        (refusing(401, "not_authorised"), FeatureStoreAuthError),
    ]:
        service.script.append(misbehave)
        with pytest.raises(error):
            await client.get_indicators(*FEBRUARY)
    assert source(await client.get_indicators(*FEBRUARY)) == "live"


# ---------------------------------------------------------------- fallback
async def test_a_stale_answer_stands_in_within_its_bound(make_client, service, clock, events):
    client = make_client(cache_ttl=300, stale_for=600)
    live = await client.get_indicators(*FEBRUARY)
    service.always = reset
    clock.now += 899
    frame = await client.get_indicators(*FEBRUARY)
    about = frame.attrs["provenance"]
    assert (about["source"], about["degraded"], about["as_of"]) == ("stale", True, "2023-06-01T00:00:00Z")
    assert "as of 2023-06-01T00:00:00Z" in about["warnings"][0]
    pd.testing.assert_frame_equal(frame, live, check_exact=True)
    assert of_kind(events, Fallback) == [Fallback("get_indicators", "stale")]
    clock.now += 1
    with pytest.raises(FeatureStoreConnectionError):
        await client.get_indicators(*FEBRUARY)


async def test_direct_calculation_gives_the_services_bits(make_client, service, store, events):
    client = make_client()
    live = await make_client().get_indicators(*FEBRUARY)
    await client.get_ohlcv_data("EUR/USD", None, "2023-02-28")
    service.always = reset
    frame = await client.get_indicators(*FEBRUARY)
    assert source(frame) == "direct"
    assert "the service did not answer" in frame.attrs["provenance"]["warnings"][0]
    pd.testing.assert_frame_equal(frame, live, check_exact=True)
    assert frame.to_numpy().tobytes() == live.to_numpy().tobytes()
    assert of_kind(events, Fallback) == [Fallback("get_indicators", "direct")]
    service.always = None
    client = make_client()
    await client.get_ohlcv_data("EUR/USD", "2023-02-28", "2023-02-28")  # from there the anchor is known
    service.always = reset
    frame = await client.get_indicators(*FEBRUARY, bars=frame_of(store.bars))
    pd.testing.assert_frame_equal(frame, live, check_exact=True)


async def test_a_fallback_is_never_cached(make_client, service, store, clock):
    client = make_client()
    service.always = reset
    assert source(await client.get_indicators(*FEBRUARY, bars=frame_of(store.bars))) == "direct"
    service.always = None
    clock.now += 60
    assert source(await client.get_indicators(*FEBRUARY)) == "live"


async def test_bars_are_served_again_from_memory(make_client, service):
    client = make_client(use_cache=False)
    await client.get_ohlcv_data("EUR/USD", "2023-01-20", "2023-02-28")
    service.always = reset
    frame = await client.get_ohlcv_data(*FEBRUARY[:4])
    assert (source(frame), frame.attrs["provenance"]["degraded"]) == ("stale", True)


async def test_without_bars_the_services_error_says_both_things(make_client, service):
    service.always = reset
    with pytest.raises(
        FeatureStoreConnectionError, match=r"broke .* nor can it be calculated here: no bars are at hand"
    ):
        await make_client().get_indicators(*FEBRUARY)


async def test_fallback_none_means_none(make_client, service, store, clock):
    client = make_client(fallback="none")
    await client.get_indicators(*FEBRUARY)
    await client.get_ohlcv_data("EUR/USD", None, None)
    await client.get_available_indicators()
    clock.now += 301
    service.always = reset
    with pytest.raises(FeatureStoreConnectionError):
        await client.get_indicators(*FEBRUARY, bars=frame_of(store.bars))
    with pytest.raises(FeatureStoreConnectionError):
        await client.get_available_indicators()


async def test_synthetic_data_is_marked_and_only_comes_where_it_was_switched_on(make_client, service):
    service.always = reset
    client = make_client(fallback="synthetic")
    bars = await client.get_ohlcv_data(*FEBRUARY[:4])
    features = await client.get_indicators(*FEBRUARY)
    for frame in (bars, features):
        about = frame.attrs["provenance"]
        assert (about["source"], about["degraded"]) == ("synthetic", True)
        assert "these values are invented" in about["warnings"]
    assert not features.isna().to_numpy().any()
    np.testing.assert_allclose(features["sma_50"].iloc[-1], bars["close"].iloc[-50:].mean())
    with pytest.raises(InvalidRequestError, match="synthetic data needs a start and an end"):
        await client.get_ohlcv_data("EUR/USD", None, "2023-02-10")
    with pytest.raises(InvalidRequestError, match="no synthetic features"):
        await client.get_indicators(*FEBRUARY[:4], ["spread_z"])


async def test_the_catalog_of_this_process_stands_in_marked(make_client, service, clock):
    client = make_client(stale_for=60)
    live = await client.get_available_indicators()
    service.always = reset
    clock.now += 301
    stale = await client.get_available_indicators()
    assert {each["provenance"]["source"] for each in stale} == {"stale"}
    clock.now += 3600
    direct = await client.get_available_indicators()
    assert {each["provenance"]["source"] for each in direct} == {"direct"}
    assert direct[0]["provenance"]["degraded"]
    assert [each["id"] for each in direct] == [each["id"] for each in live]
    about = await client.get_indicator_metadata("rsi_5")
    assert (about["parameters"]["period"]["value"], about["provenance"]["source"]) == (5, "direct")
    with pytest.raises(FeatureStoreConnectionError):
        await client.get_indicator_metadata("only_the_service_knows")


# ---------------------------------------------------------------- closing
async def test_closing_twice_is_harmless_and_calls_afterwards_are_told(make_client):
    client = make_client()
    async with client as same:
        assert same is client
        await client.get_indicators(*FEBRUARY)
    await client.close()
    assert repr(client).startswith("<FeatureStoreClient closed")
    for call in (
        client.get_indicators(*FEBRUARY),
        client.get_ohlcv_data(*FEBRUARY[:4]),
        client.compute_feature("rsi", *FEBRUARY[:4]),
        client.get_available_indicators(),
        client.get_indicator_metadata("rsi"),
    ):
        with pytest.raises(ClientClosedError, match="this client is closed"):
            await call
    with pytest.raises(ClientClosedError):
        await client.__aenter__()


async def test_closing_ends_calls_under_way(make_client, service):
    client = make_client()
    service.always = stall
    waiting = [asyncio.create_task(client.get_indicators(*FEBRUARY)) for _ in range(2)]
    await service.called.wait()
    await client.close()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [ClientClosedError] * 2


async def test_a_client_that_was_never_used_closes_too():
    await FeatureStoreClient(NEVER_USED).close()


# ---------------------------------------------------------------- installation
def test_the_client_needs_nothing_heavy():
    code = (
        "import sys; from strategy_execution_engine.clients import FeatureStoreClient, InProcessTransport; "
        "FeatureStoreClient('http://localhost:1'); "
        "print([m for m in ('llvmlite', 'polars', 'deltalake', 'fastapi', 'pydantic', 'dash') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_error_a_caller_can_meet_is_found_beside_the_client():
    for name in feature_store_client.__all__:
        if name.endswith("Error") and name != "ClientClosedError":
            assert getattr(feature_store_client, name) is getattr(errors, name)
    assert errors.by_code("client_closed") is ClientClosedError
