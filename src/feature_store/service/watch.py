"""ASGI middleware around everything: counts each request, and answers for failures nobody foresaw."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import TYPE_CHECKING

from feature_store.events import Served, emit
from feature_store.service.problems import unexpected

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_log = logging.getLogger(__name__)

_CLIENT_LEFT = 499
_FAILED = 500


class Watch:
    """Emits a `Served` event for each request: its route's template, never its address, so that labels stay few."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = perf_counter) -> None:
        self.app = app
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on; an error becomes a problem document, or is raised where an answer has begun."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = self.clock()
        status: int | None = None

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:
            if status is not None:
                raise
            status = _FAILED
            await unexpected(scope, error)(scope, receive, send)
        finally:
            self._record(scope, status or _CLIENT_LEFT, self.clock() - began)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        route = template(scope)
        emit(Served(route, status, seconds))
        _log.info("%s %s %d %.1f ms", scope["method"], route, status, seconds * 1e3)


def template(scope: Scope) -> str:
    """Return the template of the route that took the request, or `unmatched`."""
    return str(getattr(scope.get("route"), "path", "unmatched"))
