"""Regimes against TA-Lib's measures and the rules of the table, read rule by rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import talib

import feature_store as fs

PROVEN = {"regime"}
RANGE, TREND, VOLATILE, BREAKOUT = 0.0, 1.0, 2.0, 3.0


def measures(bars: pd.DataFrame, period: int, window: int) -> pd.DataFrame:
    reach = talib.ATR(bars.high, bars.low, bars.close, period)
    rank = reach.rolling(window + 1).apply(lambda last: 100 * (last[:-1] < last[-1]).mean(), raw=True)
    slope = talib.LINEARREG_SLOPE(bars.close, period).abs() * period / reach
    strength = talib.ADX(bars.high, bars.low, bars.close, period)
    return pd.DataFrame({"adx": strength, "rank": rank, "earlier": rank.shift(period), "slope": slope})


def next_code(code: float, m: pd.Series) -> float:
    if code == TREND and m.adx >= 20 and m.slope >= 0.5:
        return TREND
    if m.adx >= 25 and m.slope >= 1:
        return TREND
    if code == BREAKOUT and m["rank"] >= 60 and m.slope >= 1:
        return BREAKOUT
    if m["rank"] >= 80 and m.earlier <= 50 and m.slope >= 1.5:
        return BREAKOUT
    if code == VOLATILE and m["rank"] >= 60:
        return VOLATILE
    return VOLATILE if m["rank"] >= 80 else RANGE


def confidence(code: float, m: pd.Series) -> float:
    room = {
        RANGE: min((80 - m["rank"]) / 80, max((25 - m.adx) / 25, 1 - m.slope)),
        TREND: min((m.adx - 20) / 20, (m.slope - 0.5) / 1.5),
        VOLATILE: (m["rank"] - 60) / 40,
        BREAKOUT: min((m["rank"] - 60) / 40, (m.slope - 1) / 1.5),
    }[code]
    return float(np.clip(room, 0, 1))


@pytest.mark.parametrize(("period", "window"), [(14, 100), (5, 50)])
def test_regimes_follow_the_rules(eurusd, period, window):
    code, wanted = RANGE, []
    known = measures(eurusd, period, window).iloc[2 * period + window :]
    for _, m in known.iterrows():
        code = next_code(code, m)
        wanted.append((code, confidence(code, m)))
    got = fs.compute(eurusd, [f"regime_{period}_{window}"]).to_numpy()
    np.testing.assert_allclose(got[2 * period + window :], wanted, atol=1e-9)
    assert {code for code, _ in wanted} >= {RANGE, TREND, VOLATILE}
    assert period == 5 or BREAKOUT in {
        code for code, _ in wanted
    }  # a percentile of 50 five bars ago is rarely one of 80 now


def test_hysteresis_makes_regimes_last(eurusd):
    codes = fs.compute(eurusd, ["regime_14_100.code"])["regime_14_100.code"].dropna()
    assert (codes.diff() != 0).mean() < 0.1


def test_a_market_that_does_not_move_is_a_range():
    flat = {name: np.full(200, 1.1) for name in ("high", "low", "close")}
    assert fs.compute(flat, ["regime"]).iloc[-1].tolist() == [RANGE, 1.0]
