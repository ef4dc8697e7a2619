from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from feature_store import errors, json_codec
from feature_store.wire import PROBLEM
from strategy_execution_engine.clients.outage import Outage
from strategy_execution_engine.clients.refusals import refusal, retry_after_s

HOME = "http://127.0.0.1/api/v1"


def answer(status, code=None, headers=None, **document):
    if code is None:
        return refusal(status, {"Content-Type": "text/html", **(headers or {})}, b"<h1>no</h1>", HOME)
    body = json_codec.dumps({"code": code, "detail": "a sentence", **document})
    return refusal(status, {"Content-Type": f"{PROBLEM}; charset=utf-8", **(headers or {})}, body, HOME)


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (422, "invalid_request", errors.InvalidRequestError),
        (404, "feature_not_found", errors.FeatureNotFoundError),
        (404, "data_not_found", errors.DataNotFoundError),
        (422, "of_a_newer_version", errors.InvalidRequestError),
        (401, "not_authorised", errors.FeatureStoreAuthError),
        (403, "not_authorised", errors.FeatureStoreAuthError),
        (401, None, errors.FeatureStoreAuthError),
        (404, None, errors.FeatureStoreConnectionError),
        (301, None, errors.FeatureStoreConnectionError),
        (304, None, errors.FeatureStoreConnectionError),
    ],
)
def test_a_refusal_is_the_error_that_its_code_names(status, code, error):
    assert type(answer(status, code)) is error


@pytest.mark.parametrize(
    ("status", "code", "error", "counts"),
    [
        (500, "unexpected", errors.FeatureStoreUnavailableError, True),
        (500, "corrupt_data", errors.CorruptDataError, True),
        (503, "store_locked", errors.StoreLockedError, True),
        (504, "timeout", errors.FeatureStoreTimeoutError, True),
        (502, None, errors.FeatureStoreUnavailableError, True),
        (429, "invalid_request", errors.FeatureStoreUnavailableError, False),
        (429, None, errors.FeatureStoreUnavailableError, False),
        (408, None, errors.FeatureStoreUnavailableError, False),
    ],
)
def test_a_failure_is_an_outage_and_throttling_does_not_count(status, code, error, counts):
    outage = answer(status, code)
    assert isinstance(outage, Outage)
    assert type(outage.error) is error
    assert outage.counts is counts
    assert outage.retry


def test_the_sentence_and_the_field_are_passed_on():
    error = answer(422, "invalid_request", detail="period must be 2 or more, was 1", field="indicators")
    assert str(error) == "period must be 2 or more, was 1"
    assert error.field == "indicators"


@pytest.mark.parametrize("body", [b"", b"[1]", b"{", b'{"code": ["x"], "detail": {"a": 1}, "field": 7}'])
def test_a_document_that_makes_no_sense_does_no_harm(body):
    error = refusal(404, {"Content-Type": PROBLEM}, body, HOME)
    assert isinstance(error, errors.FeatureStoreError)


def test_a_long_sentence_is_cut():
    assert len(str(answer(422, "invalid_request", detail="x" * 10_000))) == 500


def test_retry_after_is_read_as_seconds_and_as_a_date():
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after_s({"Retry-After": "3"}) == 3.0
    assert retry_after_s({"Retry-After": in_a_minute}) == pytest.approx(60, abs=2)
    assert retry_after_s({"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0.0


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5", "9" * 400])
def test_a_retry_after_that_is_neither_is_none_or_harmless(text):
    assert retry_after_s({"Retry-After": text}) in {None, float("inf")}
