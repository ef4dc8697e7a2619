"""Parts of a series begin where weeks do, so no bar lies in two; they follow one another without a gap."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.bars import TIMEFRAMES, Timeframe
from feature_store.calendar import WEEK, Calendar, bucket_open, trading_day
from feature_store.store.buckets import ALL, bounds, buckets
from feature_store.times import to_microseconds

ALWAYS = Calendar(rests=False)
MINUTE, QUARTER_HOUR, HOUR = map(Timeframe.parse, ("1m", "15m", "1h"))

moments = st.integers(to_microseconds("1971-01-01"), to_microseconds("2098-01-01"))


def bucket_of(timeframe, moment):
    ((name, _),) = buckets(timeframe, np.array([moment]))
    return name


@settings(deadline=None)
@given(moments, st.sampled_from([MINUTE, QUARTER_HOUR]), st.sampled_from(TIMEFRAMES))
def test_every_bar_that_can_be_made_lies_in_one_part(moment, stored, timeframe):
    start, end = bounds(stored, bucket_of(stored, moment))
    opened, closed = int(bucket_open(moment, timeframe)), int(ALWAYS.bucket_close(moment, timeframe))
    assert start <= opened <= moment < closed <= end
    assert bucket_of(stored, opened) == bucket_of(stored, closed - 1)


@settings(deadline=None)
@given(moments)
def test_a_week_belongs_to_the_year_and_month_of_its_thursday(moment):
    day = trading_day(moment).item()
    year, _, weekday = day.isocalendar()
    thursday = day.toordinal() - weekday + 4
    month = type(day).fromordinal(thursday).month
    assert bucket_of(MINUTE, moment) == f"{year}-{month:02}"
    assert bucket_of(QUARTER_HOUR, moment) == str(year)


def test_an_hour_and_above_are_not_cut():
    assert buckets(HOUR, np.array([0, 10**15])) == [(ALL, slice(None))]
    assert bounds(HOUR, ALL) == (None, None)
    assert buckets(HOUR, np.array([], dtype=np.int64)) == []


@pytest.mark.parametrize("timeframe", [MINUTE, QUARTER_HOUR])
def test_parts_follow_one_another_without_a_gap(timeframe):
    months = [f"{year}-{month:02}" for year in range(1950, 2150) for month in range(1, 13)]
    parts = months if timeframe is MINUTE else map(str, range(1950, 2150))
    edges = [bounds(timeframe, part) for part in parts]
    assert all(end == start for (_, end), (start, _) in pairwise(edges))
    weeks = {round((end - start) / WEEK) for start, end in edges}
    assert weeks == ({4, 5} if timeframe is MINUTE else {52, 53})


@pytest.mark.parametrize("timeframe", [MINUTE, QUARTER_HOUR])
def test_rows_in_any_order_are_given_to_their_parts(timeframe):
    time = np.random.default_rng(0).integers(to_microseconds("2019-01-01"), to_microseconds("2022-01-01"), 500)
    found = buckets(timeframe, time)
    assert [name for name, _ in found] == sorted(name for name, _ in found)
    assert sorted(np.concatenate([rows for _, rows in found]).tolist()) == list(range(500))
    for name, rows in found:
        start, end = bounds(timeframe, name)
        assert ((time[rows] >= start) & (time[rows] < end)).all()
