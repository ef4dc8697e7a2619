"""API keys: who may use the service. Without any the service is open, and then only on loopback.

Keys are kept as digests and compared as bytes in constant time, so that neither a header in another alphabet nor the
time a refusal takes tells anything about them.
"""

from __future__ import annotations

import hmac
import ipaddress
import socket
from hashlib import sha256
from typing import TYPE_CHECKING

from feature_store.errors import InvalidRequestError
from feature_store.service.problems import problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import ASGIApp, Receive, Scope, Send

HEADER = "X-API-Key"
_GUARDED = "/api/"
_CHALLENGE = {"WWW-Authenticate": f'ApiKey header="{HEADER}"'}


class Keys:
    """The keys a service accepts.

    >>> keys = Keys(["correct-horse"])
    >>> keys.admit(b"correct-horse"), keys.admit(b"battery"), keys.admit(None)
    (True, False, False)
    """

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._digests = tuple(_digest(_checked(key).encode()) for key in keys)

    def __len__(self) -> int:
        return len(self._digests)

    def __repr__(self) -> str:
        return f"<Keys {len(self)}>"

    def admit(self, presented: bytes | None) -> bool:
        """Return whether `presented` is one of the keys; every key is compared, found or not."""
        digest = _digest(presented or b"")
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0


class Guard:
    """ASGI middleware that asks for a key before anything under `/api/` is read, known address or not."""

    def __init__(self, app: ASGIApp, keys: Keys) -> None:
        self.app = app
        self.keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401."""
        if scope["type"] != "http" or not scope["path"].startswith(_GUARDED):
            await self.app(scope, receive, send)
            return
        presented = dict(scope["headers"]).get(HEADER.lower().encode())
        if self.keys.admit(presented):
            await self.app(scope, receive, send)
            return
        detail = (
            f"this service needs an API key; send it as {HEADER}"
            if presented is None
            else f"this {HEADER} is not known here"
        )
        await problem(scope, "not_authorised", detail, headers=_CHALLENGE)(scope, receive, send)


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach `host`, a name or an address.

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0")
    (True, False)
    """
    try:
        found = [ipaddress.ip_address(host.strip("[]"))]
    except ValueError:
        found = _resolved(host)
    return bool(found) and all(address.is_loopback for address in found)


def check_exposure(host: str, keys: Keys) -> None:
    """Raise InvalidRequestError where other machines could use the service without a key."""
    if not len(keys) and not is_loopback(host):
        msg = (
            f"a service without API keys listens on this machine only, not on {host}; "
            "give it a key (--api-key, or FEATURE_STORE_SERVICE_KEYS), or --host 127.0.0.1"
        )
        raise InvalidRequestError(msg, field="host")


def _resolved(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    try:
        found = socket.getaddrinfo(host, None)
    except OSError:
        return []
    return [ipaddress.ip_address(address[0]) for *_, address in found]


def _checked(key: str) -> str:
    if not key or not key.isascii() or not key.isprintable() or key != key.strip():
        msg = "an API key is made of printable ASCII characters without spaces around them; one that was given is not"
        raise InvalidRequestError(msg, field="api_key")
    return key


def _digest(key: bytes) -> bytes:
    return sha256(key).digest()
