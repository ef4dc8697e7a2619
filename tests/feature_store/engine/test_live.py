"""Live features: bar by bar, restarts, and bars that must not be taken."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store.errors import InvalidRequestError, SnapshotMismatchError
from feature_store.indicators.registry import BUILT_INS
from tests.conftest import random_walk, same_bits

IDS = ["sma_5", "rsi_3", "atr_4", "macd_2_4_3", "obv"]


def bars(count: int) -> list[dict[str, float]]:
    return random_walk(count, seed=3).to_dict("records")


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 60), min_size=1, max_size=8, unique=True))
def test_any_split_with_restarts_gives_the_bits_of_the_whole(cuts):
    whole = fs.compute(random_walk(61, seed=3), IDS)
    live = fs.live(IDS)
    for row, bar in enumerate(bars(61)):
        live = fs.restore(live.snapshot()) if row in cuts else live
        assert same_bits(list(live.update(**bar).values()), whole.iloc[row])


@pytest.mark.parametrize(
    ("bar", "message"),
    [
        ({"close": 1.0}, "these features need high="),
        ({"high": 1.0, "low": 2.0, "close": 1.5, "tick_volume": 1}, r"high is its highest price.*high=1\.0, low=2\.0"),
        ({"high": 3.0, "low": 2.0, "close": 1.5, "tick_volume": 1}, "low the lowest"),
        ({"high": 3.0, "low": 2.0, "close": 2.5, "open": 4.0, "tick_volume": 1}, "open=4.0"),
        ({"high": 3.0, "low": 2.0, "close": 2.5, "tick_volume": -1.0}, "tick_volume not negative"),
        ({"high": np.inf, "low": 2.0, "close": 2.5, "tick_volume": 1}, "must be finite, or NaN"),
    ],
)
def test_a_bar_that_breaks_a_rule_is_refused_and_nothing_changes(bar, message):
    live = fs.live(IDS)
    for good in bars(20):
        live.update(**good)
    before = live.snapshot()
    for take in (live.update, live.peek):
        with pytest.raises(InvalidRequestError, match=message):
            take(**bar)
    assert live.snapshot() == before


def test_a_column_nobody_needs_may_be_left_out():
    assert fs.live(["sma_1"]).update(close=1.5) == {"sma_1": 1.5}


def test_a_gap_counts_as_a_bar_without_values():
    live = fs.live(["sma_2"])
    live.update(close=1.0)
    assert np.isnan(live.update(close=float("nan"))["sma_2"])
    assert live.update(close=3.0)["sma_2"] == 2.0
    assert live.bars == 3


def test_time_must_rise_where_it_is_given():
    live = fs.live(["sma_2"], timeframe="1h")
    live.update(close=1.0, time="2023-01-02T00:00Z")
    with pytest.raises(InvalidRequestError, match=r"last bar opened at 2023-01-02T00:00:00Z, this one at 2023-01-02"):
        live.update(close=2.0, time="2023-01-02T00:00Z")
    assert live.bars == 1


def test_a_restored_state_knows_its_timeframe_its_bars_and_its_last_time():
    live = fs.live(["sma_2"], timeframe="1h")
    live.update(close=1.0, time="2023-01-02T00:00Z")
    again = fs.restore(live.snapshot())
    assert (again.timeframe, again.bars, again.last_time) == (live.timeframe, 1, live.last_time)
    assert again.snapshot() == live.snapshot()


def test_other_bars_leave_another_digest():
    one, other = fs.live(["sma_2"]), fs.live(["sma_2"])
    one.update(open=1.0, close=1.0)
    other.update(close=1.0)
    assert one.snapshot() != other.snapshot()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_snapshot_with_one_flipped_bit_is_refused(data):
    live = fs.live(IDS)
    live.update(**bars(1)[0])
    damaged = bytearray(live.snapshot())
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SnapshotMismatchError, match="rebuild the state from bars"):
        fs.restore(bytes(damaged))


@pytest.mark.parametrize("data", [b"", b"FXFS", b"\x00" * 100])
def test_bytes_that_are_no_snapshot_are_refused(data):
    with pytest.raises(SnapshotMismatchError, match=r"not the bytes of a snapshot|checksum"):
        fs.restore(data)


def test_a_snapshot_of_another_definition_is_refused(monkeypatch):
    saved = fs.live(["sma_2", "rsi_3"]).snapshot()
    monkeypatch.setitem(vars(fs.parse("sma_2", BUILT_INS)), "version", "v1.ffffffffff")
    with pytest.raises(SnapshotMismatchError, match=r"sma_2 was v1\.\w{10} when it was taken and is v1\.ffffffffff"):
        fs.restore(saved)


def test_a_snapshot_of_another_engine_is_refused(monkeypatch):
    saved = fs.live(["sma_2"]).snapshot()
    monkeypatch.setattr("feature_store.engine.snapshot.ENGINE_VERSION", 99)
    with pytest.raises(SnapshotMismatchError, match="made by engine 2, this is engine 99"):
        fs.restore(saved)


@pytest.mark.parametrize("close", [None, "x", [1.0], 10**400], ids=["none", "text", "list", "beyond numbers"])
def test_what_is_no_price_is_refused_and_changes_nothing(close):
    live = fs.live(["sma_2"])
    live.update(close=1.0)
    before = live.snapshot()
    with pytest.raises(InvalidRequestError, match="prices are numbers"):
        live.update(close=close)
    with pytest.raises(InvalidRequestError, match="prices are numbers"):
        live.peek(close=close)
    assert live.snapshot() == before
    assert live.update(close=3.0) == {"sma_2": 2.0}


@pytest.mark.parametrize("data", [None, "text", 5])
def test_what_is_no_snapshot_is_refused(data):
    with pytest.raises(SnapshotMismatchError, match="a snapshot is bytes"):
        fs.restore(data)
