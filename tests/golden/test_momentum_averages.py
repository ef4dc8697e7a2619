"""Momentum from averages against TA-Lib 0.8.2 and plain loops; each deviation stands with its reason."""

from __future__ import annotations

import numpy as np
import pytest
import talib

import feature_store as fs
from tests.golden.plain import ago, check, exponential, fading, mean
from tests.golden.talib_case import Case, check_case

CASES = {
    "apo": Case(("apo_12_26",), lambda b: talib.APO(b.close, 12, 26, 1), whole=True),
    "ppo": Case(("ppo_12_26_9.line",), lambda b: talib.PPO(b.close, 12, 26, 1), whole=True),
    "pvo": Case(("pvo_12_26_9.line",), lambda b: talib.PVO(b.tick_volume, 12, 26, 1), whole=True),
    # the line is given when it is known; TA-Lib waits for the signal
    "macd_talib": Case(
        ("macd_talib_12_26_9.line", "macd_talib_12_26_9.signal", "macd_talib_12_26_9.histogram"),
        lambda b: talib.MACD(b.close),
        emitted_later=True,
        whole=True,
    ),
    "ao": Case(("ao_5_34",), lambda b: talib.AO(b.high, b.low, 5, 34), whole=True),
    "ac": Case(("ac_5_34_5",), lambda b: talib.AC(b.high, b.low, 5, 34, 5), whole=True),
    "trix": Case(("trix_15_9.value",), lambda b: talib.TRIX(b.close, 15), whole=True),
    "dpo": Case(("dpo_20",), lambda b: talib.DPO(b.close, 20), whole=True),
    "elder_ray": Case(
        ("elder_ray_13.bull", "elder_ray_13.bear"), lambda b: talib.ERI(b.high, b.low, b.close, 13), whole=True
    ),
    "coppock": Case(("coppock_10_11_14",), lambda b: talib.COPPOCK(b.close, 10, 11, 14), whole=True),
}
PROVEN = {"kst", "pmo"}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def test_the_talib_macd_of_other_periods_agrees_too(eurusd):
    ids = tuple(f"macd_talib_3_50_2.{output}" for output in ("line", "signal", "histogram"))
    check_case(Case(ids, lambda b: talib.MACD(b.close, 3, 50, 2), emitted_later=True, whole=True), eurusd)


def test_the_line_of_macd_is_apo_and_the_difference_of_the_emas_as_stored(eurusd):
    frame = fs.compute(eurusd, ["macd_12_26_9.line", "apo_12_26", "ema_12", "ema_26"])
    np.testing.assert_array_equal(frame["macd_12_26_9.line"], frame["apo_12_26"])
    np.testing.assert_array_equal(frame["apo_12_26"], frame["ema_12"] - frame["ema_26"])


def test_signals_are_averages_of_their_lines(walk):
    for line, signal, period in (
        ("ppo_12_26_9.line", "ppo_12_26_9.signal", 9),
        ("trix_15_9.value", "trix_15_9.signal", 9),
    ):
        check(walk, {signal: exponential(fs.compute(walk, [line])[line].to_numpy(), period)})
    frame = fs.compute(walk, ["ppo_12_26_9", "pvo_12_26_9"])
    for name in ("ppo_12_26_9", "pvo_12_26_9"):
        np.testing.assert_array_equal(frame[f"{name}.histogram"], frame[f"{name}.line"] - frame[f"{name}.signal"])


def test_a_market_without_volume_has_a_volume_oscillator_of_zero():
    frame = fs.compute({"tick_volume": np.zeros(60)}, ["pvo"])
    assert frame.iloc[-1].tolist() == [0.0, 0.0, 0.0]


def test_kst_is_four_smoothed_changes_weighed_one_to_four(walk):
    close = walk["close"].to_numpy()
    value = sum(
        weight * mean(100 * (close / ago(close, change) - 1), smooth)
        for weight, change, smooth in ((1, 10, 10), (2, 15, 10), (3, 20, 10), (4, 30, 15))
    )
    name = "kst_10_15_20_30_10_10_10_15_9"
    check(walk, {f"{name}.value": value, f"{name}.signal": mean(value, 9)})


def test_pmo_smooths_twice_with_two_over_the_period(walk):
    close = walk["close"].to_numpy()
    value = fading(fading(1000 * (close / ago(close, 1) - 1), 34, 2 / 35), 19, 2 / 20)
    check(walk, {"pmo_35_20_10.value": value, "pmo_35_20_10.signal": exponential(value, 10)})
