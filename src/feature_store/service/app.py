"""The application: a store, the routes of each resource, and the middleware every request passes.

Outside in: `Watch` counts the request and answers for failures nobody foresaw, `Limits` refuses what is too long,
`Guard` asks for a key, FastAPI checks parameters and calls the route. Errors become problem documents on the way back.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Security
from fastapi.exceptions import RequestValidationError
from fastapi.security import APIKeyHeader
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from feature_store import events
from feature_store.errors import FeatureStoreError
from feature_store.metrics import Recorder
from feature_store.service import data, features, health, indicators
from feature_store.service.auth import HEADER, Guard, Keys
from feature_store.service.documents import problems
from feature_store.service.limits import Limits
from feature_store.service.problems import on_http_error, on_invalid_input, on_known_error
from feature_store.service.store import FrameStore
from feature_store.service.watch import Watch

VERSION = "1"
_RESOURCES = (data.router, features.router, indicators.router)
_HANDLERS: dict[Any, Any] = {
    FeatureStoreError: on_known_error,
    RequestValidationError: on_invalid_input,
    HTTPException: on_http_error,
}


def create_app(store: FrameStore, *, api_keys: Iterable[str] = (), recorder: Recorder | None = None) -> FastAPI:
    """Return the ASGI application that serves `store`.

    Args:
        store: what `feature_store.open` returns. The application does not close it.
        api_keys: every route under `/api` asks for one of them; with none, anybody may ask.
        recorder: what `/metrics` shows; the caller subscribes it. By default the application has its own, subscribed
            for as long as it runs.

    Raises:
        InvalidRequestError: an API key is not printable ASCII.
    """
    keys = Keys(api_keys)
    app = FastAPI(
        title="Forex feature store",
        description="Bars and indicator values of foreign exchange, equal to the bit however they are asked for.",
        version=VERSION,
        docs_url=None,  # its page loads scripts from another site, with this one's rights
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_lifespan if recorder is None else None,
        middleware=[Middleware(Watch), Middleware(Limits), *([Middleware(Guard, keys)] if keys else [])],
        exception_handlers=_HANDLERS,
    )
    app.state.store = store
    app.state.recorder = Recorder() if recorder is None else recorder
    locks = [Security(APIKeyHeader(name=HEADER, auto_error=False))] if keys else []
    for router in _RESOURCES:
        app.include_router(router, dependencies=locks, responses=problems(401) if keys else None)
    app.include_router(health.router)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    unsubscribe = events.subscribe(app.state.recorder.count)
    try:
        yield
    finally:
        unsubscribe()
