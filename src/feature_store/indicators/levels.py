"""Levels of the last finished day, week or month: what many eyes look at.

Periods begin at 17:00 New York. The first one of a series may be cut off by its beginning and is not used, so values begin with
the third period.
"""

from __future__ import annotations

import math

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Choice, Int
from feature_store.indicators.series import Series, where

_GROUP = "levels"
_MONTH_OF_MINUTES = 31 * 1440


@step(
    "bars:int periods:int key open high low close before_open before_high before_low before_close",
    outputs="open high low close",
    fade=lambda: 3 * _MONTH_OF_MINUTES,
    memory="recursive",
)
def last_period(
    s: State,
    open: float,
    high: float,
    low: float,
    close: float,
    key: float,
) -> tuple[float, float, float, float]:
    """Open, high, low and close of the last finished period; `key` tells periods apart."""
    if s.bars == 0 or key != s.key:
        if s.bars > 0:
            s.periods += 1
            s.before_open = s.open
            s.before_high = s.high
            s.before_low = s.low
            s.before_close = s.close
        s.key = key
        s.open = open
        s.high = high
        s.low = low
    s.bars += 1
    s.high = max(s.high, high)
    s.low = min(s.low, low)
    s.close = close
    if s.periods < 2:
        return math.nan, math.nan, math.nan, math.nan
    return s.before_open, s.before_high, s.before_low, s.before_close


@indicator(title="Prior day", group=_GROUP, unit="price", source="17:00 New York to 17:00", outputs="high low close")
def prior_day(open: Series, high: Series, low: Series, close: Series, fx_day: Series) -> tuple[Series, ...]:
    """The high, low and close of the last finished FX day.

    Values begin with the third day of a series, as its first may be cut off.

    >>> day = 86_400_000
    >>> rising = {name: [1.0, 2.0, 3.0] for name in ("open", "high", "low", "close")}
    >>> fs.compute(rising | {"time": [0, day, 2 * day]}, ["prior_day"]).iloc[2].tolist()
    [2.0, 2.0, 2.0]
    """
    return last_period.all(open, high, low, close, fx_day)[1:]


@indicator(
    title="Pivot points",
    group=_GROUP,
    unit="price",
    source="floor traders; Fibonacci; Scott 1989 (camarilla); Woodie",
    outputs="pp r1 r2 r3 r4 s1 s2 s3 s4",
)
def pivots(
    open: Series,
    high: Series,
    low: Series,
    close: Series,
    fx_day: Series,
    fx_week: Series,
    fx_month: Series,
    kind: str = Choice("classic", "fibonacci", "camarilla", "woodie"),
    span: str = Choice("day", "week", "month"),
) -> tuple[Series, ...]:
    """A pivot and four resistances and supports from the last finished FX day, week or month.

        classic    P = (H + L + C) / 3    r1 to r4: 2 P - L, P + D, H + 2 (P - L), H + 3 (P - L)
        fibonacci  P = (H + L + C) / 3    r1 to r4: P + 0.382 D, P + 0.618 D, P + D, P + 1.618 D
        camarilla  P = (H + L + C) / 3    r1 to r4: C + 1.1 D / 12, C + 1.1 D / 6, C + 1.1 D / 4, C + 1.1 D / 2
        woodie     P = (H + L + 2 C) / 4  r1 to r4: 2 P - L, P + D, H + 2 (P - L), r3 + D

    H, L and C are its high, low and close, D is H - L; supports mirror the resistances. DeMark's is `pivots_demark`. Values
    begin with the third day, week or month of a series, as its first may be cut off.

    >>> day = 86_400_000
    >>> bars = {"open": [2.0] * 3, "high": [3.0] * 3, "low": [1.0] * 3, "close": [2.0] * 3, "time": [0, day, 2 * day]}
    >>> fs.compute(bars, ["pivots_classic"]).iloc[2].tolist()
    [2.0, 3.0, 4.0, 5.0, 6.0, 1.0, 0.0, -1.0, -2.0]
    """
    key = {"day": fx_day, "week": fx_week, "month": fx_month}[span]
    _, h, l, c = last_period.all(open, high, low, close, key)  # noqa: E741  the formulas' letters
    d = h - l
    if kind == "camarilla":
        p = (h + l + c) / 3.0
        above, below = [[c + side * 1.1 / part * d for part in (12.0, 6.0, 4.0, 2.0)] for side in (1.0, -1.0)]
    elif kind == "fibonacci":
        p = (h + l + c) / 3.0
        above, below = [[p + side * part * d for part in (0.382, 0.618, 1.0, 1.618)] for side in (1.0, -1.0)]
    else:
        p = (h + l + 2.0 * c) / 4.0 if kind == "woodie" else (h + l + c) / 3.0
        up, down = p - l, h - p
        above = [p + up, p + d, h + 2.0 * up, h + 3.0 * up]
        below = [p - down, p - d, l - 2.0 * down, l - 3.0 * down]
        if kind == "woodie":
            above[3], below[3] = above[2] + d, below[2] - d
    return (p, *above, *below)


@indicator(title="DeMark's pivot", group=_GROUP, unit="price", source="DeMark 1994", outputs="pp r1 s1")
def pivots_demark(
    open: Series,
    high: Series,
    low: Series,
    close: Series,
    fx_day: Series,
    fx_week: Series,
    fx_month: Series,
    span: str = Choice("day", "week", "month"),
) -> tuple[Series, ...]:
    """A pivot, a resistance and a support that lean the way the last finished period closed.

        X = H + L + C + (L where it closed below its open, H where above, C where at it)
        pp = X / 4
        r1 = X / 2 - L
        s1 = X / 2 - H

    Values begin with the third day, week or month of a series, as its first may be cut off.

    >>> day = 86_400_000
    >>> bars = {"open": [2.0] * 3, "high": [3.0] * 3, "low": [1.0] * 3, "close": [2.0] * 3, "time": [0, day, 2 * day]}
    >>> fs.compute(bars, ["pivots_demark"]).iloc[2].tolist()
    [2.0, 3.0, 1.0]
    """
    key = {"day": fx_day, "week": fx_week, "month": fx_month}[span]
    o, h, l, c = last_period.all(open, high, low, close, key)  # noqa: E741
    x = h + l + c + where(c < o, l, where(c > o, h, c))
    return x / 4.0, x / 2.0 - l, x / 2.0 - h


@indicator(title="Central pivot range", group=_GROUP, unit="price", source="Ochoa 2010", outputs="tc pivot bc")
def cpr(
    open: Series,
    high: Series,
    low: Series,
    close: Series,
    fx_day: Series,
) -> tuple[Series, ...]:
    """The pivot of the last finished FX day, the middle of its range and that mirrored at the pivot: top and bottom by height.

        pivot = (H + L + C) / 3
        tc = pivot + abs(pivot - (H + L) / 2)
        bc = pivot - abs(pivot - (H + L) / 2)

    Values begin with the third day of a series, as its first may be cut off.

    >>> day = 86_400_000
    >>> bars = {"open": [2.0] * 3, "high": [4.0] * 3, "low": [1.0] * 3, "close": [1.0] * 3, "time": [0, day, 2 * day]}
    >>> fs.compute(bars, ["cpr"]).iloc[2].tolist()
    [2.5, 2.0, 1.5]
    """
    _, h, l, c = last_period.all(open, high, low, close, fx_day)  # noqa: E741
    pivot = (h + l + c) / 3.0
    away = abs(pivot - (h + l) / 2.0)
    return pivot + away, pivot, pivot - away


@step(
    "bars:int days:int place:int day high low mean=nan ranges[period]",
    fade=lambda period: 1440 * (period + 2),
    memory="recursive",
)
def mean_day_range(s: State, high: float, low: float, fx_day: float, period: int = Int(14)) -> float:
    """The mean range of the last `period` finished days; the first of a series does not count."""
    if s.bars == 0 or fx_day != s.day:
        if s.bars > 0:
            s.days += 1
        if s.days > 1:
            s.ranges[s.place] = s.high - s.low
            s.place += 1
            if s.place == period:
                s.place = 0
        if s.days > period:
            total = 0.0
            j = 0
            while j < period:
                total += s.ranges[j]
                j += 1
            s.mean = total / period
        s.day = fx_day
        s.high = high
        s.low = low
    s.bars += 1
    s.high = max(s.high, high)
    s.low = min(s.low, low)
    return s.mean


@indicator(title="Average daily range", group=_GROUP, unit="price change", source="mean of FX days' high less low")
def adr(high: Series, low: Series, fx_day: Series, period: int = Int(14, le=520)) -> Series:
    """The mean range, high less low, of the last `period` finished FX days; the first day of a series does not count.

    >>> day = 86_400_000
    >>> bars = {"high": [9.0, 3.0, 4.0, 5.0], "low": [1.0, 2.0, 2.0, 2.0], "time": [0, day, 2 * day, 3 * day]}
    >>> fs.compute(bars, ["adr_2"])["adr_2"].tolist()
    [nan, nan, nan, 1.5]
    """
    return mean_day_range(high, low, fx_day, period)
