"""A service's metrics arrive over HTTP in the shape of this process' own."""

from __future__ import annotations

import http.server
import threading

import pytest

from feature_store.errors import CorruptResponseError, FeatureStoreConnectionError, InvalidRequestError
from feature_store.events import Served
from feature_store.metrics import Recorder
from strategy_execution_engine.monitoring.service_metrics import ServiceMetrics


@pytest.fixture
def address():
    """Serve a recorder's text under /metrics, and nothing elsewhere."""
    recorder = Recorder()
    recorder.count(Served("/api/v1/indicators", 200, 0.004))

    class Metrics(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = recorder.prometheus().encode() if self.path == "/metrics" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Metrics)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_services_numbers_come_in_the_documented_shape(address):
    metrics = ServiceMetrics(f"{address}/api/v1").get_metrics()

    assert metrics["requests"]["total"] == 1
    assert metrics["requests"]["by_route"] == {"/api/v1/indicators": 1}
    assert 2.5 <= metrics["requests"]["performance"]["p95"] <= 5.0
    assert metrics["api_calls"]["total"] == 0


def test_a_service_that_is_away_is_named_in_the_error():
    service = ServiceMetrics("http://127.0.0.1:1")

    with pytest.raises(FeatureStoreConnectionError, match=r"http://127\.0\.0\.1:1/metrics does not answer"):
        service.get_metrics()


def test_an_answer_that_is_no_metrics_is_refused():
    service = ServiceMetrics("http://localhost:8001", fetch=lambda _: "<html></html>")

    with pytest.raises(CorruptResponseError):
        service.get_metrics()


@pytest.mark.parametrize("url", ["localhost:8001", "file:///etc/passwd", "", "http://"])
def test_an_address_that_is_not_of_the_web_is_refused(url):
    with pytest.raises(InvalidRequestError, match="url must be"):
        ServiceMetrics(url)


def test_the_window_follows_from_earlier_readings_and_survives_a_restart(clock):
    recorder = Recorder()
    service = ServiceMetrics("http://localhost:8001", fetch=lambda _: recorder.prometheus(), clock=clock)

    def requests_in_window():
        return service.get_metrics()["window"]["requests"]

    recorder.count(Served("/a", 200, 0.1))
    assert requests_in_window() == 0  # it was there before anyone watched
    clock.now += 30
    recorder.count(Served("/a", 500, 0.1))
    assert requests_in_window() == 1
    clock.now += 60
    assert requests_in_window() == 0
    recorder.reset()
    assert requests_in_window() == 0
    recorder.count(Served("/a", 200, 0.1))
    clock.now += 1
    assert requests_in_window() == 1
    assert repr(service) == "<ServiceMetrics http://localhost:8001>"
