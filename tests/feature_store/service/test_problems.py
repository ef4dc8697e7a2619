"""Every bad request gets a problem document that names the value, the rule and the way out; the service's own failures tell
nothing but a trace id."""

import logging

import pytest

from feature_store import wire
from feature_store.errors import CorruptDataError, SnapshotMismatchError, StoreLockedError, by_code
from feature_store.service import limits
from feature_store.service.problems import CATALOGUE

BARS = "/api/v1/data/ohlcv?symbol=EUR/USD&timeframe=1h"
FEATURES = "/api/v1/features/indicators?symbol=EUR/USD&timeframe=1h"
COMPUTE = "/api/v1/features/compute"
QUESTION = {"feature_name": "rsi", "symbol": "EUR/USD", "timeframe": "1h"}


@pytest.mark.parametrize(
    ("target", "status", "code", "field", "says"),
    [
        (f"{FEATURES}&indicators=smaa_5", 404, "feature_not_found", "indicators", "did you mean sma"),
        (f"{FEATURES}&indicators=sma_5,../etc", 404, "feature_not_found", "indicators", "../etc"),
        (f"{FEATURES}&indicators=sma_0", 422, "invalid_request", "period", "from 1 to 5000, was 0"),
        (f"{FEATURES}&indicators=sma_5_6", 422, "invalid_request", "indicators", "gives 2 values"),
        (f"{FEATURES}&indicators=", 422, "invalid_request", "indicators", "sma_50"),
        (f"{FEATURES}&indicators=sma_5,,rsi", 422, "invalid_request", "indicators", "sma_50"),
        (FEATURES, 422, "invalid_request", "indicators", "missing"),
        (f"{FEATURES}&indicators={'x' * 201}", 422, "invalid_request", "indicators", "at most 200"),
        (
            f"{FEATURES}&indicators={','.join(f'sma_{n}' for n in range(2, 203))}",
            422,
            "invalid_request",
            "indicators",
            "at most 200",
        ),
        (BARS.replace("EUR/USD", "GBP/USD"), 404, "data_not_found", "symbol", "stored is EUR/USD 1h"),
        (BARS.replace("EUR/USD", "EUR%00USD"), 422, "invalid_request", "symbol", "such as EUR/USD"),
        (BARS.replace("EUR/USD", ".."), 422, "invalid_request", "symbol", "such as EUR/USD"),
        (BARS.replace("EUR/USD", "unknown"), 422, "invalid_request", "symbol", "such as EUR/USD"),
        (BARS.replace("symbol=EUR/USD&", ""), 422, "invalid_request", "symbol", "missing"),
        (BARS.replace("1h", "7h"), 422, "invalid_request", "timeframe", "one of 1m"),
        (BARS.replace("1h", "4h"), 404, "data_not_found", "symbol", "stored is"),
        (f"{BARS}&start=2023-02-01&end=2023-01-01", 422, "invalid_request", "end", "end must be after start"),
        (f"{BARS}&start=yesterday", 422, "invalid_request", "start", "ISO 8601"),
        (f"{BARS}&end=2023-02-30", 422, "invalid_request", "end", "2023-02-30"),
        (f"{BARS}&start=99999999999999999999", 422, "invalid_request", "start", "ISO 8601"),
        (f"{BARS}&start=2030-01-01", 404, "data_not_found", "start", "stored is 2023-01-02"),
        (f"{BARS}&strat=2023-01-01", 422, "invalid_request", "strat", "not known here"),
        ("/api/v1/data/ohlcv?symbl=EURUSD", 422, "invalid_request", "symbl", "not known here"),
        ("/api/v1/indicators/zzzzqqqq", 404, "feature_not_found", "indicators", "feature-store catalog"),
        ("/api/v1/indicators/sma_0", 422, "invalid_request", "period", "from 1"),
        ("/api/v1/nowhere", 404, "invalid_request", None, "/openapi.json"),
        ("/api/v1/indicators/", 404, "invalid_request", None, "/openapi.json"),
        ("/docs", 404, "invalid_request", None, "/openapi.json"),
        ("/", 404, "invalid_request", None, "/openapi.json"),
    ],
)
def test_a_bad_question_gets_a_sentence_with_the_way_out(caller, target, status, code, field, says):
    answer = caller.get(target)
    assert answer.code == (status, code), answer.json
    assert answer.json["field"] == field
    assert says in answer.json["detail"]


def test_a_problem_document_has_the_shape_of_the_catalogue(caller):
    document = caller.get("/nowhere").json
    kind = CATALOGUE["address_not_found"]
    assert set(document) == {"type", "title", "status", "code", "detail", "field", "trace_id"}
    assert (document["type"], document["title"]) == ("urn:feature-store:problem:address_not_found", kind.title)


def test_every_code_of_the_catalogue_is_an_errors_own_or_says_unexpected():
    for kind in CATALOGUE.values():
        assert kind.code == "unexpected" or by_code(kind.code).code == kind.code


def test_a_problem_is_not_kept_by_caches(caller):
    assert caller.get("/nowhere").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "accept", ["text/html", "text/csv, application/xml", f"{wire.JSON};q=0, {wire.ARROW};q=0", "nonsense", ";"]
)
def test_an_unknown_form_is_refused_before_any_work(caller, store, accept):
    answer = caller.get(BARS, accept=accept)
    assert answer.code == (406, "invalid_request")
    assert wire.JSON in answer.json["detail"]
    assert store.asked == []


def test_the_catalog_comes_as_json_only(caller):
    assert caller.get("/api/v1/indicators", accept=wire.ARROW).code == (406, "invalid_request")


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("POST", BARS, "GET"),
        ("HEAD", BARS, "GET"),
        ("DELETE", "/api/v1/indicators", "GET, POST"),
        ("GET", COMPUTE, "POST"),
        ("TRACE", "/healthz", "GET"),
    ],
)
def test_a_wrong_method_names_the_right_one(caller, method, target, allowed):
    answer = caller.send(method, target)
    assert answer.code == (405, "invalid_request")
    assert answer.headers["allow"] == allowed
    assert "Allow" in answer.json["detail"]


# ---------------------------------------------------------------- bodies
@pytest.mark.parametrize(
    ("body", "field", "says"),
    [
        ({**QUESTION, "feature_name": 5}, "feature_name", "string"),
        ({**QUESTION, "feature_name": ""}, "feature_name", "at least 1 character"),
        ({**QUESTION, "parameter": {}}, "parameter", "not known here"),
        ({**QUESTION, "parameters": {"period": 1}}, "period", "from 2 to 5000, was 1"),
        ({**QUESTION, "parameters": {"period": 2.5}}, "period", "whole number"),
        ({**QUESTION, "parameters": {"perod": 14}}, None, "perod"),
        ({**QUESTION, "parameters": [14]}, "parameters", "dictionary"),
        ({**QUESTION, "parameters": {"period": [14]}}, "parameters.period", "valid"),
        ({**QUESTION, "parameters": {"period": True}}, "parameters.period", "valid"),
        ({**QUESTION, "parameters": {"period": "14"}}, "period", "whole number"),
        ({**QUESTION, "parameters": {f"p{n}": n for n in range(33)}}, "parameters", "at most 32"),
        ({**QUESTION, "start": "2023-02-01", "end": "2023-01-01"}, "end", "end must be after start"),
        ({**QUESTION, "start": 10**30}, "start", "ISO 8601"),
        ({"symbol": "EUR/USD"}, "feature_name", "missing"),
        ([], "body", "dictionary"),
        ("rsi", "body", "dictionary"),
        (None, "body", "dictionary"),
    ],
)
def test_a_body_that_breaks_a_rule_is_refused(caller, body, field, says):
    answer = caller.post(COMPUTE, body)
    assert answer.code == (422, "invalid_request"), answer.json
    if field is not None:
        assert answer.json["field"].startswith(field)
    assert says in answer.json["detail"]


def test_compute_refuses_an_indicator_nobody_knows(caller):
    assert caller.post(COMPUTE, {**QUESTION, "feature_name": "nope", "parameters": {"n": 1}}).code == (
        404,
        "feature_not_found",
    )


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b'{"a":}', b"[" * 100_000])
def test_a_body_that_is_not_json_is_refused(caller, body):
    answer = caller.send("POST", COMPUTE, body, {"content-type": wire.JSON})
    assert answer.status in {400, 422}
    assert answer.code[1] == "invalid_request"


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_of_another_kind_is_refused(caller, content_type):
    headers = {"content-type": content_type} if content_type else {}
    answer = caller.send("POST", COMPUTE, b'{"feature_name": "rsi", "symbol": "EUR/USD"}', headers)
    assert answer.code == (415, "invalid_request")


def test_numbers_json_does_not_have_are_refused(caller):
    body = b'{"feature_name": "rsi", "symbol": "EUR/USD", "parameters": {"period": NaN}}'
    assert caller.send("POST", COMPUTE, body, {"content-type": wire.JSON}).code == (422, "invalid_request")


# ---------------------------------------------------------------- limits
def test_an_address_that_is_too_long_is_refused(caller, store):
    answer = caller.get(f"{BARS}&start={'1' * limits.MAX_URL_BYTES}")
    assert answer.code == (414, "invalid_request")
    assert str(limits.MAX_URL_BYTES) in answer.json["detail"]


def test_a_body_that_declares_too_much_is_refused_unread(caller):
    headers = {"content-type": wire.JSON, "content-length": str(limits.MAX_BODY_BYTES + 1)}
    answer = caller.send("POST", COMPUTE, b"{}", headers)
    assert answer.code == (413, "invalid_request")
    assert str(limits.MAX_BODY_BYTES) in answer.json["detail"]


def test_a_body_of_unknown_length_is_refused_as_it_grows(caller):
    chunks = [b" " * (limits.MAX_BODY_BYTES // 2)] * 3
    assert caller.stream(COMPUTE, chunks, {"content-type": wire.JSON}).code == (413, "invalid_request")


def test_a_body_just_within_the_limit_is_read(caller):
    body = b'{"feature_name": "rsi", "symbol": "EUR/USD"}'
    padded = body + b" " * (limits.MAX_BODY_BYTES - len(body))
    assert caller.send("POST", COMPUTE, padded, {"content-type": wire.JSON}).status == 200


def test_an_answer_that_would_be_too_large_is_refused_before_it_is_computed(caller, store):
    store.rows = 1_000_000
    answer = caller.get(f"{FEATURES}&indicators={','.join(f'macd_{fast}' for fast in range(2, 9))}")
    assert answer.code == (422, "invalid_request")
    assert f"{limits.MAX_CELLS:,}" in answer.json["detail"]
    assert store.asked == []


def test_a_wide_range_over_little_data_is_answered(caller):
    assert caller.get(f"{BARS}&start=1900-01-01&end=2199-01-01").status == 200


@pytest.mark.parametrize(
    "name", ["a" + "_11" * 60 + "!", "sma" + "_1" * 90, "_" * 200, "sma_" + "." * 190, "a" * 200 + "@"]
)
def test_a_hostile_name_is_refused_at_once(caller, name):
    assert caller.get(f"/api/v1/indicators/{name[:200]}").status in {404, 422}


# ---------------------------------------------------------------- the service's own failures
def failing(store, error):
    def frame(request):
        raise error

    store.frame = frame


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (CorruptDataError("/home/anna/market/bars/part-1.parquet is damaged"), 500, "corrupt_data"),
        (StoreLockedError("/home/anna/market is written by process 4711"), 503, "store_locked"),
        (SnapshotMismatchError("/home/anna/state does not match"), 500, "unexpected"),
        (RuntimeError("/home/anna/market: secret"), 500, "unexpected"),
    ],
)
def test_the_services_own_failure_tells_a_trace_id_and_nothing_else(caller, store, caplog, error, status, code):
    failing(store, error)
    with caplog.at_level(logging.ERROR):
        answer = caller.get(BARS)
    assert answer.code == (status, code)
    assert b"anna" not in answer.body
    assert answer.json["trace_id"] in caplog.text
    assert str(error) in caplog.text


def test_a_locked_store_says_when_to_come_back(caller, store):
    failing(store, StoreLockedError("locked"))
    assert caller.get(BARS).headers["retry-after"] == "1"


def test_a_store_that_cannot_be_read_is_not_ready(caller, store):
    def symbols():
        raise CorruptDataError("damaged")

    store.symbols = symbols
    assert caller.get("/readyz").code == (500, "corrupt_data")
    assert caller.get("/healthz").status == 200


def test_the_callers_trace_id_is_kept(caller):
    trace = "0af7651916cd43dd8448eb211c80319c"
    assert caller.get("/nowhere", traceparent=f"00-{trace}-b7ad6b7169203331-01").json["trace_id"] == trace


@pytest.mark.parametrize("broken", ["00-xyz-b7ad6b7169203331-01", "", "00-" + "0" * 500])
def test_a_trace_id_that_is_none_is_replaced(caller, broken):
    assert len(caller.get("/nowhere", traceparent=broken).json["trace_id"]) == 32
