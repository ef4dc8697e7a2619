"""Two symbols side by side: `close` is the series asked of, `other` the close of a second symbol's bar of the same time.

An id names the second symbol, `correl_50@GBPUSD`, or both, `correl_50@EURUSD@GBPUSD`; `fs.compute` takes it as the column
`other`. A bar that either symbol lacks is a gap: its row is NaN and leaves no trace in later rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feature_store.indicators.definition import indicator
from feature_store.indicators.moments import correlation, response
from feature_store.indicators.parameters import Int
from feature_store.indicators.price import returns
from feature_store.indicators.series import log
from feature_store.indicators.windows import lag

if TYPE_CHECKING:
    from feature_store.indicators.series import Series

_GROUP = "statistics"


@indicator(title="Correlation", group=_GROUP, unit="-1..1", source="Pearson 1895; TA-Lib CORREL")
def correl(close: Series, other: Series, period: int = Int(20, ge=2)) -> Series:
    """Pearson's correlation of two symbols' closes over the last `period` bars; 0 where either did not move.

        corr(close, other, period)

    The sum of the products of both deviations from their means, over the root of the product of the sums of their squares.
    Prices that merely trend together correlate highly; `correl_returns` compares their moves. First value at row period - 1.

    >>> bars = {"close": [1.0, 2.0, 3.0], "other": [5.0, 4.0, 3.0]}
    >>> fs.compute(bars, ["correl_3"])["correl_3"].round(6).tolist()
    [nan, nan, -1.0]
    """
    return correlation(close, other, period)


@indicator(title="Correlation of returns", group=_GROUP, unit="-1..1", source="Pearson 1895, of logarithmic returns")
def correl_returns(close: Series, other: Series, period: int = Int(50, ge=2)) -> Series:
    """Pearson's correlation of two symbols' logarithmic returns over the last `period` bars; 0 where either did not move.

        corr(log_return(close, 1), log_return(other, 1), period)

    A return is ln(close / close of the bar before). First value at row `period`.

    >>> bars = {"close": [1.0, 2.0, 2.0, 4.0], "other": [3.0, 6.0, 6.0, 12.0]}
    >>> fs.compute(bars, ["correl_returns_3"])["correl_returns_3"].round(6).tolist()
    [nan, nan, nan, 1.0]
    """
    return correlation(log(close / lag(close, 1)), log(other / lag(other, 1)), period)


@indicator(title="Beta", group=_GROUP, unit="ratio", source="Sharpe 1964; TA-Lib BETA, the other as its first input")
def beta(close: Series, other: Series, period: int = Int(20, ge=2)) -> Series:
    """How much the close moves, in percent, for each percent that the other symbol moves; 0 where the other did not move.

        slope(returns(close, 1), returns(other, 1), period)

    The slope of the close's one-bar returns on the other's over the last `period` returns: covariance over the other's
    variance. First value at row `period`.

    >>> bars = {"close": [1.0, 1.2, 1.2], "other": [2.0, 2.2, 2.2]}
    >>> fs.compute(bars, ["beta_2"])["beta_2"].round(6).tolist()
    [nan, nan, 2.0]
    """
    return response(returns(other, 1), returns(close, 1), period)
