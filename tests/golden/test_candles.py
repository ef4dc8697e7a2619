"""The candlestick patterns: every row is TA-Lib 0.8.2's, on real bars, on grids full of ties and on drawn patterns.

There are no deviations. Before its first row TA-Lib gives 0 where we give NaN, and ours may come up to three rows earlier.
Prices of invented bars are multiples of 1/1024: sums are exact, so a body that equals its mean does so for both.
"""

from __future__ import annotations

import doctest
from functools import lru_cache

import numpy as np
import pandas as pd
import pytest
import talib
from talib import abstract

import feature_store as fs
from feature_store.engine.plan import Plan
from tests.conftest import backtesting_file

PRICES = ("open", "high", "low", "close")
CASES = {f"cdl_{name[3:].lower()}": name for name in talib.get_functions() if name.startswith("CDL")}
WAITING = {"cdl_hikkake", "cdl_hikkakemod"}  # bars before may hold one that waits, so their first rows are by hand
DEEP = [name for name, peer in CASES.items() if abstract.Function(peer).parameters]
GRIDS = {"dojis": (2, 0.4), "small": (4, 0.2), "large": (16, 0.1)}
each_pattern = pytest.mark.parametrize("name", CASES)


def peer(name: str, bars: np.ndarray, **parameters: float) -> np.ndarray:
    return getattr(talib, CASES[name])(*bars, **parameters).astype(float)


def first_row(name: str) -> int:
    return abstract.Function(CASES[name]).lookback


@lru_cache
def all_of(market: str) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """A market's bars (4 x rows), and every pattern in them."""
    bars = real(market) if market in {"EURUSD", "GOOG"} else grid(*GRIDS[market])
    plan = Plan.of(CASES)
    return bars, dict(zip(plan.columns, plan.run(dict(zip(PRICES, bars, strict=True))), strict=True))


def real(market: str) -> np.ndarray:
    frame = pd.read_csv(backtesting_file(f"{market}.csv"), index_col=0)
    return np.ascontiguousarray(frame[[name.capitalize() for name in PRICES]].to_numpy(float).T)


def grid(step: int, quiet: float, bars: int = 30_000) -> np.ndarray:
    """A walk of few different prices: dojis, gaps, missing shadows and equal closes on every page."""
    random = np.random.default_rng(step)
    step = np.maximum(1, step * random.choice([0.25, 0.5, 1.0, 2.0], bars)).astype(int)
    moves = random.integers(-step, step + 1) * (random.random(bars) > quiet)
    gaps = random.integers(-step, step + 1) * (random.random(bars) < 0.5)
    close = np.cumsum(moves + gaps) + 100_000
    open_ = close - moves
    upper, lower = (random.integers(0, step + 1) * (random.random(bars) < 0.5) for _ in range(2))
    return np.array([open_, np.maximum(open_, close) + upper, np.minimum(open_, close) - lower, close]) / 1024


def drawn(name: str, times: int = 600) -> np.ndarray:
    """The candles of the docstring's example after usual ones, again and again: moved a little, and upside down."""
    scope: dict[str, dict[str, list[float]]] = {}
    exec(doctest.DocTestParser().get_examples(fs.parse(name).definition.doc)[0].source, scope)
    example = np.array([scope["bars"][price] for price in PRICES], float)
    random = np.random.default_rng(0)
    bars = np.tile(np.round(example * 64), times)
    loose = np.repeat(random.random(times) < 0.7, example.shape[1])
    bars += random.integers(-8, 9, bars.shape) * (random.random(bars.shape) < 0.5) * loose
    turned = np.repeat(random.random(times) < 0.5, example.shape[1])
    open_, high, low, close = np.where(turned, 2048 - bars[[0, 2, 1, 3]], bars)
    return (
        np.array([open_, np.maximum.reduce([open_, high, close]), np.minimum.reduce([open_, low, close]), close]) / 1024
    )


def compute(name: str, bars: np.ndarray, **parameters: float) -> np.ndarray:
    return Plan.of([fs.feature(name, parameters)]).run(dict(zip(PRICES, bars, strict=True)))[0]


def test_all_patterns_of_talib_are_here():
    assert {d.name for d in fs.catalog() if d.name.startswith("cdl_")} == set(CASES)
    assert len(CASES) == 61


@each_pattern
@pytest.mark.parametrize("market", ["EURUSD", "GOOG", *GRIDS])
def test_every_row_is_talibs(name, market):
    bars, ours = all_of(market)
    np.testing.assert_array_equal(ours[name][first_row(name) :], peer(name, bars)[first_row(name) :])
    assert fs.feature(name).warmup <= first_row(name)


@each_pattern
def test_every_row_of_drawn_patterns_is_talibs(name):
    bars = drawn(name)
    want = peer(name, bars)
    assert np.count_nonzero(want) >= 20
    np.testing.assert_array_equal(compute(name, bars)[first_row(name) :], want[first_row(name) :])


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("penetration", [0.2, 0.4, 0.75])
def test_a_penetration_is_talibs(name, penetration):
    bars = drawn(name)
    want = peer(name, bars, penetration=penetration)
    assert np.count_nonzero(want) >= 10
    np.testing.assert_array_equal(compute(name, bars, penetration=penetration)[14:], want[14:])
    assert fs.feature(name).parameters == dict(abstract.Function(CASES[name]).parameters)


@pytest.mark.parametrize("name", sorted(set(CASES) - WAITING))
def test_rows_before_talibs_first_are_what_it_says_with_more_bars_before(name):
    bars = np.concatenate([drawn(name, 1)[:, 14:], grid(*GRIDS["small"], bars=40)], axis=1)
    more = np.concatenate([np.ones((4, 5)), bars], axis=1)
    start = fs.feature(name).warmup
    np.testing.assert_array_equal(compute(name, bars)[start:], peer(name, more)[5:][start:])


@each_pattern
def test_the_example_in_its_docstring_runs(name):
    examples = doctest.DocTestParser().get_doctest(fs.parse(name).definition.doc, {"fs": fs}, name, None, 0)
    assert doctest.DocTestRunner().run(examples) == doctest.TestResults(failed=0, attempted=2)


@pytest.mark.parametrize("price", PRICES)
def test_a_bar_that_lacks_one_price_leaves_no_trace(price):
    bars = {name: column.copy() for name, column in zip(PRICES, grid(*GRIDS["small"], bars=300), strict=True)}
    whole = fs.compute({name: np.delete(column, 100) for name, column in bars.items()}, ["cdl_engulfing", "cdl_doji"])
    bars[price][100] = np.nan
    holed = fs.compute(bars, ["cdl_engulfing", "cdl_doji"])
    assert holed.iloc[100].isna().all()
    np.testing.assert_array_equal(holed.drop(index=100).to_numpy(), whole.to_numpy())


@pytest.mark.parametrize(
    ("closes", "values"),
    [
        ([10.0, 14.0], [0.0, 200.0]),  # the inner bar's high is 13: passed by the second close after the trap
        ([14.0, 14.0], [200.0, 0.0]),  # confirmed once
        ([10.0, 10.0, 10.0, 14.0], [0.0, 0.0, 0.0, 0.0]),  # the fourth close is too late
    ],
)
def test_a_hikkake_waits_three_bars_for_a_close_beyond_the_inner_bar(closes, values):
    # 8..14, then 9..13 inside it, then 8..12 out of that downwards: a bullish trap on row 2; later bars are outside bars
    reach = np.arange(len(closes)) + 1.0
    high, low = [14.0, 13.0, 12.0, *(14.0 + reach)], [8.0, 9.0, 8.0, *(8.0 - reach)]
    bars = {"open": [10.0] * len(high), "high": high, "low": low, "close": [10.0, 10.0, 10.0, *closes]}
    got = fs.compute(bars, ["cdl_hikkake"])["cdl_hikkake"].tolist()
    assert got[2:] == [100.0, *values]
