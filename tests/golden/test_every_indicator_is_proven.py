"""No indicator without a proof of its values."""

from __future__ import annotations

import importlib
from pathlib import Path

import feature_store as fs


def test_every_indicator_has_golden_values():
    """Each golden module names what it proves: as keys of `CASES`, or in `PROVEN` where values are calculated by hand."""
    proven: set[str] = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        module = importlib.import_module(f"tests.golden.{path.stem}")
        proven |= set(getattr(module, "CASES", ())) | set(getattr(module, "PROVEN", ()))
    assert {definition.name for definition in fs.catalog()} - proven == set()
