"""Clocks found again in series that were written on them."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feature_store.calendar import DAY, HOUR, WEEK, Calendar, shifted
from feature_store.ingest.clock_detection import CANDIDATES, Detected, detect
from feature_store.ingest.clocks import Clock
from feature_store.ingest.week_edges import WeekEdges
from feature_store.times import to_microseconds
from tests.feature_store.ingest.test_clocks import local_of

MINUTE = HOUR // 60
FX = Calendar()
NEW_YORK, SERVER, ATHENS = Clock(-5, "us"), Clock(2, "us"), Clock(2, "eu")


def opens(start, end, length):
    """All bar opens of the market between two dates."""
    every = np.arange(to_microseconds(start), to_microseconds(end), length, dtype=np.int64)
    return every[FX.is_open(every)]


def into_week(utc):
    """How long after Sunday 17:00 New York each moment is."""
    return (shifted(utc) + 3 * DAY) % WEEK


def week_of(utc):
    return (shifted(utc) + 3 * DAY) // WEEK


def noisy(utc, seed, length):
    """A series as files are: bars and weeks missing, late opens, early closes, and every so often a week cut short by hours."""
    random = np.random.default_rng(seed)
    number = week_of(utc) - week_of(utc[0])
    weeks = int(number.max()) + 1
    late = random.uniform(0, 40 * MINUTE, weeks)
    early = random.uniform(0, 20 * MINUTE, weeks)
    cut = np.arange(weeks) % 6 == random.integers(6)
    late += cut * random.integers(0, 30, weeks) * HOUR
    early += cut * random.integers(0, 30, weeks) * HOUR
    kept = (random.random(weeks) > 0.1)[number] & (random.random(len(utc)) > 0.02)
    kept &= (into_week(utc) + length > late[number]) & (into_week(utc) < (5 * DAY - early)[number])
    return utc[kept]


def detected(local, length):
    edges = WeekEdges(length)
    edges.add(local)
    return detect(edges)


def reads(clock, local, utc):
    """Whether the clock gives every moment back."""
    return clock.to_utc(local)[0].tolist() == utc.tolist()


# ---------------------------------------------------------------- one clock
@pytest.mark.parametrize("clock", CANDIDATES, ids=str)
@pytest.mark.parametrize("length", [HOUR, 15 * MINUTE], ids=["1h", "15m"])
def test_every_clock_is_found_in_a_year_that_was_written_on_it(clock, length):
    utc = opens("2018-01-01", "2019-01-01", length)
    found = detected(local_of(clock, utc), length)
    assert [segment.clock for segment in found.segments] == [clock]
    assert (found.agreement, found.undecided) == (1.0, ())
    assert reads(found, local_of(clock, utc), utc)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(CANDIDATES),
    st.integers(2008, 2030),
    st.integers(2, 4),
    st.sampled_from([HOUR, 15 * MINUTE, 5 * MINUTE]),
    st.integers(0, 10_000),
)
def test_bars_of_noisy_years_are_read_as_the_moments_they_were_or_the_doubt_is_said(clock, year, years, length, seed):
    utc = noisy(opens(f"{year}-01-01", f"{year + years}-01-01", length), seed, length)
    local = local_of(clock, utc)
    found = detected(local, length)
    assert found is not None
    assert reads(found, local, utc) or any(reads(each, local, utc) for each in found.undecided), f"{found}"


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(CANDIDATES), st.integers(0, 52 * 30), st.integers(3, 30), st.sampled_from([HOUR, MINUTE * 15]))
@example(clock=NEW_YORK, week=1005, weeks=3, length=HOUR)
def test_bars_of_a_few_weeks_are_read_as_the_moments_they_were_or_the_doubt_is_said(clock, week, weeks, length):
    start = to_microseconds("1999-01-03") + week * WEEK
    every = np.arange(start, start + weeks * WEEK, length, dtype=np.int64)
    utc = every[FX.is_open(every)]
    local = local_of(clock, utc)
    found = detected(local, length)
    assert found is not None
    assert reads(found, local, utc) or any(reads(each, local, utc) for each in found.undecided), f"{found}"


@settings(deadline=None, max_examples=30)
@given(st.integers(1999, 2030), st.integers(0, 10_000), st.sampled_from([HOUR, 15 * MINUTE]))
def test_utc_is_utc(year, seed, length):
    utc = noisy(opens(f"{year}-01-01", f"{year}-12-31", length), seed, length)
    assert [segment.clock for segment in detected(utc, length).segments] == [Clock(0)]


def test_utc_wins_where_winter_weeks_cannot_tell():
    found = detected(opens("2023-01-01", "2023-02-01", HOUR), HOUR)
    assert found.segments[0].clock == Clock(0)
    assert found.undecided == (Clock(0, "eu"), Clock(0, "us"))
    assert str(found) == (
        "UTC (5 of 5 weeks agree); these weeks would also fit: UTC+0, summer time by European dates, "
        "or UTC+0, summer time by US dates"
    )


@pytest.mark.parametrize(
    ("shown", "chosen"), [(-5, NEW_YORK), (2, SERVER), (3, Clock(3)), (-8, Clock(-8))], ids=["-5", "+2", "+3", "-8"]
)
def test_where_winter_weeks_cannot_tell_the_common_clock_is_chosen_and_the_others_are_named(shown, chosen):
    utc = opens("2023-01-01", "2023-02-20", HOUR)
    found = detected(utc + shown * HOUR, HOUR)
    assert found.segments[0].clock == chosen
    assert {chosen, *found.undecided} == {Clock(shown), Clock(shown, "us"), Clock(shown, "eu")}


def test_summer_weeks_are_read_by_the_common_clock_too():
    found = detected(opens("2023-05-01", "2023-08-01", HOUR) + 3 * HOUR, HOUR)
    assert found.segments[0].clock == SERVER
    assert set(found.undecided) == {ATHENS, Clock(3)}


def test_bars_of_four_hours_cut_at_the_servers_midnight_tell_the_clock():
    for clock in (SERVER, ATHENS, NEW_YORK, Clock(0)):
        local = np.unique(local_of(clock, opens("2018-01-01", "2020-01-01", HOUR)) // (4 * HOUR) * 4 * HOUR)
        assert [each.clock for each in detected(local, 4 * HOUR).segments] == [clock]


def test_ticks_tell_the_clock():
    random = np.random.default_rng(1)
    ticks = np.sort(
        random.choice(opens("2018-02-01", "2018-06-01", MINUTE), 50_000) + random.integers(0, MINUTE, 50_000)
    )
    assert detected(local_of(NEW_YORK, ticks), 0).segments[0].clock == NEW_YORK


@pytest.mark.parametrize("clock", [ATHENS, SERVER, Clock(0), Clock(1, "eu")], ids=str)
def test_a_file_without_sundays_tells_the_clock(clock):
    utc = opens("2017-01-01", "2019-01-01", HOUR)
    local = local_of(clock, utc)
    monday_to_friday = (local + 3 * DAY) % WEEK < 5 * DAY
    found = detected(local[monday_to_friday], HOUR)
    assert [segment.clock for segment in found.segments] == [clock]
    assert clock not in found.undecided


@pytest.mark.parametrize("clock", [ATHENS, SERVER, NEW_YORK], ids=str)
def test_a_market_that_opens_an_hour_after_currencies_tells_the_common_clock(clock):
    utc = opens("2017-01-01", "2019-01-01", HOUR)
    gold = utc[into_week(utc) >= HOUR]
    assert [segment.clock for segment in detected(local_of(clock, gold), HOUR).segments] == [clock]


@pytest.mark.parametrize("seed", range(5))
def test_last_quotes_after_the_close_in_every_third_week_do_not_hide_a_change_of_clock(seed):
    utc, local = switched(Clock(1, "eu"), ATHENS, "2016-11-26")
    closing = utc[(into_week(utc) == 119 * HOUR) & (utc < to_microseconds("2016-11-26"))]
    after = closing[np.random.default_rng(seed).random(len(closing)) < 0.3] + HOUR
    local = np.sort(np.concatenate([local, local_of(Clock(1, "eu"), after)]))
    found = detected(local[(local + 3 * DAY) % WEEK < 5 * DAY], HOUR)
    assert [segment.clock for segment in found.segments] == [Clock(1, "eu"), ATHENS]


def test_quotes_on_a_few_saturdays_do_not_matter():
    utc = opens("2018-01-01", "2019-01-01", HOUR)
    saturdays = to_microseconds("2018-03-17T12:00") + np.array([0, 9, 30]) * WEEK
    found = detected(local_of(NEW_YORK, np.sort(np.concatenate([utc, saturdays]))), HOUR)
    assert [each.clock for each in found.segments] == [NEW_YORK]


# ---------------------------------------------------------------- more than one clock
def switched(before, after, at, length=HOUR):
    utc = opens("2015-01-01", "2019-01-01", length)
    local = np.where(utc < to_microseconds(at), local_of(before, utc), local_of(after, utc))
    return utc, local


@pytest.mark.parametrize(
    ("before", "after", "at"),
    [
        (ATHENS, SERVER, "2017-01-07"),
        (SERVER, ATHENS, "2016-07-02"),
        (NEW_YORK, Clock(-5, "eu"), "2017-01-07"),
        (Clock(0), SERVER, "2016-06-04"),
        (NEW_YORK, Clock(-5), "2017-07-01"),
        (Clock(1, "eu"), ATHENS, "2016-10-08"),
    ],
)
def test_a_change_of_clock_is_found_and_both_parts_are_read_right(before, after, at):
    utc, local = switched(before, after, at)
    found = detected(local, HOUR)
    assert [segment.clock for segment in found.segments] == [before, after]
    assert found.agreement == 1.0
    assert reads(found, local, utc)
    assert f"; from {str(np.datetime64(found.segments[1].first_local, 'us'))[:10]} " in str(found)


def test_segments_follow_one_another_and_hold_all_weeks():
    _, local = switched(ATHENS, NEW_YORK, "2017-01-07")
    first, second = detected(local, HOUR).segments
    assert (first.first_local, second.last_local) == (local[0], local[-1])
    assert first.last_local < second.first_local
    assert first.weeks + second.weeks == 210


def test_one_week_on_another_clock_is_a_week_that_does_not_agree():
    utc = opens("2018-01-01", "2019-01-01", 15 * MINUTE)
    local = local_of(NEW_YORK, utc) + (week_of(utc) == week_of(to_microseconds("2018-07-04"))) * HOUR
    found = detected(local, 15 * MINUTE)
    assert [segment.clock for segment in found.segments] == [NEW_YORK]
    assert found.agreeing == found.weeks - 1


# ---------------------------------------------------------------- batches, and what tells nothing
@settings(deadline=None, max_examples=30)
@given(st.sampled_from(CANDIDATES), st.integers(0, 1000), st.lists(st.integers(0, 6_000), max_size=8).map(sorted))
def test_any_split_into_batches_gives_the_same_clock(clock, seed, cuts):
    local = local_of(clock, noisy(opens("2018-01-01", "2019-01-01", HOUR), seed, HOUR))
    edges = WeekEdges(HOUR)
    for batch in np.split(local, cuts):
        edges.add(batch)
    assert detect(edges) == detected(local, HOUR)


@pytest.mark.parametrize(
    ("local", "length"),
    [
        (np.arange(0, 2 * 52 * WEEK, HOUR), HOUR),
        (opens("2018-01-01", "2019-01-01", HOUR)[::-1], HOUR),
        (opens("2018-01-01", "2018-01-13", HOUR), HOUR),
        (np.unique(opens("2018-01-01", "2019-01-01", HOUR) // DAY * DAY), DAY),
        (np.zeros(0, dtype=np.int64), HOUR),
    ],
    ids=["around the clock", "newest first", "one weekend", "daily bars", "nothing"],
)
def test_where_weeks_tell_nothing_there_is_no_answer(local, length):
    assert detected(local, length) is None


def test_outages_of_a_market_around_the_clock_are_no_weekends():
    hours = np.arange(0, 2 * 52 * WEEK, HOUR)
    out = hours // (60 * DAY) != (hours + 3 * DAY) // (60 * DAY)
    assert detected(hours[~out], HOUR) is None


def test_steps_back_are_handed_on():
    local = opens("2018-01-01", "2018-06-01", HOUR)
    found = detected(np.concatenate([local[:500], local[498:]]), HOUR)
    assert [(each.row, each.rows) for each in found.backwards] == [(500, 2)]
    assert isinstance(found, Detected)
