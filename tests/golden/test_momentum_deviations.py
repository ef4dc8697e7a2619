"""Distances from an average against TA-Lib 0.8.2 and plain loops."""

from __future__ import annotations

import numpy as np
import pytest
import talib

import feature_store as fs
from tests.golden.plain import ago, check, exponential, mean, windowed
from tests.golden.talib_case import Case, check_case

CASES = {"cci": Case(("cci_20",), lambda b: talib.CCI(b.high, b.low, b.close, 20), whole=True)}
PROVEN = {"wavetrend", "squeeze"}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


@pytest.mark.parametrize("period", range(1, 12))
def test_a_cci_of_any_period_is_that_of_its_window(period, walk):
    middle = (walk["high"] + walk["low"] + walk["close"]).to_numpy()[:60] / 3
    deviation = windowed(middle, period, lambda window: np.mean(np.abs(window - window.mean())))
    with np.errstate(invalid="ignore"):
        wanted = np.where(deviation > 0, (middle - mean(middle, period)) / (0.015 * deviation), deviation)
    check(walk.iloc[:60], {f"cci_{period}": wanted + 0.0} if period > 1 else {"cci_1": np.zeros(60)}, rtol=1e-8)


def test_a_flat_market_has_no_deviation_whatever_came_before(walk):
    for price in (1.1, 1.23456, 110.1, 1e6 / 3):
        close = np.concatenate([walk["close"].to_numpy()[:100] * price, np.full(2000, price)])
        frame = fs.compute({"high": close, "low": close, "close": close}, ["cci", "wavetrend"])
        assert frame.iloc[-1].round(12).abs().tolist() == [0.0, 0.0, 0.0], price


def test_wavetrend_smooths_the_distance_from_an_average_in_usual_distances(eurusd):
    typical = (eurusd["high"] + eurusd["low"] + eurusd["close"]).to_numpy() / 3
    away = typical - exponential(typical, 10)
    value = exponential(away / (0.015 * exponential(np.abs(away), 10)), 21)
    check(eurusd, {"wavetrend_10_21.value": value, "wavetrend_10_21.signal": mean(value, 4)})


def test_squeeze_is_on_while_the_bands_are_inside_the_channels(eurusd):
    high, low, close = (eurusd[name].to_numpy() for name in ("high", "low", "close"))
    before = ago(close, 1)
    true_range = np.where(np.isnan(before), np.nan, np.maximum(high, before) - np.minimum(low, before))
    middle, room = mean(close, 20), 1.5 * mean(true_range, 20)
    reach = 2 * windowed(close, 20, np.std)
    inside = (middle + reach < middle + room) & (middle - reach > middle - room)
    away = close - ((windowed(high, 20, np.max) + windowed(low, 20, np.min)) / 2 + middle) / 2
    momentum = windowed(away, 20, lambda window: np.polyval(np.polyfit(np.arange(20), window, 1), 19))
    wanted = np.where(np.isnan(room), np.nan, inside)
    assert 0.1 < np.nanmean(wanted) < 0.9
    check(eurusd, {"squeeze_20_2_20_1.5.on": wanted, "squeeze_20_2_20_1.5.momentum": momentum})


def test_a_market_that_does_not_move_is_not_squeezed():
    flat = {name: np.full(60, 1.1) for name in ("high", "low", "close")}
    assert fs.compute(flat, ["squeeze"]).iloc[-1].round(15).tolist() == [0.0, 0.0]
