"""The listening socket: had or refused with the way out before anything starts, and a service that stops when it is told."""

import http.client
import logging
import os
import signal
import threading

import pytest

from feature_store.errors import InvalidRequestError
from feature_store.service.server import bind, serve, url_of


def get(url, path):
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_port_0_picks_a_free_one():
    with bind("127.0.0.1", 0) as first, bind("127.0.0.1", 0) as second:
        assert url_of(first) != url_of(second)
        assert url_of(first).startswith("http://127.0.0.1:")


def test_an_ip_6_address_stands_in_brackets():
    try:
        listener = bind("::1", 0)
    except InvalidRequestError:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert url_of(listener).startswith("http://[::1]:")


def test_a_port_in_use_is_refused_with_the_way_out():
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(InvalidRequestError, match=rf"port {port} on 127.0.0.1 is in use.*0 picks a free one"):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_number_that_is_no_port_is_refused(port):
    with pytest.raises(InvalidRequestError, match="65535"):
        bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["203.0.113.7", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused(host):
    with pytest.raises(InvalidRequestError, match="not an address of this machine"):
        bind(host, 0)


def test_beyond_this_machine_a_key_is_needed_before_anything_starts(store):
    with pytest.raises(InvalidRequestError, match="FEATURE_STORE_SERVICE_KEYS"):
        serve(store, "0.0.0.0", 0, ready=lambda url: pytest.fail(f"started at {url}"))


def served(store, ready, **options):
    """Serve until SIGTERM, which `ready`'s thread sends this process when it has asked its questions."""
    answers = []

    def ask(url):
        try:
            answers.append(ready(url))
        finally:
            os.kill(os.getpid(), signal.SIGTERM)

    before = signal.getsignal(signal.SIGTERM)
    asking = []

    def started(url):
        asking.append(threading.Thread(target=ask, args=(url,)))
        asking[0].start()

    serve(store, "127.0.0.1", 0, ready=started, **options)
    asking[0].join()
    assert signal.getsignal(signal.SIGTERM) == before
    return answers[0]


def test_the_service_answers_until_a_signal_stops_it(store):
    status, body = served(store, lambda url: get(url, "/api/v1/data/ohlcv?symbol=EURUSD"))
    assert status == 200
    assert b'"EUR/USD"' in body


def test_an_open_service_is_logged_as_such(store, caplog):
    with caplog.at_level(logging.WARNING):
        served(store, lambda url: get(url, "/healthz"))
    assert "no API key is set" in caplog.text


def test_a_service_with_keys_asks_for_one(store, caplog):
    status, _ = served(store, lambda url: get(url, "/api/v1/indicators"), api_keys=["first-key"])
    assert status == 401
    assert "no API key" not in caplog.text


def test_requests_under_way_are_answered_before_the_service_stops(store):
    entered, frame = threading.Event(), store.frame

    def slow(request):
        os.kill(os.getpid(), signal.SIGTERM)
        entered.set()
        return frame(request)

    store.frame = slow
    done, asking = [], []

    def started(url):
        asking.append(threading.Thread(target=lambda: done.append(get(url, "/api/v1/data/ohlcv?symbol=EURUSD"))))
        asking[0].start()

    serve(store, "127.0.0.1", 0, ready=started)
    asking[0].join()
    assert entered.is_set()
    assert done[0][0] == 200
