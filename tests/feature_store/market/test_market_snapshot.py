"""A market continues from its bytes as if nothing had happened, in another process too, or it does not continue."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store import json_codec
from feature_store.engine.snapshot import seal, unseal
from feature_store.errors import SnapshotMismatchError
from feature_store.times import to_datetime
from tests.feature_store.market.conftest import ASKED, COMPARED, STARTS, bars_of, feed

ONE = {symbol: {**ASKED[symbol], **COMPARED[symbol]} for symbol in ASKED}
CHILD = """
import sys
import feature_store as fs
from feature_store import json_codec
from feature_store.times import to_datetime

given = json_codec.loads(sys.stdin.buffer.read())
market = fs.restore_market(bytes.fromhex(given["state"]))
for symbol, moment, bar in given["bars"]:
    market.update(symbol, time=to_datetime(moment), **bar)
sys.stdout.write(market.snapshot().hex())
"""


def pair(count: int) -> dict[str, dict[int, dict]]:
    return {"EUR/USD": bars_of(1, STARTS[0], count), "GBP/USD": bars_of(2, STARTS[0], count)}


def in_order(bars):
    return sorted(((symbol, moment) for symbol in bars for moment in bars[symbol]), key=lambda each: each[1])


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(0, 300), min_size=1, max_size=5, unique=True), st.integers(0, 2**32))
def test_any_split_with_restarts_gives_the_rows_and_the_state_of_the_whole(cuts, seed):
    bars = {"EUR/USD": bars_of(seed, STARTS[1], 150), "GBP/USD": bars_of(seed + 1, STARTS[1], 150)}
    whole, parts = fs.live_market(ONE), fs.live_market(ONE)
    for place, (symbol, moment) in enumerate(in_order(bars)):
        if place in cuts:
            parts = fs.restore_market(parts.snapshot())
        given_rows = [
            market.update(symbol, time=to_datetime(moment), **bars[symbol][moment]) for market in (whole, parts)
        ]
        assert repr(given_rows[0]) == repr(given_rows[1])  # NaN is not equal to itself, its repr is
    assert whole.snapshot() == parts.snapshot()


def test_another_process_continues_with_the_same_bits():
    bars = pair(120)
    order = in_order(bars)
    first, whole = fs.live_market(ONE), fs.live_market(ONE)
    feed(first, bars, order[:130])
    feed(whole, bars, order)
    rest = [(symbol, moment, bars[symbol][moment]) for symbol, moment in order[130:]]
    asked = json_codec.dumps({"state": first.snapshot().hex(), "bars": rest})
    done = subprocess.run([sys.executable, "-c", CHILD], input=asked, capture_output=True, check=True, timeout=120)
    assert bytes.fromhex(done.stdout.decode()) == whole.snapshot()


def test_bars_of_before_a_restart_can_be_corrected():
    bars = pair(100)
    market, corrected = fs.live_market(ONE), fs.live_market(ONE)
    feed(market, bars)
    market = fs.restore_market(market.snapshot())
    moment = sorted(bars["EUR/USD"])[-20]
    bar = bars["GBP/USD"][max(bars["GBP/USD"])]
    market.correct("EUR/USD", time=to_datetime(moment), **bar)
    feed(corrected, bars | {"EUR/USD": bars["EUR/USD"] | {moment: bar}})
    assert market.snapshot() == corrected.snapshot()


def test_a_market_without_bars_can_be_saved():
    assert fs.restore_market(fs.live_market(ONE).snapshot()).snapshot() == fs.live_market(ONE).snapshot()


def test_a_new_market_asks_what_the_saved_one_was_asked():
    market = fs.live_market(ONE)
    feed(market, pair(1))
    for row in fs.restore_market(market.snapshot()).peek(
        "EUR/USD", time="2023-03-09T13:00Z", **bars_of(3, STARTS[0], 1).popitem()[1]
    ):
        assert list(row.values) == [
            column for each in ONE["EUR/USD"][row.timeframe] for column in fs.parse(each).columns
        ]


# ---------------------------------------------------------------- what is refused
@pytest.fixture(scope="module")
def saved() -> bytes:
    market = fs.live_market(ONE)
    feed(market, pair(60))
    return market.snapshot()


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_bytes_with_one_flipped_bit_are_refused(saved, data):
    damaged = bytearray(saved)
    damaged[data.draw(st.integers(0, len(damaged) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SnapshotMismatchError, match="rebuild the state from bars"):
        fs.restore_market(bytes(damaged))


@pytest.mark.parametrize("cut", [0, 3, 100, -1])
def test_bytes_cut_short_are_refused(saved, cut):
    with pytest.raises(SnapshotMismatchError, match="rebuild the state from bars"):
        fs.restore_market(saved[:cut])


def test_a_snapshot_of_one_series_is_no_market_and_a_market_no_series(saved):
    with pytest.raises(SnapshotMismatchError, match="not the bytes of a snapshot"):
        fs.restore_market(fs.live(["sma_3"]).snapshot())
    with pytest.raises(SnapshotMismatchError, match="not the bytes of a snapshot"):
        fs.restore(saved)


def test_a_market_of_another_engine_is_refused(saved, monkeypatch):
    monkeypatch.setattr("feature_store.engine.snapshot.ENGINE_VERSION", 999)
    with pytest.raises(SnapshotMismatchError, match="this is engine 999"):
        fs.restore_market(saved)


def test_a_market_of_another_definition_is_refused():
    with fs.open(":memory:") as store:
        store.register("pace", "close - lag(close, 1)")
        asked = {"EUR/USD": {"15m": ["pace@1h"]}}
        data = fs.live_market(asked, registry=store.registry).snapshot()
        assert fs.restore_market(data, registry=store.registry).snapshot() == data
        store.register("pace", "close - lag(close, 2)")
        with pytest.raises(SnapshotMismatchError, match=r"pace was v1\.\w{10} when it was taken and is v2\.\w{10}"):
            fs.restore_market(data, registry=store.registry)


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (lambda about: about["symbols"][0]["asked"]["15m"].append("rsi_3"), "it holds"),
        (lambda about: about["symbols"][0]["asked"].update({"2h": ["sma_3"]}), "EUR/USD are derived otherwise now"),
        (lambda about: about["parts"].append(8), "its parts have"),
    ],
    ids=["another feature", "another timeframe", "another length"],
)
def test_bytes_whose_parts_do_not_fit_each_other_are_refused(saved, forge, why):
    header, body = unseal(saved, b"FXFM", 1)
    forge(header)
    with pytest.raises(SnapshotMismatchError, match=f"{why}.*rebuild the state from bars"):
        fs.restore_market(seal(b"FXFM", 1, header, body))


def test_bars_that_do_not_belong_to_the_features_are_refused(saved):
    header, body = unseal(saved, b"FXFM", 1)
    first = header["parts"][0]
    later = body[8:first] + (int.from_bytes(body[first - 8 : first], "little") + 900_000_000).to_bytes(8, "little")
    with pytest.raises(SnapshotMismatchError, match="bars of EUR/USD and their closes are of different times"):
        fs.restore_market(seal(b"FXFM", 1, header, later + body[first:]))
