"""Harmonic patterns: turns whose legs have the ratios of a table (harmonic_table.py), known when their last turn is confirmed.

1. Swings, known `right` bars late, are thinned out to turns, highs and lows in turn (structure.py).
2. When a turn is new or has moved, the ratios of the last legs are measured and compared with each row of the table. A ratio
   may be off by `tolerance` percent of its nearest allowed value, AB / XA by 5/3 of that.
3. A row whose every ratio fits is the pattern, the one with the best score where several do; the score is
   1 - mean(deviation / tolerance) over the ratios that the row asks for.

Once C is confirmed, the same rows tell where D would complete a pattern: the part of D's scale that its level, CD / BC and the
limit allow, give or take the tolerance. Of several zones the one nearest to C counts until price has gone through it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.harmonic_table import B_SLACK, CELLS, HIGHS, LOWS, SIZE, WIDTH
from feature_store.indicators.parameters import Int, Real
from feature_store.indicators.series import both, greatest, least, where
from feature_store.indicators.structure import last_turns
from feature_store.indicators.tabled import tabled_step
from feature_store.indicators.windows import highest

if TYPE_CHECKING:
    from feature_store.indicators.series import Series

_GROUP = "structure"
_LONGEST = 500
_SOURCE = "Carney 2010-2016; all ratios in harmonic_table.py"
_TOLERANCE = "percent of a ratio's nearest allowed value; AB / XA may be off by 5/3 of it"
_UNITS = {
    "code": "index",
    "direction": "direction",
    "score": "0..1",
    **dict.fromkeys(("x", "a", "b", "c", "d", "zone_low", "zone_high", "stop", "target_1", "target_2"), "price"),
    **dict.fromkeys(("x_bars", "a_bars", "b_bars", "c_bars", "d_bars"), "bars"),
}
_FIVE = 5.5
"""More than five turns since the first row: O, X, A, B, C and D are swings, and none of them stands in."""


@tabled_step(
    {"CELLS": CELLS, "SIZE": SIZE, "WIDTH": WIDTH, "LOWS": LOWS, "HIGHS": HIGHS, "B_SLACK": B_SLACK},
    state="ratio[6] score code near far stop aim",
    outputs="score code near far stop aim",
    memory="state machine",
)
def matched(
    s: State,
    o: float,
    x: float,
    a: float,
    b: float,
    c: float,
    d: float,
    fresh: float,
    ready: float,
    waiting: int = Int(0, ge=0, le=1),
    tolerance: float = Real(3.0),
) -> tuple[float, ...]:
    """The best pattern of O X A B C D, its zone from its near to its far end, its stop, and the price its targets count from.

    While waiting, D is not a turn but how far price has gone since C, and the pattern is the one whose zone is nearest of
    those that are ahead or reached and not passed. Where there is none, code and score are 0 and all prices that of the
    newest turn.
    """
    passed = waiting == 1 and s.code > 0.0 and (s.far - d) * (a - x) > 0.0
    if ready == 0.0:
        s.code = 0.0
    elif fresh != 0.0 or passed:
        share = 0.01 * tolerance
        asked = 4 if waiting == 1 else 6
        best = -math.inf
        s.code = 0.0
        s.ratio[0] = (a - b) / (a - x)
        s.ratio[1] = (c - b) / (a - b)
        s.ratio[2] = (c - x) / (a - x)
        s.ratio[3] = (a - x) / (o - x)
        s.ratio[4] = (c - d) / (c - b)
        row = 0
        while row < SIZE:
            limit = CELLS[row + 1]
            scale = CELLS[row + 2]
            origin = a if scale == 0.0 else c
            span = a - x if scale == 0.0 else c - x if scale == 1.0 else c - b if scale == 2.0 else a - b
            s.ratio[5] = (origin - d) / span
            strain = 0.0
            fits = CELLS[row + 4] == 0.0 or s.code == 0.0
            j = 0
            while fits and j < asked:
                ratio = s.ratio[j]
                low = CELLS[row + LOWS + j]
                high = CELLS[row + HIGHS + j]
                off = (low - ratio) / low if ratio < low else max(ratio / high - 1.0, 0.0)
                off = off / (share * B_SLACK) if j == 0 else off / share
                strain += off
                fits = off <= 1.0
                j += 1
            if fits:
                start = (origin - c) / span
                unit = (c - b) / span
                near = max(CELLS[row + LOWS + 5] * (1.0 - share), start + CELLS[row + LOWS + 4] * (1.0 - share) * unit)
                far = CELLS[row + HIGHS + 5] * (1.0 + share)
                far = min(far, start + CELLS[row + HIGHS + 4] * (1.0 + share) * unit, limit)
                score = 1.0 - strain / (CELLS[row + 5] if waiting == 1 else CELLS[row + 6])
                rank = (start - near) * abs(span) if waiting == 1 else score
                if near <= far and s.ratio[5] <= far and rank > best:
                    best = rank
                    s.score = max(score, 0.0)
                    s.code = CELLS[row]
                    s.near = origin - near * span
                    s.far = origin - far * span
                    s.stop = origin - limit * span
                    s.aim = a if CELLS[row + 3] == 0.0 else c
            row += WIDTH
    if s.code == 0.0:
        s.score = 0.0
        s.near = c if waiting == 1 else d
        s.far = s.near
        s.stop = s.near
        s.aim = s.near
    return s.score, s.code, s.near, s.far, s.stop, s.aim


@step("reach stands", outputs="reach stands", memory="state machine")
def since(
    s: State, turn: float, kind: float, fresh: float, high: float, low: float, top: float, bottom: float
) -> tuple[float, float]:
    """How far price has gone from the newest turn, and whether no bar has gone beyond it; top and bottom of `right` bars."""
    if fresh != 0.0:
        s.stands = 1.0
        s.reach = bottom if kind > 0.0 else top
    s.reach = min(s.reach, low) if kind > 0.0 else max(s.reach, high)
    if (high > turn and kind > 0.0) or (low < turn and kind < 0.0):
        s.stands = 0.0
    return s.reach, s.stands


@indicator(
    title="Harmonic patterns",
    group=_GROUP,
    unit=_UNITS,
    source=_SOURCE,
    outputs="code direction score x a b c d x_bars a_bars b_bars c_bars d_bars zone_low zone_high stop target_1 target_2",
)
def harmonic(
    high: Series,
    low: Series,
    left: int = Int(5, le=_LONGEST),
    right: int = Int(5, le=_LONGEST),
    tolerance: float = Real(3.0, ge=0.1, le=20.0, description=_TOLERANCE),
) -> tuple[Series, ...]:
    """The pattern that the last five turns make, told once, on the bar that confirms the last of them, D, `right` bars late.

    `code` on that bar: 1 gartley, 2 bat, 3 alternate bat, 4 butterfly, 5 crab, 6 deep crab, 7 shark, 8 cypher, 9 5-0, 10 AB=CD,
    11 three drives; `direction` 1 where a rise is expected and -1 where a fall is; `score` 1 - mean(deviation / tolerance). All
    three are 0 on every other bar. Nothing is taken back: where D moves further, that is confirmed later and told anew.

    `x` to `d` are the last five turns on every bar, patterns or not, and `x_bars` to `d_bars` how many bars ago they were. The
    levels stand while D is the last turn: the zone in which D makes the pattern, `stop` where it has failed, and the targets
    at 0.382 and 0.618 of the way from D to A (of the 5-0: to C). Where the turns make no pattern they are D's price. First
    values at row left + right; the first pattern after six turns.

    >>> path = [12.0, 18.0, 11.0, 19.0, 10.0, 20.0, 13.82, 16.91, 12.14, 14.0]
    >>> frame = fs.compute({"high": path, "low": path}, ["harmonic_1_1"])
    >>> frame.iloc[-1, [0, 1, 3, 7, 12, 15]].tolist()  # code, direction, x, d, d_bars, stop
    [1.0, 1.0, 10.0, 12.14, 1.0, 10.0]
    """
    o, x, a, b, c, d, *ages, kind, fresh, count = last_turns(high, low, left, right)
    score, code, *levels = matched.all(o, x, a, b, c, d, fresh, count > _FIVE, 0, tolerance)
    told = both(fresh, code > 0.0)
    return code * told, where(told, -kind, 0.0), score * told, x, a, b, c, d, *ages, *_orders(d, *levels)


@indicator(
    title="Harmonic patterns, projected",
    group=_GROUP,
    unit={name: unit for name, unit in _UNITS.items() if name not in {"d", "d_bars"}},
    source=_SOURCE,
    outputs="code direction score x a b c x_bars a_bars b_bars c_bars zone_low zone_high stop target_1 target_2",
)
def harmonic_projection(
    high: Series,
    low: Series,
    left: int = Int(5, le=_LONGEST),
    right: int = Int(5, le=_LONGEST),
    tolerance: float = Real(3.0, ge=0.1, le=20.0, description=_TOLERANCE),
) -> tuple[Series, ...]:
    """The pattern that a turn D would complete, C being the last one confirmed, and the zone where D has to be.

    `code` (as of `harmonic`), `direction` (1 where a rise from the zone is expected) and `score` (of the ratios known at C)
    stand on every bar from C's confirmation until the next turn is confirmed, price goes beyond C, or every zone has been
    passed. Where several patterns are possible it is the one whose zone is nearest to C of those not yet passed; a plain AB=CD
    only where no other is. `stop` is where the pattern has failed, and the targets are 0.382 and 0.618 of the way from the
    middle of the zone to A (of the 5-0: to C). Without a pattern these are C's price. First values at row left + right.

    >>> path = [12.0, 18.0, 11.0, 19.0, 10.0, 20.0, 13.82, 16.91, 15.0]
    >>> frame = fs.compute({"high": path, "low": path}, ["harmonic_projection_1_1"])
    >>> frame.iloc[-1, [0, 1, 6, 11, 12, 13]].round(4).tolist()  # code, direction, c, zone_low, zone_high, stop
    [1.0, 1.0, 16.91, 11.9042, 12.3758, 10.0]
    """
    _, o, x, a, b, c, _, *ages, kind, fresh, count = last_turns(high, low, left, right)
    reach, stands = since.all(c, kind, fresh, high, low, highest(high, right), -highest(-low, right))
    score, code, *levels = matched.all(o, x, a, b, c, reach, fresh, both(count > _FIVE, stands), 1, tolerance)
    middle = (levels[0] + levels[1]) * 0.5
    return code, where(code > 0.0, kind, 0.0), score, x, a, b, c, *ages, *_orders(middle, *levels)


def _orders(entry: Series, near: Series, far: Series, stop: Series, aim: Series) -> tuple[Series, ...]:
    """Return the zone from below to above, the stop and the targets of an entry."""
    return least(near, far), greatest(near, far), stop, *(entry + (aim - entry) * share for share in (0.382, 0.618))
