"""The dashboard opens no door it was not asked to open, and says clearly why it does not start."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request

import pytest

from feature_store.errors import FeatureStoreConnectionError, FeatureStoreError, InvalidRequestError
from strategy_execution_engine.monitoring import feature_store_dashboard
from strategy_execution_engine.monitoring.feature_store_dashboard import (
    create_dashboard,
    dashboard_server,
    run_dashboard,
)

EXTERNAL = re.compile(r"""(?:src|href|action)\s*=\s*["'](?:https?:)?//""")


@pytest.fixture
def serve():
    """Return a function that serves a dashboard in a thread and returns its address."""
    running = []

    def start(**arguments):
        server = dashboard_server(port=0, **arguments)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()


def get(address, **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=10) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.headers, refused.read().decode()


def refresh(app):
    """Ask for what the page asks for every second, and return the answer."""
    client = app.server.test_client()
    (asked,) = [entry for entry in client.get("/_dash-dependencies").json if "cards" in entry["output"]]
    places = re.findall(r"(\w+)\.(\w+)", asked["output"])
    body = {
        "output": asked["output"],
        "outputs": [{"id": place, "property": name} for place, name in places],
        "inputs": [{"id": "tick", "property": "n_intervals", "value": 1}],
        "changedPropIds": ["tick.n_intervals"],
    }
    return client.post("/_dash-update-component", json=body)


def test_the_page_is_served_and_refers_to_no_other_host(serve):
    status, headers, html = get(serve() + "/")

    assert status == 200
    assert not EXTERNAL.search(html)
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "http" not in headers["Content-Security-Policy"]


def test_its_stylesheet_and_script_load_nothing_from_elsewhere(serve):
    address = serve()
    for asset in ("dashboard.css", "dashboard.js"):
        status, _, text = get(f"{address}/assets/{asset}")
        assert status == 200
        assert "http" not in text
        assert "@import" not in text


def test_a_page_on_loopback_answers_to_its_own_names_only(serve):
    address = serve()

    for name in ("rebound.example", "127.0.0.1.rebound.example", "localhost.rebound.example:8050", "[::2]"):
        assert get(address, Host=name)[0] == 400
    for name in ("localhost:8050", "LOCALHOST", "[::1]:8050"):
        assert get(address, Host=name)[0] == 200


def test_a_refresh_carries_the_metrics(busy):
    answer = refresh(create_dashboard(busy.get_metrics))

    assert answer.status_code == 200
    assert "1,234" in json.dumps(answer.json["response"]["cards"])
    assert answer.json["response"]["updated"]["data"] > 0


def test_a_service_that_is_away_is_said_on_the_page_and_figures_stay():
    def away():
        raise FeatureStoreConnectionError("http://localhost:8001/metrics does not answer")

    answer = refresh(create_dashboard(away))

    assert "does not answer" in json.dumps(answer.json["response"]["health"])
    assert "cards" not in answer.json["response"]


def test_an_unforeseen_failure_shows_no_traceback_even_where_the_environment_asks_for_debugging(monkeypatch, serve):
    for name in ("FLASK_DEBUG", "DASH_DEBUG", "DASH_UI", "DASH_HOT_RELOAD"):
        monkeypatch.setenv(name, "1")

    def broken():
        raise RuntimeError("the secret inside")

    monkeypatch.setattr(feature_store_dashboard, "_source", lambda _: (broken, "broken"))
    address = serve(debug=True)
    body = json.dumps({"output": "health.children", "inputs": [], "changedPropIds": []}).encode()
    request = urllib.request.Request(
        f"{address}/_dash-update-component", data=body, headers={"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused, urllib.request.urlopen(request, timeout=10):
        pass
    with refused.value:
        text = refused.value.read().decode()

    assert refused.value.code == 500
    assert "Traceback" not in text
    assert "secret" not in text


def test_debug_offers_no_debugger_and_no_developer_tools(serve):
    address = serve(debug=True)
    html = get(address)[2]

    assert '"ui":false' in html
    assert "hot_reload" not in html
    for path in ("/console", "/?__debugger__=yes&cmd=resource&f=debugger.js", "/_mcp"):
        text = get(f"{address}{path}")[2]
        assert "EVALEX" not in text
        assert "Werkzeug" not in text


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com", ""])
def test_debug_beyond_loopback_is_refused_even_with_permission(host):
    with pytest.raises(InvalidRequestError, match="debug is for this machine only"):
        dashboard_server(host, 0, debug=True, allow_remote=True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_other_machines_are_let_in_only_on_purpose(host):
    with pytest.raises(InvalidRequestError, match="allow_remote=True") as refused:
        dashboard_server(host, 0)
    assert refused.value.field == "host"


def test_with_permission_it_listens_beyond_loopback():
    server = dashboard_server("0.0.0.0", 0, allow_remote=True)
    try:
        assert server.server_address[0] == "0.0.0.0"
    finally:
        server.server_close()


def test_every_spelling_of_loopback_is_loopback():
    for host in ("localhost", "127.0.0.1", "127.1.2.3", "::1"):
        dashboard_server(host, 0).server_close()


def test_a_port_in_use_is_named_with_the_way_out():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InvalidRequestError, match=f"port {port} on 127.0.0.1 is in use .* pass another port"):
            run_dashboard(port=port)


@pytest.mark.parametrize("port", [-1, 65_536, "8050", None])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(InvalidRequestError, match="port must be a whole number from 0 to 65535"):
        dashboard_server(port=port)


def test_an_address_of_another_machine_is_refused_clearly():
    with pytest.raises(InvalidRequestError, match=r"cannot listen on 192\.0\.2\.7"):
        dashboard_server("192.0.2.7", 0, allow_remote=True)


def test_without_dash_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "dash", None)

    with pytest.raises(FeatureStoreError, match=r"pip install 'forex-feature-store\[dashboard\]'"):
        create_dashboard()


def test_importing_the_module_does_not_load_dash():
    program = (
        "import sys\n"
        "import strategy_execution_engine.monitoring.feature_store_dashboard\n"
        "assert not {'dash', 'flask', 'plotly'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_it_prints_its_address_and_ends_clean_on_control_c():
    program = (
        "from strategy_execution_engine.monitoring.feature_store_dashboard import run_dashboard\n"
        "run_dashboard(port=0, debug=True)\n"
    )
    running = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    line = running.stdout.readline()
    address = re.search(r"http://127\.0\.0\.1:\d+/", line)
    assert address, line
    assert get(address[0])[0] == 200
    running.send_signal(signal.SIGINT)
    _, problems = running.communicate(timeout=20)

    assert running.returncode == 0
    assert "Traceback" not in problems
