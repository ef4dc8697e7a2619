import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.bars import Bars, Symbol, Timeframe
from feature_store.calendar import Calendar
from feature_store.errors import InvalidRequestError
from feature_store.resample import divides, resample
from feature_store.times import to_microseconds

EURUSD = Symbol.parse("EUR/USD")
MONDAY = to_microseconds("2023-01-02T22:00:00Z")  # 17:00 New York


def bars(opens, timeframe="1h", symbol=EURUSD, **columns):
    """Bars of a saw that tells each row's values from every other's."""
    time = np.asarray(opens, dtype=np.int64)
    n = np.arange(1.0, len(time) + 1)
    saw = {"open": n + 0.2, "high": n + 0.9, "low": n, "close": n + 0.5, "tick_volume": n * 10}
    return Bars(
        symbol, Timeframe.parse(timeframe), time, {**saw, **{k: np.asarray(v, float) for k, v in columns.items()}}
    )


def hours(count, start=MONDAY):
    return start + np.arange(count) * 3_600_000_000


def test_four_hours_become_one_bar():
    made = resample(bars(hours(8)), "4h")
    assert made.bars.time.tolist() == [MONDAY, MONDAY + 4 * 3_600_000_000]
    assert {name: column.tolist() for name, column in made.bars.columns.items()} == {
        "open": [1.2, 5.2],
        "high": [4.9, 8.9],
        "low": [1.0, 5.0],
        "close": [4.5, 8.5],
        "tick_volume": [100.0, 260.0],
    }
    assert made.count.tolist() == [4, 4]
    assert made.available_at.tolist() == [MONDAY + 4 * 3_600_000_000, MONDAY + 8 * 3_600_000_000]


@pytest.mark.parametrize(("rows", "forming", "closed"), [(3, True, 0), (4, False, 1), (5, True, 1), (8, False, 2)])
def test_the_last_bar_is_forming_until_its_end_was_seen(rows, forming, closed):
    made = resample(bars(hours(rows)), "4h")
    assert made.forming is forming
    assert len(made.closed) == closed


def test_a_bucket_with_a_gap_says_how_few_bars_it_has_and_one_without_bars_does_not_exist():
    made = resample(bars(hours(12)[[0, 2, 3, 8, 9, 10, 11]]), "4h")
    assert made.count.tolist() == [3, 4]
    assert not made.forming


def test_a_gap_at_the_end_of_a_bucket_is_closed_by_the_next_bar():
    made = resample(bars(hours(5)[[0, 1, 4]]), "4h")
    assert made.closed.time.tolist() == [MONDAY]


def test_what_the_source_lacks_is_passed_over():
    nan = np.nan
    made = resample(
        bars(
            hours(8),
            tick_volume=[nan, 2, nan, 3, nan, nan, nan, nan],
            spread=[1, 2, nan, nan, nan, nan, nan, nan],
            bid_open=[nan, 7, 8, 9, nan, nan, nan, nan],
            bid_high=[nan, 7, 8, nan, nan, nan, nan, nan],
            ask_low=[nan, 7, 8, nan, nan, nan, nan, nan],
            ask_close=[nan, 7, 8, nan, nan, nan, nan, nan],
        ),
        "4h",
    )
    columns = {
        name: made.bars.columns[name]
        for name in ("tick_volume", "spread", "bid_open", "bid_high", "ask_low", "ask_close")
    }
    assert [column[0] for column in columns.values()] == [5, 2, 7, 8, 7, 8]
    assert all(np.isnan(column[1]) for column in columns.values())


def test_the_day_is_cut_at_17_new_york_in_summer_and_in_winter():
    for monday in ("2023-01-02T22:00:00Z", "2023-07-03T21:00:00Z"):
        start = to_microseconds(monday)
        made = resample(bars(hours(48, start - 3_600_000_000)), "1d")
        assert made.bars.time[1] == start
        assert made.count.tolist() == [1, 24, 23]


def test_a_friday_evening_closes_the_week_of_currencies_but_not_of_what_trades_on():
    friday = to_microseconds("2023-01-06T22:00:00Z")
    week = hours(24 * 5, friday - 24 * 5 * 3_600_000_000)
    assert not resample(bars(week), "1w").forming
    assert resample(bars(week, symbol=Symbol.parse("BTC/USD")), "1w").forming


@settings(deadline=None)
@given(
    st.sets(st.integers(0, 60 * 24 * 3), min_size=1, max_size=200),
    st.sampled_from(
        [("1m", "5m", "1h"), ("5m", "1h", "4h"), ("1m", "30m", "1d"), ("1h", "12h", "1d"), ("1m", "1h", "1w")]
    ),
    st.randoms(use_true_random=False),
)
def test_going_up_in_two_steps_is_going_up_in_one(minutes, names, random):
    low, middle, high = map(Timeframe.parse, names)
    time = np.unique((MONDAY + np.array(sorted(minutes)) * 60_000_000) // low.microseconds * low.microseconds)
    values = {name: [random.choice([1.0, 2.0, 3.5, np.nan]) for _ in time] for name in ("tick_volume", "spread")}
    source = bars(time, names[0], **values)
    once, twice = resample(source, high), resample(resample(source, middle).bars, high)
    assert once.bars.time.tolist() == twice.bars.time.tolist()
    for name, column in once.bars.columns.items():
        np.testing.assert_array_equal(column, twice.bars.columns[name])


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(0, 300), st.sampled_from(["4h", "1d", "1w"]))
def test_closed_bars_do_not_change_when_more_arrives(count, more, name):
    opens = Calendar().expected(MONDAY, MONDAY + 60 * 86_400_000_000, Timeframe.parse("1h"))
    early, late = resample(bars(opens[:count]), name).closed, resample(bars(opens[: count + more]), name).closed
    assert late.time[: len(early)].tolist() == early.time.tolist()
    for column, values in early.columns.items():
        assert late.columns[column][: len(early)].tolist() == values.tolist()


def test_no_bars_make_no_bars():
    made = resample(bars([]), "1d")
    assert (len(made.bars), len(made.closed), made.forming) == (0, 0, False)


def test_the_same_timeframe_is_left_as_it_is():
    source = bars(hours(3))
    assert resample(source, "1h").closed.columns["close"].tolist() == source.columns["close"].tolist()


@pytest.mark.parametrize(("lower", "higher"), [("1h", "5m"), ("2h", "3h"), ("8h", "12h"), ("3m", "10m")])
def test_going_down_or_to_what_is_no_multiple_is_refused(lower, higher):
    assert not divides(Timeframe.parse(lower), Timeframe.parse(higher))
    with pytest.raises(InvalidRequestError, match=f"{lower} bars cannot be made into {higher} bars"):
        resample(bars(hours(3) // 28_800_000_000 * 28_800_000_000, lower), higher)


def test_bars_that_straddle_the_new_york_day_are_refused():
    broker = (
        to_microseconds("2023-01-03T20:00:00Z") + np.arange(3) * 4 * 3_600_000_000
    )  # 20:00 to 24:00 UTC holds 22:00
    with pytest.raises(InvalidRequestError, match="reaches beyond its 1d bar: 1d bars are cut at 17:00 New York"):
        resample(bars(broker, "4h"), "1d")
