"""Features of another symbol or timeframe than the one asked of: `rsi_14@GBPUSD`, `correl_20@GBPUSD`, `sma_3@GBPUSD@4h`."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import feature_store as fs
from feature_store.cli import app
from feature_store.errors import DataNotFoundError, InvalidRequestError
from feature_store.indicators.feature import parse
from feature_store.service.app import create_app
from tests.conftest import random_walk, same_bits
from tests.feature_store.service.conftest import Caller

HOURS = pd.date_range("2024-01-01 22:00", periods=72, freq="1h", tz="UTC")
EUR = random_walk(72, 1).assign(time=HOURS)
GBP = random_walk(72, 2).assign(time=HOURS).drop(index=[50, 51])
ASKED = ["rsi_14", "rsi_14@GBPUSD", "correl_20@GBPUSD", "sma_3@GBPUSD@4h", "correl_5@GBPUSD@EURUSD@4h"]


@pytest.fixture
def store():
    with fs.open(":memory:") as store:
        store.ingest("EUR/USD", "1h", EUR)
        store.ingest("GBP/USD", "1h", GBP)
        yield store


@pytest.mark.parametrize(
    ("text", "symbol", "other", "timeframe"),
    [
        ("rsi_14@GBPUSD", "GBPUSD", None, None),
        ("rsi_14@gbp/usd@H4", "GBPUSD", None, "4h"),
        ("rsi_14@4h@GBP_USD", "GBPUSD", None, "4h"),
        ("correl_50@GBPUSD", None, "GBPUSD", None),
        ("correl_50@EURUSD@GBPUSD@1d", "EURUSD", "GBPUSD", "1d"),
        ("correl_50", None, None, None),
        ("rsi@BTC-USD", "BTC-USD", None, None),
    ],
)
def test_an_id_names_the_bars_it_is_of(text, symbol, other, timeframe):
    feature = parse(text)
    assert (feature.symbol, feature.other, feature.timeframe) == (symbol, other, timeframe)
    assert parse(feature.id) == feature
    assert feature.columns == (text,)


def test_every_output_keeps_the_place():
    assert parse("macd@GBPUSD@4h").columns == (
        "macd.line@GBPUSD@4h",
        "macd.signal@GBPUSD@4h",
        "macd.histogram@GBPUSD@4h",
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("rsi_14@4x", "timeframe must be one of"),
        ("rsi_14@4h@1d", "one timeframe"),
        ("rsi_14@GBPUSD@USDJPY", "at most 1 symbol"),
        ("correl_50@A@B@C", "at most 2 symbols"),
        ("rsi_14@-", "symbol must be"),
    ],
)
def test_places_that_break_the_rule_are_refused(text, why):
    with pytest.raises(InvalidRequestError, match=why):
        parse(text)


def test_a_feature_of_another_symbol_is_that_of_its_last_closed_bar(store):
    got = store.features("EUR/USD", "1h", ["rsi_14@GBPUSD"])["rsi_14@GBPUSD"]
    theirs = store.features("GBP/USD", "1h", ["rsi_14"])["rsi_14"]
    assert same_bits(got.drop(index=HOURS[[50, 51]]), theirs)
    assert same_bits(got.loc[HOURS[[50, 51]]], theirs.loc[HOURS[[49, 49]]])  # where it has no bar, the last one stands


def test_two_symbols_are_compared_bar_by_bar_and_a_gap_in_either_is_a_gap(store):
    got = store.features("EUR/USD", "1h", ["correl_20@GBPUSD"])["correl_20@GBPUSD"]
    both = EUR.drop(index=[50, 51])
    wanted = fs.compute({"close": both["close"], "other": GBP["close"]}, ["correl_20"])["correl_20"]
    assert same_bits(got.drop(index=HOURS[[50, 51]]), wanted)
    assert got.loc[HOURS[[50, 51]]].isna().all()


def test_the_first_symbol_may_be_another_than_the_one_asked_of(store):
    mine = store.features("EUR/USD", "1h", ["beta_20@GBPUSD@EURUSD"]).iloc[-1, 0]
    assert mine == store.features("GBP/USD", "1h", ["beta_20@EURUSD"]).iloc[-1, 0]


def test_a_higher_timeframe_of_another_symbol_joins_when_its_bar_has_closed(store):
    got = store.features("EUR/USD", "1h", ["sma_3@GBPUSD@4h"])["sma_3@GBPUSD@4h"]
    four = store.features("GBP/USD", "4h", ["sma_3"])["sma_3"]
    close_of_row, close_of_bar = HOURS + pd.Timedelta("1h"), four.index + pd.Timedelta("4h")
    places = close_of_bar.searchsorted(close_of_row, side="right") - 1
    assert same_bits(got, np.where(places < 0, np.nan, four.to_numpy()[places]))


def test_what_the_other_symbol_taught_later_is_not_known_before(store):
    before = store.features("EUR/USD", "1h", ["correl_20@GBPUSD"])
    store.ingest("GBP/USD", "1h", GBP.assign(close=GBP["high"]), known_at="2024-06-01")
    assert same_bits(store.features("EUR/USD", "1h", ["correl_20@GBPUSD"], as_of="2024-05-31"), before)
    assert not same_bits(store.features("EUR/USD", "1h", ["correl_20@GBPUSD"]), before)


def test_an_answer_changes_its_generation_with_the_other_symbol(store):
    mine, both = (store.generation("EUR/USD", "1h", ids) for ids in (["rsi_14"], ["correl_20@GBPUSD"]))
    store.ingest("GBP/USD", "1h", GBP.assign(close=GBP["high"]), known_at="2024-06-01")
    assert store.generation("EUR/USD", "1h", ["rsi_14"]) == mine
    assert store.generation("EUR/USD", "1h", ["correl_20@GBPUSD"]) != both


@pytest.mark.parametrize(
    ("asked", "why"),
    [("correl_20", "name the other, as in correl_20@GBPUSD"), ("sma_3@GBPUSD@5m", "ask for it on 5m bars")],
)
def test_what_cannot_be_joined_is_refused_with_the_way_out(store, asked, why):
    with pytest.raises(InvalidRequestError, match=why):
        store.features("EUR/USD", "1h", [asked])


def test_a_symbol_without_bars_is_named(store):
    with pytest.raises(DataNotFoundError, match="no bars of USD/JPY"):
        store.features("EUR/USD", "1h", ["rsi_14@USDJPY"])


def test_bars_alone_have_no_other_symbol():
    with pytest.raises(InvalidRequestError, match="ask a store"):
        fs.compute(EUR, ["correl_20@GBPUSD"])
    with pytest.raises(InvalidRequestError, match="column 'other'"):
        fs.compute(EUR, ["correl_20"])


def test_http_speaks_the_same_ids(store):
    caller = Caller(create_app(store))
    answer = caller.get(f"/api/v1/features/indicators?symbol=EURUSD&timeframe=1h&indicators={','.join(ASKED)}")
    columns = answer.json["columns"]
    assert list(columns) == ASKED
    assert columns["correl_20@GBPUSD"][-1] == store.features("EURUSD", "1h", ASKED)["correl_20@GBPUSD"].iloc[-1]


def test_the_command_line_speaks_the_same_ids(tmp_path):
    with fs.open(tmp_path) as store:
        store.ingest("EUR/USD", "1h", EUR)
        store.ingest("GBP/USD", "1h", GBP)
    done = CliRunner().invoke(app, ["features", "EURUSD", *ASKED, "--csv", "--home", str(tmp_path)])
    assert done.stdout.startswith("time," + ",".join(ASKED) + "\n")


def test_an_expression_may_compare_two_symbols(store):
    store.register("spread_z", "zscore(log(close / other), n)", {"n": fs.Int(20, ge=2, le=500)}, unit="deviations")
    got = store.features("EUR/USD", "1h", ["spread_z_20@GBPUSD"])["spread_z_20@GBPUSD"]
    both = EUR.drop(index=[50, 51])
    ratio = np.log(both["close"].to_numpy() / GBP["close"].to_numpy())
    assert got.drop(index=HOURS[[50, 51]]).iloc[-1] == pytest.approx(
        (ratio[-1] - ratio[-20:].mean()) / ratio[-20:].std()
    )
