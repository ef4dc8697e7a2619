"""Features into loops: what is shared is computed once, and no loop is larger than compiles in about a second."""

from __future__ import annotations

from collections import Counter

import pytest

import feature_store as fs
from feature_store.engine.fusion import WEIGHT_OF_A_LOOP, fuse, weight_of
from feature_store.indicators.series import in_order, price

EVERY = [definition.name for definition in fs.catalog()]
SETS = [["rsi_14"], ["macd", "apo_12_26", "ema_12"], ["stc", "trix", "kst"], EVERY, list(reversed(EVERY))]


def fused(ids):
    return fuse([fs.parse(each).series for each in ids])


def steps(loop):
    return [node for node in loop.nodes if node.kind == "step"]


@pytest.mark.parametrize("ids", SETS, ids=len)
def test_every_step_has_one_home(ids):
    loops, _ = fused(ids)
    homes = Counter(node for loop in loops for node in steps(loop))
    assert set(homes.values()) == {1}
    asked = {n for each in ids for n in in_order(fs.parse(each).series) if n.kind == "step"}
    assert set(homes) == asked


@pytest.mark.parametrize("ids", SETS, ids=len)
def test_a_loop_is_handed_only_what_an_earlier_one_hands_on(ids):
    loops, _ = fused(ids)
    handed = set()
    for loop in loops:
        assert set(loop.given) <= handed
        handed |= set(loop.handed)
    assert handed == {node for loop in loops for node in loop.given}  # and nothing is handed on for nobody


@pytest.mark.parametrize("ids", SETS, ids=len)
def test_every_row_of_the_answer_is_filled_by_one_loop(ids):
    loops, rows = fused(ids)
    answers = [node for each in ids for node in fs.parse(each).series]
    assert sorted(row for mine in rows for row in mine) == list(range(len(answers)))
    for loop, mine in zip(loops, rows, strict=True):
        assert [answers[row] for row in mine] == list(loop.answers)


@pytest.mark.parametrize("ids", SETS, ids=len)
def test_no_loop_outgrows_its_bound_unless_one_step_does(ids):
    for loop in fused(ids)[0]:
        weights = [weight_of(node.what) for node in steps(loop)]
        assert sum(weights) <= WEIGHT_OF_A_LOOP or len(weights) == 1


def test_an_average_that_two_features_need_is_computed_once():
    loops, _ = fused(["macd_12_26_9", "apo_12_26", "ema_12"])
    averages = [node.parameters for loop in loops for node in steps(loop) if node.what.name == "ema"]
    assert sorted(averages) == [(9,), (12,), (26,)]


def test_features_that_share_steps_stand_in_one_loop():
    loops, _ = fused(["bbands_20_2", *(f"rsi_{n}" for n in range(2, 30)), "zscore_20"])
    (home,) = [loop for loop in loops if any(node.what.name == "deviation" for node in steps(loop))]
    assert len(home.answers) >= 6


def test_what_follows_from_the_bar_alone_is_not_handed_on():
    plain = price("high") - price("low")
    loops, _ = fuse([(plain,), *(fs.parse(each).series for each in EVERY)])
    assert plain not in {node for loop in loops for node in loop.handed}


def test_equal_features_in_one_order_give_equal_texts():
    texts = [[loop.text for loop in fused(ids)[0]] for ids in (["sma_20", "stc"], ["sma_50", "stc_10_30_60"])]
    assert texts[0] == texts[1]
