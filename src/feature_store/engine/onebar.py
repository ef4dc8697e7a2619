"""One bar through all loops of a plan in a single call: what `update` and `peek` run.

Python calls machine code once a bar instead of once a loop. That call checks the bar, adds it to a digest of all bars, and runs
the very loops that history runs; it is the same for every plan, which gives it a table of its loops.
"""

from __future__ import annotations

import ctypes
import struct
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from feature_store.bars import FEATURE_COLUMNS
from feature_store.engine import generated
from feature_store.engine.plan import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from feature_store.engine.plan import Plan

DIGEST, BARS, VERDICT = 0, 1, 2
"""Places in the ledger: a digest of all bars (FNV-1a over their words), how many there were, what became of the last."""

_PRIME = 1099511628211


class Verdict(IntEnum):
    """What became of a bar."""

    TAKEN = 0
    CONTRADICTORY = 1
    INFINITE = 2


_CHECK = f"""
def run(bars, row, ledger, table):
    open = take(row, 0)
    high = take(row, 1)
    low = take(row, 2)
    close = take(row, 3)
    tick_volume = take(row, 4)
    other = take(row, 5)
    verdict = {Verdict.TAKEN:d}
    if abs(open) == math.inf or abs(high) == math.inf or abs(low) == math.inf or abs(close) == math.inf:
        verdict = {Verdict.INFINITE:d}
    if abs(tick_volume) == math.inf or abs(other) == math.inf:
        verdict = {Verdict.INFINITE:d}
    if high < low or high < close or high < open or low > close or low > open or tick_volume < 0.0:
        verdict = {Verdict.CONTRADICTORY:d}
    put_int(ledger, {VERDICT}, verdict)
    if verdict == {Verdict.TAKEN:d}:
        digest = take_int(ledger, {DIGEST})
        for place in range(6):
            digest = (digest ^ take_int(row, place)) * {_PRIME}
        put_int(ledger, {DIGEST}, digest)
        put_int(ledger, {BARS}, take_int(ledger, {BARS}) + 1)
        for loop in range(bars):
            run_at(table, 2 * loop)
"""


class OneBar:
    """A plan's state, and a bar at a time through it.

    Args:
        plan: whose loops.

    `words` and `ledger` are the state, changed in place; `row` holds the bar, in the order of FEATURE_COLUMNS, and then the
    plan's clocks, which the caller fills; `values` the answer, one for each column.
    """

    def __init__(self, plan: Plan) -> None:
        inputs = (*FEATURE_COLUMNS, *plan.clock)
        self.words = plan.words.copy()
        self.ledger = np.zeros(3, np.int64)
        self.row = np.full((len(inputs), 1), np.nan)
        self.values = np.empty((len(plan.columns), 1))
        self._spare = np.empty((len(plan.handed), 1))
        columns = dict(zip(inputs, self.row, strict=True))
        self._calls = [
            Call(plan, place, columns, self.words, list(self.values), self._spare) for place in range(len(plan.loops))
        ]
        for call in self._calls:
            call.arguments[0] = 1
        self._table = np.array([(call.address, call.arguments.ctypes.data) for call in self._calls])
        where = (self.row, self.ledger, self._table)
        self._arguments = np.array([len(self._calls), *(array.ctypes.data for array in where)])
        self._address = self._arguments.ctypes.data
        self._run = _check()
        self._bar = struct.Struct(f"{len(FEATURE_COLUMNS)}d")
        self._cells = self.row.data.cast("B")
        self._ledger, self._values = self.ledger.data, self.values.reshape(-1)

    def __repr__(self) -> str:
        return f"<OneBar {int(self.ledger[BARS])} bars>"

    def __call__(self, bar: tuple[float, ...]) -> int:
        """Take a bar and return what became of it; a bar that was not taken changed nothing but the row."""
        self._bar.pack_into(self._cells, 0, *bar)
        self._run(self._address)
        return self._ledger[VERDICT]

    def answer(self) -> list[float]:
        """Return the value of every column."""
        values: list[float] = self._values.tolist()
        return values


@lru_cache(maxsize=1)
def _check() -> Callable[[int], None]:
    """Return the compiled function of a bar; it keeps the interpreter's lock, as it takes microseconds."""
    return ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(generated.address(_CHECK, 0))
