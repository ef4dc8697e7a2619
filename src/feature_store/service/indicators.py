"""`/api/v1/indicators`: what can be asked for, and what is added to it."""

from dataclasses import replace
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from feature_store import json_codec, wire
from feature_store.errors import StoreReadOnlyError
from feature_store.indicators.catalog import feature, parse
from feature_store.indicators.custom import Draft
from feature_store.service.documents import CatalogDocument, IndicatorDocument, answers
from feature_store.service.negotiation import negotiated
from feature_store.service.questions import RegisterQuestion
from feature_store.service.seal import sealed
from feature_store.service.store import FrameStore, RegisteringStore, registry_of, store_of

router = APIRouter(prefix="/api/v1/indicators", tags=["indicators"], default_response_class=Response)

_JSON_ONLY = (wire.JSON,)


@router.get("", responses=answers(CatalogDocument, 406, 500))
async def catalog(request: Request) -> Response:
    """Every indicator with its parameters, units, warm-up and version."""
    media_type = negotiated(request.headers.get("accept"), _JSON_ONLY)
    return sealed(await run_in_threadpool(_catalog, store_of(request)), media_type)


@router.post(
    "",
    status_code=201,
    responses=answers(IndicatorDocument, 400, 406, 409, 413, 415, 422, 500, 503, creates=True),
)
async def register(request: Request, question: RegisterQuestion) -> Response:
    """Add an indicator of your own, an expression; other content under its name is its next version.

    The same content again changes nothing, so that a request without an answer may be sent again.
    """
    media_type = negotiated(request.headers.get("accept"), _JSON_ONLY)
    made = await run_in_threadpool(_registered, store_of(request), question.draft())
    status, headers = (201, {"Location": f"{router.prefix}/{made.id}"}) if made.is_new else (200, {})
    return sealed(json_codec.dumps(made.described), media_type, status, headers)


@router.get("/{indicator_id}", responses=answers(IndicatorDocument, 404, 406, 422, 500))
async def indicator(
    request: Request,
    indicator_id: Annotated[str, Path(max_length=wire.MAX_ID_LENGTH, examples=["rsi", "rsi_14", "spread_z:v1"])],
) -> Response:
    """One indicator, by its name, a version (`spread_z:v1`) or a full id, whose parameters decide values and warm-up."""
    media_type = negotiated(request.headers.get("accept"), _JSON_ONLY)
    return sealed(json_codec.dumps(await run_in_threadpool(_described, store_of(request), indicator_id)), media_type)


class _Registered(NamedTuple):
    """A version, whether it was not there before, and what it is."""

    id: str
    is_new: bool
    described: dict[str, Any]


def _registered(store: FrameStore, draft: Draft) -> _Registered:
    if not isinstance(store, RegisteringStore):
        msg = f"{store!r} keeps no custom indicators"
        raise StoreReadOnlyError(msg)
    before = registry_of(store).newest(draft.name) if isinstance(draft.name, str) else None
    made = store.register(**vars(draft))
    version = f"{made.name}:v{made.version}"
    found = replace(feature(version, registry=registry_of(store)), asked=version)
    return _Registered(version, before is None or before.version < made.version, found.describe())


def _described(store: FrameStore, indicator_id: str) -> dict[str, Any]:
    return parse(indicator_id, registry_of(store)).describe()


def _catalog(store: FrameStore) -> bytes:
    return json_codec.dumps({"indicators": [definition.describe() for definition in store.catalog()]})
