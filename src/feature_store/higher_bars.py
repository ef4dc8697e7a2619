"""Lower bars into higher ones as they come, with every column they have: quotes of both sides and spreads too.

The lower bars of the bucket that is still open wait; when a bar comes, they and it go through `resample`, the same that makes
bars of history. So it does not matter how bars come, one by one or a year at once. `ticks.TickBars` stands before it:

    minutes = TickBars("EUR/USD", "1m")
    hours = HigherBars("EUR/USD", "1m", "1h")
    closed = hours.update(minutes.update(time, bid, ask))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import Bars, Symbol, Timeframe
from feature_store.calendar import Calendar
from feature_store.errors import InvalidRequestError
from feature_store.resample import divides, resample
from feature_store.times import to_iso

if TYPE_CHECKING:
    from feature_store.resample import Resampled


class HigherBars:
    """Makes bars of a higher timeframe from lower ones, equal to the bit to `resample` of all of them.

    Not for several threads at once. Memory holds the lower bars of one bucket.

    >>> import numpy as np
    >>> two_hours = HigherBars("EUR/USD", "1h", "2h")
    >>> def hour(number):
    ...     flat = {name: np.array([1.0 + number]) for name in ("open", "high", "low", "close")}
    ...     return Bars(Symbol.parse("EUR/USD"), Timeframe.parse("1h"), np.array([number * 3_600_000_000]), flat)
    >>> [len(two_hours.update(hour(number))) for number in range(4)]
    [0, 1, 0, 1]
    """

    def __init__(self, symbol: Symbol | str, lower: Timeframe | str, higher: Timeframe | str) -> None:
        self.symbol, self.lower, self.timeframe = Symbol.parse(symbol), Timeframe.parse(lower), Timeframe.parse(higher)
        if not divides(self.lower, self.timeframe):
            msg = f"{self.lower} bars cannot be made into {self.timeframe} bars; ask for a multiple of {self.lower}"
            raise InvalidRequestError(msg, field="timeframe")
        self._calendar = Calendar.of(self.symbol)
        self._waiting: Bars | None = None
        self._last = -(2**63)

    def __repr__(self) -> str:
        waiting = 0 if self._waiting is None else len(self._waiting)
        return f"<HigherBars {self.symbol} {self.lower} to {self.timeframe}, {waiting} waiting>"

    def update(self, bars: Bars) -> Bars:
        """Take the next closed lower bars, of rising times, and return the higher bars that closed with them.

        A higher bar closes with the lower one that ends with it, or, where that is missing, with the first one after its end.

        Raises InvalidRequestError, with nothing taken, for bars of another series, a time that does not rise, and other columns
        than those of the bars before.
        """
        self._refuse_others(bars)
        if not len(bars):
            return self._made(bars).bars
        self._last = int(bars.time[-1])
        together = self._together(bars)
        made = self._made(together)
        self._keep(together, made)
        return made.closed

    def advance(self, now: int) -> Bars:
        """Return the open bar if its end has passed at `now` (UTC microseconds), else none; lower bars in it are late then."""
        made = self.forming
        if made is None or now < int(made.available_at[0]):
            return Bars(self.symbol, self.timeframe, np.empty(0, dtype=np.int64), {})
        self._waiting, self._last = None, int(made.available_at[0]) - 1
        return made.bars

    @property
    def forming(self) -> Resampled | None:
        """The open bar of the lower bars so far, with what it lacks; None where there is none."""
        return None if self._waiting is None else self._made(self._waiting)

    def _made(self, bars: Bars) -> Resampled:
        return resample(bars, self.timeframe)

    def _together(self, bars: Bars) -> Bars:
        before = self._waiting
        if before is None:
            return bars
        columns = {name: np.concatenate([before.columns[name], column]) for name, column in bars.columns.items()}
        return Bars(self.symbol, self.lower, np.concatenate([before.time, bars.time]), columns)

    def _keep(self, together: Bars, made: Resampled) -> None:
        """Let the lower bars of the open bucket wait, as copies that keep nothing else alive."""
        if not made.forming:
            self._waiting = None
            return
        left = together.between(int(made.bars.time[-1]), None)
        self._waiting = Bars(self.symbol, self.lower, left.time.copy(), {n: c.copy() for n, c in left.columns.items()})

    def _refuse_others(self, bars: Bars) -> None:
        if (bars.symbol, bars.timeframe) != (self.symbol, self.lower):
            msg = f"this takes bars of {self.symbol} {self.lower}, and {bars.symbol} {bars.timeframe} came; make one for them"
            raise InvalidRequestError(msg, field="bars")
        if self._waiting is not None and bars.columns.keys() != self._waiting.columns.keys():
            msg = f"bars with {', '.join(self._waiting.columns)} came so far; {', '.join(bars.columns)} are others"
            raise InvalidRequestError(msg, field="bars")
        times = np.concatenate([[self._last], bars.time])
        falls = np.flatnonzero(times[1:] <= times[:-1])
        if len(falls):
            msg = f"times must rise, but {to_iso(int(bars.time[falls[0]]))} came after {to_iso(int(times[falls[0]]))}"
            raise InvalidRequestError(msg, field="time")
