"""Custom indicators: names, parameters, units and versions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store.errors import FeatureNotFoundError, InvalidRequestError
from feature_store.indicators import expression
from feature_store.indicators.catalog import catalog
from feature_store.indicators.custom import Draft, body_of, custom, parameter_of
from feature_store.indicators.expression import levels_of
from feature_store.indicators.registry import BUILT_INS, Registry

N = {"n": fs.Int(20, ge=2)}


def registering(*drafts: Draft) -> Registry:
    registry = BUILT_INS
    for draft in drafts:
        registry = registry.adding(custom(draft, registry))
    return registry


def refusal(registry=BUILT_INS, **draft) -> str:
    with pytest.raises(InvalidRequestError) as problem:
        custom(Draft(**({"name": "mine", "expression": "close"} | draft)), registry)
    assert len(str(problem.value)) < 1000
    return str(problem.value)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("rsi", "rsi is an indicator; choose another name"),
        ("close", "close is a bar column"),
        ("spread", "spread is a bar column"),
        ("where", "where is an operator"),
        ("true_range", "true_range is an operator"),
        ("fx_day", "fx_day is a bar column"),
        ("Spread", "small letters"),
        ("spread__z", "small letters"),
        ("spread_20", "beginning with a letter"),
        ("_x", "small letters"),
        ("x" * 65, "small letters"),
        ("lambda", "small letters"),
        ("", "small letters"),
        (7, "small letters"),
        ("a.b", "small letters"),
        ("\uff4eame", "small letters"),
    ],
)
def test_a_name_that_hides_another_or_spells_no_id_is_refused(name, why):
    assert why in refusal(name=name)


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"close": fs.Int(3)}, "close is a bar column; choose another name for the parameter"),
        ({"ema": fs.Int(3)}, "ema is an indicator"),
        ({"abs": fs.Int(3)}, "abs is an operator"),
        ({"mine": fs.Int(3)}, "used here already"),
        ({"N": fs.Int(3)}, "the name of a parameter"),
        ({"k": fs.Int(3)}, "the parameter k is used nowhere"),
        ({"k": 3}, "is written as in"),
        ({"k": {"ge": 3}}, "is written as in"),
        ({"k": {"default": 3, "min": 2}}, "has no 'min'; it has type, default, ge, le"),
        ({"k": {"default": 3, "type": "float"}}, "type int, real or choice"),
        ({"k": {"default": 3, "type": ["int"]}}, "type int, real or choice"),
        ({"k": {"default": 3, "type": {}}}, "type int, real or choice"),
        ({"k": {"default": -3, "ge": -5}}, "ge is at least 0, as ids spell no sign"),
        ({"k": {"default": 10**400, "type": "real"}}, "k must be a number from 0 to 1000"),
        ({"k": {"default": 3, "ge": "1"}}, "ge and le are numbers"),
        ({"k": {"default": 3, "ge": 5, "le": 4}}, "and at most le"),
        ({"k": {"default": 3, "le": 1e300}}, "le is at most 1e12"),
        ({"k": {"default": 3, "ge": float("nan")}}, "ge is at least 0"),
        ({"k": {"default": 3, "le": 10_001}}, "le is at most 10,000"),
        ({"k": {"default": 3, "ge": 0.5}}, "ge and le of a whole number are whole"),
        ({"k": {"default": 9, "le": 8}}, "k must be a whole number from 1 to 8, was 9"),
        ({"k": {"default": "a", "options": ["b", 3]}}, "options are words"),
        ({"k": {"default": "a b"}}, "options are words"),
        ({"k": {"default": ["a"], "type": "choice"}}, "options are words"),
        ({"k": {"default": "a", "options": [{}]}}, "options are words"),
        ({"k": fs.Choice("a", *(f"a{'x' * i}" for i in range(1, 17)))}, "options are at most 16 words"),
        ({"k": {"default": 3, "description": 3}}, "its description is a text"),
        ({"k": {"default": 3, "description": "x" * 2001}}, "of at most 2,000 characters"),
        ({"k": {"default": None}}, "must be a number"),
        ({"k": {"default": float("nan"), "type": "real"}}, "must be a number"),
        ({f"k{'x' * i}": fs.Int(3) for i in range(17)}, "at most 16"),
        ([], "by name"),
    ],
)
def test_a_parameter_that_cannot_be_is_refused(parameters, why):
    assert why in refusal(parameters=parameters)


def test_plain_data_is_a_parameter_as_its_description_is():
    for parameter in (fs.Int(20, ge=2), fs.Real(0.5, le=3.0, description="how wide"), fs.Choice("a", "b")):
        assert parameter_of("k", parameter.describe()) == parameter


@pytest.mark.parametrize(
    ("draft", "why"),
    [
        ({"expression": {}}, "1 to 16 outputs, this one 0"),
        ({"expression": {f"o{'x' * i}": "close" for i in range(17)}}, "this one 17"),
        ({"expression": {"Up": "close"}}, "the name of an output"),
        ({"expression": {"rsi": "close", "other": "open"}}, "rsi is an indicator; choose another name for the output"),
        ({"expression": {"high": "close", "other": "open"}}, "high is a bar column"),
        ({"expression": {"a": "b", "b": "close"}}, "mine.a: nothing is called b"),
        ({"expression": {"a": "a", "b": "close"}}, "mine.a: nothing is called a"),
        ({"expression": 5}, "an expression is a text"),
        ({"expression": ""}, "an expression is a text"),
        ({"unit": "pips"}, "no unit is called 'pips'"),
        ({"unit": "prices"}, "did you mean price"),
        ({"unit": {"value": "price", "more": "price"}}, "more is too many or missing"),
        ({"unit": ["price"]}, "no unit is called"),
        ({"title": 5}, "title is a text"),
        ({"description": "x" * 2001}, "description is a text of at most 2,000"),
    ],
)
def test_what_else_cannot_be_is_refused(draft, why):
    assert why in refusal(**draft)


def test_a_document_is_read_by_name_and_nothing_else_is_in_it():
    draft = Draft.of({"name": "mine", "expression": "close * k", "parameters": {"k": {"default": 2.0}}})
    assert custom(draft).parameters["k"] == fs.Real(2.0)
    assert Draft.of(draft.to_dict()) == draft
    for document, why in [
        ({"name": "mine"}, "needs expression"),
        ({"name": "mine", "expresion": "close"}, "did you mean expression"),
        (["name"], "written by name"),
    ]:
        with pytest.raises(InvalidRequestError, match=why):
            Draft.of(document)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["int", "choice", "close", "k", "a", 10**400]),
    lambda below: (
        st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("ak") | st.text(max_size=4), below, max_size=3)
    ),
    max_leaves=5,
)
PARAMETER = st.fixed_dictionaries(
    {"default": JSON},
    optional={
        "type": st.sampled_from(["int", "real", "choice"]) | JSON,
        **dict.fromkeys(("ge", "le", "options", "description"), JSON),
    },
)
DOCUMENT = st.fixed_dictionaries(
    {
        "name": st.just("mine") | JSON,
        "expression": st.sampled_from(["close", "close * k", {"a": "close", "b": "a"}]) | JSON,
    },
    optional={
        "parameters": st.fixed_dictionaries({"k": PARAMETER}) | JSON,
        "unit": st.sampled_from(["price", {"a": "price", "b": "index"}]) | JSON,
        **dict.fromkeys(("title", "description"), JSON),
    },
)


@settings(max_examples=300, deadline=None)
@given(DOCUMENT | JSON)
def test_no_document_does_worse_than_a_short_refusal(document):
    field: str | None = ""
    try:
        said = custom(Draft.of(document)).title
    except InvalidRequestError as problem:
        said, field = str(problem), problem.field
    assert 0 < len(said) < 1000
    assert field is not None


def test_the_same_content_is_the_same_version_and_other_content_the_next():
    registry = registering(Draft("mine", "ema(close, n) - close", N))
    again = custom(Draft("mine", "( ema(close,n)-close )", N, title="In other words"), registry)
    assert (again.version, again.content_hash) == (1, registry.find("mine").content_hash)
    for other in (
        Draft("mine", "ema(close, n) - open", N),
        Draft("mine", "ema(close, n) - close", {"n": fs.Int(21, ge=2)}),
        Draft("mine", {"a": "ema(close, n) - close", "b": "close"}, N),
    ):
        assert custom(other, registry).version == 2
    registry = registry.adding(custom(Draft("mine", "open * n", N), registry))
    assert [each.version for each in registry.own["mine"]] == [1, 2]
    assert registry.find("mine").version == 2
    assert registry.find("mine", 1).version == 1


def test_an_id_without_a_version_is_the_newest_and_one_with_it_stays_what_it_is():
    registry = registering(Draft("mine", "ema(close, n)", N), Draft("mine", "sma(close, n)", N))
    newest, first = registry.parse("mine_5"), registry.parse("mine_5:v1")
    assert newest.series == fs.parse("sma_5").series
    assert first.series == fs.parse("ema_5").series
    assert (newest.id, first.id, first.columns) == ("mine_5", "mine_5:v1", ("mine_5:v1",))
    assert registry.parse(first.id) == first
    assert newest.version.startswith("v2.")
    assert fs.feature("mine:v1", {"n": 5}, registry=registry) == first
    assert fs.feature("mine", {"n": 5}, registry=registry).id == "mine_5"
    with pytest.raises(FeatureNotFoundError, match="mine has versions v1 to v2, not v3"):
        registry.parse("mine:v3")
    with pytest.raises(FeatureNotFoundError):
        fs.feature("mine:v3", registry=registry)
    with pytest.raises(FeatureNotFoundError, match="did you mean mine"):
        registry.parse("mine3_5")
    with pytest.raises(FeatureNotFoundError):
        fs.parse("mine_5")


def test_a_version_keeps_the_versions_that_it_was_made_of():
    registry = registering(Draft("inner", "ema(close, n)", N), Draft("outer", "inner(high, n) * 2", N))
    before = registry.find("outer")
    registry = registry.adding(custom(Draft("inner", "sma(close, n)", N), registry))
    assert registry.find("outer") is before
    assert before.describe()["uses"] == ["inner:v1"]
    anew = custom(Draft("outer", "inner(high, n) * 2", N), registry)
    assert (anew.version, anew.describe()["uses"]) == (2, ["inner:v2"])


def test_the_version_changes_with_what_it_is_made_of(monkeypatch):
    first = custom(Draft("mine", "zscore(close, n)", N))
    monkeypatch.setitem(fs.parse("zscore").definition.__dict__, "content_hash", "another")
    assert custom(Draft("mine", "zscore(close, n)", N)).content_hash != first.content_hash


def test_definitions_cannot_come_to_call_themselves():
    assert "an indicator cannot call itself" in refusal(expression="mine * 2")
    registry = registering(Draft("a", "close * 2"), Draft("b", "a * 2"), Draft("c", "b + high"))
    said, line, carets = refusal(registry, name="a", expression="close - c * 2").splitlines()
    assert said == "a: an indicator cannot call itself, and this calls b which calls a; give the new one another name"
    assert line[carets.index("^") :].startswith("c *")
    said, line, carets = refusal(registry, name="a", expression="high + a(close)").splitlines()
    assert said == "a: an indicator cannot call itself; give the new one another name"
    assert line[carets.index("^") :].startswith("a(")


def test_custom_indicators_of_custom_indicators_end_somewhere():
    registry = registering(*(Draft(f"a{'x' * i}", "close + 1" if not i else f"a{'x' * (i - 1)} * 2") for i in range(8)))
    said, line, carets = refusal(registry, expression="close + axxxxxxx").splitlines()
    assert "9 deep; 8 is the most" in said
    assert line[carets.index("^") :] == "axxxxxxx"


def total(parts: list[str]) -> str:
    """A sum that is as shallow as it can be."""
    middle = len(parts) // 2
    return parts[0] if len(parts) == 1 else f"({total(parts[:middle])} + {total(parts[middle:])})"


def test_reading_is_bounded_where_calls_of_calls_come_to_nothing():
    def twenty(called: str, k: str) -> str:
        return total([f"{called}(close, {k} + {place})" for place in range(20)])

    registry = registering(
        Draft("unit", "close * (1 + 0 * k)", {"k": fs.Real(1.0, le=1e9)}),
        Draft("twenty", twenty("unit", "99 * k"), {"k": fs.Real(1.0, le=1e6)}),
    )
    said, line, carets = refusal(registry, expression=twenty("twenty", "1")).splitlines()
    assert "all in all, with what it calls, this has more than 4,096 parts" in said
    assert line[carets.index("^") :].startswith("twenty(close, 1 + ")


def test_a_net_of_definitions_is_looked_through_once_each(monkeypatch):
    looked = []
    monkeypatch.setattr(expression, "levels_of", lambda each: looked.append(each) or levels_of(each))
    layers, registry = "abcdefg", BUILT_INS
    for below, layer in zip(" " + layers, layers, strict=False):
        called = "close" if below == " " else total([f"{below}{'q' * i}" for i in range(10)])
        for i in range(10):
            registry = registry.adding(custom(Draft(f"{layer}{'q' * i}", f"{called} * 2"), registry))
    top = custom(Draft("mine", total([f"g{'q' * i}" for i in range(10)])), registry)
    assert body_of(top).levels == 8
    assert len(looked) == 10 * 10 * 6 + 10, "ways through it are ten million"


def test_the_catalog_lists_the_newest_version_marked_as_custom():
    registry = registering(Draft("mine", "close"), Draft("mine", "open", title="My own", unit="price"))
    (mine,) = catalog("my own", registry)
    assert (mine.describe()["version"], mine.group, mine.units) == ("v2", "custom", ("price",))
    assert len(catalog(registry=registry)) == len(fs.catalog()) + 1
    assert catalog("my own") == []


def test_a_longer_custom_name_comes_before_a_shorter_built_in():
    registry = registering(Draft("rsi_spread", "rsi(n) - 50", {"n": fs.Int(14, ge=2)}))
    assert registry.parse("rsi_spread_9").name == "rsi_spread"
    assert registry.parse("rsi_9").name == "rsi"
