"""Levels against plain pandas on 5,000 real hours of EUR/USD, and one day by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import feature_store as fs

PROVEN = {"prior_day", "pivots", "pivots_demark", "cpr", "adr"}
SPANS = {"day": "D", "week": "W-SUN", "month": "M"}


def periods(eurusd: pd.DataFrame, span: str) -> tuple[pd.DataFrame, pd.Series]:
    """Each period's open, high, low and close, and the period of each bar."""
    fx = eurusd.index.tz_convert("America/New_York").tz_localize(None) + pd.Timedelta(hours=7)
    key = pd.Series(fx.to_period(SPANS[span]), eurusd.index)
    whole = eurusd.groupby(key.to_numpy()).agg({"open": "first", "high": "max", "low": "min", "close": "last"})
    whole.iloc[0] = np.nan  # the first may be cut off by the series' beginning
    return whole.shift(1), key


def at_bars(values: pd.Series, key: pd.Series) -> np.ndarray:
    return values.reindex(key.to_numpy()).to_numpy()


def formulas(kind: str, last: pd.DataFrame) -> dict[str, pd.Series]:
    """The books' formulas, written out."""
    h, l, c, d = last.high, last.low, last.close, last.high - last.low  # noqa: E741
    p = (h + l + c) / 3
    if kind == "fibonacci":
        parts = dict(enumerate((0.382, 0.618, 1.0, 1.618), 1))
        return (
            {"pp": p} | {f"r{n}": p + k * d for n, k in parts.items()} | {f"s{n}": p - k * d for n, k in parts.items()}
        )
    if kind == "camarilla":
        parts = dict(enumerate((1.1 / 12, 1.1 / 6, 1.1 / 4, 1.1 / 2), 1))
        return (
            {"pp": p} | {f"r{n}": c + k * d for n, k in parts.items()} | {f"s{n}": c - k * d for n, k in parts.items()}
        )
    if kind == "woodie":
        p = (h + l + 2 * c) / 4
        r3, s3 = h + 2 * (p - l), l - 2 * (h - p)
        return {
            "pp": p,
            "r1": 2 * p - l,
            "r2": p + d,
            "r3": r3,
            "r4": r3 + d,
            "s1": 2 * p - h,
            "s2": p - d,
            "s3": s3,
            "s4": s3 - d,
        }
    up = {"r1": 2 * p - l, "r2": p + d, "r3": h + 2 * (p - l), "r4": h + 3 * (p - l)}
    return {"pp": p, **up, "s1": 2 * p - h, "s2": p - d, "s3": l - 2 * (h - p), "s4": l - 3 * (h - p)}


@pytest.mark.parametrize("span", SPANS)
@pytest.mark.parametrize("kind", ["classic", "fibonacci", "camarilla", "woodie"])
def test_pivots_follow_the_books(eurusd, kind, span):
    last, key = periods(eurusd, span)
    frame = fs.compute(eurusd, [f"pivots_{kind}_{span}"])
    for name, values in formulas(kind, last).items():
        np.testing.assert_allclose(frame[f"pivots_{kind}_{span}.{name}"], at_bars(values, key), rtol=1e-13)


@pytest.mark.parametrize("span", SPANS)
def test_demarks_pivot_leans_the_way_the_period_closed(eurusd, span):
    last, key = periods(eurusd, span)
    lean = np.select([last.close < last.open, last.close > last.open], [last.low, last.high], last.close)
    x = last.high + last.low + last.close + lean
    frame = fs.compute(eurusd, [f"pivots_demark_{span}"])
    for name, values in {"pp": x / 4, "r1": x / 2 - last.low, "s1": x / 2 - last.high}.items():
        np.testing.assert_allclose(frame[f"pivots_demark_{span}.{name}"], at_bars(values, key), rtol=1e-13)


def test_the_prior_day_and_its_central_range_are_those_of_the_last_finished_fx_day(eurusd):
    last, key = periods(eurusd, "day")
    frame = fs.compute(eurusd, ["prior_day", "cpr"])
    for name in ("high", "low", "close"):
        np.testing.assert_array_equal(frame[f"prior_day.{name}"], at_bars(last[name], key))
    pivot, middle = (last.high + last.low + last.close) / 3, (last.high + last.low) / 2
    both = pd.concat([middle, 2 * pivot - middle], axis=1)
    np.testing.assert_allclose(frame["cpr.pivot"], at_bars(pivot, key), rtol=1e-13)
    np.testing.assert_allclose(frame["cpr.tc"], at_bars(both.max(axis=1, skipna=False), key), rtol=1e-13)
    np.testing.assert_allclose(frame["cpr.bc"], at_bars(both.min(axis=1, skipna=False), key), rtol=1e-13)


def test_the_average_daily_range_is_the_mean_of_finished_days(eurusd):
    last, key = periods(eurusd, "day")
    want = (last.high - last.low).rolling(14).mean()
    np.testing.assert_allclose(fs.compute(eurusd, ["adr_14"])["adr_14"], at_bars(want, key), rtol=1e-11)


def test_sundays_hours_belong_to_monday():
    # by hand: Friday 1.0 to 3.0; Sunday evening reaches 5.0, Monday 4.0; on Tuesday the prior day is both together
    times = ["2023-01-05 12:00", "2023-01-06 12:00", "2023-01-08 23:00", "2023-01-09 12:00", "2023-01-10 12:00"]
    bars = pd.DataFrame(
        {"open": 2.0, "high": [9.0, 3.0, 5.0, 4.0, 2.0], "low": [0.5, 1.0, 2.0, 1.5, 2.0], "close": 2.0},
        pd.to_datetime(times, utc=True),
    )
    frame = fs.compute(bars, ["prior_day"])
    assert frame["prior_day.high"].tolist()[2:] == [3.0, 3.0, 5.0]
    assert frame["prior_day.low"].tolist()[2:] == [1.0, 1.0, 1.5]
