"""Ehlers's Hilbert transform against TA-Lib 0.8.2, which begins from a price of 0 and must forget it first."""

from __future__ import annotations

import numpy as np
import pytest
import talib

import feature_store as fs
from feature_store.engine.plan import Plan
from feature_store.indicators.series import in_order
from tests.golden.talib_case import Case, check_case

FORGOTTEN = 330
"""TA-Lib takes the past before the first bar as 0, ours as the first bar: the jump of the whole price fades until here."""

CASES = {
    "ht_dcperiod": Case(("ht_dcperiod",), lambda b: talib.HT_DCPERIOD(b.close), since=FORGOTTEN),
    "ht_phasor": Case(
        ("ht_phasor.inphase", "ht_phasor.quadrature"), lambda b: talib.HT_PHASOR(b.close), since=FORGOTTEN, whole=True
    ),
    "ht_dcphase": Case(("ht_dcphase",), lambda b: talib.HT_DCPHASE(b.close), since=FORGOTTEN, whole=True),
    "ht_sine": Case(
        ("ht_sine.sine", "ht_sine.leadsine"), lambda b: talib.HT_SINE(b.close), since=FORGOTTEN, whole=True
    ),
    "ht_trendline": Case(("ht_trendline",), lambda b: talib.HT_TRENDLINE(b.close), since=FORGOTTEN),
    "ht_trendmode": Case(
        ("ht_trendmode",), lambda b: np.r_[np.full(63, np.nan), talib.HT_TRENDMODE(b.close)[63:]], since=FORGOTTEN
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def test_first_values_are_nearer_to_a_longer_history_than_talibs(eurusd):
    close = eurusd.close.to_numpy()
    known = fs.compute({"close": close}, ["ht_dcperiod"], as_="numpy")["ht_dcperiod"]
    ours, theirs = [], []
    for start in range(600, 4800, 53):
        part = close[start : start + 63].copy()
        mine = fs.compute({"close": part}, ["ht_dcperiod"], as_="numpy")["ht_dcperiod"]
        truth = known[start + 32 : start + 63]
        ours.append(np.abs(mine[32:] - truth).mean())
        theirs.append(np.abs(talib.HT_DCPERIOD(part)[32:] - truth).mean())
    assert np.mean(ours) < np.mean(theirs) / 4


def test_asking_for_all_transforms_once():
    plan = Plan.of([fs.feature(name) for name in CASES])
    nodes = in_order(node for feature in plan.features for node in feature.series)
    assert sum(node.kind == "step" and node.what.name == "homodyne" for node in nodes) == 1


@pytest.mark.parametrize("length", [12, 20, 35])
def test_the_period_of_a_wave_is_found(length):
    waves = 1.1 + 1e-3 * np.sin(2 * np.pi * np.arange(400) / length)
    got = fs.compute({"close": waves}, ["ht_dcperiod"])["ht_dcperiod"].iloc[-1]
    assert got == pytest.approx(length, rel=0.05)


def test_a_market_that_stands_still_is_neutral():
    got = fs.compute({"close": np.full(200, 1.1)}, list(CASES)).iloc[-1]
    assert got["ht_dcperiod"] == pytest.approx(6.0, rel=1e-14)
    assert got["ht_dcphase"] == pytest.approx(90.0 + 360.0 / 6.0)
    assert got["ht_trendline"] == pytest.approx(1.1, rel=1e-15)
    assert got["ht_phasor.inphase"] == got["ht_phasor.quadrature"] == 0.0
