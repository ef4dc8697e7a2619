"""The service as a real process on a real folder: it starts, answers as the store does, dies, comes back, and says why not."""

import http.client
import signal

import numpy as np
import pandas as pd
import pytest

import feature_store as fs
from feature_store import wire
from feature_store.errors import FeatureStoreConnectionError
from feature_store.service.process import ServiceProcess

QUESTION = "/features/indicators?symbol=EUR/USD&timeframe=1h&indicators=sma_3,rsi_14,macd"


@pytest.fixture(scope="module")
def bars():
    time = pd.date_range("2023-01-02", periods=90, freq="1h", tz="UTC", name="time")
    close = 1.08 + 0.01 * np.sin(np.arange(len(time)) / 7)
    return pd.DataFrame({"open": close, "high": close, "low": close, "close": close, "tick_volume": 100.0}, index=time)


@pytest.fixture(scope="module")
def home(bars, tmp_path_factory):
    folder = tmp_path_factory.mktemp("market")
    with fs.open(folder) as store:
        store.ingest("EUR/USD", "1h", bars)
    return folder


def get(service, path, **headers):
    status, _, body = ask(service, path, headers)
    return status, body


def head(service, path, **headers):
    return ask(service, path, headers)[:2]


def ask(service, path, headers):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
    try:
        connection.request(
            "GET", "/api/v1" + path, headers={name.replace("_", "-"): text for name, text in headers.items()}
        )
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


@pytest.fixture(scope="module")
def service(home):
    with ServiceProcess(home) as service:
        yield service


@pytest.mark.parametrize(("form", "decode"), [(wire.JSON, wire.frame_from_json), (wire.ARROW, wire.frame_from_arrow)])
def test_an_answer_has_the_bits_of_the_store(service, home, form, decode):
    status, body = get(service, QUESTION, accept=form)
    assert status == 200
    answer = decode(body)
    with fs.open(home) as store:
        expected = store.features("EUR/USD", "1h", ["sma_3", "rsi_14", "macd"])
    assert list(answer.columns) == list(expected.columns)
    for name, column in answer.columns.items():
        np.testing.assert_array_equal(column, expected[name])


def test_an_answer_is_sent_again_only_when_the_data_has_changed(tmp_path, bars):
    with fs.open(tmp_path) as store:
        store.ingest("EUR/USD", "1h", bars[:50])
    with ServiceProcess(tmp_path) as service:
        tag = head(service, QUESTION)[1]["ETag"]
        assert head(service, QUESTION, if_none_match=tag)[0] == 304
        with fs.open(tmp_path) as store:
            store.ingest("EUR/USD", "1h", bars[50:])
        status, headers = head(service, QUESTION, if_none_match=tag)
    assert (status, headers["ETag"] != tag) == (200, True)


def test_errors_come_as_problem_documents(service):
    status, body = get(service, "/data/ohlcv?symbol=GBP/USD")
    assert status == 404
    assert b'"data_not_found"' in body


def test_the_address_is_told(service):
    assert service.url == f"http://127.0.0.1:{service.port}"
    assert service.api_url == f"{service.url}/api/v1"
    assert "running" in repr(service)


def test_a_killed_service_is_gone_and_comes_back_on_the_same_port(home):
    service = ServiceProcess(home)
    with service:
        port, (_, before) = service.port, get(service, "/data/ohlcv?symbol=EUR/USD&end=2023-01-02")
        service.kill()
        assert not service.running
        with pytest.raises(ConnectionRefusedError):
            get(service, QUESTION)
        service.start()
        assert service.port == port
        after = get(service, "/data/ohlcv?symbol=EUR/USD&end=2023-01-02")[1]
    assert wire.frame_from_json(after).time.tolist() == wire.frame_from_json(before).time.tolist()
    assert not service.running


def test_a_stopped_service_has_ended_without_complaint(home):
    service = ServiceProcess(home).start()
    service.stop()
    assert service._process.returncode == 0
    service.stop()


def test_ctrl_c_ends_the_service_as_quietly(home):
    service = ServiceProcess(home).start()
    service._process.send_signal(signal.SIGINT)
    assert service._process.wait(30) == 0


def test_keys_reach_the_service_and_not_its_command_line(home):
    with ServiceProcess(home, api_keys=["first-key", "second-key"]) as service:
        assert get(service, QUESTION)[0] == 401
        assert get(service, QUESTION, x_api_key="second-key")[0] == 200
        assert not any("first-key" in word for word in service._process.args)


def test_a_service_that_cannot_start_says_why(home, service):
    with pytest.raises(FeatureStoreConnectionError, match=f"port {service.port} on 127.0.0.1 is in use"):
        ServiceProcess(home, port=service.port).start()


def test_a_service_that_is_not_ready_in_time_is_not_left_running(home):
    late = ServiceProcess(home, timeout_s=0.0)
    with pytest.raises(FeatureStoreConnectionError, match="not ready within 0 s"):
        late.start()
    assert not late.running
