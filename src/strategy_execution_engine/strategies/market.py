"""What a strategy sees: closed bars of one symbol, and the features known at their closes, as arrays of one length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from feature_store.bars import COLUMNS, OPTIONAL_COLUMNS, PRICES, TIMEFRAMES, Bars, Symbol, Timeframe
from feature_store.errors import InvalidRequestError
from feature_store.times import MICROSECONDS_A_SECOND, to_datetime
from strategy_execution_engine.strategies.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.bars import Floats, Integers
    from feature_store.wire import Provenance
    from strategy_execution_engine.strategies.signals import Direction


@dataclass(frozen=True, eq=False, slots=True)
class Market:
    """Bars, and by column name the features of the same rows; NaN where a feature is not known yet."""

    bars: Bars
    features: Mapping[str, Floats]
    provenance: Provenance

    def __len__(self) -> int:
        return len(self.bars)

    def __repr__(self) -> str:
        series = f"{self.bars.symbol} {self.bars.timeframe}"
        return f"<Market {series} {len(self)} x {len(self.features)} {self.provenance.source}>"

    @property
    def close(self) -> Floats:
        """The bars' closing prices in quote currency."""
        return self.bars.columns["close"]

    def feature(self, column: str) -> Floats:
        """Return one feature's values; raises InvalidRequestError naming those at hand."""
        try:
            return self.features[column]
        except KeyError:
            msg = f"the strategy reads {column}, but was given {', '.join(self.features) or 'no features'}"
            raise InvalidRequestError(msg, field="features") from None

    def decided(self, row: int, direction: Direction, kind: str, **details: Any) -> Signal:
        """Return the signal decided at the close of `row`: entry is that close, provenance that of the features."""
        return Signal(
            symbol=self.bars.symbol.name,
            time=to_datetime(int(self.bars.time[row])),
            direction=direction,
            kind=kind,
            entry=float(self.close[row]),
            provenance=self.provenance.source,
            **details,
        )


def symbol_of(data: Any) -> Symbol:
    """Return the one symbol of a frame of bars, from its `symbol` column or from `attrs["symbol"]`.

    Raises InvalidRequestError where there is none or more than one.

    >>> frame = pd.DataFrame({"close": [1.0]})
    >>> frame.attrs["symbol"] = "eurusd"
    >>> symbol_of(frame).name
    'EUR/USD'
    """
    if isinstance(data, Bars):
        return data.symbol
    names = list(pd.unique(data["symbol"])) if "symbol" in data else [data.attrs.get("symbol")]
    if len(names) != 1 or names[0] is None:
        msg = (
            f"these bars are of {len(names)} symbols ({', '.join(map(str, names[:3]))}); give one symbol at a time"
            if len(names) > 1
            else 'nothing says which symbol these bars are of; add a column symbol or set data.attrs["symbol"]'
        )
        raise InvalidRequestError(msg, field="symbol")
    return Symbol.parse(names[0])


def bars_of(data: Any, symbol: Any = None) -> Bars:
    """Return a frame of bars as columns of float64, or `data` itself where it is `Bars` already.

    The frame is pandas with a rising DatetimeIndex of bar opens (naive means UTC) and columns `open high low close`;
    `tick_volume`, `spread` (ask - bid, quote currency) and `bid_*`/`ask_*` are kept where present. The symbol is
    in a column or in `attrs`, the timeframe in `attrs`; a timeframe that is not named is the bars' usual distance.
    """
    if isinstance(data, Bars):
        return _named(data, symbol)
    if not isinstance(data, pd.DataFrame):
        msg = f"bars must be a pandas DataFrame or feature_store Bars, were {type(data).__name__}"
        raise InvalidRequestError(msg, field="bars")
    missing = [name for name in PRICES if name not in data]
    if missing:
        msg = f"bars need columns {', '.join(PRICES)}; these have no {', '.join(missing)}"
        raise InvalidRequestError(msg, field="bars")
    time = _times(data)
    known = [name for name in (*COLUMNS, *OPTIONAL_COLUMNS) if name in data]
    columns = {name: data[name].to_numpy(dtype=np.float64) for name in known}
    return Bars(symbol_of(data) if symbol is None else Symbol.parse(symbol), _timeframe_of(data, time), time, columns)


def frame_of(bars: Bars) -> pd.DataFrame:
    """Return bars as the pandas frame that users hold: UTC index named time, symbol and timeframe in `attrs`."""
    index = pd.DatetimeIndex(bars.time.view("datetime64[us]"), tz="UTC", name="time")
    frame = pd.DataFrame(dict(bars.columns), index=index)
    frame.attrs.update(symbol=bars.symbol.name, timeframe=bars.timeframe.name)
    return frame


def _named(bars: Bars, symbol: Any) -> Bars:
    if symbol is not None and Symbol.parse(symbol) != bars.symbol:
        msg = f"these are bars of {bars.symbol}, not of {Symbol.parse(symbol)}"
        raise InvalidRequestError(msg, field="symbol")
    return bars


def _times(data: pd.DataFrame) -> Integers:
    if not isinstance(data.index, pd.DatetimeIndex):
        msg = f"bars need a DatetimeIndex of bar opens, had {type(data.index).__name__}; try data.set_index('time')"
        raise InvalidRequestError(msg, field="bars")
    index = data.index.tz_localize("UTC") if data.index.tz is None else data.index.tz_convert("UTC")
    time: Integers = index.as_unit("us").asi8
    if bool((np.diff(time) <= 0).any()):
        msg = "bar times must rise; sort the frame and drop repeated times"
        raise InvalidRequestError(msg, field="bars")
    return time


def _timeframe_of(data: pd.DataFrame, time: Integers) -> Timeframe:
    named = data.attrs.get("timeframe")
    if named is not None:
        return Timeframe.parse(named)
    usual = float(np.median(np.diff(time))) / MICROSECONDS_A_SECOND if len(time) > 1 else 0.0
    for timeframe in TIMEFRAMES:
        if timeframe.seconds == usual:
            return timeframe
    msg = f'the timeframe of {len(time)} bars cannot be told from their times; set data.attrs["timeframe"] = "1h"'
    raise InvalidRequestError(msg, field="timeframe")
