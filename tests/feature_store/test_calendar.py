import zipfile
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.bars import TIMEFRAMES, Timeframe
from feature_store.calendar import Calendar, Gap, bucket_open, trading_day
from feature_store.closings import CLOSED_EVES, HOLIDAYS, EarlyClose
from feature_store.errors import InvalidRequestError
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


# ---------------------------------------------------------------- closings
QUIET = Calendar(
    holidays=(*HOLIDAYS, (2023, 12, 26)),
    early_closes=(*CLOSED_EVES, EarlyClose((2023, 12, 27), 9, 30), EarlyClose((2023, 12, 28), 0)),
)
CALENDARS = st.sampled_from([FX, ALWAYS, QUIET])
AROUND = ["2023-03-10", "2023-11-03", "2023-12-22", "2023-12-29", "2024-05-02"]


@settings(deadline=None)
@given(
    CALENDARS,
    st.sampled_from(AROUND),
    st.integers(0, 500_000_000_000),
    st.integers(0, 4 * 86_400_000_000),
    st.sampled_from(TIMEFRAMES),
)
def test_expected_bars_are_the_opens_of_buckets_that_lie_in_open_hours(calendar, near, offset, span, timeframe):
    start = to_microseconds(near) + offset
    minutes = np.arange(start - start % 60_000_000, start + span, 60_000_000)
    opens = minutes[(bucket_open(minutes, timeframe) == minutes) & (minutes >= start)]
    trading = np.ones(len(opens), dtype=bool) if timeframe.name == "1w" else calendar.is_open(opens)
    assert calendar.expected(start, start + span, timeframe).tolist() == opens[trading].tolist()


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        ("2023-12-22T16:59:59", True),
        ("2024-12-24T13:59:59", True),
        ("2024-12-24T14:00:00", False),
        ("2024-12-24T17:00:00", False),  # Christmas
        ("2024-12-25T17:00:00", True),
        ("2023-12-25T17:00:00", False),  # the extra holiday of that year
        ("2024-12-25T20:00:00", True),
        ("2023-12-27T09:29:59", True),
        ("2023-12-27T09:30:00", False),
        ("2023-12-27T17:00:00", True),
        ("2023-12-28T00:00:00", False),
        ("2024-12-31T14:00:00", False),
        ("2022-12-24T12:00:00", False),  # an eve on a Saturday
    ],
)
def test_holidays_and_early_closes_are_data_that_a_user_may_add_to(moment, is_open):
    assert QUIET.is_open(new_york(moment)) == is_open


def test_spot_currencies_trade_on_the_eves_until_17_new_york():
    assert FX.is_open([new_york("2024-12-24T16:59:59"), new_york("2024-12-31T16:59:59")]).all()


def test_an_early_close_is_no_gap_for_who_expects_it_and_ends_no_bar():
    hour, day = Timeframe.parse("1h"), Timeframe.parse("1d")
    start, end = new_york("2024-12-23T17:00:00"), new_york("2024-12-24T17:00:00")
    held = QUIET.expected(start, end, hour)
    assert len(held) == 21
    assert QUIET.gaps(held, hour, start, end) == []
    assert FX.gaps(held, hour, start, end) == [Gap(new_york("2024-12-24T14:00:00"), end, 3)]
    assert QUIET.bucket_close(start, day) == end


@pytest.mark.parametrize("date", [(13, 1), (2023, 2, 29), (2023,), (1, 2, 3, 4), ("May", 1), (2300, 1, 1)])
def test_what_is_no_date_is_refused(date):
    with pytest.raises(InvalidRequestError, match="a date must be"):
        Calendar(holidays=(date,)).is_open(0)
    with pytest.raises(InvalidRequestError, match="a date must be"):
        Calendar(early_closes=(EarlyClose(date, 13),)).is_open(0)


def test_a_leap_day_is_a_date_of_leap_years():
    leap = Calendar(holidays=((2, 29),))
    assert not leap.is_open(new_york("2024-02-29T12:00:00"))
    assert leap.is_open(new_york("2023-03-01T12:00:00"))


@pytest.mark.parametrize(("hour", "minute"), [(17, 1), (-1, 0), (12, 60), (12, -1)])
def test_a_close_after_17_new_york_is_refused(hour, minute):
    with pytest.raises(InvalidRequestError, match="from 00:00 to 17:00 New York"):
        EarlyClose((12, 24), hour, minute)


def test_beyond_the_years_that_times_may_have_nothing_is_known_to_trade():
    assert not FX.is_open([to_microseconds("1900-01-01") - 400 * 86_400_000_000, 2**62]).any()


# ---------------------------------------------------------------- completeness
@settings(deadline=None)
@given(
    CALENDARS,
    st.sampled_from(AROUND),
    st.integers(0, 200 * 3_600_000_000),
    st.integers(1, 300 * 3_600_000_000),
    st.sampled_from([t for t in TIMEFRAMES if t.seconds >= 900]),
    st.randoms(use_true_random=False),
)
def test_completeness_counts_each_days_bars(calendar, near, offset, span, timeframe, random):
    start = to_microseconds(near) + offset
    end = start + span
    around = np.unique(bucket_open(np.arange(start - 86_400_000_000, end + 86_400_000_000, 900_000_000), timeframe))
    time = around[[random.random() < 0.7 for _ in around]]
    found = calendar.completeness(time, timeframe, start, end)
    days = np.arange(trading_day(start), trading_day(end - 1) + 1)
    expected = calendar.expected(start, end, timeframe)
    held = np.intersect1d(time, expected)
    assert found.day.tolist() == days.tolist()
    assert found.expected.tolist() == [int((trading_day(expected) == day).sum()) for day in days]
    assert found.present.tolist() == [int((trading_day(held) == day).sum()) for day in days]


def test_no_bars_are_no_part_of_what_is_expected():
    start = new_york("2023-01-08T17:00:00")
    found = FX.completeness(np.empty(0, np.int64), Timeframe.parse("5m"), start, start + 7 * 86_400_000_000)
    assert found.expected.tolist() == [288] * 5 + [0, 0]
    assert not found.present.any()


@settings(deadline=None)
@given(CALENDARS, st.sampled_from(AROUND), st.sampled_from([("5m", "1h"), ("1h", "1d"), ("1h", "1w"), ("1d", "1w")]))
def test_a_bucket_should_hold_the_bars_expected_in_it(calendar, near, names):
    lower, higher = map(Timeframe.parse, names)
    start = to_microseconds(near)
    opens = calendar.expected(start, start + 14 * 86_400_000_000, higher)
    closes = calendar.bucket_close(opens, higher)
    bounds = zip(opens.tolist(), closes.tolist(), strict=True)
    assert calendar.expected_in(opens, higher, lower).tolist() == [len(calendar.expected(*b, lower)) for b in bounds]
    assert calendar.expected_in(opens[:0], higher, lower).tolist() == []


@pytest.mark.parametrize(("sunday", "hours"), [("2023-03-12", 23), ("2023-11-05", 25)])
def test_where_nothing_rests_the_day_of_a_clock_change_is_an_hour_shorter_or_longer(sunday, hours):
    start, end = new_york(sunday + "T00:00:00") - 7 * 3_600_000_000, new_york(sunday + "T17:00:00")
    found = ALWAYS.completeness(np.empty(0, np.int64), Timeframe.parse("1h"), start, end)
    assert found.expected.tolist() == [hours]
    assert ALWAYS.bucket_close(start, Timeframe.parse("1d")) - start == hours * 3_600_000_000


@pytest.mark.parametrize("sunday", ["2023-03-12", "2023-11-05"])
def test_a_week_that_begins_on_a_clock_change_is_cut_by_the_new_clock(sunday):
    start = new_york(sunday + "T17:00:00")
    days = FX.expected(start - 7 * 86_400_000_000, start + 7 * 86_400_000_000, Timeframe.parse("1d"))
    assert [local(day).hour for day in days.tolist()] == [17] * len(days)
    fours = FX.expected(start, start + 5 * 86_400_000_000, Timeframe.parse("4h"))
    assert [local(each).hour for each in fours.tolist()] == [17, 21, 1, 5, 9, 13] * 5
    hours = np.diff(days) // 3_600_000_000
    assert sorted(set(hours.tolist())) == [24, 71 if sunday.startswith("2023-03") else 73]


def test_real_hours_of_oanda_lie_in_the_week(shared_data):
    with zipfile.ZipFile(shared_data / "lean" / "oanda-hour-eurusd.zip") as archive:
        rows = pl.read_csv(archive.read(archive.namelist()[0]), has_header=False, columns=[0])
    time = rows.to_series().str.to_datetime("%Y%m%d %H:%M", time_unit="us").to_physical().to_numpy()
    assert len(time) == 74_439
    assert FX.is_weekend(time).mean() < 0.002
    assert (~FX.is_open(time)).mean() < 0.003
