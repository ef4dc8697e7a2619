"""Every feature and every definition in turn: all laws of one feature run together, while its compiled loop is at hand."""

from __future__ import annotations

import pytest

import feature_store as fs
from tests.conformance.kit import VARIANTS, WINDOWED


@pytest.fixture(scope="session", params=VARIANTS, ids=lambda feature: feature.id)
def feature(request):
    """An indicator with its default, its smallest, small or large parameters."""
    return request.param


@pytest.fixture(scope="session", params=WINDOWED, ids=lambda feature: feature.id)
def windowed(request):
    """One whose values depend on their window alone."""
    return request.param


@pytest.fixture(scope="session", params=fs.catalog(), ids=lambda definition: definition.name)
def definition(request):
    """An indicator."""
    return request.param
