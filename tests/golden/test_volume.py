"""Volume against TA-Lib 0.8.2, and against the published formulas where it has none; each deviation with its reason."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import talib

import feature_store as fs
from tests.golden.talib_case import Case, check_case

CASES = {
    # starts at 0, TA-Lib at the first bar's own flow: a constant apart
    "ad": Case(
        ("ad",),
        lambda b: (line := talib.AD(b.high, b.low, b.close, b.tick_volume)) - line.iloc[0],
        whole=True,
    ),
    "adosc": Case(("adosc_3_10",), lambda b: talib.ADOSC(b.high, b.low, b.close, b.tick_volume, 3, 10), whole=True),
    "cmf": Case(("cmf_20",), lambda b: talib.CMF(b.high, b.low, b.close, b.tick_volume, 20), whole=True),
    "mfi": Case(("mfi_14",), lambda b: talib.MFI(b.high, b.low, b.close, b.tick_volume, 14), whole=True),
    "efi": Case(("efi_13",), lambda b: talib.EFI(b.close, b.tick_volume, 13), whole=True),
    "pvt": Case(("pvt",), lambda b: talib.PVT(b.close, b.tick_volume), whole=True),
    "nvi": Case(("nvi",), lambda b: talib.NVI(b.close, b.tick_volume)),
    "pvi": Case(("pvi",), lambda b: talib.PVI(b.close, b.tick_volume)),
}
PROVEN = {"eom", "kvo", "vosc"}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def _ema(values: list[float], period: int) -> list[float]:
    """The mean of the first `period` values, then weights of 2 / (period + 1); None before."""
    mean, out = sum(values[:period]) / period, [np.nan] * (period - 1)
    out.append(mean)
    for value in values[period:]:
        mean += 2 / (period + 1) * (value - mean)
        out.append(mean)
    return out


def test_klinger_is_two_averages_of_volume_force(eurusd):
    high, low, close, volume = (eurusd[name].tolist() for name in ("high", "low", "close", "tick_volume"))
    force, trend, cm = [], 0, 0.0
    for i in range(1, len(close)):
        now = 1 if round(high[i] + low[i] + close[i] - high[i - 1] - low[i - 1] - close[i - 1], 9) > 0 else -1
        dm, before = high[i] - low[i], high[i - 1] - low[i - 1]
        cm = (cm if now == trend else before) + dm
        trend = now
        force.append(volume[i] * abs(2 * dm / cm - 1) * trend * 100)
    line = np.array([np.nan, *_ema(force, 34)]) - np.array([np.nan, *_ema(force, 55)])
    signal = np.concatenate([np.full(55, np.nan), _ema(line[55:].tolist(), 13)])
    got = fs.compute(eurusd, ["kvo"]).to_numpy().T
    for ours, want in zip(got, (line, signal), strict=True):
        np.testing.assert_array_equal(np.isnan(ours), np.isnan(want))
        np.testing.assert_allclose(ours, want, atol=1e-9 * np.nanmax(np.abs(want)))


def test_volume_force_by_hand():
    # sums 4.5, 7.5, 6.0: up, then down. Row 1: ranges 1 + 1 = 2 along the trend, 2 * 1/2 - 1 = 0 -> no force.
    # Row 2: turned, so 1 + 3 = 4; |2 * 3/4 - 1| = 0.5; 8 ticks down: -400. EMA(1) is the force itself, EMA(2) the mean -200.
    bars = {"high": [2.0, 3.0, 4.0], "low": [1.0, 2.0, 1.0], "close": [1.5, 2.5, 1.0], "tick_volume": [5.0, 6.0, 8.0]}
    assert fs.compute(bars, ["kvo_1_2_1"]).iloc[2].tolist() == [-400.0 - -200.0, -200.0]


def test_ease_of_movement_is_way_times_range_a_tick(eurusd):
    middle = (eurusd.high + eurusd.low) / 2
    each = middle.diff() * (eurusd.high - eurusd.low) / eurusd.tick_volume * 10_000
    want = pd.Series([np.nan] * 14 + [each.iloc[i - 13 : i + 1].mean() for i in range(14, len(each))])
    got = fs.compute(eurusd, ["eom"])["eom"].to_numpy()
    np.testing.assert_allclose(got, want, atol=1e-12 * want.abs().max())


def test_the_volume_oscillator_is_one_mean_over_another(eurusd):
    volume = eurusd.tick_volume
    want = (volume.rolling(5).mean() / volume.rolling(10).mean() - 1) * 100
    np.testing.assert_allclose(fs.compute(eurusd, ["vosc"])["vosc"], want, atol=1e-9)


def test_the_chaikin_oscillator_does_not_depend_on_where_its_line_began(eurusd):
    whole = fs.compute(eurusd, ["adosc"])["adosc"].to_numpy()
    later = fs.compute(eurusd.iloc[1000:], ["adosc"])["adosc"].to_numpy()
    settled = fs.parse("adosc").settled
    assert settled < 150
    np.testing.assert_allclose(whole[1000 + settled :], later[settled:], atol=1e-8 * np.nanmax(np.abs(whole)))


@pytest.mark.parametrize(
    ("text", "value"), [("mfi", 50.0), ("cmf", 0.0), ("eom", 0.0), ("kvo.value", 0.0), ("vosc", 0.0)]
)
def test_without_volume_every_value_is_neutral(text, value, walk):
    quiet = walk.assign(tick_volume=0.0)
    assert fs.compute(quiet, [text])[text].iloc[-1] == value
