import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.errors import CorruptResponseError, InvalidRequestError
from strategy_execution_engine.clients.content import check_digest, decompress

SHA256 = "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"  # of b"{}"


@pytest.mark.parametrize("header", [None, "", SHA256, f"md5=:AAAA:, {SHA256}", "unixsum=:AAA=:"])
def test_bytes_that_fit_their_digest_pass_and_unknown_digests_are_left_alone(header):
    check_digest(b"{}", header)


@pytest.mark.parametrize("body", [b"{ }", b"", b"{\x7f"])
def test_bytes_that_do_not_fit_their_digest_are_refused(body):
    with pytest.raises(CorruptResponseError, match="do not match their sha-256 digest"):
        check_digest(body, SHA256)


def test_every_digest_given_must_fit():
    with pytest.raises(CorruptResponseError, match="sha-512"):
        check_digest(b"{}", f"{SHA256}, sha-512=:AAAA:")


@given(content=st.binary(max_size=200))
def test_compressed_content_comes_back(content):
    assert decompress(gzip.compress(content), "gzip") == content
    assert decompress(zlib.compress(content), "Deflate ") == content
    assert decompress(content, "") == decompress(content, "identity") == content


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"plain", "gzip"),
        (gzip.compress(b"content")[:-1], "gzip"),
        (gzip.compress(b"content") + b"more", "gzip"),
        (b"", "gzip"),
        (b"x", "br"),
        (gzip.compress(gzip.compress(b"twice")), "gzip, gzip"),
    ],
    ids=["plain", "truncated", "trailing", "empty", "unknown", "twice"],
)
def test_content_that_is_not_what_its_encoding_says_is_refused(body, encoding):
    with pytest.raises(CorruptResponseError):
        decompress(body, encoding)


def test_a_decompression_bomb_is_cut_at_the_limit():
    bomb = gzip.compress(bytes(100_000_000))
    tracemalloc.start()
    with pytest.raises(InvalidRequestError, match="larger than 1000 bytes"):
        decompress(bomb, "gzip", limit=1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_content_of_exactly_the_limit_passes():
    assert len(decompress(gzip.compress(bytes(1000)), "gzip", limit=1000)) == 1000
