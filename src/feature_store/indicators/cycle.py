"""Cycles by Ehlers's Hilbert transform: how long the dominant cycle is, where in it the market stands, and the trend beneath.

All of these stand on one step, `homodyne`, which is computed once however many are asked for:

1. Price is smoothed over four bars.
2. Two filters of seven taps, a quarter of a cycle apart, turn it into a phasor: inphase and quadrature. Their gain follows
   the period found so far.
3. The angle by which the phasor turns from bar to bar is the period: 360 degrees over the angle. It changes by at most half
   a bar, stays within 6 and 50 bars and is smoothed twice.

The past before the first bar is the first bar's price. TA-Lib 0.8.2 takes it to be 0, so that its filters begin with a jump
of the whole price, 100 times and more the moves they look for: on EUR/USD hours its first 30 periods are 6.5 bars from what
a longer history gives, these 1.3. Both agree to nine digits from row 330.
"""

from __future__ import annotations

import math

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int
from feature_store.indicators.series import Series, sin, where

_GROUP = "cycle"
_SOURCE = "Ehlers 2001, Rocket Science for Traders; the past before the first bar is the first bar"
_RADIANS = math.pi / 180.0
_FIRST_PERIOD = 32
_FIRST_PHASE = 63
"""The rows of TA-Lib's first values: the filters are full, and so is a window of the longest period."""


@step("bars:int one two three", memory="window")
def smoothed(s: State, value: float) -> float:
    """The mean of four values with weights 4, 3, 2, 1, the newest heaviest; exact where all are equal."""
    s.bars += 1
    if s.bars == 1:
        s.one = value
        s.two = value
        s.three = value
    mean = value + (3.0 * (s.one - value) + 2.0 * (s.two - value) + (s.three - value)) * 0.1
    s.three = s.two
    s.two = s.one
    s.one = value
    return mean


@step(
    "bars:int cycle=6 smooth_cycle=6 real imaginary turned square "
    "price_a price_b price_c price_d price_e price_f "
    "trend_a trend_b trend_c trend_d trend_e trend_f trend_g trend_h trend_i "
    "quad_a quad_b quad_c quad_d quad_e quad_f",
    outputs="inphase quadrature period",
    fade=lambda: 480,
    memory="recursive",
)
def homodyne(s: State, smooth: float) -> tuple[float, float, float]:
    """Ehlers's homodyne discriminator of a smoothed price: its phasor, and its dominant cycle's smoothed period.

    The seed's weight is below 1e-8 after at most 350 bars of EUR/USD from any start; 480 is what TA-Lib's authors give.
    """
    a = 0.0962
    b = 0.5769
    gain = 0.075 * s.cycle + 0.54
    s.bars += 1
    if s.bars == 1:
        s.price_a = smooth
        s.price_b = smooth
        s.price_c = smooth
        s.price_d = smooth
        s.price_e = smooth
        s.price_f = smooth
    trend = (a * (smooth - s.price_f) + b * (s.price_b - s.price_d)) * gain
    quad = (a * (trend - s.trend_f) + b * (s.trend_b - s.trend_d)) * gain
    inphase = s.trend_c
    ahead = (a * (inphase - s.trend_i) + b * (s.trend_e - s.trend_g)) * gain
    ahead_quad = (a * (quad - s.quad_f) + b * (s.quad_b - s.quad_d)) * gain
    turned = 0.2 * (inphase - ahead_quad) + 0.8 * s.turned
    square = 0.2 * (quad + ahead) + 0.8 * s.square
    s.real = 0.2 * (turned * s.turned + square * s.square) + 0.8 * s.real
    s.imaginary = 0.2 * (turned * s.square - square * s.turned) + 0.8 * s.imaginary
    s.turned = turned
    s.square = square
    cycle: float = s.cycle
    if s.real != 0.0 and s.imaginary != 0.0:
        cycle = 2.0 * math.pi / math.atan(s.imaginary / s.real)
    cycle = max(min(cycle, 1.5 * s.cycle), 0.67 * s.cycle)
    s.cycle = 0.2 * max(min(cycle, 50.0), 6.0) + 0.8 * s.cycle
    s.smooth_cycle = 0.33 * s.cycle + 0.67 * s.smooth_cycle
    s.price_f = s.price_e
    s.price_e = s.price_d
    s.price_d = s.price_c
    s.price_c = s.price_b
    s.price_b = s.price_a
    s.price_a = smooth
    s.trend_i = s.trend_h
    s.trend_h = s.trend_g
    s.trend_g = s.trend_f
    s.trend_f = s.trend_e
    s.trend_e = s.trend_d
    s.trend_d = s.trend_c
    s.trend_c = s.trend_b
    s.trend_b = s.trend_a
    s.trend_a = trend
    s.quad_f = s.quad_e
    s.quad_e = s.quad_d
    s.quad_d = s.quad_c
    s.quad_c = s.quad_b
    s.quad_b = s.quad_a
    s.quad_a = quad
    return inphase, quad, s.smooth_cycle


@step("bars:int", lag=lambda rows: rows, memory="window")
def from_row(s: State, value: float, rows: int = Int(1, ge=0)) -> float:
    """The value, held back for the first `rows` of them."""
    s.bars += 1
    return value if s.bars > rows else math.nan


@step("bars:int place:int window[size]", outputs="sines cosines", memory="window")
def wave_sums(s: State, value: float, period: float, size: int = Int(51)) -> tuple[float, float]:
    """Fourier's sums over the last cycle of `period` bars, at most `size`: how far it goes with a sine and with a cosine.

    The waves follow from one another by rotation, good to 1e-14; differences from the newest value, which the sums over
    a whole cycle do not see, keep them exactly 0 where nothing moves.
    """
    length = int(period + 0.5)
    turn_sin = math.sin(2.0 * math.pi / length)
    turn_cos = math.cos(2.0 * math.pi / length)
    s.bars += 1
    if s.bars == 1:
        j = 0
        while j < size:
            s.window[j] = value
            j += 1
    s.window[s.place] = value
    sines = 0.0
    cosines = 0.0
    wave_sin = turn_sin
    wave_cos = turn_cos
    at: float = s.place
    j = 1
    while j < length:
        at = at - 1 if at > 0 else size - 1
        away = s.window[at] - value
        sines += wave_sin * away
        cosines += wave_cos * away
        turned = wave_sin * turn_cos + wave_cos * turn_sin
        wave_cos = wave_cos * turn_cos - wave_sin * turn_sin
        wave_sin = turned
        j += 1
    s.place = s.place + 1 if s.place + 1 < size else 0
    return sines, cosines


@step("")
def angle(s: State, sines: float, cosines: float) -> float:  # noqa: ARG001  a step without memory
    """The angle of a wave with these sums, in degrees from -90 to 270; 0 where both are 0."""
    if cosines != 0.0:
        degrees = math.atan(sines / cosines) * (180.0 / math.pi)
        return degrees + 180.0 if cosines < 0.0 else degrees
    return 90.0 if sines > 0.0 else -90.0 if sines < 0.0 else 0.0


@step("bars:int place:int window[size]", memory="window")
def mean_of_cycle(s: State, close: float, period: float, size: int = Int(51)) -> float:
    """The mean of the last `period` values, the period rounded to whole bars: what is left when the cycle is averaged out."""
    length = int(period + 0.5)
    s.bars += 1
    if s.bars == 1:
        j = 0
        while j < size:
            s.window[j] = close
            j += 1
    s.window[s.place] = close
    total = 0.0
    at: float = s.place
    j = 1
    while j < length:
        at = at - 1 if at > 0 else size - 1
        total += s.window[at] - close
        j += 1
    s.place = s.place + 1 if s.place + 1 < size else 0
    return close + total / length


@step("bars:int phase sine lead days:int", fade=lambda: 26, memory="state machine")
def trending(s: State, phase: float, sine: float, lead: float, period: float, smooth: float, trendline: float) -> float:
    """Whether the market trends: 1, or 0 while its phase turns as a cycle's does. It forgets after half a cycle, 25 bars."""
    turned = phase - s.phase
    s.bars += 1
    crossed = (sine > lead and s.sine <= s.lead) or (sine < lead and s.sine >= s.lead)
    s.days = 1 if crossed or s.bars == 1 else s.days + 1
    s.phase = phase
    s.sine = sine
    s.lead = lead
    cycling = s.days < 0.5 * period or (turned * period > 0.67 * 360.0 and turned * period < 1.5 * 360.0)
    far = abs(smooth - trendline) >= 0.015 * abs(trendline)
    return 1.0 if far or not (crossed or cycling) else 0.0


@indicator(title="Dominant cycle period", group=_GROUP, unit="bars", source=_SOURCE)
def ht_dcperiod(close: Series) -> Series:
    """How many bars the dominant cycle takes, from 6 to 50, by Hilbert transform; first value at row 32.

    A market that stands still keeps the last period, 6 where it never moved. TA-Lib begins from a price of 0 and agrees from
    row 330; see the top of cycle.py.

    >>> import math
    >>> waves = [10.0 + math.sin(2 * math.pi * bar / 20) for bar in range(300)]
    >>> fs.compute({"close": waves}, ["ht_dcperiod"])["ht_dcperiod"].iloc[-1].round(1).tolist()
    20.0
    """
    _, _, period = homodyne.all(smoothed(close))
    return from_row(period, _FIRST_PERIOD)


@indicator(title="Phasor", group=_GROUP, unit="price change", source=_SOURCE, outputs="inphase quadrature")
def ht_phasor(close: Series) -> tuple[Series, ...]:
    """The cycle as a hand that turns once a period: along (inphase) and a quarter ahead (quadrature); first values at row 32.

    Both are in the unit of price and 0 in a market that stands still. TA-Lib agrees from row 330; see the top of cycle.py.

    >>> fs.compute({"close": [1.5] * 33}, ["ht_phasor"]).iloc[-1].tolist()
    [0.0, 0.0]
    """
    inphase, quadrature, _ = homodyne.all(smoothed(close))
    return from_row(inphase, _FIRST_PERIOD), from_row(quadrature, _FIRST_PERIOD)


def _phase(close: Series) -> tuple[Series, Series, Series]:
    smooth = smoothed(close)
    _, _, period = homodyne.all(smooth)
    phase = angle(*wave_sums.all(smooth, period)) + 90.0 + 360.0 / period  # the last for the bar that smoothing costs
    return where(phase > 315.0, phase - 360.0, phase), smooth, period


def _waves(phase: Series) -> tuple[Series, Series]:
    return sin(phase * _RADIANS), sin((phase + 45.0) * _RADIANS)


@indicator(title="Dominant cycle phase", group=_GROUP, unit="degrees", source=_SOURCE)
def ht_dcphase(close: Series) -> Series:
    """Where in the dominant cycle the market stands, from -45 to 315 degrees; 90 at its top; first value at row 63.

    In a market that stands still 90 + 360 / period. TA-Lib agrees from row 330; see the top of cycle.py.

    >>> import math
    >>> waves = [10.0 + math.cos(2 * math.pi * bar / 20) for bar in range(301)]
    >>> fs.compute({"close": waves}, ["ht_dcphase"])["ht_dcphase"].iloc[-1].round().tolist()
    90.0
    """
    return from_row(_phase(close)[0], _FIRST_PHASE)


@indicator(title="Sine wave", group=_GROUP, unit="-1..1", source=_SOURCE, outputs="sine leadsine")
def ht_sine(close: Series) -> tuple[Series, ...]:
    """The sine of the dominant cycle's phase, and of the phase 45 degrees on; they cross near its turns; first at row 63.

        sine = sin(ht_dcphase(close) * 3.14159265358979 / 180)
        leadsine = sin((ht_dcphase(close) + 45) * 3.14159265358979 / 180)

    In a trend the phase stands nearly still and they do not cross. TA-Lib agrees from row 330; see the top of cycle.py.

    >>> import math
    >>> waves = [10.0 + math.cos(2 * math.pi * bar / 20) for bar in range(301)]
    >>> fs.compute({"close": waves}, ["ht_sine"]).iloc[-1].round(1).tolist()
    [1.0, 0.7]
    """
    sine, leadsine = _waves(_phase(close)[0])
    return from_row(sine, _FIRST_PHASE), from_row(leadsine, _FIRST_PHASE)


@indicator(title="Trendline without the cycle", group=_GROUP, unit="price", source=_SOURCE)
def ht_trendline(close: Series) -> Series:
    """The mean over one dominant cycle, in which the cycle cancels, smoothed over four bars; first value at row 63.

    TA-Lib agrees from row 330; see the top of cycle.py.

    >>> import math
    >>> waves = [10.0 + math.sin(2 * math.pi * bar / 20) for bar in range(300)]
    >>> fs.compute({"close": waves}, ["ht_trendline"])["ht_trendline"].iloc[-1].round(3).tolist()
    10.0
    """
    _, _, period = homodyne.all(smoothed(close))
    return from_row(smoothed(mean_of_cycle(close, period)), _FIRST_PHASE)


@indicator(title="Trend or cycle", group=_GROUP, unit="0..1", source=_SOURCE)
def ht_trendmode(close: Series) -> Series:
    """1 where the market trends, 0 where it cycles; first value at row 63.

    It cycles for half a period after sine and leadsine cross, and while the phase turns by 0.67 to 1.5 times what a cycle of
    its period turns in a bar; but it trends wherever price is 1.5 % or more from the trendline, which is rare in foreign
    exchange. TA-Lib agrees from row 330; see the top of cycle.py.

    >>> fs.compute({"close": [1.5 + 0.01 * bar for bar in range(100)]}, ["ht_trendmode"])["ht_trendmode"].iloc[-1].tolist()
    1.0
    """
    phase, smooth, period = _phase(close)
    sine, leadsine = _waves(phase)
    trendline = smoothed(mean_of_cycle(close, period))
    return from_row(trending(phase, sine, leadsine, period, smooth, trendline), _FIRST_PHASE)
