import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.bars import COLUMNS, OPTIONAL_COLUMNS, PRICES, Bars, Symbol, Timeframe
from feature_store.calendar import Calendar
from feature_store.errors import InvalidRequestError
from feature_store.resample import divides, resample
from feature_store.times import to_microseconds
from tests.conftest import same_bits

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


# ---------------------------------------------------------------- spreads and quotes
COPIES = {f"{side}_{price}": price for side in ("bid", "ask") for price in ("open", "high", "low", "close")}


@st.composite
def quoted(draw):
    """Minutes of any prices with gaps, lacking values and every column, about a change of New York's clock or a holiday."""
    near = to_microseconds(draw(st.sampled_from(["2023-03-10T12:00Z", "2023-11-03T12:00Z", "2023-12-22T20:00Z"])))
    symbol = Symbol.parse(draw(st.sampled_from(["EUR/USD", "USD/JPY", "BTC/USD"])))
    opens = Calendar.of(symbol).expected(near, near + 5 * 86_400_000_000, Timeframe.parse("1m"))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    places = np.cumsum(random.choice([1, 1, 1, 1, 2, 4, 50, 400], draw(st.integers(1, 80)))) - 1
    time = opens[places[places < len(opens)]]
    pool = np.array(
        draw(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=9)) + draw(st.sampled_from([[], [np.nan]]))
    )
    columns = {name: random.choice(pool, len(time)) for name in (*PRICES, *OPTIONAL_COLUMNS)}
    columns["spread_mean"] = columns["spread_mean"] / 1e7  # up to 0.1: 1,000 pips
    columns["tick_volume"] = random.choice([0.0, 1.0, 7.0, 1e5, *draw(st.sampled_from([[], [np.nan]]))], len(time))
    return Bars(symbol, Timeframe.parse("1m"), time, columns)


@settings(deadline=None)
@given(quoted(), st.sampled_from([("5m", "1h"), ("15m", "4h"), ("1h", "1d"), ("4h", "1w"), ("1d", "1w"), ("1m", "1h")]))
def test_every_column_goes_up_in_two_steps_as_in_one_to_the_bit(source, names):
    middle, high = names
    once, twice = resample(source, high), resample(resample(source, middle).bars, high)
    assert once.bars.time.tolist() == twice.bars.time.tolist()
    assert once.available_at.tolist() == twice.available_at.tolist()
    assert set(once.bars.columns) == {*COLUMNS, *OPTIONAL_COLUMNS}
    for name, column in once.bars.columns.items():
        assert same_bits(column, twice.bars.columns[name]), name


@settings(deadline=None)
@given(quoted(), st.sampled_from(["5m", "1h", "4h", "1d", "1w"]), st.data())
def test_no_bar_of_the_future_shows_in_what_has_closed(source, name, data):
    whole = resample(source, name)
    cut = data.draw(st.integers(0, len(source)))
    early = resample(source[:cut], name)
    closed = len(early.closed)
    for column, values in early.closed.columns.items():
        assert same_bits(values, whole.bars.columns[column][:closed])
    assert early.available_at[:closed].tolist() == whole.available_at[:closed].tolist()
    if early.forming:
        assert early.available_at[-1] > source.time[cut - 1] + 60_000_000


@settings(deadline=None)
@given(quoted(), st.sampled_from(["1h", "1d"]))
def test_both_sides_are_made_as_the_middle_is(source, name):
    same = Bars(
        source.symbol,
        source.timeframe,
        source.time,
        {**source.columns, **{copy: source.columns[price] for copy, price in COPIES.items()}},
    )
    made = resample(same, name).bars.columns
    assert all(same_bits(made[copy], made[price]) for copy, price in COPIES.items())


def spreads(volumes, means):
    made = resample(
        bars(hours(len(means)), tick_volume=volumes, spread_mean=means, spread_min=means, spread_max=means), "4h"
    )
    return [made.bars.columns[f"spread_{name}"].tolist() for name in ("mean", "min", "max")]


def test_a_mean_of_spreads_is_weighted_by_ticks():
    assert spreads([1, 3, 4, 8], [0.0002, 0.0001, 0.0003, 0.00015]) == [[29e-4 / 16], [0.0001], [0.0003]]
    assert spreads([7, 1, 1, 1], [0.00013] * 4)[0] == [0.00013]


@pytest.mark.parametrize(
    ("volumes", "means"), [([1, 0, 1, 1], [1e-4] * 4), ([1, 1], [1e-4, np.nan]), ([np.nan], [1e-4])]
)
def test_a_mean_of_spreads_is_unknown_where_not_every_tick_is_known(volumes, means):
    assert np.isnan(spreads(volumes, means)[0]).all()


# ---------------------------------------------------------------- partial bars
def test_a_bucket_is_partial_where_it_has_fewer_bars_than_the_calendar_expects():
    made = resample(bars(hours(13)[[0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12]]), "4h")
    assert made.partial.tolist() == [False, True, False, True]
    assert made.forming


def test_a_week_with_a_holiday_is_whole_without_it():
    start = to_microseconds("2023-12-17T22:00Z")
    expected = Calendar().expected(start, start + 14 * 86_400_000_000, Timeframe.parse("1h"))
    made = resample(bars(expected), "1w")
    assert made.count.tolist() == [120, 96]
    assert not made.partial.any()
    assert resample(bars(expected[1:]), "1w").partial.tolist() == [True, False]
    assert not resample(bars([]), "1w").partial.any()


@settings(deadline=None)
@given(quoted(), st.sampled_from(["5m", "1h", "4h", "1d", "1w"]))
def test_partial_buckets_are_those_with_a_gap_in_them(source, name):
    made = resample(source, name)
    calendar = Calendar.of(source.symbol)
    ends = made.available_at.tolist()
    spans = zip(made.bars.time.tolist(), ends, strict=True)
    assert made.partial.tolist() == [bool(calendar.gaps(source.time, source.timeframe, *span)) for span in spans]


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
