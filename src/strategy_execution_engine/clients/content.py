"""An answer's bytes: checked against their digest, then decompressed, never beyond a bound."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib

from feature_store.errors import CorruptResponseError, InvalidRequestError

MAX_BYTES = 256 * 1024 * 1024

_DIGEST = re.compile(r"(sha-256|sha-512)\s*=\s*:([A-Za-z0-9+/=]*):")
_HASHES = {"sha-256": hashlib.sha256, "sha-512": hashlib.sha512}
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}

ACCEPTED_ENCODINGS = "gzip, deflate"


def check_digest(body: bytes, header: str | None) -> None:
    """Compare the bytes, as they were sent, with a `Content-Digest` header (RFC 9530); without one nothing is checked.

    Raises:
        CorruptResponseError: they differ.

    >>> check_digest(b"{}", "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:")
    """
    for algorithm, expected in _DIGEST.findall(header or ""):
        if base64.b64encode(_HASHES[algorithm](body).digest()).decode() != expected:
            msg = f"the answer's bytes do not match their {algorithm} digest; they were changed on the way"
            raise CorruptResponseError(msg)


def decompress(body: bytes, encoding: str, limit: int = MAX_BYTES) -> bytes:
    """Return the content of `body`, whose `Content-Encoding` is `encoding`.

    Raises:
        InvalidRequestError: it is larger than `limit` bytes; decompression stops there.
        CorruptResponseError: it is not what its encoding says, ends too early, or the encoding was not asked for.
    """
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return body
    if name not in _WINDOW_BITS:
        msg = f"the answer is encoded as {encoding!r:.40}, but only {ACCEPTED_ENCODINGS} was accepted"
        raise CorruptResponseError(msg)
    inflate = zlib.decompressobj(_WINDOW_BITS[name])
    try:
        content = inflate.decompress(body, limit + 1)
    except zlib.error as problem:
        msg = f"the answer is not {name}: {problem}"
        raise CorruptResponseError(msg) from None
    refuse_size(len(content), limit)
    if not inflate.eof or inflate.unused_data:
        msg = f"the answer's {name} content does not end where its bytes end"
        raise CorruptResponseError(msg)
    return content


def refuse_size(size: int, limit: int) -> None:
    """Raise InvalidRequestError where an answer of `size` bytes is more than `limit`."""
    if size > limit:
        msg = f"the answer is larger than {limit} bytes; ask for a shorter range or fewer indicators"
        raise InvalidRequestError(msg)
