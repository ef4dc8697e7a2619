"""Momentum as plain change: since some bars ago, in price and in logarithms."""

from __future__ import annotations

from feature_store.indicators.definition import indicator
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, log
from feature_store.indicators.windows import lag

_GROUP = "momentum"


@indicator(title="Momentum", group=_GROUP, unit="price change", source="arithmetic")
def mom(close: Series, period: int = Int(10)) -> Series:
    """The change since the value `period` bars ago; first value at row `period`.

        close - lag(close, period)

    >>> fs.compute({"close": [2.0, 3.0]}, ["mom_1"])["mom_1"].tolist()
    [nan, 1.0]
    """
    return close - lag(close, period)


@indicator(title="Logarithmic return", group=_GROUP, unit="log return", source="arithmetic")
def log_return(close: Series, period: int = Int(1)) -> Series:
    """The natural logarithm of the value over that `period` bars ago; first value at row `period`.

        log(close / lag(close, period))

    >>> fs.compute({"close": [2.0, 3.0]}, ["log_return_1"])["log_return_1"].round(4).tolist()
    [nan, 0.4055]
    """
    return log(close / lag(close, period))
