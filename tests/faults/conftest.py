"""An object store that is there for all tests of this folder."""

import pytest

from tests.faults import object_store


@pytest.fixture(scope="module")
def port():
    """The port of an S3 server with an empty bucket."""
    with object_store.served() as port:
        yield port
