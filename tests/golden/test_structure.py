"""Market structure against its definitions, read off the whole list of swings known at each bar; swings against TA-Lib too."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
import talib

import feature_store as fs

if TYPE_CHECKING:
    import pandas as pd

PROVEN = {"swing", "market_structure", "break_of_structure", "fib_retracement"}
SIDES = [(2, 2), (1, 3), (5, 1), (7, 10)]


class Swing(NamedTuple):
    """A swing as a list of them has it: the bar it is of, and its price."""

    bar: int
    price: float


def swings(values: np.ndarray, left: int, right: int) -> list[list[Swing]]:
    """For each row from left + right, the swing highs known there, oldest first; the first candidate stands in as the first."""
    found, known = [Swing(left, float(values[left]))], []
    for now in range(left + right, len(values)):
        middle = now - right
        others = np.r_[values[middle - left : middle], values[middle + 1 : now + 1]]
        if middle != left and values[middle] > others.max():
            found = [*found, Swing(middle, float(values[middle]))]
        known.append(found)
    return known


def both_sides(bars: pd.DataFrame, left: int, right: int) -> list[tuple[int, list[Swing], list[Swing]]]:
    tops = swings(bars.high.to_numpy(), left, right)
    bottoms = [[Swing(s.bar, -s.price) for s in each] for each in swings(-bars.low.to_numpy(), left, right)]
    rows = range(left + right, len(bars))
    return list(zip(rows, tops, bottoms, strict=True))


def check(bars: pd.DataFrame, name: str, left: int, right: int, wanted: list[list[float]]) -> None:
    got = fs.compute(bars, [f"{name}_{left}_{right}"]).to_numpy()
    assert np.isnan(got[: left + right]).all()
    np.testing.assert_array_equal(got[left + right :], np.array(wanted))


@pytest.fixture(scope="module")
def bars(eurusd):
    return eurusd.iloc[:1500]


@pytest.mark.parametrize(("left", "right"), SIDES)
def test_swings_are_those_known_at_each_bar(bars, left, right):
    wanted = [
        [tops[-1].price, bottoms[-1].price, row - tops[-1].bar, row - bottoms[-1].bar]
        for row, tops, bottoms in both_sides(bars, left, right)
    ]
    check(bars, "swing", left, right, wanted)


@pytest.mark.parametrize(("left", "right"), SIDES)
def test_swings_are_confirmed_where_talib_has_a_fractal(eurusd, left, right):
    start = left + right + 1  # the row after the stand-in
    got = fs.compute(eurusd, [f"swing_{left}_{right}"]).iloc[start:]
    for ours, theirs in zip(got.columns[2:], talib.FRACTAL(eurusd.high, eurusd.low, left, right), strict=True):
        assert ((got[ours] == right) == (theirs.iloc[start:] == 100)).all()


@pytest.mark.parametrize(("left", "right"), SIDES)
def test_structure_compares_the_last_two_swings(bars, left, right):
    wanted = []
    for _, tops, bottoms in both_sides(bars, left, right):
        high = np.sign(tops[-1].price - tops[-2].price) if len(tops) > 1 else 0
        low = np.sign(bottoms[-1].price - bottoms[-2].price) if len(bottoms) > 1 else 0
        wanted.append([float(flag) for flag in (high > 0, low > 0, high < 0, low < 0)])
    check(bars, "market_structure", left, right, wanted)


@pytest.mark.parametrize(("left", "right"), SIDES)
def test_a_swing_is_broken_by_the_first_close_beyond_it(bars, left, right):
    close, broken, direction, wanted = bars.close.to_numpy(), set(), 0.0, []
    for row, tops, bottoms in both_sides(bars, left, right):
        value = 0.0
        if close[row] > tops[-1].price and ("high", tops[-1].bar) not in broken:
            broken.add(("high", tops[-1].bar))
            value = 1.0
        elif close[row] < bottoms[-1].price and ("low", bottoms[-1].bar) not in broken:
            broken.add(("low", bottoms[-1].bar))
            value = -1.0
        change = float(value != 0 and value == -direction)
        direction = value or direction
        wanted.append([value, change, direction])
    check(bars, "break_of_structure", left, right, wanted)
    assert {-1.0, 0.0, 1.0} == {row[0] for row in wanted}


def last_leg(tops: list[Swing], bottoms: list[Swing], right: int) -> tuple[float, float]:
    """Thin the swings out to a chain of highs and lows in turn, each the furthest of its run."""
    chain = [(bottoms[0].price, "low"), (tops[0].price, "high")]
    later = [(s.bar + right, 0, s.price, "high") for s in tops[1:]] + [
        (s.bar + right, 1, s.price, "low") for s in bottoms[1:]
    ]
    for _, _, price, kind in sorted(later):
        end_price, end_kind = chain[-1]
        beyond = price > end_price if kind == "high" else price < end_price
        if beyond and kind == end_kind:
            chain[-1] = (price, kind)
        elif beyond:
            chain.append((price, kind))
    return chain[-2][0], chain[-1][0]


@pytest.mark.parametrize(("left", "right"), SIDES)
def test_retracements_are_shares_of_the_last_leg(bars, left, right):
    wanted = []
    for _, tops, bottoms in both_sides(bars.iloc[:500], left, right):
        start, end = last_leg(tops, bottoms, right)
        wanted.append([end + (start - end) * share for share in (0.236, 0.382, 0.5, 0.618, 0.786)])
    got = fs.compute(bars.iloc[:500], [f"fib_retracement_{left}_{right}"]).to_numpy()
    np.testing.assert_allclose(got[left + right :], wanted, rtol=1e-15)


def test_a_market_that_only_rises_has_no_swings_and_an_early_bar_stands_in():
    high = np.arange(10.0, 30.0)
    got = fs.compute({"high": high, "low": high - 1.0}, ["swing_2_2", "market_structure_2_2"]).iloc[-1]
    # by hand: the first value is at row 4, two bars before it are 12 and 11, seventeen bars before row 19
    assert got.tolist() == [12.0, 11.0, 17.0, 17.0, 0.0, 0.0, 0.0, 0.0]


def test_equal_tops_beside_each_other_are_no_swing():
    # by hand: row 1 stands in; the tops at rows 2 and 3 tie; row 7 stands alone and is known at row 8
    high = np.array([1.0, 2.0, 4.0, 4.0, 2.0, 1.0, 2.0, 3.0, 2.0])
    got = fs.compute({"high": high, "low": high - 1.0}, ["swing_1_1"])
    assert got["swing_1_1.high"].tolist()[2:] == [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 3.0]
    assert got["swing_1_1.high_bars"].tolist()[2:] == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 1.0]


def test_a_break_against_the_last_is_a_change_of_character():
    # by hand, sides 1 and 1: the high 5 of row 1 is closed above at row 3; the low 3 of row 4, known at row 5, below at row 6
    bars = {
        "high": [2.0, 5.0, 3.0, 7.0, 6.0, 6.5, 4.0],
        "low": [1.0, 2.0, 1.5, 4.0, 3.0, 3.5, 2.0],
        "close": [2.0, 4.0, 2.0, 6.0, 4.0, 5.0, 2.5],
    }
    got = fs.compute(bars, ["break_of_structure_1_1"]).iloc[2:].to_numpy().tolist()
    assert got == [[0, 0, 0], [1, 0, 1], [0, 0, 1], [0, 0, 1], [-1, 1, -1]]
