"""Bands against TA-Lib 0.8.2, and those it does not have against what they are made of."""

from __future__ import annotations

import pytest
import talib

import feature_store as fs
from tests.golden.talib_case import Case, check_case

CASES = {
    "accbands": Case(
        ("accbands_20.upper", "accbands_20.middle", "accbands_20.lower"),
        lambda b: talib.ACCBANDS(b.high, b.low, b.close, 20),
    ),
    # TA-Lib's KC counts the first bar's range as a true range, its ATR does not, and neither do we: faded by row 140
    "keltner_tp": Case(
        ("keltner_tp_20_10_2.upper", "keltner_tp_20_10_2.middle", "keltner_tp_20_10_2.lower"),
        lambda b: talib.KC(b.high, b.low, b.close, 20, 10, 2.0),
        since=300,
    ),
    "starc": Case(
        ("starc_20_10_2.upper", "starc_20_10_2.middle", "starc_20_10_2.lower"),
        lambda b: tuple(talib.SMA(b.close, 20) + k * talib.ATR(b.high, b.low, b.close, 10) for k in (2, 0, -2)),
    ),
    "envelope": Case(
        ("envelope_20_2.5.upper", "envelope_20_2.5.middle", "envelope_20_2.5.lower"),
        lambda b: tuple(talib.SMA(b.close, 20) * k for k in (1.025, 1.0, 0.975)),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def test_bands_of_nothing_are_not_moved():
    frame = fs.compute({"high": [0.0], "low": [0.0], "close": [0.0]}, ["accbands_1"])
    assert frame.iloc[0].tolist() == [0.0, 0.0, 0.0]
