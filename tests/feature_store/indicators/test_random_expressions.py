"""Random expressions keep the laws that indicators keep, and have the values that plain loops over windows have."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store.bars import COLUMNS
from feature_store.clock import CLOCK, clock_columns
from feature_store.indicators.custom import Draft, custom
from feature_store.indicators.operators import aliases, operators
from feature_store.indicators.registry import BUILT_INS
from tests.conftest import random_walk, same_bits
from tests.feature_store.indicators.plain_expressions import INFIX, SHORTHANDS, WORDS, Plain, Tree

BARS = 130
GAPS = [0, 1, 40, 41, 42, 90, 129]
CHOOSING = {"if", "where", "is_known"}
"""What may have a value before all of its parts have."""

PARTIAL = {"/", "sqrt", "log", "exp", "pct_change", "log_return", "bars_since", "value_when"}
"""What may have none though its parts have."""

# ---------------------------------------------------------------- expressions
_WINDOW = {
    "stdev": 2,
    "variance": 2,
    "zscore": 2,
    "skew": 3,
    "kurtosis": 4,
    "linreg_value": 2,
    "linreg_slope": 2,
    "hma": 2,
}
_OF_ONE = ["lag", "diff", "change", "pct_change", "log_return", "sum", "sma", "ema", "rma", "wma", "highest", "lowest"]
_OF_ONE += ["highest_bars", "lowest_bars", "median", "rank", *_WINDOW]
_POINTWISE = ["abs", "sign", "floor", "sqrt", "log", "sin", "cos", "atan", "neg"]
_COLUMNS = ["open", "high", "low", "close", "tick_volume", *SHORTHANDS]
_CLOCKS = ["hour_of_week", "new_york_minute", "day_of_month"]


def number(value):
    return Tree("number", (), ((repr(value), value),))


_NUMBERS = [number(value) for value in (0.5, 3.0, 100.0)]


@st.composite
def periods(draw, least=1):
    """A period as it is written, with its value: a number, or something of the parameter n, which is 5."""
    named = draw(st.sampled_from(["", "", "n", "2 * n - 1", "n // 2 + 2"]))
    value = draw(st.integers(least, 9))
    return (named, {"n": 5, "2 * n - 1": 9, "n // 2 + 2": 4}[named]) if named else (str(value), value)


@st.composite
def series(draw, depth=3):
    """A tree that is a number on each bar."""
    if depth == 0:
        return Tree(draw(st.sampled_from([*_COLUMNS, *_COLUMNS, *_CLOCKS])))
    below, held = series(depth - 1), conditions(depth - 1)
    kinds = {
        "leaf": series(0),
        "infix": st.builds(Tree, st.sampled_from("+-*/"), st.tuples(below, below | st.sampled_from(_NUMBERS))),
        "pointwise": st.builds(Tree, st.sampled_from(_POINTWISE), st.tuples(below)),
        "window": windows(below),
        "choice": st.builds(Tree, st.sampled_from(["if", "where"]), st.tuples(held, below, below)),
        "since": st.builds(Tree, st.just("bars_since"), st.tuples(held)),
        "when": st.builds(Tree, st.just("value_when"), st.tuples(held, below)),
        "sum": st.builds(Tree, st.just("cumulative"), st.tuples(below)),
        "other": others(below),
    }
    return draw(kinds[draw(st.sampled_from([*kinds, "infix", "window", "window", "window"]))])


@st.composite
def windows(draw, below):
    """A tree of one series and a period."""
    word = draw(st.sampled_from(_OF_ONE))
    return Tree(word, (draw(below),), (draw(periods(_WINDOW.get(word, 1))),))


def others(below):
    """Trees of several series or numbers."""
    a, two = st.tuples(below), st.tuples(below, below)
    return st.one_of(
        st.builds(Tree, st.sampled_from(["min", "max"]), two),
        st.builds(Tree, st.just("clip"), st.tuples(below, below, below)),
        st.builds(Tree, st.sampled_from(["corr", "slope"]), two, st.tuples(periods(2))),
        st.builds(Tree, st.just("quantile"), a, st.tuples(periods(), st.just(("0.3", 0.3)))),
        st.builds(Tree, st.just("**"), a, st.sampled_from([(("2", 2),), (("3", 3),)])),
        st.builds(Tree, st.just("rsi"), a, st.tuples(periods(2))),
        st.builds(Tree, st.just("bbands__upper"), a, st.tuples(periods(2), st.just(("1.5", 1.5)))),
        st.builds(Tree, st.just("macd__signal"), a, st.just((("2", 2), ("n", 5), ("3", 3)))),
        st.just(Tree("true_range", (Tree("high"), Tree("low"), Tree("close")))),
        st.builds(lambda x: Tree("exp", (Tree("clip", (x, number(-3.0), number(3.0))),)), below),
        st.builds(Tree, st.just("is_known"), a),
    )


@st.composite
def conditions(draw, depth=2):
    """A tree that is 1 or 0 on each bar."""
    below = series(max(depth - 1, 0))
    kind = draw(st.sampled_from(["compare", "compare", "cross", "trend", "join"] if depth else ["compare"]))
    if kind == "compare":
        sign = draw(st.sampled_from([">", "<", ">=", "<=", "==", "!="]))
        return Tree(sign, (draw(below), draw(below | st.sampled_from([0.0, 1.1, 600.0]).map(number))))
    if kind == "cross":
        return Tree(draw(st.sampled_from(["cross_over", "cross_under"])), (draw(below), draw(below)))
    if kind == "trend":
        return Tree(draw(st.sampled_from(["rising", "falling"])), (draw(below),), (draw(periods()),))
    joined = draw(st.sampled_from(["and", "or", "not"]))
    parts = [draw(conditions(depth - 1)) for _ in range(1 if joined == "not" else 2)]
    return Tree(joined, tuple(parts))


# ---------------------------------------------------------------- bars
def bars(seed=5):
    """Hours of whole points across a weekend, with a stretch at rest and rows of which nothing is known."""
    frame = random_walk(BARS, seed, step=2e-4).round(4)
    frame.loc[60:70] = frame.loc[60].to_numpy()
    frame.loc[GAPS] = np.nan
    opens = 1_678_395_600_000_000 + 3_600_000_000 * np.arange(BARS)
    return {name: frame[name].to_numpy() for name in COLUMNS} | {"time": opens.view("M8[us]")}


DATA = bars()
KNOWN = np.delete(np.arange(BARS), GAPS)
CLEAN = {name: column[KNOWN] for name, column in DATA.items()}


def made(*trees):
    """The trees as one custom indicator and the registry that knows it."""
    lines = {f"out{'abcd'[place]}": tree.text for place, tree in enumerate(trees)}
    parameters = {"n": fs.Int(5, ge=4, le=9)} if any("n" in _names(line) for line in lines.values()) else {}
    definition = custom(Draft("mine", lines, parameters))
    return BUILT_INS.adding(definition)


def _names(text):
    return set(text.replace("(", " ").replace(")", " ").replace(",", " ").split())


def compute(feature, data, state=None):
    return np.array(list(fs.compute(data, [feature], state=state, as_="numpy").values()))


# ---------------------------------------------------------------- laws
def assert_live_is_history(registry, feature):
    """Bar by bar, each looked at before it is committed, and continued from a snapshot now and then."""
    whole, live = compute(feature, DATA), fs.live(["mine"], registry=registry)
    for row in range(BARS):
        if row in (2, 37, 88):
            live = fs.restore(live.snapshot(), registry=registry)
            rest = compute(feature, {name: column[row:] for name, column in DATA.items()}, live.snapshot())
            assert same_bits(rest, whole[:, row:]), row
        bar = {name: column[row].item() for name, column in DATA.items()}
        assert same_bits(list(live.peek(**bar).values()), whole[:, row]), row
        assert same_bits(list(live.update(**bar).values()), whole[:, row]), row


def assert_the_future_is_unknown(feature):
    whole = compute(feature, DATA)
    for cut, factor in ((25, 2.0), (91, np.nan), (64, 1e9)):
        changed = {n: np.concatenate([c[:cut], c[cut:] * factor]) for n, c in DATA.items() if n != "time"}
        assert same_bits(compute(feature, changed | {"time": DATA["time"]})[:, :cut], whole[:, :cut]), cut


def assert_gaps_leave_no_trace(feature, trees):
    for tree, with_gaps, without in zip(trees, compute(feature, DATA), compute(feature, CLEAN), strict=True):
        if not tree.words() & {"is_known", *CLOCK}:  # these have values where prices are not known
            assert same_bits(with_gaps[KNOWN], without), tree.text


def assert_values_begin_at_the_warmup(feature, trees):
    for tree, warmup, values in zip(trees, feature.warmups, compute(feature, CLEAN), strict=True):
        if not tree.words() & CHOOSING:
            assert np.isnan(values[:warmup]).all(), tree.text
        if not tree.words() & PARTIAL:
            assert not np.isnan(values[warmup:]).any(), tree.text


def assert_values_are_those_of_loops(feature, trees) -> tuple[int, int]:
    """Check against the plain loops, and return how many rows could be told to nine digits, and how many there were."""
    columns = DATA | clock_columns(DATA["time"].view(np.int64), CLOCK)
    plain, told = Plain(columns), 0
    for tree, got in zip(trees, compute(feature, DATA), strict=True):
        want = plain(tree)
        others = np.array([Plain(columns, seed)(tree) for seed in range(8)])
        if plain.largest > 1e250:  # near the largest number there is, what is not known may be what is too large
            return 0, 0
        sure = (np.isnan(others) == np.isnan(want)).all(axis=0)
        assert (np.isnan(got) == np.isnan(want))[sure].all(), tree.text
        there = sure & ~np.isnan(want)
        apart = np.abs(others - want).max(axis=0, initial=0.0, where=~np.isnan(others))[there]
        size = np.maximum(np.abs(want[there]), np.median(np.abs(want[there])) if there.any() else 0.0)
        assert (np.abs(got[there] - want[there]) <= 1e-9 * size + 64 * apart).all(), tree.text
        told += int((sure & np.isnan(want)).sum() + (64 * apart <= 1e-9 * size).sum())
    return told, len(trees) * BARS


SERIES = (Tree("close"), Tree("-", (Tree("open"), Tree("close"))), Tree("rsi_5"), Tree("tick_volume"))
PAIRS = ((Tree("close"), Tree("open")), (Tree("tick_volume"), SERIES[1]), SERIES[:2], (Tree("rsi_5"), Tree("close")))
HELD = (Tree(">", (Tree("close"), Tree("open"))), Tree("rising", (Tree("high"),), (("1", 1),)))
OF_CONDITIONS = {"and": 2, "or": 2, "not": 1, "if": 1, "where": 1, "bars_since": 1, "value_when": 1}
SERIES_TAKEN = {
    "quantile": 1,
    "atr": 3,
    "true_range": 3,
    "clip": 3,
    "if": 3,
    "where": 3,
    "value_when": 2,
    "bars_since": 1,
}
SERIES_TAKEN |= dict.fromkeys(["min", "max", "corr", "slope", "cross_over", "cross_under", *(INFIX - {"**"})], 2)
PERIODS = [(("4", 4),), (("7", 7),)]
NUMBERS_TAKEN = dict.fromkeys((*_OF_ONE, "corr", "slope", "rising", "falling", "rsi", "atr"), PERIODS)
NUMBERS_TAKEN |= {
    "**": [(("2", 2),), (("3", 3),)],
    "quantile": [(("4", 4), ("0.3", 0.3)), (("1", 1), ("1", 1.0))],
    "macd__signal": [(("2", 2), ("5", 5), ("3", 3))],
    "bbands__upper": [(("5", 5), ("1.5", 1.5))],
}


@pytest.mark.parametrize("word", WORDS)
def test_every_word_has_the_values_of_plain_loops(word):
    """Over series with ties, with gaps, at rest, of computed values and below zero."""
    trees, taken, choices = [], SERIES_TAKEN.get(word, 1), NUMBERS_TAKEN.get(word, [()])
    for place in range(len(SERIES)):
        held = (HELD * 2)[place : place + OF_CONDITIONS.get(word, 0)]
        below = PAIRS[place] if taken == 2 else (SERIES * 2)[place : place + 3]
        trees.append(Tree(word, (*held, *below)[:taken], choices[place % len(choices)]))
    feature = made(*trees).parse("mine")
    assert not np.isinf(compute(feature, DATA)).any()
    told, rows = assert_values_are_those_of_loops(feature, trees)
    assert told > 0.8 * rows
    assert_values_begin_at_the_warmup(feature, trees)
    assert_gaps_leave_no_trace(feature, trees)


def test_random_expressions_keep_the_laws_and_have_the_values_of_plain_loops():
    counted = []

    @settings(max_examples=80, deadline=None, derandomize=True, database=None, report_multiple_bugs=False)
    @given(series(), series())
    def check(first, second):
        trees = (first, Tree("+", (second, Tree("close"))))
        registry = made(*trees)
        feature = registry.parse("mine")
        assert not np.isinf(compute(feature, DATA)).any()
        assert_live_is_history(registry, feature)
        assert_the_future_is_unknown(feature)
        assert_gaps_leave_no_trace(feature, trees)
        assert_values_begin_at_the_warmup(feature, trees)
        counted.append((*assert_values_are_those_of_loops(feature, trees), first.words() | second.words()))

    check()
    told, rows, words = zip(*counted, strict=True)
    assert sum(told) > 0.8 * sum(rows), "most answers must rest on more than their last bits"
    assert len(set().union(*words) & WORDS.keys()) > 40


def test_no_operator_goes_without_plain_loops():
    assert (operators.keys() | aliases.keys()) - WORDS.keys() == set()
