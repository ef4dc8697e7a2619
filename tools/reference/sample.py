"""The bars that pictures are drawn of, and what indicators make of them: hours of EUR/USD that come with `backtesting`."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

import feature_store as fs
from strategy_execution_engine.demo import bundled_bars

if TYPE_CHECKING:
    from feature_store.bars import Floats

BARS = 160
"""How many bars a picture shows."""

START = 2190
"""The first of them, unless nothing happens there."""

OTHER_BARS_BEFORE = 24
"""No second symbol comes with the bars, so those that compare two see the same one as it was so many bars before."""

PRICES = ("open", "high", "low", "close")


@cache
def bars() -> pd.DataFrame:
    """Return all bars that there are, with the price of the "second symbol" as `other`."""
    frame = pd.read_csv(bundled_bars(), index_col=0, parse_dates=True).astype(float)
    frame.columns = pd.Index([*PRICES, "tick_volume"])
    frame.index = pd.DatetimeIndex(frame.index, name="time").tz_localize("UTC")
    return frame.assign(other=frame["close"].shift(OTHER_BARS_BEFORE).bfill())


def values_of(name: str) -> dict[str, Floats]:
    """Return each output of an indicator with its default parameters on every bar, by its name."""
    definition = fs.parse(name).definition
    columns = fs.compute(bars(), [name], as_="numpy")
    return {output: columns[label] for output, label in zip(definition.outputs, fs.parse(name).columns, strict=True)}


def window(values: dict[str, Floats]) -> slice:
    """Return the rows to show: those from `START`, or the last ones in which an output moves that stands still there."""
    shown = slice(START, START + BARS)
    for series in values.values():
        moves = np.flatnonzero(np.diff(series[: len(series) - BARS // 4]) != 0)
        if len(moves) and not (np.diff(series[shown]) != 0).any():
            last = int(moves[-1]) + BARS // 4
            return slice(last - BARS, last)
    return shown
