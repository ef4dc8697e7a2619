"""Feature ids, both ways."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store.errors import FeatureNotFoundError, FeatureStoreError, InvalidRequestError
from feature_store.indicators.custom import Draft, custom
from feature_store.indicators.registry import BUILT_INS


@pytest.mark.parametrize(
    ("text", "full", "columns"),
    [
        ("sma", "sma_20", ("sma",)),
        ("sma_50", "sma_50", ("sma_50",)),
        ("donchian_prev_55.upper", "donchian_prev_55.upper", ("donchian_prev_55.upper",)),
        ("macd_12_26_9", "macd_12_26_9", ("macd_12_26_9.line", "macd_12_26_9.signal", "macd_12_26_9.histogram")),
        ("macd:v1@4h", "macd_12_26_9@4h", ("macd.line:v1@4h", "macd.signal:v1@4h", "macd.histogram:v1@4h")),
        ("bbands_20_2.5.width", "bbands_20_2.5.width", ("bbands_20_2.5.width",)),
        ("atr_14@H4", "atr_14@4h", ("atr_14@H4",)),
        ("  rsi_14 ", "rsi_14", ("rsi_14",)),
        ("rsi.value", "rsi_14", ("rsi.value",)),
    ],
)
def test_an_id_means_a_feature_and_is_answered_in_its_own_words(text, full, columns):
    feature = fs.parse(text)
    assert (feature.id, feature.columns) == (full, columns)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("smaa_50", "no indicator is called 'smaa_50'; did you mean sma"),
        ("SMA_50", "a feature id is written name_parameters"),
        ("donchain_20", "did you mean donchian"),
        ("sma_fifty", "no indicator is called 'sma_fifty'"),
        ("macd.lines", "macd has no output 'lines'; it has line, signal, histogram"),
        ("rsi_14:v9", "rsi has version v1, not v9"),
        ("", "a feature id is written"),
        ("zzzzqqqq", "see feature-store catalog"),
    ],
)
def test_an_unknown_id_is_refused_with_the_way_out(text, message):
    with pytest.raises(FeatureNotFoundError, match=message):
        fs.parse(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rsi_1", "rsi: period must be a whole number from 2 to 5000, was 1"),
        ("sma_1.5", "period must be a whole number from 1 to 5000, was 1.5"),
        ("sma_20_3", "sma takes period; 'sma_20_3' gives 2 values"),
        ("macd_26_12_9", "macd: fast must be less than slow, but fast was 26 and slow was 12"),
        ("sma_20@7m", "timeframe must be one of 1m 2m"),
    ],
)
def test_a_parameter_that_breaks_a_rule_is_refused_with_the_rule(text, message):
    with pytest.raises(InvalidRequestError, match=message):
        fs.parse(text)


def test_parameters_can_be_given_by_name():
    assert fs.feature("bbands", {"width": 2.5}).columns[0] == "bbands_20_2.5.upper"
    with pytest.raises(InvalidRequestError, match="rsi has no parameter 'window'; it has: period"):
        fs.feature("rsi", {"window": 3})


@given(st.sampled_from(fs.catalog()), st.data())
def test_every_feature_reads_back_from_its_id(definition, data):
    chosen = {}
    for name, parameter in definition.parameters.items():
        low, high = parameter.ge, parameter.le
        chosen[name] = data.draw(st.integers(int(low), int(high)) if parameter.whole else st.floats(low, high))
    try:
        feature = fs.feature(definition.name, chosen)
    except InvalidRequestError:
        return  # fast and slow contradict each other
    assert fs.parse(feature.id) == feature
    assert fs.parse(feature.id).id == feature.id


@given(st.text(alphabet="abcdmoprsx0123456789._:@v-/ \n", max_size=40) | st.text(max_size=40))
def test_no_text_does_worse_than_a_clear_refusal(text):
    try:
        said = " ".join(fs.parse(text).columns)
    except FeatureStoreError as refusal:
        said = str(refusal)
    assert 0 < len(said) < 400


REGISTRY = BUILT_INS
for draft in (
    Draft("mine", "ema(close, n)", {"n": fs.Int(20, ge=2)}),
    Draft("mine", {"lower": "sma(close, n)", "upper": "lower * k"}, {"n": fs.Int(20, ge=2), "k": fs.Real(2.0)}),
):
    REGISTRY = REGISTRY.adding(custom(draft, REGISTRY))
NUMBERS = st.one_of(
    st.integers(0, 99).map(str),
    st.floats(0, 10).map(lambda number: f"{number:.6f}"),
    st.sampled_from(["", "0", "007", "-1", "1e3", "1_0", "1.", ".5", "inf", "0x1", "\u0663", "9" * 30]),
)
NEAR_IDS = st.builds(
    lambda name, numbers, output, version, places: "_".join([name, *numbers]) + output + version + places,
    st.sampled_from([definition.name for definition in fs.catalog()]) | st.just("mine") | st.text("smaex_", max_size=5),
    st.lists(NUMBERS, max_size=3),
    st.sampled_from(["", "", "", ".", ".value", ".upper", ".signal", ".k", "..x"]),
    st.sampled_from(["", "", "", ":v1", ":v2", ":v3", ":v0", ":v", ":1", ":v1:v1", ":v999999"]),
    st.lists(st.sampled_from(["@4h", "@H4", "@7m", "@GBPUSD", "@gbp/usd", "@", "@@1h", "@1x"]), max_size=3).map(
        "".join
    ),
)
EDITS = st.lists(st.tuples(st.integers(0, 200), st.booleans(), st.sampled_from("a_09.:@v-/ \n\x00\u00e9")), max_size=2)


def edited(text: str, edits: list[tuple[int, bool, str]]) -> str:
    for place, grow, letter in edits:
        at = place % (len(text) + 1)
        text = text[:at] + letter + text[at if grow else at + 1 :]
    return text


@settings(max_examples=600, deadline=None)
@given(st.builds(edited, NEAR_IDS, EDITS))
def test_an_id_that_nearly_is_one_is_read_or_refused_with_a_sentence(text):
    said = "read"
    try:
        feature = fs.parse(text, REGISTRY)
        assert fs.parse(feature.id, REGISTRY) == feature
        assert len(feature.columns) == len(feature.series)
        assert feature.asked == text.strip()
    except InvalidRequestError as refusal:
        said = str(refusal)
    assert 0 < len(said) < 500
    assert "\n" not in said


def test_reading_a_hostile_id_takes_no_time_worth_speaking_of():
    for hostile in ("a" * 200, "_1" * 100, "a." * 100, "1_" * 100 + "!", "sma" + ".1" * 98, "rsi_" + "1" * 1000):
        with pytest.raises(FeatureStoreError):
            fs.parse(hostile)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("max_20", "highest"),
        ("min_20", "lowest"),
        ("hull", "hma"),
        ("bolinger_20", "bbands"),
        ("SMA_20", "sma_20"),
        ("smaa_20", "sma"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_the_nearest_by_spelling_or_by_title(word, name):
    with pytest.raises(FeatureNotFoundError, match=rf"did you mean .*\b{name}\b"):
        fs.parse(word)
