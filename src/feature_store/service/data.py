"""`/api/v1/data`: bars as they are stored."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from feature_store.service.answers import frame_answer
from feature_store.service.documents import FrameDocument, answers
from feature_store.service.questions import SeriesQuestion
from feature_store.service.store import store_of

router = APIRouter(prefix="/api/v1/data", tags=["data"], default_response_class=Response)


@router.get("/ohlcv", responses=answers(FrameDocument, 404, 406, 414, 422, 500, 503, arrow=True))
async def ohlcv(request: Request, question: Annotated[SeriesQuestion, Query()]) -> Response:
    """Bars of one series: open, high, low, close, tick volume, and bid and ask where the source had them."""
    return await frame_answer(request, store_of(request), question.request())
