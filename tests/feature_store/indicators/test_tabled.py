"""Steps that read tables: what stands in their text, and what follows from it."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

import feature_store as fs
from feature_store.indicators import harmonic
from feature_store.indicators.definition import State, registered
from feature_store.indicators.harmonic_table import HIGHS, LOWS, NAMES, PATTERNS, ROWS, WIDTH, row
from feature_store.indicators.tabled import tabled_step


def weigh(s: State, close: float) -> float:
    total = 0.0
    place = 0
    while place < SIZE:  # noqa: F821  stands for a number
        total += TABLE[place + 1] if close >= TABLE[place] else 0.0  # noqa: F821  stands for numbers
        place += 2
    s.last = total
    return total


def made(*numbers: float):
    return tabled_step({"TABLE": numbers, "SIZE": len(numbers)}, state="last")(weigh)


@pytest.fixture
def registry():
    before = dict(registered)
    yield registered
    registered.clear()
    registered.update(before)
    fs.parse.cache_clear()


def test_a_step_goes_through_its_table(registry):
    weights = made(1.0, 0.5, 2.0, 0.25)

    @fs.indicator(title="Weights", group="price", unit="ratio", source="an example")
    def weights_of(close: fs.Series) -> fs.Series:
        return weights(close)

    got = fs.compute({"close": [0.5, 1.0, 2.0]}, ["weights_of"])["weights_of"]
    assert got.tolist() == [0.0, 0.5, 0.75]


def test_a_table_is_part_of_the_version():
    one, equal, other = made(1.0, 0.5), made(1.0, 0.5), made(1.0, 0.25)
    assert one.content_hash == equal.content_hash
    assert one.content_hash != other.content_hash
    assert "(1.0, 0.5)" in ast.unparse(one.tree)


def test_a_changed_ratio_changes_the_version_of_the_harmonic_patterns(monkeypatch):
    bat = next(pattern for pattern in PATTERNS if pattern.name == "bat")
    rows = (row(each._replace(d=(0.88, 0.88)) if each is bat else each) for each in PATTERNS)
    changed = tuple(cell for each in rows for part in each for cell in part)
    for name in ("harmonic", "harmonic_projection"):
        definition = registered[name]
        assert replace(definition).content_hash == definition.content_hash
        with monkeypatch.context() as patch:
            patch.setattr(
                harmonic, "matched", replace(harmonic.matched, tables={**harmonic.matched.tables, "CELLS": changed})
            )
            assert replace(definition).content_hash != definition.content_hash


def test_a_harmonic_pattern_has_one_code_and_one_name():
    assert sorted(NAMES) == list(range(1, 12))
    assert len({*NAMES.values()}) == 11
    assert all(NAMES[pattern.code] == pattern.name for pattern in PATTERNS)


def test_patterns_that_yield_come_after_all_others():
    assert [pattern.yields for pattern in PATTERNS] == sorted(pattern.yields for pattern in PATTERNS)


def test_all_rows_of_the_table_are_alike_and_in_order():
    for about, lows, highs in ROWS:
        assert (len(about), len(lows), len(highs)) == (LOWS, HIGHS - LOWS, WIDTH - HIGHS)
        assert all(low <= high for low, high in zip(lows, highs, strict=True))
        assert 0 < lows[5] <= highs[5] <= about[1], "D is before the price at which the pattern has failed"
