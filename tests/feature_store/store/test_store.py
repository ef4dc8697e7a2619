"""What every store does, asked of each."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from feature_store.bars import Symbol, Timeframe
from feature_store.store.buckets import ALL
from feature_store.store.delta import DeltaStore
from feature_store.store.memory import MemoryStore
from feature_store.store.protocol import FeatureBlock, Series

from .conftest import EURUSD, HOUR, MONDAY, arrivals, closes, hour, read


def test_an_empty_store_holds_nothing(store):
    assert store.series() == []
    assert store.snapshot(EURUSD, HOUR) is None


def test_rows_in_any_order_come_back_in_order(store):
    assert store.write(EURUSD, HOUR, arrivals([3, 0, 2], [13.0, 10.0, 12.0])) == 3
    assert closes(store) == {0: 10.0, 2: 12.0, 3: 13.0}
    bars = read(store)
    assert list(bars.columns) == ["open", "high", "low", "close", "tick_volume"]
    assert bars.columns["high"].tolist() == [11.0, 13.0, 14.0]


def test_a_range_takes_its_start_and_leaves_its_end(store):
    store.write(EURUSD, HOUR, arrivals(range(5), range(5)))
    assert list(closes(store, start=hour(1), end=hour(3))) == [1, 2]
    assert list(closes(store, start=hour(1) + 1)) == [2, 3, 4]
    assert list(closes(store, end=hour(0))) == []
    assert list(closes(store, start=hour(9))) == []


def test_repeating_a_write_adds_nothing(store):
    rows = arrivals(range(5), range(5), spread=[0.1, np.nan, 0.2, 0.3, 0.4])
    assert store.write(EURUSD, HOUR, rows) == 5
    before = store.snapshot(EURUSD, HOUR).edition
    assert store.write(EURUSD, HOUR, rows) == 0
    assert store.write(EURUSD, HOUR, rows.take(np.array([4, 1]))) == 0
    assert store.snapshot(EURUSD, HOUR).edition == before


def test_a_correction_shows_from_the_moment_it_was_known(store):
    store.write(EURUSD, HOUR, arrivals([0, 1], [10.0, 11.0]))
    assert store.write(EURUSD, HOUR, arrivals([0], [20.0], known_at=5)) == 1
    assert closes(store, as_of=4) == {0: 10.0, 1: 11.0}
    assert closes(store, as_of=5) == {0: 20.0, 1: 11.0}
    assert closes(store) == {0: 20.0, 1: 11.0}


def test_nothing_is_seen_before_its_bar_closed(store):
    store.write(EURUSD, HOUR, arrivals([0, 1], [10.0, 11.0]))
    assert closes(store, as_of=0) == {}
    assert closes(store, as_of=1) == {0: 10.0}
    assert closes(store, as_of=1.999) == {0: 10.0}


def test_the_latest_known_wins_whatever_the_order_of_arrival(store):
    store.write(EURUSD, HOUR, arrivals([0], [30.0], known_at=30))
    store.write(EURUSD, HOUR, arrivals([0], [10.0], known_at=10))
    store.write(EURUSD, HOUR, arrivals([0], [20.0], known_at=20))
    assert [closes(store, as_of=k).get(0) for k in (9, 10, 20, 29, 30, None)] == [None, 10.0, 20.0, 20.0, 30.0, 30.0]


def test_of_equal_known_times_the_later_arrival_wins_and_an_older_one_may_come_back(store):
    for value in (10.0, 20.0, 10.0):
        assert store.write(EURUSD, HOUR, arrivals([0], [value], known_at=5)) == 1
        assert closes(store) == {0: value}


def test_a_value_confirmed_later_outlives_a_correction_learned_in_between(store):
    store.write(EURUSD, HOUR, arrivals([0], [10.0], known_at=1))
    store.write(EURUSD, HOUR, arrivals([0], [10.0], known_at=9))
    store.write(EURUSD, HOUR, arrivals([0], [20.0], known_at=5))
    assert [closes(store, as_of=k)[0] for k in (1, 5, 9)] == [10.0, 20.0, 10.0]


def test_a_value_that_is_absent_differs_from_one_that_is_there(store):
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    assert store.write(EURUSD, HOUR, arrivals([1], [2.0], spread=[0.5])) == 1
    bars = read(store)
    assert np.array_equal(bars.columns["spread"], [np.nan, 0.5], equal_nan=True)
    assert store.write(EURUSD, HOUR, arrivals([1], [2.0], spread=[0.5])) == 0


def test_quotes_of_both_sides_are_kept(store):
    sides = {
        f"{side}_{price}": [n + 0.25]
        for n, side in enumerate(("bid", "ask"))
        for price in ("open", "high", "low", "close")
    }
    store.write(EURUSD, HOUR, arrivals([0], [1.0], spread=[1.0], **sides))
    bars = read(store)
    assert {name: bars.columns[name].tolist() for name in sides} == sides
    assert bars.columns["spread"].tolist() == [1.0]


def test_symbols_and_timeframes_do_not_mix(store):
    day = Timeframe.parse("1d")
    btc, other = Symbol.parse("BTC/USD"), Symbol.parse("BTCUSD")
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 1.5]))
    store.write(btc, HOUR, arrivals([0], [2.0]))
    store.write(other, HOUR, arrivals([0], [3.0]))
    store.write(EURUSD, day, arrivals([0], [4.0], timeframe=day))
    assert closes(store) == {0: 1.0, 1: 1.5}
    assert read(store, btc, HOUR).columns["close"].tolist() == [2.0]
    assert read(store, other, HOUR).columns["close"].tolist() == [3.0]
    first, second = datetime(2023, 1, 2, tzinfo=UTC), datetime(2023, 1, 2, 1, tzinfo=UTC)
    assert store.series() == [
        Series("BTC/USD", "1h", 1, first, first),
        Series("BTCUSD", "1h", 1, first, first),
        Series("EUR/USD", "1h", 2, first, second),
        Series("EUR/USD", "1d", 1, first, first),
    ]


def test_the_list_of_series_counts_bars_not_corrections(store):
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    store.write(EURUSD, HOUR, arrivals([0, 2], [3.0, 4.0], known_at=9))
    assert [series.rows for series in store.series()] == [3]


def test_every_added_row_makes_another_edition(store):
    store.write(EURUSD, HOUR, arrivals([1], [1.0]))
    one = store.snapshot(EURUSD, HOUR).edition
    assert (one.rows, one.latest_known_at, one.first) == (1, hour(2), hour(1))
    store.write(EURUSD, HOUR, arrivals([0], [1.0], known_at=9))
    two = store.snapshot(EURUSD, HOUR).edition
    assert (two.rows, two.latest_known_at, two.first) == (2, hour(9), hour(0))


def test_a_snapshot_stays_as_it_was_whatever_is_written_after_it(store):
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    snapshot = store.snapshot(EURUSD, HOUR)
    for n in range(2, 5):
        store.write(EURUSD, HOUR, arrivals([n, 0], [n, 9.0 + n], known_at=n + 10))
        closes(store)
    assert snapshot.read().columns["close"].tolist() == [1.0, 2.0]
    assert snapshot.edition.rows == 2
    assert closes(store) == {0: 13.0, 1: 2.0, 2: 2.0, 3: 3.0, 4: 4.0}


def test_minutes_of_several_years_read_as_one_series(store):
    minute = Timeframe.parse("1m")
    year = 365 * 24 * 60
    steps = [0, 1, year - 1, year, year + 1, 2 * year]
    rows = arrivals(steps, range(6), timeframe=minute, start=MONDAY - 86_400_000_000)
    assert store.write(EURUSD, minute, rows) == 6
    assert store.write(EURUSD, minute, rows) == 0
    bars = read(store, EURUSD, minute)
    assert bars.time.tolist() == sorted(rows.time.tolist())
    assert read(store, EURUSD, minute, int(rows.time[2]), int(rows.time[4]), None).columns["close"].tolist() == [
        2.0,
        3.0,
    ]
    assert read(store, EURUSD, minute, int(rows.time[2]), int(rows.time[4]), int(rows.time[3])).columns[
        "close"
    ].tolist() == [2.0]


def test_a_column_of_some_years_only_is_absent_in_the_others(store):
    minute, year = Timeframe.parse("1m"), 365 * 24 * 60
    store.write(EURUSD, minute, arrivals([0], [1.0], timeframe=minute))
    store.write(EURUSD, minute, arrivals([year], [2.0], timeframe=minute, spread=[0.5]))
    spread = read(store, EURUSD, minute).columns["spread"]
    assert np.array_equal(spread, [np.nan, 0.5], equal_nan=True)


def test_nobody_can_change_what_is_kept_through_what_was_read(store):
    store.write(EURUSD, HOUR, arrivals([0, 1], [1.0, 2.0]))
    with pytest.raises(ValueError, match="read-only"):
        read(store).columns["close"][0] = 9.0
    assert closes(store) == {0: 1.0, 1: 2.0}


def test_what_was_handed_in_may_be_changed_afterwards(store):
    rows = arrivals([0, 1], [1.0, 2.0])
    store.write(EURUSD, HOUR, rows)
    rows.columns["close"][:] = 9.0
    assert closes(store) == {0: 1.0, 1: 2.0}


# ---------------------------------------------------------------- feature sets
def block(hours, **columns):
    time = MONDAY + np.asarray(hours, dtype=np.int64) * HOUR.microseconds
    return FeatureBlock(
        time, time + HOUR.microseconds, {name: np.asarray(c, dtype=float) for name, c in columns.items()}
    )


def test_a_feature_set_gives_back_the_bits_that_it_was_made_to_hold_last(store):
    assert store.features.read(EURUSD, HOUR, "set") is None
    odd = np.array([np.nan, -0.0, 5e-324, np.inf])
    first = block(range(4), **{"macd_12_26_9.line": odd, "atr_14@4h": odd[::-1]})
    assert store.features.hold(EURUSD, HOUR, "set", ALL, first) == 4
    assert store.features.hold(EURUSD, HOUR, "set", ALL, first) == 0
    line, atr = [np.nan, 7, 5e-324, np.inf, 8], [np.inf, 9, -0.0, np.nan, 10]
    changed = block(range(5), **{"macd_12_26_9.line": line, "atr_14@4h": atr})
    assert store.features.hold(EURUSD, HOUR, "set", ALL, changed) == 2
    held = store.features.read(EURUSD, HOUR, "set")
    assert held.time.tolist() == [hour(n) for n in range(5)]
    assert held.available_at.tolist() == [hour(n + 1) for n in range(5)]
    expected = np.array([np.nan, 7, 5e-324, np.inf, 8])
    assert held.columns["macd_12_26_9.line"].view(np.int64).tolist() == expected.view(np.int64).tolist()
    assert held.columns["atr_14@4h"][[1, 4]].tolist() == [9, 10]


def test_the_state_of_a_feature_set_is_another_word_after_each_change(store):
    states = [store.features.state(EURUSD, HOUR, "set", ALL)]
    for values in ([1], [1], [2], [1]):
        store.features.hold(EURUSD, HOUR, "set", ALL, block([0], a=values))
        states.append(store.features.state(EURUSD, HOUR, "set", ALL))
    assert states[0] == ""
    assert states[1] == states[2] != ""
    assert states[2] != states[3] != states[4]
    assert store.features.state(EURUSD, HOUR, "other", ALL) == ""


def test_feature_sets_and_symbols_do_not_mix(store):
    other = Symbol.parse("GBP/USD")
    store.features.hold(EURUSD, HOUR, "one", ALL, block([0], a=[1]))
    store.features.hold(other, HOUR, "one", ALL, block([0], a=[2]))
    store.features.hold(EURUSD, HOUR, "two", ALL, block([0], b=[3]))
    assert store.features.read(EURUSD, HOUR, "one").columns["a"].tolist() == [1]
    assert store.features.read(other, HOUR, "one").columns["a"].tolist() == [2]
    assert store.features.read(EURUSD, HOUR, "two").columns["b"].tolist() == [3]
    assert store.features.read(other, HOUR, "two") is None


# ---------------------------------------------------------------- against a naive replay of all arrivals
class Replay:
    """Remembers every arrival and answers by going through them."""

    def __init__(self):
        self.arrivals = []

    def write(self, hours, value, known_at):
        self.arrivals += [(n, n + 1 if known_at is None else known_at, value) for n in hours]

    def closes(self, as_of):
        winners = {}
        for n, known_at, value in self.arrivals:
            if (as_of is None or known_at <= as_of) and known_at >= winners.get(n, (0, 0))[0]:
                winners[n] = known_at, value
        return {n: value for n, (_, value) in sorted(winners.items())}


batches = st.tuples(
    st.sets(st.integers(0, 5), min_size=1),
    st.sampled_from([1.0, 2.0]),
    st.one_of(st.none(), st.integers(6, 10)),
)


class AsOf(RuleBasedStateMachine):
    """Any arrivals in any order, each of them repeated."""

    make = MemoryStore

    @initialize()
    def begin(self):
        self.store, self.replay = self.make(), Replay()

    @rule(batch=batches)
    def write(self, batch):
        hours, value, known_at = batch
        rows = arrivals(sorted(hours), value, known_at)
        self.store.write(EURUSD, HOUR, rows)
        self.replay.write(hours, value, known_at)
        assert self.store.write(EURUSD, HOUR, rows) == 0

    @rule(as_of=st.one_of(st.none(), st.integers(0, 11)))
    def read(self, as_of):
        assert closes(self.store, as_of) == self.replay.closes(as_of)

    @invariant()
    def now_is_what_the_replay_says(self):
        assert closes(self.store) == self.replay.closes(None)

    def teardown(self):
        self.store.close()


def test_as_of_equals_a_naive_replay_in_memory():
    run_state_machine_as_test(AsOf, settings=settings(max_examples=150, stateful_step_count=15, deadline=None))


def test_as_of_equals_a_naive_replay_on_disk(tmp_path_factory):
    class OnDisk(AsOf):
        @staticmethod
        def make():
            return DeltaStore(tmp_path_factory.mktemp("market"))

        @rule()
        def reopen(self):
            self.store.close()
            self.store = DeltaStore(self.store.home)

        @rule(as_of=st.one_of(st.none(), st.integers(0, 11)))
        def read_beside(self, as_of):
            assert closes(DeltaStore(self.store.home), as_of) == self.replay.closes(as_of)

    run_state_machine_as_test(OnDisk, settings=settings(max_examples=12, stateful_step_count=10, deadline=None))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(st.lists(batches, max_size=12), st.integers(0, 11), st.integers(0, 6), st.integers(0, 6))
def test_a_range_is_a_slice_of_the_whole(written, as_of, first, last):
    store = MemoryStore()
    for hours, value, known_at in written:
        store.write(EURUSD, HOUR, arrivals(sorted(hours), value, known_at))
    whole = closes(store, as_of)
    part = closes(store, as_of, start=hour(first), end=hour(last))
    assert part == {n: value for n, value in whole.items() if first <= n < last}
