import numpy as np
import pytest

from feature_store.errors import InvalidRequestError
from strategy_execution_engine.backtest.instrument import Instrument


@pytest.mark.parametrize(
    ("symbol", "pip_size", "lot"),
    [("EUR/USD", 0.0001, 100_000), ("USD/JPY", 0.01, 100_000), ("XAU/USD", 0.01, 100), ("SPX", 0.01, 1)],
)
def test_the_terms_are_the_instruments_own(symbol, pip_size, lot):
    instrument = Instrument.of(symbol)
    assert (instrument.pip_size, instrument.lot) == (pip_size, lot)


@pytest.mark.parametrize(
    ("symbol", "account", "price", "rate"),
    [
        ("EUR/USD", "USD", 1.25, 1.0),  # earns dollars, kept as dollars
        ("EUR/USD", "EUR", 1.25, 0.8),  # a dollar buys 1 / 1.25 euros
        ("USD/JPY", "USD", 125.0, 0.008),  # a yen buys 1 / 125 dollars
        ("USD/JPY", "JPY", 125.0, 1.0),
    ],
)
def test_profit_is_converted_by_the_pairs_own_price(symbol, account, price, rate):
    instrument = Instrument.of(symbol)
    assert instrument.account_rate(price, account) == pytest.approx(rate)
    assert instrument.account_rate(np.array([price, price]), account) == pytest.approx([rate, rate])


def test_an_account_that_takes_a_third_price_is_refused_with_the_way_out():
    with pytest.raises(InvalidRequestError) as refused:
        Instrument.of("EUR/JPY").account_rate(160.0, "USD")
    assert "EUR/JPY earns JPY, which cannot be turned into USD" in str(refused.value)
    assert "use an account in JPY or EUR" in str(refused.value)


@pytest.mark.parametrize(("units", "traded"), [(999.9, 0), (1000, 1000), (3000, 3000), (12_345, 12_000)])
def test_units_are_rounded_down_to_what_can_be_traded(units, traded):
    assert Instrument.of("EUR/USD").whole_steps(units) == traded
