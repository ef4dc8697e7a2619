"""Ticks made into bars are the same however they were fed, and the same as bars made of bars."""

from __future__ import annotations

import math
import zipfile

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.bars import COLUMNS, OPTIONAL_COLUMNS, TIMEFRAMES, Bars, Symbol, Timeframe
from feature_store.calendar import Calendar, bucket_open
from feature_store.errors import InvalidRequestError
from feature_store.market.ladder import Ladder
from feature_store.resample import resample
from feature_store.ticks import TickBars
from feature_store.times import to_microseconds
from tests.conftest import same_bits

EVERY_COLUMN = (*COLUMNS, *OPTIONAL_COLUMNS)
STARTS = (
    "2023-03-10T21:30Z",  # half an hour before a Friday's close; New York's clock goes forward on Sunday
    "2023-11-03T20:30Z",  # and back
    "2023-12-22T20:00Z",  # Christmas
    "2023-05-02T20:00Z",
)
STEPS = (0, 0, 1, 1000, 900_000, 20_000_000, 60_000_000, 1_800_000_000, 14_400_000_000, 86_400_000_000)
PRICES = st.floats(1e-3, 1e5)


@st.composite
def ticks(draw, names=("EUR/USD", "USD/JPY", "BTC/USD")):
    """Ticks in trading hours, some of them one-sided, with pauses between a microsecond and days."""
    symbol = Symbol.parse(draw(st.sampled_from(names)))
    count = draw(st.integers(1, 60))
    time = to_microseconds(draw(st.sampled_from(STARTS))) + np.cumsum(
        draw(st.lists(st.sampled_from(STEPS), min_size=count, max_size=count))
    )
    time = time[~Calendar.of(symbol).is_weekend(time)]
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    pool = np.array([*draw(st.lists(PRICES, min_size=1, max_size=6)), *draw(st.sampled_from([[], [np.nan]]))])
    return symbol, time, random.choice(pool, len(time)), random.choice(pool, len(time))


def fed(symbol, timeframe, time, bid, ask, cuts=()):
    """Return the closed bars, as arrays, and the last one as it stands, of ticks fed in pieces."""
    made = TickBars(symbol, timeframe)
    pieces = zip(*(np.split(each, cuts) for each in (time, bid, ask)), strict=True)
    parts = [made.update(*piece) for piece in pieces]
    return together(parts), made


def together(parts):
    columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
    return Bars(parts[0].symbol, parts[0].timeframe, np.concatenate([part.time for part in parts]), columns)


def assert_same(left, right):
    assert left.time.tolist() == right.time.tolist()
    assert set(left.columns) == set(right.columns) == set(EVERY_COLUMN)
    for name, column in left.columns.items():
        assert same_bits(column, right.columns[name]), name


def naive(symbol, timeframe, time, bid, ask):
    """Return {bucket's open: its ticks as (bid, ask)}, one tick after another."""
    found, last = {}, [math.nan, math.nan]
    for moment, *quote in zip(time.tolist(), bid.tolist(), ask.tolist(), strict=True):
        last = [before if math.isnan(now) else now for before, now in zip(last, quote, strict=True)]
        if not any(map(math.isnan, last)):
            found.setdefault(int(bucket_open(moment, timeframe)), []).append(tuple(last))
    return found


# ---------------------------------------------------------------- what a bar is
def test_a_bar_has_the_middle_both_sides_and_the_spread_of_its_ticks():
    minute = TickBars("EUR/USD", "1m")
    minute.update([0, 1, 2], [1.25, 1.5, 1.125], [1.75, 2.0, 1.25])
    bar = minute.update(60_000_000, 9.0, 9.0)
    assert bar.time.tolist() == [0]
    assert {name: column.item() for name, column in bar.columns.items()} == (
        {"open": 1.5, "high": 1.75, "low": 1.1875, "close": 1.1875, "tick_volume": 3.0}
        | {"bid_open": 1.25, "bid_high": 1.5, "bid_low": 1.125, "bid_close": 1.125}
        | {"ask_open": 1.75, "ask_high": 2.0, "ask_low": 1.25, "ask_close": 1.25}
        | {"spread": 0.125, "spread_mean": 0.375, "spread_min": 0.125, "spread_max": 0.5}
    )


@settings(deadline=None)
@given(ticks(), st.sampled_from([t for t in TIMEFRAMES if t.name != "1w"]))
def test_bars_are_those_of_ticks_looked_at_one_after_another(given_ticks, timeframe):
    symbol, time, bid, ask = given_ticks
    closed, made = fed(symbol, timeframe, time, bid, ask)
    bars = together([closed, made.finish().bars])
    expected = naive(symbol, timeframe, time, bid, ask)
    assert bars.time.tolist() == list(expected)
    for place, quotes in enumerate(expected.values()):
        row = {name: column[place] for name, column in bars.columns.items()}
        sides = {"": [(b + a) / 2 for b, a in quotes], "bid_": [b for b, _ in quotes], "ask_": [a for _, a in quotes]}
        for side, prices in sides.items():
            found = [row[side + name] for name in ("open", "high", "low", "close")]
            assert found == [prices[0], max(prices), min(prices), prices[-1]]
        widths = [a - b for b, a in quotes]
        assert [row[f"spread{name}"] for name in ("", "_min", "_max")] == [widths[-1], min(widths), max(widths)]
        assert row["spread_mean"] == pytest.approx(np.mean(widths), abs=symbol.pip_size / 10_000, rel=1e-12)
        assert row["tick_volume"] == len(quotes)


def test_a_side_that_is_not_quoted_is_as_it_was_and_before_both_were_quoted_there_is_no_bar():
    nan = math.nan
    minute = TickBars("EUR/USD", "1m")
    assert len(minute.update([0, 60_000_000], [1.0, 1.0], [nan, nan])) == 0
    assert minute.forming is None
    minute.update(60_000_001, nan, 2.0)
    minute.update(60_000_002, nan, nan)
    forming = minute.forming
    assert forming.time.tolist() == [60_000_000]
    assert [forming.columns[name].item() for name in ("open", "bid_low", "ask_low", "tick_volume")] == [
        1.5,
        1.0,
        2.0,
        2.0,
    ]
    closed = minute.update(120_000_000, nan, 3.0)
    assert closed.time.tolist() == [60_000_000]
    assert minute.forming.columns["open"].item() == 2.0


# ---------------------------------------------------------------- laws
@settings(deadline=None, max_examples=200)
@given(ticks(), st.sampled_from(TIMEFRAMES), st.data())
def test_any_split_of_the_ticks_gives_the_same_bars_to_the_bit(given_ticks, timeframe, data):
    symbol, time, bid, ask = given_ticks
    whole, at_once = fed(symbol, timeframe, time, bid, ask)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(time)), max_size=8)))
    pieces, in_pieces = fed(symbol, timeframe, time, bid, ask, cuts)
    one_by_one = TickBars(symbol, timeframe)
    singles = []
    for tick in zip(time.tolist(), bid.tolist(), ask.tolist(), strict=True):
        singles.append(one_by_one.update(*tick))
        if data.draw(st.booleans()):
            assert one_by_one.forming is None or one_by_one.forming.time[0] <= tick[0]
    assert_same(whole, pieces)
    if singles:
        assert_same(whole, together(singles))
    last = at_once.finish().bars
    assert_same(last, in_pieces.finish().bars)
    assert_same(last, one_by_one.finish().bars)


@pytest.mark.parametrize("timeframe", ["1m", "1h", "1w"])
def test_a_split_of_very_many_ticks_gives_the_same_bars_to_the_bit(timeframe):
    random = np.random.default_rng(7)
    count = 300_000  # more than are taken together at once
    time = to_microseconds("2023-05-02T20:00Z") + np.cumsum(random.integers(0, 200_000, count))
    bid = 1.1 + np.cumsum(random.normal(0, 1e-6, count))
    ask = bid + random.integers(1, 40, count) * 1e-6
    whole, at_once = fed("EUR/USD", timeframe, time, bid, ask)
    pieces, in_pieces = fed("EUR/USD", timeframe, time, bid, ask, np.sort(random.integers(0, count, 500)))
    assert_same(whole, pieces)
    assert_same(at_once.finish().bars, in_pieces.finish().bars)


@settings(deadline=None, max_examples=200)
@given(
    ticks(), st.sampled_from([("1m", "1d"), ("1m", "5m", "1h", "1d"), ("1m", "15m", "4h", "1w"), ("3m", "30m", "12h")])
)
def test_going_up_through_bars_is_making_bars_of_ticks_to_the_bit(given_ticks, names):
    symbol, *arrays = given_ticks
    first, *rest = names
    closed, made = fed(symbol, first, *arrays)
    bars = together([closed, made.finish().bars])
    for name in rest:
        bars = resample(bars, name).bars
    direct, made = fed(symbol, rest[-1], *arrays)
    assert_same(bars, together([direct, made.finish().bars]))


@settings(deadline=None)
@given(ticks(), st.sampled_from(TIMEFRAMES), st.data())
def test_no_tick_of_the_future_shows_in_what_has_closed(given_ticks, timeframe, data):
    symbol, time, bid, ask = given_ticks
    cut = data.draw(st.integers(0, len(time)))
    early, _ = fed(symbol, timeframe, time[:cut], bid[:cut], ask[:cut])
    whole, _ = fed(symbol, timeframe, time, bid, ask)
    assert_same(early, whole[: len(early)])


@settings(deadline=None)
@given(ticks(), st.sampled_from(TIMEFRAMES), st.data())
def test_a_clock_that_runs_along_changes_no_bar(given_ticks, timeframe, data):
    symbol, time, bid, ask = given_ticks
    made = TickBars(symbol, timeframe)
    parts = []
    for moment, *quote in zip(time.tolist(), bid.tolist(), ask.tolist(), strict=True):
        if data.draw(st.booleans()):
            parts.append(made.advance(moment - data.draw(st.integers(0, 100_000_000))))
        parts.append(made.update(moment, *quote))
    closed = together([*parts, made.finish().bars]) if parts else made.finish().bars
    whole, at_once = fed(symbol, timeframe, time, bid, ask)
    assert_same(closed, together([whole, at_once.finish().bars]))


@settings(deadline=None)
@given(ticks(), st.sampled_from([("1m", "1h", "1d"), ("5m", "4h", "1w")]))
def test_live_ticks_climb_to_the_bars_of_history(given_ticks, names):
    symbol, *arrays = given_ticks
    lowest, *higher = map(Timeframe.parse, names)
    steps, made = Ladder(symbol, [lowest, *higher]), TickBars(symbol, lowest)
    forming, climbed = steps.empty, []
    for tick in zip(*(each.tolist() for each in arrays), strict=True):
        bars = made.update(*tick)
        for moment, *numbers in zip(
            bars.time.tolist(), *(bars.columns[name].tolist() for name in COLUMNS), strict=True
        ):
            closed, forming = steps.step(forming, moment, tuple(numbers))
            climbed.extend(closed)
    minutes, _ = fed(symbol, lowest, *arrays)
    for timeframe in (lowest, *higher):
        history = resample(minutes, timeframe).closed
        live = [bar for bar in climbed if bar.timeframe == timeframe]
        assert [bar.time for bar in live] == history.time.tolist()
        for place, name in enumerate(COLUMNS):
            assert same_bits([bar.numbers[place] for bar in live], history.columns[name])


# ---------------------------------------------------------------- New York's day
@pytest.mark.parametrize("sunday", ["2023-03-12T21:00Z", "2023-11-05T22:00Z"])
@pytest.mark.parametrize(("timeframe", "hours"), [("4h", 4), ("1d", 24)])
def test_days_and_four_hours_are_cut_at_17_new_york_about_a_clock_change(sunday, timeframe, hours):
    opens = to_microseconds(sunday)
    friday = opens - (47 if sunday.startswith("2023-03") else 49) * 3_600_000_000
    time = np.array([friday - 1, opens, opens + hours * 3_600_000_000 - 1, opens + hours * 3_600_000_000])
    closed, made = fed("EUR/USD", timeframe, time, np.full(4, 1.0), np.full(4, 1.1))
    assert closed.time.tolist() == [friday - hours * 3_600_000_000, opens]
    assert closed.columns["tick_volume"].tolist() == [1, 2]
    assert made.forming.time.tolist() == [time[-1]]


# ---------------------------------------------------------------- the clock and the end
def test_the_clock_closes_a_bar_that_no_tick_closes():
    minute = TickBars("EUR/USD", "1m")
    minute.update(5, 1.0, 1.0)
    assert len(minute.advance(59_999_999)) == 0
    assert minute.advance(60_000_000).time.tolist() == [0]
    assert len(minute.advance(600_000_000)) == 0
    minute.update(60_000_000, 1.0, 1.0)  # in time for the next bar, though the clock is further
    assert minute.forming.time.tolist() == [60_000_000]


def test_a_friday_evening_closes_the_week_of_currencies():
    week = TickBars("EUR/USD", "1w")
    week.update(to_microseconds("2023-01-06T21:59:59Z"), 1.0, 1.0)
    assert len(week.advance(to_microseconds("2023-01-06T21:59:59Z"))) == 0
    assert week.advance(to_microseconds("2023-01-06T22:00Z")).time.tolist() == [to_microseconds("2023-01-01T22:00Z")]


def test_the_last_bar_is_handed_out_as_partial():
    minute = TickBars("EUR/USD", "1m")
    minute.update([0, 1, 60_000_000, 60_000_001], [1.0] * 4, [1.0] * 4)
    last = minute.finish()
    assert (last.bars.time.tolist(), last.available_at.tolist()) == ([60_000_000], [120_000_000])
    assert (last.count.tolist(), last.forming, last.partial.tolist(), len(last.closed)) == ([2], True, [True], 0)
    none = minute.finish()
    assert (len(none.bars), none.forming, none.partial.tolist()) == (0, False, [])


# ---------------------------------------------------------------- what is refused
def refused(made, message, *tick):
    before = repr(made)
    with pytest.raises(InvalidRequestError, match=message):
        made.update(*tick)
    assert repr(made) == before


def test_time_that_runs_backwards_is_refused_naming_both_times_and_nothing_is_taken():
    minute = TickBars("EUR/USD", "1m")
    minute.update(120_000_005, 1.0, 1.0)
    message = "the tick of 1970-01-01T00:02:00.000004Z comes after the one of 1970-01-01T00:02:00.000005Z"
    refused(minute, message, 120_000_004, 1.0, 1.0)
    refused(minute, message, np.array([120_000_005, 120_000_004]), np.ones(2), np.ones(2))
    minute.update(120_000_005, 2.0, 2.0)
    assert minute.forming.columns["tick_volume"].tolist() == [2]


@pytest.mark.parametrize("hand_out", [lambda made: made.advance(60_000_000), TickBars.finish])
def test_a_tick_of_a_bar_that_was_handed_out_is_refused(hand_out):
    minute = TickBars("EUR/USD", "1m")
    minute.update(5, 1.0, 1.0)
    hand_out(minute)
    refused(minute, "is late: its 1m bar was handed out, which ended at 1970-01-01T00:01:00Z", 59_999_999, 1.0, 1.0)


def test_a_weekend_tick_belongs_to_no_week_of_currencies():
    saturday = to_microseconds("2023-01-07T12:00Z")
    refused(
        TickBars("EUR/USD", "1w"), "a tick of EUR/USD at 2023-01-07T12:00:00Z belongs to no week", saturday, 1.0, 1.0
    )
    assert len(TickBars("BTC/USD", "1w").update(saturday, 1.0, 1.0)) == 0


def test_arrays_of_several_lengths_are_refused():
    refused(TickBars("EUR/USD", "1m"), r"had the shapes \(2,\), \(2,\), \(1,\)", [0, 1], [1.0, 1.0], [1.0])
    assert len(TickBars("EUR/USD", "1m").update([], [], [])) == 0


# ---------------------------------------------------------------- real ticks
def lean(path):
    with zipfile.ZipFile(path) as archive:
        return pl.read_csv(archive.read(archive.namelist()[0]), has_header=False).to_numpy()


def test_real_ticks_of_one_broker_make_the_minutes_of_another(shared_data):
    days = [lean(shared_data / "lean" / f"fxcm-tick-eurusd-2014050{day}_quote.zip") for day in (7, 8, 9)]
    midnights = [to_microseconds(f"2014-05-0{day}T05:00Z") for day in (7, 8, 9)]  # written five hours west of Greenwich
    time = np.concatenate(
        [midnight + day[:, 0].astype(np.int64) * 1000 for midnight, day in zip(midnights, days, strict=True)]
    )
    bid, ask = (np.concatenate([day[:, place] for day in days]) for place in (1, 2))
    closed, _ = fed("EUR/USD", "1m", time, bid, ask)
    other = lean(shared_data / "lean" / "oanda-minute-eurusd-20140508_quote.zip")
    opens = to_microseconds("2014-05-08") + other[:, 0].astype(np.int64) * 1000
    both, here, there = np.intersect1d(closed.time, opens, return_indices=True)
    assert len(both) > 1300
    for place, name in enumerate(("bid_open", "bid_high", "bid_low", "bid_close"), start=1):
        assert np.median(np.abs(closed.columns[name][here] - other[there, place])) < 1e-4
    for place, name in enumerate(("ask_open", "ask_high", "ask_low", "ask_close"), start=6):
        assert np.median(np.abs(closed.columns[name][here] - other[there, place])) < 1e-4
    moves = [np.diff(each) for each in (closed.columns["bid_close"][here], other[there, 4])]
    assert np.corrcoef(*moves)[0, 1] > 0.9
    assert_same(resample(closed, "1h").closed, fed("EUR/USD", "1h", time, bid, ask)[0])
