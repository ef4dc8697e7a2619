import numpy as np
import pytest

from feature_store.bars import Symbol, Timeframe
from feature_store.calendar import Calendar
from feature_store.times import to_range
from strategy_execution_engine.clients.synthetic import synthetic_bars


def week(symbol="EUR/USD", timeframe="1h", start="2023-06-05", end="2023-06-09"):
    first, last = to_range(start, end)
    bars = synthetic_bars(Symbol.parse(symbol), Timeframe.parse(timeframe), first, last)
    return bars, bars.between(first, last)


@pytest.mark.parametrize("timeframe", ["1m", "5m", "1h", "4h", "1d"])
def test_bars_stand_where_the_calendar_expects_them_and_are_valid(timeframe):
    whole, asked = week(timeframe=timeframe)
    expected = Calendar.of("EUR/USD").expected(*to_range("2023-06-05", "2023-06-09"), Timeframe.parse(timeframe))
    np.testing.assert_array_equal(asked.time, expected)
    assert (np.diff(whole.time) > 0).all()
    o, h, low, c = (whole.columns[name] for name in ("open", "high", "low", "close"))
    assert (h >= np.maximum(o, c)).all()
    assert (low <= np.minimum(o, c)).all()
    assert (low > 0).all()
    assert (whole.columns["tick_volume"] > 0).all()


def test_the_same_question_has_the_same_answer_and_overlapping_ones_agree():
    one, _ = week()
    other, _ = week(start="2023-06-07", end="2023-06-08")
    np.testing.assert_array_equal(other.columns["close"], one.columns["close"][: len(other)])


def test_years_fit_together():
    bars, _ = week(start="2023-12-20", end="2024-01-15")
    jumps = np.abs(np.diff(np.log(bars.columns["close"])))
    assert jumps.max() < 0.01


def test_symbols_differ_and_yen_pairs_look_like_yen_pairs():
    euro, _ = week()
    pound, _ = week("GBP/USD")
    yen, _ = week("USD/JPY")
    assert not np.array_equal(euro.columns["close"], pound.columns["close"])
    assert 0.5 < euro.columns["close"].mean() < 2.5
    assert 70 < yen.columns["close"].mean() < 280


def test_there_is_a_year_of_history_before_the_range():
    whole, asked = week()
    assert len(whole) - len(asked) > 6000
