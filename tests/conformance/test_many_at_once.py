"""Many things at once: a feature has the bits that it has alone, whatever is asked for beside it and on other threads."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np

import feature_store as fs
from feature_store.engine.plan import Plan
from tests.conformance.kit import batch, plan_of, rows, stepped, variants
from tests.conformance.markets import HOURS, market, timed, walk
from tests.conftest import same_bits


def together(*jobs):
    """What each job gives when all begin at one moment."""
    barrier = Barrier(len(jobs))

    def at_once(job):
        barrier.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as threads:
        return [done.result() for done in [threads.submit(at_once, job) for job in jobs]]


def test_two_plans_at_once_do_not_disturb_each_other(definition):
    plans = [plan_of(feature) for feature in variants(definition)[-2:]]
    jobs = [(plan, market(name, 2000)) for plan in plans for name in ("a walk", "wild")]
    alone = [plan.run(data) for plan, data in jobs]
    at_once = together(*(lambda plan=plan, data=data: plan.run(data) for plan, data in jobs))
    assert all(same_bits(a, b) for a, b in zip(alone, at_once, strict=True))


def test_live_states_on_threads_of_their_own_do_not_disturb_each_other(definition):
    feature = fs.feature(definition.name)
    markets = [market(name, 60) for name in ("a walk", "wild", "everything")]
    at_once = together(*(lambda data=data: stepped(fs.live([feature]), data) for data in markets))
    assert all(same_bits(batch(feature, data), got) for data, got in zip(markets, at_once, strict=True))


# ---------------------------------------------------------------- everything in one plan
EVERYTHING = [definition.name for definition in fs.catalog()]


def test_everything_in_one_plan_has_the_bits_that_each_has_alone():
    """Over more bars than one block has, on threads of its own, and continued from a state within a block."""
    plan, minutes = Plan.of(EVERYTHING), 70_000
    opens = HOURS[0] + 60_000_000 * np.arange(minutes)
    data = timed(walk(minutes), opens)
    words = plan.words.copy()
    parts = [plan.run(rows(data, which), words) for which in (slice(41_000), slice(41_000, None))]
    together = iter(zip(*parts, strict=True))
    for name in EVERYTHING:
        for row, (first, second) in zip(batch(fs.feature(name), data), together, strict=False):
            assert same_bits(row[:41_000], first), name
            assert same_bits(row[41_000:], second), name


def test_one_plan_of_everything_is_run_by_several_threads_at_once():
    plan = Plan.of(EVERYTHING)
    markets = [market(name, 20_500) for name in ("a walk", "wild", "yen")]
    alone = [plan.run(data) for data in markets]
    at_once = together(*(lambda data=data: plan.run(data) for data in markets))
    assert all(same_bits(a, b) for a, b in zip(alone, at_once, strict=True))


# ---------------------------------------------------------------- compiling
_COMPILING = """
from concurrent.futures import ThreadPoolExecutor
import feature_store as fs
asked = [["sma_2"], ["ema_3"], ["sma_2"], ["sma_2", "ema_3"]]
with ThreadPoolExecutor(4) as threads:
    answers = list(threads.map(lambda ids: fs.compute({"close": [1.0, 2.0, 4.0, 8.0]}, ids), asked))
    lives = list(threads.map(lambda ids: fs.live(ids).update(close=1.0), asked))
print([answer.iloc[-1].tolist() for answer in answers])
"""


def test_threads_may_compile_at_once(tmp_path):
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", _COMPILING], env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.stdout.strip() == "[[6.0], [5.166666666666667], [6.0], [6.0, 5.166666666666667]]", done.stderr
