import numpy as np
import polars as pl
import pytest

from feature_store.bars import Symbol
from feature_store.ingest.frames import Table, table_of
from feature_store.ingest.readers.points import price_divisor
from feature_store.ingest.source import open_source

EURUSD = Symbol.parse("EUR/USD")


def bars(*prices):
    return table_of(
        {"time": list(range(len(prices))), **{name: list(prices) for name in ("open", "high", "low", "close")}}
    )


@pytest.mark.parametrize(
    ("symbol", "prices", "divisor"),
    [
        ("USD/JPY", [81121.0, 81203.0], 1e3),
        ("EUR/USD", [103428.00000000001, 103258.99999999999], 1e5),
        ("AUD/NZD", [108000.0], 1e5),
        ("EUR/USD", [1.03428, 1.03259], 1),
        ("EUR/USD", [1.0, 1.0], 1),
        ("EUR/USD", [103428.5], 1),  # no whole points
        ("EUR/USD", [103428.0, 1.03], 1),  # not all of them
        ("EUR/USD", [10342.0], 1),  # four digits, or five and a price of 0.1
        ("XAU/USD", [190000.0], 1),
        ("USD/IDR", [150000.0], 1),
        ("USD/KRW", [130000.0], 1),
        ("EUR/HUF", [39000.0], 1),
        ("BTC/USD", [60000.0], 1),
        ("USD/SEK", [105000.0], 1),
        ("EUR/USD", [float("nan")], 1),
        ("EUR/USD", [], 1),
    ],
)
def test_only_what_can_be_nothing_but_points_is_taken_for_points(symbol, prices, divisor):
    assert price_divisor(bars(*prices), Symbol.parse(symbol)) == divisor


def test_nothing_is_in_points_of_an_unknown_symbol():
    assert price_divisor(bars(103428.0), None) == 1


def test_quotes_in_points_are_told_too():
    rows = pl.DataFrame({"time": [1, 2], "bid": [103428.0, 103429.0], "ask": [103430.0, 103431.0]})
    table = Table(rows, np.arange(2), {name: name for name in rows.columns})
    assert price_divisor(table, EURUSD) == 1e5


def test_the_dust_of_floats_vanishes_and_the_spread_is_divided_too():
    rows = pl.DataFrame({"open": ["103428.00000000001"], "spread": ["12"], "volume": ["7"]})
    names = {
        "open": "open",
        "high": "open",
        "low": "open",
        "close": "open",
        "spread": "spread",
        "tick_volume": "volume",
    }
    values = Table(rows, np.arange(1), names, price_divisor=1e5).values()
    assert (values["open"][0], values["spread"][0], values["tick_volume"][0]) == (1.03428, 0.00012, 7)


def test_the_symbol_of_the_caller_tells_points_where_the_name_does_not(write, read):
    content = "Date,open,high,low,close\n2012-11-16 12:00:00,81121.0,81203.0,81107.0,81201.00000000001\n"
    path = write("bars.csv", content)
    assert open_source(path).price_divisor == 1
    source = open_source(path, symbol=Symbol.parse("USD/JPY"))
    assert (source.price_divisor, source.symbol) == (1e3, None)
    assert read(source).values["close"] == [81.201]


@pytest.mark.parametrize(
    ("name", "divisor", "first"),
    [("AUDUSDh1.csv.gz", 1e5, 1.03428), ("USDJPYh1.csv.gz", 1e3, 81.121), ("USDCHFh1.csv.gz", 1e5, 0.94371)],
)
def test_ten_real_years_in_points_become_prices(shared_data, name, divisor, first):
    source = open_source(shared_data / "ejtrader" / name)
    assert (source.price_divisor, source.timeframe.name) == (divisor, "1h")
    (table,) = source.tables()
    values = table.values()
    assert (len(table), values["open"][0]) == (57_600, first)
    assert all(float(f"{price:.5f}") == price for price in values["close"].tolist())
