"""Statistics of a series over a window."""

from __future__ import annotations

from feature_store.indicators.definition import indicator
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, where
from feature_store.indicators.windows import deviation


@indicator(title="Z-score", group="statistics", unit="deviations", source="arithmetic; population deviation, ddof 0")
def zscore(close: Series, period: int = Int(20, ge=2)) -> Series:
    """How many standard deviations the value lies from the window's mean, 0 in a flat window; first value at row period - 1.

        (close - sma(close, period)) / stdev(close, period)

    >>> fs.compute({"close": [1.0, 3.0]}, ["zscore_2"])["zscore_2"].tolist()
    [nan, 1.0]
    """
    distance, size = deviation.all(close, period)
    return where(size > 0.0, distance / size, 0.0)
