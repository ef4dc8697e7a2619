"""A clock that is stepped, and a listener that keeps what it heard."""

from __future__ import annotations

import pytest

from feature_store import events


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def heard():
    """Return the list of events emitted during the test."""
    seen = []
    unsubscribe = events.subscribe(seen.append)
    yield seen
    unsubscribe()
