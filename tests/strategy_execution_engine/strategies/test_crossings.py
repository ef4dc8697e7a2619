"""The vectorised rules against the plain loops they stand for, on any series with ties and gaps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strategy_execution_engine.strategies.crossings import bars_since, breaks, sides, turns

# few different values, so that ties and returns are common
prices = st.lists(st.sampled_from([1.0, 2.0, 3.0, float("nan")]), max_size=40).map(np.array)


def sides_by_loop(gap):
    held, found = 0, []
    for value in gap:
        held = 0 if np.isnan(value) else held if value == 0 else int(np.sign(value))
        found.append(held)
    return found


def turns_by_loop(side, confirmation):
    found = []
    for t in range(len(side)):
        began = t - confirmation
        whole = began >= 1 and all(s == side[t] for s in side[began : t + 1])
        found.append(side[t] if whole and side[t] != 0 and side[began - 1] == -side[t] else 0)
    return found


@given(prices)
def test_sides_keep_ties_and_forget_at_gaps(fast):
    assert sides(fast, np.full(len(fast), 2.0)).tolist() == sides_by_loop(fast - 2.0)


@given(st.lists(st.sampled_from([-1, 0, 1]), max_size=40), st.integers(0, 5))
def test_a_turn_is_a_change_of_side_that_held(side, confirmation):
    assert turns(np.array(side, dtype=np.int8), confirmation).tolist() == turns_by_loop(side, confirmation)


@given(prices, st.integers(0, 5), st.integers(0, 40))
def test_what_comes_later_changes_no_turn(fast, confirmation, cut):
    slow = np.full(len(fast), 2.0)
    whole = turns(sides(fast, slow), confirmation)
    assert turns(sides(fast[:cut], slow[:cut]), confirmation).tolist() == whole[:cut].tolist()


def test_a_cross_through_a_tie_is_seen_on_the_bar_that_leaves_it():
    fast, slow = np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 2.0])
    assert turns(sides(fast, slow)).tolist() == [0, 0, 1]


def test_coming_out_of_the_unknown_is_no_cross():
    fast, slow = np.array([1.0, np.nan, 3.0]), np.array([2.0, 2.0, 2.0])
    assert turns(sides(fast, slow)).tolist() == [0, 0, 0]


def test_a_break_counts_once_until_the_close_has_been_back_inside():
    close = np.array([1.0, 3.0, 3.1, 1.5, 3.0])
    assert breaks(close, np.full(5, 2.0), np.full(5, 0.5)).tolist() == [0, 1, 0, 0, 1]


def test_a_break_of_a_level_that_was_unknown_a_bar_ago_does_not_count():
    assert breaks(np.array([1.0, 3.0]), np.array([np.nan, 2.0]), np.array([np.nan, 0.5])).tolist() == [0, 0]


@pytest.mark.parametrize("rows", [0, 1])
def test_nothing_happens_on_no_bar_or_one(rows):
    price = np.ones(rows)
    assert not turns(sides(price, price)).any()
    assert not breaks(price, price, price).any()
    assert len(bars_since(price > 2)) == rows
