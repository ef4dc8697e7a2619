"""The programs under examples/, as they stand."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(name: str, service) -> str:
    done = subprocess.run(
        [sys.executable, EXAMPLES / name],
        env={**os.environ, "FEATURE_STORE_URL": service.api_url},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_run_here():
    assert {path.name for path in EXAMPLES.glob("*.py")} == {"get_indicators.py", "my_strategy.py", "watch_metrics.py"}


def test_get_indicators_prints_the_last_rows_and_where_they_come_from(service):
    said = run("get_indicators.py", service)
    assert "sma_200" in said
    assert "2023-01-31 23:00:00" in said
    assert "'source': 'live'" in said


def test_my_strategy_prints_signals(service):
    assert "direction='long', kind='golden_cross'" in run("my_strategy.py", service)


def test_watch_metrics_prints_counts_and_serves_a_page(service):
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8050)) == 0:
            pytest.skip("port 8050, which the example names, is taken on this machine")
    process = subprocess.Popen(
        [sys.executable, "-u", EXAMPLES / "watch_metrics.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        page = _page("http://127.0.0.1:8050/", until=time.monotonic() + 60)
        assert "<title>" in page
    finally:
        process.terminate()
        said = process.communicate(timeout=30)[0]
    assert "API calls: 0" in said
    assert "Cache hit rate: 0.00" in said
    assert "Debugger PIN" not in said


def _page(url: str, until: float) -> str:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
