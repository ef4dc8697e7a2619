"""Expressions: what they mean, that nothing else gets through, and that every refusal points at its reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store.bars import COLUMNS
from feature_store.engine.live import Live
from feature_store.engine.plan import Plan
from feature_store.engine.snapshot import Snapshot
from feature_store.errors import InvalidRequestError
from feature_store.indicators.averages import ema
from feature_store.indicators.custom import Draft, custom
from feature_store.indicators.definition import define
from feature_store.indicators.expression_text import ExpressionError
from feature_store.indicators.feature import Feature
from feature_store.indicators.registry import BUILT_INS
from feature_store.indicators.statistics import zscore
from tests.conftest import random_walk, same_bits

N = {"n": fs.Int(20, ge=2)}


def made(expression, parameters=None, registry=BUILT_INS, **more):
    return custom(Draft("mine", expression, parameters or {}, **more), registry)


def feature(expression, parameters=None, **values) -> Feature:
    definition = made(expression, parameters)
    return Feature(definition, tuple(definition.resolve(values).values()))


def refusal(expression, parameters=None) -> str:
    with pytest.raises(InvalidRequestError) as problem:
        made(expression, parameters)
    return str(problem.value)


def columns(bars=400, seed=0) -> dict[str, np.ndarray]:
    frame = random_walk(bars, seed)
    return {name: frame[name].to_numpy().copy() for name in COLUMNS}


# ---------------------------------------------------------------- values
def _against_pandas(b: pd.DataFrame) -> dict[str, pd.Series]:
    """Expressions, and pandas' own words for them."""
    o, h, l, c, v = (b[name] for name in COLUMNS)  # noqa: E741  the field's letters
    above = c.rolling(5).mean() - c.rolling(20).mean()
    crossed = ((above > 0) & (above.shift() <= 0)).astype(float).where(above.shift().notna())
    risen = (c.diff() > 0).astype(float).where(c.diff().notna()).rolling(3).min()
    broke = (c > h.shift().rolling(10).max()).astype(float).where(h.shift().rolling(10).max().notna())
    group = (broke == 1).cumsum()
    return {
        "close - sma(close, 20)": c - c.rolling(20).mean(),
        "highest(high, 20) - lowest(low, 20)": h.rolling(20).max() - l.rolling(20).min(),
        "stdev(diff(close), 20)": c.diff().rolling(20).std(ddof=0),
        "where(close > open, high, low)": h.where(c > o, l),
        "high if close > open else low": h.where(c > o, l),
        "pct_change(close, 3)": c.pct_change(3),
        "log_return(close)": np.log(c).diff(),
        "cross_over(sma(close, 5), sma(close, 20))": crossed,
        "cross_under(sma(close, 20), sma(close, 5))": crossed,
        "rising(close, 3)": risen,
        "falling(-close, 3)": risen,
        "bars_since(close > highest(lag(high), 10))": group.groupby(group).cumcount().where(group > 0).astype(float),
        "value_when(close > highest(lag(high), 10), low)": l.where(broke == 1).ffill(),
        "cumulative(where(close > open, 1, -1) * tick_volume)": (v * (c > o).map({True: 1, False: -1})).cumsum(),
        "clip((close - open) / (high - low), -0.5, 0.5)": ((c - o) / (h - l)).clip(-0.5, 0.5),
        "min(open, high, low) + max(open, close, low)": l + pd.concat([o, c, l], axis=1).max(axis=1),
        "(high - low) ** 2 - (high - low) ** 5": (h - l) ** 2 - (h - l) ** 5,
        "close > open and not high < low": (c > o).astype(float),
        "close > open or tick_volume == 3": ((c > o) | (v == 3)).astype(float),
        "close >= open != 1": ((c >= o) & (o != 1)).astype(float),
        "0 < close - open <= 0.0002": ((c - o > 0) & (c - o <= 0.0002)).astype(float),
        "corr(close, lag(close), 20)": c.rolling(20).corr(c.shift()),
        "slope(diff(high), diff(close), 20)": c.diff().rolling(20).cov(h.diff()) / c.diff().rolling(20).var(),
        "median(close, 7)": c.rolling(7).median(),
        "quantile(close, 20, 0.25)": c.rolling(20).quantile(0.25),
        "highest_bars(close, 10)": 9 - c.rolling(10).apply(lambda x: len(x) - 1 - x[::-1].argmax(), raw=True),
        "hl2 - sma_20": (h + l) / 2 - c.rolling(20).mean(),
        "bbands_20_2__upper": c.rolling(20).mean() + 2 * c.rolling(20).std(ddof=0),
        "2 * donchian__lower(high, low, 20)": 2 * l.rolling(20).min(),
        "sign(close - open) * floor(sqrt(tick_volume)) + abs(exp(log(close)))": np.sign(c - o) * np.floor(v**0.5) + c,
    }


def test_values_are_those_of_pandas():
    bars = random_walk(600)
    wanted = _against_pandas(bars)
    features = [feature(text) for text in wanted]
    got = Plan.of(features).run({name: bars[name].to_numpy() for name in COLUMNS})
    for text, mine, theirs in zip(wanted, got, wanted.values(), strict=True):
        np.testing.assert_allclose(mine, theirs.to_numpy(), rtol=1e-9, atol=1e-13, err_msg=text)


def test_an_expression_is_its_hand_composed_definition_to_the_bit():
    def by_hand(close: fs.Series, n: int = fs.Int(20, ge=2)) -> fs.Series:
        return zscore(close - ema(close, n), n)

    hand = define(by_hand, name="by_hand")
    data = columns()
    for n in (2, 20, 33):
        ours, theirs = feature("zscore(close - ema(close, n), n)", N, n=n), Feature(hand, (n,))
        assert ours.series == theirs.series
        assert (ours.warmups, ours.settlings) == (theirs.warmups, theirs.settlings)
        assert same_bits(Plan.of([ours]).run(data), Plan.of([theirs]).run(data))


def test_what_an_expression_shares_with_a_built_in_is_one_node():
    (mine,) = feature("close - ema_12").series
    assert mine.inputs[1] == fs.parse("ema_12").series[0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("atr(14)", "atr(high, low, close, 14)"),
        ("atr_14", "atr(14)"),
        ("sma", "sma(close, 20)"),
        ("macd(close)", "macd__line(close, 12, 26, 9)"),
        ("macd_12_26_9__signal", "macd__signal(close)"),
        ("true_range(high, low, close)", "tr"),
        ("linreg_value(close, 14)", "linreg(close, 14)"),
        ("rank(close, 50)", "percent_rank(close, 50)"),
        ("ema(close, 2 * 7 - 1)", "ema(close, 13)"),
        ("ema(close, 27 // 2)", "ema(close, 13)"),
        ("ema(close, 26 / 2)", "ema(close, 13)"),
        ("+close", "close"),
        ("close\n  - open", "close-open"),
        ("max(open, high, close)", "max(max(open, high), close)"),
    ],
)
def test_two_spellings_of_one_thing_are_one_graph(one, other):
    assert feature(one).series == feature(other).series


def test_a_later_output_may_use_an_earlier_one():
    both = made({"middle": "sma(close, n)", "upper": "middle + 2 * stdev(close, n)"}, N)
    middle, upper = both.series({"n": 20})
    assert both.outputs == ("middle", "upper")
    assert upper.inputs[0] == middle
    assert Feature(both, (20,)).columns == ("mine_20.middle", "mine_20.upper")


def test_a_custom_indicator_works_on_other_series_as_a_built_in_does():
    inner = made("close - sma(3)")
    registry = BUILT_INS.adding(inner)
    outer = custom(Draft("outer", "mine(high) + mine"), registry)
    assert outer.inputs == ("high", "close")
    high, close = fs.Series("price", "high"), fs.Series("price", "close")
    assert outer.series({})[0] == (high - inner_sma(high)) + (close - inner_sma(close))


def inner_sma(series: fs.Series) -> fs.Series:
    return fs.parse("sma_3").definition.of((series,), {"period": 3})[0]


def test_inputs_warmup_and_lineage_are_derived():
    about = made("zscore(hl2 - ema(close, n), n) > tick_volume", N).describe()
    assert about["inputs"] == ["high", "low", "close", "tick_volume"]
    assert about["warmup"] == 19 + 19
    assert about["memory"] == "recursive"
    assert about["uses"] == ["ema:v1", "hl2:v1", "zscore:v1"]
    assert about["custom"] is True
    assert about["expression"] == {"value": "zscore(hl2 - ema(close, n), n) > tick_volume"}


def test_a_word_is_chosen_as_a_parameter():
    def chosen(close: fs.Series, period: int = fs.Int(20), kind: str = fs.Choice("plain", "doubled")) -> fs.Series:
        return ema(close, period) * (2.0 if kind == "doubled" else 1.0)

    registry = BUILT_INS.adding(define(chosen, name="chosen"))
    doubled = custom(Draft("mine", "chosen(high, 3, doubled)"), registry)
    assert doubled.series({})[0].inputs[1].what == 2.0
    handed = custom(Draft("mine", "chosen(high, 3, k)", {"k": fs.Choice("plain", "doubled")}), registry)
    assert handed.series({"k": "doubled"}) == doubled.series({})
    with pytest.raises(InvalidRequestError, match="kind must be one of plain, doubled, was 'wrong'"):
        custom(Draft("mine", "chosen(high, 3, k)", {"k": fs.Choice("plain", "wrong")}), registry)
    with pytest.raises(InvalidRequestError, match="k is a word"):
        custom(Draft("mine", "close * k", {"k": fs.Choice("plain", "doubled")}), registry)


def test_a_product_beyond_the_numbers_is_not_known_and_poisons_no_state():
    data = columns(60)
    data["tick_volume"][30] = 1e200
    values = Plan.of([feature("sma(tick_volume ** 2, 3)")]).run(data)[0]
    assert np.isnan(values[30])
    assert not np.isnan(values[3:30]).any()
    assert not np.isnan(values[31:]).any()
    assert not np.isinf(Plan.of([feature("tick_volume * tick_volume")]).run(data)).any()


def test_warmup_is_when_all_parts_are_known_and_a_choice_needs_only_the_chosen_one():
    guarded = feature("where(tick_volume > 1e9, sma(close, 5), open)")
    assert guarded.warmup == 4
    data = columns(10)
    assert same_bits(Plan.of([guarded]).run(data)[0], data["open"])


# ---------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("text", "at", "rule"),
    [
        ("close.real", "close.real", "no attributes"),
        ("macd(close).signal", "macd(close).signal", "macd__signal"),
        ("close.__class__.__mro__", "close.__class__.__mro__", "no attributes"),
        ("(close + open).mean()", "(close + open).mean", "no attributes"),
        ("close[1]", "close[1]", r"lag\(close, 1\)"),
        ("lambda: 1", "lambda: 1", "no functions of your own"),
        ("'rm -rf'", "'", "no strings"),
        ('close + "x"', '"', "no strings"),
        ("[x for x in close]", "[x for x in close]", "not part of the language"),
        ("{1: 2}", "{1: 2}", "not part of the language"),
        ("(close, open)", "(close, open)", "several outputs"),
        ("(x := close)", "x := close", "no assignments"),
        ("ema(close, period=3)", "period=3", "by their place"),
        ("ema(*close)", "*close", "one by one"),
        ("close % 2", "close % 2", "no remainder"),
        ("close // 2", "close // 2", "floor"),
        ("close > open & high > low", "open & high", "write and"),
        ("close | open", "close | open", "write or"),
        ("~close", "~close", "write not"),
        ("close @ open", "close @ open", r"\+ - \* /"),
        ("close is open", "close is open", "write =="),
        ("close in open", "close in open", "> <"),
        ("lag(close, -1)", "-1", "from 1 to 5000, was -1; there are no bars to come"),
        ("sma(close, 10001)", "10001", "from 1 to 5000"),
        ("sma(close, 2.5)", "2.5", "whole number"),
        ("sma(close, 9999999999999999)", "9999999999999999", "at most 1e"),
        ("1e999 * close", "1e999", "at most 1e"),
        ("close * (1e9 * 1e9)", "1e9 * 1e9", "may be, more"),
        ("close ** 0.5", "0.5", "from 2 to 8"),
        ("close ** 9 ** 9 ** 9", "9", "from 2 to 8"),
        ("close ** open", "open", "from 2 to 8"),
        ("close / 0", "0", "is 0"),
        ("close * (1 / 0)", "1 / 0", "divides by 0"),
        ("close * 1j", "1j", "put a space"),
        ("close * True", "True", "conditions are 1 and 0"),
        ("None", "None", "written as in 20"),
        ("1if close else 2", "1i", "put a space"),
        ("rsi_14.5if close else 2", ".5i", "put a space"),
        ("0x10 * close", "0x", "put a space"),
        ("clse - 1", "clse", "did you mean close"),
        ("emaa(close, 3)", "emaa", "did you mean ema"),
        ("rsi_1", "rsi_1", "from 2 to 5000, was 1"),
        ("macd__sgnal(close)", "macd__sgnal", "it has line, signal, histogram"),
        ("rsi__k(close)", "rsi__k", "only one"),
        ("close(3)", "close", "not called"),
        ("abs + 1", "abs", r"write abs\(a\)"),
        ("atr(high, 14)", "atr(high, 14)", r"write atr\(high, low, close, period\), or atr\(period\).*; 1 series given"),
        ("ema(close, 3, 4)", "4", "one argument too many"),
        ("ema(close, high)", "ema(close, high)", "2 series given"),
        ("where(close > open)", "where(close > open)", r"where\(condition, then, otherwise\)"),
        ("min(close)", "min(close)", r"min\(a, b\)"),
        ("diff(close, open)", "open", "known before any bar"),
        ("macd(close, 26, 12)", "26", "fast must be less than slow"),
        ("mine + 1", "mine", "cannot call itself"),
        ("5", "5", "the same on every bar"),
        ("max(1, 2)", "max(1, 2)", "the same on every bar"),
        ("close; open", ";", "has no meaning"),
        ("close # x", "#", "has no meaning"),
        ("close \\", "\\", "has no meaning"),
        ("\uff43lose", "?", "has no meaning"),
        ("close\x00", "?", "has no meaning"),
        ("close +", None, "no expression"),
        ("sma(close", None, "no expression"),
        ("import os", None, "no expression"),
        ("close = 3", None, "no expression"),
        ("yield close", None, "no expression"),
        ("await close", "await close", "not part of the language"),
        ("(yield)", "yield", "not part of the language"),
        ("...", "...", "written as in 20"),
    ],
)  # fmt: skip
def test_a_refusal_points_at_what_is_wrong_and_says_the_way_out(text, at, rule):
    import re

    said, line, carets = refusal(text).splitlines()
    assert re.search(rule, said), said
    assert said.startswith("mine: ")
    assert len(said) < 300
    begin = carets.index("^")
    if at is not None:
        assert line[begin : begin + len(carets.strip())] == at


@pytest.mark.parametrize(
    ("expression", "field", "part"),
    [
        ("\n  close\n  + clse", "expression", "clse"),
        ("close + \u00e9", "expression", "\u00e9"),
        ({"upper": "\t high + lag(close, -1)", "lower": "low"}, "expression.upper", "-1"),
        ({"upper": "high", "lower": "   upper - low.x"}, "expression.lower", "low.x"),
        ("close" + " " * 1995 + "+ open", "expression", "+ open"),
        (" close +", "expression", "+"),
    ],
)
def test_a_refusal_says_where_in_the_text_as_it_was_given(expression, field, part):
    with pytest.raises(ExpressionError) as problem:
        made(expression)
    begin, end = problem.value.position
    text = expression[field.partition(".")[2]] if isinstance(expression, dict) else expression
    assert (problem.value.field, text[begin:end]) == (field, part)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 1000 + "close" + ")" * 1000, "-" * 1900 + "close", "not " * 400 + "close", "close+" * 300 + "close",
        "close**2" + "**2" * 300, "f(" * 600, "[" * 1999, "{" * 1999, "close if " * 200, "9" * 1999, "lambda:" * 280 + "1",
        "a" * 2000, "close." * 300 + "x", "+".join(["close"] * 130) + "*" + "(close)" * 50, "\t\n close \n if", " " * 2000,
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_long_and_deep_texts_are_refused_in_a_short_message(text):
    assert len(refusal(text)) < 500


def test_the_bounds_are_where_they_are_said_to_be():
    assert "at most 2,000 characters, this one 2,001" in refusal("close" + " " * 1995 + "+")
    made("-" * 31 + "close")
    assert "at most 32 deep" in refusal("-" * 32 + "close")
    half = "+".join(["(" + "+".join(["close"] * 16) + ")"] * 8)  # 8 x 31 + 7 = 255 parts
    made(half)
    assert "at most of 256 parts" in refusal("-(" + half + ")+1").replace("at most 256", "at most of 256")


def test_every_value_a_parameter_may_take_must_be_allowed_where_it_goes():
    assert "zscore: period must be a whole number from 2 to 5000, was 1" in refusal(
        "zscore(close, n)", {"n": fs.Int(20)}
    )
    assert "was 10000" in refusal("sma(close, 2 * n)", {"n": fs.Int(20)})
    assert "may be a fraction; divide by //" in refusal("sma(close, n / 2)", N)
    assert "may be 0, and divides" in refusal("close / n", {"n": fs.Int(20, ge=0)})
    assert "may come to divide by 0" in refusal("close * (1 / (n - 20))", N)
    assert "may be, more" in refusal("close * n ** 8", N)
    made("sma(close, n // 2 + 1)", N)
    made("sma(close, 2 * n - 1)", {"n": fs.Int(20, le=2500)})


def test_what_parameters_break_only_together_is_refused_when_they_are_given():
    both = {"a": fs.Int(3), "b": fs.Int(9, ge=2)}
    assert feature("macd(close, a, b)", both, a=5).series
    with pytest.raises(InvalidRequestError, match="macd: fast must be less than slow"):
        _ = feature("macd(close, a, b)", both, a=9, b=3).series


def test_all_that_an_expression_comes_to_is_bounded_however_it_is_nested():
    registry = BUILT_INS.adding(custom(Draft("level0", "sma(close, 2) + close")))
    for level in range(1, 3):
        text = f"level{level - 1}(level{level - 1}(close) * 2) + level{level - 1}(close * 3)"
        registry = registry.adding(custom(Draft(f"level{level}", text), registry))
    with pytest.raises(InvalidRequestError, match="more than 24 windows"):
        custom(Draft("mine", "level2(level2(level2(level2(level2(close) * 2) * 3) * 5) * 7)"), registry)


@pytest.mark.parametrize("given", [None, 5, b"close", ["close"], ("close",), {"a": None}, {"a": b"close"}, object()])
def test_what_is_no_text_is_refused(given):
    assert "an expression is a text such as" in refusal(given)


# ---------------------------------------------------------------- laws, over random expressions
SERIES = st.recursive(
    st.sampled_from([*COLUMNS, "hl2", "rsi_5", "tr", "macd_3_6_2__signal", "n"]),
    lambda below: st.one_of(
        st.tuples(below, st.sampled_from("+-*/"), below).map(lambda p: f"({p[0]} {p[1]} (close + abs({p[2]})))"),
        st.tuples(st.sampled_from(["sma", "ema", "highest", "stdev", "lag", "diff", "rising"]), below).map(
            lambda p: f"{p[0]}(close - {p[1]}, n)"
        ),
        st.tuples(below, below, below).map(lambda p: f"where({p[0]} > {p[1]}, {p[2]}, close)"),
        st.tuples(below, below).map(lambda p: f"value_when(cross_over(close, {p[0]}), close * {p[1]})"),
        st.tuples(below, below).map(lambda p: f"(close if {p[0]} < {p[1]} or not {p[1]} > close else {p[0]})"),
        below.map(lambda a: f"cumulative(close * {a} ** 2)"),
    ),
    max_leaves=4,
)


@settings(max_examples=10, deadline=None)
@given(st.lists(SERIES, min_size=3, max_size=3), st.integers(2, 9), st.integers(20, 90))
def test_random_expressions_keep_the_laws_that_indicators_keep(texts, n, cut):
    lines = {f"out{'abc'[place]}": f"close + n + 0 * close - ({text})" for place, text in enumerate(texts)}
    random = feature(lines, {"n": fs.Int(5, ge=2, le=9)}, n=n)
    data = columns(120)
    data["close"][40] = np.nan
    whole = Plan.of([random]).run(data)
    assert not np.isinf(whole).any()
    # a value may come before the warm-up where a choice did not need what was not known yet, so that is no law here

    live = fs.live([random])
    for row in range(120):
        bar = {name: float(column[row]) for name, column in data.items()}
        peeked = live.peek(**bar)
        if row == cut:  # a restart
            live = Live(live.plan, snapshot=Snapshot.from_bytes(live.snapshot()))
        assert same_bits(list(live.update(**bar).values()), whole[:, row])
        assert same_bits(list(peeked.values()), whole[:, row])

    changed = {name: np.concatenate([column[:cut], column[cut:] * 2.0]) for name, column in data.items()}
    assert same_bits(Plan.of([random]).run(changed)[:, :cut], whole[:, :cut])
