"""A feature store's service on loopback that answers truly, or misbehaves in a scripted way, and counts what it is asked."""

import asyncio
import base64
import hashlib
from collections import deque
from dataclasses import dataclass

import numpy as np
import pytest
import stamina
from aiohttp import web

import feature_store as fs
from feature_store import json_codec, wire
from feature_store.bars import Bars, Symbol, Timeframe
from feature_store.errors import FeatureStoreError
from feature_store.wire import FeatureRequest, Frame, Provenance
from strategy_execution_engine.caching.feature_cache import FeatureCache
from strategy_execution_engine.clients.feature_store_client import FeatureStoreClient

EUR_USD, HOUR = Symbol.parse("EUR/USD"), Timeframe.parse("1h")
FIRST = 1_672_531_200_000  # 2023-01-01T00:00:00Z in epoch milliseconds
KEY = "fsk_test_key"
NEVER_USED = "http://127.0.0.1:9/api/v1"  # the discard port; nothing listens


def market(rows=1500):
    """Bars of one hour from 2023-01-01, without gaps."""
    random = np.random.default_rng(7)
    close = 1.1 * np.exp(np.cumsum(random.normal(0, 1e-3, rows)))
    columns = {"open": close - 1e-5, "high": close + 1e-3, "low": close - 1e-3, "close": close}
    columns["tick_volume"] = random.integers(1, 99, rows).astype(float)
    return Bars(EUR_USD, HOUR, (FIRST + np.arange(rows) * 3_600_000) * 1000, columns)


class ArrayStore:
    """Answers from bars in memory by the real engine; what `feature_store.open` returns, for one series."""

    def __init__(self):
        self.bars = market()

    def frame(self, request):
        columns = self.bars.columns
        if request.indicators:
            columns = fs.compute(self.bars, request.indicators, as_="numpy")
        rows = Bars(EUR_USD, HOUR, self.bars.time, columns).between(request.start, request.end)
        versions = dict.fromkeys(columns, "v1")
        about = Provenance("live", "2023-06-01T00:00:00Z", versions=versions, anchor=FIRST)
        return Frame("EUR/USD", "1h", rows.time // 1000, dict(rows.columns), about)

    def catalog(self):
        return fs.catalog()


@dataclass
class Asked:
    method: str
    path: str
    query: dict
    headers: dict
    body: bytes


class Service:
    """The routes of the real service; `script` holds what to do with the next requests instead of answering them."""

    def __init__(self, store):
        self.store = store
        self.custom = fs.open(":memory:")
        self.script = deque()
        self.always = None
        self.asked = []
        self.called = asyncio.Event()
        self.released = asyncio.Event()
        self.base_url = ""

    async def handle(self, request):
        asked = Asked(request.method, request.path, dict(request.query), dict(request.headers), await request.read())
        self.asked.append(asked)
        self.called.set()
        misbehave = self.script.popleft() if self.script else self.always
        if misbehave is not None:
            return await misbehave(self, request)
        if asked.headers.get("X-API-Key") != KEY:
            return problem(401, "not_authorised", "send this service's key as X-API-Key")
        try:
            return self.answer(asked)
        except FeatureStoreError as error:
            status = 404 if error.code.endswith("_not_found") else 409 if error.code == "conflict" else 422
            return problem(status, error.code, str(error), error.field)

    def answer(self, asked):
        route = asked.path.removeprefix("/api/v1")
        if (asked.method, route) == ("POST", "/indicators"):
            made = self.custom.register(**json_codec.loads(asked.body))
            return sealed(json_codec.dumps({**made.describe(), "id": f"{made.name}:v{made.version}"}), status=201)
        if route == "/indicators":
            return sealed(json_codec.dumps({"indicators": [each.describe() for each in fs.catalog()]}))
        if route.startswith("/indicators/"):
            feature = fs.parse(route.removeprefix("/indicators/"))
            return sealed(json_codec.dumps({**feature.definition.describe(), "id": feature.id}))
        if route == "/features/compute":
            body = json_codec.loads(asked.body)
            name, parameters = body.pop("feature_name"), body.pop("parameters")
            body["indicators"] = [fs.feature(name, parameters).id if parameters else name]
        else:
            body = dict(asked.query)
        frame = self.store.frame(FeatureRequest.of(**body))
        if wire.ARROW in asked.headers["Accept"]:
            return sealed(wire.frame_to_arrow(frame), wire.ARROW)
        return sealed(wire.frame_to_json(frame))


def sealed(body, media_type=wire.JSON, status=200, **headers):
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    sent = {"Content-Digest": f"sha-256=:{digest}:", "Content-Type": media_type, **headers}
    return web.Response(body=body, status=status, headers=sent)


def problem(status, code, detail, field=None, **headers):
    document = {"type": "about:blank", "title": code, "status": status, "code": code, "detail": detail, "field": field}
    return sealed(json_codec.dumps(document), wire.PROBLEM, status, **headers)


# ---------------------------------------------------------------- ways to misbehave
async def reset(service, request):
    request.transport.abort()
    return web.Response()


async def stall(service, request):
    await service.released.wait()
    return web.Response()


async def truncate(service, request):
    response = web.StreamResponse(headers={"Content-Length": "1000", "Content-Type": wire.JSON})
    await response.prepare(request)
    await response.write(b'{"symbol"')
    request.transport.close()
    return response


async def chunked(service, request):
    """More than a kilobyte without saying so beforehand."""
    response = web.StreamResponse(headers={"Content-Type": wire.JSON})
    await response.prepare(request)
    for _ in range(11):
        await response.write(b"x" * 100)
    return response


def answering(body, media_type=wire.JSON, status=200, **headers):
    async def misbehave(service, request):
        return web.Response(body=body, status=status, headers={"Content-Type": media_type, **headers})

    return misbehave


def refusing(status, code="unexpected", detail="no", **headers):
    async def misbehave(service, request):
        return problem(status, code, detail, **headers)

    return misbehave


async def flip_a_bit(service, request):
    """The true answer, sealed, with one digit of a number changed on the way."""
    response = service.answer(service.asked[-1])
    position = response.body.index(b"1.0") + 2
    return web.Response(body=_flipped(response.body, position), headers=response.headers)


def _flipped(body, position):
    return body[:position] + bytes([body[position] ^ 1]) + body[position + 1 :]


# ---------------------------------------------------------------- fixtures
@pytest.fixture(autouse=True)
def no_waiting_between_tries():
    with stamina.set_testing(True, attempts=11, cap=True):
        yield


@pytest.fixture(scope="session")
def store():
    return ArrayStore()


@pytest.fixture
async def service(store):
    service = Service(store)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", service.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    service.base_url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/api/v1"
    yield service
    service.released.set()
    await runner.cleanup()


@pytest.fixture
async def make_client(service, clock):
    """Make clients of `service` with a cache of their own; they are closed at the end."""
    clients = []

    def make(**options):
        options = {"cache": FeatureCache(clock=clock), "clock": clock, "api_key": KEY, **options}
        if "transport" not in options:
            options.setdefault("base_url", service.base_url)
        clients.append(FeatureStoreClient(**options))
        return clients[-1]

    yield make
    for client in clients:
        await client.close()
