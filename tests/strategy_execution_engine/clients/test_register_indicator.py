"""`register_indicator`: a definition goes to the store, with the store's own errors, over every transport."""

import pandas as pd
import pytest

import feature_store as fs
from feature_store import json_codec
from feature_store.errors import FeatureNotFoundError
from feature_store.events import ApiCall, subscribe
from strategy_execution_engine.clients.feature_store_client import (
    ClientClosedError,
    ConflictError,
    FeatureStoreConnectionError,
    FeatureStoreUnavailableError,
    InvalidRequestError,
    StoreReadOnlyError,
)
from strategy_execution_engine.clients.in_process_transport import InProcessTransport
from tests.conftest import random_walk

from .conftest import refusing, reset

SPREAD = ("spread_z", "zscore(close - ema(close, n), n)", {"n": fs.Int(20, ge=2)})


@pytest.fixture
def market():
    """A real store in memory, with two weeks of bars."""
    hours = pd.date_range("2023-01-02", "2023-01-13 20:00", freq="1h", tz="UTC", name="time")
    hours = hours[hours.day_of_week < 5]
    with fs.open(":memory:") as store:
        store.ingest("EUR/USD", "1h", random_walk(len(hours)).set_index(hours))
        yield store


async def test_a_definition_goes_out_as_the_service_reads_it_and_its_description_comes_back(make_client, service):
    seen = []
    unsubscribe = subscribe(seen.append)
    about = await make_client().register_indicator(*SPREAD, title="Mine", unit="deviations", description="How far.")
    unsubscribe()
    (asked,) = service.asked
    assert (asked.method, asked.path) == ("POST", "/api/v1/indicators")
    assert json_codec.loads(asked.body) == {
        "name": "spread_z",
        "expression": SPREAD[1],
        "parameters": {"n": {"type": "int", "default": 20, "ge": 2, "le": 5000}},
        "title": "Mine",
        "unit": "deviations",
        "description": "How far.",
    }
    assert (about["id"], about["warmup"], about["provenance"]["source"]) == ("spread_z:v1", 38, "live")
    assert [(event.method, event.error) for event in seen if isinstance(event, ApiCall)] == [
        ("register_indicator", None)
    ]


async def test_plain_data_and_several_outputs_are_taken_too(make_client):
    lines = {"middle": "sma(hl2, n)", "upper": "middle * k"}
    about = await make_client().register_indicator(
        "channel", lines, {"n": {"default": 20, "ge": 2}, "k": {"default": 1.5}}
    )
    assert about["expression"] == lines


async def test_a_refusal_is_the_librarys_own(make_client, service):
    client = make_client()
    for definition, error in [
        (("mine", "close - eam(close, 3)"), InvalidRequestError),
        (("mine", {"a": "close", "b": "low.x"}), InvalidRequestError),
        (("mine", "close", {"k": {"default": 3}}), InvalidRequestError),
        (("Mine", "close"), InvalidRequestError),
        (("rsi", "close"), ConflictError),
    ]:
        with pytest.raises(error) as over_http:
            await client.register_indicator(*definition)
        with pytest.raises(error) as here:
            service.custom.register(*definition)
        assert type(over_http.value) is (ConflictError if error is ConflictError else InvalidRequestError)
        assert (str(over_http.value), over_http.value.field) == (str(here.value), here.value.field)
    service.script.append(refusing(409, "store_read_only", "this service may only read its store"))
    with pytest.raises(StoreReadOnlyError, match="may only read"):
        await client.register_indicator(*SPREAD)


@pytest.mark.parametrize("parameters", [{"n": object()}, {"n": {1, 2}}, {3: {"default": 1}}, 7, "n"])
async def test_what_cannot_be_sent_is_refused_before_any_io(make_client, service, parameters):
    with pytest.raises(InvalidRequestError, match="a definition is made of texts"):
        await make_client().register_indicator("mine", "close * n", parameters)
    assert service.asked == []


async def test_an_outage_is_tried_again_and_then_raised_for_nothing_stands_in(make_client, service):
    service.script.extend([reset, refusing(503)])
    assert (await make_client().register_indicator(*SPREAD))["version"] == "v1"
    service.always = refusing(500, detail="broken")
    with pytest.raises(FeatureStoreUnavailableError, match="broken"):
        await make_client(max_retries=0).register_indicator(*SPREAD)
    service.always = reset
    with pytest.raises(FeatureStoreConnectionError):
        await make_client(max_retries=0, fallback="synthetic").register_indicator(*SPREAD)


async def test_over_every_transport_it_is_asked_for_as_any_other(make_client, market):
    client = make_client(transport=InProcessTransport(market))
    about = await client.register_indicator(*SPREAD)
    assert (about["id"], about["provenance"]["source"]) == ("spread_z:v1", "live")
    assert (await client.get_indicator_metadata("spread_z_9"))["parameters"]["n"]["value"] == 9
    frame = await client.compute_feature("spread_z", "EUR/USD", "2023-01-03", "2023-01-12", parameters={"n": 9})
    assert list(frame.columns) == ["spread_z_9"]
    pd.testing.assert_frame_equal(frame, market.features("EUR/USD", "1h", ["spread_z_9"], "2023-01-03", "2023-01-12"))
    with pytest.raises(FeatureNotFoundError):
        await client.get_indicator_metadata("spread_z:v2")
    with pytest.raises(ConflictError, match="rsi is an indicator"):
        await client.register_indicator("rsi", "close")


async def test_what_the_cache_held_of_the_name_is_forgotten_and_the_rest_is_not(make_client, market):
    client = make_client(transport=InProcessTransport(market))
    week = ("EUR/USD", "2023-01-03", "2023-01-12", "1h")
    await client.register_indicator("mine", "close")
    first = await client.get_indicators(*week, ["mine"])
    for ask in (client.get_available_indicators, lambda: client.get_indicator_metadata("mine")):
        await ask()
    await client.get_indicators(*week, ["sma_5"])
    await client.register_indicator("mine", "close * 2")
    assert (await client.get_indicators(*week, ["sma_5"])).attrs["provenance"]["source"] == "cache"
    pd.testing.assert_frame_equal(await client.get_indicators(*week, ["mine"]), first * 2)
    assert (await client.get_indicator_metadata("mine"))["version"].startswith("v2.")
    assert "v2" in [each["version"] for each in await client.get_available_indicators() if each["id"] == "mine"]


async def test_a_closed_client_registers_nothing(make_client, service):
    client = make_client()
    await client.close()
    with pytest.raises(ClientClosedError):
        await client.register_indicator(*SPREAD)
    assert service.asked == []
