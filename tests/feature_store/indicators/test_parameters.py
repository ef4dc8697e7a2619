"""Parameters: bounds, one form for each value, messages that name value, rule and way out."""

from __future__ import annotations

import math

import pytest

import feature_store as fs
from feature_store.errors import InvalidRequestError
from feature_store.indicators.parameters import spell


@pytest.mark.parametrize(
    ("value", "kept"),
    [(2, 2), (5000, 5000), (2.0, 2)],
)
def test_a_whole_number_within_its_bounds_is_taken_in_one_form(value, kept):
    taken = fs.Int(14, ge=2).check(value, "rsi", "period")
    assert taken == kept
    assert type(taken) is int


@pytest.mark.parametrize("value", [1, 5001, 2.5, math.nan, math.inf, True, "14", None, [14]])
def test_what_is_not_such_a_number_is_refused_by_value_and_rule(value):
    with pytest.raises(
        InvalidRequestError, match=r"rsi: period must be a whole number from 2 to 5000, was "
    ) as refused:
        fs.Int(14, ge=2).check(value, "rsi", "period")
    assert refused.value.field == "period"


@pytest.mark.parametrize("value", [10**400, -(10**400), 10**5000], ids=["long", "negative", "beyond text"])
def test_a_number_beyond_the_floats_is_refused_as_any_other(value):
    for parameter in (fs.Int(14, ge=2), fs.Real(1.0)):
        with pytest.raises(InvalidRequestError, match=r"must be a .*number from .*was a longer number"):
            parameter.check(value, "rsi", "period")


def test_a_choice_takes_its_words_and_no_other():
    kinds = fs.Choice("classic", "woodie")
    assert kinds.check("woodie", "pivots", "kind") == "woodie"
    with pytest.raises(InvalidRequestError, match="pivots: kind must be one of classic, woodie, was 'camarila'"):
        kinds.check("camarila", "pivots", "kind")


def test_a_long_wrong_value_does_not_flood_the_message():
    with pytest.raises(InvalidRequestError) as refused:
        fs.Int(14).check("9" * 10_000, "rsi", "period")
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize(
    ("value", "text"),
    [(20, "20"), (2.0, "2"), (0.5, "0.5"), (0.02, "0.02"), ("classic", "classic"), (1e-05, "0.00001")],
)
def test_an_id_spells_a_value_one_way(value, text):
    assert spell(value) == text
