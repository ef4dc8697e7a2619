"""What the service answers when all is well: bars, features, the catalog, in both forms, and not twice."""

import base64
import contextlib
import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store import events, wire
from feature_store.indicators.catalog import catalog
from feature_store.metrics import Recorder
from feature_store.service.app import create_app

BARS = "/api/v1/data/ohlcv?symbol=EUR/USD&timeframe=1h"
FEATURES = "/api/v1/features/indicators?symbol=EURUSD&timeframe=H1"
COMPUTE = "/api/v1/features/compute"


def test_bars_come_as_columns_with_times_in_epoch_milliseconds(caller):
    answer = caller.get(f"{BARS}&start=2023-01-02&end=2023-01-02T03:00")
    assert answer.status == 200
    assert answer.headers["content-type"] == wire.JSON
    assert answer.json["time"] == [1672617600000, 1672621200000, 1672624800000]
    assert answer.json["columns"]["close"] == [0.0, 1.0, 2.0]
    assert answer.json["provenance"]["source"] == "live"


def test_a_side_of_the_range_left_out_is_open(caller, store):
    assert len(caller.get(BARS).json["time"]) == store.rows
    assert (store.asked[0].start, store.asked[0].end) == (None, None)


def test_a_bare_date_as_end_covers_its_day(caller):
    assert len(caller.get(f"{BARS}&start=2023-01-02&end=2023-01-02").json["time"]) == 24


def test_the_times_of_an_answer_can_be_sent_back(caller):
    times = caller.get(BARS).json["time"]
    again = caller.get(f"{BARS}&start={times[10]}&end={times[20]}").json["time"]
    assert again == times[10:20]


@pytest.mark.parametrize(
    "names", ["indicators=sma_2,rsi", "indicators=sma_2&indicators=rsi", "indicators=sma_2,%20rsi,sma_2"]
)
def test_indicators_are_separated_by_commas_or_repeated(caller, names):
    assert list(caller.get(f"{FEATURES}&{names}").json["columns"]) == ["sma_2", "rsi"]


def test_rows_before_the_warmup_hold_null(caller):
    values = caller.get(f"{FEATURES}&indicators=sma_3").json["columns"]["sma_3"]
    assert values[:4] == [None, None, 2.0, 3.0]


def test_compute_takes_parameters_by_name(caller, store):
    body = {"feature_name": "rsi", "symbol": "EUR/USD", "parameters": {"period": 3}}
    assert list(caller.post(COMPUTE, body).json["columns"]) == ["rsi_3"]
    assert store.asked[0].indicators == ("rsi_3",)


def test_compute_takes_a_full_id(caller):
    body = {"feature_name": "rsi_3", "symbol": "EUR/USD", "start": "2023-01-02", "end": "2023-01-02"}
    assert list(caller.post(COMPUTE, body).json["columns"]) == ["rsi_3"]


def test_compute_takes_times_as_epoch_milliseconds(caller):
    body = {"feature_name": "rsi", "symbol": "EUR/USD", "start": 1672621200000, "end": 1672624800000}
    assert caller.post(COMPUTE, body).json["time"] == [1672621200000]


# ---------------------------------------------------------------- forms
def test_arrow_carries_the_same_frame_as_json(caller):
    names = f"{FEATURES}&indicators=sma_3,macd"
    plain = wire.frame_from_json(caller.get(names).body)
    answer = caller.get(names, accept=wire.ARROW)
    assert answer.headers["content-type"] == wire.ARROW
    packed = wire.frame_from_arrow(answer.body)
    assert packed.provenance == plain.provenance
    np.testing.assert_array_equal(packed.time, plain.time)
    for name, column in plain.columns.items():
        np.testing.assert_array_equal(packed.columns[name], column)


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("*/*", wire.JSON),
        ("application/*", wire.JSON),
        (f"{wire.ARROW}, {wire.JSON}", wire.JSON),
        (f"{wire.ARROW}, {wire.JSON};q=0.9", wire.ARROW),
        (f"text/html, {wire.ARROW};q=0.1", wire.ARROW),
        (f"{wire.JSON};q=0, */*", wire.ARROW),
        (f'{wire.ARROW}; codecs="zstd"', wire.ARROW),
        ("Application/JSON; charset=utf-8", wire.JSON),
    ],
)
def test_the_callers_wish_decides_the_form(caller, accept, form):
    assert caller.get(BARS, accept=accept).headers["content-type"] == form


@pytest.mark.parametrize("target", [BARS, "/api/v1/indicators", "/healthz", "/nowhere"])
def test_every_body_carries_its_digest(caller, target):
    answer = caller.get(target)
    digest = base64.b64encode(hashlib.sha256(answer.body).digest()).decode()
    assert answer.headers["content-digest"] == f"sha-256=:{digest}:"


# ---------------------------------------------------------------- not twice
def test_a_caller_who_has_the_answer_is_not_sent_it_again(caller):
    first = caller.get(BARS)
    second = caller.get(BARS, if_none_match=first.headers["etag"])
    assert (second.status, second.body) == (304, b"")
    assert second.headers["etag"] == first.headers["etag"]
    assert second.headers["vary"] == "Accept"


@pytest.mark.parametrize("known", ["*", '"other", {}', "{}"])
def test_if_none_match_may_name_several_tags(caller, known):
    tag = caller.get(BARS).headers["etag"]
    assert caller.get(BARS, if_none_match=known.format(tag)).status == 304


def test_a_tag_belongs_to_one_question_one_form_and_one_state_of_the_data(caller, store):
    tags = [
        caller.get(BARS).headers["etag"],
        caller.get(BARS, accept=wire.ARROW).headers["etag"],
        caller.get(f"{BARS}&end=2023-01-02").headers["etag"],
        caller.get(f"{FEATURES}&indicators=sma_3").headers["etag"],
        caller.get(f"{FEATURES}&indicators=sma_4").headers["etag"],
    ]
    store.rows += 1
    tags.append(caller.get(BARS).headers["etag"])
    assert len(set(tags)) == len(tags)


def test_a_store_that_tells_generations_answers_304_without_computing(caller, store):
    store.generation = lambda *_: 7
    tag = caller.get(BARS).headers["etag"]
    asked = len(store.asked)
    assert caller.get(BARS, if_none_match=tag).status == 304
    assert len(store.asked) == asked
    store.generation = lambda *_: 8
    assert caller.get(BARS, if_none_match=tag).status == 200


def test_whoever_has_anything_at_all_is_still_told_when_there_is_nothing(caller, store):
    store.generation = lambda *_: 7
    assert caller.get(f"{BARS}&start=2030-01-01", if_none_match="*").code == (404, "data_not_found")
    assert caller.get(BARS, if_none_match="*").status == 304


# ---------------------------------------------------------------- catalog
def test_the_catalog_lists_every_indicator(caller):
    listed = caller.get("/api/v1/indicators").json["indicators"]
    assert [each["id"] for each in listed] == [each.name for each in catalog()]


def test_an_indicator_is_described_by_its_name_with_its_defaults(caller):
    about = caller.get("/api/v1/indicators/macd").json
    assert about["id"] == "macd"
    assert about["parameters"]["slow"]["value"] == about["parameters"]["slow"]["default"] == 26
    assert [output["name"] for output in about["outputs"]] == ["line", "signal", "histogram"]
    assert about["columns"] == ["macd.line", "macd.signal", "macd.histogram"]


def test_an_indicator_is_described_by_an_id_with_its_own_warmup(caller):
    short, long = (caller.get(f"/api/v1/indicators/{name}").json for name in ("sma_5", "sma_50"))
    assert (short["warmup"], long["warmup"]) == (4, 49)
    assert short["parameters"]["period"]["value"] == 5
    assert short["version"] == long["version"]


# ---------------------------------------------------------------- for those who watch
def test_health_and_readiness_say_so(caller):
    assert caller.get("/healthz").json == {"status": "ok"}
    assert caller.get("/readyz").json == {"status": "ready"}


def test_requests_are_counted_by_the_template_of_their_route(caller):
    seen = []
    unsubscribe = events.subscribe(seen.append)
    try:
        for target in ("/api/v1/indicators/sma_5", "/api/v1/indicators/nope", "/somewhere/else"):
            caller.get(target)
    finally:
        unsubscribe()
    assert [(event.route, event.status) for event in seen] == [
        ("/api/v1/indicators/{indicator_id}", 200),
        ("/api/v1/indicators/{indicator_id}", 404),
        ("unmatched", 404),
    ]
    assert all(event.seconds > 0 for event in seen)


def test_metrics_show_what_the_recorder_counted(store, make_caller):
    recorder = Recorder()
    caller = make_caller(create_app(store, recorder=recorder))
    recorder.count(events.Served("/healthz", 200, 0.001))
    answer = caller.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert b'route="/healthz"' in answer.body


async def test_an_application_without_a_recorder_counts_for_itself_while_it_runs(store):
    app = create_app(store)
    async with app.router.lifespan_context(app):
        events.emit(events.Served("/healthz", 200, 0.001))
        counted = app.state.recorder.prometheus()
    events.emit(events.Served("/readyz", 200, 0.001))
    assert 'route="/healthz"' in counted
    assert 'route="/readyz"' not in app.state.recorder.prometheus()


def test_the_description_names_routes_forms_and_problems(caller):
    api = caller.get("/openapi.json").json
    features = api["paths"]["/api/v1/features/indicators"]["get"]
    assert set(features["responses"]["200"]["content"]) == {wire.JSON, wire.ARROW}
    assert set(features["responses"]["404"]["content"]) == {wire.PROBLEM}
    assert {each["name"] for each in features["parameters"]} == {"symbol", "timeframe", "start", "end", "indicators"}
    assert "security" not in features


@given(accept=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80))
def test_no_accept_header_makes_the_service_fail(accept):
    from starlette.exceptions import HTTPException

    from feature_store.service.negotiation import OFFERED, negotiated

    with contextlib.suppress(HTTPException):
        assert negotiated(accept, OFFERED) in OFFERED
