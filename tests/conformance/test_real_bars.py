"""The laws on real bars: hours of EUR/USD that are always there, and yen, minutes and ten years where ../shared/data is."""

from __future__ import annotations

from functools import cache, partial

import numpy as np
import pandas as pd
import pytest

import feature_store as fs
from feature_store.bars import COLUMNS, OTHER, PRICES
from feature_store.indicators.units import UNITS
from tests.conformance.kit import batch, first_values, looks_at_a_clock, plan_of, rows, stepped
from tests.conformance.markets import moved, timed
from tests.conftest import same_bits

LONG = 25_000


def columns_of(frame: pd.DataFrame, other: pd.Series) -> dict[str, np.ndarray]:
    """A frame's rows as the kit takes a market; the other symbol's close is that of the last bar before."""
    closes = other.reindex(frame.index, method="ffill").bfill()
    columns = {name: np.ascontiguousarray(frame[name], dtype=np.float64) for name in COLUMNS}
    opens = frame.index.tz_convert("UTC").as_unit("us").asi8
    return timed(columns | {OTHER: np.ascontiguousarray(closes, dtype=np.float64)}, np.array(opens))


@pytest.fixture(scope="session")
def hours(eurusd):
    """5,000 hours of EUR/USD beside those a day before."""
    return columns_of(eurusd, eurusd["close"].shift(24).bfill())


def ten_years_of_yen(folder):
    """Hours with tick volume, in points; beside GBP/USD."""
    yen, pound = (
        pd.read_csv(folder / "ejtrader" / f"{symbol}h1.csv.gz", index_col=0, parse_dates=True).tz_localize("UTC")
        for symbol in ("USDJPY", "GBPUSD")
    )
    return columns_of(yen / 1000.0, pound["close"] / 1e5)


def minutes_of_yen(folder):
    """A month's bid, beside the ask; this source has no tick volume, and 0 is said of it."""
    bid, ask = (
        pd.read_csv(folder / "fxcm" / f"usdjpy-m1-{side}-2013.csv.gz", index_col=0, parse_dates=True)
        for side in ("bid", "ask")
    )
    return columns_of(bid.assign(tick_volume=0.0), ask["close"])


def ten_years_of_euros(folder):
    """Hours of the bid without tick volume, beside the ask."""
    names = [f"{side}_{name}" for side in ("bid", "ask") for name in (*PRICES, "size")]
    frame = pd.read_csv(folder / "lean" / "oanda-hour-eurusd.zip", header=None, names=["time", *names], index_col=0)
    frame.index = pd.to_datetime(frame.index, format="%Y%m%d %H:%M", utc=True)
    bid = frame[[f"bid_{name}" for name in PRICES]].set_axis(PRICES, axis=1)
    return columns_of(bid.assign(tick_volume=0.0), frame["ask_close"])


@cache
def last_rows(source, folder):
    """The last rows of a source, read once."""
    return rows(source(folder), slice(-LONG, None))


def assert_values_are_good(feature, values):
    """Assert that values are finite, within the bounds of their unit, and there on every row from the warm-up on."""
    if not looks_at_a_clock(
        feature
    ):  # else there are none on the first day, or at an hour that comes for the first time
        assert first_values(values) == list(feature.warmups), feature.id
        assert not np.isnan(values[:, feature.warmup :]).any(), feature.id
    assert not np.isinf(values).any(), feature.id
    for called, row in zip(feature.definition.units, values, strict=True):
        unit, known = UNITS[called], row[~np.isnan(row)]
        slack = 1e-9 * max(1.0, abs(unit.high) if unit.high < np.inf else 1.0)
        assert ((known >= unit.low - slack) & (known <= unit.high + slack)).all(), (feature.id, called)


# ---------------------------------------------------------------- bars that are always there
def test_real_hours_have_a_value_a_bar_within_its_bounds(feature, hours):
    assert_values_are_good(feature, batch(feature, hours))


def test_real_hours_give_the_same_bits_live_cut_and_whole(definition, hours):
    feature, plan = fs.feature(definition.name), plan_of(fs.feature(definition.name))
    whole = batch(feature, hours)
    assert same_bits(stepped(fs.live([feature]), rows(hours, slice(300))), whole[:, :300])
    words = plan.words.copy()
    parts = [plan.run(rows(hours, slice(first, first + 617)), words) for first in range(0, 5000, 617)]
    assert same_bits(np.hstack(parts), whole)


def test_real_hours_scaled_give_what_the_unit_says(feature, hours):
    scaled = batch(feature, moved(hours, partial(np.multiply, 2.0**20)))
    for called, once, then in zip(feature.definition.units, batch(feature, hours), scaled, strict=True):
        scale = UNITS[called].scale
        assert scale is None or same_bits(once * 2.0 ** (20 * scale), then), called


def test_real_hours_begun_later_give_the_same_windows(windowed, hours):
    """But for the last bits, as blocks of windows are counted from the first bar."""
    values, later = batch(windowed, hours), batch(windowed, rows(hours, slice(7, None)))
    size = np.nanmax(np.abs(values), axis=1, keepdims=True)
    away = np.abs(values[:, 7:] - later)[:, max(first_values(later)) :]
    assert (away <= 2e-8 * size).all()


# ---------------------------------------------------------------- bars of ../shared/data
@pytest.mark.parametrize("source", [ten_years_of_yen, minutes_of_yen, ten_years_of_euros])
def test_years_of_real_bars_keep_the_laws(definition, source, shared_data):
    data, feature = last_rows(source, shared_data), fs.feature(definition.name)
    plan, words = plan_of(feature), plan_of(feature).words.copy()
    whole = plan.run(data)
    assert_values_are_good(feature, whole)
    assert same_bits(plan.run(rows(data, slice(LONG // 2)), words), whole[:, : LONG // 2])
    assert same_bits(plan.run(rows(data, slice(LONG // 2, None)), words), whole[:, LONG // 2 :])
