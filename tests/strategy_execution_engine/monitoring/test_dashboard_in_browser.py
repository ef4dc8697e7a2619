"""What a real browser makes of the page."""

from __future__ import annotations

import re
import subprocess
import threading

import pytest

from strategy_execution_engine.monitoring import feature_store_dashboard
from strategy_execution_engine.monitoring.feature_store_dashboard import dashboard_server

pytestmark = pytest.mark.browser


@pytest.fixture
def page_of(tmp_path, monkeypatch, chromium):
    """Return a function that serves metrics, lets Chromium show them, and returns the document it made of them."""

    def shown(metrics):
        monkeypatch.setattr(feature_store_dashboard, "_source", lambda _: (metrics.get_metrics, "a test"))
        server = dashboard_server(port=0)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            return _document(chromium, f"http://127.0.0.1:{server.port}/", tmp_path)
        finally:
            server.shutdown()
            thread.join()

    return shown


def _document(browser, address, profile):
    command = [
        browser,
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"),
        *(f"--user-data-dir={profile}", "--window-size=1280,900", "--virtual-time-budget=8000", "--dump-dom"),
        *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", address),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout


def test_the_figures_of_a_busy_client_appear(page_of, busy):
    document = page_of(busy)

    for part in ("1,234", "124 errors since the start", "87 hits, 13 misses", "direct 1", "Failing", "half open"):
        assert part in document
    assert re.search(r"updated \d\d:\d\d:\d\d UTC", document)


def test_the_bars_and_lines_are_drawn_offline_and_nothing_is_asked_of_another_host(page_of, busy):
    document = page_of(busy)

    assert 'class="bars' in document or "barlayer" in document
    assert "get_indicators" in document
    assert not re.search(r"""(?:src|href|action)\s*=\s*["'](?:https?:)?//(?!127\.0\.0\.1)""", document)
    assert not re.search(r"url\(\s*[\"']?https?:", document)


def test_an_idle_page_says_that_it_waits(page_of, idle):
    assert "Waiting for calls" in page_of(idle)
