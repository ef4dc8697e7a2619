"""Loops over blocks of bars, in order or on several threads.

A loop carries its state from block to block, and what it hands on lasts until the loops that need it have read it. So loop `i`
may run block `k` when it has run block `k - 1`, the loops before it have run block `k`, and those that read what it hands on
have run block `k - 2`: columns that are handed on are written to two places in turn.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from threading import Condition
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TURNS = 2
"""How many blocks' worth of handed columns are kept."""


def run_in_order(loops: int, blocks: int, run: Callable[[int, int], None]) -> None:
    """Call `run(loop, block)` for every block, the loops in their order."""
    for block in range(blocks):
        for loop in range(loops):
            run(loop, block)


def run_on_threads(needs: Sequence[Sequence[int]], blocks: int, run: Callable[[int, int], None]) -> None:
    """Call `run(loop, block)` for every loop and block, on as many threads as there are cores.

    Args:
        needs: for each loop, the loops that hand columns to it.
        blocks: how many blocks there are.
        run: called from any thread; the first exception ends the work and is raised here.
    """
    work = _Work(needs, blocks, run)
    helpers = [_threads().submit(work.join_in) for _ in range(min(cores(), len(needs)) - 1)]
    try:
        work.join_in()
    finally:
        for helper in helpers:
            if not helper.cancel():
                helper.result()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Work:
    """What is to be done, shared by the threads that do it."""

    def __init__(self, needs: Sequence[Sequence[int]], blocks: int, run: Callable[[int, int], None]) -> None:
        self._needs, self._blocks, self._run = needs, blocks, run
        self._readers = [[reader for reader, mine in enumerate(needs) if loop in mine] for loop in range(len(needs))]
        self._done = [0] * len(needs)
        self._busy = [False] * len(needs)
        self._failed = False
        self._changed = Condition()

    def join_in(self) -> None:
        """Run what is ready until nothing is left; several threads call this."""
        while (loop := self._taken()) is not None:
            try:
                self._run(loop, self._done[loop])
            except BaseException:
                self._put_back(loop, failed=True)
                raise
            self._put_back(loop)

    def _taken(self) -> int | None:
        """Return a loop whose next block is ready, the one that is furthest behind; None when all is done."""
        with self._changed:
            while not self._failed and min(self._done) < self._blocks:
                ready = [loop for loop in range(len(self._done)) if self._is_ready(loop)]
                if ready:
                    loop = min(ready, key=self._done.__getitem__)
                    self._busy[loop] = True
                    return loop
                self._changed.wait()
            return None

    def _is_ready(self, loop: int) -> bool:
        block = self._done[loop]
        return (
            block < self._blocks
            and not self._busy[loop]
            and all(self._done[each] > block for each in self._needs[loop])
            and all(self._done[each] > block - TURNS for each in self._readers[loop])
        )

    def _put_back(self, loop: int, *, failed: bool = False) -> None:
        with self._changed:
            self._busy[loop] = False
            self._done[loop] += not failed
            self._failed |= failed
            self._changed.notify_all()


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(cores(), thread_name_prefix="feature-store-loop")
