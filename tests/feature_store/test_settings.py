from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from feature_store.errors import InvalidRequestError
from feature_store.settings import DEFAULT_URL, Settings, checked_url


def test_an_empty_environment_gives_the_documented_defaults():
    settings = Settings.from_environment({"FEATURE_STORE_URL": "", "FEATURE_STORE_API_KEY": ""})
    assert settings.url == DEFAULT_URL == "http://localhost:8001/api/v1"
    assert settings.api_key is None
    assert settings.home.is_absolute()


def test_the_environment_decides(monkeypatch):
    monkeypatch.setenv("FEATURE_STORE_URL", "https://features.example:8443/api/v1/")
    monkeypatch.setenv("FEATURE_STORE_API_KEY", "fsk_secret")
    monkeypatch.setenv("FEATURE_STORE_HOME", "~/market")
    settings = Settings.from_environment()
    assert settings.url == "https://features.example:8443/api/v1"
    assert settings.api_key == "fsk_secret"
    assert settings.home == Path.home() / "market"


def test_the_key_is_not_shown_and_nothing_can_be_changed():
    settings = Settings(api_key="fsk_secret")
    assert "fsk_secret" not in repr(settings)
    with pytest.raises(FrozenInstanceError):
        settings.url = "http://elsewhere"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8001",
        "ftp://host/x",
        "http://",
        "http://host:0",
        "http://host:99999",
        "http://h?a=1",
        "http://h#f",
        None,
    ],
)
def test_an_address_that_is_none_is_refused_by_name(url):
    with pytest.raises(InvalidRequestError, match="base_url must be an address") as refused:
        checked_url(url)
    assert refused.value.field == "base_url"


def test_a_refused_address_does_not_show_its_password():
    with pytest.raises(InvalidRequestError) as refused:
        checked_url("http://user:hunter2@host/?key=hunter3")
    assert "hunter" not in str(refused.value)


def test_an_address_of_a_store_stays_an_address():
    assert Settings.from_environment({"FEATURE_STORE_HOME": "s3://bucket/market"}).home == "s3://bucket/market"
