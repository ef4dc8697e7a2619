"""Settings of this process, read once from the environment by whoever starts something; nobody else reads it.

`FEATURE_STORE_URL` is where the service answers, `FEATURE_STORE_API_KEY` the key sent to it, `FEATURE_STORE_HOME` the folder
or the address at which a store keeps its data, `FEATURE_STORE_SERVICE_KEYS` the keys that a service accepts, separated by
commas. A variable that is set but empty counts as not set.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_URL = "http://localhost:8001/api/v1"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides.

    Args:
        url: the service's base address, http or https, without a trailing slash.
        api_key: the key sent as `X-API-Key`; None sends none. Left out of `repr`.
        home: the folder, or an address such as `s3://bucket/market`, that `feature_store.open` opens by default.
        service_keys: the keys that a service started here accepts; none leaves it open. Left out of `repr`.
    """

    url: str = DEFAULT_URL
    api_key: str | None = field(default=None, repr=False)
    home: Path | str = Path("market")
    service_keys: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """Return what `environment` says, by default this process's; raises InvalidRequestError for a bad address.

        >>> Settings.from_environment({"FEATURE_STORE_URL": "https://features.example/api/v1/"}).url
        'https://features.example/api/v1'
        """
        variables = os.environ if environment is None else environment
        return cls(
            url=checked_url(variables.get("FEATURE_STORE_URL") or DEFAULT_URL, "FEATURE_STORE_URL"),
            api_key=variables.get("FEATURE_STORE_API_KEY") or None,
            home=_home(variables.get("FEATURE_STORE_HOME")),
            service_keys=_listed(variables.get("FEATURE_STORE_SERVICE_KEYS")),
        )


def checked_url(url: str, name: str = "base_url") -> str:
    """Return `url` without a trailing slash; raises InvalidRequestError unless it is a plain http(s) address.

    An address with a user, a query or a fragment is refused: secrets belong into the key, and paths are appended to it.
    """
    text = url.strip() if isinstance(url, str) else ""
    try:
        parts = urlsplit(text)
        plain = not (parts.username or parts.password or parts.query or parts.fragment)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and plain and parts.port != 0
    except ValueError:  # a port that is no port
        good = False
    if not good:
        msg = f"{name} must be an address such as {DEFAULT_URL}, without user, query or fragment, was {_masked(url)!r}"
        raise InvalidRequestError(msg, field=name)
    return text.rstrip("/")


def _masked(url: object) -> str:
    """Return what may be shown of a refused address: nothing before an @, nothing after a question mark."""
    return str(url).rpartition("@")[2].partition("?")[0][:100]


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(word.strip() for word in (text or "").split(",") if word.strip())


def _home(text: str | None) -> Path | str:
    if text:
        return text if "://" in text else Path(text).expanduser()
    from platformdirs import user_data_path  # noqa: PLC0415  only needed where nobody says where

    return user_data_path("feature-store", appauthor=False)
