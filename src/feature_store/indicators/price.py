"""Price: one bar said in one number, candles smoothed, and their parts."""

from __future__ import annotations

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, greatest, least, where
from feature_store.indicators.windows import lag

_GROUP = "price"
_ALL_HALVES_GONE = 27  # 0.5 ** 27 < 1e-8


@indicator(title="Median price", group=_GROUP, unit="price", source="arithmetic: (high + low) / 2")
def hl2(high: Series, low: Series) -> Series:
    """The middle of each bar's range.

        (high + low) / 2

    TA-Lib calls it MEDPRICE.

    >>> fs.compute({"high": [4.0], "low": [1.0]}, ["hl2"])["hl2"].tolist()
    [2.5]
    """
    return (high + low) * 0.5


@indicator(title="Typical price", group=_GROUP, unit="price", source="arithmetic: (high + low + close) / 3")
def hlc3(high: Series, low: Series, close: Series) -> Series:
    """The mean of each bar's high, low and close.

        (high + low + close) / 3

    TA-Lib calls it TYPPRICE.

    >>> fs.compute({"high": [4.0], "low": [1.0], "close": [2.5]}, ["hlc3"])["hlc3"].tolist()
    [2.5]
    """
    return (high + low + close) / 3.0


@indicator(title="Average price", group=_GROUP, unit="price", source="arithmetic: (open + high + low + close) / 4")
def ohlc4(open: Series, high: Series, low: Series, close: Series) -> Series:
    """The mean of each bar's four prices.

        (open + high + low + close) / 4

    TA-Lib calls it AVGPRICE.

    >>> fs.compute({"open": [1.5], "high": [4.0], "low": [1.0], "close": [2.5]}, ["ohlc4"])["ohlc4"].tolist()
    [2.25]
    """
    return (open + high + low + close) * 0.25


@indicator(title="Weighted close price", group=_GROUP, unit="price", source="arithmetic: (high + low + 2 close) / 4")
def wclprice(high: Series, low: Series, close: Series) -> Series:
    """The mean of each bar's high, low and close, the close counted twice.

        (high + low + 2 * close) / 4

    >>> fs.compute({"high": [4.0], "low": [1.0], "close": [2.5]}, ["wclprice"])["wclprice"].tolist()
    [2.5]
    """
    return (high + low + close * 2.0) * 0.25


@step("bars:int open close", fade=lambda: _ALL_HALVES_GONE, memory="recursive")
def _smoothed_open(s: State, open: float, mean: float) -> float:
    """Return the middle of the previous smoothed candle's body; of its own body for the first bar."""
    s.bars += 1
    s.open = (s.open + s.close) * 0.5 if s.bars > 1 else open
    s.close = mean
    return s.open


@indicator(title="Heikin-Ashi candles", group=_GROUP, unit="price", source="Valcu 2004", outputs="open high low close")
def heikin_ashi(open: Series, high: Series, low: Series, close: Series) -> tuple[Series, ...]:
    """Candles that open in the middle of the one before and close at the bar's mean; averages, not prices that traded.

        close = (open + high + low + close) / 4
        open = (before(open) + before(close)) / 2
        high = max(high, open, close)
        low = min(low, open, close)

    The first candle opens in the middle of the first bar's body. What it opened at has faded after 27 bars.
    TA-Lib calls it HA.

    >>> bars = {"open": [1.0, 2.5], "high": [3.0, 5.0], "low": [1.0, 2.0], "close": [2.0, 4.5]}
    >>> fs.compute(bars, ["heikin_ashi"]).iloc[1].tolist()
    [1.625, 5.0, 1.625, 3.5]
    """
    mean = ohlc4(open, high, low, close)
    start = _smoothed_open((open + close) * 0.5, mean)
    return start, greatest(high, greatest(start, mean)), least(low, least(start, mean)), mean


@indicator(title="Candle body", group=_GROUP, unit="price change", source="arithmetic: close - open")
def body(open: Series, close: Series) -> Series:
    """How far each bar closed above its open, below zero where it closed lower.

        close - open

    >>> fs.compute({"open": [1.0, 2.0], "close": [1.5, 1.0]}, ["body"])["body"].tolist()
    [0.5, -1.0]
    """
    return close - open


@indicator(title="Upper shadow", group=_GROUP, unit="price change", source="arithmetic: high - max(open, close)")
def upper_shadow(open: Series, high: Series, close: Series) -> Series:
    """How far each bar reached above its body.

        high - max(open, close)

    >>> fs.compute({"open": [1.0], "high": [3.0], "close": [1.5]}, ["upper_shadow"])["upper_shadow"].tolist()
    [1.5]
    """
    return high - greatest(open, close)


@indicator(title="Lower shadow", group=_GROUP, unit="price change", source="arithmetic: min(open, close) - low")
def lower_shadow(open: Series, low: Series, close: Series) -> Series:
    """How far each bar reached below its body.

        min(open, close) - low

    >>> fs.compute({"open": [1.0], "low": [0.5], "close": [1.5]}, ["lower_shadow"])["lower_shadow"].tolist()
    [0.5]
    """
    return least(open, close) - low


@indicator(title="Internal bar strength", group=_GROUP, unit="0..1", source="arithmetic: (close - low) / (high - low)")
def ibs(high: Series, low: Series, close: Series) -> Series:
    """Where in its range each bar closed: 1 at the high, 0 at the low, 0.5 where there is no range.

        (close - low) / (high - low)

    >>> fs.compute({"high": [3.0, 2.0], "low": [1.0, 2.0], "close": [1.5, 2.0]}, ["ibs"])["ibs"].tolist()
    [0.25, 0.5]
    """
    reach = high - low
    return where(reach > 0.0, (close - low) / reach, 0.5)


@indicator(title="Gap", group=_GROUP, unit="price change", source="arithmetic: open - previous close")
def gap(open: Series, close: Series) -> Series:
    """How far each bar opened above the close before it, below zero where it opened lower; first value at row 1.

        open - lag(close, 1)

    >>> fs.compute({"open": [1.0, 1.5], "close": [1.25, 2.0]}, ["gap"])["gap"].tolist()
    [nan, 0.25]
    """
    return open - lag(close, 1)


@indicator(title="Simple return", group=_GROUP, unit="ratio", source="arithmetic: close / previous close - 1")
def returns(close: Series, period: int = Int(1)) -> Series:
    """The change since the value `period` bars ago, as a fraction of it (0.01 is one percent); first value at row `period`.

        close / lag(close, period) - 1

    TA-Lib calls it ROCP.

    >>> fs.compute({"close": [2.0, 3.0]}, ["returns"])["returns"].tolist()
    [nan, 0.5]
    """
    before = lag(close, period)
    return (close - before) / before
