"""Ids and parameters that break a rule: refused everywhere by value and rule, with the way out, before any work."""

from __future__ import annotations

import math
from collections import Counter
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import feature_store as fs
from feature_store import events
from feature_store.cli import app
from feature_store.errors import FeatureNotFoundError, InvalidRequestError
from feature_store.indicators.custom import Draft, custom
from feature_store.indicators.parameters import spell
from tests.conftest import random_walk

NUMBERS = [(d, name, p) for d in fs.catalog() for name, p in d.parameters.items() if not p.options]
CHOICES = [(d, name, p) for d in fs.catalog() for name, p in d.parameters.items() if p.options]
WRONG_TYPES = [
    True, False, None, "20", "", b"20", [20], (20,), {}, 20 + 0j, Decimal(20), Fraction(20), pd.NA, np.array([20]), object,
    math.nan, math.inf, -math.inf, 10**400, -(10**400), 1e308,
]  # fmt: skip


def each(parameters):
    return pytest.mark.parametrize(
        ("definition", "name", "parameter"), parameters, ids=[f"{d.name}-{name}" for d, name, _ in parameters]
    )


class Untouchable:
    """Bars that nobody may look at."""

    def __getattribute__(self, name):
        raise AssertionError(f"the bars were looked at: {name}")


@pytest.fixture(scope="module", autouse=True)
def _nothing_is_compiled():
    """A refusal costs nothing."""
    seen = []
    stop = events.subscribe(lambda event: seen.append(type(event).__name__))
    yield
    stop()
    assert "Compiling" not in seen


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with 40 hours of EUR/USD."""
    folder = tmp_path_factory.mktemp("market")
    with fs.open(folder) as made:
        hours = pd.date_range("2023-01-02", periods=40, freq="h", tz="UTC", name="time")
        made.ingest("EUR/USD", "1h", random_walk(40).set_index(hours))
    return folder


@pytest.fixture(scope="module")
def store(home):
    with fs.open(home) as made:
        yield made


def outside(parameter):
    """The numbers next to the bounds, and some far away."""
    if parameter.whole:
        return [parameter.ge - 1, parameter.le + 1, parameter.ge + 0.5, -parameter.le, 10**9]
    return [math.nextafter(parameter.ge, -math.inf), math.nextafter(parameter.le, math.inf), parameter.le * 2 + 1, -1e9]


def spelt(definition, name, value):
    """The id that gives this value, and the defaults before it."""
    values = [*definition.parameters.values()]
    place = [*definition.parameters].index(name)
    return "_".join([definition.name, *(spell(each.default) for each in values[:place]), spell(value)])


def refusal(of, *arguments, **named):
    with pytest.raises(InvalidRequestError) as problem:
        of(*arguments, **named)
    assert len(str(problem.value)) < 400
    return problem.value


# ---------------------------------------------------------------- parameters
@each(NUMBERS)
def test_a_number_is_taken_at_its_bounds_and_refused_beyond_them(definition, name, parameter):
    for bound in (parameter.ge, parameter.le):
        try:
            feature = fs.feature(definition.name, {name: bound})
        except InvalidRequestError as problem:  # two of them contradict each other
            assert spell(bound) in str(problem)  # noqa: PT017
            assert parameter.rule not in str(problem)  # noqa: PT017
        else:
            assert feature.warmup >= 0, "the graph is made of numbers that all its parts take"
    for value in outside(parameter):
        problem = refusal(fs.feature, definition.name, {name: value})
        assert str(problem) == f"{definition.name}: {name} must be {parameter.rule}, was {value!r:.40}"
        assert problem.field == name


@each(NUMBERS)
def test_what_is_no_number_is_refused_by_value_and_rule(definition, name, parameter):
    for value in WRONG_TYPES:
        problem = refusal(fs.feature, definition.name, {name: value})
        assert str(problem).startswith(f"{definition.name}: {name} must be {parameter.rule}, was ")
        assert problem.field == name


@each(CHOICES)
def test_what_is_none_of_the_words_is_refused_with_all_of_them(definition, name, parameter):
    wrong = [
        parameter.default.upper(),
        "",
        " ",
        "x" * 5000,
        0,
        1,
        None,
        True,
        [parameter.default],
        math.nan,
        b"classic",
    ]
    for value in wrong:
        problem = refusal(fs.feature, definition.name, {name: value})
        assert (
            str(problem)
            == f"{definition.name}: {name} must be one of {', '.join(parameter.options)}, was {value!r:.40}"
        )


@each(NUMBERS + CHOICES)
def test_an_id_with_a_wrong_parameter_is_refused_wherever_it_is_asked_for(definition, name, parameter, store):
    value = "no" if parameter.options else int(parameter.le) + 1
    asked = spelt(definition, name, value)
    rule = f"{definition.name}: {name} must be {parameter.rule}, was {value!r}"
    for refused in (
        refusal(fs.parse, asked),
        refusal(fs.compute, Untouchable(), ["sma_20", asked]),
        refusal(fs.live, [asked]),
        refusal(store.features, "EUR/USD", "1h", [asked]),
        refusal(store.features, "EUR/USD", "1h", f"{asked}@4h"),
        refusal(store.materialize, "EUR/USD", "1h", [asked]),
    ):
        assert str(refused) == rule


@each(NUMBERS)
def test_a_wrong_parameter_in_an_expression_is_pointed_at(definition, name, parameter):
    wrong = int(parameter.le) + 1
    place = [*definition.parameters].index(name)
    before = [spell(each.default) for each in definition.parameters.values()][:place]
    text = f"{definition.name}({', '.join([*before, spell(wrong)])})"
    problem = refusal(custom, Draft("mine", f"close - {text}"))
    said, line, carets = str(problem).splitlines()
    assert said == f"mine: {definition.name}: {name} must be {parameter.rule}, was {wrong}"
    assert line[carets.index("^") :].startswith(spell(wrong))


@pytest.mark.parametrize("definition", fs.catalog(), ids=lambda definition: definition.name)
def test_a_parameter_or_a_value_too_many_is_refused_with_those_there_are(definition):
    has = ", ".join(definition.parameters)
    assert str(refusal(fs.feature, definition.name, {"windowe": 3})) == (
        f"{definition.name} has no parameter 'windowe'; it has: {has or 'none'}"
    )
    full = fs.feature(definition.name).id
    assert f"{definition.name} takes {has or 'no parameters'}; '{full}_3' gives" in str(refusal(fs.parse, f"{full}_3"))
    assert f"has no output 'nothing'; it has {', '.join(definition.outputs)}" in str(
        refusal(fs.parse, f"{full}.nothing")
    )
    assert "has version v1, not v2" in str(refusal(fs.parse, f"{full}:v2"))
    assert "timeframe must be one of 1m" in str(refusal(fs.parse, f"{full}@7m"))


def test_periods_that_contradict_each_other_are_refused_with_both():
    for asked in ("macd_26_12_9", "ao_5_5", "kama_10_30_30"):
        assert "fast must be less than slow, but fast was" in str(refusal(fs.parse, asked))


# ---------------------------------------------------------------- ids
@pytest.mark.parametrize(
    "asked",
    [
        *[
            "",
            " ",
            "\t",
            "_sma",
            "sma.",
            "sma@",
            "sma_20@",
            "sma:v",
            "sma:v1x",
            "sma:v1:v1",
            "sma_-5",
            "sma_+5",
            "sma_1.",
        ],
        *[
            "sma_\u0663",
            "sma_\uff12\uff10",
            "\u0455ma_20",
            "sma_20\u200b",
            "sma\x00",
            "sma_20;x",
            "../../etc/passwd",
            "sma 20",
        ],
        *[
            "sma(20)",
            "sma_1e3",
            "sma_0x10",
            "sma_nan",
            "sma_inf",
            "sma_fifty",
            "SMA_20",
            "sma_" + "9" * 5000,
            "_" * 5000,
        ],
        *["sma_" + "1_" * 2000, 5, None, b"sma_20", math.nan, ("sma",), object],
    ],
    ids=lambda asked: f"{asked!r:.20}",
)
def test_what_spells_no_feature_is_refused_with_the_way_out(asked, store):
    for refused in (
        refusal(fs.parse, asked),
        refusal(fs.compute, Untouchable(), [asked]),
        refusal(fs.live, [asked]),
        refusal(fs.live, ["sma_20", asked]),
    ):
        assert isinstance(refused, FeatureNotFoundError) or "takes period" in str(refused)
        assert "did you mean" in str(refused) or "as in sma_50" in str(refused) or "takes period" in str(refused)


def test_no_feature_at_all_is_refused():
    for refused in (refusal(fs.compute, Untouchable(), []), refusal(fs.live, [])):
        assert str(refused) == "name at least one feature, such as sma_50"


def test_features_of_other_bars_are_sent_to_a_store():
    for asked in ("sma_20@4h", "sma_20@GBPUSD", "correl_20@GBPUSD"):
        assert "ask a store" in str(refusal(fs.compute, Untouchable(), [asked]))
        assert "ask a store" in str(refusal(fs.live, [asked]))


# ---------------------------------------------------------------- did you mean
def typos(name, every):
    """Ways to drop a letter, to write it twice, and to swap it with the next, at every so many of its places; and capitals."""
    for place in range(len(name) % every, len(name), every):
        letter = name[place]
        yield name[:place] + name[place + 1 :]
        yield name[: place + 1] + letter + name[place + 1 :]
        yield name[:place] + name[place + 1 : place + 2] + letter + name[place + 2 :]
    yield from (name.upper(), name.title())


def test_an_id_that_nearly_matches_is_answered_with_the_right_name():
    known, found = {definition.name for definition in fs.catalog()}, Counter()
    for definition in fs.catalog():
        full = fs.feature(definition.name).id
        for name in set(typos(definition.name, 3)) - known:
            asked = full.replace(definition.name, name, 1) if len(name) % 2 else name
            try:
                fs.parse(asked)
            except InvalidRequestError as problem:
                suggested = str(problem).partition("did you mean ")[2].rstrip("?").split(" or ")
                found[any(each in {definition.name, full} for each in suggested)] += 1
    assert sum(found.values()) > 2000
    assert found[True] / sum(found.values()) > 0.96


def test_a_name_that_is_near_no_other_is_sent_to_the_catalog():
    assert "see feature-store catalog" in str(refusal(fs.parse, "qqqqzzzz_20"))


# ---------------------------------------------------------------- a terminal
@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("sma_0", "sma: period must be a whole number from 1 to 5000, was 0"),
        ("smaa_20", "did you mean sma"),
        ("SMA_20", "did you mean sma_20?"),
        ("macd.lines", "macd has no output 'lines'; it has line, signal, histogram"),
        ("pivots_classical", "pivots: kind must be one of classic, fibonacci, camarilla, woodie, was 'classical'"),
        ("macd_26_12", "macd: fast must be less than slow, but fast was 26 and slow was 12"),
        ("sma_20@7m", "timeframe must be one of 1m"),
    ],
)
def test_a_terminal_says_so_in_one_line(asked, why, home):
    done = CliRunner().invoke(app, ["features", "EUR/USD", "rsi_14", asked, "--home", str(home)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
