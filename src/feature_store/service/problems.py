"""What goes wrong, said to a caller: problem documents (RFC 9457) from a fixed catalogue.

`code` is the error's own (`feature_store.errors`), so that a client raises the same class; `type` tells kinds of one
code apart. A sentence reaches the caller only where the caller can act on it (4xx); for the service's own failures it
stays in the log, beside the trace id that the document carries.
"""

from __future__ import annotations

import logging
import re
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from feature_store import json_codec, wire
from feature_store.service.seal import sealed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi.exceptions import RequestValidationError
    from starlette.exceptions import HTTPException
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

    from feature_store.errors import FeatureStoreError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kind:
    """One entry of the catalogue.

    Args:
        name: the end of its URI.
        status: of the answer.
        title: a few words for a person.
        code: the error's.
        detail: is said where the cause has no sentence of its own or must not be told.
        tells: whether the error's own sentence may be told; one about the service's machine may not.
    """

    name: str
    status: int
    title: str
    code: str
    detail: str
    tells: bool = True

    @property
    def type(self) -> str:
        """The URI that names this kind of problem."""
        return f"urn:feature-store:problem:{self.name}"


_REQUEST = "invalid_request"
CATALOGUE: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(_REQUEST, 422, "The request breaks a rule", _REQUEST, "see /openapi.json for what may be asked"),
        Kind("malformed_request", 400, "The request cannot be read", _REQUEST, "send the body as one JSON object"),
        Kind("not_authorised", 401, "An API key is needed", "not_authorised", "send this service's key as X-API-Key"),
        Kind("feature_not_found", 404, "No such indicator", "feature_not_found", "GET /api/v1/indicators lists them"),
        Kind("data_not_found", 404, "No such data", "data_not_found", "the store holds no bars for this"),
        Kind(
            "address_not_found",
            404,
            "No such address",
            _REQUEST,
            "no address here has this name; /openapi.json lists them",
        ),
        Kind("method_not_allowed", 405, "No such method here", _REQUEST, "use a method that the Allow header names"),
        Kind("not_acceptable", 406, "No such form", _REQUEST, f"accept {wire.JSON} or {wire.ARROW}"),
        Kind("conflict", 409, "It contradicts what is there", "conflict", "choose another name"),
        Kind(
            "store_read_only",
            409,
            "The store cannot be written to",
            "store_read_only",
            "this service may only read its store; register where the store can be written to",
            tells=False,
        ),
        Kind("body_too_large", 413, "The body is too long", _REQUEST, "split the request"),
        Kind("address_too_long", 414, "The address is too long", _REQUEST, "name fewer indicators"),
        Kind("unsupported_media_type", 415, "The body is not JSON", _REQUEST, f"send the body as {wire.JSON}"),
        Kind("unsupported_file", 422, "The file cannot be read", "unsupported_file", "send bars"),
        Kind(
            "store_locked",
            503,
            "The store is busy",
            "store_locked",
            "another process is writing to this store; try again",
        ),
        Kind(
            "corrupt_data",
            500,
            "Stored data is damaged",
            "corrupt_data",
            "nothing of it was used; the service's log says where",
        ),
        Kind(
            "unexpected", 500, "The service failed", "unexpected", "the service's log has the cause under this trace id"
        ),
    )
}
KINDS_OF_STATUS: Mapping[int, tuple[Kind, ...]] = {
    status: tuple(kind for kind in CATALOGUE.values() if kind.status == status)
    for status in sorted({kind.status for kind in CATALOGUE.values()})
}
_OF_HTTP = {kind.status: kind.name for kind in CATALOGUE.values() if kind.code == _REQUEST}
_SERVER_ERROR = 500
_UNKNOWN = "extra_forbidden"
_PHRASES = frozenset(status.phrase for status in HTTPStatus)  # what a framework says where it has nothing to say
_TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


def problem(
    scope: Scope,
    name: str,
    detail: str | None = None,
    *,
    field: str | None = None,
    position: tuple[int, int] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the document of the catalogue's kind `name` for the request of `scope`."""
    kind = CATALOGUE[name]
    document = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "code": kind.code,
        "detail": detail or kind.detail,
        "field": field,
        "trace_id": trace_id(scope),
    } | ({"position": position} if position else {})
    return sealed(
        json_codec.dumps(document), wire.PROBLEM, kind.status, {"Cache-Control": "no-store", **(headers or {})}
    )


def trace_id(scope: Scope) -> str:
    """Return the id under which this request is logged: the caller's from `traceparent`, or a new one."""
    state = scope.setdefault("state", {})
    if "trace_id" not in state:
        found = _TRACEPARENT.fullmatch(dict(scope.get("headers", ())).get(b"traceparent", b""))
        state["trace_id"] = found[1].decode() if found else uuid.uuid4().hex
    return str(state["trace_id"])


def unexpected(scope: Scope, error: BaseException) -> Response:
    """Log an error nobody foresaw, and return a document that says nothing of it but where to look."""
    _log.error("trace %s: the service failed", trace_id(scope), exc_info=error)
    return problem(scope, "unexpected")


def http_problem(scope: Scope, error: HTTPException) -> Response:
    """Return the document for an error of HTTP itself: no such address, no such method, no such form, too long."""
    name = _OF_HTTP.get(error.status_code, "unexpected")
    detail = None if error.detail in _PHRASES else error.detail
    return problem(scope, name, detail, headers=error.headers)


async def on_http_error(request: Request, error: HTTPException) -> Response:
    """Answer an error of HTTP itself."""
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        error.headers = _allowed(request) or error.headers
    return http_problem(request.scope, error)


def _allowed(request: Request) -> dict[str, str] | None:
    """Return an `Allow` header with every method of the address: a router knows those of one of its routes."""
    path = getattr(request.scope.get("route"), "path", "")
    methods = request.app.openapi()["paths"].get(path)
    return {"Allow": ", ".join(each.upper() for each in methods)} if methods else None


async def on_known_error(request: Request, error: FeatureStoreError) -> Response:
    """Answer one of our own errors: with its sentence where the request is at fault, else with the catalogue's."""
    name = next((code for c in type(error).__mro__ if (code := getattr(c, "code", "")) in CATALOGUE), "unexpected")
    kind = CATALOGUE[name]
    if kind.status < _SERVER_ERROR and kind.tells:
        return problem(request.scope, name, str(error), field=error.field, position=getattr(error, "position", None))
    _log.error("trace %s: %s", trace_id(request.scope), error)
    return problem(request.scope, name, headers={"Retry-After": "1"} if name == "store_locked" else None)


async def on_invalid_input(request: Request, error: RequestValidationError) -> Response:
    """Answer parameters or a body that do not fit the route's declaration."""
    found: list[dict[str, Any]] = list(error.errors())
    first = next((each for each in found if each["type"] == _UNKNOWN), found[0])  # a misspelt field is missing as well
    where, *path = first["loc"]
    if first["type"] == "json_invalid":
        return problem(request.scope, "malformed_request", f"the body is not JSON (character {path[0]})", field="body")
    if where == "body" and not _is_json(request):
        return problem(request.scope, "unsupported_media_type")
    field = ".".join(str(part) for part in path) or str(where)
    return problem(request.scope, _REQUEST, _sentence(first, field), field=field)


def _sentence(error: Mapping[str, Any], field: str) -> str:
    if error["type"] == "missing":
        return f"{field} is missing; it must be given"
    if error["type"] == _UNKNOWN:
        return f"{field:.60} is not known here; /openapi.json lists what is"
    return f"{field}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _is_json(request: Request) -> bool:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    return media_type == wire.JSON or media_type.endswith("+json")
