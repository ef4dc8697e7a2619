"""What is made of the RSI against TA-Lib 0.8.2 and plain loops; each deviation stands with its reason."""

from __future__ import annotations

import numpy as np
import pytest
import talib

import feature_store as fs
from tests.golden.plain import ago, check, exponential, strength, windowed
from tests.golden.talib_case import Case, check_case

CASES = {
    # with three bars of smoothing our k is what TA-Lib calls fastd
    "stochrsi": Case(("stochrsi_14_14_3_3.k",), lambda b: talib.STOCHRSI(b.close, 14, 14, 3, 0)[1], whole=True),
}
PROVEN = {"crsi", "qqe", "rsx"}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def test_without_smoothing_both_outputs_of_stochrsi_are_those_of_talib(eurusd):
    ids = ("stochrsi_14_14_1_3.k", "stochrsi_14_14_1_3.d")
    # k is given when it is known; TA-Lib waits for d
    check_case(Case(ids, lambda b: talib.STOCHRSI(b.close, 14, 14, 3, 0), emitted_later=True, whole=True), eurusd)


def test_an_rsi_at_rest_has_no_range_to_be_placed_in(walk):
    close = np.concatenate([walk["close"].to_numpy()[:200], np.full(100, walk["close"].iloc[199])])
    got = fs.compute({"close": close}, ["stochrsi"]).iloc[-50:]
    assert (got == 50.0).all(axis=None)
    # what it is of: the rounding of a quotient of two fading averages, which TA-Lib stretches to any value
    assert 0.0 < np.ptp(fs.compute({"close": close}, ["rsi_14"])["rsi_14"].iloc[-50:]) < 1e-12


def test_crsi_is_the_mean_of_strength_streak_and_rank(eurusd):
    close = eurusd["close"].to_numpy()
    runs = np.full(len(close), np.nan)
    run = 0
    for row in range(1, len(close)):
        way = np.sign(close[row] - close[row - 1])
        run = int(way) if run * way <= 0 else run + int(way)
        runs[row] = run
    rank = windowed(close / ago(close, 1) - 1, 101, lambda window: 100 * np.mean(window[:-1] < window[-1]))
    check(eurusd, {"crsi_3_2_100": (strength(close, 3) + strength(runs, 2) + rank) / 3})


def test_an_unchanged_close_resets_the_streak():
    # streaks: -, 1, 2, 0, 1; changes of the streak 1, -2, 1; Wilder over 2: gains (1 + 0) / 2 then (0.5 + 1) / 2 = 0.75;
    # losses (0 + 2) / 2 = 1 then 0.5: 100 * 0.75 / 1.25 = 60
    # closes 1, 2, 3, 3, 4: gains 1, 1 -> 1, then 0.5, then 0.75; no losses: 100
    # changes in percent 100, 50, 0, 33.3: of the one before, 0, less: 100
    close = {"close": [1.0, 2.0, 3.0, 3.0, 4.0]}
    assert fs.compute(close, ["crsi_2_2_1"])["crsi_2_2_1"].iloc[-1] == pytest.approx((100 + 60 + 100) / 3)


def test_qqe_trails_the_smoothed_rsi_as_the_published_script_does(eurusd):
    value = exponential(strength(eurusd["close"].to_numpy(), 14), 5)
    reach = 4.236 * exponential(exponential(np.abs(value - ago(value, 1)), 27), 27)
    long, short, line = (np.full(len(value), np.nan) for _ in range(3))
    trend = 1
    start = int(np.argmax(~np.isnan(reach)))
    long[start], short[start] = value[start] - reach[start], value[start] + reach[start]
    line[start] = long[start]
    for row in range(start + 1, len(value)):
        new_long, new_short = value[row] - reach[row], value[row] + reach[row]
        was, now = value[row - 1], value[row]
        long[row] = max(long[row - 1], new_long) if was > long[row - 1] and now > long[row - 1] else new_long
        short[row] = min(short[row - 1], new_short) if was < short[row - 1] and now < short[row - 1] else new_short
        if now > short[row - 1]:
            trend = 1
        elif now < long[row - 1]:
            trend = -1
        line[row] = long[row] if trend == 1 else short[row]
    check(eurusd, {"qqe_14_5_4.236.value": value, "qqe_14_5_4.236.signal": line})


def test_qqe_by_hand():
    # RSI(2) of 1 2 3 2 3 4 5 2: gains 1, .5, .75, .875, .9375, .46875, losses 0, .5, .25, .125, .0625, 1.53125
    # at rows 2 to 7: 100, 50, 75, 87.5, 93.75, 23.4375; movement 50, 25, 12.5, 6.25, 70.3125 from row 3; EMA(3) of it:
    # 29.166667 at row 5, 17.708333, 44.010417; EMA(3) of that: 30.295139 at row 7, the first line: below the value
    close = {"close": [1.0, 2.0, 3.0, 2.0, 3.0, 4.0, 5.0, 2.0]}
    line = fs.compute(close, ["qqe_2_1_1.signal"])["qqe_2_1_1.signal"]
    assert line.isna().sum() == 7
    assert line.iloc[7] == pytest.approx(23.4375 - 30.295139, abs=1e-6)


def test_rsx_is_three_filters_of_the_change_over_three_of_its_size(eurusd):
    def filtered(x):
        for _ in range(3):
            once = twice = 0.0
            out = []
            for value in x:
                once += 3 / 16 * (value - once)
                twice += 3 / 16 * (once - twice)
                out.append(1.5 * once - 0.5 * twice)
            x = out
        return np.array(x)

    change = np.diff(100 * eurusd["close"].to_numpy(), prepend=100 * eurusd["close"].iloc[0])
    share = filtered(change)[14:] / filtered(np.abs(change))[14:]
    wanted = np.concatenate([np.full(14, np.nan), np.clip(50 * (share + 1), 0, 100)])
    check(eurusd, {"rsx_14": wanted})


def test_rsx_by_hand_and_at_rest():
    # one bar's weight is 3 / (1 + 2) = 1: nothing is smoothed, and a rise is 100, a fall 0, no change 50
    assert fs.compute({"close": [1.0, 2.0, 1.0, 1.0]}, ["rsx_1"])["rsx_1"].iloc[1:].tolist() == [100.0, 0.0, 50.0]
