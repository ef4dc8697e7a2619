"""A value's weight follows the memory it holds."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
import polars as pl
import pytest

from feature_store.wire import Frame, Provenance
from strategy_execution_engine.caching.weigh import weigh

HOURS = 744


@pytest.fixture
def frame():
    index = pd.date_range("2023-01-01", periods=HOURS, freq="h", tz="UTC")
    return pd.DataFrame({"sma_50": np.arange(HOURS, dtype=float), "rsi_14": np.ones(HOURS)}, index=index)


def test_an_array_weighs_its_bytes():
    assert weigh(np.zeros(HOURS)) == 8 * HOURS


def test_a_pandas_frame_weighs_its_columns_and_its_index(frame):
    assert weigh(frame) == 3 * 8 * HOURS


def test_a_pandas_series_weighs_at_least_its_values(frame):
    assert weigh(frame["sma_50"]) >= 8 * HOURS


def test_a_polars_frame_weighs_its_columns(frame):
    assert weigh(pl.from_pandas(frame)) >= 2 * 8 * HOURS


def test_an_answer_weighs_what_it_says():
    column = np.zeros(HOURS)
    answer = Frame("EUR/USD", "1h", np.arange(HOURS), {"sma_50": column}, Provenance("live", "2023-01-01T00:00:00Z"))

    assert weigh(answer) == 2 * 8 * HOURS


def test_bytes_weigh_their_length():
    assert weigh(b"1234") == weigh(bytearray(b"1234")) == 4


def test_containers_weigh_what_they_hold():
    column = np.zeros(HOURS)

    assert weigh((column, "etag")) > 8 * HOURS
    assert weigh({"sma_50": column, "rsi_14": column}) > 16 * HOURS
    assert weigh([[[column]]]) > 8 * HOURS


def test_a_list_that_holds_itself_has_a_weight():
    endless = []
    endless.append(endless)

    assert weigh(endless) > 0


def test_anything_else_weighs_its_object():
    @dataclass
    class Thing:
        nbytes: str = "many"

    thing = Thing()
    assert weigh(thing) == sys.getsizeof(thing)
    assert weigh(None) == sys.getsizeof(None)
