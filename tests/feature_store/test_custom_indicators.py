"""Custom indicators from end to end: registered in a store, then asked for as built-ins are, in Python, HTTP and a terminal."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import feature_store as fs
from feature_store.cli import app
from feature_store.errors import DataNotFoundError, FeatureNotFoundError, InvalidRequestError
from feature_store.service.app import create_app
from feature_store.wire import FeatureRequest
from tests.conftest import random_walk, same_bits
from tests.feature_store.service.conftest import Caller

SPREAD = {"name": "spread_z", "expression": "zscore(close - ema(close, n), n)", "parameters": {"n": fs.Int(20, ge=2)}}
TOML = """
name = "spread_z"
title = "Spread, standardised"
expression = '''
zscore(close - ema(close, n),
       n)
'''
unit = "deviations"
parameters.n = { type = "int", default = 20, ge = 2 }
"""


@pytest.fixture(params=["memory", "delta"])
def store(request, tmp_path):
    with fs.open(":memory:" if request.param == "memory" else tmp_path / "market") as made:
        time = pd.date_range("2023-01-02", periods=500, freq="1h", tz="UTC", name="time")
        time = time[time.day_of_week < 4]
        made.ingest("EUR/USD", "1h", random_walk(len(time)).set_index(time))
        yield made


# ---------------------------------------------------------------- Python
def test_its_features_are_the_engines_to_the_bit_and_join_higher_timeframes(store):
    store.register(**SPREAD)
    bars = store.bars("EUR/USD", "1h")
    got = store.features("EUR/USD", "1h", ["spread_z_9", "rsi_14", "spread_z_9@4h", "spread_z"])
    assert list(got) == ["spread_z_9", "rsi_14", "spread_z_9@4h", "spread_z"]
    feature = fs.parse("spread_z_9", store.registry)
    assert same_bits(fs.compute(bars, [feature])["spread_z_9"], got["spread_z_9"])
    four = store.features("EUR/USD", "4h", ["spread_z_9"])["spread_z_9"]
    assert same_bits(got["spread_z_9@4h"].iloc[-1:], four.loc[: got.index[-1] - pd.Timedelta("3h")].iloc[-1:])
    live = fs.live([feature])
    for row in range(40):
        values = live.update(**bars.iloc[row].to_dict())
    assert same_bits(values["spread_z_9"], got["spread_z_9"].iloc[39])


def test_its_live_values_continue_after_a_restart_with_the_stores_words(store):
    store.register(**SPREAD)
    want = store.features("EUR/USD", "1h", ["spread_z_5"])
    live = fs.live(["spread_z_5"], registry=store.registry)
    for row, bar in enumerate(store.bars("EUR/USD", "1h").to_dict("records")):
        if row in (3, 60):
            live = fs.restore(live.snapshot(), registry=store.registry)
        assert same_bits(list(live.update(**bar).values()), want.iloc[row])
    with pytest.raises(FeatureNotFoundError, match="spread_z_5"):
        fs.restore(live.snapshot())


def test_the_newest_version_answers_and_a_pinned_one_stays(store):
    first = store.register(**SPREAD)
    before = store.features("EUR/USD", "1h", ["spread_z_9"])
    assert store.register(**SPREAD).content_hash == first.content_hash
    second = store.register(**(SPREAD | {"expression": "zscore(open - ema(close, n), n)"}))
    assert (first.version, second.version) == (1, 2)
    after = store.features("EUR/USD", "1h", ["spread_z_9", "spread_z_9:v1", "spread_z_9:v2"])
    assert same_bits(after["spread_z_9:v1"], before["spread_z_9"])
    assert same_bits(after["spread_z_9:v2"], after["spread_z_9"])
    assert not same_bits(after["spread_z_9"], before["spread_z_9"])
    versions = after.attrs["provenance"]["versions"]
    assert versions["spread_z_9"] == versions["spread_z_9:v2"] == f"v2.{second.content_hash[:10]}"
    assert versions["spread_z_9:v1"] == before.attrs["provenance"]["versions"]["spread_z_9"]


def test_each_version_is_materialized_apart(store):
    store.register(**SPREAD)
    first = store.materialize("EUR/USD", "1h", ["spread_z_9"])
    assert store.materialize("EUR/USD", "1h", ["spread_z_9"]).written == 0
    kept = store.materialized("EUR/USD", "1h", ["spread_z_9"])
    assert same_bits(kept["spread_z_9"], store.features("EUR/USD", "1h", ["spread_z_9"])["spread_z_9"])
    store.register(**(SPREAD | {"expression": "zscore(open - ema(close, n), n)"}))
    with pytest.raises(DataNotFoundError, match="never materialized"):
        store.materialized("EUR/USD", "1h", ["spread_z_9"])
    assert store.materialize("EUR/USD", "1h", ["spread_z_9"]).path != first.path


def test_several_outputs_are_columns_and_can_be_asked_for_one_by_one(store):
    store.register("channel", {"middle": "sma(hl2, n)", "upper": "middle + 2 * stdev(hl2, n)"}, {"n": fs.Int(20, ge=2)})
    frame = store.features("EUR/USD", "1h", ["channel_5", "channel_5.upper"], as_="numpy")
    assert list(frame) == ["time", "channel_5.middle", "channel_5.upper"]
    assert np.nanmin(frame["channel_5.upper"] - frame["channel_5.middle"]) >= 0


def test_the_catalog_lists_it_and_other_stores_do_not_know_it(store):
    store.register(**SPREAD, title="Mine", unit="deviations", description="How far it has gone.")
    (mine,) = (each.describe() for each in store.catalog() if each.group == "custom")
    assert (mine["id"], mine["title"], mine["outputs"]) == (
        "spread_z",
        "Mine",
        [{"name": "value", "unit": "deviations"}],
    )
    assert mine["description"].splitlines() == ["How far it has gone.", SPREAD["expression"]]
    with fs.open(":memory:") as other:
        assert other.registry.find("spread_z") is None
    with pytest.raises(FeatureNotFoundError):
        fs.compute({"close": [1.0]}, ["spread_z_20"])


def test_what_breaks_a_rule_only_when_asked_for_is_refused_before_any_work(store):
    store.register("turn", "macd(close, a, b)", {"a": fs.Int(12), "b": fs.Int(26, ge=2)})
    with pytest.raises(InvalidRequestError, match="turn: macd: fast must be less than slow"):
        store.features("EUR/USD", "1h", ["turn_9_8"])
    with pytest.raises(InvalidRequestError, match="turn: a must be a whole number from 1 to 5000, was 0"):
        store.frame(FeatureRequest.of("EUR/USD", "1h", None, None, "turn_0"))


# ---------------------------------------------------------------- HTTP
def test_the_service_answers_it_as_it_answers_built_ins(store):
    store.register(**SPREAD)
    caller = Caller(create_app(store))
    asked = "/api/v1/features/indicators?symbol=EURUSD&timeframe=1h&indicators=spread_z_9,rsi_14"
    answer = caller.get(asked)
    assert answer.status == 200
    mine = store.features("EUR/USD", "1h", ["spread_z_9"])["spread_z_9"]
    assert answer.json["columns"]["spread_z_9"][-1] == mine.iloc[-1]
    body = {"symbol": "EUR/USD", "timeframe": "1h", "feature_name": "spread_z", "parameters": {"n": 9}}
    assert caller.post("/api/v1/features/compute", body).json["columns"]["spread_z_9"][-1] == mine.iloc[-1]
    about = caller.get("/api/v1/indicators/spread_z_9").json
    assert (about["custom"], about["parameters"]["n"]["value"], about["warmup"]) == (True, 9, 16)
    assert "spread_z" in [each["id"] for each in caller.get("/api/v1/indicators").json["indicators"]]
    assert caller.get("/api/v1/indicators/spread_y").code == (404, "feature_not_found")

    tag = answer.headers["etag"]
    assert caller.get(asked, if_none_match=tag).status == 304
    store.register(**(SPREAD | {"expression": "zscore(open - ema(close, n), n)"}))
    assert caller.get(asked, if_none_match=tag).status == 200


# ---------------------------------------------------------------- terminal
@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.delenv("FEATURE_STORE_HOME", raising=False)
    home = tmp_path / "market"

    def run(*words, **files):
        for name, text in files.items():
            (tmp_path / name.replace("_", ".")).write_text(text)
        done = CliRunner().invoke(app, [str(word) for word in words] + ["--home", str(home)])
        return done.exit_code, done.stdout, done.stderr

    monkeypatch.chdir(tmp_path)
    return run


def test_a_file_is_registered_and_the_catalog_of_that_home_lists_it(run):
    code, said, _ = run("register", "spread.toml", spread_toml=TOML)
    assert (code, said) == (0, "spread_z:v1 has its first value at row 38; it is made of\nclose, ema:v1, zscore:v1\n")
    written = {
        "name": "spread_z",
        "expression": {"value": "zscore(close - ema(close, n), n)", "flag": "value > 2"},
        "parameters": {"n": {"type": "int", "default": 20, "ge": 2}},
    }
    code, said, _ = run("register", "spread.json", "--json", spread_json=json.dumps(written))
    assert (code, json.loads(said)["version"]) == (0, "v2")
    code, said, _ = run("catalog", "--search", "spread_z", "--json")
    assert [each["version"] for each in json.loads(said)["indicators"]] == ["v2"]
    assert "sma" in run("catalog")[1]


def test_a_file_that_is_wrong_is_refused_with_the_reason(run):
    code, _, said = run("register", "bad.toml", bad_toml=TOML.replace("ema(", "eam("))
    assert code == 2
    first, line, carets = said.splitlines()
    assert first.startswith("feature-store: spread_z: nothing is called eam; did you mean ")
    assert line[carets.index("^") :].startswith("eam(")
    assert run("register", "absent.toml") == (
        2,
        "",
        "feature-store: absent.toml cannot be read (No such file or directory)\n",
    )
    for text, why in [
        ("name = ", "bad.toml is not TOML: Invalid value (at end of document)"),
        ("expression = 'close'", "a custom indicator needs name, and this has expression"),
        ("name = 'a'\nexpression = 'close'\nwindow = 3", "a custom indicator has no 'window'"),
        ("name = 'rsi'\nexpression = 'close'", "rsi is an indicator; choose another name"),
        ("x = '" + "y" * 70_000 + "'", "bad.toml has more than 64 kB"),
        ("name = 'A b'\nexpression = 'close'", "small letters"),
    ]:
        code, _, said = run("register", "bad.toml", bad_toml=text)
        assert code == 2
        assert why in said, said
        assert len(said.splitlines()) == 1
    assert "is not JSON" in run("register", "bad.json", bad_json="{")[2]
    assert "written by name" in run("register", "bad.json", bad_json="[1]")[2]
    assert "neither .toml nor .json" in run("register", "spread.yaml", spread_yaml="name: x")[2]
