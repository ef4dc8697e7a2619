"""Support and resistance: prices at which the market has turned before.

The last swings, highs and lows alike, are remembered, each from the bar that confirms it. A zone is made of one of them and of
all others whose price is near it: within a tolerance in average true ranges. The nearest at or below the close is support, the
nearest at or above it resistance, and each is as strong as the zone has swings. Nothing is ever taken back; a swing is
forgotten when as many newer ones as are remembered have been confirmed.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int, Real
from feature_store.indicators.structure import swing
from feature_store.indicators.volatility import atr

if TYPE_CHECKING:
    from feature_store.indicators.series import Series

_LONGEST = 500
_MOST = 200


def _settling(left: int, right: int, swings: int) -> int:
    return (40 + 2 * swings) * (left + right + 1)


@step(
    "bars:int count:int place:int price[swings]",
    outputs="support resistance support_strength resistance_strength",
    fade=_settling,
    memory="state machine",
)
def zones(
    s: State,
    close: float,
    reach: float,
    top: float,
    top_age: float,
    bottom: float,
    bottom_age: float,
    left: int = Int(5),  # noqa: ARG001  for `fade`
    right: int = Int(5),
    swings: int = Int(20),
    tolerance: float = Real(0.5),
) -> tuple[float, float, float, float]:
    """The nearest remembered swings below and above the close, and how many are near each; the close itself and 0 for none."""
    s.bars += 1
    side = 0
    while side < 2 and s.bars > 1:  # on the first bar there are only stand-ins
        if (top_age if side == 0 else bottom_age) == right:
            s.price[s.place] = top if side == 0 else bottom
            s.place = s.place + 1 if s.place + 1 < swings else 0
            s.count = min(s.count + 1, swings)
        side += 1
    support = -math.inf
    resistance = math.inf
    j = 0
    while j < s.count:
        price = s.price[j]
        support = max(support, price) if price <= close else support
        resistance = min(resistance, price) if price >= close else resistance
        j += 1
    near = tolerance * reach
    below = 0.0
    above = 0.0
    j = 0
    while j < s.count:
        below += 1.0 if abs(s.price[j] - support) <= near else 0.0
        above += 1.0 if abs(s.price[j] - resistance) <= near else 0.0
        j += 1
    return support if below > 0.0 else close, resistance if above > 0.0 else close, below, above


@indicator(
    title="Support and resistance",
    group="structure",
    unit={"support": "price", "resistance": "price", "support_strength": "index", "resistance_strength": "index"},
    source="Murphy 1999: prices at which swings were confirmed before; rules at the top of the file",
    outputs="support resistance support_strength resistance_strength",
)
def support_resistance(
    high: Series,
    low: Series,
    close: Series,
    left: int = Int(5, le=_LONGEST),
    right: int = Int(5, le=_LONGEST),
    swings: int = Int(20, le=_MOST, description="how many are remembered"),
    tolerance: float = Real(0.5, le=20.0, description="average true ranges from a price to the swings of its zone"),
    period: int = Int(14, description="of the average true range"),
) -> tuple[Series, ...]:
    """The nearest prices below and above the close at which swings were, and how many of the last `swings` lie near each.

    A swing high or low (`swing`) counts from its confirmation, `right` bars late, and is never repainted. The strength of a
    price is the number of remembered swings, its own included, within `tolerance` average true ranges of it. Where no swing is
    on a side, the price is the close and the strength 0. First values at row left + right, or at row `period` where that is
    later; swings count from then on.

    >>> bars = {"high": [3.0, 5.0, 4.0, 6.0, 4.0], "low": [2.0, 4.0, 1.0, 3.0, 2.0], "close": [3.0, 4.0, 2.0, 5.0, 3.0]}
    >>> fs.compute(bars, ["support_resistance_1_1_20_0.5_1"]).iloc[-1].tolist()
    [1.0, 6.0, 1.0, 1.0]
    """
    top, bottom, top_age, bottom_age = swing.all(high, low, left, right)
    reach = atr(high, low, close, period)
    return zones.all(close, reach, top, top_age, bottom, bottom_age, left, right, swings, tolerance)
