"""Moving averages that choose their own pace, from how far and how straight price goes, or from its dominant cycle."""

from __future__ import annotations

import math

from feature_store.indicators.arithmetic import fma
from feature_store.indicators.cycle import homodyne, smoothed
from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int, Real
from feature_store.indicators.series import Series, where
from feature_store.indicators.windows import highest, lag, lowest, rolling_sum

_GROUP = "moving average"


def _even_period(period: int) -> str | None:
    return f"period must be even, to be cut in halves, was {period}" if period % 2 else None


def _limits_in_order(fast: float, slow: float) -> str | None:
    return f"slow must be at most fast, but fast was {fast} and slow was {slow}" if slow > fast else None


@indicator(
    title="McGinley dynamic",
    group=_GROUP,
    unit="proportional price",
    source="McGinley 1990; y + (x - y) / (0.6 n (x / y)^4), seeded by the first value",
    state="mean",
    fade=lambda period: 12 * period,
    memory="recursive",
)
def mcginley(s: State, close: float, period: int = Int(14)) -> float:
    """An average that falls faster than it rises, since its weight follows the ratio of price to it; first value at row 0.

        value = before(value) + (close - before(value)) / (0.6 * period * (close / before(value)) ** 4)

    The weight is at most 1: after a fall to less than about half, McGinley's own formula would go beyond the price. It is for
    prices above 0; at or below, the value is the price itself. It takes longer to settle while prices double.

    >>> fs.compute({"close": [10.0, 11.0]}, ["mcginley_2"])["mcginley_2"].round(4).tolist()
    [10.0, 10.5692]
    """
    if s.mean <= 0.0 or close <= 0.0:
        s.mean = close
        return close
    ratio = close / s.mean
    square = ratio * ratio
    away = close - s.mean
    s.mean += away / max(0.6 * period * square * square, 1.0)
    return s.mean


@indicator(
    name="ema_first",
    title="Exponential moving average seeded by the first value",
    group=_GROUP,
    unit="price",
    source="weight 2/(period + 1); seeded by the first value, as TradingView's ta.ema and pandas ewm(adjust=False)",
    state="bars:int mean",
    fade=lambda period: math.ceil(9.5 * (period + 1)),
    memory="recursive",
)
def ema_first(s: State, close: float, period: int = Int(20)) -> float:
    """The EMA that begins with the first value, for comparison with platforms that do so; `ema` begins with a mean.

        value = before(value) + 2 / (period + 1) * (close - before(value))

    Both forget their beginning alike. First value at row 0.

    >>> fs.compute({"close": [1.0, 3.0]}, ["ema_first_3"])["ema_first_3"].tolist()
    [1.0, 2.0]
    """
    weight = 2.0 / (period + 1.0)
    keep = 1.0 - weight
    s.bars += 1
    s.mean = fma(keep, s.mean, weight * close) if s.bars > 1 else close
    return s.mean


@step(
    "bars:int mean",
    fade=lambda period, span: math.ceil(19 * (period + 1) * math.sqrt(span)),
    memory="recursive",
)
def paced(s: State, close: float, pace: float, period: int = Int(14), span: int = Int(9)) -> float:  # noqa: ARG001  for fade
    """An EMA whose weight is multiplied by a pace from 0 to 1 that looks back `span` bars; seeded by the first value."""
    weight = 2.0 / (period + 1.0)
    s.bars += 1
    if s.bars == 1:
        s.mean = close
    s.mean += weight * pace * (close - s.mean)
    return s.mean


@indicator(
    title="Variable index dynamic average",
    group=_GROUP,
    unit="price",
    source="Chande 1994, as he gave it later: paced by the absolute CMO of rolling sums",
)
def vidya(close: Series, period: int = Int(14), cmo_period: int = Int(9)) -> Series:
    """An EMA whose weight is multiplied by how one-sided the last moves were: |CMO| / 100, 0 where nothing moved.

        pace = abs(diff(close, cmo_period)) / sum(abs(diff(close, 1)), cmo_period)
        value = before(value) + 2 / (period + 1) * pace * (close - before(value))

    |CMO| over n bars is the way from the value n bars ago over the path walked since. First value, the price itself, at row
    `cmo_period`. `settled` counts a walk's usual pace; a market that stands still forgets nothing.

    >>> fs.compute({"close": [1.0, 2.0, 3.0, 5.0]}, ["vidya_3_2"])["vidya_3_2"].tolist()
    [nan, nan, 3.0, 4.0]
    """
    way = abs(close - lag(close, cmo_period))
    path = rolling_sum(abs(close - lag(close, 1)), cmo_period)
    return paced(close, where(path > 0.0, way / path, 0.0), period, cmo_period)


@step("bars:int mean weight=1", fade=lambda: 1840, memory="recursive")
def fractal(s: State, middle: float, older: float, newer: float, whole: float) -> float:
    """An EMA whose weight falls with the fractal dimension of its window, 0.01 to 1; seeded by the first value.

    The dimension is that of Ehlers 2005, D = (log(n1 + n2) - log n3) / log 2, with the ranges of both halves by their length
    and of the whole by its own, and the weight exp(-4.6 (D - 1)); where a range is 0 the weight stays.
    """
    s.bars += 1
    if older > 0.0 and newer > 0.0 and whole > 0.0:
        dimension = 1.0 + math.log((older + newer) / whole) / math.log(2.0)
        s.weight = min(max(math.exp(-4.6 * (dimension - 1.0)), 0.01), 1.0)
    if s.bars == 1:
        s.mean = middle
    s.mean += s.weight * (middle - s.mean)
    return s.mean


@indicator(title="Fractal adaptive moving average", group=_GROUP, unit="price", source="Ehlers 2005", rule=_even_period)
def frama(high: Series, low: Series, period: int = Int(16, ge=2)) -> Series:
    """An average of (high + low) / 2 that follows where price goes straight and rests where it fills its range.

        half = period / 2
        newer = (highest(high, half) - lowest(low, half)) / half
        older = lag(newer, half)
        whole = (highest(high, period) - lowest(low, period)) / period
        dimension = log((older + newer) / whole) / log(2)
        weight = clip(exp(-4.6 * (dimension - 1)), 0.01, 1)
        value = before(value) + weight * ((high + low) / 2 - before(value))

    `period` is even. First value, the price itself, at row period - 1.

    >>> fs.compute({"high": [2.0, 3.0, 4.0], "low": [1.0, 2.0, 3.0]}, ["frama_2"])["frama_2"].tolist()
    [nan, 2.5, 3.5]
    """
    half = period // 2
    newer = highest(high, half) - lowest(low, half)
    whole = highest(high, period) - lowest(low, period)
    return fractal((high + low) * 0.5, lag(newer, half), newer, whole)


@step(
    "bars:int phase mama fama",
    outputs="mama fama",
    lag=lambda: 32,
    fade=lambda slow: math.ceil(37.0 / slow),
    memory="recursive",
)
def paced_by_phase(
    s: State,
    close: float,
    inphase: float,
    quadrature: float,
    fast: float = Real(0.5, ge=0.01, le=0.99),
    slow: float = Real(0.05),
) -> tuple[float, float]:
    """An EMA whose weight is `fast` over the degrees that the phasor's angle fell since the last bar, and one of it."""
    s.bars += 1
    if s.bars == 1:
        s.mama = close
        s.fama = close
    phase = math.atan(quadrature / inphase) * (180.0 / math.pi) if inphase != 0.0 else 0.0
    weight = max(fast / max(s.phase - phase, 1.0), slow)
    s.phase = phase
    s.mama += weight * (close - s.mama)
    s.fama += 0.5 * weight * (s.mama - s.fama)
    if s.bars <= 32:
        return math.nan, math.nan
    return s.mama, s.fama


@indicator(
    title="MESA adaptive moving average",
    group=_GROUP,
    unit="price",
    source="Ehlers 2001",
    outputs="mama fama",
    rule=_limits_in_order,
)
def mama(
    close: Series, fast: float = Real(0.5, ge=0.01, le=0.99), slow: float = Real(0.05, ge=0.01, le=0.99)
) -> tuple[Series, ...]:
    """An EMA whose weight is `fast` over the degrees its cycle's phase turned, at least `slow`, and one of it at half the pace.

        weight = max(fast / max(degrees turned, 1), slow)
        mama = before(mama) + weight * (close - before(mama))
        fama = before(fama) + weight / 2 * (mama - before(fama))

    First values at row 32, as TA-Lib; there the average begins with the price, in TA-Lib with 0, which takes some 700 bars to
    fade.

    >>> fs.compute({"close": [1.5] * 33}, ["mama"]).iloc[-1].tolist()
    [1.5, 1.5]
    """
    inphase, quadrature, _ = homodyne.all(smoothed(close))
    return paced_by_phase.all(close, inphase, quadrature, fast, slow)
