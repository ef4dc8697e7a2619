"""Accuracy against exact arithmetic on series that break other libraries: offsets, tiny moves, a spike, flat stretches."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import feature_store as fs
from tests.conftest import random_walk

WALK = random_walk(400)["close"].to_numpy()
SERIES = {
    "EUR/USD": WALK,
    "USD/JPY": WALK * 100.0,
    "offset of a million": WALK + 1e6,
    "moves of a millionth": 1.1 + (WALK - WALK[0]) * 1e-2,
    "a spike of 1e9 that has left": np.where(np.arange(400) == 150, 1e9, WALK),
}
PERIOD = 20


def exact_mean(window: list[Fraction]) -> Fraction:
    return sum(window) / len(window)


def exact_stdev(window: list[Fraction]) -> float:
    mean = exact_mean(window)
    return math.sqrt(float(sum((value - mean) ** 2 for value in window) / len(window)))


def windows(values: np.ndarray) -> dict[int, list[Fraction]]:
    exact = [Fraction(float(value)) for value in values]
    return {row: exact[row - PERIOD + 1 : row + 1] for row in range(175, len(values))}


@pytest.mark.parametrize("name", SERIES)
def test_a_mean_is_right_to_the_last_bits(name):
    got = fs.compute({"close": SERIES[name]}, ["sma_20"])["sma_20"].to_numpy()
    for row, window in windows(SERIES[name]).items():
        want = float(exact_mean(window))
        assert abs(got[row] - want) <= 4e-16 * PERIOD / 4 * abs(want)


@pytest.mark.parametrize("name", SERIES)
def test_a_deviation_is_right_to_fourteen_digits(name):
    got = fs.compute({"close": SERIES[name]}, ["stdev_20"])["stdev_20"].to_numpy()
    for row, window in windows(SERIES[name]).items():
        assert got[row] == pytest.approx(exact_stdev(window), rel=2e-14)


def test_a_flat_window_has_no_deviation_at_all_whatever_came_before():
    for before in range(1, 45):
        values = np.concatenate([WALK[:before], np.full(25, 1.23456)])
        frame = fs.compute({"close": values}, ["stdev_20", "zscore_20", "bbands_20_2.percent_b"])
        assert frame.iloc[-1].tolist() == [0.0, 0.0, 0.5]
