"""`/healthz`, `/readyz` and `/metrics`: for those who watch the service; no key needed, nothing of the data told."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from starlette.concurrency import run_in_threadpool

from feature_store import json_codec, wire
from feature_store.service.documents import HealthDocument, answers
from feature_store.service.seal import sealed
from feature_store.service.store import store_of

router = APIRouter(tags=["health"], default_response_class=Response)

_TEXT = "text/plain; version=0.0.4"


@router.get("/healthz", responses=answers(HealthDocument))
async def healthz() -> Response:
    """Whether the process answers at all."""
    return sealed(json_codec.dumps({"status": "ok"}), wire.JSON)


@router.get("/readyz", responses=answers(HealthDocument, 500, 503))
async def readyz(request: Request) -> Response:
    """Whether the store can be read; a problem document says why not."""
    await run_in_threadpool(store_of(request).symbols)
    return sealed(json_codec.dumps({"status": "ready"}), wire.JSON)


@router.get("/metrics", response_class=PlainTextResponse)
async def metrics(request: Request) -> Response:
    """Counters for Prometheus."""
    return Response(request.app.state.recorder.prometheus(), media_type=_TEXT)
