"""Regimes: which kind of market it is, by three measures and with hysteresis, so that it does not flicker.

    strength   ADX over `period`
    volatility the percentile of the average true range over `period` among the `window` before it
    slope      of the regression line over `period`, in average true ranges a `period`, up or down alike

    regime       code  begins where                                              lasts while
    range        0     none of the others does
    trend        1     strength >= 25 and slope >= 1                             strength >= 20 and slope >= 0.5
    volatile     2     volatility >= 80                                          volatility >= 60
    breakout     3     volatility >= 80, but <= 50 `period` bars ago,            volatility >= 60 and slope >= 1,
                       and slope >= 1.5                                          and no trend begins

A lasting trend comes before all; a trend that begins before breakout, that before volatile. The thresholds of ADX are
Wilder's; the others are ours and fitted to nothing.
"""

from __future__ import annotations

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.order_statistics import percent_rank
from feature_store.indicators.parameters import Int
from feature_store.indicators.regression import linreg_slope
from feature_store.indicators.series import Series, where
from feature_store.indicators.trend import adx
from feature_store.indicators.volatility import atr
from feature_store.indicators.windows import lag


@step("code", outputs="code confidence", fade=lambda period: 30 * period + 100, memory="state machine")
def classified(
    s: State,
    strength: float,
    volatility: float,
    earlier: float,
    slope: float,
    period: int = Int(14),  # noqa: ARG001  for `fade`
) -> tuple[float, float]:
    """The regime's code and how far the measures are from ending it; the rules are at the top of the file."""
    trend_begins = strength >= 25.0 and slope >= 1.0
    trend_lasts = s.code == 1.0 and strength >= 20.0 and slope >= 0.5
    breakout_begins = volatility >= 80.0 and earlier <= 50.0 and slope >= 1.5
    breakout_lasts = s.code == 3.0 and volatility >= 60.0 and slope >= 1.0
    if trend_lasts or trend_begins:
        s.code = 1.0
        confidence = min((strength - 20.0) / 20.0, (slope - 0.5) / 1.5)
    elif breakout_lasts or breakout_begins:
        s.code = 3.0
        confidence = min((volatility - 60.0) / 40.0, (slope - 1.0) / 1.5)
    elif volatility >= 80.0 or (s.code == 2.0 and volatility >= 60.0):
        s.code = 2.0
        confidence = (volatility - 60.0) / 40.0
    else:
        s.code = 0.0
        confidence = min((80.0 - volatility) / 80.0, max((25.0 - strength) / 25.0, 1.0 - slope))
    return s.code, max(min(confidence, 1.0), 0.0)


@indicator(
    title="Regime",
    group="regime",
    unit={"code": "index", "confidence": "0..1"},
    source="ADX after Wilder 1978, the percentile of ATR, and the slope of regression; rules at the top of the file",
    outputs="code confidence",
)
def regime(
    high: Series, low: Series, close: Series, period: int = Int(14, ge=2), window: int = Int(100, ge=2)
) -> tuple[Series, ...]:
    """What kind of market it is: 0 range, 1 trend, 2 volatile, 3 breakout; and from 0 to 1 how far it is from ending.

    A trend begins at an ADX of 25 with a slope of 1 average true range a `period`, and lasts to 20 and 0.5. A volatile market
    begins where the average true range is above 80 % of those in the `window` before it, and lasts to 60 %. A breakout begins
    there too, if the percentile was at most 50 `period` bars ago and the slope is 1.5 or more, and lasts to 60 % and 1. All
    else is a range. Confidence is the least distance of the deciding measures from where they end it, by the width of their
    scale. A market that does not move is a range, with confidence 1. First values at row 2 period + window.

    >>> up = {"high": [2.0 + bar for bar in range(9)], "low": [1.0 + bar for bar in range(9)]}
    >>> fs.compute(up | {"close": up["high"]}, ["regime_2_4"]).iloc[-1].tolist()
    [1.0, 1.0]
    """
    reach = atr(high, low, close, period)
    slope = where(reach > 0.0, abs(linreg_slope(close, period)) * float(period) / reach, 0.0)
    volatility = percent_rank(reach, window)
    return classified.all(adx.all(high, low, close, period)[0], volatility, lag(volatility, period), slope, period)
