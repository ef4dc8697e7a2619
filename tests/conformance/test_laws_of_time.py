"""What no bar changes: live is history, a restart is nothing, the future is unknown, a gap leaves no trace."""

from __future__ import annotations

import numpy as np
import pytest

import feature_store as fs
from feature_store.bars import FEATURE_COLUMNS
from feature_store.indicators.series import in_order
from feature_store.indicators.warmup import NEVER, memory_of
from tests.conformance.kit import (
    CLOCKED,
    bar_by_bar,
    batch,
    enough,
    first_values,
    known,
    largest,
    looks_at_a_clock,
    needed,
    plan_of,
    rows,
    stepped,
)
from tests.conformance.markets import (
    ABOVE_ZERO,
    BARS,
    LEVEL,
    at_one_price,
    joined,
    market,
    spiked,
    timed,
    walk,
    without,
)
from tests.conftest import same_bits

ALWAYS_KNOWN = [name for name in ABOVE_ZERO if len(known(market(name))) == BARS and name != "of any size"]
LONGEST = 12_000


# ---------------------------------------------------------------- live, restarts, peeks
def test_live_equals_history_to_the_bit(feature):
    for name, bars in (("everything", BARS), ("about zero", 200), ("of any size", 200)):
        data = market(name, bars)
        assert same_bits(stepped(fs.live([feature]), data), batch(feature, data)), name


def test_a_restart_changes_no_bit(feature):
    data = market("everything")
    whole = batch(feature, data)
    state = fs.live([feature])
    for row, bar in enumerate(bar_by_bar(state, rows(data, slice(130)))):
        if row % 4 == 1 or row < 4:
            state = fs.restore(state.snapshot())
        assert same_bits(list(state.update(**bar).values()), whole[:, row]), row


def test_history_cut_anywhere_and_continued_is_the_uninterrupted_history(feature):
    bars, plan = 260, plan_of(feature)
    data, words = needed(feature, rows(market("everything"), slice(bars))), plan.words.copy()
    whole = plan.run(data)
    for cut in range(bars):
        assert same_bits(plan.run(rows(data, slice(cut, None)), words.copy()), whole[:, cut:]), cut
        plan.run(rows(data, slice(cut, cut + 1)), words)


def test_history_continued_from_a_snapshot_is_the_uninterrupted_history(feature):
    data = market("everything")
    whole = batch(feature, data)
    state = fs.live([feature])
    for row, bar in enumerate(bar_by_bar(state, rows(data, slice(151)))):
        if row in (1, 2, 61, 150):
            rest = fs.compute(rows(data, slice(row, None)), [feature], state=state.snapshot(), as_="numpy")
            assert same_bits(np.array(list(rest.values())), whole[:, row:]), row
        state.update(**bar)


def test_a_peek_is_what_the_next_update_gives_and_leaves_no_trace(feature):
    data = market("everything")
    whole = batch(feature, data)
    state = fs.live([feature])
    forming = bar_by_bar(state, market("spikes") | {"time": data["time"]})
    for row, (bar, other) in enumerate(zip(bar_by_bar(state, rows(data, slice(130))), forming, strict=False)):
        before = state.snapshot() if row % 6 == 0 else None
        state.peek(**other)
        peeked = list(state.peek(**bar).values())
        assert before is None or state.snapshot() == before, row
        assert same_bits(peeked, whole[:, row]), row
        assert same_bits(list(state.update(**bar).values()), whole[:, row]), row


@pytest.mark.parametrize("feature", CLOCKED, ids=lambda feature: feature.id)
@pytest.mark.parametrize("minutes", [1, 1440, 667], ids=["minutes", "days", "no timeframe at all"])
def test_live_equals_history_whatever_the_bars_time(feature, minutes):
    opens = np.datetime64("2023-03-10T21:00", "us") + np.arange(BARS) * np.timedelta64(60_000_000 * minutes, "us")
    data = timed(market("everything"), opens.view(np.int64))
    whole, there = batch(feature, data), known(data)
    assert same_bits(stepped(fs.live([feature]), data), whole)
    assert same_bits(batch(feature, rows(data, there)), whole[:, there])


def test_a_bar_that_is_corrected_or_came_late_is_as_if_it_had_come_so_in_the_first_place(feature):
    data, corrected, missed, end = market("everything"), 100, 115, 125
    came = {name: column.copy() for name, column in rows(data, slice(end)).items()}
    for name in FEATURE_COLUMNS:
        came[name][corrected] = market("wild")[name][corrected]
    whole, state = batch(feature, rows(data, slice(end))), fs.live([feature])
    bars = list(bar_by_bar(state, rows(data, slice(end)), timed=True))
    for row, bar in enumerate(bar_by_bar(state, came, timed=True)):
        if row != missed:
            state.update(**bar)
    state.insert(**bars[missed])
    answers = state.correct(**bars[corrected])
    assert same_bits(np.array([list(each.values()) for each in answers.values()]).T, whole[:, corrected:])


# ---------------------------------------------------------------- the future
def test_no_future_bar_changes_a_value(feature):
    data = market("everything")
    whole = batch(feature, data)
    for cut in (106, 250, 433, 640):  # the first and the third within a gap
        assert same_bits(batch(feature, rows(data, slice(cut))), whole[:, :cut]), f"absent from {cut} on"
        for future in ("unknown", "huge", "permuted"):
            changed = batch(feature, _with_future(data, cut, future))
            assert same_bits(changed[:, :cut], whole[:, :cut]), f"{future} from {cut} on"


def _with_future(data, cut, future):
    changed = {name: column.copy() for name, column in data.items()}
    order = np.random.default_rng(1).permutation(len(data["close"]) - cut) + cut
    for column in (changed[name] for name in FEATURE_COLUMNS):
        column[cut:] = {"unknown": np.nan, "huge": 1e9, "permuted": column[order]}[future]
    return changed


# ---------------------------------------------------------------- the first value
def test_the_first_value_is_exactly_at_the_warmup(feature):
    assert_values_begin_at_the_warmup(feature, market("a walk", enough(feature)), 0)


def test_the_largest_parameters_there_are_work_and_have_their_first_value_at_the_warmup(definition):
    feature = largest(definition)
    assert_values_begin_at_the_warmup(feature, market("a walk", enough(feature)), 0)


def test_values_begin_later_by_as_many_bars_as_are_unknown_at_the_start(feature):
    data = market("a walk", enough(feature))
    assert_values_begin_at_the_warmup(feature, without(data, ((0, 23),)), 23)


def test_every_bar_has_a_value_from_the_warmup_on_whatever_the_market(feature):
    for name in ALWAYS_KNOWN:
        assert_values_begin_at_the_warmup(feature, market(name, enough(feature)), 0)


def assert_values_begin_at_the_warmup(feature, data, unknown):
    """Assert that there are values from the warm-up on and none before, after `unknown` rows without prices."""
    values = batch(feature, data)
    first = first_values(values)
    wanted = [warmup + unknown * bool(plan_of(feature).prices) for warmup in feature.warmups]
    if looks_at_a_clock(feature):  # values may wait for the next day or week to begin
        assert all(row >= warmup for row, warmup in zip(first, wanted, strict=True))
    else:
        assert first == wanted
    assert not np.isnan(values[:, max(first) :]).any()


# ---------------------------------------------------------------- gaps
def test_a_gap_has_no_value_and_leaves_no_trace(feature):
    for name in ("everything", "holes"):
        values, there = batch(feature, market(name)), known(market(name))
        gaps = np.delete(np.arange(BARS), there)
        # a clock goes on where prices are not known
        assert np.isnan(values[:, gaps]).all() or not plan_of(feature).prices, name
        assert same_bits(values[:, there], batch(feature, rows(market(name), there))), name


def test_a_gap_leaves_the_state_as_it_is_to_the_bit(feature):
    if looks_at_a_clock(feature):
        return
    data, plan = market("holes"), plan_of(feature)
    for first, end in ((0, 23), (130, 131), (300, 360)):
        words = plan.words.copy()
        plan.run(rows(data, slice(first)), words)
        before = words.copy()
        plan.run(rows(data, slice(first, end)), words)
        assert (words == before).all(), first


def test_a_bar_that_lacks_one_price_has_no_value_of_what_needs_it(feature):
    data, lacking = market("a walk"), [30, 31, 250, BARS - 1]
    needs = [{node.what for node in in_order([series]) if node.kind == "price"} for series in feature.series]
    for name in plan_of(feature).prices:
        holed = data | {name: data[name].copy()}
        holed[name][lacking] = np.nan
        values = batch(feature, holed)
        assert all(np.isnan(row[lacking]).all() for row, of in zip(values, needs, strict=True) if name in of), name


# ---------------------------------------------------------------- what has left
SPIKES = ({"high": 1e9, "close": 1e9}, {"low": 1e-9, "close": 1e-9}, {"tick_volume": 1e15}, {"other": 1e9})


def test_a_value_that_left_the_window_leaves_no_trace(windowed):
    data = market("a walk")
    whole, after = batch(windowed, data), 100 + 2 * (windowed.warmup + 1)
    for prices in SPIKES:
        assert same_bits(batch(windowed, spiked(data, 100, **prices))[:, after:], whole[:, after:]), prices


def test_a_market_that_came_to_rest_is_as_one_that_never_moved(windowed):
    if looks_at_a_clock(windowed):
        return
    rest = at_one_price(windowed.warmup + 1, LEVEL)
    restless, still = joined(walk(97), rest), joined(at_one_price(97, LEVEL), rest)
    was, never = batch(windowed, restless)[:, -1], batch(windowed, still)[:, -1]
    np.testing.assert_allclose(was, never, rtol=1e-9, atol=1e-12)


def test_settled_values_have_forgotten_where_the_series_began(feature):
    if feature.settled >= NEVER:
        assert memory_of(feature.series) == "accumulator"
        return
    bars = min(feature.settled + 400, LONGEST)
    data = market("a walk", bars)
    whole, part = batch(feature, data), batch(feature, rows(data, slice(150, None)))
    size = np.nanmax(np.abs(whole))
    settled = min(feature.settled, bars - 400)  # where a clock decides, settled is told in minutes and these are hours
    assert np.abs(whole[:, 150 + settled :] - part[:, settled:]).max() <= 2e-8 * size
