"""What a request will do is told before it does anything."""

from __future__ import annotations

import pytest

import feature_store as fs
from feature_store import json_codec
from feature_store.engine import fusion, generated
from feature_store.errors import FeatureNotFoundError, InvalidRequestError


def test_what_features_share_is_named_with_those_who_share_it():
    told = fs.explain(["bbands_20_2", "zscore_20", "sma_20", "natr_14"])
    assert {each.step: each.features for each in told.shared} == {
        "sum_20 of close": ("bbands_20_2", "sma_20"),
        "deviation_20 of close": ("bbands_20_2", "zscore_20"),
    }


def test_a_step_over_a_calculation_is_spelt_out():
    told = fs.explain(["cci_20", "cci_20@4h", "correl_returns_50", "correl_returns_50.value"])
    assert told.shared[-1].step == "comoments_50 of log(/(close, lag_1)), log(/(other, lag_1))"


def test_each_feature_tells_where_its_values_begin_and_what_it_reads():
    (rsi, obv) = fs.explain(["rsi_14", "obv"]).features
    assert (rsi.id, rsi.warmup, rsi.settled, rsi.memory, rsi.inputs) == ("rsi_14", 14, 280, "recursive", ("close",))
    assert obv.memory == "accumulator"


def test_features_of_other_bars_have_loops_of_their_own():
    told = fs.explain(["atr_14", "atr_14@4h", "rsi_14@GBPUSD", "natr_14@4h"])
    assert [each.loops for each in told.features] == [(1,), (2,), (3,), (2,)]
    assert len(told.loops) == 3


def test_every_loop_of_a_feature_that_was_cut_is_told(monkeypatch):
    monkeypatch.setattr(fusion, "WEIGHT_OF_A_LOOP", 400)
    told = fs.explain(["stc_11_24_51", "kst_11"])  # of which no plan was made before
    assert max(len(each.loops) for each in told.features) > 1
    assert sum(each.handed for each in told.loops) > 0
    assert {place for each in told.features for place in each.loops} == set(range(1, len(told.loops) + 1))


def test_a_price_alone_is_answered_by_a_loop_without_steps():
    told = fs.explain(["hl2"])
    assert told.features[0].loops == (1,)
    assert told.loops[0].steps == ()


def test_nothing_is_compiled_and_what_would_be_is_told(monkeypatch):
    monkeypatch.setattr(generated, "is_compiled", lambda _: False)
    monkeypatch.setattr(generated, "addresses", None)
    assert [each.compiled for each in fs.explain(["sma_20"]).loops] == [False]


def test_an_explanation_is_plain_data():
    told = fs.explain(["macd", "ema_12"])
    assert json_codec.loads(json_codec.dumps(told.to_dict()))["features"][0]["id"] == "macd"


@pytest.mark.parametrize(("ids", "error"), [([], InvalidRequestError), (["smma_20"], FeatureNotFoundError)])
def test_what_cannot_be_asked_cannot_be_explained(ids, error):
    with pytest.raises(error):
        fs.explain(ids)
