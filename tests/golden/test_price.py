"""Prices and candle parts against TA-Lib 0.8.2, and by hand where it has none."""

from __future__ import annotations

import math

import pytest
import talib

import feature_store as fs
from tests.golden.talib_case import Case, check_case

CASES = {
    "hl2": Case(("hl2",), lambda b: talib.MEDPRICE(b.high, b.low)),
    "hlc3": Case(("hlc3",), lambda b: talib.TYPPRICE(b.high, b.low, b.close)),
    "ohlc4": Case(("ohlc4",), lambda b: talib.AVGPRICE(b.open, b.high, b.low, b.close)),
    "wclprice": Case(("wclprice",), lambda b: talib.WCLPRICE(b.high, b.low, b.close)),
    "heikin_ashi": Case(
        ("heikin_ashi.open", "heikin_ashi.high", "heikin_ashi.low", "heikin_ashi.close"),
        lambda b: talib.HA(b.open, b.high, b.low, b.close),
    ),
    "returns": Case(("returns_5",), lambda b: talib.ROCP(b.close, 5)),
}
BY_HAND = {
    # a bar that rose from 1.0 to 1.5 and one that fell from 2.0 to 1.0, between 0.5 and 3.0
    "body": [1.5 - 1.0, 1.0 - 2.0],
    "upper_shadow": [3.0 - 1.5, 3.0 - 2.0],
    "lower_shadow": [1.0 - 0.5, 1.0 - 0.5],
    "ibs": [(1.5 - 0.5) / 2.5, (1.0 - 0.5) / 2.5],
    "gap": [math.nan, 2.0 - 1.5],
}
PROVEN = set(BY_HAND)
BARS = {"open": [1.0, 2.0], "high": [3.0, 3.0], "low": [0.5, 0.5], "close": [1.5, 1.0]}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


@pytest.mark.parametrize("name", BY_HAND)
def test_parts_of_candles_are_those_calculated_by_hand(name):
    got = fs.compute(BARS, [name])[name].tolist()
    assert got == pytest.approx(BY_HAND[name], nan_ok=True)


def test_a_bar_without_range_closes_in_its_middle():
    flat = {"high": [1.0], "low": [1.0], "close": [1.0]}
    assert fs.compute(flat, ["ibs"])["ibs"].tolist() == [0.5]


def test_what_the_first_smoothed_candle_opened_at_halves_every_bar(walk):
    here = fs.compute(walk, ["heikin_ashi.open"])["heikin_ashi.open"].to_numpy()
    moved = walk.copy()
    moved.loc[moved.index[0], ["open", "high"]] += 0.5
    there = fs.compute(moved, ["heikin_ashi.open"])["heikin_ashi.open"].to_numpy()
    # by hand: the body's middle and the mean move by 0.25 each, so the next open by their half, 0.25, and then by halves
    assert there[0] - here[0] == pytest.approx(0.25)
    assert there[10] - here[10] == pytest.approx(0.25 / 2**9, rel=1e-9)
