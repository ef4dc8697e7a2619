"""Whatever arrives in whatever order, every store answers as going through all arrivals one by one does.

Originals, corrections, deletions, rows written again, ties of `known_at`; reads as of any moment and of any range; pins taken
at any time and read at any later one; rows moved to the history, put together, reopened, and read by somebody else.
"""

import math
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from feature_store.bars import Timeframe
from feature_store.store.delta import DeltaStore
from feature_store.store.memory import MemoryStore
from feature_store.store.pinned import PinnedStore

from .conftest import EURUSD, MONDAY, arrivals, committing

MINUTE = Timeframe.parse("1m")
START = MONDAY - 86_400_000_000  # Sunday, where a bucket ends
STEPS = (0, 1, 2, 1440, 1441, 1442)  # three minutes before the FX week opens in another bucket, three after it
LATE = 1500


def moment(step):
    return int(START + step * MINUTE.microseconds)


class Replay:
    """Remembers every row that was new, in order, and answers by going through them."""

    def __init__(self, rows=()):
        self.rows = list(rows)

    def write(self, steps, value, known_at):
        """Return how many rows are new."""
        before = len(self.rows)
        for step in steps:
            known = step + 1 if known_at is None else known_at
            same = [held for at, k, held in self.rows if (at, k) == (step, known)]
            if not (same and (same[-1] == value or (math.isnan(same[-1]) and math.isnan(value)))):
                self.rows.append((step, known, value))
        return len(self.rows) - before

    def closes(self, as_of=None, start=None, end=None):
        winners = {}
        for step, known, value in self.rows:
            if (as_of is None or known <= as_of) and known >= winners.get(step, (-1, 0))[0]:
                winners[step] = known, value
        return {
            step: value
            for step, (_, value) in sorted(winners.items())
            if not math.isnan(value) and (start is None or step >= start) and (end is None or step < end)
        }


def closes(store, as_of=None, start=None, end=None):
    snapshot = store.snapshot(EURUSD, MINUTE)
    if snapshot is None:
        return {}
    bars = snapshot.read(*(None if each is None else moment(each) for each in (start, end, as_of)))
    steps = ((bars.time - START) // MINUTE.microseconds).tolist()
    return dict(zip(steps, bars.columns["close"].tolist(), strict=True))


steps = st.sets(st.sampled_from(STEPS), min_size=1).map(sorted)
values = st.sampled_from([1.0, 2.0, math.nan])
knowns = st.one_of(st.none(), st.integers(LATE, LATE + 3))
moments = st.one_of(st.none(), st.sampled_from([*STEPS, *range(LATE - 1, LATE + 5)]))
edges = st.one_of(st.none(), st.sampled_from([*STEPS, 700, 2000]))


class Bitemporal(RuleBasedStateMachine):
    """Any arrivals in any order, and everything else that may happen to a store in between."""

    make = MemoryStore

    @initialize()
    def begin(self):
        self.store, self.replay, self.pins = self.make(), Replay(), []
        self.reader = None if isinstance(self.store, MemoryStore) else DeltaStore(self.store.home)

    @rule(steps=steps, value=values, known_at=knowns, again=st.booleans())
    def write(self, steps, value, known_at, again):
        rows = arrivals(steps, value, timeframe=MINUTE, start=START)
        if known_at is not None:
            rows.known_at[:] = moment(known_at)
        assert self.store.write(EURUSD, MINUTE, rows) == self.replay.write(steps, value, known_at)
        if again:
            assert self.store.write(EURUSD, MINUTE, rows) == 0

    @rule(as_of=moments, start=edges, end=edges)
    def read(self, as_of, start, end):
        assert closes(self.store, as_of, start, end) == self.replay.closes(as_of, start, end)

    @precondition(lambda self: self.replay.rows)
    @rule()
    def pin(self):
        self.pins.append((self.store.snapshot(EURUSD, MINUTE), Replay(self.replay.rows)))

    @precondition(lambda self: self.pins)
    @rule(data=st.data(), as_of=moments, start=edges, end=edges)
    def read_a_pin(self, data, as_of, start, end):
        held, replay = data.draw(st.sampled_from(self.pins))
        expected = replay.closes(as_of, start, end)
        pinned = PinnedStore(self.store, {(EURUSD.name, MINUTE.name): held.pin})
        snapshot = pinned.snapshot(EURUSD, MINUTE)
        assert closes(pinned, as_of, start, end) == expected
        assert (snapshot.pin, snapshot.edition, snapshot.spans) == (held.pin, held.edition, held.spans)
        assert [series.rows for series in pinned.series()] == [len(replay.closes())]
        bars = held.read(*(None if each is None else moment(each) for each in (start, end, as_of)))
        assert bars.columns["close"].tolist() == list(expected.values())

    @rule()
    def flush(self):
        self.store.flush()

    @rule()
    def compact(self):
        self.store.compact()

    @invariant()
    def now_is_what_the_replay_says(self):
        assert closes(self.store) == self.replay.closes()
        assert [series.rows for series in self.store.series()] == [len(self.replay.closes())] * bool(self.replay.rows)
        if self.replay.rows:
            edition = self.store.snapshot(EURUSD, MINUTE).edition
            assert edition.rows == len(self.replay.rows)
            assert edition.first == moment(min(step for step, _, _ in self.replay.rows))
            assert edition.latest_known_at == moment(max(known for _, known, _ in self.replay.rows))

    def teardown(self):
        self.store.close()


class InAFolder(Bitemporal):
    """As above, and what only a store on disk has: other readers, restarts, files that go away."""

    @rule(as_of=moments)
    def read_beside(self, as_of):
        assert closes(self.reader, as_of) == self.replay.closes(as_of)
        assert closes(DeltaStore(self.store.home), as_of) == self.replay.closes(as_of)

    @rule()
    def compact_and_let_go(self):
        self.store.compact(retention=timedelta(0))

    @rule()
    def reopen(self):
        self.store.close()
        self.store = DeltaStore(self.store.home, few_rows=self.store._few_rows)

    @rule(steps=steps)
    def write_as_others_do(self, steps):
        other = DeltaStore(self.store.home, few_rows=0 if self.store._few_rows else 1000)
        assert other.write(EURUSD, MINUTE, arrivals(steps, 3.0, timeframe=MINUTE, start=START)) == self.replay.write(
            steps, 3.0, None
        )
        other.close()


def test_in_memory():
    run_state_machine_as_test(Bitemporal, settings=settings(max_examples=100, stateful_step_count=25, deadline=None))


FOLDERS = {
    "tail": DeltaStore,
    "history": committing,
    "tail and history": lambda home: DeltaStore(home, few_rows=2),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_in_a_folder(kind, tmp_path_factory):
    class Folder(InAFolder):
        @staticmethod
        def make():
            return FOLDERS[kind](tmp_path_factory.mktemp("market"))

    checks = [HealthCheck.too_slow, HealthCheck.data_too_large]
    run_state_machine_as_test(
        Folder, settings=settings(max_examples=20, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    )


def test_a_replay_of_rows_is_itself_right():
    replay = Replay()
    assert replay.write([0, 1], 1.0, None) == 2
    assert replay.write([0], 1.0, None) == 0
    assert replay.write([0], 2.0, LATE) == 1
    assert replay.write([1], math.nan, LATE) == 1
    assert (replay.closes(1), replay.closes(2), replay.closes()) == ({0: 1.0}, {0: 1.0, 1: 1.0}, {0: 2.0})
    assert np.isnan(replay.rows[-1][2])
