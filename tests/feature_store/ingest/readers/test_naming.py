import pytest

from feature_store.ingest.readers.naming import side_in, symbol_in, symbol_of, timeframe_in, timeframe_of


@pytest.mark.parametrize(
    ("name", "symbol", "timeframe", "side"),
    [
        ("DAT_ASCII_EURUSD_M1_2018.csv", "EUR/USD", "1m", None),
        ("DAT_ASCII_EURUSD_T_201801.csv", "EUR/USD", None, None),
        ("20140508_eurusd_tick_quote.csv", "EUR/USD", None, None),
        ("EURUSDh1.csv", "EUR/USD", "1h", None),
        ("EURUSD_H1_202001020000_202012312300.csv", "EUR/USD", "1h", None),
        ("EURUSD.m_M15_202001020000_202012312300.csv", "EUR/USD", "15m", None),
        ("EURUSDm_H4.csv", "EUR/USD", "4h", None),
        ("EURUSD60.csv", "EUR/USD", "1h", None),
        ("EURUSD1440.csv", "EUR/USD", "1d", None),
        ("EURUSD10080.csv", "EUR/USD", "1w", None),
        ("usdjpy-m1-bid-2013.csv", "USD/JPY", "1m", "bid"),
        ("EURUSD_Candlestick_1_M_BID_01.01.2017-31.12.2017.csv", "EUR/USD", "1m", "bid"),
        ("EURUSD_Candlestick_1_Hour_ASK_01.01.2017-31.12.2017.csv", "EUR/USD", "1h", "ask"),
        ("EURUSD_Candlestick_1_s_BID_01.01.2017-31.12.2017.csv", "EUR/USD", None, "bid"),
        ("candles-minute-EUR-USD-BID-2026-7-10.json", "EUR/USD", "1m", "bid"),
        ("EUR_USD.5min.parquet", "EUR/USD", "5m", None),
        ("XAUUSD_D1.csv", "XAU/USD", "1d", None),
        ("USDJPY_Daily.csv", "USD/JPY", "1d", None),
        ("bid_and_ask.csv", None, None, None),
        ("bars.csv", None, None, None),
        ("report-2018-final.csv", None, None, None),
        ("signals.csv", None, None, None),
    ],
)
def test_names_say_whose_bars_they_are_how_long_and_of_which_side(name, symbol, timeframe, side):
    found, length = symbol_in([name]), timeframe_in([name])
    assert (found and found.name, length and length.name, side_in([name])) == (symbol, timeframe, side)


def test_the_nearest_name_that_says_anything_is_believed():
    assert symbol_in(["bars.csv", "gbpusd", "EURUSD"]).name == "GBP/USD"
    assert timeframe_in(["eurusd.csv", "hour", "daily"]).name == "1h"


def test_six_letters_and_a_number_are_no_timeframe_unless_the_letters_are_a_pair():
    assert timeframe_in(["broker1.csv", "market15", "EURUSD15"]).name == "15m"
    assert timeframe_in(["market_store1"]) is None


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("EUR_USD", "EUR/USD"),
        ("C:EURUSD", "EUR/USD"),
        ("EUR/USD", "EUR/USD"),
        ("X:BTCUSD", "BTCUSD"),
        ("/", None),
        (None, None),
        (7, None),
    ],
)
def test_symbols_are_read_as_sources_spell_them(text, name):
    found = symbol_of(text)
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("5min", "5m"),
        ("60min", "1h"),
        ("1day", "1d"),
        ("1week", "1w"),
        ("Daily", "1d"),
        ("Weekly", "1w"),
        ("D", "1d"),
        ("M15", "15m"),
        ("M", None),
        ("S5", None),
        ("45min", None),
        ("1month", None),
        ("7", None),
        (None, None),
    ],
)
def test_timeframes_are_read_as_sources_spell_them(text, name):
    found = timeframe_of(text)
    assert (found and found.name) == name
