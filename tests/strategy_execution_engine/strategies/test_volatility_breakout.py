import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.wire import Provenance
from strategy_execution_engine.strategies import VolatilityBreakoutStrategy
from strategy_execution_engine.strategies.market import Market, bars_of
from strategy_execution_engine.strategies.volatility_breakout import turtle_turns


@pytest.fixture
def squeezed(bars_from):
    """Return a function that decides on six bars: squeezed at the second, breaking out above at the last."""

    def decide(parameters=None, **change):
        close = [1.1, 1.1, 1.1, 1.1, 1.1, 1.1300]
        columns = {
            "bbands_20_2.upper": [1.15, 1.11, 1.12, 1.12, 1.12, 1.1250],
            "bbands_20_2.lower": [1.05, 1.09, 1.08, 1.08, 1.08, 1.0750],
            "keltner_20_10_1.5.upper": [1.115] * 6,
            "keltner_20_10_1.5.lower": [1.085] * 6,
            "donchian_prev_20.upper": [1.128] * 6,
            "donchian_prev_20.lower": [1.05] * 6,
            "atr_14": [0.01, 0.01, 0.01, 0.01, 0.01, 0.012],
        } | change
        market = Market(
            bars_of(bars_from(close)), {n: np.array(c) for n, c in columns.items()}, Provenance("live", "2023-01-01")
        )
        return VolatilityBreakoutStrategy("v", parameters).decide(market)

    return decide


def test_a_close_beyond_the_band_after_a_squeeze_is_followed(squeezed):
    (signal,) = squeezed()
    assert (signal.direction, signal.kind, signal.entry, signal.expiry) == ("long", "squeeze_break", 1.13, 10)
    assert signal.stop == pytest.approx(1.106)  # 1.13 - 2 x 0.012
    assert signal.target == pytest.approx(1.178)  # 1.13 + 4 x 0.012
    assert signal.reasons["squeeze_bars_ago"] == 4
    assert signal.reasons["break_atr"] == pytest.approx(0.005 / 0.012)
    assert signal.reasons["beyond_20_bars"] == 1
    assert signal.confidence == pytest.approx(0.5 + 0.25 + 0.25 * 0.005 / 0.012)


def test_a_squeeze_that_ended_too_long_ago_does_not_count(squeezed):
    assert len(squeezed({"squeeze_bars": 4})) == 1
    assert squeezed({"squeeze_bars": 3}) == []


def test_a_break_without_expanding_range_is_left_alone(squeezed):
    assert squeezed(atr_14=[0.01] * 6) == []


def test_a_market_that_was_never_squeezed_is_left_alone(squeezed):
    assert squeezed(**{"bbands_20_2.upper": [1.15, 1.12, 1.12, 1.12, 1.12, 1.125]}) == []


def test_target_and_time_stop_can_be_left_out(squeezed):
    (signal,) = squeezed({"target_atr": 0, "time_stop_bars": 0})
    assert (signal.target, signal.expiry) == (None, None)


def test_turtles_leave_only_what_they_hold_and_entries_win():
    entered = np.array([0, 1, 0, -1, 0, 0])
    left = np.array([-1, 0, 1, -1, -1, 1])
    # bar 0: nothing held; 2: a new high does not end a long; 3: reversed; 4: a new low does not end a short; 5: left
    assert turtle_turns(entered, left) == [(1, 1), (3, -1), (5, 0)]


async def test_a_turtle_enters_beyond_twenty_bars_and_leaves_beyond_ten(bars_from):
    rise, fall = np.linspace(1.1, 1.14, 9), np.linspace(1.139, 1.10, 12)
    quiet = 1.1 + 0.0001 * (np.arange(30) % 2)
    data = bars_from(np.concatenate((quiet, rise, fall)), reach=0.0001)
    strategy = VolatilityBreakoutStrategy("turtle", {"mode": "turtle"}, use_feature_store=False)
    signals = await strategy.generate_signals(data)
    assert [s.direction for s in signals] == ["long", "exit"]
    entry, leave = signals
    high_before = data["high"].rolling(20).max().shift(1)
    low_before = data["low"].rolling(10).min().shift(1)
    assert entry.time == data.index[(data["close"] > high_before).argmax()]
    assert entry.target is None
    after = data.index > entry.time
    assert leave.time == data.index[((data["close"] < low_before) & after).argmax()]


@pytest.mark.parametrize("mode", ["squeeze", "turtle"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(0, 400))
def test_signals_on_a_prefix_are_the_prefix_of_signals(wandering, mode, seed, cut):
    strategy = VolatilityBreakoutStrategy("v", {"mode": mode}, use_feature_store=False)
    data = wandering(seed)
    whole = asyncio.run(strategy.generate_signals(data))
    prefix = asyncio.run(strategy.generate_signals(data.iloc[:cut]))
    assert prefix == [signal for signal in whole if signal.time < data.index[0] + cut * (data.index[1] - data.index[0])]


@pytest.mark.parametrize("mode", ["squeeze", "turtle"])
async def test_there_is_something_to_be_invariant(wandering, mode):
    strategy = VolatilityBreakoutStrategy("v", {"mode": mode}, use_feature_store=False)
    directions = {s.direction for seed in range(10) for s in await strategy.generate_signals(wandering(seed))}
    assert directions >= {"long", "short"}
