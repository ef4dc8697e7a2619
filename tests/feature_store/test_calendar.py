import itertools
import zipfile
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.bars import TIMEFRAMES, Timeframe
from feature_store.calendar import Calendar, Gap, bucket_open, fx_year, fx_year_bounds, trading_day
from feature_store.times import to_microseconds

NEW_YORK = ZoneInfo("America/New_York")
FX, ALWAYS = Calendar(), Calendar(rests=False)
ABOVE_AN_HOUR = [t for t in TIMEFRAMES if t.seconds > 3600]


def new_york(text: str) -> int:
    return to_microseconds(datetime.fromisoformat(text).replace(tzinfo=NEW_YORK))


def local(microseconds: int) -> datetime:
    return datetime.fromtimestamp(microseconds / 1e6, UTC).astimezone(NEW_YORK)


moments = st.integers(to_microseconds("1971-01-01"), to_microseconds("2098-01-01"))


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2023-01-06T16:59:59", True),
        ("2023-01-06T17:00:00", False),
        ("2023-01-08T16:59:59", False),
        ("2023-01-08T17:00:00", True),
        ("2023-07-09T16:59:59", False),  # summer time
        ("2023-07-09T17:00:00", True),
        ("2023-12-24T17:00:00", False),  # Christmas begins at 17:00 on the evening before
        ("2023-12-25T16:59:59", False),
        ("2023-12-25T17:00:00", True),
        ("2024-12-31T16:59:59", True),
        ("2024-12-31T17:00:00", False),
        ("2025-01-01T17:00:00", True),
    ],
)
def test_the_fx_week_opens_and_closes_at_17_new_york(moment, is_open):
    assert FX.is_open(new_york(moment)) == is_open


@settings(deadline=None)
@given(moments)
def test_open_hours_are_those_of_new_yorks_clock(moment):
    when = local(moment)
    shifted = datetime.fromtimestamp(moment / 1e6 + when.utcoffset().total_seconds() + 7 * 3600, UTC)
    holiday = (shifted.month, shifted.day) in {(12, 25), (1, 1)}
    assert FX.is_open(moment) == (shifted.weekday() < 5 and not holiday)
    assert FX.is_weekend(moment) == (shifted.weekday() >= 5)
    assert trading_day(moment).astype(str) == f"{shifted:%Y-%m-%d}"


def test_what_is_not_a_currency_pair_never_rests():
    saturday = new_york("2023-01-07T12:00:00")
    assert not Calendar.of("XAUUSD").is_open(saturday)
    assert Calendar.of("BTC/USD").is_open(saturday)
    assert not Calendar.of("BTC/USD").is_weekend(saturday)


def test_the_sunday_evening_belongs_to_monday():
    assert trading_day(new_york("2023-01-08T17:00:00")).astype(str) == "2023-01-09"


@settings(deadline=None)
@given(moments, st.sampled_from(TIMEFRAMES))
def test_every_moment_lies_in_one_bucket(moment, timeframe):
    opened, closed = int(bucket_open(moment, timeframe)), int(ALWAYS.bucket_close(moment, timeframe))
    assert opened <= moment < closed
    assert bucket_open(opened, timeframe) == opened
    assert bucket_open(closed - 1, timeframe) == opened
    assert bucket_open(closed, timeframe) == closed


@settings(deadline=None)
@given(moments, st.sampled_from(ABOVE_AN_HOUR))
def test_buckets_above_an_hour_are_anchored_at_17_new_york(moment, timeframe):
    hours = local(int(bucket_open(moment, timeframe))).hour - 17
    skipped = 1 if timeframe.name == "3h" else 0  # 02:00 does not exist on the Sunday when summer time begins
    assert hours * 3600 % min(timeframe.seconds, 86_400) in {0, skipped * 3600}


@settings(deadline=None)
@given(moments, st.sampled_from([t for t in TIMEFRAMES if t.seconds <= 3600]))
def test_buckets_up_to_an_hour_follow_the_utc_clock(moment, timeframe):
    assert bucket_open(moment, timeframe) == moment - moment % timeframe.microseconds


def test_a_day_is_24_hours_when_currencies_trade_even_in_the_week_of_a_clock_change():
    opens = np.arange(to_microseconds("2020-01-01"), to_microseconds("2024-01-01"), 3_600_000_000)
    day = Timeframe.parse("1d")
    open_days = bucket_open(opens[FX.is_open(opens)], day)
    assert set(FX.bucket_close(open_days, day) - open_days) == {24 * 3_600_000_000}


def test_a_week_of_currencies_is_complete_on_friday_and_of_others_on_sunday():
    tuesday, week = new_york("2023-03-14T12:00:00"), Timeframe.parse("1w")
    assert bucket_open(tuesday, week) == new_york("2023-03-12T17:00:00")
    assert FX.bucket_close(tuesday, week) == new_york("2023-03-17T17:00:00")
    assert ALWAYS.bucket_close(tuesday, week) == new_york("2023-03-19T17:00:00")


def test_a_bar_off_the_grid_lasts_its_nominal_length():
    midnight, day = to_microseconds("2023-01-03"), Timeframe.parse("1d")
    assert FX.bar_close(midnight, day) == to_microseconds("2023-01-04")
    assert FX.bar_close([midnight, new_york("2023-01-03T17:00:00")], day).tolist() == [
        to_microseconds("2023-01-04"),
        new_york("2023-01-04T17:00:00"),
    ]


def test_a_month_expects_the_bars_of_its_open_hours():
    start, end = to_microseconds("2023-01-01"), to_microseconds("2023-02-01")
    hours = np.arange(start, end, 3_600_000_000)
    assert FX.expected(start, end, Timeframe.parse("1h")).tolist() == hours[FX.is_open(hours)].tolist()
    days = FX.expected(start, end, Timeframe.parse("1d"))
    assert trading_day(days[[0, -1]]).astype(str).tolist() == ["2023-01-02", "2023-02-01"]
    assert len(days) == 23
    assert len(FX.expected(start, end, Timeframe.parse("1w"))) == 5


@settings(deadline=None)
@given(st.sets(st.integers(0, 239), min_size=1), st.sampled_from(["1h", "4h"]))
def test_gaps_are_what_is_expected_and_absent(kept, name):
    timeframe = Timeframe.parse(name)
    expected = FX.expected(to_microseconds("2023-12-18"), to_microseconds("2024-03-01"), timeframe)[:240]
    held = expected[sorted(kept)]
    gaps = FX.gaps(held, timeframe, int(expected[0]), int(expected[-1]) + 1)
    absent = set(expected) - set(held)
    filled = [t for gap in gaps for t in FX.expected(gap.start, gap.end, timeframe)]
    assert filled == sorted(absent)
    assert sum(gap.bars for gap in gaps) == len(absent)


def test_a_weekend_is_no_gap_and_a_missing_hour_is_one():
    hour = Timeframe.parse("1h")
    week = FX.expected(to_microseconds("2023-01-05"), to_microseconds("2023-01-11"), hour)
    assert FX.gaps(week, hour) == []
    missing = int(week[7])
    assert FX.gaps(np.delete(week, 7), hour) == [Gap(missing, missing + hour.microseconds, 1)]
    assert FX.gaps(week[:0], hour) == []


def test_real_hours_of_oanda_lie_in_the_week(shared_data):
    with zipfile.ZipFile(shared_data / "lean" / "oanda-hour-eurusd.zip") as archive:
        rows = pl.read_csv(archive.read(archive.namelist()[0]), has_header=False, columns=[0])
    time = rows.to_series().str.to_datetime("%Y%m%d %H:%M", time_unit="us").to_physical().to_numpy()
    assert len(time) == 74_439
    assert FX.is_weekend(time).mean() < 0.002
    assert (~FX.is_open(time)).mean() < 0.003


@settings(deadline=None)
@given(st.integers(to_microseconds("1900-01-01"), to_microseconds("2199-12-31")), st.sampled_from(TIMEFRAMES))
def test_the_bucket_of_any_moment_lies_within_one_fx_year(moment, timeframe):
    year = int(fx_year(moment))
    start, end = fx_year_bounds(year)
    opened, closed = int(bucket_open(moment, timeframe)), int(ALWAYS.bucket_close(moment, timeframe))
    assert start <= opened <= moment < closed <= end
    assert fx_year([opened, closed - 1]).tolist() == [year, year]


@settings(deadline=None)
@given(st.integers(to_microseconds("1900-01-01"), to_microseconds("2199-12-31")))
def test_the_fx_year_is_the_iso_year_of_the_fx_day(moment):
    assert fx_year(moment) == trading_day(moment).item().isocalendar().year


def test_fx_years_follow_one_another_without_a_gap():
    bounds = [fx_year_bounds(year) for year in range(1899, 2201)]
    assert all(end == start for (_, end), (start, _) in itertools.pairwise(bounds))
    assert [int(fx_year(start)) for start, _ in bounds] == list(range(1899, 2201))
    assert {(end - start) // 3_600_000_000 for start, end in bounds} == {52 * 168, 53 * 168}
    assert fx_year_bounds(2024) == (new_york("2023-12-31T17:00:00"), new_york("2024-12-29T17:00:00"))
