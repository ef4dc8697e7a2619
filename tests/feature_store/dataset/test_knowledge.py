"""What was known when, told from the rows of a history."""

import numpy as np
import pytest

from feature_store.bars import Symbol, Timeframe
from feature_store.dataset.events import NO_TIME
from feature_store.dataset.knowledge import Knowledge
from tests.conftest import random_walk

from .conftest import at, bar, write


def known(*rows):
    """The knowledge of rows (bar open, known_at), which stand in any order."""
    time, known_at = np.array(rows, dtype=np.int64).T
    return Knowledge.in_order(time, known_at)


@pytest.mark.parametrize(
    "rows",
    [
        [(10, 20), (20, 30), (30, 40)],
        [(10, 25), (20, 31), (30, 31)],
        [(10, 99), (20, 99), (30, 99)],
    ],
    ids=["import", "live", "at once"],
)
def test_knowledge_in_order_of_time_is_one_epoch(rows):
    assert known(*rows).breaks.tolist() == []


@pytest.mark.parametrize(
    ("rows", "breaks"),
    [
        ([(10, 20), (10, 50), (20, 30)], [50]),
        ([(10, 20), (20, 50), (30, 40), (40, 60)], [50]),
        ([(10, 50), (20, 50), (30, 40)], [50]),
        ([(10, 20), (20, 50), (30, 40), (40, 50)], [50]),
        ([(10, 20), (10, 20), (20, 30)], []),
    ],
    ids=["a correction", "a late bar", "two late bars at once", "a late bar beside a new one", "two values at once"],
)
def test_what_comes_behind_the_latest_bar_begins_an_epoch(rows, breaks):
    assert known(*rows).breaks.tolist() == breaks


def test_it_reaches_as_far_as_the_latest_bar_known():
    late = known((10, 20), (20, 50), (30, 40))
    assert late.reach(np.array([19, 20, 39, 40, 50, 99])).tolist() == [NO_TIME, 10, 10, 30, 30, 30]


def test_a_row_that_repeats_what_was_known_changes_nothing(kept):
    write(kept, "EUR/USD", random_walk(20))
    write(kept, "EUR/USD", random_walk(20), known_at=30)
    write(kept, "EUR/USD", bar(9.0), first=3, known_at=40)
    write(kept, "EUR/USD", bar(9.0), first=3, known_at=50)
    snapshot = kept.snapshot(Symbol.parse("EUR/USD"), Timeframe.parse("1h"))
    assert len(snapshot.histories()[0]) == 42
    assert Knowledge.of(snapshot).breaks.tolist() == [at(40)]
