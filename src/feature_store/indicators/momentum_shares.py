"""Momentum as a share: how much of all movement was upward, or led anywhere."""

from __future__ import annotations

import math

from feature_store.indicators.averages import ema
from feature_store.indicators.averages_chained import swma
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.momentum import rsi
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, greatest, least, where
from feature_store.indicators.volatility import tr
from feature_store.indicators.windows import lag, rolling_sum

_GROUP = "momentum"


@indicator(title="Chande momentum oscillator", group=_GROUP, unit="-100..100", source="Chande 1994: rolling sums")
def cmo(close: Series, period: int = Int(14)) -> Series:
    """Rises less falls of the last `period` changes, in percent of all movement; 0 where nothing moved.

        100 * (close - lag(close, period)) / sum(abs(diff(close, 1)), period)

    Rises less falls are the way from the price `period` bars ago. First value at row `period`. TA-Lib's CMO smooths as
    Wilder's RSI does: that is `cmo_wilder`.

    >>> fs.compute({"close": [1.0, 4.0, 3.0]}, ["cmo_2"])["cmo_2"].tolist()
    [nan, nan, 50.0]
    """
    path = rolling_sum(abs(close - lag(close, 1)), period)
    return where(path > 0.0, (close - lag(close, period)) / path * 100.0, 0.0)


@indicator(
    title="Chande momentum oscillator, Wilder's smoothing", group=_GROUP, unit="-100..100", source="TA-Lib's CMO"
)
def cmo_wilder(close: Series, period: int = Int(14, ge=2)) -> Series:
    """Rises less falls, each smoothed as in the RSI, in percent of all movement: 2 RSI - 100; 0 in a market that has not moved.

        2 * rsi(close, period) - 100

    First value at row `period`.

    >>> fs.compute({"close": [1.0, 4.0, 3.0]}, ["cmo_wilder_2"])["cmo_wilder_2"].tolist()
    [nan, nan, 50.0]
    """
    return rsi(close, period) * 2.0 - 100.0


@indicator(title="Efficiency ratio", group=_GROUP, unit="0..1", source="Kaufman 1995")
def er(close: Series, period: int = Int(10)) -> Series:
    """The way from the price `period` bars ago over the path walked since: 1 straight, near 0 in noise; first at row `period`.

        abs(diff(close, period)) / sum(abs(diff(close, 1)), period)

    1 where nothing moved, as in `kama` and TA-Lib.

    >>> fs.compute({"close": [1.0, 4.0, 3.0]}, ["er_2"])["er_2"].tolist()
    [nan, nan, 0.5]
    """
    way = abs(close - lag(close, period))
    path = rolling_sum(abs(close - lag(close, 1)), period)
    return where(path > 0.0, way / path, 1.0)


@indicator(
    title="True strength index",
    group=_GROUP,
    unit="-100..100",
    source="Blau 1991; EMAs, as TA-Lib and TradingView's built-in",
    outputs="value signal",
)
def tsi(close: Series, first: int = Int(25), second: int = Int(13), signal: int = Int(7)) -> tuple[Series, ...]:
    """The change a bar in percent of its size, both smoothed twice, and the EMA of that; 0 in a market that has not moved.

        change = diff(close, 1)
        value = 100 * ema(ema(change, first), second) / ema(ema(abs(change), first), second)
        signal = ema(value, signal)

    The value is first known at row first + second - 1, the signal signal - 1 later.

    >>> fs.compute({"close": [1.0, 4.0, 3.0]}, ["tsi_2_1_1.value"])["tsi_2_1_1.value"].tolist()
    [nan, nan, 50.0]
    """
    change = close - lag(close, 1)
    way = ema(ema(change, first), second)
    path = ema(ema(abs(change), first), second)
    value = where(path > 0.0, way / path * 100.0, 0.0)
    return value, ema(value, signal)


@step("bars:int place:int part whole parts[period+1] wholes[period+1]", lag=lambda period: period - 1, memory="window")
def share_of(s: State, part: float, whole: float, period: int = Int(14)) -> float:
    """The sum of the parts over the sum of the wholes, of the last `period` values; 0.5 where the wholes are 0.

    Two blocks, as `rolling_sum` (windows.py), both series in one pass, two values at a time: `uo` takes 3 parts of 10 less than
    with sums apart.
    """
    s.bars += 1
    s.part += part
    s.whole += whole
    above = s.part + s.parts[s.place + 1]
    below = s.whole + s.wholes[s.place + 1]
    s.parts[s.place] = part
    s.wholes[s.place] = whole
    s.place += 1
    if s.place == period:
        parts = 0.0
        wholes = 0.0
        j = period
        while j > 1:
            j -= 2
            later_part = s.parts[j + 1]
            later_whole = s.wholes[j + 1]
            both_parts = s.parts[j] + later_part
            both_wholes = s.wholes[j] + later_whole
            s.parts[j + 1] = parts + later_part
            s.wholes[j + 1] = wholes + later_whole
            parts += both_parts
            wholes += both_wholes
            s.parts[j] = parts
            s.wholes[j] = wholes
        if j == 1:
            s.parts[0] += parts
            s.wholes[0] += wholes
        s.place = 0
        s.part = 0.0
        s.whole = 0.0
    if s.bars < period:
        return math.nan
    return above / below if below > 0.0 else 0.5


@indicator(title="Ultimate oscillator", group=_GROUP, unit="0..100", source="Williams 1985")
def uo(
    high: Series, low: Series, close: Series, short: int = Int(7), middle: int = Int(14), long: int = Int(28)
) -> Series:
    """The share of buying pressure in the true range over three spans, the shortest weighing most; 50 where nothing moved.

        pressure = close - min(low, lag(close, 1))
        reach = tr(high, low, close)
        fast = sum(pressure, short) / sum(reach, short)
        even = sum(pressure, middle) / sum(reach, middle)
        slow = sum(pressure, long) / sum(reach, long)
        100 * (4 * fast + 2 * even + slow) / 7

    Buying pressure is how far the close is above the true low. The spans weigh 4, 2 and 1 in the order given. First value at
    the row of the longest span. TA-Lib gives 0, extreme oversold, where nothing moved. TA-Lib calls it ULTOSC.

    >>> bars = {"high": [2.0, 3.0], "low": [1.0, 2.0], "close": [1.0, 2.5]}
    >>> fs.compute(bars, ["uo_1_1_1"])["uo_1_1_1"].tolist()
    [nan, 75.0]
    """
    pressure = close - least(low, lag(close, 1))
    reach = tr(high, low, close)
    shares = [share_of(pressure, reach, span) for span in (short, middle, long)]
    return (shares[0] * 4.0 + shares[1] * 2.0 + shares[2]) * (100.0 / 7.0)


@indicator(title="Intraday momentum index", group=_GROUP, unit="0..100", source="Chande 1994")
def imi(open: Series, close: Series, period: int = Int(14)) -> Series:
    """The share of rising bars' bodies in all bodies of the last `period` bars; 50 where no bar has one.

        100 * sum(max(close - open, 0), period) / sum(abs(close - open), period)

    First value at row period - 1.

    >>> fs.compute({"open": [1.0, 2.0], "close": [4.0, 1.0]}, ["imi_2"])["imi_2"].tolist()
    [nan, 75.0]
    """
    body = close - open
    return share_of(greatest(body, 0.0), abs(body), period) * 100.0


@indicator(title="DeMarker", group=_GROUP, unit="0..1", source="DeMark 1994; rolling sums, as MetaTrader")
def demarker(high: Series, low: Series, period: int = Int(14)) -> Series:
    """The share of higher highs in higher highs and lower lows over `period` bars; 0.5 where there was neither.

        up = max(diff(high, 1), 0)
        down = max(-diff(low, 1), 0)
        sum(up, period) / sum(up + down, period)

    First value at row `period`.

    >>> fs.compute({"high": [2.0, 5.0], "low": [1.0, 0.0]}, ["demarker_1"])["demarker_1"].tolist()
    [nan, 0.75]
    """
    up = greatest(high - lag(high, 1), 0.0)
    down = greatest(lag(low, 1) - low, 0.0)
    return share_of(up, up + down, period)


@indicator(title="Balance of power", group=_GROUP, unit="-1..1", source="Livshin 2001; not smoothed")
def bop(open: Series, high: Series, low: Series, close: Series) -> Series:
    """The bar's body over its range: 1 from the low to the high, -1 from the high to the low; 0 where it has no range.

        (close - open) / (high - low)

    >>> fs.compute({"open": [1.0], "high": [3.0], "low": [1.0], "close": [2.0]}, ["bop"])["bop"].tolist()
    [0.5]
    """
    reach = high - low
    return where(reach > 0.0, (close - open) / reach, 0.0)


@indicator(
    title="Relative vigor index",
    group=_GROUP,
    unit="-1..1",
    source="Ehlers 2002; rolling sums, as TradingView's built-in",
    outputs="value signal",
)
def rvgi(
    open: Series,
    high: Series,
    low: Series,
    close: Series,
    period: int = Int(14),
) -> tuple[Series, ...]:
    """Bodies over ranges, both weighed 1, 2, 2, 1 and summed over `period` bars, and that weighed again; 0 without ranges.

        value = sum(swma(close - open), period) / sum(swma(high - low), period)
        signal = swma(value)

    The value is first known at row period + 2, the signal three bars later.

    >>> bars = {"open": [1.0] * 4, "high": [3.0] * 4, "low": [1.0] * 4, "close": [2.0] * 4}
    >>> fs.compute(bars, ["rvgi_1.value"])["rvgi_1.value"].tolist()
    [nan, nan, nan, 0.5]
    """
    bodies = rolling_sum(swma(close - open), period)
    ranges = rolling_sum(swma(high - low), period)
    value = where(ranges > 0.0, bodies / ranges, 0.0)
    return value, swma(value)
