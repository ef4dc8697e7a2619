"""A frame as an answer: computed away from the event loop, and not sent again to a caller who already has it."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from feature_store import wire
from feature_store.indicators.catalog import parse
from feature_store.service import limits
from feature_store.service.negotiation import OFFERED, negotiated
from feature_store.service.seal import sealed
from feature_store.service.store import registry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request

    from feature_store.service.store import FrameStore

_ENCODERS: Mapping[str, Callable[[wire.Frame], bytes]] = {
    wire.JSON: wire.frame_to_json,
    wire.ARROW: wire.frame_to_arrow,
}


_ANY = "*"  # "if there is an answer at all", which only the store can tell


async def frame_answer(request: Request, store: FrameStore, asked: wire.FeatureRequest) -> Response:
    """Return what `store` says to `asked`, in the form the caller accepts, or 304 where the caller has it already.

    Raises what the store raises, and HTTPException 406 for a form that is not offered.
    """
    media_type = negotiated(request.headers.get("accept"), OFFERED)
    known = request.headers.get("if-none-match", "")
    return await run_in_threadpool(_answer, store, asked, media_type, known)


def _answer(store: FrameStore, asked: wire.FeatureRequest, media_type: str, known: str) -> Response:
    limits.check_request(store, asked)
    tag = _tag_before(store, asked, media_type)
    if tag and known.strip() != _ANY and _holds(known, tag):
        return _not_modified(tag)
    frame = store.frame(asked)
    limits.check_cells(len(frame), len(frame.columns))
    tag = tag or _tag_after(frame, media_type)
    if _holds(known, tag):
        return _not_modified(tag)
    return sealed(_ENCODERS[media_type](frame), media_type, headers=_cache_headers(tag))


def _not_modified(tag: str) -> Response:
    return Response(status_code=304, headers=_cache_headers(tag))


def _cache_headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Vary": "Accept", "Cache-Control": "private, no-cache"}


# A tag is weak: two answers with the same values differ in `as_of`, and a caller who has one needs no other.
def _tag_before(store: FrameStore, asked: wire.FeatureRequest, media_type: str) -> str | None:
    """Return the tag without computing the answer, or None where the store does not tell generations of its data."""
    generation = getattr(store, "generation", None)
    if generation is None:
        return None
    registry = registry_of(store)
    versions = [parse(name, registry).version for name in asked.indicators]
    return _tag(
        repr((generation(asked.symbol, asked.timeframe, asked.indicators), versions, asked, media_type)).encode()
    )


def _tag_after(frame: wire.Frame, media_type: str) -> str:
    about = repr(
        (frame.symbol, frame.timeframe, tuple(frame.columns), sorted(frame.provenance.versions.items()), media_type)
    )
    return _tag(about.encode(), frame.time.tobytes(), *(column.tobytes() for column in frame.columns.values()))


def _tag(*parts: bytes) -> str:
    digest = blake2b(digest_size=16)
    for part in parts:
        digest.update(part)
    return f'W/"{digest.hexdigest()}"'


def _holds(known: str, tag: str) -> bool:
    """Return whether an `If-None-Match` header names the tag; weak and strong count alike (RFC 9110, 13.1.2)."""
    if known.strip() == _ANY:
        return True
    return tag.removeprefix("W/") in (name.strip().removeprefix("W/") for name in known.split(","))
