"""Cycles by filters of fixed length: even better sine wave, centre of gravity, MESA sine wave, autocorrelation periodogram.

The past before the first bar is the first bar's price, so that filters, which take differences, begin at rest.
"""

from __future__ import annotations

import math

from feature_store.indicators.arithmetic import fma
from feature_store.indicators.averages import sma, wma
from feature_store.indicators.cycle import angle, from_row, wave_sums
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, greatest, least, number, same, sin, sqrt, where
from feature_store.indicators.windows import lag

_GROUP = "cycle"
_RADIANS = math.pi / 180.0
_LONGEST = 500  # a spectrum takes the square of it in operations: 0.14 ms a bar, and 14 ms at 5000


def _shortest_below_longest(shortest: int, longest: int) -> str | None:
    return (
        f"shortest must be less than longest, but shortest was {shortest} and longest was {longest}"
        if shortest >= longest
        else None
    )


@step("bars:int close passed", fade=lambda period: 4 * period + 10, memory="recursive")
def above_one_pole(s: State, close: float, period: int = Int(40, ge=3)) -> float:
    """Price without cycles longer than `period` bars, by one pole (Ehlers 2013): alpha = (1 - sin) / cos of 360 / period."""
    turn = 2.0 * math.pi / period
    keep = math.cos(turn) / (1.0 + math.sin(turn))  # the same, without a division by 0 at a period of 4
    s.bars += 1
    change = close - s.close if s.bars > 1 else 0.0
    s.close = close
    s.passed = 0.5 * (1.0 + keep) * change + keep * s.passed
    return s.passed


@step("bars:int one two passed before", fade=lambda period: 6 * period + 10, memory="recursive")
def above_two_poles(s: State, close: float, period: int = Int(48, ge=3)) -> float:
    """Price without cycles longer than `period` bars, by two poles (Ehlers 2013).

    With w = sqrt(1/2) 360 degrees / period: alpha = (cos w + sin w - 1) / cos w.
    """
    turn = math.sqrt(0.5) * 2.0 * math.pi / period
    alpha = (math.cos(turn) + math.sin(turn) - 1.0) / math.cos(turn)
    keep = 1.0 - alpha
    half = 1.0 - 0.5 * alpha
    s.bars += 1
    if s.bars == 1:
        s.one = close
        s.two = close
    bend = (close - s.one) - (s.one - s.two)
    passed = half * half * bend + 2.0 * keep * s.passed - keep * keep * s.before
    s.before = s.passed
    s.passed = passed
    s.two = s.one
    s.one = close
    return passed


@step("value one two", fade=lambda period: 6 * period + 10, memory="recursive")
def super_smoother(s: State, value: float, period: int = Int(10, ge=2)) -> float:
    """A series about 0 without cycles shorter than `period` bars, by two poles at exp(-sqrt(2) pi / period) (Ehlers 2013)."""
    radius = math.exp(-math.sqrt(2.0) * math.pi / period)
    second = 2.0 * radius * math.cos(math.sqrt(2.0) * math.pi / period)
    third = -radius * radius
    smooth = (1.0 - second - third) * 0.5 * (value + s.value) + second * s.one + third * s.two
    s.value = value
    s.two = s.one
    s.one = smooth
    return smooth


@indicator(
    title="Even better sine wave", group=_GROUP, unit="-1..1", source="Ehlers 2013, Cycle Analytics for Traders, ch. 12"
)
def ebsw(close: Series, period: int = Int(40, ge=3), smooth: int = Int(10, ge=2)) -> Series:
    """Price between cycles of `smooth` and `period` bars, over its own size in the last three: near 1 in a rise, -1 in a fall.

    The mean of three filtered values over the root of the mean of their squares; 0 where nothing moves. A one-pole high-pass
    filter, then Ehlers's super smoother. First value at row period - 1.

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 4.0]}, ["ebsw_3_2"])["ebsw_3_2"].round(2).tolist()
    [nan, nan, 0.8, 0.98]
    """
    filtered = super_smoother(above_one_pole(close, period), smooth)
    before, earlier = lag(filtered, 1), lag(filtered, 2)
    wave = (filtered + before + earlier) / 3.0
    power = (filtered * filtered + before * before + earlier * earlier) / 3.0
    return from_row(where(power > 0.0, greatest(least(wave / sqrt(power), 1.0), -1.0), 0.0), period - 3)


@indicator(
    title="Centre of gravity",
    group=_GROUP,
    unit="ratio",
    source="Ehlers 2002, The Center of Gravity Oscillator, as TradingView's ta.cog; his book of 2004 adds (period + 1) / 2",
)
def cg(close: Series, period: int = Int(10)) -> Series:
    """Minus the mean age of the last `period` prices, the newest aged 1, weighed by price; first value at row period - 1.

        (wma(close, period) / (2 * sma(close, period)) - 1) * (period + 1)

    -(period + 1) / 2 where all are equal or their sum is 0, more in a rise and less in a fall.

    >>> fs.compute({"close": [1.0, 3.0]}, ["cg_2"])["cg_2"].round(4).tolist()
    [nan, -1.25]
    """
    mean = sma(close, period)
    lean = where(same(mean, 0.0), 1.0, wma(close, period) / mean)
    return (lean * 0.5 - 1.0) * (period + 1.0)


@indicator(
    title="MESA sine wave",
    group=_GROUP,
    unit="-1..1",
    source="Ehlers 1996, as Tulip Indicators' msw",
    outputs="sine lead",
)
def msw(close: Series, period: int = Int(5, ge=2)) -> tuple[Series, ...]:
    """The sine of the phase of a cycle of `period` bars, and of the phase 45 degrees on; first values at row period - 1.

    The phase is 90 degrees more than the angle of two sums over the window: of price times the sine, and times the cosine, of
    360 degrees x age / period.

    Both are 0 where nothing moves. Tulip takes sums below 0.001 for 0, at which most of foreign exchange would stand still;
    here only 0 is.

    >>> fs.compute({"close": [1.0, 2.0, 1.0, 0.0, 1.0, 2.0]}, ["msw_4"]).iloc[-1].round(4).tolist()
    [1.0, 0.7071]
    """
    sines, cosines = wave_sums.all(close, number(period), period)
    phase = angle(sines, cosines) + 90.0
    moves = abs(sines) + abs(cosines)
    sine = where(moves > 0.0, sin(phase * _RADIANS), 0.0)
    lead = where(moves > 0.0, sin((phase + 45.0) * _RADIANS), 0.0)
    return from_row(sine, period - 1), from_row(lead, period - 1)


@step(
    "bars:int place:int cycle most values[longest+3] correlations[longest+1] doubled[longest+1] "
    "lines[longest+1] powers[longest+1]",
    lag=lambda longest: longest + 2,
    fade=lambda: 3700,
    memory="recursive",
)
def periodogram(s: State, filtered: float, shortest: int = Int(10, ge=3), longest: int = Int(48, ge=4)) -> float:
    """The centre of the stronger half of the spectrum of the autocorrelation, see `autocorr_period`.

    A spectrum's line is |sum of correlation(lag) e^(i 2 pi lag / period)|^2, by Goertzel's recursion over the lags: two
    operations a lag and no sines. The largest power so far fades by 0.995 a bar, 1e-8 after 3,700.
    """
    size = longest + 3
    s.bars += 1
    if s.bars == 1:
        s.cycle = float(longest)
        period = shortest
        while period <= longest:
            s.doubled[period] = 2.0 * math.cos(2.0 * math.pi / period)
            period += 1
    s.values[s.place] = filtered
    at: float = s.place
    s.place = s.place + 1 if s.place + 1 < size else 0
    if s.bars < size:
        return math.nan
    x0 = filtered
    at = at - 1 if at > 0 else size - 1
    x1 = s.values[at]
    at = at - 1 if at > 0 else size - 1
    x2 = s.values[at]
    mean = (x0 + x1 + x2) / 3.0
    x0 -= mean
    x1 -= mean
    x2 -= mean
    own = x0 * x0 + x1 * x1 + x2 * x2
    at = at - 1 if at > 0 else size - 1
    y0 = s.values[at]
    at = at - 1 if at > 0 else size - 1
    y1 = s.values[at]
    j = 3
    while j <= longest:
        at = at - 1 if at > 0 else size - 1
        y2 = s.values[at]
        mean = (y0 + y1 + y2) / 3.0
        z0 = y0 - mean
        z1 = y1 - mean
        z2 = y2 - mean
        both = own * (z0 * z0 + z1 * z1 + z2 * z2)
        s.correlations[j] = (x0 * z0 + x1 * z1 + x2 * z2) / math.sqrt(both) if both > 0.0 else 0.0
        y0 = y1
        y1 = y2
        j += 1
    s.most = 0.995 * s.most
    period = shortest
    while period <= longest:  # two periods at once, as each step of a recursion waits for the one before
        other = min(period + 1, longest)
        one, two = s.doubled[period], s.doubled[other]
        last, before = 0.0, 0.0
        other_last, other_before = 0.0, 0.0
        j = longest
        while j >= 3:
            this = fma(one, last, s.correlations[j] - before)
            that = fma(two, other_last, s.correlations[j] - other_before)
            before, last = last, this
            other_before, other_last = other_last, that
            j -= 1
        s.lines[period] = last * last + before * before - one * last * before
        s.lines[other] = other_last * other_last + other_before * other_before - two * other_last * other_before
        period += 2
    period = shortest
    while period <= longest:
        line = s.lines[period]
        power = 0.2 * line * line + 0.8 * s.powers[period]
        s.powers[period] = power
        s.most = max(s.most, power)
        period += 1
    weighted = 0.0
    total = 0.0
    period = shortest
    while period <= longest:
        if s.powers[period] >= 0.5 * s.most:
            weighted += period * s.powers[period]
            total += s.powers[period]
        period += 1
    if total > 0.0:
        s.cycle = weighted / total
    return s.cycle


@indicator(
    title="Dominant cycle by autocorrelation",
    group=_GROUP,
    unit="bars",
    source="Ehlers 2013, Cycle Analytics for Traders, ch. 8, listing 8-3",
    rule=_shortest_below_longest,
)
def autocorr_period(
    close: Series, shortest: int = Int(10, ge=3, le=_LONGEST), longest: int = Int(48, ge=4, le=_LONGEST)
) -> Series:
    """How many bars the dominant cycle takes, from `shortest` to `longest`, by the autocorrelation periodogram.

    Price passes Ehlers's roofing filter: a two-pole high-pass at `longest` bars with w = sqrt(1/2) 360 / longest degrees,
    alpha = (cos w + sin w - 1) / cos w, then the super smoother at `shortest` with poles of radius exp(-sqrt(2) pi / shortest).
    Its last 3 values are correlated with those 3 to `longest` bars before; each period's line in the spectrum of these
    correlations, squared again, is smoothed by 0.2; the value is the mean of the periods that have half of the largest power
    or more (which fades by 0.995 a bar), weighed by power. Where none has, the last value stays; `longest` where nothing has
    moved. Ehlers's listing turns by 370 degrees, an error of print; here by 360. First value at row longest + 2.

    >>> import math
    >>> waves = [10.0 + math.sin(2 * math.pi * bar / 20) for bar in range(300)]
    >>> fs.compute({"close": waves}, ["autocorr_period"])["autocorr_period"].iloc[-1].round(1).tolist()
    20.4
    """
    filtered = super_smoother(above_two_poles(close, longest), shortest)
    return periodogram(filtered, shortest, longest)
