"""How well a straight line fits a window."""

from __future__ import annotations

from feature_store.indicators.definition import indicator
from feature_store.indicators.parameters import Int
from feature_store.indicators.regression import linreg_slope
from feature_store.indicators.series import Series, greatest, least, sqrt, where
from feature_store.indicators.volatility_of_closes import variance

_GROUP = "statistics"


@indicator(title="R squared of a linear regression", group=_GROUP, unit="0..1", source="least squares on time")
def linreg_r2(close: Series, period: int = Int(14, ge=3)) -> Series:
    """The share of the last `period` values' variance that a straight line explains: 1 on a line, 0 in a flat window.

        (period ** 2 - 1) / 12 * linreg_slope(close, period) ** 2 / variance(close, period)

    First value at row period - 1.

    >>> fs.compute({"close": [1.0, 3.0, 2.0]}, ["linreg_r2_3"])["linreg_r2_3"].round(4).tolist()
    [nan, nan, 0.25]
    """
    spread = variance(close, period)
    return where(spread > 0.0, least(_explained(close, period) / spread, 1.0), 0.0)


@indicator(
    title="Standard error of a linear regression", group=_GROUP, unit="price change", source="least squares on time"
)
def stderr(close: Series, period: int = Int(14, ge=3)) -> Series:
    """How far the last `period` values lie from their straight line: the root of the squared distances' sum over period - 2.

        explained = (period ** 2 - 1) / 12 * linreg_slope(close, period) ** 2
        sqrt((variance(close, period) - explained) * period / (period - 2))

    On a line it is 0 but for rounding, about a hundred-millionth of the deviation. First value at row period - 1.

    >>> fs.compute({"close": [1.0, 3.0, 2.0]}, ["stderr_3"])["stderr_3"].round(4).tolist()
    [nan, nan, 1.2247]
    """
    left = greatest(variance(close, period) - _explained(close, period), 0.0)
    return sqrt(left * (period / (period - 2)))


def _explained(close: Series, period: int) -> Series:
    """Return the variance of the line's own values: its slope squared times the variance of time."""
    slope = linreg_slope(close, period)
    return slope * slope * ((period * period - 1) / 12.0)
