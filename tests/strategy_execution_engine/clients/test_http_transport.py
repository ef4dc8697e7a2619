import asyncio
import gc
import gzip
import socket
import threading

import numpy as np
import pytest

from feature_store import json_codec, wire
from feature_store.errors import (
    CorruptResponseError,
    DataNotFoundError,
    FeatureNotFoundError,
    FeatureStoreAuthError,
    FeatureStoreConnectionError,
    FeatureStoreTimeoutError,
    FeatureStoreUnavailableError,
    InvalidRequestError,
)
from feature_store.wire import FeatureRequest
from strategy_execution_engine.clients.http_transport import HttpTransport
from strategy_execution_engine.clients.outage import Outage
from strategy_execution_engine.clients.transport import Call

from .conftest import KEY, answering, chunked, flip_a_bit, refusing, reset, stall, truncate

JANUARY = FeatureRequest.of("EUR/USD", "1h", "2023-01-02", "2023-01-03", "sma_5,rsi_14")
FEATURES = Call("indicators", JANUARY)


@pytest.fixture
async def make_transport(service):
    made = []

    def make(**options):
        made.append(HttpTransport(options.pop("base_url", service.base_url), options.pop("api_key", KEY), **options))
        return made[-1]

    yield make
    for transport in made:
        await transport.close()


@pytest.fixture
def transport(make_transport):
    return make_transport()


async def outage_of(transport, call=FEATURES, timeout_s=5.0):
    with pytest.raises(Outage) as raised:
        await transport.send(call, timeout_s)
    return raised.value


# ---------------------------------------------------------------- what goes out and comes back
async def test_features_are_asked_for_as_the_contract_says(transport, service):
    frame = await transport.send(FEATURES, 5.0)
    assert list(frame.columns) == ["sma_5", "rsi_14"]
    assert len(frame) == 48
    (asked,) = service.asked
    assert (asked.method, asked.path) == ("GET", "/api/v1/features/indicators")
    assert asked.query == {
        "symbol": "EUR/USD",
        "timeframe": "1h",
        "start": "2023-01-02T00:00:00Z",
        "end": "2023-01-04T00:00:00Z",
        "indicators": "sma_5,rsi_14",
    }
    assert asked.headers["X-API-Key"] == KEY
    assert asked.headers["X-Deadline-Ms"] == "5000"
    assert asked.headers["Accept"] == wire.JSON
    assert asked.headers["Accept-Encoding"] == "gzip, deflate"


async def test_an_open_range_names_no_sides(transport, service):
    await transport.send(Call("ohlcv", FeatureRequest.of("EUR/USD", "1h")), 5.0)
    assert service.asked[0].query == {"symbol": "EUR/USD", "timeframe": "1h"}


async def test_a_feature_with_parameters_is_posted(transport, service):
    asked = FeatureRequest.of("EUR/USD", "1h", "2023-01-02", "2023-01-02", ["rsi"])
    frame = await transport.send(Call("compute", asked, parameters=(("period", 5),)), 5.0)
    assert list(frame.columns) == ["rsi_5"]
    assert service.asked[0].method == "POST"
    assert json_codec.loads(service.asked[0].body) == {
        "feature_name": "rsi",
        "parameters": {"period": 5},
        "symbol": "EUR/USD",
        "timeframe": "1h",
        "start": "2023-01-02T00:00:00Z",
        "end": "2023-01-03T00:00:00Z",
    }


async def test_documents_come_as_they_are_and_a_name_cannot_leave_its_place_in_the_path(transport, service):
    assert "rsi" in {each["id"] for each in (await transport.send(Call("catalog"), 5.0))["indicators"]}
    assert (await transport.send(Call("indicator", indicator="rsi_14"), 5.0))["id"] == "rsi_14"
    with pytest.raises(FeatureNotFoundError):
        await transport.send(Call("indicator", indicator="../data/ohlcv?x=1"), 5.0)
    assert service.asked[-1].query == {}


async def test_arrow_and_json_carry_the_same_bits(transport, make_transport, service, store):
    by_json = await transport.send(FEATURES, 5.0)
    by_arrow = await make_transport(wire_format="arrow").send(FEATURES, 5.0)
    assert service.asked[-1].headers["Accept"].startswith(wire.ARROW)
    for name, column in store.frame(JANUARY).columns.items():
        assert by_json.columns[name].tobytes() == by_arrow.columns[name].tobytes() == column.tobytes()
    assert by_json.provenance == by_arrow.provenance


async def test_compressed_answers_are_read(transport, service, store):
    body = wire.frame_to_json(store.frame(JANUARY))
    service.script.append(answering(gzip.compress(body), **{"Content-Encoding": "gzip"}))
    assert len(await transport.send(FEATURES, 5.0)) == 48


async def test_a_long_answer_is_decoded_in_a_thread(transport, service, store, monkeypatch):
    threads = []
    decode = wire.frame_from_json
    monkeypatch.setattr(
        wire, "frame_from_json", lambda body: threads.append(threading.current_thread()) or decode(body)
    )
    frame = await transport.send(Call("ohlcv", FeatureRequest.of("EUR/USD", "1h")), 5.0)
    await transport.send(FEATURES, 5.0)
    np.testing.assert_array_equal(frame.columns["close"], store.bars.columns["close"])
    assert threads[1] is threading.main_thread()


# ---------------------------------------------------------------- refusals
async def test_errors_of_the_service_arrive_as_their_own_class(transport, make_transport):
    with pytest.raises(FeatureNotFoundError, match="rsj"):
        await transport.send(Call("indicators", FeatureRequest.of("EUR/USD", "1h", indicators="rsj_14")), 5.0)
    with pytest.raises(InvalidRequestError, match="period"):
        await transport.send(Call("indicators", FeatureRequest.of("EUR/USD", "1h", indicators="rsi_1")), 5.0)
    with pytest.raises(FeatureStoreAuthError, match="X-API-Key"):
        await make_transport(api_key="wrong").send(FEATURES, 5.0)
    with pytest.raises(FeatureStoreAuthError):
        await make_transport(api_key=None).send(FEATURES, 5.0)


async def test_no_data_is_no_outage(transport, service):
    service.script.append(refusing(404, "data_not_found", "the store holds EUR/USD 1h from 2023"))
    with pytest.raises(DataNotFoundError, match="holds EUR/USD"):
        await transport.send(FEATURES, 5.0)


# ---------------------------------------------------------------- outages
async def test_a_port_without_a_listener_is_a_connection_error(make_transport):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/api/v1"
        outage = await outage_of(make_transport(base_url=url))
    assert isinstance(outage.error, FeatureStoreConnectionError)
    assert "cannot be reached" in str(outage.error)
    assert "feature-store serve" in str(outage.error)


@pytest.mark.parametrize("misbehave", [reset, truncate])
async def test_a_broken_connection_is_a_connection_error(transport, service, misbehave):
    service.script.append(misbehave)
    outage = await outage_of(transport)
    assert isinstance(outage.error, FeatureStoreConnectionError)
    assert "broke before the answer was complete" in str(outage.error)


async def test_a_request_is_never_sent_a_second_time_on_its_own(transport, service):
    await transport.send(FEATURES, 5.0)  # the next one goes over a connection that is kept alive
    service.asked.clear()
    service.always = reset
    for _ in range(20):
        await outage_of(transport)
    assert len(service.asked) == 20


async def test_a_service_that_stalls_is_a_timeout(transport, service):
    service.script.append(stall)
    outage = await outage_of(transport, timeout_s=0.03)
    assert isinstance(outage.error, FeatureStoreTimeoutError)
    assert "within 0.03 s" in str(outage.error)
    assert service.asked[0].headers["X-Deadline-Ms"] == "30"


async def test_the_callers_own_cancellation_stays_a_cancellation(transport, service):
    service.script.append(stall)
    with pytest.raises(TimeoutError) as raised:
        async with asyncio.timeout(0.03):
            await transport.send(FEATURES, 5.0)
    assert type(raised.value) is TimeoutError


async def test_one_flipped_bit_is_seen(transport, service):
    service.script.append(flip_a_bit)
    outage = await outage_of(transport)
    assert isinstance(outage.error, CorruptResponseError)
    assert "sha-256" in str(outage.error)


@pytest.mark.parametrize(
    "misbehave",
    [
        answering(b"<h1>welcome</h1>", "text/html"),
        answering(b"{"),
        answering(b"[]"),
        answering(b'{"symbol": "EUR/USD"}'),
        answering(b"garbage", wire.ARROW),
        answering(b"garbage", wire.JSON, **{"Content-Encoding": "gzip"}),
        answering(b"garbage", wire.JSON, **{"Content-Encoding": "br"}),
    ],
)
async def test_an_answer_that_is_none_is_corrupt(transport, service, misbehave):
    service.script.append(misbehave)
    assert isinstance((await outage_of(transport)).error, CorruptResponseError)


@pytest.mark.parametrize("body", [b"[1]", b"{", b"1"])
async def test_a_document_that_is_none_is_corrupt(transport, service, body):
    service.script.append(answering(body))
    assert isinstance((await outage_of(transport, Call("catalog"))).error, CorruptResponseError)
    service.script.append(answering(b"{}", "text/html"))
    assert isinstance((await outage_of(transport, Call("catalog"))).error, CorruptResponseError)


async def test_an_answer_about_another_series_is_corrupt(transport, service, store):
    frame = store.frame(JANUARY)
    wrong = wire.Frame("USD/JPY", "1h", frame.time, frame.columns, frame.provenance)
    service.script.append(answering(wire.frame_to_json(wrong)))
    assert "asked was EUR/USD" in str((await outage_of(transport)).error)


async def test_a_failing_service_says_when_to_come_back(transport, service):
    service.script.append(refusing(503, "store_locked", "busy", **{"Retry-After": "2"}))
    outage = await outage_of(transport)
    assert (outage.error.code, outage.retry_after_s, outage.counts) == ("store_locked", 2.0, True)
    service.script.append(refusing(429, "invalid_request", "slower", **{"Retry-After": "1"}))
    outage = await outage_of(transport)
    assert (type(outage.error), outage.retry_after_s, outage.counts) == (FeatureStoreUnavailableError, 1.0, False)


async def test_an_html_error_page_of_a_proxy_is_an_outage(transport, service):
    service.script.append(answering(b"<h1>Bad Gateway</h1>", "text/html", 502))
    assert "answered 502" in str((await outage_of(transport)).error)


async def test_a_redirect_is_not_followed(transport, service):
    service.script.append(answering(b"", "text/plain", 307, Location=service.base_url))
    with pytest.raises(FeatureStoreConnectionError, match="points to another address"):
        await transport.send(FEATURES, 5.0)
    assert len(service.asked) == 1


@pytest.mark.parametrize(
    "misbehave",
    [answering(b"x" * 1001), chunked, answering(gzip.compress(bytes(500_000)), **{"Content-Encoding": "gzip"})],
    ids=["stated length", "unstated length", "decompression bomb"],
)
async def test_an_answer_beyond_the_bound_is_refused(make_transport, service, misbehave):
    service.script.append(misbehave)
    with pytest.raises(InvalidRequestError, match="larger than 1000 bytes"):
        await make_transport(max_bytes=1000).send(FEATURES, 5.0)


async def test_proxies_and_cookies_of_the_environment_are_not_used(transport, service, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    service.script.append(refusing(422, "invalid_request", "no", **{"Set-Cookie": "a=b"}))
    with pytest.raises(InvalidRequestError):
        await transport.send(FEATURES, 5.0)
    await transport.send(FEATURES, 5.0)
    assert "Cookie" not in service.asked[-1].headers


# ---------------------------------------------------------------- sessions
async def test_a_thousand_concurrent_calls_lose_none(transport, service):
    service.always = answering(b'{"n": 1}')
    answers = await asyncio.gather(*(transport.send(Call("catalog"), 30.0) for _ in range(1000)))
    assert answers == [{"n": 1}] * 1000
    assert len(service.asked) == 1000


async def test_a_session_is_made_by_the_first_call_and_closed_once(transport):
    assert "sessions=0" in repr(transport)
    await transport.send(Call("catalog"), 5.0)
    await transport.send(Call("catalog"), 5.0)
    assert "sessions=1" in repr(transport)
    await transport.close()
    await transport.close()
    assert "sessions=0" in repr(transport)


async def test_each_event_loop_has_a_session_and_all_are_closed(transport):
    await transport.send(Call("catalog"), 5.0)
    other, ready, stop = asyncio.new_event_loop(), threading.Event(), threading.Event()

    async def ask():
        await transport.send(Call("catalog"), 5.0)
        ready.set()
        await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: other.run_until_complete(ask()))
    thread.start()
    await asyncio.to_thread(ready.wait)
    assert "sessions=2" in repr(transport)
    await transport.close()
    stop.set()
    await asyncio.to_thread(thread.join)
    other.close()


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_session_whose_event_loop_is_gone_does_not_disturb_closing(transport):
    await asyncio.to_thread(asyncio.run, transport.send(Call("catalog"), 5.0))
    assert "sessions=1" in repr(transport)
    await transport.close()
    gc.collect()  # its socket says here that nobody closed it


def test_the_identity_tells_address_and_key_apart_and_shows_neither():
    one, same, other_key, other_url = (
        HttpTransport("http://a/api", "secret").identity,
        HttpTransport("http://a/api/", "secret").identity,
        HttpTransport("http://a/api", "other").identity,
        HttpTransport("http://b/api", "secret").identity,
    )
    assert one == same
    assert len({one, other_key, other_url}) == 3
    assert "secret" not in repr(HttpTransport("http://a/api", "secret")) + one


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "ftp://x"},
        {"api_key": "a\r\nX-Evil: 1"},
        {"api_key": "ключ"},
        {"api_key": " "},
        {"wire_format": "csv"},
    ],
)
def test_arguments_that_cannot_work_are_refused_before_anything_is_sent(options):
    with pytest.raises(InvalidRequestError, match="must be"):
        HttpTransport(**{"base_url": "http://a", **options})
