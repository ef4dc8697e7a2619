"""Ticks of files that follow one another: the bars of one long file, and every tick accounted for."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feature_store.bars import Symbol, Timeframe
from feature_store.ingest.checks import FORMING, UNREADABLE_TIME
from feature_store.ingest.pipeline import Wish, ingest_files
from feature_store.ingest.quotes import NOT_QUOTED
from feature_store.ingest.tick_checks import ASK_BELOW_BID, BACKWARDS
from feature_store.store.memory import MemoryStore
from feature_store.ticks import TickBars
from feature_store.times import to_microseconds

from .test_pipeline import Stopping, held, same

EURUSD, MINUTE = Symbol.parse("EUR/USD"), Timeframe.parse("1m")
TUESDAY, NOW = to_microseconds("2023-01-03T10:00"), to_microseconds("2026-01-01")
WISH = Wish(EURUSD, tz="UTC")
SECOND = 1_000_000


def ticks(count, seed=0, start=TUESDAY, most=40):
    """Times, bids and asks of ticks some seconds apart."""
    random = np.random.default_rng(seed)
    time = start + np.cumsum(random.integers(0, most, count)) * SECOND
    bid = 1.1 + random.integers(-50, 50, count) * 1e-5
    return time, bid.round(5), (bid + random.integers(1, 9, count) * 1e-5).round(5)


def write(path, time, bid, ask):
    frame = {
        "time": pl.Series(time).cast(pl.Datetime("us")).dt.strftime("%Y-%m-%d %H:%M:%S%.3f"),
        "bid": bid,
        "ask": ask,
    }
    pl.DataFrame(frame).write_csv(path)
    return path


def split(folder, rows, places):
    """Write ticks into one file for each part between `places`."""
    bounds = [0, *places, len(rows[0])]
    parts = [slice(start, stop) for start, stop in pairwise(bounds)]
    return [write(folder / f"{number:02}.csv", *(each[part] for each in rows)) for number, part in enumerate(parts)]


def run(store, *paths, wish=WISH, now=NOW):
    reports = [report for _, report in ingest_files(store, paths, wish, now)]
    for report in reports:
        assert report.read == report.stored + report.duplicates + len(report.quarantined)
    return reports


def made_at_once(time, bid, ask, timeframe=MINUTE):
    bars = TickBars(EURUSD, timeframe)
    parts = [bars.update(time, bid, ask), bars.finish().bars]
    return {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}


@pytest.fixture
def store():
    made = MemoryStore()
    yield made
    made.close()


# ---------------------------------------------------------------- one file or many
@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.integers(1, 199), max_size=5, unique=True).map(sorted),
    st.sampled_from([60, 300]),
    st.sampled_from(["1m", "5m", "1h"]),
    st.randoms(use_true_random=False),
)
def test_files_that_follow_one_another_give_the_bars_of_one(tmp_path_factory, places, batch, timeframe, random):
    rows = ticks(200)
    folder = tmp_path_factory.mktemp("ticks")
    wish = replace(WISH, batch=batch, timeframe=Timeframe.parse(timeframe))
    whole, parted = MemoryStore(), MemoryStore()
    run(whole, *split(folder, rows, []), wish=wish)
    paths = split(folder, rows, places)
    random.shuffle(paths)
    reports = run(parted, *paths, wish=wish)
    assert sum(report.stored for report in reports) == 200
    assert sum(report.bars for report in reports) == len(held(parted, wish.timeframe))
    assert same(held(parted, wish.timeframe), held(whole, wish.timeframe))
    expected = made_at_once(*rows, wish.timeframe)
    assert all(np.array_equal(held(whole, wish.timeframe).columns[name], column) for name, column in expected.items())


def test_each_file_is_credited_with_its_ticks_of_a_bar_that_it_shares(store, tmp_path):
    time = TUESDAY + np.array([0, 20, 40, 70]) * SECOND
    paths = split(tmp_path, (time, np.full(4, 1.1), np.full(4, 1.2)), [2])
    one, two = run(store, *paths)
    assert (one.read, one.stored, one.bars) == (2, 2, 0)
    assert (two.read, two.stored, two.bars) == (2, 2, 2)
    assert held(store, MINUTE).columns["tick_volume"].tolist() == [3.0, 1.0]


def test_ticks_known_already_are_counted_as_duplicates(store, tmp_path):
    rows = ticks(200)
    run(store, *split(tmp_path, rows, [120]))
    again = run(store, write(tmp_path / "whole.csv", *rows))[0]
    assert (again.read, again.stored, again.duplicates, again.bars) == (200, 0, 200, 0)


def test_a_file_given_twice_or_that_overlaps_another_begins_anew(store, tmp_path):
    rows = ticks(200)
    path = write(tmp_path / "one.csv", *rows)
    (tmp_path / "copy.csv").write_bytes(path.read_bytes() + b"\n")
    one, copy = run(store, path, tmp_path / "copy.csv")
    assert (one.stored, one.duplicates) == (200, 0)
    assert (copy.stored, copy.duplicates, len(copy.quarantined)) == (0, 200, 0)


# ---------------------------------------------------------------- the ends of a run
def test_the_last_bar_is_stored_and_said_to_hold_what_was_at_hand(store, tmp_path):
    time = TUESDAY + np.array([0, 20, 70]) * SECOND
    report = run(store, write(tmp_path / "rows.csv", time, np.full(3, 1.1), np.full(3, 1.2)))[0]
    assert (report.stored, report.bars) == (3, 2)
    assert "the last 1m bar, 2023-01-03T10:01:00Z, has the ticks up to 2023-01-03T10:01:10Z" in report.notes[0]


def test_a_bar_that_another_run_goes_on_with_is_replaced_and_that_is_said(store, tmp_path):
    time = TUESDAY + np.array([0, 20, 40, 70]) * SECOND
    one, two = split(tmp_path, (time, np.full(4, 1.1), np.full(4, 1.2)), [1])
    run(store, one)
    report = run(store, two)[0]
    assert "the first 1m bar, 2023-01-03T10:00:00Z, of 2 ticks, takes the place of one of 1" in " ".join(report.notes)
    assert held(store, MINUTE).columns["tick_volume"].tolist() == [2.0, 1.0]
    both = run(store, one, two, wish=replace(WISH, again=True))
    assert held(store, MINUTE).columns["tick_volume"].tolist() == [3.0, 1.0]
    assert sum(report.stored for report in both) == 3


@pytest.mark.parametrize("by", ["now", "known_at"])
def test_ticks_of_a_bar_that_had_not_closed_are_quarantined(store, tmp_path, by):
    time = TUESDAY + np.array([0, 59, 60, 70]) * SECOND
    path = write(tmp_path / "rows.csv", time, np.full(4, 1.1), np.full(4, 1.2))
    moment = TUESDAY + 75 * SECOND
    wish = replace(WISH, known_at=moment) if by == "known_at" else WISH
    report = run(store, path, wish=wish, now=moment if by == "now" else NOW)[0]
    assert (report.stored, dict(report.quarantined.by_reason)) == (2, {FORMING: 2})
    assert len(held(store, MINUTE)) == 1
    later = run(store, path, wish=replace(wish, known_at=None))[0]
    assert later.stored >= 2


# ---------------------------------------------------------------- rules
def test_ticks_that_break_a_rule_are_quarantined_with_their_line(store, tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text(
        "time,bid,ask\n"
        "2023-01-03 10:00:00,1.1,\n"
        "2023-01-03 10:00:01,1.1,1.2\n"
        "2023-01-03 10:00:00,1.1,1.2\n"
        "never,1.1,1.2\n"
        "2023-01-03 10:00:02,1.1,1.0\n"
        "2023-01-03 10:00:03,1.1,1.2,7,8\n"
        "2023-01-03 10:00:04,1.15,\n"
    )
    report = run(store, path)[0]
    assert [(row.row, row.reason) for row in report.quarantined] == [
        (2, NOT_QUOTED),
        (4, BACKWARDS),
        (5, UNREADABLE_TIME),
        (6, ASK_BELOW_BID),
        (7, "expected 3 values, found 5"),
    ]
    assert (report.read, report.stored) == (7, 2)
    assert held(store, MINUTE).columns["tick_volume"].tolist() == [2.0]


DIRTY = st.tuples(
    st.one_of(st.integers(0, 300).map(lambda s: f"2023-01-03 10:{s // 60:02}:{s % 60:02}"), st.just("x")),
    st.sampled_from(["1.1", "1.15", "", "-1"]),
    st.sampled_from(["1.2", "1.12", "", "inf"]),
).map(",".join)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DIRTY, min_size=1, max_size=40), st.integers(1, 30), st.booleans())
def test_every_tick_is_accounted_for_and_no_batch_size_matters(tmp_path, lines, batch, sort):
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(["time,bid,ask", *(sorted(lines) if sort else lines)]))
    found = []
    for size in (batch, 500_000):
        store = MemoryStore()
        report = run(store, path, wish=replace(WISH, batch=size))[0]
        assert report.read == len(lines)
        stored = held(store, MINUTE)
        assert report.stored == (0 if stored is None else int(stored.columns["tick_volume"].sum()))
        found.append((report.stored, list(report.quarantined), stored))
    assert found[0][:2] == found[1][:2]
    assert found[0][2] is found[1][2] is None or same(found[0][2], found[1][2])


def test_a_dry_run_counts_ticks_and_stores_none(store, tmp_path):
    rows = ticks(200)
    paths = split(tmp_path, rows, [77])
    dry = run(store, *paths, wish=replace(WISH, dry_run=True))
    assert held(store, MINUTE) is None
    done = run(store, *paths)
    assert [(each.stored, each.bars) for each in dry] == [(each.stored, each.bars) for each in done]


# ---------------------------------------------------------------- again, and stopped on the way
def test_files_of_ticks_that_were_imported_are_answered_from_the_journal(store, tmp_path):
    paths = split(tmp_path, ticks(200), [60, 120])
    first = run(store, *paths)
    before = held(store, MINUTE)
    again = run(store, *paths)
    assert [each.stored for each in again] == [0, 0, 0]
    assert [each.duplicates for each in again] == [each.stored for each in first]
    alone = run(store, paths[2])[0]  # whose first bar began in the file before
    assert "imported before" in alone.notes[0]
    assert same(held(store, MINUTE), before)


@pytest.mark.parametrize("writes", range(4))
@pytest.mark.parametrize("places", [[60, 120], [1, 2, 3, 120]])
def test_ticks_whose_import_was_stopped_anywhere_and_repeated_give_the_same_store(tmp_path, writes, places):
    paths = split(tmp_path, ticks(200), places)
    store, straight = Stopping(writes), MemoryStore()
    with suppress(KeyboardInterrupt):
        run(store, *paths)
    store.left = 1_000
    run(store, *paths)
    run(straight, *paths)
    assert same(held(store, MINUTE), held(straight, MINUTE))
    assert int(held(store, MINUTE).columns["tick_volume"].sum()) == 200


def test_ticks_in_a_frame_are_the_bars_of_the_same_ticks_in_a_file(tmp_path):
    from feature_store import FeatureStore

    time = np.datetime64("2023-01-03T10:00:00.250", "us") + np.arange(500) * np.timedelta64(700_000, "us")
    bid = np.round(1.1 + np.sin(np.arange(500)) * 1e-3, 5)
    frame = pl.DataFrame({"time": time, "bid": bid, "ask": bid + 2e-5})
    frame.write_csv(tmp_path / "ticks.csv")
    of_frame, of_file = FeatureStore(MemoryStore()), FeatureStore(MemoryStore())
    report = of_frame.ingest("EUR/USD", None, frame)
    of_file.ingest("EUR/USD", None, tmp_path / "ticks.csv", tz="UTC")
    assert (report.read, report.stored, report.bars, report.timeframe) == (500, 500, 6, "1m")
    mine, theirs = of_frame.bars("EUR/USD", "1m"), of_file.bars("EUR/USD", "1m")
    assert mine.equals(theirs)
    assert mine["tick_volume"].sum() == 500
    assert of_frame.ingest("EUR/USD", "1m", frame.to_dict(as_series=False)).duplicates == 500
