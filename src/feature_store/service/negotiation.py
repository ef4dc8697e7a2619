"""Which form an answer takes: the caller's `Accept` header against what the service offers."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec

from starlette.exceptions import HTTPException

from feature_store import wire

OFFERED: tuple[str, ...] = (wire.JSON, wire.ARROW) if find_spec("pyarrow") else (wire.JSON,)
"""The forms of a frame, the first preferred; Arrow where pyarrow is installed."""


@lru_cache(maxsize=256)
def negotiated(accept: str | None, offered: tuple[str, ...]) -> str:
    """Return the offered media type that the caller likes best; the first offered wins a tie.

    Raises HTTPException 406 where none is accepted.

    >>> negotiated("text/html, application/*;q=0.5", ("application/json", "text/csv"))
    'application/json'
    """
    wishes = _wishes(accept or "*/*")
    best = max(offered, key=lambda media_type: _quality(media_type, wishes))
    if _quality(best, wishes) <= 0:
        raise HTTPException(406, f"this address answers {' or '.join(offered)}, but Accept was {accept!r:.200}")
    return best


def _wishes(accept: str) -> dict[str, float]:
    """Return the quality of each media range; one whose quality is no number is left out."""
    wishes: dict[str, float] = {}
    for part in accept.split(","):
        media_range, *parameters = (word.strip().lower() for word in part.split(";"))
        quality = next((word[2:] for word in parameters if word.startswith("q=")), "1")
        try:
            wishes[media_range] = float(quality)
        except ValueError:
            continue
    return wishes


def _quality(media_type: str, wishes: dict[str, float]) -> float:
    ranges = (media_type, media_type.partition("/")[0] + "/*", "*/*")
    return next((wishes[media_range] for media_range in ranges if media_range in wishes), 0.0)
