"""The formulas that docstrings show: read in the language of expressions, they give what the indicator gives."""

from __future__ import annotations

import re

import numpy as np
import pytest

import feature_store as fs
from feature_store.bars import OTHER
from feature_store.indicators.expression import Expressions
from feature_store.indicators.expression_names import Vocabulary
from feature_store.indicators.expression_text import Expression
from feature_store.indicators.prose import Prose, prose
from feature_store.indicators.registry import BUILT_INS
from feature_store.indicators.series import price
from tests.conftest import random_walk
from tests.feature_store.indicators.interpreted import interpret

BARS, SETTLED = 520, 440
BEYOND = {
    "ad",
    "alma",
    "atr_stop",
    "cci",
    "cpr",
    "crsi",
    "ema",
    "ema_first",
    "fisher",
    "frama",
    "heikin_ashi",
    "hma",
    "kama",
    "mama",
    "mcginley",
    "nvi",
    "pivots",
    "pivots_demark",
    "psar",
    "pvi",
    "qqe",
    "rma",
    "supertrend",
    "vidya",
}
"""Formulas that the language has no word for: recursions, a streak, a bell of weights."""

FORMULAS = {d.name: prose(d.doc).formulas for d in fs.catalog() if d.origin == "built-in" and prose(d.doc).formulas}


@pytest.fixture(scope="module")
def columns():
    frame = random_walk(BARS).assign(**{OTHER: random_walk(BARS, seed=1)["close"]})
    frame["tick_volume"] += 1.0
    return {name: frame[name].to_numpy() for name in frame}


@pytest.fixture(scope="module")
def known():
    return {}


def parameters_of(definition):
    """Parameters that no two share, so that none can stand in a formula for another."""
    rules = enumerate(definition.parameters.items(), 1)
    return definition.resolve(
        {n: p.default + place if p.whole else p.default * (1 + place / 10) for place, (n, p) in rules}
    )


def read(definition):
    """The series of each line of an indicator's formulas, by the name on its left; a line without one is the value."""
    names, lines = {}, {}
    for place, line in enumerate(FORMULAS[definition.name]):
        left, _, right = line.rpartition(" = ")
        right = re.sub(r"\b[a-z]\w*\b(?!\()", lambda word: names.get(word[0], word[0]), right)
        if set(re.findall(r"[a-z]\w*", right)) <= set(definition.parameters):
            names[left] = f"({right})"  # a number before any bar
        else:
            names[left or "value"] = f"line_{chr(ord('a') + place)}"
            lines[names[left or "value"]] = Expression.of(left or "value", right)
    body = Expressions(lines, definition.parameters, Vocabulary(BUILT_INS))
    series = dict(zip(lines, body(*map(price, body.inputs), **parameters_of(definition)), strict=True))
    return {left: series[name] for left, name in names.items() if name in series}


@pytest.mark.parametrize("name", sorted(FORMULAS.keys() - BEYOND))
def test_a_formula_gives_what_the_indicator_gives(name, columns, known):
    definition = fs.parse(name).definition
    formulas = read(definition)
    for output, series in zip(definition.outputs, definition.series(parameters_of(definition)), strict=True):
        got, want = interpret([formulas[output], series], columns, known)
        np.testing.assert_allclose(got[SETTLED:], want[SETTLED:], rtol=1e-9, atol=1e-9 * np.abs(want[SETTLED:]).max())


def test_formulas_beyond_the_language_exist():
    assert FORMULAS.keys() >= BEYOND


def test_a_docstring_without_anything_is_an_empty_summary():
    assert prose("") == Prose("", (), ())


def test_examples_are_left_out_wherever_they_stand():
    assert prose("One.\n\n>>> 1\n1\n\nTwo.").notes == ("Two.",)
