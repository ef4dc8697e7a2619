"""API keys: needed by every route under /api, compared as bytes, never shown, and a must beyond this machine."""

import pytest

from feature_store.errors import InvalidRequestError
from feature_store.service.app import create_app
from feature_store.service.auth import Keys, check_exposure, is_loopback

BARS = "/api/v1/data/ohlcv?symbol=EUR/USD"
ROUTES = [
    BARS,
    "/api/v1/features/indicators?symbol=EUR/USD&indicators=sma_2",
    "/api/v1/indicators",
    "/api/v1/indicators/rsi",
]


@pytest.fixture
def guarded(store, make_caller):
    return make_caller(create_app(store, api_keys=["first-key", "second-key"]))


@pytest.mark.parametrize("target", ROUTES)
def test_every_route_under_api_asks_for_a_key(guarded, target):
    assert guarded.get(target).code == (401, "not_authorised")
    assert guarded.get(target, x_api_key="first-key").status == 200
    assert guarded.get(target, x_api_key="second-key").status == 200


def test_a_stranger_learns_neither_addresses_nor_rules(guarded):
    assert guarded.get("/api/v1/nowhere").code == (401, "not_authorised")
    assert guarded.post("/api/v1/features/compute", {"nonsense": 1}).code == (401, "not_authorised")


@pytest.mark.parametrize("wrong", ["", "first-ke", "first-key ", "FIRST-KEY", "first-key\x00", "schlüssel", "\xff" * 9])
def test_a_wrong_key_is_refused_whatever_its_letters(guarded, wrong):
    answer = guarded.get(BARS, x_api_key=wrong)
    assert answer.code == (401, "not_authorised")
    assert "X-API-Key" in answer.json["detail"]
    assert "X-API-Key" in answer.headers["www-authenticate"]


def test_a_refusal_does_not_repeat_the_key(guarded):
    assert b"top-secret" not in guarded.get(BARS, x_api_key="top-secret").body


def test_health_and_metrics_need_no_key(guarded):
    assert [guarded.get(target).status for target in ("/healthz", "/readyz", "/metrics")] == [200, 200, 200]


def test_the_description_says_where_a_key_is_needed(guarded):
    api = guarded.get("/openapi.json").json
    assert api["components"]["securitySchemes"]["APIKeyHeader"]["name"] == "X-API-Key"
    for path, routes in api["paths"].items():
        for route in routes.values():
            assert ("security" in route) == path.startswith("/api/")
            assert ("401" in route["responses"]) == path.startswith("/api/")


def test_without_keys_everybody_may_ask(caller):
    assert caller.get(BARS, x_api_key="whatever").status == 200


def test_keys_are_not_shown():
    assert repr(Keys(["first-key"])) == "<Keys 1>"


@pytest.mark.parametrize("key", ["", " key", "schlüssel", "a\nb"])
def test_a_key_that_no_header_can_carry_is_refused(key):
    with pytest.raises(InvalidRequestError, match="printable ASCII"):
        Keys([key])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"])
def test_this_machine_needs_no_key(host):
    assert is_loopback(host)
    check_exposure(host, Keys())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "203.0.113.7", "no.such.host.invalid", ""])
def test_beyond_this_machine_a_key_is_needed(host):
    with pytest.raises(InvalidRequestError, match="--api-key"):
        check_exposure(host, Keys())
    check_exposure(host, Keys(["first-key"]))
