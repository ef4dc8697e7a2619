"""Loops over blocks on several threads keep the order that their columns need."""

from __future__ import annotations

import random
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_store.engine import schedule
from feature_store.engine.schedule import TURNS, run_in_order, run_on_threads


@st.composite
def needs_of_loops(draw) -> list[tuple[int, ...]]:
    count = draw(st.integers(1, 6))
    return [tuple(draw(st.sets(st.integers(0, place - 1)))) if place else () for place in range(count)]


@given(needs=needs_of_loops(), blocks=st.integers(0, 7), seed=st.integers(0, 3))
def test_a_block_is_run_once_and_only_when_all_it_needs_has_been(needs, blocks, seed):
    done = [0] * len(needs)
    running: set[int] = set()
    guard, wait = threading.Lock(), random.Random(seed)

    def run(loop: int, block: int) -> None:
        with guard:
            assert loop not in running
            assert done[loop] == block
            assert all(done[each] > block for each in needs[loop])
            readers = [reader for reader, mine in enumerate(needs) if loop in mine]
            assert all(done[reader] > block - TURNS for reader in readers)  # nobody reads what is written over
            running.add(loop)
        if wait.random() < 0.3:
            time.sleep(0)
        with guard:
            running.remove(loop)
            done[loop] += 1

    run_on_threads(needs, blocks, run)
    assert done == [blocks] * len(needs)


def test_in_order_is_block_by_block():
    seen = []
    run_in_order(2, 2, lambda loop, block: seen.append((loop, block)))
    assert seen == [(0, 0), (1, 0), (0, 1), (1, 1)]


def test_the_first_failure_ends_the_work_and_is_raised():
    ran = []

    def run(loop: int, block: int) -> None:
        ran.append((loop, block))
        if block == 1:
            raise MemoryError

    with pytest.raises(MemoryError):
        run_on_threads([(), (0,)], 100, run)
    assert len(ran) < 10


def test_many_callers_at_once_all_get_their_answers():
    answers = []

    def ask() -> None:
        seen = []
        run_on_threads([(), (0,), (0,)], 5, lambda loop, block: seen.append((loop, block)))
        answers.append(len(seen))

    callers = [threading.Thread(target=ask) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert answers == [15] * 8


def test_a_machine_that_does_not_tell_which_cores_are_ours_is_asked_how_many_it_has(monkeypatch):
    monkeypatch.delattr(schedule.os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(schedule.os, "cpu_count", lambda: 7)
    assert schedule.cores() == 7
