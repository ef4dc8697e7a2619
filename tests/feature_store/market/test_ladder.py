"""Higher bars made one bar at a time are the bars that `resample` makes of the whole series, to the bit."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.bars import COLUMNS, Bars, Symbol, Timeframe
from feature_store.calendar import Calendar
from feature_store.errors import InvalidRequestError
from feature_store.market.ladder import Ladder
from feature_store.resample import resample
from feature_store.times import to_microseconds
from tests.conftest import same_bits

PLACES = (
    "2023-03-10T18:00Z",  # a Friday; New York's clock goes forward on Sunday
    "2023-11-03T18:00Z",  # and back
    "2023-12-22T20:00Z",  # Christmas and New Year
    "2023-05-02T20:00Z",
)
NUMBERS = st.one_of(st.just(math.nan), st.floats(1e-3, 1e6), st.sampled_from([1.0, 1.1, 1.2]))


def ladder(symbol, *names):
    return Ladder(Symbol.parse(symbol), map(Timeframe.parse, names))


@st.composite
def series(draw):
    """Bars of some lowest timeframe with gaps, and higher timeframes to make of them."""
    symbol = draw(st.sampled_from(["EUR/USD", "BTC/USD"]))
    names = draw(
        st.sampled_from(["1m 5m 1h", "5m 15m 1h 4h", "15m 30m 4h 1d", "1h 2h 8h 1d 1w", "4h 8h 1d 1w", "1d 1w"])
    )
    lowest, *higher = map(Timeframe.parse, names.split())
    start = to_microseconds(draw(st.sampled_from(PLACES)))
    expected = Calendar.of(symbol).expected(start, start + 400 * lowest.microseconds + 4 * 86_400_000_000, lowest)
    count = draw(st.integers(1, 120))
    gaps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 2, 3, 7, 30]), min_size=count, max_size=count))
    places = np.cumsum(gaps) - 1
    time = expected[places[places < len(expected)]]
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    pool = np.array(draw(st.lists(NUMBERS, min_size=1, max_size=12)))
    columns = {name: random.choice(pool, len(time)) for name in COLUMNS}
    return Bars(Symbol.parse(symbol), lowest, time, columns), higher


def climbed(bars, higher):
    """What closed with each bar, and what formed after it."""
    steps = Ladder(bars.symbol, [bars.timeframe, *higher])
    forming, seen = steps.empty, []
    for moment, *numbers in zip(bars.time.tolist(), *(bars.columns[name].tolist() for name in COLUMNS), strict=True):
        closed, forming = steps.step(forming, moment, tuple(numbers))
        seen.append((closed, dict(zip(steps.higher, forming, strict=True))))
    return seen


@settings(max_examples=120, deadline=None)
@given(series(), st.data())
def test_bars_made_one_at_a_time_are_those_of_the_whole_series_after_every_bar(given_series, data):
    bars, higher = given_series
    seen = climbed(bars, higher)
    for count in {len(bars), *data.draw(st.lists(st.integers(1, len(bars)), max_size=3))}:
        for timeframe in (bars.timeframe, *higher):
            whole = resample(bars[:count], timeframe)
            made = [bar for closed, _ in seen[:count] for bar in closed if bar.timeframe == timeframe]
            assert [bar.time for bar in made] == whole.closed.time.tolist()
            assert [bar.end for bar in made] == whole.available_at[: len(made)].tolist()
            for place, name in enumerate(COLUMNS):
                assert same_bits([bar.numbers[place] for bar in made], whole.closed.columns[name])
            forming = seen[count - 1][1].get(timeframe)
            assert (forming is not None) == whole.forming
            if forming is not None:
                assert (forming.time, forming.end) == (whole.bars.time[-1], whole.available_at[-1])
                assert same_bits(forming.numbers, [whole.bars.columns[name][-1] for name in COLUMNS])


@settings(max_examples=60, deadline=None)
@given(series())
def test_bars_close_in_order_of_their_ends_and_the_longest_first(given_series):
    bars, higher = given_series
    order = [(bar.end, -bar.timeframe.seconds) for closed, _ in climbed(bars, higher) for bar in closed]
    assert order == sorted(order)


def test_a_state_that_was_left_behind_stays_as_it_was():
    steps = ladder("EUR/USD", "1h", "4h")
    start = to_microseconds("2023-01-02T22:00Z")
    _, one = steps.step(steps.empty, start, (1.0, 1.0, 1.0, 1.0, 10.0))
    branches = [steps.step(one, start + 3_600_000_000, (1.0, 1.0, 1.0, 1.0, volume))[1][0] for volume in (1.5, 2.5)]
    assert [each.numbers[4] for each in branches] == [11.5, 12.5]
    assert one[0].numbers[4] == 10.0


@pytest.mark.parametrize(
    ("names", "moment", "message"),
    [
        (
            "15m",
            "2023-01-03T10:07Z",
            "no 15m bar opens at 2023-01-03T10:07:00Z; the one that holds it opens at 2023-01-03T10:00",
        ),
        ("4h", "2023-01-03T00:00Z", "opens at 2023-01-02T22:00:00Z"),
        ("1d", "2023-01-03T00:00Z", "no 1d bar opens"),
        ("15m", "2023-01-07T10:00Z", "currencies rest from Friday 17:00 to Sunday 17:00 New York"),
        ("1d 1w", "2023-01-06T22:00Z", "currencies rest"),
    ],
)
def test_a_bar_that_cannot_open_then_is_refused(names, moment, message):
    steps = ladder("EUR/USD", *names.split())
    with pytest.raises(InvalidRequestError, match=message):
        steps.step(steps.empty, to_microseconds(moment), (1.0, 1.0, 1.0, 1.0, 1.0))


def test_what_trades_on_may_open_on_a_weekend():
    steps = ladder("BTC/USD", "15m", "1h")
    closed, _ = steps.step(steps.empty, to_microseconds("2023-01-07T10:45Z"), (1.0, 1.0, 1.0, 1.0, 1.0))
    assert [str(bar.timeframe) for bar in closed] == ["1h", "15m"]


def test_timeframes_that_do_not_divide_are_refused():
    with pytest.raises(InvalidRequestError, match="EUR/USD: 2h bars cannot be made into 3h bars"):
        ladder("EUR/USD", "2h", "3h")
