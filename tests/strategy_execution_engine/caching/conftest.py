"""A listener that keeps what it heard."""

from __future__ import annotations

import pytest

from feature_store import events


@pytest.fixture
def heard():
    """Return the list of events emitted during the test."""
    seen = []
    unsubscribe = events.subscribe(seen.append)
    yield seen
    unsubscribe()
