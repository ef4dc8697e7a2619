"""Bytes that leave the service, with a digest over them."""

from __future__ import annotations

import base64
from hashlib import sha256
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import Mapping


def sealed(body: bytes, media_type: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response whose `Content-Digest` (RFC 9530) lets the receiver see a flipped bit.

    >>> sealed(b"{}", "application/json").headers["content-digest"]
    'sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:'
    """
    digest = base64.b64encode(sha256(body).digest()).decode()
    fixed = {
        "Content-Digest": f"sha-256=:{digest}:",
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(body, status, {**fixed, **(headers or {})}, media_type)
