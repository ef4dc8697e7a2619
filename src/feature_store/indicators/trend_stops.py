"""Trailing stops: where a trend would be given up, and whether it has been."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int, Real
from feature_store.indicators.volatility import atr
from feature_store.indicators.windows import highest, lag, lowest

if TYPE_CHECKING:
    from feature_store.indicators.series import Series

_GROUP = "trend"


@step(
    "bars:int upper lower close side",
    outputs="stop side",
    fade=lambda width: math.ceil(100.0 * (1.0 + width * width)),
    memory="state machine",
)
def ratchet(
    s: State, close: float, centre: float, reach: float, start: float, width: float = Real(3.0)
) -> tuple[float, float]:
    """A stop `width` reaches from the centre that only moves towards the price, until a close goes through it.

    The first side is up where `start` is not below 0; two beginnings agree for good once both have turned on the same bar.
    """
    upper = centre + width * reach
    lower = centre - width * reach
    s.bars += 1
    if s.bars == 1:
        s.side = 1.0 if start >= 0.0 else -1.0
        s.upper = upper
        s.lower = lower
        s.close = close
    if upper < s.upper or s.close > s.upper:
        s.upper = upper
    if lower > s.lower or s.close < s.lower:
        s.lower = lower
    s.close = close
    s.side = -1.0 if close <= (s.lower if s.side > 0.0 else s.upper) else 1.0
    return s.lower if s.side > 0.0 else s.upper, s.side


@indicator(
    title="Supertrend",
    group=_GROUP,
    unit={"value": "price", "direction": "direction"},
    source="Seban 2009; Wilder's ATR, as TA-Lib",
    outputs="value direction",
)
def supertrend(
    high: Series, low: Series, close: Series, period: int = Int(10), width: float = Real(3.0, le=100.0)
) -> tuple[Series, ...]:
    """A stop `width` average true ranges from the middle of the bar, and the side it is on: 1 below a rise, -1 above a fall.

        upper = (high + low) / 2 + width * atr(high, low, close, period)
        lower = (high + low) / 2 - width * atr(high, low, close, period)

    It only moves towards the price, and changes sides when a close goes through it or stands on it. First values at row
    `period`, whose side is that of the close in its own bar; `settled` allows for the turns that a walk needs to forget it.

    >>> bars = {"high": [3.0, 4.0, 5.0], "low": [1.0, 2.0, 3.0], "close": [2.0, 3.0, 4.0]}
    >>> fs.compute(bars, ["supertrend_1_1"]).iloc[2].tolist()
    [2.0, 1.0]
    """
    middle = (high + low) * 0.5
    return ratchet.all(close, middle, atr(high, low, close, period), close - middle, width)


@indicator(
    title="ATR trailing stop",
    group=_GROUP,
    unit="price",
    source="Wilder 1978's range, from the close; as Skender's Stock.Indicators",
)
def atr_stop(
    high: Series, low: Series, close: Series, period: int = Int(21), width: float = Real(3.0, le=100.0)
) -> Series:
    """A stop `width` average true ranges from the close that only moves towards it and changes sides when a close reaches it.

        upper = close + width * atr(high, low, close, period)
        lower = close - width * atr(high, low, close, period)

    It is below the close in a rise, above it in a fall. First value at row `period`, on the side of that bar's change.

    >>> bars = {"high": [3.0, 4.0, 5.0], "low": [1.0, 2.0, 3.0], "close": [2.0, 3.0, 4.0]}
    >>> fs.compute(bars, ["atr_stop_1_1"])["atr_stop_1_1"].tolist()
    [nan, 1.0, 2.0]
    """
    stop, _ = ratchet.all(close, close, atr(high, low, close, period), close - lag(close, 1), width)
    return stop


@step(
    "bars:int side extreme",
    fade=lambda width: math.ceil(100.0 * (1.0 + width * width)),
    memory="state machine",
)
def reversing(s: State, close: float, reach: float, previous: float, width: float = Real(3.0)) -> float:
    """The stop in force during the bar: the best close since the last turn less `width` reaches, or the worst and more."""
    s.bars += 1
    if s.bars == 1:
        s.side = 1.0 if close >= previous else -1.0
        s.extreme = previous
    stop = s.extreme - s.side * width * reach
    if s.side * (close - stop) < 0.0:
        s.side = -s.side
        s.extreme = close
    s.extreme = max(s.extreme, close) if s.side > 0.0 else min(s.extreme, close)
    return stop


@indicator(title="Volatility stop", group=_GROUP, unit="price", source="Wilder 1978")
def volatility_stop(
    high: Series, low: Series, close: Series, period: int = Int(7), width: float = Real(3.0, le=100.0)
) -> Series:
    """The stop in force during the bar: the best close of the trend less `width` times the ATR, both of the bar before.

    In a fall it is the lowest close plus as much. A close beyond it turns the trend, and the stop of the next bar is on the
    other side. First value at row period + 1; until the first turn the side is a guess, from the change of the first bar.

    >>> bars = {"high": [3.0, 4.0, 5.0], "low": [1.0, 2.0, 3.0], "close": [2.0, 3.0, 4.0]}
    >>> fs.compute(bars, ["volatility_stop_1_1"])["volatility_stop_1_1"].tolist()
    [nan, nan, 1.0]
    """
    return reversing(close, lag(atr(high, low, close, period), 1), lag(close, 1), width)


@indicator(
    title="Chandelier exit",
    group=_GROUP,
    unit="price",
    source="LeBeau 1995; Wilder's ATR",
    outputs="long short",
)
def chandelier(
    high: Series, low: Series, close: Series, period: int = Int(22), width: float = Real(3.0, le=100.0)
) -> tuple[Series, ...]:
    """Stops that hang from the window's extremes: highest high less, lowest low plus `width` average true ranges.

        long = highest(high, period) - width * atr(high, low, close, period)
        short = lowest(low, period) + width * atr(high, low, close, period)

    First values at row `period`.

    >>> bars = {"high": [3.0, 4.0, 5.0], "low": [1.0, 2.0, 3.0], "close": [2.0, 3.0, 4.0]}
    >>> fs.compute(bars, ["chandelier_2_1"]).iloc[2].tolist()
    [3.0, 4.0]
    """
    reach = atr(high, low, close, period) * width
    return highest(high, period) - reach, lowest(low, period) + reach


@indicator(
    title="Parabolic stop and reverse",
    group=_GROUP,
    unit={"value": "price", "direction": "direction"},
    source="Wilder 1978; the first side as TA-Lib",
    outputs="value direction",
    state="bars:int side high low extreme pace stop",
    lag=lambda: 1,
    fade=lambda acceleration: math.ceil(20.0 / acceleration),
    memory="state machine",
)
def psar(
    s: State,
    high: float,
    low: float,
    acceleration: float = Real(0.02, ge=0.001, le=1.0),
    maximum: float = Real(0.2, ge=0.001, le=1.0),
) -> tuple[float, float]:
    """A stop that closes in on the trend faster with each new extreme, and its side: 1 below a rise, -1 above a fall.

        value = before(value) + pace * (extreme - before(value))

    When the bar touches it, it turns to the trend's extreme. The pace begins at `acceleration`, grows by it, and ends at
    `maximum`. First values at row 1, falling where that bar's low fell further than its high rose; `settled` allows for the
    turns that a walk needs to forget it. TA-Lib calls it SAR.

    >>> fs.compute({"high": [2.0, 3.0, 4.0], "low": [1.0, 2.0, 3.0]}, ["psar"]).iloc[2].round(4).tolist()
    [1.04, 1.0]
    """
    first = min(acceleration, maximum)
    s.bars += 1
    if s.bars == 1:
        s.high = high
        s.low = low
        return math.nan, math.nan
    if s.bars == 2:
        fall = s.low - low
        s.side = -1.0 if fall > 0.0 and fall > high - s.high else 1.0
        s.stop = s.low if s.side > 0.0 else s.high
        s.extreme = high if s.side > 0.0 else low
        s.pace = first
        s.high = high
        s.low = low
    top = max(s.high, high)
    bottom = min(s.low, low)
    s.high = high
    s.low = low
    turned = low <= s.stop if s.side > 0.0 else high >= s.stop
    if turned:
        s.side = -s.side
        s.stop = max(s.extreme, top) if s.side < 0.0 else min(s.extreme, bottom)
        s.extreme = low if s.side < 0.0 else high
        s.pace = first
    answer = s.stop
    if s.side > 0.0:
        if not turned and high > s.extreme:
            s.extreme = high
            s.pace = min(s.pace + first, maximum)
        s.stop = min(s.stop + s.pace * (s.extreme - s.stop), bottom)
    else:
        if not turned and low < s.extreme:
            s.extreme = low
            s.pace = min(s.pace + first, maximum)
        s.stop = max(s.stop + s.pace * (s.extreme - s.stop), top)
    return answer, s.side
