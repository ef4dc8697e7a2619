"""Ticks to bars, the same for a file of millions and for a live feed of one at a time.

1. Ticks wait until one of them opens a later bucket than the forming bar's, or until there are many of them.
2. Those that wait are taken together. A side that a tick does not quote (NaN) is as it was; while a side was never quoted a
   tick makes no bar.
3. Each bucket's ticks become one bar. The forming bar is a row before them, and joins the first as `resample` joins bars: so
   it does not matter where the ticks were split.
4. All bars but the last have closed. The last forms until a later tick, or the clock, has passed its end.

Prices are the middle of bid and ask. The columns are those that `resample` knows, so that ticks made into minutes and these
into days are the ticks made into days, to the bit.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import COLUMNS, PRICES, QUOTE_COLUMNS, SPREAD_COLUMNS, Bars, Symbol, Timeframe
from feature_store.calendar import WEEK, Calendar, bucket_open
from feature_store.errors import InvalidRequestError
from feature_store.resample import Resampled, grouped, points_a_unit
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

    from feature_store.bars import Floats, Integers

_WAITING = 8192  # ticks; below that, taking them together costs more in calls than in numbers
_PIECE = 65_536  # ticks whose columns fit into a processor's cache
_NEVER = -(2**63)
_TICK_COLUMNS = (*COLUMNS, *SPREAD_COLUMNS, *QUOTE_COLUMNS)


class TickBars:
    """A symbol's ticks being made into bars of one timeframe.

    >>> seconds = np.array([0, 20, 59, 60]) * 1_000_000
    >>> minutes = TickBars("EUR/USD", "1m")
    >>> closed = minutes.update(seconds, bid=[1.1, 1.3, 1.2, 1.2], ask=[1.3, 1.5, 1.4, 1.4])
    >>> {name: closed.columns[name].round(6).tolist() for name in ("open", "high", "low", "close", "tick_volume")}
    {'open': [1.2], 'high': [1.4], 'low': [1.2], 'close': [1.3], 'tick_volume': [3.0]}
    >>> minutes.forming.time.tolist(), len(minutes.advance(120_000_000))
    ([60000000], 1)
    """

    def __init__(self, symbol: Symbol | str, timeframe: Timeframe | str) -> None:
        self.symbol, self.timeframe = Symbol.parse(symbol), Timeframe.parse(timeframe)
        self._calendar = Calendar.of(self.symbol)
        self._points = points_a_unit(self.symbol)
        self._none = self._bars(np.empty(0, np.int64), {name: np.empty(0) for name in _TICK_COLUMNS})
        self._forming: Bars | None = None
        self._quote = (np.nan, np.nan)
        self._last = self._end = self._closed = _NEVER
        self._wait()

    def __repr__(self) -> str:
        forming = self.forming
        since = "nothing" if forming is None else to_iso(int(forming.time[0]))
        return f"<TickBars {self.symbol} {self.timeframe} forming={since}>"

    def update(self, time: ArrayLike, bid: ArrayLike, ask: ArrayLike) -> Bars:
        """Return the bars that close because later ones begin, in order; mostly none.

        Args:
            time: UTC microseconds, never falling; a tick may share its time with the one before.
            bid: prices in quote currency, NaN where a tick leaves the side as it was.
            ask: the same of the other side. All three are single numbers, or arrays of one length.

        Raises InvalidRequestError, and takes none of the ticks, for arrays of several lengths, a time before the one before it
        or before the end of a bar that was handed out, and for a weekend tick of a currency pair in weekly bars.
        """
        if isinstance(time, int) and isinstance(bid, float) and isinstance(ask, float):
            return self._take_one(time, bid, ask)
        moments = np.atleast_1d(np.asarray(time, dtype=np.int64))
        bids, asks = (np.atleast_1d(np.asarray(side, dtype=np.float64)) for side in (bid, ask))
        if not moments.shape == bids.shape == asks.shape or moments.ndim != 1:
            shapes = ", ".join(str(each.shape) for each in (moments, bids, asks))
            msg = (
                f"time, bid and ask must be numbers, or arrays of one dimension and one length, had the shapes {shapes}"
            )
            raise InvalidRequestError(msg, field="time")
        return self._take(moments, bids, asks) if len(moments) else self._none

    def advance(self, now: int) -> Bars:
        """Return the forming bar if its end has passed at `now` (UTC microseconds), else no bars; ticks in it are late then."""
        if now < self._end:
            return self._none
        return self.finish().bars

    def finish(self) -> Resampled:
        """Return the last bar as it stands, marked as forming, and how many ticks it has; later ticks in it are refused.

        There is no bar in the answer where none was forming.
        """
        last = self.forming or self._none
        if len(last):
            self._forming, self._closed, self._end = None, self._end, _NEVER
        ends = self._calendar.bucket_close(last.time, self.timeframe)
        ticks = last.columns["tick_volume"].astype(np.int64)
        return Resampled(last, ends, ticks, forming=len(last) > 0, lower=None)

    @property
    def forming(self) -> Bars | None:
        """The bar that is not complete yet, of the ticks so far."""
        self._settle()
        return self._forming

    # ---------------------------------------------------------------- ticks that wait
    def _wait(self) -> None:
        self._time, self._bid, self._ask = array("q"), array("d"), array("d")

    def _take_one(self, time: int, bid: float, ask: float) -> Bars:
        if not self._last <= time < self._end:
            return self._take(np.array([time]), np.array([bid]), np.array([ask]))
        self._time.append(time)
        self._bid.append(bid)
        self._ask.append(ask)
        self._last = time
        return self._none if len(self._time) < _WAITING else self._settle()

    def _take(self, time: Integers, bid: Floats, ask: Floats) -> Bars:
        self._refuse_late(time)
        if self.timeframe.microseconds == WEEK and time[-1] >= self._end:
            self._refuse_weekend(time)
        pieces = [slice(first, first + _PIECE) for first in range(0, len(time), _PIECE)]
        return self._together([self._add(time[piece], bid[piece], ask[piece]) for piece in pieces])

    def _add(self, time: Integers, bid: Floats, ask: Floats) -> Bars:
        self._time.frombytes(time.tobytes())
        self._bid.frombytes(bid.tobytes())
        self._ask.frombytes(ask.tobytes())
        self._last = int(time[-1])
        return self._settle() if self._last >= self._end or len(self._time) >= _WAITING else self._none

    def _refuse_late(self, time: Integers) -> None:
        if time[0] < self._closed:
            msg = (
                f"the tick of {to_iso(int(time[0]))} is late: its {self.timeframe} bar was handed out, "
                f"which ended at {to_iso(self._closed)}; ingest the ticks again to have it counted"
            )
            raise InvalidRequestError(msg, field="time")
        before = np.append(self._last, time[:-1])
        falls = np.flatnonzero(time < before)
        if len(falls):
            late, last = to_iso(int(time[falls[0]])), to_iso(int(before[falls[0]]))
            msg = f"the tick of {late} comes after the one of {last}; give ticks in order of time"
            raise InvalidRequestError(msg, field="time")

    def _refuse_weekend(self, time: Integers) -> None:
        resting = np.flatnonzero(self._calendar.is_weekend(time))
        if len(resting):
            msg = (
                f"a tick of {self.symbol} at {to_iso(int(time[resting[0]]))} belongs to no week: "
                "currencies rest from Friday 17:00 to Sunday 17:00 New York; leave it out"
            )
            raise InvalidRequestError(msg, field="time")

    # ---------------------------------------------------------------- ticks to bars
    def _settle(self) -> Bars:
        """Make the waiting ticks part of bars, and return those that have closed."""
        if not self._time:
            return self._none
        time = np.frombuffer(self._time, dtype=np.int64)
        bid, ask = (
            carried(np.frombuffer(side, dtype=np.float64), last)
            for side, last in zip((self._bid, self._ask), self._quote, strict=True)
        )
        self._wait()
        self._quote = (float(bid[-1]), float(ask[-1]))
        self._end = int(self._calendar.bucket_close(time[-1], self.timeframe))
        known = int((np.isnan(bid) | np.isnan(ask)).sum()) if np.isnan(bid[0] + ask[0]) else 0
        return self._join(self._made(time[known:], bid[known:], ask[known:])) if known < len(time) else self._none

    def _made(self, time: Integers, bid: Floats, ask: Floats) -> Bars:
        """Return what these ticks alone make of the buckets they fall in."""
        opens = bucket_open(time, self.timeframe)
        starts = np.append(0, np.flatnonzero(opens[1:] != opens[:-1]) + 1)
        counts = np.diff(starts, append=len(time)).astype(np.float64)
        spread = ask - bid
        points = np.add.reduceat(np.rint(spread * self._points), starts)
        columns = {
            **_prices("", (bid + ask) / 2, starts),
            "tick_volume": counts,
            "spread": _lasts(spread, starts),
            "spread_mean": points / (counts * self._points),
            "spread_min": np.minimum.reduceat(spread, starts),
            "spread_max": np.maximum.reduceat(spread, starts),
            **_prices("bid_", bid, starts),
            **_prices("ask_", ask, starts),
        }
        return self._bars(opens[starts], columns)

    def _join(self, made: Bars) -> Bars:
        """Return the bars that have closed when these rows follow the forming bar, and keep the last of them."""
        rows = made if self._forming is None else self._together([self._forming, made])
        starts = np.flatnonzero(np.diff(rows.time, prepend=rows.time[:1] - 1))
        bars = self._bars(rows.time[starts], grouped(self.symbol, rows.columns, starts))
        last = {
            name: column[-1:].copy() for name, column in bars.columns.items()
        }  # a view would keep all of them alive
        self._forming = self._bars(bars.time[-1:].copy(), last)
        return bars[:-1]

    def _together(self, parts: list[Bars]) -> Bars:
        if len(parts) == 1:
            return parts[0]
        columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in _TICK_COLUMNS}
        return self._bars(np.concatenate([part.time for part in parts]), columns)

    def _bars(self, time: Integers, columns: Mapping[str, Floats]) -> Bars:
        return Bars(self.symbol, self.timeframe, time, columns)


def carried(side: Floats, last: float) -> Floats:
    """Return the prices of one side of ticks, where it is not quoted (NaN) as it was before; `last` is from before the first.

    >>> carried(np.array([np.nan, 1.2, np.nan]), 1.1)
    array([1.1, 1.2, 1.2])
    """
    absent = np.isnan(side)
    if not absent.any():
        return side
    places = np.maximum.accumulate(np.where(absent, -1, np.arange(len(side))))
    return np.where(places < 0, last, side[places])


def _prices(prefix: str, prices: Floats, starts: Integers) -> dict[str, Floats]:
    highs, lows = np.maximum.reduceat(prices, starts), np.minimum.reduceat(prices, starts)
    made = (prices[starts], highs, lows, _lasts(prices, starts))
    return {prefix + name: column for name, column in zip(PRICES, made, strict=True)}


def _lasts(values: Floats, starts: Integers) -> Floats:
    lasts: Floats = values[np.append(starts[1:], len(values)) - 1]
    return lasts
