"""What clocks say when a bar opens: checked against plain datetime arithmetic, hour by hour over two years."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import feature_store as fs
from feature_store.clock import CLOCK, clock_columns
from feature_store.errors import InvalidRequestError
from feature_store.times import to_datetime, to_microseconds

HOURS = np.arange(to_microseconds("2022-01-01"), to_microseconds("2024-01-01"), 3_600_000_000)
SAID = clock_columns(HOURS, CLOCK)


def plain(microseconds: int) -> dict[str, int]:
    """Return every clock by the book: New York's clock seven hours on makes the FX day a plain date."""
    moment = to_datetime(int(microseconds))
    fx = moment.astimezone(ZoneInfo("America/New_York")).replace(tzinfo=None) + timedelta(hours=7)
    minutes = {
        f"{name}_minute": (local := moment.astimezone(ZoneInfo(zone))).hour * 60 + local.minute
        for name, zone in (("tokyo", "Asia/Tokyo"), ("london", "Europe/London"), ("new_york", "America/New_York"))
    }
    return {
        "fx_day": (fx.date() - to_datetime(0).date()).days,
        "fx_week": ((fx.date() - timedelta(days=fx.weekday())) - (to_datetime(0).date() - timedelta(days=3))).days // 7,
        "fx_month": (fx.year - 1970) * 12 + fx.month - 1,
        "day_of_month": fx.day,
        "hour_of_week": fx.weekday() * 24 + fx.hour,
        **minutes,
    }


@pytest.mark.parametrize("name", CLOCK)
def test_a_clock_says_what_plain_datetime_arithmetic_says(name):
    assert [plain(hour)[name] for hour in HOURS[::7]] == SAID[name][::7].astype(int).tolist()


def test_a_clock_is_whole_numbers_in_float64():
    for column in SAID.values():
        assert column.dtype == np.float64
        assert (column == np.floor(column)).all()


@pytest.fixture
def clocked(monkeypatch):
    """An indicator that looks at a clock: the minute in London."""
    from feature_store.indicators.definition import registered

    before = dict(registered)

    @fs.indicator(title="London's minute", group="time", unit="index", source="a test")
    def minute_there(close: fs.Series, london_minute: fs.Series) -> fs.Series:
        return london_minute + close * 0.0

    yield "minute_there"
    registered.clear()
    registered.update(before)
    fs.parse.cache_clear()


def test_a_feature_that_looks_at_a_clock_needs_times(clocked, eurusd):
    with pytest.raises(InvalidRequestError, match=r"look at a clock \(london_minute\): give the bars a DatetimeIndex"):
        fs.compute({"close": [1.0]}, [clocked])
    with pytest.raises(InvalidRequestError, match=r"give time=, the bar's open"):
        fs.live([clocked]).update(close=1.0)
    frame = fs.compute(eurusd, [clocked])
    assert frame[clocked].tolist() == [t.tz_convert("Europe/London").hour * 60 for t in frame.index]


def test_every_way_of_giving_times_reads_the_same_clock(clocked):
    opens = HOURS[5000:5010]
    close = np.ones(10)
    want = clock_columns(opens, ["london_minute"])["london_minute"].tolist()
    for times in (opens.view("M8[us]"), opens // 1000, opens.view("M8[us]").astype("M8[ns]")):
        assert fs.compute({"close": close, "time": times}, [clocked], as_="numpy")[clocked].tolist() == want
    live = fs.live([clocked])
    got = []
    for moment in opens.tolist():
        assert live.peek(close=1.0, time=to_datetime(moment)) == live.update(close=1.0, time=to_datetime(moment))
        got.append(live.peek(close=1.0, time=to_datetime(moment + 1))[clocked])
    assert got == want


def test_a_store_hands_its_bars_times_to_features_that_look_at_a_clock(clocked, eurusd):
    with fs.open(":memory:") as store:
        store.ingest("EUR/USD", "1h", eurusd)
        stored = store.features("EUR/USD", "1h", [clocked])
        assert stored[clocked].tolist() == [t.tz_convert("Europe/London").hour * 60 for t in stored.index]
