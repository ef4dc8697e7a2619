"""Plans: sharing, grouping, and the same bits whatever else is asked."""

from __future__ import annotations

import numpy as np
import pytest

import feature_store as fs
from feature_store.engine.plan import Plan
from feature_store.errors import FeatureNotFoundError, InvalidRequestError
from tests.conftest import same_bits

ALL = [definition.name for definition in fs.catalog()]


def test_a_feature_has_the_same_bits_alone_and_among_others(walk):
    bars = walk.assign(other=walk["open"])
    together = fs.compute(bars, ALL)
    for name in ALL:
        alone = fs.compute(bars, [name])
        assert same_bits(alone, together[list(alone.columns)])


def test_macd_is_the_difference_of_the_stored_averages_to_the_bit(walk):
    frame = fs.compute(walk, ["macd_12_26_9.line", "ema_12", "ema_26"])
    assert same_bits(frame["macd_12_26_9.line"], frame["ema_12"] - frame["ema_26"])


def test_what_features_share_is_in_their_loop_once():
    loops = Plan.of(["bbands_20_2", "sma_20", "stdev_20", "zscore_20"]).loops
    steps = [node.what.name for loop in loops for node in loop.nodes if node.kind == "step"]
    assert sorted(steps) == ["deviation", "sum"]


def test_columns_come_in_the_order_they_were_asked_however_loops_are_grouped(walk):
    asked = list(reversed(ALL)) + [f"sma_{n}" for n in range(2, 40)]
    columns = [column for each in asked for column in fs.parse(each).columns]
    frame = fs.compute(walk.assign(other=walk["open"]), asked)
    assert list(frame.columns) == columns
    assert same_bits(frame["sma_7"], fs.compute(walk, ["sma_7"])["sma_7"])


def test_two_periods_share_one_compiled_loop():
    short, long = Plan.of(["sma_20", "rsi_14"]).loops[0], Plan.of(["sma_50", "rsi_21"]).loops[0]
    assert short.text == long.text
    assert short.address == long.address


def test_one_feature_twice_is_computed_once_and_answered_twice(walk):
    frame = fs.compute(walk, ["sma", "sma_20"])
    assert same_bits(frame["sma"], frame["sma_20"])
    (loop,) = Plan.of(["sma", "sma_20"]).loops
    assert [node.what.name for node in loop.nodes if node.kind == "step"] == ["sum"]


def test_equal_features_are_answered_in_the_words_each_was_asked(walk):
    assert list(fs.compute(walk, ["rsi_14"])) == ["rsi_14"]
    assert list(fs.compute(walk, ["rsi"])) == ["rsi"]


def test_threads_and_blocks_give_the_bits_that_one_thread_gives(monkeypatch):
    bars = {"close": np.cumsum(np.random.default_rng(0).normal(0, 1, 150_001)) + 1000.0}
    monkeypatch.setattr("feature_store.engine.fusion.WEIGHT_OF_A_LOOP", 400)
    plan = Plan(tuple(map(fs.parse, ["stc", "trix", *(f"ema_{n}" for n in range(2, 40))])))
    assert plan.handed  # loops wait for one another
    together = plan.run(bars)
    monkeypatch.setattr("feature_store.engine.plan.cores", lambda: 1)
    assert same_bits(together, plan.run(bars))
    assert same_bits(together[:1], Plan.of(["stc"]).run(bars))


@pytest.mark.parametrize(("ids", "message"), [([], "at least one feature"), (["sma_20", "atr_14@4h"], "ask a store")])
def test_what_a_plan_cannot_do_is_said(ids, message):
    with pytest.raises(InvalidRequestError, match=message):
        Plan.of(ids)


def test_a_text_names_features_apart_at_commas(walk):
    assert list(fs.compute(walk, "sma_20, rsi_14")) == ["sma_20", "rsi_14"]


@pytest.mark.parametrize("features", [None, 5, [[]], [None], [b"sma_20"]])
def test_what_names_no_feature_is_refused(features, walk):
    for ask in (lambda: fs.compute(walk, features), lambda: fs.live(features), lambda: fs.explain(features)):
        with pytest.raises(FeatureNotFoundError, match="features are ids"):
            ask()
