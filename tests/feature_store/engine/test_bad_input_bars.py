"""Bars that break a rule: refused by column, row and rule, before any work and with nothing changed."""

from __future__ import annotations

import math
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import feature_store as fs
from feature_store.errors import InvalidRequestError, SnapshotMismatchError
from tests.conftest import random_walk, same_bits

NAN, INF = math.nan, math.inf
IDS = ["sma_2", "atr_2", "obv", "bop"]  # all columns together
BARS, ROW = 6, 3
HOURS = pd.date_range("2023-01-02", periods=BARS, freq="h", tz="UTC")
GOOD = random_walk(BARS).set_index(HOURS)
COLUMNS = {name: GOOD[name].to_numpy() for name in GOOD}
BAR = {"open": 1.1, "high": 1.2, "low": 1.0, "close": 1.15, "tick_volume": 3.0}


def refusal(bars, ids=IDS, **options) -> str:
    with pytest.raises(InvalidRequestError) as problem:
        fs.compute(bars, ids, **options)
    assert len(str(problem.value)) < 400
    return str(problem.value)


def with_value(name, value, row=ROW):
    return GOOD.assign(**{name: np.where(np.arange(BARS) == row, value, GOOD[name])})


def with_column(name, column):
    return COLUMNS | {name: column}


# ---------------------------------------------------------------- values
@pytest.mark.parametrize("row", [0, ROW, BARS - 1])
@pytest.mark.parametrize("value", [INF, -INF])
@pytest.mark.parametrize("name", GOOD)
def test_an_infinite_value_is_refused_by_its_column_and_row(name, value, row):
    assert refusal(with_value(name, value, row)).startswith(
        f"{name} must be finite, or NaN for a gap, was {value} in row {row}; correct or drop the row"
    )


@pytest.mark.parametrize("row", [0, ROW, BARS - 1])
def test_a_high_below_the_low_and_a_negative_volume_are_refused_by_their_row(row):
    assert f"high must not be below low, was 0.5 in row {row}" in refusal(with_value("high", 0.5, row))
    assert f"high must not be below low, was {GOOD['high'].iloc[row]} in row {row}" in refusal(
        with_value("low", 2.0, row)
    )
    assert f"tick_volume must not be negative, was -1.0 in row {row}" in refusal(with_value("tick_volume", -1.0, row))


def test_a_contradiction_is_found_among_gaps_and_far_down_a_long_series():
    long = random_walk(100_000)
    long.loc[[5, 70_000], "close"] = NAN
    long.loc[99_999, "high"] = 0.1
    assert "in row 99999" in refusal(long)
    long.loc[99_999, "high"] = INF
    assert "was inf in row 99999" in refusal(long)


@pytest.mark.parametrize("name", GOOD)
def test_a_value_that_is_not_there_is_a_gap_of_what_needs_it(name):
    values = fs.compute(with_value(name, NAN), IDS)
    needs = {"open": ["bop"], "high": ["atr_2", "bop"], "low": ["atr_2", "bop"], "close": IDS, "tick_volume": ["obv"]}[
        name
    ]
    assert values.iloc[ROW].isna().tolist() == [column in needs for column in IDS]


# ---------------------------------------------------------------- columns
@pytest.mark.parametrize("name", GOOD)
def test_a_column_that_is_missing_is_named_beside_those_there_are(name):
    said = refusal(GOOD.drop(columns=name))
    others = ", ".join(GOOD.columns.drop(name))
    assert said == f"these features need the column {name!r}, and the bars have {others}"
    live = fs.live(IDS)
    for take in (live.update, live.peek):
        with pytest.raises(InvalidRequestError, match=f"these features need {name}=; give it, or NaN") as problem:
            take(**{each: value for each, value in BAR.items() if each != name})
        assert problem.value.field == name
    assert live.bars == 0


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (GOOD.rename(columns=str.title), "have Open, High, Low, Close, Tick_Volume; rename 'Close'"),
        (pd.concat({"EURUSD": GOOD}, axis=1), r"; rename \"('EURUSD', 'close')\""),
        (GOOD.rename(columns={"close": "Adj Close"}), "rename 'Adj Close'"),
        (pd.DataFrame(np.ones((2, 30))), "have 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 ..."),
        ({1: [1.0]}, "have 1"),
        ({}, "have none"),
        (pd.DataFrame(), "have none"),
    ],
)
def test_columns_under_other_names_are_told_with_the_way_out(frame, told):
    assert told.replace("\\", "") in refusal(frame, ["sma_2"])


OBJECTS = ["x", "1.5", None, pd.NA, True, Decimal("1.5"), 1 + 0j, [1.0], object]


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", OBJECTS, ids=repr)
def test_a_column_with_something_else_than_numbers_is_refused_by_its_name(name, value):
    column = np.array([*COLUMNS[name][:-1], None], dtype=object)
    column[-1] = value
    assert refusal(with_column(name, column)) == (
        f"column {name!r} must hold numbers, not object; convert it with astype(float)"
    )


@pytest.mark.parametrize(
    ("column", "why"),
    [
        ([True] * BARS, "must hold numbers, not bool"),
        (["1.5"] * BARS, "must hold numbers, not <U3; convert it with astype(float)"),
        (pd.Series(["1.5"] * BARS), "must hold numbers, not object"),
        (HOURS.tz_localize(None).to_numpy(), "must hold numbers, not datetime64"),
        (pd.to_timedelta(range(BARS), unit="h"), "must hold numbers, not timedelta64"),
        (np.ones(BARS, complex), "must hold numbers, not complex128"),
        ([10**400] * BARS, "must hold numbers, not object"),
        (pl.Series(["1.5"] * BARS), "must hold numbers, not <U3"),
        (pa.array([Decimal("1.5")] * BARS), "must hold numbers, not object"),
        ((x for x in [1.0]), "must hold numbers, not object"),
        (None, "must hold numbers, not object"),
        ({1.0, 2.0}, "must hold numbers, not object"),
        (1.5, "must have one dimension, not 0"),
        (np.ones((BARS, 2)), "must have one dimension, not 2"),
        ([[1.0], [1.0, 2.0]], "must hold one number a row, and some rows hold several"),
    ],
)
def test_a_column_of_another_kind_is_refused_with_the_kind(column, why):
    assert f"column 'close' {why}" in refusal(with_column("close", column), ["sma_2"])


@pytest.mark.parametrize(
    "column",
    [
        pd.array([1.0, None, 3.0], dtype="Float64"),
        pd.array([1, None, 3], dtype="Int64"),
        pl.Series([1.0, None, 3.0]),
        pa.chunked_array([[1.0, None], [3.0]]),
        pa.array([1, None, 3]),
        np.ma.array([1.0, INF, 3.0], mask=[0, 1, 0]),
        np.ma.array([1, 2, 3], mask=[0, 1, 0]),
        np.array([1.0, NAN, 3.0], dtype=">f8"),
        np.array([1.0, NAN, 3.0], dtype=np.float32),
        np.array([[1.0, 0], [NAN, 0], [3.0, 0]])[:, 0],
    ],
    ids=lambda column: f"{type(column).__name__} {column.dtype}" if hasattr(column, "dtype") else type(column).__name__,
)
def test_numbers_of_every_library_are_taken_and_what_is_missing_among_them_is_a_gap(column):
    assert same_bits(fs.compute({"close": column}, ["sma_1"])["sma_1"], [1.0, NAN, 3.0])


@pytest.mark.parametrize(
    ("bars", "told"),
    [
        (None, "NoneType"),
        (17, "int"),
        ("bars.csv", "str"),
        ([1.0, 2.0], "list"),
        ([{"close": 1.0}], "list"),
        (GOOD["close"], "Series"),
        (np.ones((3, 4)), "ndarray"),
        (np.zeros(3, dtype=[("close", "f8")]), "ndarray"),
        (pl.LazyFrame({"close": [1.0]}), r"LazyFrame; call collect\(\) first"),
    ],
)
def test_what_is_no_frame_is_refused_with_what_it_is(bars, told):
    with pytest.raises(InvalidRequestError, match=f"dict of columns, not {told}") as problem:
        fs.compute(bars, ["sma_2"])
    assert problem.value.field == "bars"


def test_columns_of_different_lengths_are_refused_with_the_lengths():
    said = refusal(COLUMNS | {"close": COLUMNS["close"][:-1]})
    assert "columns must have one length, these have {" in said
    assert "'close': 5" in said


# ---------------------------------------------------------------- few bars
@pytest.mark.parametrize("bars", [0, 1])
def test_no_bar_or_one_gives_an_answer_of_as_many_rows(bars):
    few = GOOD.iloc[:bars]
    ids = [*IDS, "vwap", "sessions"]
    assert fs.compute(few, ids).shape == (bars, 8)
    for form in ("polars", "arrow"):
        assert fs.compute(few, ids, as_=form).shape == (bars, 9)
    assert {len(column) for column in fs.compute(few, ids, as_="numpy").values()} == {bars}
    assert fs.compute({name: column[:bars] for name, column in COLUMNS.items()}, IDS).shape == (bars, 4)


# ---------------------------------------------------------------- times
OPENS = HOURS.tz_localize(None).to_numpy().astype("M8[us]")


@pytest.mark.parametrize("ids", [IDS, ["vwap"]], ids=["without a clock", "by the clock"])
@pytest.mark.parametrize(
    ("order", "told"),
    [
        ([0, 1, 3, 2, 4, 5], "row 3 (2023-01-02T02:00:00.000000Z) comes after a later one"),
        ([0, 1, 2, 2, 4, 5], "row 3 (2023-01-02T02:00:00.000000Z) comes twice"),
        ([0, 0, 2, 3, 4, 5], "row 1 (2023-01-02T00:00:00.000000Z) comes twice"),
        ([5, 4, 3, 2, 1, 0], "row 1 (2023-01-02T04:00:00.000000Z) comes after a later one"),
    ],
)
def test_times_that_do_not_rise_are_refused_whatever_holds_them(ids, order, told):
    holders = [
        GOOD.set_axis(HOURS[order]),
        GOOD.set_axis(HOURS.tz_convert("Asia/Tokyo")[order]),
        GOOD.set_axis(HOURS.tz_localize(None)[order]),
        GOOD.reset_index(drop=True).assign(time=HOURS[order]),
        with_column("time", OPENS[order]),
        with_column("time", list(HOURS[order])),
        with_column("time", [str(each) for each in HOURS[order]]),
        with_column("time", OPENS[order].astype("M8[ms]").astype(np.int64)),
        pl.DataFrame(COLUMNS | {"time": pl.Series(OPENS[order]).dt.replace_time_zone("UTC")}),
        pa.table(COLUMNS | {"time": pa.array(OPENS[order], pa.timestamp("us", "UTC"))}),
    ]
    assert {refusal(bars, ids) for bars in holders} == {
        f"times must rise, but {told}; sort the bars and drop duplicates"
    }


def test_times_mean_the_same_whatever_holds_them():
    want = fs.compute(GOOD, ["vwap", "hour_of_week"])
    assert want.index.equals(HOURS)
    for bars in (
        GOOD.set_axis(HOURS.tz_convert("Asia/Tokyo")),
        GOOD.set_axis(HOURS.tz_localize(None)),
        GOOD.set_axis(HOURS.as_unit("s")),
        GOOD.reset_index(drop=True).assign(time=HOURS.tz_convert("Asia/Tokyo")),
        with_column("time", OPENS.astype("M8[s]")),
        with_column("time", list(HOURS.to_pydatetime())),
        with_column("time", [each.isoformat() for each in HOURS.tz_convert("Asia/Tokyo")]),
        with_column("time", OPENS.astype("M8[ms]").astype(np.int64)),
        pl.DataFrame(
            COLUMNS | {"time": pl.Series(OPENS).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")}
        ),
        pl.DataFrame(COLUMNS | {"time": pl.Series(OPENS).dt.cast_time_unit("ms")}),
        pa.table(COLUMNS | {"time": pa.array(OPENS, pa.timestamp("us", "Asia/Tokyo"))}),
    ):
        got = fs.compute(bars, ["vwap", "hour_of_week"])
        assert same_bits(got, want)
        assert (got.index.tz_localize("UTC") if got.index.tz is None else got.index).tolist() == HOURS.tolist()
        assert fs.compute(bars, ["vwap"], as_="polars")["time"].to_list() == HOURS.to_pydatetime().tolist()
        assert fs.compute(bars, ["vwap"], as_="arrow")["time"].to_pylist() == HOURS.to_pydatetime().tolist()


@pytest.mark.parametrize("ids", [IDS, ["vwap"]], ids=["without a clock", "by the clock"])
@pytest.mark.parametrize(
    ("times", "why"),
    [
        (["2023-01-02", "soon", "", "x", "y", "z"], "time must be an ISO 8601 time such as .* was 'soon'"),
        ([None] * BARS, "time must be an ISO 8601 time .* was None"),
        ([pd.NaT, *HOURS[1:]], "was NaT"),
        (np.array([*OPENS[:3], np.datetime64("NaT"), *OPENS[4:]]), "every bar needs a time, but row 3 has none"),
        (np.array([np.datetime64("NaT"), *OPENS[1:]]), "every bar needs a time, but row 0 has none"),
        ([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "moments, ISO 8601 strings or whole epoch milliseconds, not float64"),
        ([False, True, True, True, True, True], "not bool"),
        (pd.to_timedelta(range(BARS), unit="h").to_numpy(), "not timedelta64"),
        (OPENS.astype(np.int64), "time must be an ISO 8601 time .* was 1672617600000000"),  # not milliseconds
        ([2**63, 2**64 - 1] * 3, "time must be an ISO 8601 time"),
        (["1750-01-01", *OPENS[1:].astype(str)], "time must lie between 1900 and 2200, was '1750-01-01'"),
        (OPENS[:-1], "but there are 5 times and 6 rows of"),
        (OPENS.reshape(2, 3), "must have one dimension, not 2"),
        (OPENS[0], "must have one dimension, not 0"),
    ],
)
def test_times_that_cannot_be_are_refused(ids, times, why):
    with pytest.raises(InvalidRequestError, match=why) as problem:
        fs.compute(with_column("time", times), ids)
    assert problem.value.field == "time"


def test_an_index_without_a_time_is_refused_by_its_row():
    for index in (HOURS, HOURS.tz_localize(None)):
        assert "row 2 has none" in refusal(GOOD.set_axis(index.where(index != index[2])))
    assert "row 0 has none" in refusal(GOOD.set_axis(pd.DatetimeIndex([pd.NaT] * BARS)))


def test_features_that_look_at_a_clock_need_times():
    for bars in (COLUMNS, GOOD.reset_index(drop=True), GOOD.set_axis(list("abcdef"))):
        assert refusal(bars, ["vwap"]) == (
            "these features look at a clock (fx_day): give the bars a DatetimeIndex or a column `time`"
        )


def test_an_index_that_is_no_time_is_kept_as_it_is():
    assert fs.compute(GOOD.set_axis(list("abcdef")), IDS).index.tolist() == list("abcdef")


# ---------------------------------------------------------------- what is asked beside the bars
@pytest.mark.parametrize("form", ["excel", "", None, ["pandas"], {"pandas"}])
def test_a_form_that_nobody_makes_is_refused(form):
    assert "as_ must be pandas, polars, arrow or numpy, was" in refusal(GOOD, as_=form)


@pytest.mark.parametrize("state", [5, "x", ["x"], GOOD])
def test_a_state_that_is_no_bytes_is_refused(state):
    assert "state must be the bytes of a snapshot, was" in refusal(GOOD, state=state)


@pytest.mark.parametrize("state", [b"", b"x", b"FXFS" + bytes(100)])
def test_bytes_that_are_no_snapshot_are_refused(state):
    with pytest.raises(SnapshotMismatchError, match="rebuild the state from bars"):
        fs.compute(GOOD, IDS, state=state)


# ---------------------------------------------------------------- live
@pytest.mark.parametrize("method", ["update", "peek"])
@pytest.mark.parametrize(
    "wrong",
    [{"high": 1.05}, {"low": 1.12}, {"close": 1.3}, {"close": 0.9}, {"open": 1.3}, {"open": 0.9}, {"tick_volume": -1.0}]
    + [{name: value} for name in BAR for value in (INF, -INF)]
    + [{"high": 0.5, "low": NAN, "open": NAN}, {"low": 2.0, "high": NAN, "close": NAN}],
    ids=str,
)  # fmt: skip
def test_a_live_bar_that_contradicts_itself_or_is_infinite_is_refused_and_leaves_no_trace(method, wrong):
    live = fs.live(IDS)
    live.update(**BAR, time="2023-01-02T00:00Z")
    before = live.snapshot()
    with pytest.raises(
        InvalidRequestError, match=r"^a bar's (high is its highest price|prices must be finite)"
    ) as problem:
        getattr(live, method)(**(BAR | wrong), time="2023-01-02T01:00Z")
    name, value = next(iter(wrong.items()))
    assert f"{name}={value!r}" in str(problem.value)
    assert live.snapshot() == before


@pytest.mark.parametrize("method", ["update", "peek"])
@pytest.mark.parametrize(
    ("time", "why"),
    [
        ("2023-01-02T01:00Z", "time must rise: the last bar opened at 2023-01-02T01:00:00Z, this one at"),
        ("2023-01-02", "time must rise"),
        ("2023-01-02T09:00+09:00", "this one at 2023-01-02T00:00:00Z"),
        (-5, "this one at 1969-12-31"),
        ("soon", "time must be an ISO 8601 time"),
        ("", "time must be an ISO 8601 time"),
        (NAN, "time must be an ISO 8601 time"),
        (1.5, "time must be an ISO 8601 time"),
        (True, "time must be an ISO 8601 time"),
        (pd.NaT, "time must be an ISO 8601 time"),
        (np.datetime64("NaT"), "time must be an ISO 8601 time"),
        (b"2023-01-03", "time must be an ISO 8601 time"),
        ([], "time must be an ISO 8601 time"),
        (10**30, "time must be an ISO 8601 time"),
        ("2300-01-01", "time must lie between 1900 and 2200"),
    ],
)
def test_a_live_time_that_does_not_rise_or_cannot_be_is_refused_and_leaves_no_trace(method, time, why):
    live = fs.live([*IDS, "vwap"])
    live.update(**BAR, time="2023-01-02T01:00Z")
    before = live.snapshot()
    with pytest.raises(InvalidRequestError, match=why) as problem:
        getattr(live, method)(**BAR, time=time)
    assert problem.value.field == "time"
    assert live.snapshot() == before


@pytest.mark.parametrize("method", ["update", "peek"])
def test_a_live_feature_that_looks_at_a_clock_needs_the_time(method):
    live = fs.live(["vwap"])
    with pytest.raises(InvalidRequestError, match=r"look at a clock \(fx_day\): give time=, the bar's open"):
        getattr(live, method)(**BAR)
    assert live.bars == 0
