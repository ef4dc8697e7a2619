"""ArcticDB's side of benchmarks/history.py and, for a live bar, of benchmarks/ingesting.py: LMDB in a folder."""

import arcticdb
import numpy as np
import pandas as pd
import talib
from conversation import converse, seconds

COLUMNS = ["open", "high", "low", "close", "tick_volume"]
held = {}


def library(home, cold):
    """Return the library of bars; `cold` opens it anew, as ours opens its folder."""
    if cold or home not in held:
        held.clear()
        held[home] = arcticdb.Arctic(f"lmdb://{home}").get_library("bars", create_if_missing=True)
    return held[home]


def fill(home, name, arrays):
    """Write the bars of an `.npz` file as a symbol, in one write."""
    columns = np.load(arrays)
    index = pd.DatetimeIndex(columns["time"].astype("M8[ns]"), name="time")
    took, _ = seconds(
        lambda: library(home, False).write(name, pd.DataFrame({c: columns[c] for c in COLUMNS}, index=index))
    )
    return took


def month(home, name, start, end, cold):
    """Read the bars that open from `start` up to `end`; returns the seconds, and the rows with the sum of the closes."""
    between = (pd.Timestamp(start), pd.Timestamp(end) - pd.Timedelta(1, "us"))
    took, frame = seconds(lambda: library(home, cold).read(name, date_range=between).data)
    return took, [len(frame), float(frame["close"].sum())]


def indicators(home, name, start, end, cold):
    """Read all bars, run TA-Lib's SMA 50, RSI 14 and ATR 14 over them, and keep a range of rows; returns as `month` does."""

    def answer():
        bars = library(home, cold).read(name, columns=["high", "low", "close"]).data
        high, low, close = (bars[each].to_numpy() for each in ("high", "low", "close"))
        rows = slice(*bars.index.searchsorted([pd.Timestamp(start), pd.Timestamp(end)]))
        return [
            column[rows] for column in (talib.SMA(close, 50), talib.RSI(close, 14), talib.ATR(high, low, close, 14))
        ]

    took, columns = seconds(answer)
    return took, [len(columns[0]), *(float(column.sum()) for column in columns)]


def append(home, name):
    """Append a bar an hour after the last; returns the seconds that the append takes."""
    bars = library(home, False)
    time = bars.tail(name, 1).data.index[-1] + pd.Timedelta(1, "h")
    bar = pd.DataFrame(dict.fromkeys(COLUMNS, 1.1), index=pd.DatetimeIndex([time], name="time"))
    return seconds(lambda: bars.append(name, bar))[0]


if __name__ == "__main__":
    converse(fill, month, indicators, append)
