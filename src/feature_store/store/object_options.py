"""What gets into an object store, in `deltalake`'s words, said again in those of `obstore`.

`deltalake` takes one flat mapping of strings. `obstore` wants to hear apart how the store is reached, how the client behaves,
and how often it tries again.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Mapping

_CLIENT = frozenset(
    {
        "allow_http",
        "allow_invalid_certificates",
        "connect_timeout",
        "pool_idle_timeout",
        "pool_max_idle_per_host",
        "proxy_url",
        "timeout",
        "user_agent",
    }
)
_UNITS = {"ms": 1e-3, "s": 1.0, "m": 60.0}


def said_to_obstore(options: Mapping[str, str]) -> dict[str, Any]:
    """Return the options as arguments of `obstore.store.from_url`.

    `aws_allow_http` may be said without its prefix, and so may those that are the client's; trying again is bounded by
    `max_retries`, `retry_timeout`, `backoff_config.init_backoff` and `backoff_config.max_backoff`, such as `10`, `3m`, `100ms`.
    Raises InvalidRequestError for a time that is none.

    >>> said_to_obstore({"aws_region": "eu-west-1", "aws_allow_http": "true", "max_retries": "2"})
    {'config': {'aws_region': 'eu-west-1'}, 'client_options': {'allow_http': 'true'}, 'retry_config': {'max_retries': 2}}
    """
    store: dict[str, str] = {}
    client: dict[str, str] = {}
    again: dict[str, Any] = {}
    for name, value in options.items():
        plain = name.lower().removeprefix("aws_")
        if plain == "max_retries":
            again["max_retries"] = int(value)
        elif plain == "retry_timeout":
            again["retry_timeout"] = _duration(name, value)
        elif plain.startswith("backoff_config."):
            again.setdefault("backoff", {})[plain.partition(".")[2]] = _duration(name, value)
        elif plain in _CLIENT:
            client[plain] = value
        else:
            store[name] = value
    return {"config": store, "client_options": client, "retry_config": again or None}


def _duration(name: str, value: str) -> timedelta:
    found = re.fullmatch(r"([0-9]+)(ms|s|m)", value)
    if found is None:
        msg = f"{name} must be a time such as 100ms, 2s or 3m, was {value!r}"
        raise InvalidRequestError(msg, field="options")
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]])
