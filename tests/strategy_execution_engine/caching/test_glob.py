"""Globs match as people expect, and in time that no pattern can blow up."""

from __future__ import annotations

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.errors import InvalidRequestError
from strategy_execution_engine.caching.glob import MAX_PATTERN, Glob


@pytest.mark.parametrize(
    ("pattern", "text", "covers"),
    [
        ("EUR/USD:*", "EUR/USD:1h:sma_50", True),
        ("EUR/USD:*", "GBP/USD:1h:sma_50", False),
        ("*:1h:*", "EUR/USD:1h:sma_50", True),
        ("*:sma_?0", "EUR/USD:1h:sma_50", True),
        ("*:sma_?0", "EUR/USD:1h:sma_500", False),
        ("sma", "sma_50", False),
        ("sma_50", "sma_50", True),
        ("*", "", True),
        ("?", "", False),
        ("**", "anything", True),
        ("*a*a*a*", "aa", False),
        ("[ab]", "a", False),
        ("[ab]", "[ab]", True),
        (".", "a", False),
    ],
)
def test_a_star_is_any_text_and_a_question_mark_one_character(pattern, text, covers):
    assert Glob(pattern).matches(text) is covers


@given(st.text("ab*?", min_size=1, max_size=12), st.text("abc", max_size=12))
def test_it_agrees_with_the_standard_library(pattern, text):
    assert Glob(pattern).matches(text) is fnmatch.fnmatchcase(text, pattern)


@given(st.text(min_size=1, max_size=20))
def test_a_text_without_wildcards_covers_only_itself(text):
    plain = text.replace("*", "x").replace("?", "x")

    assert Glob(plain).matches(plain)
    assert not Glob(plain).matches(plain + "x")


@pytest.mark.parametrize("pattern", ["", "a" * (MAX_PATTERN + 1), None, 5, b"a*"])
def test_a_pattern_that_is_empty_too_long_or_no_text_is_refused(pattern):
    with pytest.raises(InvalidRequestError, match=r"pattern must be text of 1 to 256 characters") as refused:
        Glob(pattern)
    assert refused.value.field == "pattern"


def test_the_longest_allowed_pattern_is_allowed():
    assert Glob("?" * MAX_PATTERN).matches("a" * MAX_PATTERN)


def test_a_hostile_pattern_costs_about_as_much_as_a_harmless_one():
    text = "a" * 20_000

    def seconds(pattern):
        glob = Glob(pattern)
        began = time.process_time()
        assert not glob.matches(text)
        return time.process_time() - began

    harmless = min(seconds("*b") for _ in range(3))
    hostile = min(seconds("*a" * 100 + "?" * 50 + "*b") for _ in range(3))

    assert hostile < 20 * harmless + 0.02
