import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.wire import Provenance
from strategy_execution_engine.strategies import MACrossoverStrategy
from strategy_execution_engine.strategies.market import Market, bars_of


def decide(strategy, frame, **features):
    columns = {name.replace("__", "."): np.array(values, dtype=float) for name, values in features.items()}
    return strategy.decide(Market(bars_of(frame), columns, Provenance("live", "2023-01-01")))


def test_a_cross_above_is_a_long_with_its_prices(bars_from):
    strategy = MACrossoverStrategy(parameters={"fast": 2, "slow": 3})
    frame = bars_from([1.10, 1.11, 1.12])
    (signal,) = decide(strategy, frame, sma_2=[1.0, 1.1, 1.3], sma_3=[1.1, 1.1, 1.2], atr_14=[0.01] * 3)
    assert (signal.direction, signal.kind, signal.entry) == ("long", "ma_cross", 1.12)
    assert signal.time == frame.index[2]  # the tie at the second bar was no cross
    assert signal.stop == pytest.approx(1.1175)  # 25 pips of 0.0001 below 1.12
    assert signal.target == pytest.approx(1.1250)  # 50 pips above
    assert signal.reasons == {"fast": 1.3, "slow": 1.2, "atr": 0.01}


def test_pips_are_the_instruments_own(bars_from):
    strategy = MACrossoverStrategy(parameters={"fast": 2, "slow": 3})
    frame = bars_from([130.0, 131.0], reach=0.1, symbol="USD/JPY")
    (signal,) = decide(strategy, frame, sma_2=[2.0, 1.0], sma_3=[1.5, 1.5], atr_14=[0.3, 0.3])
    assert (signal.direction, signal.stop, signal.target) == ("short", pytest.approx(131.25), pytest.approx(130.5))


def test_a_stop_in_atr_follows_the_bars_own_atr(bars_from):
    strategy = MACrossoverStrategy(parameters={"fast": 2, "slow": 3, "stop": "atr", "target_pips": 0})
    (signal,) = decide(strategy, bars_from([1.1, 1.2]), sma_2=[1.0, 1.3], sma_3=[1.1, 1.2], atr_14=[0.01, 0.02])
    assert (signal.stop, signal.target) == (pytest.approx(1.16), None)  # 1.2 - 2 x 0.02


def test_a_turn_against_the_filter_only_ends_what_is_held(bars_from):
    strategy = MACrossoverStrategy(parameters={"fast": 2, "slow": 3, "adx_above": 20})
    signals = decide(
        strategy,
        bars_from([1.1] * 4),
        sma_2=[1, 3, 1, 3],
        sma_3=[2, 2, 2, 2],
        atr_14=[0.01] * 4,
        adx_14__adx=[30, 30, 20, 19],
    )
    assert [signal.direction for signal in signals] == ["long", "exit", "exit"]
    assert signals[1].stop is None


def test_nothing_is_decided_before_every_feature_is_known(bars_from):
    known = {"sma_2": [1, 3], "sma_3": [2, 2], "atr_14": [0.01, 0.01], "adx_14__adx": [30, 30]}
    filtered = MACrossoverStrategy(parameters={"fast": 2, "slow": 3, "adx_above": 20})
    assert len(decide(filtered, bars_from([1.1, 1.2]), **known)) == 1
    for name in known:
        assert decide(filtered, bars_from([1.1, 1.2]), **known | {name: [np.nan, np.nan]}) == []


def test_a_feature_that_was_not_given_is_named(bars_from):
    with pytest.raises(ValueError, match="the strategy reads sma_30, but was given sma_10"):
        decide(MACrossoverStrategy(), bars_from([1.1, 1.2]), sma_10=[1, 2])


@pytest.mark.parametrize(
    "parameters",
    [
        {"fast": 3, "slow": 8},
        {"average": "ema", "fast": 4, "slow": 9, "confirmation_bars": 2, "stop": "atr", "adx_above": 18},
    ],
)
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 400))
def test_signals_on_a_prefix_are_the_prefix_of_signals(wandering, parameters, seed, cut):
    strategy = MACrossoverStrategy(parameters=parameters, use_feature_store=False)
    data = wandering(seed)
    whole = asyncio.run(strategy.generate_signals(data))
    prefix = asyncio.run(strategy.generate_signals(data.iloc[:cut]))
    assert prefix == [signal for signal in whole if signal.time < data.index[0] + cut * (data.index[1] - data.index[0])]
    assert whole


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), poison=st.sampled_from([1e6, 0.5]))
def test_a_poisoned_future_changes_no_decision_before_it(wandering, seed, poison):
    strategy = MACrossoverStrategy(parameters={"fast": 3, "slow": 8}, use_feature_store=False)
    data = wandering(seed)
    poisoned = data.copy()
    poisoned.iloc[200:] *= poison
    clean, dirty = asyncio.run(strategy.generate_signals(data)), asyncio.run(strategy.generate_signals(poisoned))
    assert clean != dirty
    assert [s for s in clean if s.time < data.index[200]] == [s for s in dirty if s.time < data.index[200]]
