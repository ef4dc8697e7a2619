"""What follows from an output's unit: bounds, and what prices of another size or from another zero do to it."""

from __future__ import annotations

from functools import partial

import numpy as np

from feature_store.indicators.units import UNITS
from tests.conformance.kit import batch, enough, first_values, rows
from tests.conformance.markets import (
    ABOVE_ZERO,
    FLAT,
    HOURS,
    LEVEL,
    MARKETS,
    at_one_price,
    market,
    moved,
    timed,
)
from tests.conftest import same_bits

STILL_IN_A_FLAT_MARKET = {"price change", "price squared", "percent", "log return", "deviations"}
MOVING_IN_A_FLAT_MARKET: frozenset[str] = frozenset()
"""Indicators of such a unit whose value in a market that does not move is not zero, each with a reason in its docstring."""

IN_PERCENT = frozenset({"zigzag_percent"})
"""Indicators whose direction and bars follow moves in percent of the price, which an offset makes smaller."""

FADES = {("autocorr_period", "resting"), ("autocorr_period", "a line")}
"""Where filtered values fade at rest until their fourth powers are below the smallest number there is."""

EXTREME = {"of no size", "of any size"}
"""Markets that have no room for prices a million times as large or small."""


def by_unit(feature, *answers):
    """Each output's unit, and its row in each of the answers."""
    return [(UNITS[unit], unit, *found) for unit, *found in zip(feature.definition.units, *answers, strict=True)]


# ---------------------------------------------------------------- bounds
def test_values_are_finite_whatever_the_market(feature):
    for name in MARKETS:
        assert not np.isinf(batch(feature, market(name))).any(), name


def test_values_stay_in_the_bounds_of_their_unit(feature):
    for name in ABOVE_ZERO:
        for unit, _, row in by_unit(feature, batch(feature, market(name))):
            known = row[~np.isnan(row)]
            slack = 1e-9 * max(1.0, abs(unit.high) if unit.high < np.inf else 1.0)
            assert ((known >= unit.low - slack) & (known <= unit.high + slack)).all(), name


def test_the_shortest_series_there_are_give_a_value_a_bar(feature):
    whole = batch(feature, market("a walk"))
    for bars in (0, 1, 2):
        assert same_bits(batch(feature, rows(market("a walk"), slice(bars))), whole[:, :bars]), bars


# ---------------------------------------------------------------- scale and offset
def test_a_million_times_the_price_gives_what_the_unit_says(feature):
    for name in ABOVE_ZERO:
        if name in EXTREME or (feature.name, name) in FADES:
            continue
        data = market(name)
        whole = batch(feature, data)
        for factor in (2.0**20, 2.0**-20):
            scaled = batch(feature, moved(data, partial(np.multiply, factor)))
            for unit, called, once, then in by_unit(feature, whole, scaled):
                assert unit.scale is None or same_bits(once * factor**unit.scale, then), (name, called, factor)


def test_an_offset_of_the_price_moves_only_what_is_a_price(feature):
    offset = 64.0
    for name in ("a walk", "yen", "wild"):
        here = moved(market(name, enough(feature)), lambda price: np.round(price * 2.0**24) * 2.0**-24)
        there = moved(here, partial(np.add, offset))  # exactly, as no price has more than 24 digits after the point
        for unit, called, before, after in by_unit(feature, batch(feature, here), batch(feature, there)):
            if unit.offset is not None and feature.name not in IN_PERCENT:
                away = np.abs(after - before - unit.offset * offset)[~np.isnan(before)]
                assert (np.isnan(before) == np.isnan(after)).all(), (name, called)
                # a wild price is so much more exact near zero that now and then another of two ways is taken
                worst = np.median(away) if name == "wild" else away.max()
                assert worst <= 1e-8 * np.nanmax(np.abs(before)), (name, called)


# ---------------------------------------------------------------- a market at rest
def test_every_value_of_a_flat_market_is_neutral(feature):
    bars = enough(feature)
    for price, volume, rounding in ((FLAT, 10.0, 1e-15), (LEVEL, 10.0, 2e-14), (FLAT, 0.0, 1e-15)):
        values = batch(feature, timed(at_one_price(bars, price, volume), HOURS[:bars]))
        values = values[:, max(first_values(values)) :]
        assert not np.isnan(values).any()
        for _, unit, row in by_unit(feature, values):
            if unit == "price":
                np.testing.assert_allclose(row, price, rtol=rounding)
            if unit in STILL_IN_A_FLAT_MARKET and feature.name not in MOVING_IN_A_FLAT_MARKET:
                np.testing.assert_allclose(row, 0.0, atol=rounding * 100.0 if unit == "percent" else rounding)
            if unit == "deviations":
                assert (row == 0.0).all()
