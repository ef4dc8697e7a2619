import numpy as np
import pandas as pd
import pytest

from feature_store.bars import Symbol
from feature_store.errors import InvalidRequestError
from strategy_execution_engine.strategies.market import bars_of, frame_of, symbol_of


def test_the_symbol_is_read_from_a_column_or_from_attrs(bars_from):
    bars = bars_from([1.1, 1.2])
    assert symbol_of(bars).name == "EUR/USD"
    bars["symbol"] = "gbpusd"
    assert symbol_of(bars).name == "GBP/USD"


@pytest.mark.parametrize(
    ("symbols", "sentence"),
    [
        (["EUR/USD", "GBP/USD"], "these bars are of 2 symbols (EUR/USD, GBP/USD); give one symbol at a time"),
        (["unknown", "unknown"], "symbol must be an instrument's name such as EUR/USD, was 'unknown'"),
        (None, 'add a column symbol or set data.attrs["symbol"]'),
    ],
)
def test_bars_without_one_known_symbol_are_refused(bars_from, symbols, sentence):
    bars = bars_from([1.1, 1.2])
    bars.attrs.clear()
    if symbols:
        bars["symbol"] = symbols
    with pytest.raises(InvalidRequestError) as refused:
        symbol_of(bars)
    assert sentence in str(refused.value)


def test_a_column_of_one_symbol_is_that_symbol_wherever_one_is_asked_for(bars_from):
    column = bars_from([1.1, 1.2]).assign(symbol="eurusd")["symbol"]
    assert Symbol.parse(column).name == "EUR/USD"


@pytest.mark.parametrize("column", [["EUR/USD", "GBP/USD"], [1.0, 1.0], []])
def test_a_column_of_anything_else_is_no_symbol(column):
    with pytest.raises(InvalidRequestError, match="symbol must be one instrument's name"):
        Symbol.parse(pd.Series(column))


@pytest.mark.parametrize("thing", [None, 7, ["EUR/USD"], {"symbol": "EUR/USD"}])
def test_what_is_no_text_is_no_symbol(thing):
    with pytest.raises(InvalidRequestError, match="symbol must be one instrument's name"):
        Symbol.parse(thing)


def test_a_frame_becomes_bars_and_back(bars_from):
    frame = bars_from([1.1, 1.2, 1.3])
    bars = bars_of(frame)
    assert (bars.symbol.name, bars.timeframe.name, len(bars)) == ("EUR/USD", "1h", 3)
    pd.testing.assert_frame_equal(frame_of(bars), frame, check_freq=False)


def test_naive_times_are_utc_and_other_zones_are_converted(bars_from):
    frame = bars_from([1.1, 1.2])
    naive, tokyo = frame.tz_localize(None), frame.tz_convert("Asia/Tokyo")
    assert np.array_equal(bars_of(naive).time, bars_of(frame).time)
    assert np.array_equal(bars_of(tokyo).time, bars_of(frame).time)


def test_the_timeframe_is_the_usual_distance_whatever_gaps_there_are(bars_from):
    frame = bars_from(np.linspace(1.1, 1.2, 100)).drop(
        index=pd.date_range("2023-01-03", periods=30, freq="h", tz="UTC")
    )
    frame.attrs.pop("timeframe")
    assert bars_of(frame).timeframe.name == "1h"


def _seven_minutes(frame):
    frame.index = pd.date_range("2023-01-02", periods=len(frame), freq="7min", tz="UTC")
    frame.attrs.pop("timeframe")
    return frame


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda f: f[::-1], "bar times must rise"),
        (lambda f: pd.concat([f, f[-1:]]), "bar times must rise"),
        (lambda f: f.reset_index(), "DatetimeIndex"),
        (lambda f: f.drop(columns=["high", "low"]), "these have no high, low"),
        (_seven_minutes, "the timeframe of 3 bars cannot be told"),
        (lambda _: [1, 2], "bars must be a pandas DataFrame or feature_store Bars, were list"),
    ],
)
def test_what_is_not_bars_is_refused_with_the_way_out(bars_from, spoil, sentence):
    with pytest.raises(InvalidRequestError) as refused:
        bars_of(spoil(bars_from([1.1, 1.2, 1.3])))
    assert sentence in str(refused.value)


def test_bars_are_not_taken_for_another_symbol(bars_from):
    bars = bars_of(bars_from([1.1, 1.2]))
    assert bars_of(bars, "eurusd") is bars
    with pytest.raises(InvalidRequestError, match="bars of EUR/USD, not of GBP/USD"):
        bars_of(bars, "GBP/USD")
