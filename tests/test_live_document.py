"""docs/live.md says what is true: its programs run, one after another, and give what their comments say."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_documents import programs, run

DOCUMENT = Path(__file__).parents[1] / "docs" / "live.md"


def test_the_programs_run_and_give_what_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for place, program in enumerate(programs(DOCUMENT)):
        run(program, names, f"program{place}")
    assert [at.hour for at in names["revised"]] == [12, 13]
    market, pairs = names["market"], names["again"]
    assert [row.timeframe for row in names["rows"]] == ["1h", "15m", "15m", "15m", "15m", "1h", "15m"]
    assert market.snapshot() == names["data"]
    assert (pairs[0].symbol, pairs[0].revised) == ("EUR/USD", True)
    assert pairs[0].values["correl_2@GBPUSD"] == pytest.approx(1.0)
    assert names["made"] == [names["ten"]]
    assert names["hours"].forming.partial.tolist() == [True]
    assert len(names["store"].bars("EUR/USD", "1m")) == 1
