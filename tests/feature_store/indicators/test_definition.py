"""Definitions: what follows from a signature, and what cannot be one."""

from __future__ import annotations

import math

import numpy as np
import pytest

import feature_store as fs
from feature_store.engine.lowering import lower
from feature_store.indicators import averages
from feature_store.indicators.definition import define, registered
from feature_store.indicators.series import Series, price
from feature_store.indicators.warmup import memory_of, settled_of, warmup_of


@pytest.fixture
def registry():
    before = dict(registered)
    yield registered
    registered.clear()
    registered.update(before)
    fs.parse.cache_clear()


def test_one_function_is_all_it_takes_to_add_an_indicator(registry):
    @fs.indicator(title="Spread of two averages", group="trend", unit="price change", source="an example")
    def gap_of_averages(close: fs.Series, fast: int = fs.Int(2), slow: int = fs.Int(4)) -> fs.Series:
        return averages.sma(close, fast) - averages.sma(close, slow)

    feature = fs.parse("gap_of_averages_2_3")
    assert feature.warmup == 2
    values = fs.compute({"close": np.array([1.0, 2.0, 4.0, 8.0])}, [feature])["gap_of_averages_2_3"]
    assert values.round(4).tolist()[2:] == [0.6667, 1.3333]


def test_a_step_is_all_it_takes_to_add_an_indicator_with_memory(registry):
    @fs.indicator(title="Bars risen in a row", group="momentum", unit="ticks", source="an example", state="close run")
    def streak(s: fs.State, close: float) -> float:
        s.run = s.run + 1 if close > s.close else 0.0
        s.close = close
        return s.run

    assert fs.compute({"close": np.array([1.0, 2.0, 3.0, 1.0])}, ["streak"])["streak"].tolist() == [1, 2, 3, 0]


def test_two_indicators_cannot_have_one_name(registry):
    with pytest.raises(TypeError, match=r"rsi is the name of an indicator in feature_store\.indicators\.momentum"):

        @fs.indicator(title="Another", group="momentum", unit="0..100", source="nowhere")
        def rsi(close: fs.Series) -> fs.Series:
            return close


def test_an_input_that_is_no_bar_column_is_refused():
    with pytest.raises(TypeError, match=r"\['window'\] are neither inputs"):
        define(lambda close, window: close + window, name="wrong", title="Wrong", unit="price")


def test_a_unit_nobody_knows_is_refused():
    with pytest.raises(TypeError, match="wrong: no unit is called 'pips'; units are price, "):
        define(lambda close: close, name="wrong", title="Wrong", unit="pips")


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("for i in range(3):\n        return close", "returns inside a loop"),
        ("s.other = close\n    return close", "s.other, which its state does not list"),
        ("x = [i for i in range(3)]\n    return close", "more than arithmetic"),
        ("s.bars = close", "must end in a return"),
        ("return", "returns nothing"),
        ("close = close + 1.0\n    return close", "assigns to close, which other steps read too"),
        ("close += 1.0\n    return close", "assigns to close, which other steps read too"),
    ],
)
def test_a_step_that_cannot_be_compiled_is_refused_by_line_and_reason(body, why, tmp_path, monkeypatch):
    (tmp_path / "wrong_step.py").write_text(f"def wrong(s, close):\n    {body}\n")
    monkeypatch.syspath_prepend(tmp_path)
    import importlib

    import wrong_step

    wrong = define(importlib.reload(wrong_step).wrong, state="bars")
    with pytest.raises(TypeError, match=why):
        lower(wrong, "a0", {"close": "y0"}, ["y1"])


def test_the_version_changes_with_the_arithmetic_and_with_what_it_is_made_of():
    def a(close: Series) -> Series:
        return averages.sma(close, 3) + 1.0

    def b(close: Series) -> Series:
        return averages.sma(close, 3) + 2.0

    def c(close: Series) -> Series:
        return averages.ema(close, 3) + 1.0

    def documented(close: Series) -> Series:
        """Only words are added."""
        return averages.sma(close, 3) + 1.0

    one, other, of_other, in_words = (define(f, name="same") for f in (a, b, c, documented))
    for each in (one, other, of_other, in_words):
        each.tree.name = "same"
    assert len({one.content_hash, other.content_hash, of_other.content_hash}) == 3
    assert in_words.content_hash == one.content_hash


def test_warmup_and_memory_add_up_along_a_composition():
    close = price("close")
    twice = averages.ema(averages.sma(close, 5), 3)
    assert warmup_of(twice) == 4 + 2
    assert settled_of(twice) == 4 + 2 + math.ceil(9.5 * 4)
    assert memory_of([twice]) == "recursive"
    assert memory_of([close]) == "pointwise"


def test_equal_series_are_one_whoever_made_them():
    assert averages.ema(price("close"), 12) == fs.parse("ema_12").series[0]
    assert averages.ema(price("close"), 12) != fs.parse("ema_13").series[0]


def test_a_series_has_no_truth_of_its_own():
    with pytest.raises(TypeError, match="where"):
        bool(price("close") > 1.0)
