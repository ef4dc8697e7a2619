"""How much one request may ask for; one over is refused with the limit in the message, before any work if possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from feature_store.bars import COLUMNS, Symbol, Timeframe
from feature_store.errors import InvalidRequestError
from feature_store.indicators.catalog import parse
from feature_store.service.problems import http_problem
from feature_store.service.store import registry_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from feature_store import wire
    from feature_store.service.store import FrameStore
    from feature_store.store.protocol import Series

MAX_URL_BYTES = 16 * 1024
MAX_BODY_BYTES = 1024 * 1024
MAX_CELLS = 20_000_000


class Limits:
    """ASGI middleware that refuses an address or a body that is too long, a body of unknown length as it grows."""

    def __init__(
        self, app: ASGIApp, *, max_url_bytes: int = MAX_URL_BYTES, max_body_bytes: int = MAX_BODY_BYTES
    ) -> None:
        self.app = app
        self.max_url_bytes = max_url_bytes
        self.max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413 or 414."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await http_problem(scope, refusal)(scope, receive, send)
            return
        await self.app(scope, self._counted(receive), send)

    def _refusal(self, scope: Scope) -> HTTPException | None:
        length = len(scope.get("raw_path") or scope["path"]) + len(scope["query_string"])
        if length > self.max_url_bytes:
            return HTTPException(
                414, f"an address has at most {self.max_url_bytes} bytes, this one {length}; name fewer indicators"
            )
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        return self._too_large() if declared.isdigit() and int(declared) > self.max_body_bytes else None

    def _counted(self, receive: Receive) -> Receive:
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.max_body_bytes:
                raise self._too_large()
            return message

        return counted

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"a body has at most {self.max_body_bytes} bytes; split the request")


def check_cells(rows: int, columns: int) -> None:
    """Raise InvalidRequestError where an answer of this size is more than one request may have.

    >>> check_cells(744, 3)
    """
    if rows * columns > MAX_CELLS:
        msg = (
            f"an answer holds at most {MAX_CELLS:,} values, this one would hold {rows:,} rows x {columns} columns; "
            "shorten the range or name fewer indicators"
        )
        raise InvalidRequestError(msg, field="end")


def check_request(store: FrameStore, asked: wire.FeatureRequest) -> None:
    """Raise, before the work, where the answer is sure to be too large or an indicator is not one."""
    registry = registry_of(store)
    columns = sum(len(parse(name, registry).columns) for name in asked.indicators) or len(COLUMNS)
    if _rows_at_most(asked) * columns > MAX_CELLS:
        check_cells(_rows_stored(store, asked), columns)


def _rows_at_most(asked: wire.FeatureRequest) -> int:
    if asked.start is None or asked.end is None:
        return MAX_CELLS + 1
    return (asked.end - asked.start) // asked.timeframe.microseconds + 1


def _rows_stored(store: FrameStore, asked: wire.FeatureRequest) -> int:
    """Return how many rows the answer can have at most, the series being stored in its timeframe or in one below."""
    mine = [kept for kept in store.symbols() if Symbol.parse(kept.symbol) == asked.symbol]
    return min(_rows_at_most(asked), max((_rows_of(kept, asked.timeframe) for kept in mine), default=0))


def _rows_of(kept: Series, timeframe: Timeframe) -> int:
    return min(kept.rows, int((kept.last - kept.first).total_seconds()) // timeframe.seconds + 2)
