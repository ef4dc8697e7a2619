"""`/api/v1/indicators`: what can be asked for."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from feature_store import json_codec, wire
from feature_store.indicators.catalog import parse
from feature_store.service.documents import CatalogDocument, IndicatorDocument, answers
from feature_store.service.negotiation import negotiated
from feature_store.service.seal import sealed
from feature_store.service.store import FrameStore, registry_of, store_of

router = APIRouter(prefix="/api/v1/indicators", tags=["indicators"], default_response_class=Response)

_JSON_ONLY = (wire.JSON,)


@router.get("", responses=answers(CatalogDocument, 406, 500))
async def catalog(request: Request) -> Response:
    """Every indicator with its parameters, units, warm-up and version."""
    media_type = negotiated(request.headers.get("accept"), _JSON_ONLY)
    return sealed(await run_in_threadpool(_catalog, store_of(request)), media_type)


@router.get("/{indicator_id}", responses=answers(IndicatorDocument, 404, 406, 422, 500))
async def indicator(
    request: Request,
    indicator_id: Annotated[str, Path(max_length=wire.MAX_ID_LENGTH, examples=["rsi", "rsi_14"])],
) -> Response:
    """One indicator, by its name or a full id; an id's parameters decide the values and the warm-up."""
    media_type = negotiated(request.headers.get("accept"), _JSON_ONLY)
    return sealed(json_codec.dumps(await run_in_threadpool(_described, store_of(request), indicator_id)), media_type)


def _described(store: FrameStore, indicator_id: str) -> dict[str, Any]:
    return parse(indicator_id, registry_of(store)).describe()


def _catalog(store: FrameStore) -> bytes:
    return json_codec.dumps({"indicators": [definition.describe() for definition in store.catalog()]})
