"""Bars that climb as they come are the bars of history to the bit, in every column, however they come."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.bars import Bars, Symbol, Timeframe
from feature_store.calendar import HOUR, Calendar
from feature_store.errors import InvalidRequestError
from feature_store.higher_bars import HigherBars
from feature_store.resample import resample
from feature_store.ticks import TickBars
from feature_store.times import to_microseconds

EURUSD, MINUTE = Symbol.parse("EUR/USD"), Timeframe.parse("1m")
MARCH = to_microseconds("2023-03-10T20:00Z")  # a weekend on which New York changes its clock follows
SECOND = 1_000_000


def ticks(count, seed, start=MARCH):
    """Ticks of some seconds each, in the hours that the market trades."""
    random = np.random.default_rng(seed)
    time = start + np.cumsum(random.integers(1, 400 * SECOND, count))
    time = time[~Calendar().is_weekend(time)]
    bid = np.round(1.1 + np.cumsum(random.normal(0, 1e-4, len(time))), 5)
    return time, bid, bid + random.integers(0, 20, len(time)) * 1e-5


def same(one, other):
    assert np.array_equal(one.time, other.time)
    for name in other.columns:
        mine, theirs = one.columns[name], other.columns[name]
        assert np.array_equal(mine.view(np.int64), theirs.view(np.int64)), name


def joined(parts):
    parts = [part for part in parts if len(part)]
    names = parts[0].columns
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in names}
    return Bars(parts[0].symbol, parts[0].timeframe, np.concatenate([part.time for part in parts]), columns)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 50), st.sampled_from(["5m", "1h", "4h", "1d"]), st.lists(st.integers(0, 1_500), max_size=20))
def test_live_ticks_climb_to_the_bars_of_history(seed, timeframe, cuts):
    time, bid, ask = ticks(1_500, seed)
    minutes, higher = TickBars(EURUSD, MINUTE), HigherBars(EURUSD, MINUTE, timeframe)
    edges = sorted({0, len(time), *(min(cut, len(time)) for cut in cuts)})
    closed = []
    for first, last in pairwise(edges):
        closed.append(higher.update(minutes.update(time[first:last], bid[first:last], ask[first:last])))
    every = TickBars(EURUSD, MINUTE)
    history = every.update(time, bid, ask)
    expected = resample(history, timeframe)
    if len(expected.closed):
        same(joined(closed), expected.closed)
    if expected.forming:
        same(higher.forming.bars, expected.bars[-1:])
    assert {"bid_open", "ask_close", "spread", "spread_mean", "spread_max"} <= set(expected.bars.columns)


def test_a_bar_without_its_last_minute_closes_with_the_next_one_or_with_the_clock():
    higher = HigherBars(EURUSD, MINUTE, "1h")
    start = to_microseconds("2023-01-03T10:00Z")
    assert not len(higher.update(minute(start)))
    assert higher.forming.partial.tolist() == [True]
    assert not len(higher.advance(start + HOUR - 1))
    assert higher.advance(start + HOUR).time.tolist() == [start]
    assert higher.forming is None
    with pytest.raises(InvalidRequestError, match="times must rise, but 2023-01-03T10:59:00Z came after"):
        higher.update(minute(start + HOUR - 60 * SECOND))
    higher.update(minute(start + HOUR))
    assert higher.update(minute(start + 2 * HOUR)).time.tolist() == [start + HOUR]


def minute(time, symbol=EURUSD, **columns):
    flat = {name: np.ones(1) for name in ("open", "high", "low", "close")}
    return Bars(symbol, MINUTE, np.array([time]), flat | columns)


def test_what_does_not_follow_is_refused_and_changes_nothing():
    higher = HigherBars(EURUSD, MINUTE, "1h")
    start = to_microseconds("2023-01-03T10:00Z")
    higher.update(minute(start))
    before = higher.forming.bars
    for bad, says in (
        (minute(start), "times must rise"),
        (minute(start + 60 * SECOND, Symbol.parse("GBP/USD")), "GBP/USD 1m came"),
        (minute(start + 60 * SECOND, spread=np.ones(1)), "bars with open, high, low, close came so far"),
    ):
        with pytest.raises(InvalidRequestError, match=says):
            higher.update(bad)
        same(higher.forming.bars, before)
    with pytest.raises(InvalidRequestError, match="1h bars cannot be made into 1m bars"):
        HigherBars(EURUSD, "1h", "1m")
