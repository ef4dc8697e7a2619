import pytest

from feature_store.errors import InvalidRequestError
from strategy_execution_engine.backtest.instrument import Instrument
from strategy_execution_engine.backtest.sizing import FixedFraction, FixedLots
from strategy_execution_engine.strategies import Signal

EURUSD, USDJPY = Instrument.of("EUR/USD"), Instrument.of("USD/JPY")


def test_a_fixed_lot_is_the_same_whatever_the_account_holds():
    signal = Signal("EUR/USD", 0, "long", "t")
    assert FixedLots(0.2).units(signal, 1.0, 1.0, EURUSD) == FixedLots(0.2).units(signal, 1e9, 1.0, EURUSD) == 20_000


def test_a_fixed_fraction_risks_the_same_share_at_any_stop():
    # 2 % of 5,000 is 100; a stop 50 pips away loses 0.0050 a unit, so 20,000 units; at 25 pips twice as many
    wide = Signal("EUR/USD", 0, "long", "t", entry=1.1, stop=1.095)
    close = Signal("EUR/USD", 0, "short", "t", entry=1.1, stop=1.1025)
    assert FixedFraction(0.02).units(wide, 5_000, 1.0, EURUSD) == pytest.approx(20_000)
    assert FixedFraction(0.02).units(close, 5_000, 1.0, EURUSD) == pytest.approx(40_000)


def test_a_fixed_fraction_counts_the_quote_currency_at_its_rate():
    # 1 % of 10,000 is 100 USD = 12,500 JPY at 125; a stop 50 pips away loses 0.50 JPY a unit, so 25,000 units
    signal = Signal("USD/JPY", 0, "long", "t", entry=125.0, stop=124.5)
    assert FixedFraction(0.01).units(signal, 10_000, 1 / 125, USDJPY) == pytest.approx(25_000)


def test_a_fixed_fraction_without_a_stop_is_refused_with_the_way_out():
    with pytest.raises(InvalidRequestError, match=r"needs a stop, and the bare signal of .* has none; use FixedLots"):
        FixedFraction().units(Signal("EUR/USD", 0, "long", "bare", entry=1.1), 10_000, 1.0, EURUSD)


@pytest.mark.parametrize("wrong", [lambda: FixedLots(0), lambda: FixedFraction(0), lambda: FixedFraction(1.5)])
def test_sizes_of_nothing_or_of_more_than_there_is_are_refused(wrong):
    with pytest.raises(InvalidRequestError):
        wrong()
