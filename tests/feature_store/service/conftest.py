"""A small store in memory, and a caller that speaks to the application without a network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from feature_store import json_codec, wire
from feature_store.bars import COLUMNS, Symbol, Timeframe
from feature_store.errors import DataNotFoundError
from feature_store.indicators.catalog import catalog, parse
from feature_store.store.protocol import Series
from feature_store.times import to_datetime

HOUR = 3_600_000
FIRST = 1_672_617_600_000  # 2023-01-02T00:00Z


@dataclass
class SmallStore:
    """EUR/USD 1h from 2 January 2023; a feature's values are the row numbers, NaN before its warm-up."""

    rows: int = 100
    asked: list[wire.FeatureRequest] = field(default_factory=list)

    def frame(self, request: wire.FeatureRequest) -> wire.Frame:
        self.asked.append(request)
        if (request.symbol, request.timeframe) != (Symbol.parse("EUR/USD"), Timeframe.parse("1h")):
            raise DataNotFoundError(
                f"no bars of {request.symbol} {request.timeframe}; stored is EUR/USD 1h", field="symbol"
            )
        every = FIRST + HOUR * np.arange(self.rows, dtype=np.int64)
        first = 0 if request.start is None else np.searchsorted(every, request.start // 1000)
        last = self.rows if request.end is None else np.searchsorted(every, request.end // 1000)
        time = every[first:last]
        if not len(time):
            raise DataNotFoundError(
                "no bars of EUR/USD 1h in this range; stored is 2023-01-02 to 2023-01-06", field="start"
            )
        row = np.arange(first, last, dtype=np.float64)
        features = [parse(name) for name in request.indicators]
        columns = {c: np.where(row < f.warmup, np.nan, row) for f in features for c in f.columns} or dict.fromkeys(
            COLUMNS, row
        )
        versions = {c: f.version for f in features for c in f.columns}
        about = wire.Provenance("live", "2023-01-06T04:00:00Z", versions=versions, anchor=FIRST)
        return wire.Frame("EUR/USD", "1h", time, columns, about)

    def catalog(self) -> list[Any]:
        return catalog()

    def symbols(self) -> list[Any]:
        return [
            Series(
                "EUR/USD", "1h", self.rows, to_datetime(FIRST * 1000), to_datetime((FIRST + HOUR * self.rows) * 1000)
            )
        ]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json_codec.loads(self.body)

    @property
    def code(self) -> tuple[int, str]:
        """Status and code of a problem document."""
        assert self.headers["content-type"] == wire.PROBLEM, self
        return self.status, self.json["code"]


class Caller:
    """Sends requests straight into an ASGI application and returns whole answers."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def get(self, target: str, **headers: str) -> Answer:
        return self.send("GET", target, headers=headers)

    def post(self, target: str, body: Any, **headers: str) -> Answer:
        return self.send("POST", target, json_codec.dumps(body), {"content-type": wire.JSON, **headers})

    def send(self, method: str, target: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
        sent = [
            (name.replace("_", "-").lower().encode(), text.encode("latin-1")) for name, text in (headers or {}).items()
        ]
        return asyncio.run(self._send(method, target, [body], sent))

    def stream(self, target: str, chunks: list[bytes], headers: dict[str, str]) -> Answer:
        """Send a body of unknown length."""
        return asyncio.run(self._send("POST", target, chunks, [(k.encode(), v.encode()) for k, v in headers.items()]))

    async def _send(self, method: str, target: str, chunks: list[bytes], headers: list[tuple[bytes, bytes]]) -> Answer:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        pending = list(chunks)
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if pending:
                return {"type": "http.request", "body": pending.pop(0), "more_body": bool(pending)}
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        head = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], head, b"".join(message.get("body", b"") for message in sent[1:]))


@pytest.fixture
def store() -> SmallStore:
    return SmallStore()


@pytest.fixture
def caller(store: SmallStore) -> Caller:
    from feature_store.service.app import create_app

    return Caller(create_app(store))


@pytest.fixture
def make_caller() -> type[Caller]:
    return Caller
