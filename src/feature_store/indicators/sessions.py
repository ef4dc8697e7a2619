"""The trading day and its sessions: where price stands within them, and how busy they are for the hour.

A session is the business day of a city by its own clock: Tokyo 09:00 to 18:00, London and New York 08:00 to 17:00. Each lies
within one FX day. Values carry over from a session's end to its next beginning.
"""

from __future__ import annotations

import math

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Choice, Int, Real
from feature_store.indicators.series import Series, both, greatest, sqrt

_GROUP = "sessions"
_NINE, _EIGHT, _LENGTH = 540, 480, 540
_A_DAY_OF_MINUTES = 1440


@step(
    "bars:int day reference turnover squares volume mean spread",
    outputs="mean spread",
    fade=lambda: _A_DAY_OF_MINUTES,
    memory="recursive",
)
def weighted_day(s: State, price: float, tick_volume: float, fx_day: float) -> tuple[float, float]:
    """The day's volume-weighted mean of a price and the variance about it; carried while the day has no volume."""
    if s.bars == 0 or fx_day != s.day:
        s.day = fx_day
        s.reference = price
        s.turnover = 0.0
        s.squares = 0.0
        s.volume = 0.0
        if s.bars == 0:
            s.mean = price
    s.bars += 1
    away = price - s.reference
    s.turnover += tick_volume * away
    s.squares += tick_volume * away * away
    s.volume += tick_volume
    if s.volume > 0.0:
        centre = s.turnover / s.volume
        s.mean = s.reference + centre
        s.spread = max(s.squares / s.volume - centre * centre, 0.0)
    return s.mean, s.spread


@indicator(title="Volume-weighted average price", group=_GROUP, unit="price", source="Berkowitz, Logue, Noser 1988")
def vwap(high: Series, low: Series, close: Series, tick_volume: Series, fx_day: Series) -> Series:
    """The mean of typical prices (high + low + close) / 3 since 17:00 New York, weighted by tick volume.

    While a day has no volume the last value carries. The first day of a series counts from its first bar.

    >>> bars = {"high": [1.0, 4.0], "low": [1.0, 4.0], "close": [1.0, 4.0], "tick_volume": [1.0, 2.0]}
    >>> fs.compute(bars | {"time": [1672696800000, 1672700400000]}, ["vwap"])["vwap"].tolist()
    [1.0, 3.0]
    """
    mean, _ = weighted_day.all((high + low + close) / 3.0, tick_volume, fx_day)
    return mean


@indicator(
    title="VWAP bands",
    group=_GROUP,
    unit="price",
    source="volume-weighted deviation about the day's VWAP",
    outputs="upper_1 lower_1 upper_2 lower_2 upper_3 lower_3",
)
def vwap_bands(
    high: Series,
    low: Series,
    close: Series,
    tick_volume: Series,
    fx_day: Series,
    first: float = Real(1.0),
    second: float = Real(2.0),
    third: float = Real(3.0),
) -> tuple[Series, ...]:
    """The day's VWAP plus and minus three multiples of the volume-weighted deviation of typical prices.

    >>> bars = {"high": [1.0, 3.0], "low": [1.0, 3.0], "close": [1.0, 3.0], "tick_volume": [1.0, 1.0]}
    >>> frame = fs.compute(bars | {"time": [1672696800000, 1672700400000]}, ["vwap_bands"])
    >>> frame.iloc[1].tolist()
    [3.0, 1.0, 4.0, 0.0, 5.0, -1.0]
    """
    mean, spread = weighted_day.all((high + low + close) / 3.0, tick_volume, fx_day)
    reach = sqrt(spread)
    return tuple(mean + side * width * reach for width in (first, second, third) for side in (1.0, -1.0))


@step(
    "day=nan top=nan bottom=nan",
    outputs="top bottom",
    fade=lambda: 4 * _A_DAY_OF_MINUTES,
    memory="recursive",
)
def session_extremes(s: State, high: float, low: float, fx_day: float, inside: float) -> tuple[float, float]:
    """The highest and lowest price of the session so far, or of the last one; not known before the first."""
    if inside != 0.0:
        if fx_day != s.day:
            s.day = fx_day
            s.top = high
            s.bottom = low
        s.top = max(s.top, high)
        s.bottom = min(s.bottom, low)
    return s.top, s.bottom


@indicator(
    title="Session range", group=_GROUP, unit="price", source="hours by the city's own clock", outputs="high low"
)
def session_range(
    high: Series,
    low: Series,
    fx_day: Series,
    tokyo_minute: Series,
    london_minute: Series,
    new_york_minute: Series,
    session: str = Choice("london", "asia", "newyork"),
) -> tuple[Series, ...]:
    """The high and low of the running session, or of the last one while it rests; not known before the first.

    >>> bars = {"high": [3.0, 5.0], "low": [2.0, 1.0], "time": ["2023-01-03T08:00", "2023-01-03T09:00"]}
    >>> import pandas as pd
    >>> frame = pd.DataFrame(bars | {"time": pd.to_datetime(bars["time"], utc=True)}).set_index("time")
    >>> fs.compute(frame, ["session_range_london"]).iloc[1].tolist()
    [5.0, 1.0]
    """
    flags = _open_flags(tokyo_minute, london_minute, new_york_minute)
    return session_extremes.all(high, low, fx_day, flags[("asia", "london", "newyork").index(session)])


@indicator(
    title="Sessions",
    group="time",
    unit="flag",
    source="hours by the city's own clock",
    outputs="asia london newyork",
)
def sessions(tokyo_minute: Series, london_minute: Series, new_york_minute: Series) -> tuple[Series, ...]:
    """Which sessions are open when the bar opens: 1 for Tokyo 09:00-18:00, London and New York 08:00-17:00, else 0.

    >>> fs.compute({"time": [1672736400000]}, ["sessions"]).iloc[0].tolist()  # 2023-01-03 09:00 UTC
    [0.0, 1.0, 0.0]
    """
    return _open_flags(tokyo_minute, london_minute, new_york_minute)


@indicator(title="Minutes to a session", group="time", unit="minutes", source="calendar", outputs="to_open to_close")
def session_minutes(
    tokyo_minute: Series,
    london_minute: Series,
    new_york_minute: Series,
    session: str = Choice("london", "asia", "newyork"),
) -> tuple[Series, ...]:
    """Minutes from the bar's open to the session's next opening and to its next closing, weekends not left out.

    >>> fs.compute({"time": [1672736400000]}, ["session_minutes_london"]).iloc[0].tolist()  # 2023-01-03 09:00 UTC
    [1380.0, 480.0]
    """
    minute, opens = {
        "asia": (tokyo_minute, _NINE),
        "london": (london_minute, _EIGHT),
        "newyork": (new_york_minute, _EIGHT),
    }[session]
    return _until(minute, opens), _until(minute, opens + _LENGTH)


@indicator(title="Hour of the week", group="time", unit="index", source="FX calendar")
def hour_of_week(hour_of_week: Series) -> Series:
    """Hours since Sunday 17:00 New York, 0 to 167.

    >>> fs.compute({"time": [1673215200000]}, ["hour_of_week"])["hour_of_week"].tolist()  # Sunday 17:00 New York
    [0.0]
    """
    return hour_of_week + 0.0


@indicator(title="Day of the month", group="time", unit="index", source="FX calendar")
def day_of_month(day_of_month: Series) -> Series:
    """The date of the FX day, 1 to 31.

    >>> fs.compute({"time": [1672696800000]}, ["day_of_month"])["day_of_month"].tolist()  # 2023-01-02, 17:00 New York
    [3.0]
    """
    return day_of_month + 0.0


@indicator(
    title="Rollover", group="time", unit="flag", source="17:00 New York, when positions are rolled and swap is paid"
)
def is_rollover(new_york_minute: Series) -> Series:
    """1 for bars that open in the hour from 17:00 New York, when spreads are wide, else 0.

    >>> fs.compute({"time": [1672696800000, 1672700400000]}, ["is_rollover"])["is_rollover"].tolist()
    [1.0, 0.0]
    """
    return both(new_york_minute > 1019.5, new_york_minute < 1079.5)


@step(
    "now[168] count[168] week[168]=nan means[period*168] filled[168] place[168]",
    fade=lambda period: 60 * 168 * (period + 1),
    memory="recursive",
)
def usual_for_the_hour(s: State, tick_volume: float, hour: float, fx_week: float, period: int = Int(20)) -> float:
    """The mean volume of a bar in this hour of the week, over the last `period` weeks before this one."""
    slot = int(hour)
    if fx_week != s.week[slot]:
        if s.count[slot] > 0.0:
            s.means[slot * period + int(s.place[slot])] = s.now[slot] / s.count[slot]
            s.place[slot] = s.place[slot] + 1.0 if s.place[slot] + 1.0 < period else 0.0
            s.filled[slot] = min(s.filled[slot] + 1.0, period)
        s.week[slot] = fx_week
        s.now[slot] = 0.0
        s.count[slot] = 0.0
    s.now[slot] = s.now[slot] + tick_volume
    s.count[slot] = s.count[slot] + 1.0
    known = int(s.filled[slot])
    total = 0.0
    j = 0
    while j < known:
        total += s.means[slot * period + j]
        j += 1
    return total / known if known > 0 else math.nan


@indicator(
    title="Relative volume", group=_GROUP, unit="ratio", source="tick volume against the same hour of earlier weeks"
)
def rvol(tick_volume: Series, hour_of_week: Series, fx_week: Series, period: int = Int(20, le=520)) -> Series:
    """Tick volume over its usual one: the mean of a bar in the same hour of the week, over up to `period` weeks before.

    1 is as busy as usual; 0 where the hour is usually silent. First value in a series' second week.

    >>> weeks = [1672754400000 + week * 604_800_000 for week in range(3)]
    >>> fs.compute({"tick_volume": [10.0, 20.0, 30.0], "time": weeks}, ["rvol"])["rvol"].tolist()
    [nan, 2.0, 2.0]
    """
    usual = usual_for_the_hour(tick_volume, hour_of_week, fx_week, period)
    return tick_volume / greatest(usual, 1e-9)


def _open_flags(tokyo_minute: Series, london_minute: Series, new_york_minute: Series) -> tuple[Series, Series, Series]:
    """Which of the three cities does business."""
    asia, london, newyork = (
        both(minute > opens - 0.5, minute < opens + _LENGTH - 0.5)
        for minute, opens in ((tokyo_minute, _NINE), (london_minute, _EIGHT), (new_york_minute, _EIGHT))
    )
    return asia, london, newyork


def _until(minute: Series, target: int) -> Series:
    """Minutes from a minute of the day to the next `target`, 0 at it."""
    ahead = target - minute
    return ahead + (ahead < 0.0) * float(_A_DAY_OF_MINUTES)
