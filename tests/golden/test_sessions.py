"""Sessions and clocks against plain pandas, whose day begins at 17:00 New York too, on 5,000 real hours of EUR/USD."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest

import feature_store as fs

PROVEN = {
    *("vwap", "vwap_bands", "session_range", "sessions", "session_minutes", "rvol"),
    *("hour_of_week", "day_of_month", "is_rollover"),
}
CITIES = {"asia": ("Asia/Tokyo", 9), "london": ("Europe/London", 8), "newyork": ("America/New_York", 8)}


@pytest.fixture
def fx(eurusd) -> pd.DatetimeIndex:
    """New York's clock seven hours on: 17:00 there is midnight here."""
    return eurusd.index.tz_convert("America/New_York").tz_localize(None) + pd.Timedelta(hours=7)


def minute_of(index: pd.DatetimeIndex, zone: str) -> np.ndarray:
    local = index.tz_convert(zone)
    return (local.hour * 60 + local.minute).to_numpy()


def inside(index: pd.DatetimeIndex, session: str) -> np.ndarray:
    zone, opens = CITIES[session]
    minute = minute_of(index, zone)
    return (minute >= opens * 60) & (minute < opens * 60 + 540)


def test_vwap_is_the_days_turnover_over_its_volume(eurusd, fx):
    typical = (eurusd.high + eurusd.low + eurusd.close) / 3
    day = fx.normalize()
    volume = eurusd.tick_volume.groupby(day).cumsum()
    mean = (typical * eurusd.tick_volume).groupby(day).cumsum() / volume
    frame = fs.compute(eurusd, ["vwap", "vwap_bands_1_2_3"])
    np.testing.assert_allclose(frame["vwap"], mean, rtol=1e-12)
    squares = (typical**2 * eurusd.tick_volume).groupby(day).cumsum() / volume
    reach = np.sqrt(np.maximum(squares - mean**2, 0))
    for width in (1, 2, 3):
        np.testing.assert_allclose(frame[f"vwap_bands_1_2_3.upper_{width}"], mean + width * reach, atol=3e-7)
        np.testing.assert_allclose(frame[f"vwap_bands_1_2_3.lower_{width}"], mean - width * reach, atol=3e-7)


def test_vwap_carries_through_a_silent_day():
    # by hand: day one 1.0 with one tick; day two silent, so 1.0 stays; its third bar trades at 3.0
    hours = pd.to_datetime(["2023-01-03 10:00", "2023-01-04 10:00", "2023-01-04 11:00"], utc=True)
    price = pd.Series([1.0, 2.0, 3.0], hours)
    bars = pd.DataFrame({"high": price, "low": price, "close": price, "tick_volume": [1.0, 0.0, 5.0]})
    assert fs.compute(bars, ["vwap"])["vwap"].tolist() == [1.0, 1.0, 3.0]


@pytest.mark.parametrize("session", CITIES)
def test_a_session_range_is_its_highest_and_lowest_so_far(eurusd, fx, session):
    within, day = inside(eurusd.index, session), fx.normalize()
    high = eurusd.high.where(within).groupby(day).cummax().where(within).ffill()
    low = eurusd.low.where(within).groupby(day).cummin().where(within).ffill()
    frame = fs.compute(eurusd, [f"session_range_{session}"])
    np.testing.assert_array_equal(frame[f"session_range_{session}.high"], high)
    np.testing.assert_array_equal(frame[f"session_range_{session}.low"], low)


def test_sessions_are_open_by_their_citys_clock(eurusd):
    frame = fs.compute(eurusd, ["sessions"])
    for session in CITIES:
        np.testing.assert_array_equal(frame[f"sessions.{session}"], inside(eurusd.index, session).astype(float))


@pytest.mark.parametrize("session", CITIES)
def test_minutes_to_a_session_count_down_to_its_hours(eurusd, session):
    zone, opens = CITIES[session]
    minute = minute_of(eurusd.index, zone)
    frame = fs.compute(eurusd, [f"session_minutes_{session}"])
    np.testing.assert_array_equal(frame[f"session_minutes_{session}.to_open"], (opens * 60 - minute) % 1440)
    np.testing.assert_array_equal(frame[f"session_minutes_{session}.to_close"], (opens * 60 + 540 - minute) % 1440)


def test_hours_days_and_the_rollover_are_new_yorks(eurusd, fx):
    frame = fs.compute(eurusd, ["hour_of_week", "day_of_month", "is_rollover"])
    np.testing.assert_array_equal(frame["hour_of_week"], fx.day_of_week * 24 + fx.hour)
    np.testing.assert_array_equal(frame["day_of_month"], fx.day)
    np.testing.assert_array_equal(frame["is_rollover"], (fx.hour == 0).astype(float))


def test_relative_volume_compares_with_the_same_hour_of_earlier_weeks(eurusd, fx):
    seen: dict[int, list[float]] = defaultdict(list)  # hours are single bars here, so a week adds one
    want = []
    for hour, volume in zip(fx.day_of_week * 24 + fx.hour, eurusd.tick_volume, strict=True):
        last = seen[hour][-20:]
        want.append(volume / np.mean(last) if last else np.nan)
        seen[hour].append(volume)
    np.testing.assert_allclose(fs.compute(eurusd, ["rvol_20"])["rvol_20"], want, rtol=1e-12)


def test_minutes_of_an_hour_are_compared_with_the_mean_bar_of_that_hour_last_week():
    # by hand: last week's hour had bars of 10 and 30 ticks, so 20 is usual; this week's 10 and 60 are 0.5 and 3 times that
    times = pd.to_datetime(["2023-01-03 10:00", "2023-01-03 10:01", "2023-01-10 10:00", "2023-01-10 10:01"], utc=True)
    bars = pd.DataFrame({"tick_volume": [10.0, 30.0, 10.0, 60.0]}, times)
    assert fs.compute(bars, ["rvol_20"])["rvol_20"].tolist()[2:] == [0.5, 3.0]
