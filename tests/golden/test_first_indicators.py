"""The first indicators against TA-Lib 0.8.2; each deviation stands with its reason."""

from __future__ import annotations

import numpy as np
import pytest
import talib

import feature_store as fs
from tests.golden.talib_case import Case, check_case

CASES = {
    "sma": Case(("sma_50",), lambda b: talib.SMA(b.close, 50)),
    "ema": Case(("ema_20",), lambda b: talib.EMA(b.close, 20)),
    "rma": Case(("rma_14",), lambda b: talib.RMA(b.close, 14)),
    "wma": Case(("wma_20",), lambda b: talib.WMA(b.close, 20)),
    "kama": Case(("kama_10_2_30",), lambda b: talib.KAMA(b.close, 10)),
    "stdev": Case(("stdev_20",), lambda b: talib.STDDEV(b.close, 20)),
    "rsi": Case(("rsi_14",), lambda b: talib.RSI(b.close, 14)),
    "atr": Case(("atr_14",), lambda b: talib.ATR(b.high, b.low, b.close, 14)),
    "tr": Case(("tr",), lambda b: talib.TRANGE(b.high, b.low, b.close)),
    "bbands": Case(
        ("bbands_20_2.upper", "bbands_20_2.middle", "bbands_20_2.lower"), lambda b: talib.BBANDS(b.close, 20, 2, 2)
    ),
    "donchian": Case(
        ("donchian_20.upper", "donchian_20.middle", "donchian_20.lower"), lambda b: talib.DONCHIAN(b.high, b.low, 20)
    ),
    "adx": Case(
        ("adx_14.adx", "adx_14.plus_di", "adx_14.minus_di"),
        lambda b: tuple(f(b.high, b.low, b.close, 14) for f in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)),
    ),
    "roc": Case(("roc_10",), lambda b: talib.ROC(b.close, 10)),
    "sum": Case(("sum_20",), lambda b: talib.SUM(b.close, 20)),
    "highest": Case(("highest_20",), lambda b: talib.MAX(b.close, 20)),
    "lowest": Case(("lowest_20",), lambda b: talib.MIN(b.close, 20)),
    # %K is given when it is known; TA-Lib waits for %D
    "stoch": Case(
        ("stoch_14_3_3.k", "stoch_14_3_3.d"),
        lambda b: talib.STOCH(b.high, b.low, b.close, 14, 3, 0, 3, 0),
        emitted_later=True,
    ),
    # two independent EMAs; TA-Lib seeds the fast one again on the slow one's window, which fades slowly
    "macd": Case(
        ("macd_12_26_9.line", "macd_12_26_9.signal", "macd_12_26_9.histogram"),
        lambda b: talib.MACD(b.close),
        since=300,
        emitted_later=True,
        whole=True,
    ),
    # starts at 0, TA-Lib at the first bar's volume: a constant apart
    "obv": Case(("obv",), lambda b: talib.OBV(b.close, b.tick_volume) - b.tick_volume.iloc[0]),
    # centred on EMA(close); TA-Lib centres its KC on the EMA of (high + low + close) / 3
    "keltner": Case(
        ("keltner_20_10_2.upper", "keltner_20_10_2.middle", "keltner_20_10_2.lower"),
        lambda b: tuple(talib.EMA(b.close, 20) + k * talib.ATR(b.high, b.low, b.close, 10) for k in (2, 0, -2)),
    ),
    "donchian_prev": Case(
        ("donchian_prev_20.upper", "donchian_prev_20.middle", "donchian_prev_20.lower"),
        lambda b: tuple(s.shift(1) for s in talib.DONCHIAN(b.high, b.low, 20)),
    ),
    "zscore": Case(
        ("zscore_20",), lambda b: (b.close - talib.SMA(b.close, 20)) / talib.STDDEV(b.close, 20), whole=True
    ),
    "lag": Case(("lag_1",), lambda b: b.close.shift(1)),
}


@pytest.mark.parametrize("name", CASES)
def test_values_agree_with_talib(name, eurusd):
    check_case(CASES[name], eurusd)


def test_a_market_that_has_not_moved_is_neither_bought_nor_sold():
    flat = {"close": np.full(60, 1.1)}
    assert fs.compute(flat, ["rsi_14"])["rsi_14"].iloc[-1] == 50.0
    assert talib.RSI(flat["close"], 14)[-1] == 0.0


@pytest.mark.parametrize(
    ("prices", "efficiency"),
    [([10, 11, 12, 13, 14, 15], 1.00), ([10, 12, 10, 12, 10, 12], 0.20), ([10, 11, 10.5, 12, 11.5, 13], 0.60)],
)
def test_kama_walks_by_the_efficiency_of_its_window(prices, efficiency):
    # by hand: weight = (efficiency * (2/3 - 2/31) + 2/31) ** 2, from the value before, prices[-2]
    weight = (efficiency * (2 / 3 - 2 / 31) + 2 / 31) ** 2
    got = fs.compute({"close": np.array(prices, float)}, ["kama_5_2_30"])["kama_5_2_30"].iloc[-1]
    assert got == pytest.approx(prices[-2] + weight * (prices[-1] - prices[-2]), rel=1e-12)
