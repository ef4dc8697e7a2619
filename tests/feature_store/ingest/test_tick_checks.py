import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.calendar import Calendar
from feature_store.ingest import tick_checks
from feature_store.ingest.tick_checks import quote_problems
from feature_store.ticks import TickBars
from feature_store.times import to_microseconds

MONDAY = to_microseconds("2023-01-09T10:00Z")
NAN, INF = np.nan, np.inf
FX = Calendar.of("EUR/USD")


def reasons(time, bid, ask, calendar=FX, **before):
    """Return for each tick the reasons it is quarantined for."""
    arrays = (np.array(time), np.array(bid, dtype=float), np.array(ask, dtype=float))
    problems = quote_problems(*arrays, calendar, **before)
    return [[reason for reason, broken in problems if broken[row]] for row in range(len(time))]


@pytest.mark.parametrize(
    ("bid", "ask", "expected"),
    [
        (1.2, 1.3, []),
        (1.2, 1.2, []),
        (NAN, NAN, [tick_checks.NO_QUOTE]),
        (INF, 1.3, [tick_checks.NO_QUOTE, tick_checks.ASK_BELOW_BID]),
        (1.2, -INF, [tick_checks.NO_QUOTE, tick_checks.NOT_POSITIVE, tick_checks.ASK_BELOW_BID]),
        (0.0, 1.3, [tick_checks.NOT_POSITIVE]),
        (1.2, -1.3, [tick_checks.NOT_POSITIVE, tick_checks.ASK_BELOW_BID]),
        (1.3, 1.2, [tick_checks.ASK_BELOW_BID]),
    ],
)
def test_a_quote_must_be_a_price_on_both_sides_and_not_crossed(bid, ask, expected):
    assert reasons([MONDAY], [bid], [ask]) == [expected]


def test_a_side_that_is_left_as_it_was_breaks_no_rule_and_is_compared_as_it_was():
    crossed = [tick_checks.ASK_BELOW_BID]
    assert reasons([MONDAY] * 3, [1.2, NAN, 1.4], [1.3, 1.25, NAN]) == [[], [], crossed]
    assert reasons([MONDAY] * 2, [NAN, 1.2], [1.3, NAN]) == [[], []]
    assert reasons([MONDAY], [1.4], [NAN], quote=(1.2, 1.3)) == [crossed]
    assert (
        reasons([MONDAY] * 3, [1.2, -1.0, 1.4], [1.5, 1.3, NAN])[2] == []
    )  # the ask of a bad tick is not what was quoted


def test_ticks_of_a_weekend_are_told_where_the_market_rests():
    saturday = to_microseconds("2023-01-07T12:00Z")
    assert reasons([saturday, MONDAY], [1.2] * 2, [1.3] * 2) == [[tick_checks.MARKET_CLOSED], []]
    assert reasons([saturday], [1.2], [1.3], Calendar(rests=False)) == [[]]
    christmas = to_microseconds("2023-12-25T12:00Z")
    assert reasons([christmas], [1.2], [1.3]) == [[]]


def test_time_that_runs_backwards_is_told_and_a_bad_tick_in_the_future_condemns_no_other():
    backwards = [tick_checks.BACKWARDS]
    assert reasons([MONDAY + each for each in (0, 5, 3, 5, 4)], [1.2] * 5, [1.3] * 5) == [
        [],
        [],
        backwards,
        [],
        backwards,
    ]
    assert reasons([MONDAY + 9, MONDAY], [-1.0, 1.2], [1.3] * 2) == [[tick_checks.NOT_POSITIVE], []]
    assert reasons([MONDAY + 9, MONDAY], [1.4, 1.2], [1.3] * 2) == [[tick_checks.ASK_BELOW_BID], []]
    assert reasons([MONDAY, MONDAY + 9], [1.2] * 2, [1.3] * 2, after=MONDAY + 5) == [backwards, []]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-100_000_000_000, 400_000_000_000),
            st.sampled_from([1.1, 1.2, 1.3, 1e-9, 0.0, -1.0, NAN, INF]),
            st.sampled_from([1.1, 1.2, 1.3, 1e9, 0.0, -1.0, NAN, -INF]),
        ),
        min_size=1,
        max_size=40,
    ),
    st.sampled_from(["1m", "1h", "1w"]),
)
def test_bars_can_be_made_of_the_ticks_that_break_no_rule(rows, timeframe):
    time = MONDAY + np.array([offset for offset, _, _ in rows])
    bid, ask = (np.array([row[place] for row in rows]) for place in (1, 2))
    problems = quote_problems(time, bid, ask, FX)
    good = ~np.logical_or.reduce([broken for _, broken in problems])
    made = TickBars("EUR/USD", timeframe)
    closed = made.update(time[good], bid[good], ask[good])
    for bars in (closed, made.finish().bars):
        assert (bars.columns["low"] > 0).all()
        assert np.isfinite(list(bars.columns.values())).all()


@settings(deadline=None)
@given(st.lists(st.sampled_from([(0, 1.1, 1.3), (1, 1.2, NAN), (2, NAN, 1.4), (3, 1.2, 1.3)]), min_size=1), st.data())
def test_a_file_read_in_pieces_is_told_the_same(rows, data):
    time, bid, ask = (np.array([row[place] for row in rows], dtype=float) for place in range(3))
    time = MONDAY + time.astype(np.int64)
    cut = data.draw(st.integers(1, len(rows)))
    whole = reasons(time, bid, ask)
    first = reasons(time[:cut], bid[:cut], ask[:cut])
    good = [row for row, found in enumerate(first) if not found]
    last = tuple(next((side[row] for row in range(cut)[::-1] if not np.isnan(side[row])), NAN) for side in (bid, ask))
    before = {"after": max(int(time[row]) for row in good)} if good else {}
    assert whole == first + reasons(time[cut:], bid[cut:], ask[cut:], quote=last, **before)
