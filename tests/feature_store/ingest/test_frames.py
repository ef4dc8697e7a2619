from datetime import UTC, datetime

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from feature_store.bars import Bars, Symbol, Timeframe
from feature_store.errors import InvalidRequestError
from feature_store.ingest.frames import Table, table_of
from feature_store.ingest.moments import moments

TIMES = [datetime(2019, 1, 2, hour) for hour in (17, 18)]
EPOCH = [int(each.replace(tzinfo=UTC).timestamp() * 1e6) for each in TIMES]
PRICES = {"open": [1.0, 2.0], "high": [1.5, 2.5], "low": [0.5, 1.5], "close": [1.2, 2.2]}
INDEX = pd.DatetimeIndex(TIMES, name="time")


def read(frame):
    table = table_of(frame)
    return moments(table.time()).time.tolist(), {name: column.tolist() for name, column in table.values().items()}


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(pd.DataFrame(PRICES, index=INDEX), id="pandas, naive index"),
        pytest.param(pd.DataFrame(PRICES, index=INDEX.rename(None)), id="pandas, index without a name"),
        pytest.param(pd.DataFrame(PRICES, index=INDEX.tz_localize("UTC")), id="pandas, UTC index"),
        pytest.param(pd.DataFrame(PRICES, index=INDEX.tz_localize("UTC").tz_convert("Asia/Tokyo")), id="pandas, Tokyo"),
        pytest.param(pd.DataFrame(PRICES, index=INDEX.tz_localize("UTC").tz_convert("+02:00")), id="pandas, offset"),
        pytest.param(pd.DataFrame(PRICES, index=INDEX.astype("datetime64[ns]")), id="pandas, nanoseconds"),
        pytest.param(pd.DataFrame(PRICES, index=INDEX.rename("Gmt time").astype(str)), id="pandas, text index"),
        pytest.param(pd.DataFrame({"Date": TIMES, **PRICES}), id="pandas, column"),
        pytest.param(pd.DataFrame({"Date": INDEX.tz_localize("UTC"), **PRICES}), id="pandas, UTC column"),
        pytest.param(pd.DataFrame({"date": [str(each) for each in TIMES], **PRICES}), id="pandas, text column"),
        pytest.param(pd.DataFrame({"ts": EPOCH, **PRICES}), id="pandas, numbers"),
        pytest.param(pd.DataFrame({"time": TIMES, **PRICES}).astype(object), id="pandas, objects"),
        pytest.param(pl.DataFrame({"time": TIMES, **PRICES}), id="polars"),
        pytest.param(pl.DataFrame({"time": TIMES, **PRICES}).lazy(), id="polars, lazy"),
        pytest.param(pa.table({"time": TIMES, **PRICES}), id="arrow table"),
        pytest.param(pa.RecordBatch.from_pydict({"time": TIMES, **PRICES}), id="arrow batch"),
        pytest.param({"time": TIMES, **PRICES}, id="dict of lists"),
        pytest.param(
            {"time": np.array(TIMES, "M8[s]"), **{k: np.array(v) for k, v in PRICES.items()}}, id="dict of arrays"
        ),
        pytest.param(
            {"time": INDEX, **{k: pd.Series(v, index=[7, 8]) for k, v in PRICES.items()}}, id="dict of pandas"
        ),
        pytest.param(
            {"time": [str(each) for each in TIMES], **{k: list(map(str, v)) for k, v in PRICES.items()}}, id="text"
        ),
    ],
)
def test_every_kind_of_frame_gives_the_same_rows(frame):
    time, values = read(frame)
    assert time == EPOCH
    assert {name: values[name] for name in PRICES} == PRICES
    assert np.isnan(values["tick_volume"]).all()


def test_bars_are_a_frame_too():
    columns = {name: np.array(values) for name, values in {**PRICES, "tick_volume": [3.0, 4.0]}.items()}
    bars = Bars(Symbol.parse("EURUSD"), Timeframe.parse("1h"), np.array(EPOCH), columns)
    assert read(bars) == (EPOCH, {**PRICES, "tick_volume": [3.0, 4.0]})


def test_a_column_of_times_beats_an_index_that_is_only_counting():
    assert read(pd.DataFrame({"time": TIMES, **PRICES}, index=[5, 6]))[0] == EPOCH


def test_date_and_time_of_day_are_put_together():
    frame = pl.DataFrame({"<DATE>": ["2019.01.02"] * 2, "<TIME>": ["17:00:00", "18:00:00"], **PRICES})
    assert read(frame)[0] == EPOCH


def test_numbers_in_any_dress_become_floats():
    frame = {
        "time": TIMES,
        **PRICES,
        "open": [" 1 ", "2e0"],
        "volume": np.array([3, 4], "int32"),
        "spread": [True, None],
    }
    values = read(frame)[1]
    assert (values["open"], values["tick_volume"]) == ([1.0, 2.0], [3.0, 4.0])
    assert np.isnan(values["spread"]).all()


def test_what_is_no_number_is_nan():
    assert np.isnan(read({"time": TIMES, **PRICES, "open": ["1,5", "x"]})[1]["open"]).all()


def test_prices_of_both_sides_give_the_middle_and_the_spread():
    sides = {
        f"{side}_{name}": [v + add for v in vs]
        for name, vs in PRICES.items()
        for side, add in (("bid", 0), ("ask", 0.5))
    }
    values = read({"time": TIMES, **sides})[1]
    assert values["open"] == [1.25, 2.25]
    assert values["spread"] == [0.5, 0.5]
    assert values["ask_close"] == [1.7, 2.7]


def test_prices_of_one_side_are_the_prices():
    values = read({"time": TIMES, **{f"ask_{name}": column for name, column in PRICES.items()}})[1]
    assert values["close"] == PRICES["close"]
    assert "spread" not in values


def test_a_frame_without_what_bars_need_is_told_what_it_lacks():
    with pytest.raises(InvalidRequestError, match=r"no column means time, low among 'open', 'high', 'close'"):
        table_of({name: PRICES[name] for name in ("open", "high", "close")})


@pytest.mark.parametrize(
    "bars", [7, [1, 2], None, {"time": TIMES, **PRICES, "open": [1.0]}, {"time": TIMES, **PRICES, "open": 3}]
)
def test_what_is_no_frame_is_refused(bars):
    with pytest.raises(InvalidRequestError, match="bars"):
        table_of(bars)


def test_quotes_of_ticks_are_floats_with_volumes_where_there_are_any():
    rows = pl.DataFrame({"t": ["x", "y"], "B": ["1.1", None], "A": ["1.2", "1.3"], "V": [1, 2]})
    table = Table(rows, np.arange(2), {"time": "t", "bid": "B", "ask": "A", "bid_volume": "V"})
    quotes = table.quotes()
    assert list(quotes) == ["bid", "ask", "bid_volume"]
    assert (quotes["ask"].tolist(), quotes["bid_volume"].tolist()) == ([1.2, 1.3], [1.0, 2.0])
    assert np.isnan(quotes["bid"][1])


def test_prices_in_points_are_divided_to_the_nearest_number():
    rows = pl.DataFrame({"time": [1], **{name: [103428.00000000001] for name in PRICES}})
    table = Table(rows, np.arange(1), {name: name for name in rows.columns}, price_divisor=1e5)
    assert table.values()["close"].tolist() == [1.03428]
