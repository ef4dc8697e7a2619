"""Renko: price in bricks of one size, without time.

1. A brick is as large as was decided when the one before it was completed, so that the prices at which the next one is
   completed are known in advance.
2. A bar that closes one brick or more beyond the last brick, above it or below, completes as many as fit, all of that size.
   A brick against the direction begins where the last one began, so that price must go back two bricks to turn.
3. The size for the next brick is decided by that bar.

Charts measure all bricks by the range at their right edge, and draw all of them anew when that changes.
"""

from __future__ import annotations

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int, Real
from feature_store.indicators.series import Series, number
from feature_store.indicators.volatility import atr

_GROUP = "structure"
_OUTPUTS = "close direction bricks size"


@step("bars:int start end direction brick", outputs=_OUTPUTS, memory="accumulator")
def laid(
    s: State, close: float, unit: float, size: float = Real(1.0), share: float = Real(0.0)
) -> tuple[float, float, float, float]:
    """The last brick's close and direction, how many this bar completed, and the next one's size.

    It is size x unit + share x the last brick's close.
    """
    s.bars += 1
    if s.bars == 1:
        s.start = close
        s.end = close
    if s.brick <= 0.0:
        s.brick = size * unit + share * abs(s.end)
    bricks = 0.0
    top = max(s.start, s.end)
    bottom = min(s.start, s.end)
    beyond = max(close - top, bottom - close)
    if s.brick > 0.0 and beyond >= s.brick:
        bricks = beyond / s.brick
        bricks -= bricks % 1.0
        s.direction = 1.0 if close > top else -1.0
        s.end = (top if close > top else bottom) + s.direction * bricks * s.brick
        s.start = s.end - s.direction * s.brick
        s.brick = size * unit + share * abs(s.end)
    return s.end, s.direction, bricks, s.brick


@indicator(
    title="Renko by average true range",
    group=_GROUP,
    unit={"close": "price", "direction": "direction", "bricks": "index", "size": "price change"},
    source="Nison 1994; bricks of the average true range, each known before it is completed",
    outputs=_OUTPUTS,
)
def renko(
    high: Series,
    low: Series,
    close: Series,
    size: float = Real(1.0, ge=0.1, le=50.0, description="average true ranges a brick"),
    period: int = Int(14),
) -> tuple[Series, ...]:
    """Where the last brick closed, its direction (1 up, -1 down), how many this bar completed, and the size of the next one.

    A brick is `size` average true ranges of the bar that completed the one before; closes decide, and it takes two to turn.
    Before the first brick the direction is 0 and the close that of the first row, `period`. Bricks depend on where the series
    begins for ever.

    >>> bars = {"high": [2.0, 3.0, 6.0, 6.0], "low": [1.0, 2.0, 3.0, 2.0], "close": [2.0, 3.0, 6.0, 3.0]}
    >>> fs.compute(bars, ["renko_1_1"]).to_numpy().tolist()[1:]
    [[3.0, 0.0, 0.0, 1.0], [6.0, 1.0, 3.0, 3.0], [6.0, 1.0, 0.0, 3.0]]
    """
    return laid.all(close, atr(high, low, close, period), size)


@indicator(
    title="Renko by percent",
    group=_GROUP,
    unit={"close": "proportional price", "direction": "-1..1", "bricks": "ratio", "size": "proportional price"},
    source="Nison 1994; bricks of a share of price",
    outputs=_OUTPUTS,
)
def renko_percent(close: Series, percent: float = Real(0.1, ge=0.001, le=50.0)) -> tuple[Series, ...]:
    """Where the last brick closed, its direction (1 up, -1 down), how many this bar completed, and the size of the next one.

    A brick is `percent` of the close of the one before; closes decide, and it takes two to turn. Before the first brick the
    direction is 0 and the close that of row 0. Bricks depend on where the series begins for ever.

    >>> fs.compute({"close": [100.0, 125.0, 110.0, 90.0]}, ["renko_percent_10"]).to_numpy().round(1).tolist()
    [[100.0, 0.0, 0.0, 10.0], [120.0, 1.0, 2.0, 12.0], [120.0, 1.0, 0.0, 12.0], [98.0, -1.0, 1.0, 9.8]]
    """
    return laid.all(close, number(0.0), 0.0, percent / 100.0)
