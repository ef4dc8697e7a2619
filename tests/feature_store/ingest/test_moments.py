from datetime import UTC, date, datetime

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.errors import InvalidRequestError
from feature_store.ingest.moments import local_moments, moments
from feature_store.times import to_microseconds

FIVE_PM = to_microseconds("2019-01-02T17:00:00Z")


@pytest.mark.parametrize(
    "text",
    [
        "2019-01-02T17:00:00Z",
        "2019-01-02 17:00:00",
        "2019-01-02 17:00",
        "2019-01-02T17:00:00.000",
        "2019-01-02T18:00:00+01:00",
        "2019-01-02 12:00:00-0500",
        "2019.01.02 17:00",
        "2019.01.02 17:00:00",
        "2019/01/02 17:00:00",
        "20190102 170000",
        "20190102 17:00:00",
        "20190102170000",
        "201901021700",
        "20190102 170000000",
        "20190102170000000",
        "2019-01-02 17:00:00.000000",
        "2019-01-02T17:00:00.000000000Z",
        "2019.01.02T17:00:00",
        "2019-01-02 17:00:00.0",
        "2019-1-2 17:00",
        "2019-01-02 17:00:00+00:00",
        "2019-01-02 17:00:00 UTC",
        "1546448400.0",
        "02.01.2019 17:00:00.000",
        "02.01.2019 18:00:00.000 GMT+0100",
        "02.01.2019 17:00:00.000 GMT",
        "1546448400",
        "1546448400000",
        "1546448400000000",
        "1546448400000000000",
        " 2019-01-02 17:00:00 ",
    ],
)
def test_times_are_read_as_sources_write_them(text):
    read = moments(pl.Series([text, None, text]))
    assert read.time[[0, 2]].tolist() == [FIVE_PM, FIVE_PM]
    assert read.readable.tolist() == [True, False, True]


@pytest.mark.parametrize("text", ["2019-01-02", "2019.01.02", "20190102", "02.01.2019", "2019/01/02"])
def test_a_date_is_its_midnight(text):
    assert moments(pl.Series([text])).time.tolist() == [to_microseconds("2019-01-02")]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([datetime(2019, 1, 2, 17)]),
        pl.Series([datetime(2019, 1, 2, 17)]).dt.cast_time_unit("ns"),
        pl.Series([datetime(2019, 1, 2, 17, tzinfo=UTC)]),
        pl.Series([1546448400]),
        pl.Series([1546448400.0]),
        pl.Series([1546448400000]),
        pl.Series([1546448400000000]),
        pl.Series([1546448400000000000]),
    ],
)
def test_times_are_read_as_frames_hold_them(column):
    assert moments(column).time.tolist() == [FIVE_PM]


def test_dates_are_read_as_their_midnight():
    assert moments(pl.Series([date(2019, 1, 2)])).time.tolist() == [to_microseconds("2019-01-02")]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "",
        "2019-13-01",
        "2019-01-02 25:00",
        "01/02/2019",
        "17:00",
        "NaT",
        "2019-02-30 00:00",
        "20190230 170000",
        "20190102 250000",
        "20190102 176000",
        "20190102 170060",
        "2019-01-02 17:00:60",
        "2019-00-10",
        "2019-01-00",
        "20190001 170000",
        "31.04.2019 10:00:00",
        "2019-01-02T17:00:60Z",
        "2019-1-2 17:00:60",
        "2019-01-0x",
        "2019-01-02 17:0060",
        "2019 01 02 17:00",
        "20190102 17000",
        "2019-02-29",
        "2019-01-02 1\uff17:00",
    ],
)
def test_what_cannot_be_read_is_marked_not_guessed(text):
    read = moments(pl.Series(["2019-01-02 17:00:00", text]))
    assert read.readable.tolist() == [True, False]


def test_times_without_a_zone_are_read_on_the_clock_that_wrote_them():
    column = pl.Series(["2019-01-02 12:00:00", "2019-07-02 13:00:00"])
    read = moments(column, "America/New_York")
    assert read.time.tolist() == [FIVE_PM, to_microseconds("2019-07-02T17:00:00Z")]
    assert read.timezone == "America/New_York"
    assert moments(column).timezone == "UTC"


def test_a_time_that_the_clock_skipped_or_showed_twice_cannot_be_read():
    column = pl.Series(["2019-03-10 02:30:00", "2019-11-03 01:30:00", "2019-03-10 03:30:00"])
    assert moments(column, "America/New_York").readable.tolist() == [False, False, True]


def test_a_zone_in_the_data_beats_the_one_that_was_named():
    aware = pl.Series([datetime(2019, 1, 2, 17)]).dt.replace_time_zone("UTC").dt.convert_time_zone("Asia/Tokyo")
    read = moments(aware, "America/New_York")
    assert (read.time.tolist(), read.timezone) == ([FIVE_PM], "Asia/Tokyo")
    assert moments(pl.Series(["2019-01-02T17:00:00Z"]), "America/New_York").time.tolist() == [FIVE_PM]


def test_times_with_and_without_a_zone_may_stand_in_one_column():
    read = moments(pl.Series(["2019-01-02 17:00:00", "2019-01-02 18:00:00+01:00"]))
    assert read.time.tolist() == [FIVE_PM, FIVE_PM]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_zone_that_does_not_exist_is_refused(zone):
    with pytest.raises(InvalidRequestError, match="tz must be a time zone's name such as Europe/Athens or UTC"):
        moments(pl.Series(["2019-01-02"]), zone)


def test_no_times_are_no_times():
    for dtype in (pl.String, pl.Int64, pl.Datetime("us"), pl.Null):
        assert len(moments(pl.Series([], dtype=dtype)).time) == 0


def test_nothing_but_nothing_is_unreadable():
    assert moments(pl.Series([None, None])).readable.tolist() == [False, False]


@settings(deadline=None)
@given(st.lists(st.datetimes(datetime(1975, 1, 1), datetime(2090, 1, 1)), min_size=1), st.sampled_from(["T", " "]))
def test_iso_times_are_read_to_the_microsecond(times, between):
    read = moments(pl.Series([each.isoformat(between) for each in times]))
    assert read.time.tolist() == [to_microseconds(each) for each in times]


def test_local_times_are_as_they_stand_there():
    local = local_moments(pl.Series(["2019-03-10 02:30:00", "x", None]))
    assert local.time[0] == to_microseconds("2019-03-10T02:30:00Z")
    assert (local.readable.tolist(), local.placed, local.timezone) == ([True, False, False], False, None)
    assert local.at("America/New_York").readable.tolist() == [False, False, False]
    assert local.at("UTC").readable.tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("column", "placed"),
    [
        (["2019-01-02T17:00:00Z", "x"], True),
        (["2019-01-02 18:00:00+01:00", "2019-07-02 19:00:00+02:00"], True),
        (["2019-01-02 18:00:00+01:00", "2019-07-02 19:00:00"], False),
        (["1546448400", None], True),
        (["2019-01-02"], False),
        ([1546448400], True),
        ([datetime(2019, 1, 2, tzinfo=UTC)], True),
        ([datetime(2019, 1, 2)], False),
        ([date(2019, 1, 2)], False),
    ],
)
def test_times_that_carry_an_offset_are_placed(column, placed):
    assert local_moments(pl.Series(column)).placed is placed


def test_a_zone_is_applied_only_to_times_that_carry_none():
    local = local_moments(pl.Series(["2019-01-02 12:00:00", "2019-01-02 18:00:00+01:00"]))
    assert local.utc.tolist() == [False, True]
    assert local.at("America/New_York").time.tolist() == [FIVE_PM, FIVE_PM]


@pytest.mark.parametrize("sign", ["+", "-"])
def test_offsets_to_the_east_and_the_west(sign):
    read = moments(pl.Series([f"2019-01-02 12:00:00.000 GMT{sign}0530"]))
    east = to_microseconds("2019-01-02T06:30:00Z")
    assert read.time.tolist() == [east if sign == "+" else east + 11 * 3_600_000_000]
