from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

import feature_store as fs
from feature_store.errors import InvalidRequestError
from feature_store.times import to_microseconds
from feature_store.wire import FeatureRequest
from strategy_execution_engine.clients.bar_memory import BarMemory
from strategy_execution_engine.clients.direct import CannotCalculateError, DirectCalculation, because
from strategy_execution_engine.clients.transport import Call

from .conftest import FIRST

IDS = ["sma_50", "rsi_14", "macd_12_26_9"]
FEBRUARY = FeatureRequest.of("EUR/USD", "1h", "2023-02-01", "2023-02-10", IDS)
NOW = datetime(2023, 3, 1, tzinfo=UTC)


@pytest.fixture
def direct():
    return DirectCalculation(BarMemory(), now=lambda: NOW)


def learn_bars(direct, store, start, end):
    asked = FeatureRequest.of("EUR/USD", "1h", start, end)
    direct.learn(Call("ohlcv", asked), store.frame(asked))


def pandas_bars(bars):
    return pd.DataFrame(dict(bars.columns), index=pd.DatetimeIndex(bars.time.view("M8[us]"), tz="UTC", name="time"))


def test_bars_from_the_anchor_on_give_the_services_bits(direct, store):
    learn_bars(direct, store, None, "2023-02-28")
    frame, served = direct.frame(Call("indicators", FEBRUARY)), store.frame(FEBRUARY)
    assert list(frame.columns) == list(served.columns)
    np.testing.assert_array_equal(frame.time, served.time)
    for name, column in served.columns.items():
        assert frame.columns[name].tobytes() == column.tobytes(), name
    assert (frame.provenance.source, frame.provenance.degraded) == ("direct", True)
    assert frame.provenance.warnings == ()
    assert frame.provenance.anchor == FIRST
    assert frame.provenance.as_of == "2023-06-01T00:00:00Z"


@pytest.mark.parametrize("form", ["pandas", "naive", "column", "dict", "Bars"])
def test_bars_of_the_callers_own_give_the_same_in_any_form(direct, store, form):
    learn_bars(direct, store, "2023-01-01", "2023-01-01")  # from there the anchor is known
    indexed = pandas_bars(store.bars)
    bars = {
        "pandas": indexed.tz_convert("America/New_York"),
        "naive": indexed.tz_localize(None),
        "column": indexed.reset_index(),
        "dict": {"time": store.bars.time.view("M8[us]"), **store.bars.columns},
        "Bars": store.bars,
    }[form]
    frame, served = direct.frame(Call("indicators", FEBRUARY), bars), store.frame(FEBRUARY)
    np.testing.assert_array_equal(frame.time, served.time)
    assert frame.columns["rsi_14"].tobytes() == served.columns["rsi_14"].tobytes()
    assert frame.provenance.as_of == NOW.isoformat()


def test_on_a_shorter_history_unsettled_rows_are_nan_and_named(direct, store):
    learn_bars(direct, store, "2023-01-25", "2023-02-28")
    frame, served = direct.frame(Call("indicators", FEBRUARY)), store.frame(FEBRUARY)
    settled = fs.parse("rsi_14").settled - 7 * 24  # rows of the answer, which begins a week after the bars
    assert settled > 0
    assert np.isnan(frame.columns["rsi_14"][:settled]).all()
    np.testing.assert_allclose(frame.columns["rsi_14"][settled:], served.columns["rsi_14"][settled:], rtol=1e-6)
    assert not np.isnan(frame.columns["sma_50"]).any()
    (warning,) = frame.provenance.warnings
    assert "begin at 2023-01-25T00:00:00Z" in warning
    assert "rsi_14 before 2023-02-05T16:00:00Z" in warning
    assert "sma_50" not in warning


def test_without_a_known_anchor_bars_are_never_taken_to_begin_there(direct, store):
    asked = FeatureRequest.of("EUR/USD", "1h", "2023-01-01", "2023-01-03", ["rsi_14"])
    frame = direct.frame(Call("indicators", asked), store.bars)
    assert np.isnan(frame.columns["rsi_14"]).all()
    assert "rsi_14 before the end" not in frame.provenance.warnings[0]


def test_a_start_before_the_bars_is_told(direct, store):
    later = store.bars.between(to_microseconds("2023-02-05"), None)
    frame = direct.frame(Call("indicators", FEBRUARY), later)
    assert frame.time[0] == to_microseconds("2023-02-05") // 1000
    assert "begin at 2023-02-05T00:00:00Z, after the start" in frame.provenance.warnings[0]


def test_a_feature_with_parameters_is_calculated_under_its_full_id(direct, store):
    learn_bars(direct, store, None, "2023-02-28")
    asked = FeatureRequest.of("EUR/USD", "1h", "2023-02-01", "2023-02-02", ["rsi"])
    frame = direct.frame(Call("compute", asked, parameters=(("period", 5),)))
    expected = store.frame(FeatureRequest.of("EUR/USD", "1h", "2023-02-01", "2023-02-02", ["rsi_5"]))
    assert list(frame.columns) == ["rsi_5"]
    assert frame.columns["rsi_5"].tobytes() == expected.columns["rsi_5"].tobytes()


def test_bars_themselves_come_from_what_was_served(direct, store):
    learn_bars(direct, store, "2023-01-25", "2023-02-28")
    asked = FeatureRequest.of("EUR/USD", "1h", "2023-02-01", "2023-02-02")
    frame = direct.frame(Call("ohlcv", asked))
    assert frame.provenance.source == "stale"
    assert frame.columns["close"].tobytes() == store.frame(asked).columns["close"].tobytes()
    with pytest.raises(CannotCalculateError, match="no bars are at hand"):
        direct.frame(Call("ohlcv", FeatureRequest.of("EUR/USD", "1h", "2023-01-01", "2023-01-02")))


def test_without_bars_it_says_what_to_do(direct):
    with pytest.raises(CannotCalculateError, match=r"no bars are at hand for EUR/USD 1h from 2023-02-01.* bars="):
        direct.frame(Call("indicators", FEBRUARY))


def test_bars_outside_the_range_are_no_answer(direct, store):
    with pytest.raises(CannotCalculateError, match="the bars at hand have none in EUR/USD 1h"):
        direct.frame(Call("indicators", FEBRUARY), store.bars.between(None, to_microseconds("2023-01-20")))


def test_a_feature_only_the_service_knows_cannot_be_calculated(direct, store):
    asked = FeatureRequest.of("EUR/USD", "1h", "2023-02-01", "2023-02-02", ["spread_z_20"])
    with pytest.raises(CannotCalculateError, match="this process's engine does not know"):
        direct.frame(Call("indicators", asked), store.bars)


def test_a_feature_of_another_timeframe_cannot_be_calculated(direct, store):
    asked = FeatureRequest.of("EUR/USD", "1h", "2023-02-01", "2023-02-02", ["sma_5", "atr_14@4h"])
    with pytest.raises(CannotCalculateError, match="atr_14@4h needs bars of another timeframe"):
        direct.frame(Call("indicators", asked), store.bars)


def test_bars_without_times_are_refused(direct, store):
    with pytest.raises(InvalidRequestError, match="bars need their times"):
        direct.frame(Call("indicators", FEBRUARY), pandas_bars(store.bars).reset_index(drop=True))


def test_without_the_engine_it_says_what_to_install(direct, store, monkeypatch):
    monkeypatch.delattr(fs, "parse", raising=False)
    monkeypatch.setitem(fs._HOMES, "parse", "no_such_module")
    with pytest.raises(CannotCalculateError, match=r"pip install 'forex-feature-store\[engine\]'"):
        direct.frame(Call("indicators", FEBRUARY), store.bars)


def test_a_stand_in_says_what_it_stands_in_for(direct, store):
    learn_bars(direct, store, None, "2023-02-28")
    frame = because(direct.frame(Call("indicators", FEBRUARY)), "connection refused")
    assert frame.provenance.warnings == ("the service did not answer: connection refused",)
    assert repr(direct).startswith("<DirectCalculation <BarMemory series=1")
