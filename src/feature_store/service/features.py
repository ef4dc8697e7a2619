"""`/api/v1/features`: values of indicators over stored bars."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from feature_store.service.answers import frame_answer
from feature_store.service.documents import FrameDocument, answers
from feature_store.service.questions import ComputeQuestion, FeaturesQuestion
from feature_store.service.store import registry_of, store_of

router = APIRouter(prefix="/api/v1/features", tags=["features"], default_response_class=Response)


@router.get("/indicators", responses=answers(FrameDocument, 404, 406, 414, 422, 500, 503, arrow=True))
async def indicators(request: Request, question: Annotated[FeaturesQuestion, Query()]) -> Response:
    """Many features of one series, one column for each output; rows before a feature's warm-up hold null."""
    return await frame_answer(request, store_of(request), question.request())


@router.post("/compute", responses=answers(FrameDocument, 400, 404, 406, 413, 415, 422, 500, 503, arrow=True))
async def compute(request: Request, question: ComputeQuestion) -> Response:
    """One feature, its parameters by name: `{"feature_name": "rsi", "parameters": {"period": 14}, "symbol": ...}`."""
    store = store_of(request)
    asked = await run_in_threadpool(lambda: question.request_in(registry_of(store)))
    return await frame_answer(request, store, asked)
