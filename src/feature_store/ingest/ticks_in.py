"""Ticks of sources that follow one another, piece by piece, into a store as bars.

1. A tick that breaks a rule is quarantined; so is one whose bar has not closed yet.
2. The others make bars. The bar that is open where a source ends goes on in the next one, so that hours or days in files of
   their own give the bars of one long file.
3. Each source is credited with its ticks in a bar when the bar is written. Where the last source ends, its last bar is
   written as it stands: its time is over, and these are all the ticks of it that are at hand.

A bar that begins in one run and ends in another has the ticks of neither run alone: its rows cannot be added up later, since
nobody can tell whether the same ticks came twice. So each run's bar stands for the ticks at hand, the later one is what counts,
and the report says so; sources that share a bar belong in one run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from feature_store.calendar import Calendar, bucket_open
from feature_store.ingest.checks import first_broken, rejected
from feature_store.ingest.quotes import EARLIEST, Quotes
from feature_store.store.protocol import Arrivals
from feature_store.ticks import TickBars
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from feature_store.bars import Bars, Floats, Integers
    from feature_store.ingest.account import Account, Sink
    from feature_store.ingest.checks import Rules
    from feature_store.ingest.frames import Table
    from feature_store.ingest.moments import Moments

    Booleans = NDArray[np.bool_]

_MANY_BARS = 5_000  # to write at once


class TickIntake:
    """Ticks on their way into bars of one series.

    Args:
        rules: of the series.
        sink: where the bars go.
    """

    def __init__(self, rules: Rules, sink: Sink) -> None:
        self._rules, self._sink = rules, sink
        self._calendar = Calendar.of(rules.symbol)
        self._bars = TickBars(rules.symbol, rules.timeframe)
        moment = rules.now if rules.known_at is None else min(rules.now, rules.known_at)
        self._quotes = Quotes(self._calendar, over=int(bucket_open(moment, rules.timeframe)))
        self._open: dict[int, tuple[Account, int]] = {}
        self._waiting: list[tuple[Bars, list[tuple[Account, Integers]]]] = []
        self._begun = False
        self._source = rules.source

    def __repr__(self) -> str:
        return f"<TickIntake {self._bars!r}>"

    @property
    def last(self) -> int:
        """The time of the last good tick, in UTC microseconds; the earliest moment before there is any."""
        return self._quotes.last

    @property
    def end(self) -> int:
        """Where the open bar ends, in UTC microseconds; the earliest moment where none is open."""
        forming = self._bars.forming
        return EARLIEST if forming is None else int(self._calendar.bucket_close(forming.time, self._rules.timeframe)[0])

    def concerns(self, account: Account) -> bool:
        """Return whether ticks of a source wait in the open bar."""
        return id(account) in self._open

    def take(self, table: Table, moments: Moments, account: Account, source: str = "") -> None:
        """Take the next ticks of a source, whose name its bars carry."""
        self._source = source
        quotes = table.quotes()
        bid, ask, problems = self._quotes.sort_out(moments, quotes["bid"], quotes["ask"])
        broken = first_broken([mask for _, mask in problems], len(table))
        account.take(table, rejected(table, broken, [reason for reason, _ in problems], account.room))
        good = broken < 0
        if good.any():
            self._make(moments.time[good], bid[good], ask[good], account)

    def flush(self) -> None:
        """Write the bars that have closed."""
        if not self._waiting:
            return
        arrivals = self._arrivals([bars for bars, _ in self._waiting])
        new = self._sink.new(arrivals)
        self._note_replaced(arrivals, new)
        self._sink.write(arrivals)
        start = 0
        for bars, shares in self._waiting:
            fresh = new[start : start + len(bars)]
            finished = fresh.copy()  # a bar counts where its last ticks are
            for account, ticks in reversed(shares):
                account.credit(int(ticks.sum()), int(ticks[fresh].sum()), int(np.count_nonzero(finished & (ticks > 0))))
                account.reach(arrivals.take(start + np.flatnonzero(ticks)))
                finished &= ticks == 0
            start += len(bars)
        self._waiting.clear()

    def finish(self) -> None:
        """Write the open bar as it stands, with those that have closed, and take no more ticks of it."""
        last = self._bars.finish().bars
        if len(last):
            for account, _ in self._open.values():
                account.notes.append(
                    f"the last {self._rules.timeframe} bar, {to_iso(int(last.time[0]))}, has the ticks up to "
                    f"{to_iso(self.last)}; if it has more in another file, ingest both in one run"
                )
            self._close(last, None)
        self.flush()

    # ---------------------------------------------------------------- bars
    def _make(self, time: Integers, bid: Floats, ask: Floats, account: Account) -> None:
        closed = self._bars.update(time, bid, ask)
        if len(closed):
            self._close(closed, account)
            forming = self._bars.forming
            assert forming is not None
            self._open = {id(account): (account, int(forming.columns["tick_volume"][0]))}
        else:
            before = self._open.get(id(account), (account, 0))[1]
            self._open[id(account)] = account, before + len(time)

    def _close(self, bars: Bars, account: Account | None) -> None:
        """Let bars wait to be written, the first of which was open, with what each source has in them."""
        ticks = bars.columns["tick_volume"].astype(np.int64)
        shares = []
        for owner, opened in self._open.values():
            mine = np.zeros(len(bars), dtype=np.int64)
            mine[0] = opened
            ticks[0] -= opened
            shares.append((owner, mine))
        if account is not None:
            shares.append((account, ticks))
        self._open = {}
        self._waiting.append((bars, shares))
        if sum(len(each) for each, _ in self._waiting) >= _MANY_BARS:
            self.flush()

    def _arrivals(self, parts: Sequence[Bars]) -> Arrivals:
        time = np.concatenate([part.time for part in parts])
        columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
        closes = self._calendar.bar_close(time, self._rules.timeframe)
        known = closes if self._rules.known_at is None else np.full(len(time), self._rules.known_at)
        assumed = np.full(len(time), self._rules.known_at is None)
        return Arrivals(time, closes, known, assumed, columns, self._source)

    def _note_replaced(self, arrivals: Arrivals, new: Booleans) -> None:
        """Say where the run's first bar takes the place of one that was stored: either may lack ticks of the other."""
        if self._begun:
            return
        self._begun = True
        first = int(arrivals.time[0])
        snapshot = self._sink.store.snapshot(self._rules.symbol, self._rules.timeframe) if new[0] else None
        before = None if snapshot is None else snapshot.read(first, first + 1)
        if before is not None and len(before):
            account = self._waiting[0][1][0][0]
            account.notes.append(
                f"the first {self._rules.timeframe} bar, {to_iso(first)}, of {arrivals.columns['tick_volume'][0]:.0f} ticks, "
                f"takes the place of one of {before.columns['tick_volume'][0]:.0f} that was stored before"
            )
