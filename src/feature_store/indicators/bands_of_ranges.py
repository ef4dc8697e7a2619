"""Bands whose width comes from ranges or from a share of price."""

from __future__ import annotations

from feature_store.indicators.averages import ema, sma
from feature_store.indicators.definition import indicator
from feature_store.indicators.parameters import Int, Real
from feature_store.indicators.series import Series, where
from feature_store.indicators.volatility import atr

_GROUP = "bands"


def _about(
    middle: Series, high: Series, low: Series, close: Series, atr_period: int, width: float
) -> tuple[Series, Series, Series]:
    """Return upper, middle and lower band, `width` average true ranges apart from the middle."""
    reach = atr(high, low, close, atr_period) * width
    return middle + reach, middle, middle - reach


@indicator(
    title="Keltner channels",
    group=_GROUP,
    unit="price",
    source="Keltner 1960 as modified by Raschke: EMA of close, width from ATR",
    outputs="upper middle lower",
)
def keltner(
    high: Series,
    low: Series,
    close: Series,
    period: int = Int(20),
    atr_period: int = Int(10),
    width: float = Real(2.0, ge=0.0, le=100.0),
) -> tuple[Series, ...]:
    """An EMA of close and `width` average true ranges about it; the middle's first value is at row period - 1.

        middle = ema(close, period)
        upper = middle + width * atr(high, low, close, atr_period)
        lower = middle - width * atr(high, low, close, atr_period)

    >>> bars = {"high": [2.0, 3.0], "low": [1.0, 2.0], "close": [1.5, 2.5]}
    >>> fs.compute(bars, ["keltner_2_1_2"]).iloc[1].tolist()
    [5.0, 2.0, -1.0]
    """
    return _about(ema(close, period), high, low, close, atr_period, width)


@indicator(
    title="Keltner channels of the typical price",
    group=_GROUP,
    unit="price",
    source="Keltner 1960; EMA of (high + low + close) / 3, width from ATR, as TA-Lib's KC",
    outputs="upper middle lower",
)
def keltner_tp(
    high: Series,
    low: Series,
    close: Series,
    period: int = Int(20),
    atr_period: int = Int(10),
    width: float = Real(2.0, ge=0.0, le=100.0),
) -> tuple[Series, ...]:
    """As `keltner`, about an EMA of the typical price; the middle's first value is at row period - 1.

        middle = ema((high + low + close) / 3, period)
        upper = middle + width * atr(high, low, close, atr_period)
        lower = middle - width * atr(high, low, close, atr_period)

    >>> bars = {"high": [3.0, 4.0], "low": [1.0, 2.0], "close": [2.0, 3.0]}
    >>> fs.compute(bars, ["keltner_tp_2_1_2"]).iloc[1].tolist()
    [6.5, 2.5, -1.5]
    """
    return _about(ema((high + low + close) / 3.0, period), high, low, close, atr_period, width)


@indicator(
    title="Stoller average range channel",
    group=_GROUP,
    unit="price",
    source="Stoller 1988: SMA of close, width from ATR",
    outputs="upper middle lower",
)
def starc(
    high: Series,
    low: Series,
    close: Series,
    period: int = Int(20),
    atr_period: int = Int(10),
    width: float = Real(2.0, ge=0.0, le=100.0),
) -> tuple[Series, ...]:
    """The mean of close and `width` average true ranges about it; the middle's first value is at row period - 1.

        middle = sma(close, period)
        upper = middle + width * atr(high, low, close, atr_period)
        lower = middle - width * atr(high, low, close, atr_period)

    >>> bars = {"high": [2.0, 3.0], "low": [1.0, 2.0], "close": [1.5, 2.5]}
    >>> fs.compute(bars, ["starc_2_1_2"]).iloc[1].tolist()
    [5.0, 2.0, -1.0]
    """
    return _about(sma(close, period), high, low, close, atr_period, width)


@indicator(
    title="Acceleration bands",
    group=_GROUP,
    unit={"upper": "proportional price", "middle": "price", "lower": "proportional price"},
    source="Headley 2002",
    outputs="upper middle lower",
)
def accbands(high: Series, low: Series, close: Series, period: int = Int(20)) -> tuple[Series, ...]:
    """Means of high and low, moved apart by four times the bar's range over high + low, about the mean of close.

        share = 4 * (high - low) / (high + low)
        upper = sma(high * (1 + share), period)
        middle = sma(close, period)
        lower = sma(low * (1 - share), period)

    Where high + low is 0 nothing is moved. First values at row period - 1.

    >>> fs.compute({"high": [5.0], "low": [3.0], "close": [4.0]}, ["accbands_1"]).iloc[0].tolist()
    [10.0, 4.0, 0.0]
    """
    both = high + low
    share = where(abs(both) > 0.0, (high - low) / both * 4.0, 0.0)
    return sma(high + high * share, period), sma(close, period), sma(low - low * share, period)


@indicator(
    title="Envelope",
    group=_GROUP,
    unit={"upper": "proportional price", "middle": "price", "lower": "proportional price"},
    source="arithmetic",
    outputs="upper middle lower",
)
def envelope(close: Series, period: int = Int(20), percent: float = Real(2.5, le=100.0)) -> tuple[Series, ...]:
    """The mean of the last `period` values and `percent` of it above and below; first values at row period - 1.

        middle = sma(close, period)
        upper = middle * (1 + percent / 100)
        lower = middle * (1 - percent / 100)

    >>> fs.compute({"close": [1.0, 3.0]}, ["envelope_2_50"]).iloc[1].tolist()
    [3.0, 2.0, 1.0]
    """
    middle = sma(close, period)
    away = middle * (percent / 100.0)
    return middle + away, middle, middle - away
