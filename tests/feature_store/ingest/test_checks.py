from contextlib import closing

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.bars import Symbol, Timeframe
from feature_store.ingest import checks
from feature_store.ingest.checks import Rules
from feature_store.ingest.frames import table_of
from feature_store.ingest.given import Given
from feature_store.ingest.moments import moments
from feature_store.times import to_microseconds

EURUSD, HOUR = Symbol.parse("EUR/USD"), Timeframe.parse("1h")
NOW = to_microseconds("2024-01-01")
GOOD = {"time": "2023-01-03 10:00", "open": 1.2, "high": 1.4, "low": 1.1, "close": 1.3, "tick_volume": 5.0}
NEXT = {**GOOD, "time": "2023-01-03 11:00"}


def sort_out(*rows, symbol=EURUSD, timeframe=HOUR, known_at=None, now=NOW, given=None, held=100):
    columns = {name: [row.get(name) for row in rows] for name in dict.fromkeys(n for row in rows for n in row)}
    frame = pl.DataFrame({name: pl.Series(values, strict=False) for name, values in columns.items()})
    known = None if known_at is None else to_microseconds(known_at)
    table = table_of(frame)
    with closing(Given()) as nothing:
        rules = Rules(symbol, timeframe, known, "s", now)
        return rules.check(table, moments(table.time()), given or nothing, held)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"time": "yesterday"}, checks.UNREADABLE_TIME),
        ({"time": None}, checks.UNREADABLE_TIME),
        ({"time": "2023-01-03 10:30"}, "time is not the open of a 1h bar"),
        ({"open": None}, checks.NOT_FINITE),
        ({"close": float("nan")}, checks.NOT_FINITE),
        ({"high": float("inf")}, checks.NOT_FINITE),
        ({"low": 0.0}, checks.NOT_POSITIVE),
        ({"low": -1.0}, checks.NOT_POSITIVE),
        ({"high": 1.0}, checks.HIGH_BELOW_LOW),
        ({"open": 1.5}, checks.OUTSIDE),
        ({"close": 1.0}, checks.OUTSIDE),
        ({"tick_volume": -1.0}, checks.BAD_VOLUME),
        ({"tick_volume": float("inf")}, checks.BAD_VOLUME),
        ({"spread": -0.1}, checks.BAD_SPREAD),
        ({"spread_mean": -0.1}, checks.BAD_SPREAD),
        ({"spread_max": float("inf")}, checks.BAD_SPREAD),
        ({"bid_open": -1.0}, "bid prices break the rules of a bar"),
        ({"ask_open": 1.0, "ask_high": 0.9, "ask_low": 0.8, "ask_close": 0.9}, "ask prices break the rules of a bar"),
        ({"time": "2023-01-07 12:00"}, checks.MARKET_CLOSED),
        ({"time": "2023-01-06 22:00"}, checks.MARKET_CLOSED),
        ({"time": "2023-01-08 21:00"}, checks.MARKET_CLOSED),
        ({"time": "2024-01-02 10:00"}, checks.FORMING),
        ({"known_at": "2023-01-03 10:59"}, checks.FORMING),
        ({"known_at": "soon"}, checks.UNREADABLE_KNOWN_AT),
    ],
)
def test_a_row_that_breaks_a_rule_is_quarantined_with_the_reason_and_its_values(change, reason):
    row = {**GOOD, **change}
    done = sort_out(NEXT, row)
    (rejected,) = done.quarantined
    assert (rejected.row, rejected.reason) == (1, reason)
    assert {name: rejected.values[name] for name in row}.keys() == row.keys()
    assert len(done.arrivals) == 1
    assert reason in str(rejected)


@pytest.mark.parametrize(
    "change",
    [
        {"tick_volume": None},
        {"tick_volume": 0.0},
        {"spread": 0.0},
        {"spread": None},
        {"open": 1.4, "close": 1.1},
        {"open": 1.2, "high": 1.2, "low": 1.2, "close": 1.2},
        {"time": "2023-01-06 21:00"},  # the week's last hour
        {"time": "2023-01-08 22:00"},  # and its first
        {"time": "2022-12-26 03:00"},  # some brokers quote on holidays
        {"bid_open": None},
        {"known_at": "2023-01-03 11:00"},
        {"known_at": None},
    ],
)
def test_what_breaks_no_rule_is_kept(change):
    done = sort_out({**GOOD, **change})
    assert (len(done.arrivals), done.quarantined) == (1, ())


def test_what_is_no_currency_pair_may_trade_on_a_saturday():
    done = sort_out({**GOOD, "time": "2023-01-07 12:00"}, symbol=Symbol.parse("BTC/USD"))
    assert len(done.arrivals) == 1


def test_a_brokers_day_is_kept_if_any_of_it_meets_the_week():
    day = Timeframe.parse("1d")
    rows = [{**GOOD, "time": f"2023-01-{date:02}"} for date in range(6, 10)]  # Friday to Monday
    done = sort_out(*rows, timeframe=day)
    assert [rejected.row for rejected in done.quarantined] == [1]
    assert len(sort_out({**GOOD, "time": "2023-01-08"}, timeframe=Timeframe.parse("1w")).arrivals) == 1


def test_knowledge_is_assumed_at_the_close_unless_it_is_told():
    assumed = sort_out(GOOD).arrivals
    assert assumed.known_at.tolist() == assumed.available_at.tolist() == [to_microseconds("2023-01-03T11:00:00Z")]
    assert assumed.assumed.all()
    told = sort_out(GOOD, known_at="2023-02-01").arrivals
    assert told.known_at.tolist() == [to_microseconds("2023-02-01")]
    assert not told.assumed.any()


def test_a_column_of_knowledge_times_is_heeded_where_it_has_a_value():
    done = sort_out({**GOOD, "known_at": "2023-02-01"}, {**NEXT, "known_at": None}).arrivals
    assert done.known_at.tolist() == [to_microseconds("2023-02-01"), to_microseconds("2023-01-03T12:00:00Z")]
    assert done.assumed.tolist() == [False, True]
    assert sort_out({**GOOD, "known_at": "2023-02-01"}, known_at="2023-03-01").arrivals.known_at[0] == to_microseconds(
        "2023-03-01"
    )


def test_a_row_that_stands_twice_is_a_duplicate():
    done = sort_out(GOOD, NEXT, GOOD)
    assert (len(done.arrivals), done.repeated, done.quarantined) == (2, 1, ())


def test_a_time_that_stands_twice_with_other_values_is_quarantined_and_the_first_row_kept():
    done = sort_out(GOOD, {**GOOD, "close": 1.25}, {**GOOD, "spread": 1.0})
    assert [(rejected.row, rejected.reason) for rejected in done.quarantined] == [
        (1, checks.REPEATED),
        (2, checks.REPEATED),
    ]
    assert done.arrivals.columns["close"].tolist() == [1.3]


def test_one_time_with_two_knowledge_times_is_a_bar_and_its_correction():
    done = sort_out({**GOOD, "known_at": "2023-02-02"}, {**GOOD, "close": 1.25, "known_at": "2023-02-01"})
    assert (len(done.arrivals), done.quarantined) == (2, ())


def test_a_bad_row_does_not_hide_a_good_one_of_the_same_time():
    done = sort_out({**GOOD, "high": 1.0}, GOOD)
    assert (len(done.arrivals), len(done.quarantined)) == (1, 1)


def test_no_rows_are_no_trouble():
    table = table_of({name: [] for name in GOOD})
    with closing(Given()) as given:
        done = Rules(EURUSD, HOUR, None, "", NOW).check(table, moments(table.time()), given)
    assert (len(done.arrivals), done.repeated, done.quarantined) == (0, 0, ())


prices = st.one_of(st.floats(0.5, 2.0), st.sampled_from([0.0, -1.0, float("nan"), float("inf")]))
rows = st.fixed_dictionaries(
    {
        "time": st.one_of(
            st.sampled_from(["x", None]),
            st.integers(0, 400).map(lambda n: f"2023-01-{1 + n // 48:02} {n // 2 % 24:02}:{n % 2 * 30:02}"),
        ),
        **dict.fromkeys(("open", "high", "low", "close", "tick_volume"), prices),
    }
)


@settings(deadline=None)
@given(st.lists(rows, min_size=1, max_size=30), st.randoms(use_true_random=False))
def test_every_row_is_accounted_for_and_what_is_kept_is_a_bar(written, random):
    written = written + random.choices(written, k=3)
    done = sort_out(*written)
    assert len(done.arrivals) + done.repeated + len(done.quarantined) == len(written)
    kept = done.arrivals
    assert (np.diff(kept.time) > 0).all()
    open_, high, low, close = (kept.columns[name] for name in ("open", "high", "low", "close"))
    assert (low > 0).all()
    assert (low <= np.minimum(open_, close)).all()
    assert (np.maximum(open_, close) <= high).all()
    assert (kept.time % HOUR.microseconds == 0).all()
