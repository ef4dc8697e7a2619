"""`compute`: frames of every kind in, columns out, and bars that are refused before any work."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import feature_store as fs
from feature_store.bars import Bars, Symbol, Timeframe
from feature_store.errors import InvalidRequestError, SnapshotMismatchError
from tests.conftest import same_bits

IDS = ["sma_3", "atr_2"]


def test_every_kind_of_frame_gives_the_same_bits(walk):
    want = fs.compute(walk, IDS)
    arrays = {name: walk[name].to_numpy() for name in walk}
    times = np.arange(len(walk)) * 3_600_000_000
    bars = Bars(Symbol.parse("EUR/USD"), Timeframe.parse("1h"), times, arrays)
    for held in (arrays, pl.DataFrame(arrays), pa.table(arrays), bars, walk.astype(float)[["low", "high", "close"]]):
        assert same_bits(fs.compute(held, IDS), want)


def test_every_form_of_answer_holds_the_same_bits(walk):
    want = fs.compute(walk, IDS)
    assert same_bits(np.array(list(fs.compute(walk, IDS, as_="numpy").values())).T, want)
    assert same_bits(fs.compute(walk, IDS, as_="polars").drop("time", strict=False).to_numpy(), want)
    assert fs.compute(walk, IDS, as_="arrow").column_names == ["time", *IDS]


def test_the_answer_keeps_the_index_and_says_when_values_begin_and_settle(eurusd):
    frame = fs.compute(eurusd, ["sma_50", "ema_20"])
    assert frame.index.equals(eurusd.index)
    about = frame.attrs["feature_store"]
    assert about["warmup"] == {"sma_50": 49, "ema_20": 19}
    assert about["settled"] == {"sma_50": 49, "ema_20": 19 + 200}
    assert about["versions"]["sma_50"] == fs.parse("sma_50").version


def test_a_state_continues_a_series_exactly(walk):
    whole = fs.compute(walk, IDS)
    live = fs.live(IDS)
    for bar in walk.iloc[:700].to_dict("records"):
        live.update(**bar)
    rest = fs.compute(walk.iloc[700:], IDS, state=live.snapshot())
    assert same_bits(rest, whole.iloc[700:])
    assert rest.attrs["feature_store"]["settled"] == {"sma_3": 0, "atr_2": 0}


def test_a_state_of_other_features_is_refused(walk):
    with pytest.raises(SnapshotMismatchError, match="of sma_3, not of sma_4"):
        fs.compute(walk, ["sma_4"], state=fs.live(["sma_3"]).snapshot())


def test_integers_and_read_only_columns_are_taken():
    column = np.array([1, 2, 3])
    column.flags.writeable = False
    assert fs.compute({"close": column}, ["sma_2"])["sma_2"].tolist()[1:] == [1.5, 2.5]


def test_empty_bars_give_an_empty_answer():
    assert fs.compute({"close": np.empty(0)}, ["sma_2"]).shape == (0, 1)


@pytest.mark.parametrize(
    ("bars", "message"),
    [
        ({"open": [1.0]}, "need the column 'close', and the bars have open"),
        ({"close": [1.0, np.inf]}, "close must be finite, or NaN for a gap, was .*inf.* in row 1"),
        ({"close": ["1.0"]}, "'close' must hold numbers"),
        ({"close": np.array([1.0, None], dtype=object)}, "must hold numbers, not object; convert it with astype"),
        ({"close": np.ones((2, 2))}, "one dimension"),
        ({"close": [1.0], "high": [1.0, 2.0], "low": [1.0]}, "columns must have one length"),
        ({"close": [1.0], "high": [1.0], "low": [2.0]}, "high must not be below low, was .*1.0.* in row 0"),
        (17, "must be a pandas, polars or Arrow frame or a dict of columns, not int"),
    ],
)
def test_bars_that_break_a_rule_are_refused_by_column_row_and_rule(bars, message):
    with pytest.raises(InvalidRequestError, match=message):
        fs.compute(bars, IDS if isinstance(bars, dict) and "high" in bars else ["sma_2"])


@pytest.mark.parametrize("order", [[0, 2, 1], [0, 1, 1]])
def test_times_that_do_not_rise_are_refused(order):
    index = pd.DatetimeIndex(pd.Timestamp("2023-01-02", tz="UTC") + pd.to_timedelta(order, unit="h"))
    with pytest.raises(InvalidRequestError, match="times must rise, but row 2 "):
        fs.compute(pd.DataFrame({"close": [1.0, 2.0, 3.0]}, index=index), ["sma_2"])


def test_an_unknown_form_is_refused(walk):
    with pytest.raises(InvalidRequestError, match="as_ must be pandas, polars, arrow or numpy, was 'excel'"):
        fs.compute(walk, IDS, as_="excel")
