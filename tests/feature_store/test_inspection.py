"""How whole and how fresh a series is, told against the calendar."""

import numpy as np
import pytest

from feature_store.bars import Bars, Symbol, Timeframe
from feature_store.calendar import HOUR, Calendar
from feature_store.feature_store import FeatureStore
from feature_store.inspection import inspect
from feature_store.store.memory import MemoryStore
from feature_store.times import to_microseconds

EURUSD, HOURLY = Symbol.parse("EUR/USD"), Timeframe.parse("1h")
START, END = to_microseconds("2023-01-02T00:00Z"), to_microseconds("2023-02-06T00:00Z")


def series(without=(), start=START, end=END):
    """Every hour that the calendar expects, but for some."""
    time = Calendar.of(EURUSD).expected(start, end, HOURLY)
    time = time[~np.isin(time, without)]
    flat = dict.fromkeys(("open", "high", "low", "close", "tick_volume"), np.ones(len(time)))
    store = MemoryStore()
    FeatureStore(store).ingest("EUR/USD", "1h", Bars(EURUSD, HOURLY, time, flat))
    return store


def look(store, now=END, **between):
    return inspect(store.snapshot(EURUSD, HOURLY), now, **between)


def test_a_whole_series_lacks_nothing():
    found = look(series())
    assert (found.missing, found.extra, found.behind, found.completeness) == (0, 0, 0, 1.0)
    assert found.bars == found.expected == found.days.expected.sum() == found.days.present.sum()


def test_missing_bars_are_counted_by_gap_and_by_day():
    gone = [START + hours * HOUR for hours in (5, 6, 7, 30)]
    found = look(series(gone))
    assert [(gap.start, gap.bars) for gap in found.gaps] == [(gone[0], 3), (gone[3], 1)]
    assert found.missing == 4
    assert found.completeness == pytest.approx(1 - 4 / found.expected)
    short = found.days.expected - found.days.present
    assert {str(day): int(n) for day, n in zip(found.days.day, short, strict=True) if n} == {
        "2023-01-02": 3,
        "2023-01-03": 1,
    }


def test_it_is_behind_by_the_bars_that_should_have_closed_since():
    friday = to_microseconds("2023-02-03T20:00Z")
    store = series(end=friday)
    assert look(store, now=friday).behind == 0
    assert look(store, now=friday + 2 * HOUR).behind == 2
    assert look(store, now=friday + 30 * HOUR).behind == 2  # the market has closed
    assert look(store, now=to_microseconds("2023-02-05T23:30Z")).behind == 3


def test_a_part_may_be_looked_at_alone():
    gone = [START + 5 * HOUR, START + 300 * HOUR]
    found = look(series(gone), start=START, end=START + 48 * HOUR)
    assert (found.bars, found.expected, found.missing) == (47, 48, 1)
    beyond = look(series(), start=START, end=END + 240 * HOUR, now=END + HOUR)
    assert beyond.missing == 1  # up to now and no further


def test_corrections_and_deletions_are_revisions_and_holidays_are_extra():
    store = series()
    face = FeatureStore(store)
    face.delete("EUR/USD", "1h", "2023-01-10T00:00Z", "2023-01-10T02:00Z")
    found = look(store)
    assert (found.missing, found.revisions) == (2, 4)
    christmas = to_microseconds("2023-12-25T10:00Z")
    flat = {name: np.ones(1) for name in ("open", "high", "low", "close")}
    face.ingest("EUR/USD", "1h", Bars(EURUSD, HOURLY, np.array([christmas]), flat))
    assert look(store, start=christmas, end=christmas + HOUR, now=christmas + HOUR).extra == 1


def test_it_says_so_in_plain_data():
    told = look(series([START + 5 * HOUR])).to_dict()
    assert told["gaps"] == [{"start": "2023-01-02T05:00:00Z", "end": "2023-01-02T06:00:00Z", "bars": 1}]
    assert told["days"][0] == {"day": "2023-01-02", "expected": 22, "present": 21}
    assert (told["symbol"], told["timeframe"], told["missing"]) == ("EUR/USD", "1h", 1)
