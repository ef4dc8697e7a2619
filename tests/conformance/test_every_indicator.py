"""What every registered indicator must keep, whatever it computes: nobody is exempt, and a new one inherits all of it."""

from __future__ import annotations

import doctest
import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

import feature_store as fs
from feature_store.bars import FEATURE_COLUMNS, OTHER, PRICES, Timeframe
from feature_store.calendar import Calendar
from feature_store.clock import clock_columns
from feature_store.engine.plan import Plan
from feature_store.errors import InvalidRequestError
from feature_store.indicators.units import UNITS
from feature_store.indicators.warmup import NEVER, memory_of
from feature_store.times import to_microseconds
from tests.conftest import random_walk, same_bits

if TYPE_CHECKING:
    from feature_store.indicators.definition import Definition
    from feature_store.indicators.feature import Feature

BARS = 700
STILL_IN_A_FLAT_MARKET = {"price change", "price squared", "percent", "log return", "deviations"}
MOVING_IN_A_FLAT_MARKET: frozenset[str] = frozenset()
"""Indicators of such a unit whose value in a market that does not move is not zero, each with a reason in its docstring."""


def _variants(definition: Definition) -> list[Feature]:
    """The indicator with its default, its smallest and large parameters."""
    made = {fs.feature(definition.name)}
    for chosen in (
        {n: max(p.ge, 2) if p.whole else p.default for n, p in definition.parameters.items()},
        {n: 60 if p.whole else p.default for n, p in definition.parameters.items()},
    ):
        for attempt in (chosen, chosen | {"fast": 3, "slow": 60}):
            known = {n: v for n, v in attempt.items() if n in definition.parameters}
            try:
                made.add(fs.feature(definition.name, known))
                break
            except InvalidRequestError:
                continue
    return sorted(made, key=lambda feature: feature.id)


VARIANTS = [feature for definition in fs.catalog() for feature in _variants(definition)]
WINDOWED = [feature for feature in VARIANTS if memory_of(feature.series) in {"pointwise", "window"}]
each_feature = pytest.mark.parametrize("feature", VARIANTS, ids=lambda feature: feature.id)
each_definition = pytest.mark.parametrize("definition", fs.catalog(), ids=lambda definition: definition.name)


HOURS = Calendar.of("EUR/USD").expected(
    to_microseconds("2022-12-20"), to_microseconds("2024-12-20"), Timeframe.parse("1h")
)
"""Two years of hours, with weekends, holidays and four clock changes."""


def columns(bars: int = BARS, seed: int = 0) -> dict[str, np.ndarray]:
    frame = random_walk(bars, seed).assign(**{OTHER: random_walk(bars, seed + 1)["close"]})
    return {name: frame[name].to_numpy().copy() for name in FEATURE_COLUMNS} | {"time": HOURS[:bars].view("M8[us]")}


def batch(feature: Feature, data: dict[str, np.ndarray]) -> np.ndarray:
    return run(Plan.of([feature]), data)


def run(plan: Plan, data: dict[str, np.ndarray]) -> np.ndarray:
    return plan.run(data | clock_columns(data["time"].view(np.int64), plan.clock))


def looks_at_a_clock(feature: Feature) -> bool:
    return bool(Plan.of([feature]).clock)


def enough(feature: Feature, bars: int) -> int:
    """As many bars as a feature needs: beyond its warm-up, and sixty days and some where it counts in days."""
    return 2000 if looks_at_a_clock(feature) else max(bars, feature.warmup + 100)


def bar_at(data: dict[str, np.ndarray], row: int) -> dict[str, object]:
    return {name: column[row] for name, column in data.items()}


def stepped(feature: Feature, data: dict[str, np.ndarray]) -> np.ndarray:
    live = fs.live([feature])
    return np.array([list(live.update(**bar_at(data, row)).values()) for row in range(len(data["close"]))]).T


@each_feature
def test_live_equals_history_to_the_bit(feature):
    data = columns()
    assert same_bits(batch(feature, data), stepped(feature, data))


@each_feature
def test_a_restart_at_any_bar_changes_no_bit(feature):
    data = columns(260)
    whole = batch(feature, data)
    live = fs.live([feature])
    for row in range(260):
        live = fs.restore(live.snapshot()) if row % 7 == 3 or row in (1, 59, 60, 61) else live
        assert same_bits(list(live.update(**bar_at(data, row)).values()), whole[:, row])


@each_feature
def test_history_continued_from_a_snapshot_is_the_uninterrupted_history(feature):
    data = columns(300)
    whole = batch(feature, data)
    live = fs.live([feature])
    for row in range(300):
        if row in (1, 2, 61, 150, 299):
            rest = fs.compute({n: c[row:] for n, c in data.items()}, [feature.id], state=live.snapshot(), as_="numpy")
            assert same_bits(np.array(list(rest.values())), whole[:, row:])
        live.update(**bar_at(data, row))


@each_feature
def test_a_peek_is_what_the_next_update_gives_and_leaves_no_trace(feature):
    data = columns(150)
    live = fs.live([feature])
    for row in range(150):
        before = live.snapshot()
        peeked = live.peek(**bar_at(data, row))
        assert live.snapshot() == before
        assert same_bits(list(peeked.values()), list(live.update(**bar_at(data, row)).values()))


@each_feature
@pytest.mark.parametrize("future", ["nan", "huge", "permuted"])
def test_no_future_bar_changes_a_value(feature, future):
    data = columns(400)
    cut = 250
    changed = {name: column.copy() for name, column in data.items()}
    order = np.random.default_rng(1).permutation(150) + cut
    for column in (changed[name] for name in FEATURE_COLUMNS):
        column[cut:] = {"nan": np.nan, "huge": 1e9, "permuted": column[order]}[future]
    assert same_bits(batch(feature, data)[:, :cut], batch(feature, changed)[:, :cut])


@each_feature
def test_the_first_value_is_exactly_at_the_warmup(feature):
    values = batch(feature, columns(enough(feature, BARS)))
    first = [int(np.argmax(~np.isnan(row))) for row in values]
    if looks_at_a_clock(feature):  # values may wait for the next day or week to begin
        assert all(row >= warmup for row, warmup in zip(first, feature.warmups, strict=True))
    else:
        assert first == list(feature.warmups)
    assert not np.isnan(values[:, max(first) :]).any()


@each_feature
def test_a_gap_has_no_value_and_leaves_no_trace(feature):
    data = columns(400)
    gaps = [30, 31, 130, 260]
    before = [gap - place for place, gap in enumerate(gaps)]
    holed = {name: np.insert(data[name], before, np.nan) for name in FEATURE_COLUMNS}
    places = np.flatnonzero(np.isnan(holed["close"]))
    holed["time"] = np.insert(data["time"], before, data["time"][np.array(before) - 1] + np.timedelta64(1, "m"))
    values = batch(feature, holed)
    assert (
        np.isnan(values[:, places]).all() or not Plan.of([feature]).prices
    )  # a clock goes on where prices are not known
    assert same_bits(np.delete(values, places, axis=1), batch(feature, data))


@pytest.mark.parametrize("feature", WINDOWED, ids=lambda feature: feature.id)
def test_a_value_that_left_the_window_leaves_no_trace(feature):
    data = columns(600)
    spiked = {name: column.copy() for name, column in data.items()}
    for name in ("high", "close"):
        spiked[name][100] = 1e9
    after = 100 + 2 * (feature.warmup + 1)
    assert same_bits(batch(feature, data)[:, after:], batch(feature, spiked)[:, after:])


@each_feature
def test_twice_the_price_gives_what_the_unit_says(feature):
    data = columns()
    doubled = data | {name: data[name] * 2.0 for name in PRICES}
    for unit, once, twice in zip(_units(feature), batch(feature, data), batch(feature, doubled), strict=True):
        power = UNITS[unit].scale
        if power is not None:
            assert same_bits(once * 2.0**power, twice), unit


@each_feature
def test_an_offset_of_the_price_moves_only_what_is_a_price(feature):
    data = columns()
    moved = data | {name: data[name] + 0.25 for name in PRICES}
    for unit, here, there in zip(_units(feature), batch(feature, data), batch(feature, moved), strict=True):
        shift = UNITS[unit].offset
        if shift is not None:
            np.testing.assert_allclose(there, here + shift * 0.25, rtol=1e-7, atol=1e-7)


@each_feature
@pytest.mark.parametrize("shape", ["walk", "flat", "one bar", "spike", "no volume", "staircase"])
def test_values_stay_in_the_bounds_of_their_unit(feature, shape):
    data = _shaped(shape)
    values = batch(feature, data)
    assert not np.isinf(values).any()
    for unit, row in zip(_units(feature), values, strict=True):
        known = row[~np.isnan(row)]
        slack = 1e-9 * max(1.0, abs(UNITS[unit].high) if UNITS[unit].high < np.inf else 1.0)
        assert ((known >= UNITS[unit].low - slack) & (known <= UNITS[unit].high + slack)).all()


@each_feature
def test_every_value_of_a_flat_market_is_neutral(feature):
    values = batch(feature, _shaped("flat", enough(feature, 300)))
    values = values[:, int(np.isnan(values).sum(axis=1).max()) :]
    assert values.shape[1] > 0
    for unit, row in zip(_units(feature), values, strict=True):
        assert not np.isnan(row).any()
        if unit == "price":
            np.testing.assert_allclose(row, 1.25, rtol=1e-15)
        if unit in STILL_IN_A_FLAT_MARKET and feature.name not in MOVING_IN_A_FLAT_MARKET:
            np.testing.assert_allclose(row, 0.0, atol=1e-15)


@each_feature
def test_an_id_reads_back_as_the_feature_it_spells(feature):
    assert fs.parse(feature.id) == feature
    for column in fs.parse(feature.id).columns:
        assert fs.parse(column).columns == (column,)


@each_feature
def test_settled_values_have_forgotten_where_the_series_began(feature):
    if feature.settled >= NEVER:
        assert memory_of(feature.series) == "accumulator"
        return
    bars = min(feature.settled + 400, len(HOURS))
    data = columns(bars)
    later = {name: column[150:] for name, column in data.items()}
    whole, part = batch(feature, data), batch(feature, later)
    size = np.nanmax(np.abs(whole))
    settled = min(feature.settled, bars - 400)  # where a clock decides, settled is told in minutes and these are hours
    assert np.abs(whole[:, 150 + settled :] - part[:, settled:]).max() <= 2e-8 * size


@each_definition
def test_two_plans_at_once_do_not_disturb_each_other(definition):
    plans = [Plan.of([feature]) for feature in _variants(definition)] * 4
    data = columns()
    alone = [run(plan, data) for plan in plans]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda plan: run(plan, data), plans))
    assert all(same_bits(a, b) for a, b in zip(alone, together, strict=True))


@each_definition
def test_its_documentation_is_complete(definition):
    assert definition.title
    assert definition.source
    assert definition.doc.splitlines()[0].endswith((".", ";"))
    assert ">>> " in definition.doc, "an example that runs"
    assert set(definition.units) <= set(UNITS)
    assert re.fullmatch(r"[a-z][a-z0-9_]*", definition.name)
    assert definition.describe()["hash"] == definition.content_hash


@each_definition
def test_the_examples_in_its_documentation_run(definition):
    test = doctest.DocTestParser().get_doctest(definition.doc, {"fs": fs}, definition.name, None, None)
    said: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert results.failed == 0, "".join(said)
    assert results.attempted > 0


def _units(feature: Feature) -> tuple[str, ...]:
    return feature.definition.units


def _shaped(shape: str, bars: int = 300) -> dict[str, np.ndarray]:
    data = columns(bars)
    if shape == "flat":
        return data | {name: np.full(bars, 1.25 if name != "tick_volume" else 10.0) for name in FEATURE_COLUMNS}
    if shape == "one bar":
        return {name: column[:1] for name, column in data.items()}
    if shape == "spike":
        for name in ("high", "close"):
            data[name][100] = 1e6
    if shape == "no volume":
        data["tick_volume"][:] = 0.0
    if shape == "staircase":
        for place, name in enumerate(("low", "open", "close", "high")):
            data[name] = np.repeat(1.0 + np.arange(30) / 64, 10) + place / 1024
    return data
