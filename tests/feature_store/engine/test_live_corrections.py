"""Bars corrected and inserted after they were committed: all is as if they had come so in the first place."""

from __future__ import annotations

import math
from datetime import timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store.engine.rollback import REACH, SPACING
from feature_store.engine.snapshot import Snapshot
from feature_store.errors import InvalidRequestError, SnapshotMismatchError
from feature_store.times import to_datetime, to_microseconds
from tests.conftest import random_walk, same_bits

IDS = ["sma_5", "rsi_3", "atr_4", "macd_2_4_3", "obv", "vwap"]
START = to_datetime(to_microseconds("2023-03-10T12:00Z"))  # two days before a change of New York's clock
POOL = random_walk(400, seed=3).to_dict("records")


def hour(number: int):
    return START + timedelta(hours=number)


def fed(bars: dict[int, dict[str, float]]) -> fs.Live:
    """Fresh features, fed bars by hour in order."""
    live = fs.live(IDS, timeframe="1h")
    for number in sorted(bars):
        live.update(time=hour(number), **bars[number])
    return live


def values(rows) -> list[list[float]]:
    return [list(row.values()) for row in rows]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_after_any_corrections_all_is_as_if_the_bars_had_come_so(data):
    count = data.draw(st.integers(1, 2 * SPACING + 20), label="bars")
    bars = {2 * number: POOL[number] for number in range(count)}  # odd hours are free for insertions
    live = fed(bars)
    for turn in range(data.draw(st.integers(1, 6), label="turns")):
        bar = POOL[data.draw(st.integers(0, 399), label="bar")]
        bar = data.draw(st.sampled_from([bar, dict.fromkeys(bar, math.nan)]))
        hours = sorted(bars)
        what = data.draw(st.sampled_from(["update", "peek", "correct", "insert", "restart"]), label=f"turn {turn}")
        number = data.draw(st.sampled_from(hours[-REACH:]), label="hour")
        if what == "update":
            number = hours[-1] + 2
            live.update(time=hour(number), **bar)
            bars[number] = bar
        elif what == "peek":
            live.peek(time=hour(hours[-1] + 1), **bar)
        elif what == "correct":
            got = live.correct(time=hour(number), **bar)
            assert list(got) == [hour(each) for each in hours if each >= number]
            bars[number] = bar
        elif what == "insert" and number - 1 not in bars and sum(each >= number for each in hours) < REACH:
            live.insert(time=hour(number - 1), **bar)
            bars[number - 1] = bar
        else:
            live = fs.restore(live.snapshot())
        assert live.snapshot() == fed(bars).snapshot()


def test_a_correction_returns_what_history_gives_for_the_bar_and_those_after_it():
    live = fed(dict(enumerate(POOL[:100])))
    bars = [*POOL[:90], POOL[200], *POOL[91:100]]
    got = live.correct(time=hour(90), **POOL[200])
    frame = random_walk(400, seed=3).iloc[[*range(90), 200, *range(91, 100)]]
    want = fs.compute(frame.set_index(pd.DatetimeIndex([hour(number) for number in range(100)])), IDS)
    assert list(got) == [hour(number) for number in range(90, 100)]
    assert same_bits(values(got.values()), want.iloc[90:])
    assert live.snapshot() == fed(dict(enumerate(bars))).snapshot()


def test_an_inserted_bar_moves_those_after_it_along():
    live = fs.live(["sma_2"])
    for number, close in ((0, 1.0), (2, 4.0), (3, 6.0)):
        live.update(close=close, time=hour(number))
    got = live.insert(close=2.0, time=hour(1))
    assert got == {hour(1): {"sma_2": 1.5}, hour(2): {"sma_2": 3.0}, hour(3): {"sma_2": 5.0}}
    assert live.bars == 4


def test_the_second_symbols_close_is_corrected_with_the_bar():
    live = fs.live(["correl_3"])
    for number, (close, other) in enumerate([(1.0, 1.0), (2.0, 2.0), (3.0, 9.0), (4.0, 4.0)]):
        live.update(close=close, other=other, time=hour(number))
    got = live.correct(close=3.0, other=3.0, time=hour(2))
    assert [row["correl_3"] for row in got.values()] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("bars", [REACH, SPACING, 2 * SPACING - 1, 2 * SPACING, 500])
def test_the_last_32_bars_can_be_changed_and_no_others(bars):
    live = fs.live(["sma_2"])
    for number in range(bars):
        live.update(close=1.0, time=hour(2 * number))
    first = 2 * (bars - REACH)
    assert len(live.correct(close=2.0, time=hour(first))) == REACH
    assert len(live.insert(close=2.0, time=hour(first + 1))) == REACH
    before = live.snapshot()
    for change, number in ((live.correct, first), (live.insert, first + 1 - 2), (live.insert, first - 1)):
        with pytest.raises(InvalidRequestError, match=r"not among the last 32.*rebuild from bars"):
            change(close=2.0, time=hour(number))
    assert live.snapshot() == before


@pytest.mark.parametrize(
    ("change", "number", "message"),
    [
        ("correct", 1, "no bar opened at 2023-03-10T13:00:00Z: insert adds"),
        ("correct", 6, "no bar has opened at 2023-03-10T18:00:00Z yet: update takes"),
        ("insert", 2, "a bar opened at 2023-03-10T14:00:00Z already: correct replaces it"),
        ("insert", 6, "yet: update takes the next one"),
    ],
)
def test_a_change_that_fits_no_bar_names_the_way_out(change, number, message):
    live = fed({0: POOL[0], 2: POOL[1], 4: POOL[2]})
    before = live.snapshot()
    with pytest.raises(InvalidRequestError, match=message):
        getattr(live, change)(time=hour(number), **POOL[3])
    assert live.snapshot() == before


@pytest.mark.parametrize(
    ("bar", "message"),
    [
        ({"close": 1.0}, "these features need high="),
        ({**POOL[0], "high": 0.5}, "high is its highest price"),
        ({**POOL[0], "high": math.inf}, "must be finite"),
    ],
)
def test_a_correction_that_breaks_a_rule_changes_nothing(bar, message):
    live = fed(dict(enumerate(POOL[:50])))
    before = live.snapshot()
    with pytest.raises(InvalidRequestError, match=message):
        live.correct(time=hour(45), **bar)
    assert live.snapshot() == before


def test_nothing_can_be_changed_before_the_first_bar():
    with pytest.raises(InvalidRequestError, match="no bar has opened"):
        fs.live(["sma_2"]).correct(close=1.0, time=hour(0))


def test_bars_without_times_cannot_be_corrected():
    live = fs.live(["sma_2"])
    live.update(close=1.0)
    live.update(close=2.0, time=hour(1))
    with pytest.raises(InvalidRequestError, match="came without time= cannot be corrected"):
        live.correct(close=1.0, time=hour(1))


def test_a_bar_of_before_a_restart_can_be_corrected():
    bars = dict(enumerate(POOL[:100]))
    live = fs.restore(fed(bars).snapshot())
    live.correct(time=hour(70), **POOL[200])
    assert live.snapshot() == fed(bars | {70: POOL[200]}).snapshot()


def test_a_snapshot_whose_parts_contradict_each_other_is_refused():
    saved = Snapshot.from_bytes(fed(dict(enumerate(POOL[:50]))).snapshot())
    moment, bar = saved.since[5]
    for forged, why in (
        ((*bar[:3], bar[3] * 1.0000001, *bar[4:]), "do not lead to the state"),
        ((math.inf,) * 6, "breaks a rule"),
    ):
        since = (*saved.since[:5], (moment, forged), *saved.since[6:])
        fake = Snapshot(saved.features, saved.versions, saved.timeframe, saved.now, saved.earlier, since)
        with pytest.raises(SnapshotMismatchError, match=f"{why}.*rebuild the state from bars"):
            fs.restore(fake.to_bytes())
