"""Linear regression of a window against time: the straight line that fits its values best."""

from __future__ import annotations

import math

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, atan

_GROUP = "moving average"


@step(
    "bars:int place:int run last reference total weighted values[period] totals[period+1] sums[period+1]",
    outputs="middle slope",
    lag=lambda period: period - 1,
    memory="window",
)
def line(s: State, close: float, period: int = Int(14, ge=2)) -> tuple[float, float]:
    """The least-squares line through the last `period` values: its height in the middle of the window, and its slope a bar.

    In two blocks (windows.py), as `wma`: sums and sums weighted by the place in the window, about a reference that one bad
    tick cannot move, so that nothing cancels. A window of equal values has slope 0 exactly.
    """
    weight = 1.0 / period
    centre = 0.5 * (period + 1.0)
    spread = 12.0 / (period * (period * period - 1.0))
    s.bars += 1
    if s.bars == 1:
        s.reference = close
    s.run = s.run + 1.0 if close == s.last else 1.0
    s.last = close
    away = close - s.reference
    s.total += away
    s.weighted += (s.place + 1) * away
    total = s.total + s.totals[s.place + 1]
    weighted = s.sums[s.place + 1] + ((period - 1 - s.place) * s.total + s.weighted)
    middle = s.reference + total * weight
    slope = (weighted - centre * total) * spread
    s.values[s.place] = close
    s.place += 1
    if s.place == period:
        first = s.values[0]
        other = s.values[period // 2]
        s.reference = max(min(first, other), min(max(first, other), close))
        suffix = 0.0
        sums = 0.0
        j = period
        while j > 0:
            j -= 1
            suffix += s.values[j] - s.reference
            sums += suffix
            s.totals[j] = suffix
            s.sums[j] = sums
        s.place = 0
        s.total = 0.0
        s.weighted = 0.0
    if s.bars < period:
        return math.nan, math.nan
    if s.run >= period:
        return close, 0.0
    return middle, slope


@indicator(title="Linear regression", group=_GROUP, unit="price", source="least squares; also called LSMA or EPMA")
def linreg(close: Series, period: int = Int(14, ge=2)) -> Series:
    """The height at the newest bar of the line that fits the last `period` values; first value at row period - 1.

        3 * wma(close, period) - 2 * sma(close, period)

    TA-Lib calls it LINEARREG.

    >>> fs.compute({"close": [1.0, 2.0, 6.0]}, ["linreg_3"])["linreg_3"].round(4).tolist()
    [nan, nan, 5.5]
    """
    middle, slope = line.all(close, period)
    return middle + slope * (0.5 * (period - 1))


@indicator(title="Slope of linear regression", group=_GROUP, unit="price change", source="least squares")
def linreg_slope(close: Series, period: int = Int(14, ge=2)) -> Series:
    """How much the line that fits the last `period` values rises a bar; 0 in a flat window; first value at row period - 1.

        6 * (wma(close, period) - sma(close, period)) / (period - 1)

    TA-Lib calls it LINEARREG_SLOPE.

    >>> fs.compute({"close": [1.0, 2.0, 6.0]}, ["linreg_slope_3"])["linreg_slope_3"].round(4).tolist()
    [nan, nan, 2.5]
    """
    _, slope = line.all(close, period)
    return slope


@indicator(title="Intercept of linear regression", group=_GROUP, unit="price", source="least squares")
def linreg_intercept(close: Series, period: int = Int(14, ge=2)) -> Series:
    """The height at the window's oldest bar of the line that fits the last `period` values; first value at row period - 1.

        4 * sma(close, period) - 3 * wma(close, period)

    TA-Lib calls it LINEARREG_INTERCEPT.

    >>> fs.compute({"close": [1.0, 2.0, 6.0]}, ["linreg_intercept_3"])["linreg_intercept_3"].round(4).tolist()
    [nan, nan, 0.5]
    """
    middle, slope = line.all(close, period)
    return middle - slope * (0.5 * (period - 1))


@indicator(
    title="Angle of linear regression",
    group=_GROUP,
    unit="degrees of a price slope",
    source="least squares; as TA-Lib",
)
def linreg_angle(close: Series, period: int = Int(14, ge=2)) -> Series:
    """The arc tangent of the slope in price a bar, in degrees: -90..90, 0 in a flat window; first value at row period - 1.

        atan(linreg_slope(close, period)) * 180 / 3.14159265358979

    It depends on the unit of the price: a slope of 1e-4 is an angle of 0.006 degrees. TA-Lib calls it LINEARREG_ANGLE.

    >>> fs.compute({"close": [1.0, 2.0, 3.0]}, ["linreg_angle_3"])["linreg_angle_3"].round(4).tolist()
    [nan, nan, 45.0]
    """
    _, slope = line.all(close, period)
    return atan(slope) * (180.0 / math.pi)


@indicator(title="Time series forecast", group=_GROUP, unit="price", source="least squares; one bar ahead")
def tsf(close: Series, period: int = Int(14, ge=2)) -> Series:
    """Where the line that fits the last `period` values will be at the next bar; first value at row period - 1.

        linreg(close, period) + linreg_slope(close, period)

    >>> fs.compute({"close": [1.0, 2.0, 6.0]}, ["tsf_3"])["tsf_3"].round(4).tolist()
    [nan, nan, 8.0]
    """
    middle, slope = line.all(close, period)
    return middle + slope * (0.5 * (period + 1))
