"""Shares of movement against TA-Lib 0.8.2 and plain loops; each deviation stands with its reason."""

from __future__ import annotations

import numpy as np
import pytest
import talib

import feature_store as fs
from tests.golden.plain import ago, check, exponential, windowed
from tests.golden.talib_case import Case, check_case

CASES = {
    "cmo": Case(("cmo_14",), lambda b: talib.CMOU(b.close, 14), whole=True),
    "cmo_wilder": Case(("cmo_wilder_14",), lambda b: talib.CMO(b.close, 14), whole=True),
    "er": Case(("er_10",), lambda b: talib.ER(b.close, 10), whole=True),
    "tsi": Case(("tsi_25_13_7.value",), lambda b: talib.TSI(b.close, 25, 13), whole=True),
    "uo": Case(("uo_7_14_28",), lambda b: talib.ULTOSC(b.high, b.low, b.close, 7, 14, 28)),
    "imi": Case(("imi_14",), lambda b: talib.IMI(b.open, b.close, 14)),
    "bop": Case(("bop",), lambda b: talib.BOP(b.open, b.high, b.low, b.close)),
}
PROVEN = {"demarker", "rvgi"}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def test_a_market_that_has_not_moved_is_neutral():
    flat = {name: np.full(60, 1.1) for name in ("open", "high", "low", "close")}
    wanted = {"cmo": 0, "cmo_wilder": 0, "er": 1, "uo": 50, "imi": 50, "bop": 0, "demarker": 0.5}
    for name, value in wanted.items():
        assert fs.compute(flat, [name]).iloc[-1].tolist() == [value], name
    assert fs.compute(flat, ["tsi", "rvgi"]).iloc[-1].tolist() == [0, 0, 0, 0]
    assert (
        talib.ULTOSC(flat["high"], flat["low"], flat["close"])[-1] == 0.0
    )  # extreme oversold, which is why ours differs


def test_the_signal_of_tsi_is_an_average_of_it(walk):
    value = fs.compute(walk, ["tsi_25_13_7.value"])["tsi_25_13_7.value"].to_numpy()
    check(walk, {"tsi_25_13_7.signal": exponential(value, 7)})


def test_demarker_is_the_share_of_higher_highs(eurusd):
    high, low = eurusd["high"].to_numpy(), eurusd["low"].to_numpy()
    up, down = high - ago(high, 1), ago(low, 1) - low
    up, down = (windowed(np.where(np.isnan(x), np.nan, np.maximum(x, 0)), 14, np.sum) for x in (up, down))
    check(eurusd, {"demarker_14": up / (up + down)})


def test_demarker_by_hand():
    # highs 2, 3, 3: up 1 and 0; lows 1, 0, -2: down 1 and 2; 1 / (1 + 3)
    frame = fs.compute({"high": [2.0, 3.0, 3.0], "low": [1.0, 0.0, -2.0]}, ["demarker_2"])
    assert frame["demarker_2"].iloc[-1] == 0.25


def test_rvgi_is_bodies_over_ranges_weighed_1_2_2_1(eurusd):
    def weighed(x):
        return (x + 2 * ago(x, 1) + 2 * ago(x, 2) + ago(x, 3)) / 6

    bars = {name: eurusd[name].to_numpy() for name in ("open", "high", "low", "close")}
    bodies = windowed(weighed(bars["close"] - bars["open"]), 14, np.sum)
    value = bodies / windowed(weighed(bars["high"] - bars["low"]), 14, np.sum)
    check(eurusd, {"rvgi_14.value": value, "rvgi_14.signal": weighed(value)})
