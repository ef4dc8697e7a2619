"""Events in any frame and order; what cannot be understood is refused by row."""

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from feature_store.dataset.events import Events
from feature_store.errors import InvalidRequestError

SYMBOLS = ["gbpusd", "EUR/USD", "EUR_USD", "gbpusd"]
NOON = 1672660800_000_000  # 2023-01-02T12:00:00Z
TIMES = [datetime(2023, 1, 2, 12, tzinfo=UTC) + timedelta(minutes=minutes) for minutes in (3, 0, 1, 3)]
MINUTES = (3, 0, 1, 3)


@pytest.mark.parametrize(
    "frame",
    [
        {"symbol": SYMBOLS, "time": TIMES},
        {"symbol": SYMBOLS, "time": [time.isoformat() for time in TIMES]},
        {"symbol": SYMBOLS, "time": [time.replace(tzinfo=None) for time in TIMES]},
        {"symbol": SYMBOLS, "time": np.array(MINUTES) * 60_000 + NOON // 1_000},
        {"symbol": SYMBOLS, "time": [TIMES[0].astimezone(timezone(timedelta(hours=3))), *map(str, TIMES[1:])]},
        pd.DataFrame({"symbol": pd.Categorical(SYMBOLS), "time": pd.DatetimeIndex(TIMES).tz_convert("Asia/Tokyo")}),
        pd.DataFrame({"symbol": SYMBOLS, "time": TIMES}, index=[9, 9, 1, 0]),
        pl.DataFrame({"symbol": SYMBOLS, "time": TIMES}),
        pl.DataFrame({"symbol": pl.Series(SYMBOLS, dtype=pl.Categorical), "time": TIMES}).lazy(),
        pa.table({"symbol": SYMBOLS, "time": TIMES}),
    ],
    ids=["dict", "ISO", "naive", "epoch ms", "mixed", "pandas", "pandas index", "polars", "lazy", "arrow"],
)
def test_events_of_any_form_are_the_same_events(frame):
    events = Events.of(frame)
    assert [events.symbols[code].name for code in events.codes] == ["GBP/USD", "EUR/USD", "EUR/USD", "GBP/USD"]
    assert ((events.time - NOON) // 60_000_000).tolist() == list(MINUTES)


def test_each_symbol_comes_with_its_rows_in_order_of_time():
    events = Events.of({"symbol": SYMBOLS, "time": TIMES[::-1]})
    assert {symbol.name: rows.tolist() for symbol, rows in events.by_symbol()} == {"EUR/USD": [2, 1], "GBP/USD": [0, 3]}


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        (
            {"symbol": ["EURUSD", "?!"], "time": [1, 2]},
            r"row 1 of events: symbol must be .* was '\?!'; correct it or drop",
        ),
        ({"symbol": ["EURUSD", None], "time": [1, 2]}, "row 1 of events: symbol must be .* was none"),
        ({"symbol": ["EURUSD", 7], "time": [1, 2]}, "row 1 of events: symbol must be .* was 7"),
        ({"symbol": ["EURUSD"] * 3, "time": ["2023-01-02", "soon", "later"]}, r"row 1 .*1 other rows.* was 'soon'"),
        ({"symbol": ["EURUSD"] * 2, "time": [datetime(2023, 1, 2), None]}, "row 1 of events: time must be .* was NaT"),
        ({"symbol": ["EURUSD"] * 2, "time": ["2023-01-02", None]}, "row 1 of events: time must be .* was (None|nan)"),
        ({"symbol": ["EURUSD"] * 2, "time": ["2023-01-02", 1.5]}, "row 1 of events: time must be .* was 1.5"),
        ({"symbol": ["EURUSD"] * 2, "time": [0, 2**62]}, "row 1 of events: time must be .* between 1900 and 2200"),
        ({"symbol": ["EURUSD"] * 2, "time": ["2023-01-02", "1066-10-14"]}, "row 1 of events: time must be"),
        ({"symbol": ["EURUSD"], "when": [1]}, "events need a column 'time', and their columns are 'symbol', 'when'"),
        ({"symbol": ["EURUSD"], "time": [1, 2]}, "give columns of equal length"),
        ({"symbol": [], "time": []}, "events have no rows"),
        (pd.DataFrame([[1, 2, 3]], columns=["symbol", "time", "time"]), "two columns called 'time'"),
        ("events.csv", "must be a pandas, polars or Arrow frame or a dict of arrays, were str"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_row(frame, told):
    with pytest.raises(InvalidRequestError, match=told):
        Events.of(frame)
