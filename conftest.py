"""Names that the examples in docstrings use."""

from __future__ import annotations

from typing import Any

import pytest

import feature_store as fs


@pytest.fixture(autouse=True)
def _names_in_examples(doctest_namespace: dict[str, Any]) -> None:
    doctest_namespace["fs"] = fs
