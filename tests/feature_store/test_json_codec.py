"""The same rules on orjson, ujson and json: every test here runs on each of the three."""

import json
import math
import struct
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum, StrEnum
from types import MappingProxyType
from uuid import UUID

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from feature_store import json_codec
from feature_store.errors import InvalidRequestError

CODECS = [json_codec.codec(name) for name in json_codec.PREFERENCE]
NAN, INF = math.nan, math.inf


@pytest.fixture(params=CODECS, ids=lambda codec: codec.name)
def codec(request):
    return request.param


def nested(depth, leaf=1):
    for _ in range(depth):
        leaf = [leaf]
    return leaf


def bits(value):
    return struct.pack("<d", value)


class Side(Enum):
    BUY = "buy"


class Name(StrEnum):
    A = "a"


@dataclass
class Tick:
    bid: float
    ask: float


# ---------------------------------------------------------------- choice
def test_the_first_installed_of_the_preference_is_chosen():
    assert json_codec.backend == json_codec.PREFERENCE[0] == "orjson"
    assert json_codec.loads(json_codec.dumps([1])) == [1]


def test_the_next_one_is_chosen_where_a_codec_is_missing(monkeypatch):
    monkeypatch.setitem(json_codec._CODECS, "orjson", _missing)
    assert json_codec._first_installed().name == "ujson"
    monkeypatch.setitem(json_codec._CODECS, "ujson", _missing)
    assert json_codec._first_installed().name == "json"


def _missing():
    raise ImportError


# ---------------------------------------------------------------- writing
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([NAN, INF, -INF], [None, None, None]),
        ({"a": NAN}, {"a": None}),
        (np.float64(NAN), None),
        (np.float32(1.5), 1.5),
        (np.float16(0.5), 0.5),
        (np.longdouble(2), 2.0),
        (np.longdouble("1e400"), None),
        (np.int64(-3), -3),
        (np.uint64(2**64 - 1), 2**64 - 1),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array(1.5), 1.5),
        (np.array([1.0, NAN, INF]), [1.0, None, None]),
        (np.array([[1.0, NAN], [3.0, 4.0]], order="F"), [[1.0, None], [3.0, 4.0]]),
        (np.arange(6.0)[::-2], [5.0, 3.0, 1.0]),
        (np.arange(3, dtype=">i4"), [0, 1, 2]),
        (np.array([1.5], dtype=">f8"), [1.5]),
        (np.array([True, False]), [True, False]),
        (np.array(["a", "b"]), ["a", "b"]),
        (np.array([None, 1.5, NAN, "x"], dtype=object), [None, 1.5, None, "x"]),
        (np.zeros((2, 0)), [[], []]),
        (np.array([], dtype="datetime64[ns]"), []),
        (pd.Series([1.5, NAN]), [1.5, None]),
        (pd.Series([1, None], dtype="Int64"), [1, None]),
        (pd.Series([2**63 - 1, None], dtype="Int64"), [2**63 - 1, None]),
        (pd.Series([0.1, None], dtype="Float64"), [0.1, None]),
        (pd.Series(["a", None]), ["a", None]),
        (pd.Series(["a", None], dtype="category"), ["a", None]),
        (pd.Index([3, 4]), [3, 4]),
        (pd.RangeIndex(2), [0, 1]),
        (pd.NA, None),
        ((1, 2), [1, 2]),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Side.BUY, "buy"),
        (Name.A, "a"),
        (Tick(1.0, NAN), {"bid": 1.0, "ask": None}),
        (UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        ('é\n"\\/\u2028', 'é\n"\\/\u2028'),
        ({np.str_("a"): 1}, {"a": 1}),
    ],
)
def test_a_value_is_written_as_what_it_holds(codec, value, expected):
    written = codec.dumps(value)
    assert isinstance(written, bytes)
    assert json.loads(written, parse_constant=_forbidden) == expected
    assert json.loads(codec.dumps({"in": [value]}))["in"] == [expected]


def _forbidden(constant):
    raise AssertionError(constant)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (datetime(2023, 1, 1, 12), "2023-01-01T12:00:00Z"),
        (datetime(2023, 1, 1, 12, tzinfo=UTC), "2023-01-01T12:00:00Z"),
        (datetime(2023, 1, 1, 12, tzinfo=timezone(timedelta(hours=-5))), "2023-01-01T17:00:00Z"),
        (date(2023, 1, 1), "2023-01-01"),
        (pd.Timestamp("2023-01-01", tz="America/New_York"), "2023-01-01T05:00:00Z"),
        (pd.Timestamp("2023-01-01T00:00:00.000000001"), "2023-01-01T00:00:00.000000001Z"),
        (np.datetime64("2023-01-01"), "2023-01-01T00:00:00Z"),
        (np.datetime64("2023-01-01T00:00:01.5"), "2023-01-01T00:00:01.5Z"),
        (pd.NaT, None),
        (np.datetime64("NaT"), None),
        (np.datetime64("NaT", "ns"), None),
        (np.array(["NaT", "2023-01-01"], dtype="datetime64[ns]"), [None, "2023-01-01T00:00:00Z"]),
        (np.array([["2023-01"], ["NaT"]], dtype="datetime64[M]"), [["2023-01-01T00:00:00Z"], [None]]),
        (pd.Series([pd.Timestamp("2023-01-01"), pd.NaT]), ["2023-01-01T00:00:00Z", None]),
        (pd.Series([pd.Timestamp("2023-01-01", tz="UTC"), pd.NaT]), ["2023-01-01T00:00:00Z", None]),
        (pd.date_range("2023-01-01", periods=1, tz="Europe/Berlin"), ["2022-12-31T23:00:00Z"]),
        (pd.Series([pd.NaT, pd.Timestamp("2023-01-01")], dtype=object), [None, "2023-01-01T00:00:00Z"]),
    ],
)
def test_a_moment_is_written_in_utc_and_not_a_time_as_null(codec, value, expected):
    assert codec.loads(codec.dumps(value)) == expected


@pytest.mark.parametrize(
    "value",
    [
        b"bytes",
        {1, 2},
        1j,
        np.array([1j]),
        timedelta(seconds=1),
        np.timedelta64(1, "s"),
        pd.Timedelta("1s"),
        pd.Series([pd.Timedelta("1s")]),
        pd.DataFrame({"a": [1]}),
        pd.Interval(0, 1),
        pytest.param(object(), id="object"),
        Tick,
        np.array([b"a"]),
        np.zeros(1, dtype=[("a", "f8")]),
        "\ud800",
        {"\ud800": 1},
        {1: 2},
        {None: 2},
        {Name.A: 2},
        {datetime(2023, 1, 1): 2},
    ],
    ids=repr,
)
def test_what_has_no_agreed_form_is_a_type_error_that_names_it(codec, value):
    with pytest.raises(TypeError, match=r"form in JSON|keys are text|surrogate"):
        codec.dumps(value)
    with pytest.raises(TypeError):
        codec.dumps([{"inside": value}])


def test_integers_of_any_length_survive(codec):
    numbers = [2**63 - 1, -(2**63), -(2**63) - 1, 2**64 - 1, 2**64, -(2**70), 10**40, int("9" * 309)]
    assert codec.loads(codec.dumps(numbers)) == numbers
    assert all(type(number) is int for number in codec.loads(codec.dumps({"n": numbers}))["n"])
    assert codec.loads(" 123456789012345678901234567890\n") == 123456789012345678901234567890


@given(number=st.integers(-(2**70), 2**70) | st.integers(-(2**64), -(2**63)) | st.integers(2**63, 2**65))
def test_no_integer_around_64_bits_is_rounded(number):
    for codec in CODECS:
        for text in (f"{number}", f"[{number}]", f'{{"a":{number}}}', f"[1,\n{number} ]"):
            assert str(number) in repr(codec.loads(text))


def test_a_large_array_beside_a_long_integer_is_still_written(codec):
    values = np.random.default_rng(1).normal(size=1000)
    read = codec.loads(codec.dumps({"big": 2**80, "values": values}))
    assert read["big"] == 2**80
    np.testing.assert_array_equal(np.array(read["values"]), values)


# ---------------------------------------------------------------- reading
@pytest.mark.parametrize(
    "text",
    [
        *("NaN", "Infinity", "-Infinity", "[NaN]", '{"a":Infinity}', "1e400", "-1e400", "[1.5, 1e999]", "9" * 5000),
        *("", " ", "nul", "[1,]", '{"a":1,}', "01", "-01", "1.", ".5", "-", "[-]", "+1", "--1", "1e", "0x10", "1_0"),
        *(
            '"a\nb"',
            '"a\tb"',
            '"a\x01b"',
            '"\\x"',
            '"\\u12"',
            '"',
            "'a'",
            '{"a" 1}',
            "{1:2}",
            '{"a":}',
            "[1 2]",
            "[1]]",
        ),
        *("/*a*/1", "1//", "\x0b1", "[1]\x00", "\ufeff1", "\ud800", '"\\ud800"', '"\\udc00a"', '{"\\ud800":1}'),
        *(b'"\xff"', b'"\xed\xa0\x80"', b"\xef\xbb\xbf1", b'"abc\\"\n"', b"\x00"),
    ],
    ids=lambda text: ascii(text)[:20],
)
def test_anything_looser_than_rfc_8259_is_refused(codec, text):
    with pytest.raises(InvalidRequestError, match="not JSON"):
        codec.loads(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-0", 0),
        ("1E5", 1e5),
        ("0e0", 0.0),
        ("1e-400", 0.0),
        ("-0.5", -0.5),
        ('" NaN -Infinity 01 1. - [[["', " NaN -Infinity 01 1. - [[["),
        ('"\\ud83d\\ude00"', "\U0001f600"),
        ('"\\u0000\\\\\\""', '\x00\\"'),
        ('{"a":1,"a":2}', {"a": 2}),
        (b"\t[1 ,\r\n2] ", [1, 2]),
        pytest.param(memoryview(b"[true,false,null]"), [True, False, None], id="memoryview"),
        ("[0.00009222787725626791, 1e-7, 10.000000000000000000000]", [0.00009222787725626791, 1e-7, 10.0]),
    ],
    ids=ascii,
)
def test_what_rfc_8259_allows_is_read(codec, text, expected):
    read = codec.loads(text)
    assert read == expected
    assert type(read) is type(expected)


def test_negative_zero_keeps_its_sign(codec):
    assert math.copysign(1, codec.loads(codec.dumps(-0.0))) == -1
    assert math.copysign(1, codec.loads(codec.dumps(np.array([-0.0])))[0]) == -1


# ---------------------------------------------------------------- depth
def test_nesting_of_256_levels_passes_both_ways_and_257_is_refused(codec):
    assert codec.loads(codec.dumps(nested(256))) == nested(256)
    with pytest.raises(TypeError, match="at most 256 levels"):
        codec.dumps(nested(257))
    with pytest.raises(InvalidRequestError, match="at most 256 levels"):
        codec.loads("[" * 257 + "]" * 257)
    with pytest.raises(InvalidRequestError, match="at most 256 levels"):
        codec.loads('{"a":' * 257 + "1" + "}" * 257)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "[" * 200_000 + "]" * 200_000])
def test_a_tower_of_brackets_is_refused_without_recursion(codec, text):
    with pytest.raises(InvalidRequestError):
        codec.loads(text)


def test_brackets_inside_text_are_not_nesting(codec):
    value = {"note": "[" * 1000 + '\\"{' * 300, "rows": [[1]] * 500}
    assert codec.loads(codec.dumps(value)) == value


def test_a_value_that_holds_itself_is_refused(codec):
    circle = []
    circle.append(circle)
    with pytest.raises(TypeError, match="holds itself"):
        codec.dumps(circle)


def test_hostile_text_of_quotes_and_backslashes_is_read_in_linear_time(codec):
    with pytest.raises(InvalidRequestError):
        codec.loads('[["' * 200_000 + '\\"' * 200_000)


# ---------------------------------------------------------------- laws
plain_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(value=plain_values)
def test_plain_data_comes_back_as_it_was(value):
    for codec in CODECS:
        assert codec.loads(codec.dumps(value)) == value


@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_every_float64_comes_back_with_the_same_bits_through_any_pair_of_codecs(value):
    for writer in CODECS:
        for reader in CODECS:
            assert bits(reader.loads(writer.dumps(value))) == bits(value)
            assert bits(reader.loads(writer.dumps(np.array([value])))[0]) == bits(value)


@given(pattern=st.integers(0, 2**64 - 1))
def test_every_pattern_of_64_bits_comes_back_or_is_null(pattern):
    (value,) = struct.unpack("<d", struct.pack("<Q", pattern))
    for codec in CODECS:
        read = codec.loads(codec.dumps(np.array([value])))[0]
        assert (read is None) if not math.isfinite(value) else bits(read) == bits(value)


@given(
    array=npst.arrays(
        npst.integer_dtypes(endianness="?")
        | npst.unsigned_integer_dtypes(endianness="?")
        | npst.floating_dtypes(endianness="?"),
        npst.array_shapes(max_dims=3, min_side=0, max_side=4),
    ),
    reverse=st.booleans(),
    transpose=st.booleans(),
)
def test_an_array_of_any_layout_is_written_like_its_plain_list(array, reverse, transpose):
    array = array[..., ::-1] if reverse else array
    array = array.T if transpose else array
    expected = _nulls(array.astype(np.float64 if array.dtype.kind == "f" else array.dtype.newbyteorder("=")).tolist())
    for codec in CODECS:
        assert codec.loads(codec.dumps(array)) == expected


def _nulls(value):
    if isinstance(value, list):
        return [_nulls(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


alphabet = st.sampled_from(
    [*'[]{},:"\\0123456789.eE+-', "NaN", "Infinity", "true", "null", '"a"', "1e400", "\n", " ", "\\u", "d800"]
)


@given(text=st.lists(alphabet, max_size=12).map("".join))
def test_the_three_agree_on_every_text(text):
    assert len({_verdict(codec, text) for codec in CODECS}) == 1


def _verdict(codec, text):
    try:
        return repr(codec.loads(text))
    except InvalidRequestError:
        return "refused"
