"""Asks a feature store over HTTP, with aiohttp.

One session for each event loop, made when that loop first asks, closed once. What aiohttp would do by itself and we do
not want is off: proxies and netrc from the environment, redirects, cookies, decompression without a bound, and sending
a GET a second time after a broken connection (in an outage that doubles the load; retries are `Retry`'s decision).
Every exception of aiohttp ends here, as an Outage or as one of our errors.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import aiohttp

from feature_store import json_codec, wire
from feature_store.errors import (
    CorruptResponseError,
    FeatureStoreConnectionError,
    FeatureStoreError,
    FeatureStoreTimeoutError,
    InvalidRequestError,
)
from feature_store.settings import checked_url
from feature_store.times import to_iso
from strategy_execution_engine.clients.content import (
    ACCEPTED_ENCODINGS,
    MAX_BYTES,
    check_digest,
    decompress,
    refuse_size,
)
from strategy_execution_engine.clients.outage import Outage
from strategy_execution_engine.clients.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from feature_store.wire import FeatureRequest
    from strategy_execution_engine.clients.transport import Answer, Call

_PATHS = {"ohlcv": "/data/ohlcv", "indicators": "/features/indicators", "compute": "/features/compute"}
_ACCEPT = {"json": wire.JSON, "arrow": f"{wire.ARROW}, {wire.JSON};q=0.5"}
_ANSWERED = frozenset({200, 201})
_CONNECTIONS = 100
_KEEPALIVE_S = 4.0  # less than the 5 s of uvicorn, so no request goes into a connection that is being closed
_WORTH_A_THREAD = 256 * 1024  # bytes whose decoding would hold up the event loop for more than a millisecond or two


class HttpTransport:
    """Asks the service at `base_url`.

    Args:
        base_url: such as `http://localhost:8001/api/v1`.
        api_key: sent as `X-API-Key`; None sends none.
        wire_format: `json`, or `arrow` for frames that are large (needs pyarrow).
        max_bytes: no answer may be larger, compressed or decompressed.

    Raises:
        InvalidRequestError: the address, the key or the format is none.
    """

    def __init__(
        self,
        base_url: str,
        api_key: str | None = None,
        *,
        wire_format: Literal["json", "arrow"] = "json",
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._base = checked_url(base_url)
        if wire_format not in _ACCEPT:
            raise InvalidRequestError(f"wire_format must be json or arrow, was {wire_format!r}", field="wire_format")
        if api_key is not None and not (api_key.isascii() and api_key.isprintable() and api_key.strip()):
            raise InvalidRequestError("api_key must be printable ASCII text without line breaks", field="api_key")
        self._accept = _ACCEPT[wire_format]
        self._key = {} if api_key is None else {"X-API-Key": api_key}
        self._max_bytes = max_bytes
        self._sessions: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}
        self.identity = hashlib.sha256(f"{self._base}\n{api_key}".encode()).hexdigest()[:12]

    def __repr__(self) -> str:
        return f"<HttpTransport {self._base} sessions={len(self._sessions)}>"

    async def send(self, call: Call, timeout_s: float) -> Answer:
        """Return the service's answer; raises Outage and FeatureStoreError as `Transport` says."""
        try:
            async with asyncio.timeout(timeout_s):
                status, headers, body = await self._exchange(call, timeout_s)
        except TimeoutError:
            raise Outage(FeatureStoreTimeoutError(f"{self._base} gave no answer within {timeout_s:.3g} s")) from None
        except (aiohttp.ClientError, OSError) as problem:
            raise Outage(_unreachable(self._base, problem)) from problem
        try:
            return await self._answer(call, status, headers, body)
        except CorruptResponseError as problem:
            raise Outage(problem) from problem

    async def close(self) -> None:
        """Close every session; those of other event loops in their own."""
        sessions, self._sessions = self._sessions, {}
        for loop, session in sessions.items():
            if loop is asyncio.get_running_loop() or loop.is_closed():
                await session.close()
            else:
                await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(session.close(), loop))

    async def _exchange(self, call: Call, timeout_s: float) -> tuple[int, Mapping[str, str], bytes]:
        method, url, params, sent = self._request(call)
        headers = {
            "Accept": wire.JSON if call.request is None else self._accept,
            "X-Deadline-Ms": str(max(1, int(timeout_s * 1000))),
        }
        if sent is not None:
            headers["Content-Type"] = wire.JSON
        request = self._session().request(method, url, params=params, data=sent, headers=headers, allow_redirects=False)
        async with request as response:
            return response.status, response.headers, await self._read(response)

    def _request(self, call: Call) -> tuple[str, str, dict[str, str] | None, bytes | None]:
        asked = call.request
        if call.endpoint == "register":
            return "POST", f"{self._base}/indicators", None, call.body
        if asked is None:
            path = f"/indicators/{quote(call.indicator, safe='')}" if call.endpoint == "indicator" else "/indicators"
            return "GET", self._base + path, None, None
        url = self._base + _PATHS[call.endpoint]
        if call.endpoint == "compute":
            body = {**_series(asked), "feature_name": asked.indicators[0], "parameters": dict(call.parameters)}
            return "POST", url, None, json_codec.dumps(body)
        names = {"indicators": ",".join(asked.indicators)} if asked.indicators else {}
        return "GET", url, {**_series(asked), **names}, None

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        refuse_size(response.content_length or 0, self._max_bytes)
        parts, size = [], 0
        async for part in response.content.iter_any():
            size += len(part)
            refuse_size(size, self._max_bytes)
            parts.append(part)
        return b"".join(parts)

    async def _answer(self, call: Call, status: int, headers: Mapping[str, str], body: bytes) -> Answer:
        check_digest(body, headers.get("Content-Digest"))
        content = decompress(body, headers.get("Content-Encoding", ""), self._max_bytes)
        if status not in _ANSWERED:
            raise refusal(status, headers, content, self._base)
        media_type = headers.get("Content-Type", "").split(";")[0].strip().lower()
        if len(content) < _WORTH_A_THREAD:
            return _decoded(call, media_type, content)
        return await asyncio.to_thread(_decoded, call, media_type, content)

    def _session(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        session = self._sessions.get(loop)
        if session is None:
            self._sessions[loop] = session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEEPALIVE_S),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"Accept-Encoding": ACCEPTED_ENCODINGS, "User-Agent": "forex-feature-store", **self._key},
                timeout=aiohttp.ClientTimeout(total=None),  # `send` keeps the time, the wait for a connection included
                auto_decompress=False,
                trust_env=False,
                middlewares=(_send_once,),
            )
        return session


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Hide from aiohttp the two errors after which it would send a GET again."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # nothing was sent; aiohttp leaves it at that
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as problem:
        raise aiohttp.ClientConnectionError(str(problem)) from problem


def _series(asked: FeatureRequest) -> dict[str, str]:
    sides = {"start": asked.start, "end": asked.end}
    times = {name: to_iso(side) for name, side in sides.items() if side is not None}
    return {"symbol": asked.symbol.name, "timeframe": asked.timeframe.name, **times}


def _unreachable(base: str, problem: Exception) -> FeatureStoreConnectionError:
    if isinstance(problem, aiohttp.ClientConnectorError):
        return FeatureStoreConnectionError(
            f"{base} cannot be reached ({_why(problem.os_error)}); "
            "is the service running (feature-store serve), is the address right?"
        )
    return FeatureStoreConnectionError(
        f"the connection to {base} broke before the answer was complete ({_why(problem)})"
    )


def _why(problem: BaseException) -> str:
    """Return the operating system's words for an error of its own, else the first line of the error's."""
    number = getattr(problem, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    return (str(problem) or type(problem).__name__).splitlines()[0][:200]


def _decoded(call: Call, media_type: str, content: bytes) -> Answer:
    if call.request is None:
        return _document(media_type, content)
    if media_type not in {wire.JSON, wire.ARROW}:
        raise _not_ours(media_type)
    frame = wire.frame_from_json(content) if media_type == wire.JSON else wire.frame_from_arrow(content)
    asked = call.request
    if (frame.symbol, frame.timeframe) != (asked.symbol.name, asked.timeframe.name):
        msg = f"the answer is about {frame.symbol} {frame.timeframe}, asked was {asked.symbol} {asked.timeframe}"
        raise CorruptResponseError(msg)
    return frame


def _document(media_type: str, content: bytes) -> dict[str, Any]:
    if media_type != wire.JSON:
        raise _not_ours(media_type)
    try:
        document = json_codec.loads(content)
    except InvalidRequestError as problem:
        raise CorruptResponseError(f"the answer is not JSON: {problem}") from None
    if not isinstance(document, dict):
        raise CorruptResponseError(f"the answer should be an object, it is a {type(document).__name__}")
    return document


def _not_ours(media_type: str) -> FeatureStoreError:
    return CorruptResponseError(f"the answer is {media_type or 'of no stated type'!r:.60}; is the address right?")
