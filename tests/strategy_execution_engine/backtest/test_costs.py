import numpy as np
import pytest

from feature_store.errors import InvalidRequestError
from strategy_execution_engine.backtest.costs import Costs
from strategy_execution_engine.backtest.instrument import Instrument
from strategy_execution_engine.strategies.market import bars_of

FLAT = [(1.1, 1.1, 1.1, 1.1)] * 3


def test_a_spread_in_pips_is_half_on_each_side(bars_of_tuples):
    bars = bars_of(bars_of_tuples(FLAT))
    assert Costs(spread_pips=2).half_spread(bars, Instrument.of("EUR/USD")) == pytest.approx([0.0001] * 3)


def test_a_spread_from_the_data_is_read_bar_by_bar(bars_of_tuples):
    bars = bars_of(bars_of_tuples(FLAT, spread=[0.0002, 0.0004, 0.0]))
    assert Costs(spread_pips="data").half_spread(bars, Instrument.of("EUR/USD")) == pytest.approx([0.0001, 0.0002, 0])


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({}, "have no column spread"),
        ({"spread": [0.0001, np.nan, 0.0001]}, "missing or negative"),
        ({"spread": -0.0001}, "missing or negative"),
    ],
)
def test_a_spread_that_the_data_does_not_have_is_refused(bars_of_tuples, columns, sentence):
    bars = bars_of(bars_of_tuples(FLAT, **columns))
    with pytest.raises(InvalidRequestError, match=sentence):
        Costs(spread_pips="data").half_spread(bars, Instrument.of("EUR/USD"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"spread_pips": -1},
        {"spread_pips": "wide"},
        {"slippage_pips": float("nan")},
        {"slippage_pips": "data"},
        {"commission_per_lot": float("inf")},
    ],
)
def test_impossible_costs_are_refused(wrong):
    with pytest.raises(InvalidRequestError, match="must be zero or more"):
        Costs(**wrong)


def test_commission_is_by_lot_and_side():
    assert Costs(commission_per_lot=3.5).commission(20_000, Instrument.of("EUR/USD")) == pytest.approx(0.70)
