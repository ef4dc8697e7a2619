"""From a status that is not 200 to the error a caller can act on.

The service explains itself with a problem document (RFC 9457) whose `code` names the error. What comes without one
(a proxy's HTML page, another server at the address) is judged by its status alone.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from feature_store import json_codec
from feature_store.errors import (
    FeatureStoreAuthError,
    FeatureStoreConnectionError,
    FeatureStoreError,
    FeatureStoreUnavailableError,
    InvalidRequestError,
    by_code,
)
from feature_store.wire import PROBLEM
from strategy_execution_engine.clients.outage import Outage

if TYPE_CHECKING:
    from collections.abc import Mapping

_THROTTLED = frozenset({408, 425, 429})
_UNAUTHORISED = frozenset({401, 403})
_REDIRECT, _REFUSED, _FAILED = 300, 400, 500
_LONGEST_SENTENCE = 500


def refusal(status: int, headers: Mapping[str, str], body: bytes, address: str) -> Outage | FeatureStoreError:
    """Return what to raise for an answer of `status`: an Outage where another try may help, else an error for good."""
    problem = _problem(headers, body)
    code = str(problem.get("code", ""))
    detail = str(problem.get("detail") or problem.get("title") or f"{address} answered {status}")[:_LONGEST_SENTENCE]
    kind, field = by_code(code), problem.get("field")
    if status >= _FAILED or status in _THROTTLED:
        known = kind if kind is not FeatureStoreError and status >= _FAILED else FeatureStoreUnavailableError
        return Outage(known(detail), retry_after_s=retry_after_s(headers), counts=status >= _FAILED)
    if status in _UNAUTHORISED:
        return FeatureStoreAuthError(f"{detail} (the API key is missing, wrong or not allowed to do this)")
    if problem and status >= _REFUSED:
        error = InvalidRequestError if kind is FeatureStoreError else kind
        return error(detail, field=field if isinstance(field, str) else None)
    if _REDIRECT <= status < _REFUSED:
        msg = f"{address} points to another address ({status}); that is not followed, set base_url to the final one"
        return FeatureStoreConnectionError(msg)
    return FeatureStoreConnectionError(f"{address} answered {status} and is no feature store; is the address right?")


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of a `Retry-After` header, given as seconds or as a date; None where it has none or is neither.

    >>> retry_after_s({"Retry-After": "2"})
    2.0
    """
    text = headers.get("Retry-After", "").strip()
    try:
        seconds = float(text) if text.isdigit() else parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, TypeError, OverflowError):
        return None
    return max(0.0, seconds)


def _problem(headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    if headers.get("Content-Type", "").split(";")[0].strip().lower() != PROBLEM:
        return {}
    try:
        document = json_codec.loads(body)
    except InvalidRequestError:
        return {}
    return document if isinstance(document, dict) else {}
