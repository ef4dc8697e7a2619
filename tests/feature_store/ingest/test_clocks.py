from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.calendar import DAY, HOUR
from feature_store.errors import InvalidRequestError
from feature_store.ingest.clocks import Clock
from feature_store.times import to_microseconds
from feature_store.timezones import utc_offset

NEW_YORK, SERVER, ATHENS = Clock(-5, "us"), Clock(2, "us"), Clock(2, "eu")
CLOCKS = st.builds(Clock, st.integers(-12, 14), st.sampled_from(["none", "us", "eu"]))
MOMENTS = st.integers(to_microseconds("1997-01-01"), to_microseconds("2037-12-31"))


def times(*texts):
    return np.array([to_microseconds(text) for text in texts], dtype=np.int64)


def local_of(clock, utc):
    """The time that the clock shows, by another way than the one under test."""
    zone, standard = {"us": ("America/New_York", -5), "eu": ("Europe/London", 0), "none": ("UTC", 0)}[clock.summer]
    return utc + utc_offset(utc, zone) + (clock.offset_hours - standard) * HOUR


@pytest.mark.parametrize(
    ("text", "clock"),
    [
        ("UTC", Clock(0)),
        ("gmt", Clock(0)),
        ("UTC+3", Clock(3)),
        ("UTC-05", Clock(-5)),
        ("UTC-5/US", NEW_YORK),
        ("New York", NEW_YORK),
        ("New York+7", SERVER),
        ("new york + 7", SERVER),
        ("NY+7", SERVER),
        ("UTC+2/EU", ATHENS),
        (" utc +2 / eu ", ATHENS),
        ("UTC/EU", Clock(0, "eu")),
        ("UTC+2, summer time by European dates", ATHENS),
    ],
)
def test_a_clock_is_read_as_people_write_it(text, clock):
    assert Clock.parse(text) == clock


@given(CLOCKS)
def test_a_clock_is_read_back_from_what_it_prints(clock):
    assert Clock.parse(str(clock)) == clock


def test_a_clock_prints_what_it_is():
    assert [str(each) for each in (Clock(0), Clock(3), NEW_YORK, ATHENS, Clock(0, "eu"))] == [
        "UTC",
        "UTC+3",
        "UTC-5, summer time by US dates",
        "UTC+2, summer time by European dates",
        "UTC+0, summer time by European dates",
    ]


@pytest.mark.parametrize(
    "text", ["", "Europe/Athens", "UTC+2/JP", "UTC+1.5", "+2", "UTC+2 hours", "New York+7/EU", "UTC+2/"]
)
def test_a_clock_that_nobody_writes_is_refused(text):
    with pytest.raises(InvalidRequestError, match="tz must be a clock such as UTC") as caught:
        Clock.parse(text)
    assert caught.value.field == "tz"


@pytest.mark.parametrize("text", ["UTC+15", "UTC-13", "New York+20"])
def test_a_clock_further_from_utc_than_any_land_is_refused(text):
    with pytest.raises(InvalidRequestError, match=r"-12 to \+14 whole hours"):
        Clock.parse(text)


def test_new_yorks_clock_is_new_yorks_and_athens_clock_is_athens():
    local = np.arange(to_microseconds("2000-01-01"), to_microseconds("2030-01-01"), HOUR // 2)
    for clock, name in ((NEW_YORK, "America/New_York"), (ATHENS, "Europe/Athens")):
        utc, readable = clock.to_utc(local)
        assert (utc[readable] + utc_offset(utc[readable], name)).tolist() == local[readable].tolist()
        assert np.count_nonzero(~readable) == 30 * 2 * 2  # half hours, in spring and in autumn
        shown = datetime.fromtimestamp(utc[4711] / 1e6, UTC).astimezone(ZoneInfo(name)).replace(tzinfo=UTC)
        assert to_microseconds(shown) == local[4711]


@settings(deadline=None)
@given(CLOCKS, st.lists(MOMENTS, min_size=1, max_size=50))
def test_every_readable_time_is_the_moment_at_which_the_clock_shows_it(clock, moments):
    utc = np.array(moments, dtype=np.int64)
    local = local_of(clock, utc)
    read, readable = clock.to_utc(local)
    assert read[readable].tolist() == utc[readable].tolist()
    assert (np.abs(read - utc) <= HOUR).all()
    assert readable.all() or clock.summer != "none"


@settings(deadline=None)
@given(CLOCKS, st.lists(MOMENTS, min_size=2, max_size=20))
def test_a_time_is_read_the_same_among_others_and_alone(clock, local):
    together, readable = clock.to_utc(np.array(local, dtype=np.int64))
    alone = [clock.to_utc(np.array([each], dtype=np.int64)) for each in local]
    assert together.tolist() == [int(utc[0]) for utc, _ in alone]
    assert readable.tolist() == [bool(read[0]) for _, read in alone]


def test_an_hour_that_was_skipped_or_shown_twice_cannot_be_read():
    skipped = times("2023-03-26T02:59", "2023-03-26T03:00", "2023-03-26T03:59", "2023-03-26T04:00")
    assert ATHENS.to_utc(skipped)[1].tolist() == [True, False, False, True]
    twice = times("2023-10-29T02:59", "2023-10-29T03:00", "2023-10-29T03:59", "2023-10-29T04:00")
    utc, readable = ATHENS.to_utc(twice)
    assert readable.tolist() == [True, False, False, True]
    assert (
        utc.tolist() == times("2023-10-28T23:59", "2023-10-29T00:00", "2023-10-29T00:59", "2023-10-29T02:00").tolist()
    )


def test_a_rising_file_tells_the_two_showings_of_an_hour_apart():
    utc = np.arange(to_microseconds("2023-10-28T20:00"), to_microseconds("2023-10-29T06:00"), HOUR // 4)
    read, readable = ATHENS.to_utc(local_of(ATHENS, utc), rising=True)
    assert readable.all()
    assert read.tolist() == utc.tolist()


@pytest.mark.parametrize("kept", [slice(0, 4), slice(4, 8)])
def test_an_hour_that_is_there_once_stays_unreadable_in_a_rising_file(kept):
    utc = np.arange(to_microseconds("2023-10-29T00:00"), to_microseconds("2023-10-29T02:00"), HOUR // 4)[kept]
    assert not ATHENS.to_utc(local_of(ATHENS, utc), rising=True)[1].any()


def test_a_skipped_hour_stays_unreadable_whatever_the_order():
    skipped = times("2023-03-26T03:30", "2023-03-26T03:15")
    assert not ATHENS.to_utc(skipped, rising=True)[1].any()


def test_no_times_are_no_times():
    utc, readable = ATHENS.to_utc(np.zeros(0, dtype=np.int64))
    assert (len(utc), len(readable)) == (0, 0)


def test_both_rules_agree_but_for_the_weeks_between_their_dates():
    local = np.arange(to_microseconds("2018-01-01T12:00"), to_microseconds("2019-01-01"), DAY)
    differs = SERVER.to_utc(local)[0] != ATHENS.to_utc(local)[0]
    days = local[differs].astype("datetime64[us]").astype("datetime64[D]").astype(str).tolist()
    assert (days[0], days[13], days[14], days[-1], len(days)) == (
        "2018-03-11",
        "2018-03-24",
        "2018-10-28",
        "2018-11-03",
        21,
    )
