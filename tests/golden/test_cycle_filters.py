"""Ehlers's filters against his published formulas, written out bar by bar."""

from __future__ import annotations

import math

import numpy as np
import pytest

import feature_store as fs

PROVEN = {"ebsw", "cg", "msw", "autocorr_period"}


def ours(close: np.ndarray, name: str) -> np.ndarray:
    return fs.compute({"close": close}, [name], as_="numpy")[name]


def super_smoothed(values: np.ndarray, period: int) -> np.ndarray:
    a1 = math.exp(-math.sqrt(2) * math.pi / period)
    b1 = 2 * a1 * math.cos(math.sqrt(2) * math.pi / period)
    c2, c3 = b1, -a1 * a1
    c1 = 1 - c2 - c3
    out = [0.0, 0.0]
    for now, before in zip(values, np.r_[0.0, values[:-1]], strict=True):
        out.append(c1 * (now + before) / 2 + c2 * out[-1] + c3 * out[-2])
    return np.array(out[2:])


def even_better_sine_wave(close: np.ndarray, duration: int, smooth: int) -> np.ndarray:
    """Listing 12-1 of Cycle Analytics for Traders."""
    turn = 2 * math.pi / duration
    alpha1 = (1 - math.sin(turn)) / math.cos(turn)
    passed = [0.0]
    for change in np.diff(close):
        passed.append(0.5 * (1 + alpha1) * change + alpha1 * passed[-1])
    filt = super_smoothed(np.array(passed), smooth)
    out = np.full(len(close), np.nan)
    for t in range(max(duration - 1, 2), len(close)):
        last = filt[t - 2 : t + 1]
        out[t] = last.mean() / math.sqrt((last**2).mean())
    return out


def autocorrelation_period(close: np.ndarray, shortest: int, longest: int) -> np.ndarray:
    """Listing 8-3 of Cycle Analytics for Traders, with 360 for its misprinted 370 degrees."""
    turn = 0.5**0.5 * 2 * math.pi / longest
    alpha1 = (math.cos(turn) + math.sin(turn) - 1) / math.cos(turn)
    past = np.r_[close[0], close[0], close]
    passed = [0.0, 0.0]
    for t in range(2, len(past)):
        bend = past[t] - 2 * past[t - 1] + past[t - 2]
        passed.append((1 - alpha1 / 2) ** 2 * bend + 2 * (1 - alpha1) * passed[-1] - (1 - alpha1) ** 2 * passed[-2])
    filt = super_smoothed(np.array(passed[2:]), shortest)
    lags, periods = np.arange(3, longest + 1), np.arange(shortest, longest + 1)
    angles = 2 * math.pi * lags[None, :] / periods[:, None]
    smooth, most, cycle = np.zeros(len(periods)), 0.0, float(longest)
    out = np.full(len(close), np.nan)
    for t in range(longest + 2, len(close)):
        correlations = []
        for lag in lags:
            x, y = filt[t - 2 : t + 1], filt[t - lag - 2 : t - lag + 1]
            spread = x.std() * y.std()
            correlations.append(((x - x.mean()) * (y - y.mean())).mean() / spread if spread > 0 else 0.0)
        corr = np.array(correlations)
        square_sum = (np.cos(angles) @ corr) ** 2 + (np.sin(angles) @ corr) ** 2
        smooth = 0.2 * square_sum**2 + 0.8 * smooth
        most = max(0.995 * most, smooth.max())
        power = smooth / most
        strong = power >= 0.5
        if strong.any():
            cycle = (periods[strong] * power[strong]).sum() / power[strong].sum()
        out[t] = cycle
    return out


def tulip_msw(close: np.ndarray, period: int) -> tuple[np.ndarray, np.ndarray]:
    """Tulip Indicators' msw.c, with 0 for its threshold of 0.001."""
    sine, lead = np.full((2, len(close)), np.nan)
    for t in range(period - 1, len(close)):
        real = sum(math.cos(2 * math.pi * j / period) * close[t - j] for j in range(period))
        imaginary = sum(math.sin(2 * math.pi * j / period) * close[t - j] for j in range(period))
        phase = math.atan(imaginary / real) + (math.pi if real < 0 else 0) + math.pi / 2
        sine[t], lead[t] = math.sin(phase), math.sin(phase + math.pi / 4)
    return sine, lead


def test_the_even_better_sine_wave_is_the_published_one(eurusd):
    close = eurusd.close.to_numpy()[:1500]
    for period, smooth in ((40, 10), (12, 4), (3, 2)):
        want = even_better_sine_wave(close, period, smooth)
        np.testing.assert_allclose(ours(close, f"ebsw_{period}_{smooth}"), want, atol=1e-9)


def test_the_even_better_sine_wave_has_no_poles_between_its_periods():
    # by hand: at a period of 4 bars (1 - sin 90) / cos 90 is 0/0, its limit 0: the high-pass is half the last change
    close = np.array([1.0, 3.0, 3.0, 3.0, 3.0])
    a = math.exp(-math.sqrt(2) * math.pi / 2)
    second, third = 2 * a * math.cos(math.sqrt(2) * math.pi / 2), -a * a
    first = (1 - second - third) / 2
    one = first * 1.0
    two = first * 1.0 + second * one
    three = second * two + third * one
    wave = (one + two + three) / math.sqrt(3 * (one**2 + two**2 + three**2))
    assert ours(close, "ebsw_4_2")[3] == pytest.approx(wave, rel=1e-12)


def test_the_autocorrelation_period_is_the_published_one(eurusd):
    close = eurusd.close.to_numpy()[:700]
    for shortest, longest in ((10, 48), (6, 20)):
        want = autocorrelation_period(close, shortest, longest)
        np.testing.assert_allclose(ours(close, f"autocorr_period_{shortest}_{longest}"), want, rtol=1e-7)


@pytest.mark.parametrize("length", [15, 20, 30])
def test_the_autocorrelation_period_finds_a_wave_and_remembers_it_when_all_is_still(length):
    waves = 1.1 + 1e-3 * np.sin(2 * np.pi * np.arange(400) / length)
    got = ours(np.r_[waves, np.full(2000, waves[-1])], "autocorr_period")
    assert got[399] == pytest.approx(length, rel=0.07)
    assert 10 <= got[-1] <= 48
    assert (ours(np.full(300, 1.1), "autocorr_period")[50:] == 48.0).all()


def test_the_mesa_sine_wave_is_tulips(eurusd):
    close = eurusd.close.to_numpy()[:1000]
    for period in (3, 5, 21):
        for name, want in zip(("sine", "lead"), tulip_msw(close, period), strict=True):
            got = ours(close, f"msw_{period}.{name}")
            known = np.array([len(set(close[max(t - period + 1, 0) : t + 1])) > 1 for t in range(1000)])
            np.testing.assert_allclose(got[known], want[known], atol=1e-7)
            assert (got[period - 1 :][~known[period - 1 :]] == 0.0).all()


def test_the_centre_of_gravity_is_minus_the_mean_age_weighed_by_price(eurusd):
    close = eurusd.close.to_numpy()[:500]
    for period in (1, 10, 33):
        want = np.full(500, np.nan)
        for t in range(period - 1, 500):
            want[t] = -sum((j + 1) * close[t - j] for j in range(period)) / sum(close[t - j] for j in range(period))
        np.testing.assert_allclose(ours(close, f"cg_{period}"), want, rtol=1e-13)
    # by hand: -(1 * 3 + 2 * 1) / (3 + 1)
    assert ours(np.array([1.0, 3.0]), "cg_2")[1] == pytest.approx(-1.25, rel=1e-15)
    assert ours(np.array([1.0, -1.0]), "cg_2")[1] == -1.5


def test_nothing_moves_and_all_are_neutral():
    close = np.full(100, 1.1)
    assert ours(close, "ebsw")[-1] == ours(close, "msw.sine")[-1] == ours(close, "msw.lead")[-1] == 0.0
    assert ours(close, "cg")[-1] == pytest.approx(-5.5, rel=1e-15)
