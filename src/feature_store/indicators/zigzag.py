"""Zigzag: the turns of a market that are larger than a threshold, each known only when price has gone that far back.

    start   no leg; the highest high and the lowest low so far are kept
    rising  its end is the highest high; a bar that makes no new one and whose low is more than the threshold below it
            confirms it as the pivot: a falling leg begins, its end this bar's low
    falling the same, upside down

A bar never both extends a leg and ends it, as the order of its prices is not known. Charts draw the running leg too, which
is what makes them repaint; here only confirmed pivots have a price.
"""

from __future__ import annotations

import math

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int, Real
from feature_store.indicators.series import Series, number
from feature_store.indicators.volatility import atr

_GROUP = "structure"
_STATE = "bars:int direction top top_age:int bottom bottom_age:int pivot age:int"
_OUTPUTS = "value direction bars"


def _turns(
    s: State, high: float, low: float, unit: float, size: float = Real(3.0), share: float = Real(0.0)
) -> tuple[float, float, float]:
    """The last confirmed pivot, the direction since and its age; the threshold is size x unit + share x the leg's end."""
    s.bars += 1
    s.age += 1
    s.top_age += 1
    s.bottom_age += 1
    if s.bars == 1:
        s.top = high
        s.bottom = low
        s.pivot = 0.5 * (high + low)
        s.age = 0
        s.top_age = 0
        s.bottom_age = 0
        return s.pivot, 0.0, 0.0
    rises = high - s.bottom > size * unit + share * abs(s.bottom)
    falls = s.top - low > size * unit + share * abs(s.top)
    if s.direction <= 0.0 and rises and not (s.direction < 0.0 and low <= s.bottom):
        s.pivot = s.bottom
        s.age = s.bottom_age
        s.direction = 1.0
        s.top = high
        s.top_age = 0
    elif s.direction >= 0.0 and falls and not (s.direction > 0.0 and high >= s.top):
        s.pivot = s.top
        s.age = s.top_age
        s.direction = -1.0
        s.bottom = low
        s.bottom_age = 0
    else:
        if s.direction >= 0.0 and high >= s.top:
            s.top = high
            s.top_age = 0
        if s.direction <= 0.0 and low <= s.bottom:
            s.bottom = low
            s.bottom_age = 0
    return s.pivot, s.direction, s.age


_turns_by_reach = step(
    _STATE, outputs=_OUTPUTS, fade=lambda size: math.ceil(100.0 * (1.0 + size * size)), memory="state machine"
)(_turns)
_turns_by_share = step(_STATE, outputs=_OUTPUTS, memory="accumulator")(_turns)


@indicator(
    title="Zigzag by average true range",
    group=_GROUP,
    unit={"value": "price", "direction": "direction", "bars": "bars"},
    source="Merrill 1977, with a threshold of the Average True Range in place of percent; confirmed turns only",
    outputs=_OUTPUTS,
)
def zigzag(
    high: Series, low: Series, close: Series, size: float = Real(3.0, ge=0.1, le=50.0), period: int = Int(14)
) -> tuple[Series, ...]:
    """The last confirmed turn's price, the direction since (1 up, -1 down), and how many bars ago it was.

    A turn is confirmed when a bar is more than `size` average true ranges away from it, and never repainted. Until the first,
    the middle of the first bar stands in, with direction 0. First values at row `period`. `settled` is where two zigzags begun
    apart have all but surely met; a market that never turns has no bound.

    >>> bars = {"high": [2.0, 3.0, 4.0, 2.0], "low": [1.0, 2.0, 3.0, 1.0], "close": [1.5, 2.5, 3.5, 1.5]}
    >>> fs.compute(bars, ["zigzag_1_1"]).to_numpy().tolist()[2:]
    [[2.0, 1.0, 1.0], [4.0, -1.0, 1.0]]
    """
    return _turns_by_reach.all(high, low, atr(high, low, close, period), size)


@indicator(
    title="Zigzag by percent",
    group=_GROUP,
    unit={"value": "proportional price", "direction": "direction", "bars": "bars"},
    source="Merrill 1977; confirmed turns only",
    outputs=_OUTPUTS,
)
def zigzag_percent(high: Series, low: Series, percent: float = Real(1.0, ge=0.001, le=50.0)) -> tuple[Series, ...]:
    """The last confirmed turn's price, the direction since (1 up, -1 down), and how many bars ago it was.

    A turn is confirmed when a bar is more than `percent` of its price away from it, and never repainted. Until the first, the
    middle of the first bar stands in, with direction 0. First values at row 0. When two zigzags begun apart meet depends on how
    volatile the market is, so that values count as anchored where the series began.

    >>> bars = {"high": [100.0, 110.0, 104.0], "low": [99.0, 101.0, 103.0]}
    >>> fs.compute(bars, ["zigzag_percent_5"]).to_numpy().tolist()
    [[99.5, 0.0, 0.0], [99.0, 1.0, 1.0], [110.0, -1.0, 1.0]]
    """
    return _turns_by_share.all(high, low, number(0.0), 0.0, percent / 100.0)
