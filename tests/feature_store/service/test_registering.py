"""`POST /api/v1/indicators`: a definition comes in, and what is wrong with one is pointed at."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings

import feature_store as fs
from feature_store import wire
from feature_store.indicators.custom import MAX_NAME, MAX_OUTPUTS
from feature_store.service import limits
from feature_store.service.app import create_app
from feature_store.store import definitions, sqlite_file
from tests.feature_store.indicators.test_custom import DOCUMENT

from .conftest import Caller, SmallStore

ADDRESS = "/api/v1/indicators"
SPREAD = {
    "name": "spread_z",
    "expression": "zscore(close - ema(close, n), n)",
    "parameters": {"n": {"type": "int", "default": 20, "ge": 2, "le": 500}},
    "title": "Spread, standardised",
    "unit": "deviations",
    "description": "How far the close has gone from its average.",
}


@pytest.fixture
def store(request, tmp_path):
    in_folder = getattr(request, "param", "memory") == "folder"
    with fs.open(tmp_path / "market" if in_folder else ":memory:") as made:
        yield made


in_memory_and_in_a_folder = pytest.mark.parametrize("store", ["memory", "folder"], indirect=True)


@pytest.fixture
def caller(store):
    return Caller(create_app(store))


# ---------------------------------------------------------------- what comes in
@in_memory_and_in_a_folder
def test_a_definition_is_made_described_and_found_where_the_answer_says(caller, store):
    answer = caller.post(ADDRESS, SPREAD)
    assert (answer.status, answer.headers["location"]) == (201, f"{ADDRESS}/spread_z:v1")
    assert answer.headers["content-type"] == wire.JSON
    assert caller.get(answer.headers["location"]).json == answer.json
    about = answer.json
    assert (about["id"], about["title"], about["origin"], about["warmup"]) == (
        "spread_z:v1",
        SPREAD["title"],
        "this store",
        38,
    )
    assert about["expression"] == {"value": SPREAD["expression"]}
    assert about["uses"] == ["ema:v1", "zscore:v1"]
    assert store.registry.parse("spread_z_50").parameters == {"n": 50}


@in_memory_and_in_a_folder
def test_the_same_content_again_is_the_same_version_and_other_content_the_next(caller):
    caller.post(ADDRESS, SPREAD)
    again = caller.post(
        ADDRESS, {**SPREAD, "expression": " zscore( close-ema(close,n), n )", "title": "In other words"}
    )
    assert (again.status, again.json["id"], again.json["title"]) == (200, "spread_z:v1", "In other words")
    assert "location" not in again.headers
    other = caller.post(ADDRESS, {**SPREAD, "expression": "zscore(open - ema(close, n), n)"})
    assert (other.status, other.headers["location"]) == (201, f"{ADDRESS}/spread_z:v2")
    first, newest = (caller.get(f"{ADDRESS}/{name}").json for name in ("spread_z:v1", "spread_z"))
    assert (first["inputs"], newest["inputs"]) == (["close"], ["open", "close"])
    assert (first["version"][:3], newest["version"][:3]) == ("v1.", "v2.")
    assert caller.get(f"{ADDRESS}/spread_z_9:v1").json["parameters"]["n"]["value"] == 9
    assert caller.get(f"{ADDRESS}/spread_z:v3").code == (404, "feature_not_found")


def test_only_a_name_and_an_expression_are_needed_and_several_outputs_may_be_given(caller):
    assert caller.post(ADDRESS, {"name": "mine", "expression": "close * 2"}).status == 201
    lines = {"middle": "sma(hl2, n)", "upper": "middle + 2 * stdev(hl2, n)"}
    answer = caller.post(
        ADDRESS,
        {
            "name": "channel",
            "expression": lines,
            "parameters": {"n": {"default": 20, "ge": 2}},
            "unit": {"middle": "price", "upper": "price"},
        },
    )
    assert [output["name"] for output in answer.json["outputs"]] == ["middle", "upper"]
    assert answer.json["expression"] == lines


def test_what_was_registered_is_there_when_the_store_is_opened_again(tmp_path):
    with fs.open(tmp_path / "market") as store:
        Caller(create_app(store)).post(ADDRESS, SPREAD)
    with fs.open(tmp_path / "market") as store:
        assert Caller(create_app(store)).get(f"{ADDRESS}/spread_z:v1").json["title"] == SPREAD["title"]


# ---------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    ("changed", "field", "part", "says"),
    [
        ({"expression": "\n close + eam(close, n)"}, "expression", "eam", "nothing is called eam; did you mean"),
        ({"expression": "close.__class__ + n"}, "expression", "close.__class__", "there are no attributes"),
        ({"expression": "close[n]"}, "expression", "close[n]", "there are no subscripts"),
        ({"expression": "lag(close, -n)"}, "expression", "-n", "there are no bars to come"),
        ({"expression": "sma(close, 30 * n)"}, "expression", "30 * n", "from 1 to 5000, was 15000"),
        ({"expression": "close +"}, "expression", "+", "this is no expression"),
        ({"expression": "close + n" + " " * 1991 + "+ close"}, "expression", "+ close", "at most 2,000 characters"),
        ({"expression": "-" * 32 + "close"}, "expression", "close", "at most 32 deep"),
        ({"expression": {"a": "close * n", "b": " a + low.x"}}, "expression.b", "low.x", "there are no attributes"),
    ],
)
def test_the_part_of_an_expression_that_breaks_a_rule_is_pointed_at(caller, changed, field, part, says):
    answer = caller.post(ADDRESS, SPREAD | changed)
    assert answer.code == (422, "invalid_request"), answer.json
    problem = answer.json
    said, line, carets = problem["detail"].splitlines()
    text = changed["expression"] if isinstance(changed["expression"], str) else changed["expression"]["b"]
    begin, end = problem["position"]
    assert says in said
    assert (problem["field"], text[begin:end]) == (field, part)
    assert line[carets.index("^") :].startswith(part)
    assert caller.get(f"{ADDRESS}/spread_z").status == 404


@pytest.mark.parametrize(
    ("changed", "status", "field", "says"),
    [
        ({"name": "rsi"}, 409, "name", "rsi is an indicator; choose another name"),
        ({"name": "close"}, 409, "name", "close is a bar column"),
        ({"name": "where"}, 409, "name", "where is an operator"),
        ({"name": "Spread"}, 422, "name", "small letters"),
        ({"name": 5}, 422, "name", "small letters"),
        ({"name": ["x"]}, 422, "name", "small letters"),
        ({"name": None}, 422, "name", "small letters"),
        ({"expression": ""}, 422, "expression", "an expression is a text"),
        ({"expression": ["close"]}, 422, "expression", "an expression is a text"),
        ({"expression": {}}, 422, "expression", f"1 to {MAX_OUTPUTS} outputs"),
        ({"parameters": {}}, 422, "expression", "nothing is called n"),
        ({"parameters": []}, 422, "parameters", "at most 16 by name"),
        ({"parameters": {"n": 20}}, 422, "parameters.n", "is written as in"),
        ({"parameters": {"n": {"default": 20, "min": 2}}}, 422, "parameters.n", "has no 'min'"),
        ({"parameters": {"n": {"default": 20, "type": []}}}, 422, "parameters.n", "type int, real or choice"),
        ({"parameters": {"n": {"default": "a", "options": [[]]}}}, 422, "parameters.n", "options are words"),
        (
            {"parameters": {"n": {"default": 20}, "k": {"default": 3}}},
            422,
            "expression",
            "period must be a whole number",
        ),
        ({"parameters": {**SPREAD["parameters"], "k": {"default": 3}}}, 422, "parameters.k", "k is used nowhere"),
        ({"parameters": {**SPREAD["parameters"], "high": {"default": 3}}}, 422, "parameters.high", "is a bar column"),
        ({"unit": "pips"}, 422, "unit", "no unit is called 'pips'"),
        ({"title": 5}, 422, "title", "title is a text"),
        ({"description": "x" * 2001}, 422, "description", "at most 2,000 characters"),
        ({"expresion": "close"}, 422, "expresion", "is not known here"),
    ],
)
def test_a_definition_that_breaks_another_rule_is_refused_with_it(caller, changed, status, field, says):
    answer = caller.post(ADDRESS, SPREAD | changed)
    assert answer.code == (status, "conflict" if status == 409 else "invalid_request"), answer.json
    assert answer.json["field"] == field
    assert says in answer.json["detail"]
    assert caller.get(f"{ADDRESS}/spread_z").status == 404


@pytest.mark.parametrize("missing", ["name", "expression"])
def test_what_is_missing_is_named(caller, missing):
    answer = caller.post(ADDRESS, {name: value for name, value in SPREAD.items() if name != missing})
    assert (answer.code, answer.json["field"]) == ((422, "invalid_request"), missing)


def test_a_definition_that_would_call_itself_is_refused(caller):
    for name, expression in (("inner", "close * 2"), ("outer", "inner - open")):
        assert caller.post(ADDRESS, {"name": name, "expression": expression}).status == 201
    answer = caller.post(ADDRESS, {"name": "inner", "expression": "high + outer"})
    assert answer.code == (422, "invalid_request")
    assert "an indicator cannot call itself, and this calls inner" in answer.json["detail"]
    assert answer.json["position"] == [7, 12]


def test_numbers_that_json_does_not_have_make_no_parameter(caller):
    for number in (b"NaN", b"Infinity", b"1e999", b"9" * 400):
        body = (
            b'{"name": "mine", "expression": "close * k", "parameters": {"k": {"type": "real", "default": %s}}}'
            % number
        )
        answer = caller.send("POST", ADDRESS, body, {"content-type": wire.JSON})
        assert answer.code == (422, "invalid_request"), answer.json


@settings(max_examples=80, deadline=None)
@given(DOCUMENT)
def test_no_body_makes_the_service_fail(document):
    with fs.open(":memory:") as store:
        answer = Caller(create_app(store)).post(ADDRESS, document)
    assert answer.status in {201, 409, 422}
    assert answer.status == 201 or answer.json["field"]


# ---------------------------------------------------------------- limits
@in_memory_and_in_a_folder
def test_a_store_that_has_no_room_for_another_says_so(caller, monkeypatch):
    monkeypatch.setattr(definitions, "MAX_NAMES", 1)
    monkeypatch.setattr(definitions, "MAX_VERSIONS", 1)
    caller.post(ADDRESS, SPREAD)
    for body, says in [
        ({**SPREAD, "name": "another"}, "keeps at most 1 custom indicators"),
        ({**SPREAD, "expression": "close * n"}, "spread_z has 1 versions, the most"),
    ]:
        answer = caller.post(ADDRESS, body)
        assert answer.code == (409, "conflict")
        assert says in answer.json["detail"]
    assert caller.post(ADDRESS, SPREAD).status == 200


def test_a_body_that_is_too_long_or_no_json_is_refused_unread(caller):
    too_long = SPREAD | {"description": "x" * limits.MAX_BODY_BYTES}
    assert caller.post(ADDRESS, too_long).code == (413, "invalid_request")
    assert caller.send("POST", ADDRESS, b"{", {"content-type": wire.JSON}).code == (400, "invalid_request")
    assert caller.send("POST", ADDRESS, b"name = 'x'", {"content-type": "text/plain"}).code == (415, "invalid_request")
    assert caller.post(ADDRESS, SPREAD, accept=wire.ARROW).code == (406, "invalid_request")


# ---------------------------------------------------------------- stores that cannot be written to
def test_a_store_that_takes_no_definitions_says_that_it_is_read_only():
    answer = Caller(create_app(SmallStore())).post(ADDRESS, SPREAD)
    assert answer.code == (409, "store_read_only")
    assert "SmallStore" not in answer.json["detail"]


def test_a_folder_that_cannot_be_written_to_says_so_without_naming_it(tmp_path, monkeypatch, caplog):
    with fs.open(tmp_path / "anna") as store:
        store.register("mine", "close")
    monkeypatch.setattr("os.access", lambda *_: False)
    with fs.open(tmp_path / "anna") as store:
        caller = Caller(create_app(store))
        assert caller.get(f"{ADDRESS}/mine:v1").status == 200
        answer = caller.post(ADDRESS, SPREAD)
    assert answer.code == (409, "store_read_only")
    assert b"anna" not in answer.body
    assert "anna/definitions.sqlite cannot be written to" in caplog.text


def test_definitions_that_another_process_keeps_locked_say_when_to_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite_file, "_PATIENCE_S", 0.02)
    with fs.open(tmp_path / "market") as store:
        store.register("mine", "close")
        holder = sqlite3.connect(tmp_path / "market" / definitions.FILE, isolation_level=None)
        holder.execute("begin immediate")
        answer = Caller(create_app(store)).post(ADDRESS, SPREAD)
        holder.close()
        assert answer.code == (503, "store_locked")
        assert answer.headers["retry-after"] == "1"
        assert Caller(create_app(store)).post(ADDRESS, SPREAD).status == 201


# ---------------------------------------------------------------- keys, and what is told of the route
def test_registering_asks_for_a_key(store):
    guarded = Caller(create_app(store, api_keys=["a-key"]))
    assert guarded.post(ADDRESS, SPREAD).code == (401, "not_authorised")
    assert guarded.post(ADDRESS, SPREAD, x_api_key="a-key").status == 201


def test_the_description_documents_the_body_both_answers_and_the_problems(caller):
    api = caller.get("/openapi.json").json
    route = api["paths"][ADDRESS]["post"]
    assert {"200", "201", "400", "406", "409", "413", "415", "422", "500", "503"} == set(route["responses"])
    assert "Location" in route["responses"]["201"]["headers"]
    problem = route["responses"]["422"]["content"][wire.PROBLEM]["schema"]["properties"]
    assert {"field", "position", "detail"} <= set(problem)
    body = api["components"]["schemas"]["RegisterQuestion"]
    assert (body["required"], body["additionalProperties"]) == (["name", "expression"], False)
    assert body["properties"]["name"]["maxLength"] == MAX_NAME
    assert body["properties"]["parameters"]["additionalProperties"]["required"] == ["default"]
    assert "deviations" in body["properties"]["unit"]["anyOf"][0]["enum"]
