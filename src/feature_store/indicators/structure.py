"""Market structure: swings, what follows from their order, and the levels between them.

A swing high is a bar whose high is above those of the `left` bars before it and of the `right` bars after it; it is known
`right` bars later, from where its price and its age are carried until the next one is confirmed. Nothing is ever taken back.
Equal highs are no swing, as in TA-Lib's FRACTAL. A swing low is the same below. Until the first swing, the bar `right` bars
before the first value stands in for it.

How long values depend on where the series began has no bound, as a market that only rises has no swings. `settled` is where
the chance in a random walk is below 1e-8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Int
from feature_store.indicators.windows import highest, lag

if TYPE_CHECKING:
    from feature_store.indicators.series import Series

_GROUP = "structure"
_LONGEST = 500
_LEVELS = (0.236, 0.382, 0.5, 0.618, 0.786)


def _settling(left: int, right: int) -> int:
    return 40 * (left + right + 1)


@step("bars:int price before age", outputs="price before age", fade=_settling, memory="state machine")
def carried(
    s: State,
    candidate: float,
    left_top: float,
    right_top: float,
    left: int = Int(2),  # noqa: ARG001  for `fade`
    right: int = Int(2),
) -> tuple[float, float, float]:
    """The last swing high, the one before it, and its age: a candidate that is above both tops is one, `right` bars old."""
    found = candidate > left_top and candidate > right_top
    s.before = s.price if found else s.before
    s.price = candidate if found else s.price
    s.age = right if found else s.age + 1.0
    if s.bars == 0:
        s.bars = 1
        s.price = candidate
        s.before = candidate
        s.age = right
    return s.price, s.before, s.age


def _tops(high: Series, left: int, right: int) -> tuple[Series, ...]:
    left_top, right_top = lag(highest(high, left), right + 1), highest(high, right)
    return carried.all(lag(high, right), left_top, right_top, left, right)


def _bottoms(low: Series, left: int, right: int) -> tuple[Series, ...]:
    price, before, age = _tops(-low, left, right)
    return -price, -before, age


@indicator(
    title="Swings",
    group=_GROUP,
    unit={"high": "price", "low": "price", "high_bars": "bars", "low_bars": "bars"},
    source="Williams 1995, as TA-Lib's FRACTAL; see the top of the file",
    outputs="high low high_bars low_bars",
)
def swing(
    high: Series, low: Series, left: int = Int(2, le=_LONGEST), right: int = Int(2, le=_LONGEST)
) -> tuple[Series, ...]:
    """The prices of the last confirmed swing high and low, carried, and how many bars ago they were; from row left + right.

    A swing has an extreme above the `left` bars before and the `right` bars after it and appears `right` bars late, when
    `high_bars` or `low_bars` is `right`; it is never repainted. Until the first, the bar `right` bars before the first
    value stands in. `settled` is where a random walk has all but surely had one.

    >>> bars = {"high": [2.0, 5.0, 3.0, 4.0, 3.0], "low": [1.0, 2.0, 1.5, 3.0, 2.0]}
    >>> fs.compute(bars, ["swing_1_1.high", "swing_1_1.high_bars"]).iloc[2:].to_numpy().tolist()
    [[5.0, 1.0], [5.0, 2.0], [4.0, 1.0]]
    """
    top, _, top_age = _tops(high, left, right)
    bottom, _, bottom_age = _bottoms(low, left, right)
    return top, bottom, top_age, bottom_age


@indicator(
    title="Market structure",
    group=_GROUP,
    unit="flag",
    source="Dow's theory as Hamilton gave it in 1922: rising and falling tops and bottoms of swings",
    outputs="hh hl lh ll",
)
def market_structure(
    high: Series, low: Series, left: int = Int(2, le=_LONGEST), right: int = Int(2, le=_LONGEST)
) -> tuple[Series, ...]:
    """Whether the last confirmed swing high is higher (hh) or lower (lh) than the one before, and the low (hl, ll).

    Both hh and hl: rising; both lh and ll: falling. All are 0 before a swing and where two are equal; the first is compared
    with its stand-in. Swings are those of `swing`, late by `right` bars and never repainted. First values at row left + right.

    >>> bars = {"high": [2.0, 5.0, 3.0, 6.0, 3.0], "low": [1.0, 1.0, 1.5, 1.25, 2.0]}
    >>> fs.compute(bars, ["market_structure_1_1"]).iloc[-1].tolist()
    [1.0, 1.0, 0.0, 0.0]
    """
    top, top_before, _ = _tops(high, left, right)
    bottom, bottom_before, _ = _bottoms(low, left, right)
    return top > top_before, bottom > bottom_before, top < top_before, bottom < bottom_before


@step(
    "over under direction",
    outputs="value change direction",
    fade=_settling,
    memory="state machine",
)
def broken(
    s: State,
    close: float,
    top: float,
    top_age: float,
    bottom: float,
    bottom_age: float,
    left: int = Int(2),  # noqa: ARG001  for `fade`
    right: int = Int(2),
) -> tuple[float, float, float]:
    """Whether this close is the first beyond the last swing, whether that turns the direction, and the direction."""
    if top_age == right:
        s.over = 0.0
    if bottom_age == right:
        s.under = 0.0
    value = 0.0
    if close > top and s.over == 0.0:
        s.over = 1.0
        value = 1.0
    elif close < bottom and s.under == 0.0:
        s.under = 1.0
        value = -1.0
    change = 1.0 if value * s.direction < 0.0 else 0.0
    s.direction = value if value != 0.0 else s.direction
    return value, change, s.direction


@indicator(
    title="Break of structure",
    group=_GROUP,
    unit={"value": "direction", "change": "flag", "direction": "direction"},
    source="Dow's theory: a close beyond the last swing; `change` is also called change of character",
    outputs="value change direction",
)
def break_of_structure(
    high: Series, low: Series, close: Series, left: int = Int(2, le=_LONGEST), right: int = Int(2, le=_LONGEST)
) -> tuple[Series, ...]:
    """1 on the first close above the last confirmed swing high, -1 on the first below the last swing low, else 0.

    `direction` is that of the last break, 0 before the first; `change` is 1 on a break against it. Each swing is broken once.
    Swings are those of `swing`, confirmed `right` bars late and never repainted. First values at row left + right.

    >>> bars = {"high": [2.0, 5.0, 3.0, 6.0], "low": [1.0, 2.0, 1.5, 3.0], "close": [2.0, 4.0, 2.0, 6.0]}
    >>> fs.compute(bars, ["break_of_structure_1_1"]).iloc[-1].tolist()
    [1.0, 0.0, 1.0]
    """
    top, _, top_age = _tops(high, left, right)
    bottom, _, bottom_age = _bottoms(low, left, right)
    return broken.all(close, top, top_age, bottom, bottom_age, left, right)


@step(
    "bars:int count:int kind=1 price[6] born[6]",
    outputs="o x a b c d x_bars a_bars b_bars c_bars d_bars kind fresh count",
    fade=_settling,
    memory="state machine",
)
def turns(
    s: State,
    top: float,
    top_age: float,
    bottom: float,
    bottom_age: float,
    left: int = Int(2),  # noqa: ARG001  for `fade`
    right: int = Int(2),
) -> tuple[float, ...]:
    """The last six turns between swing highs and lows, the newest last, and the ages of the last five.

    A swing of the newest turn's kind moves it if it goes further; one of the other kind, if on the other side of it, is the
    next turn. Of two confirmed on one bar the high counts first. `kind` is 1 where the newest is a high, -1 where it is a low,
    `fresh` 1 on the bar where it is new or has moved, `count` how many turns came since the first row, whose high and low
    stand in for those before.
    """
    s.bars += 1
    fresh = 0.0
    if s.bars == 1:
        j = 0
        while j < 6:
            s.price[j] = top if j % 2 == 1 else bottom
            s.born[j] = 1.0 - right
            j += 1
    else:
        side = 1.0
        while side >= -1.0:
            price = top if side > 0.0 else bottom
            age = top_age if side > 0.0 else bottom_age
            if age == right and (price - s.price[5]) * side > 0.0:
                if s.kind != side:
                    s.count += 1
                    j = 0
                    while j < 5:
                        s.price[j] = s.price[j + 1]
                        s.born[j] = s.born[j + 1]
                        j += 1
                s.price[5] = price
                s.born[5] = 1.0 * (s.bars - right)
                s.kind = side
                fresh = 1.0
            side -= 2.0
    return (
        s.price[0],
        s.price[1],
        s.price[2],
        s.price[3],
        s.price[4],
        s.price[5],
        s.bars - s.born[1],
        s.bars - s.born[2],
        s.bars - s.born[3],
        s.bars - s.born[4],
        s.bars - s.born[5],
        s.kind,
        fresh,
        1.0 * s.count,
    )


def last_turns(high: Series, low: Series, left: int, right: int) -> tuple[Series, ...]:
    """Return the outputs of `turns` of these swings."""
    top, _, top_age = _tops(high, left, right)
    bottom, _, bottom_age = _bottoms(low, left, right)
    return turns.all(top, top_age, bottom, bottom_age, left, right)


@indicator(
    title="Fibonacci retracement",
    group=_GROUP,
    unit="price",
    source="shares 0.236 0.382 0.5 0.618 0.786 of the last confirmed swing",
    outputs="r236 r382 r500 r618 r786",
)
def fib_retracement(
    high: Series, low: Series, left: int = Int(2, le=_LONGEST), right: int = Int(2, le=_LONGEST)
) -> tuple[Series, ...]:
    """The prices at which shares of the last confirmed move between a swing high and a swing low are given back.

    Below its end after a rise (r236 the highest), above after a fall. A further swing of the same kind extends the move, one
    of the other kind begins the next; swings are those of `swing`, late by `right` bars and never repainted. First values at
    row left + right, those of a rise through the bar that stands in.

    >>> bars = {"high": [2.0, 3.0, 11.0, 6.0], "low": [1.0, 1.0, 3.0, 4.0]}
    >>> fs.compute(bars, ["fib_retracement_1_1"]).iloc[-1].round(2).tolist()
    [8.64, 7.18, 6.0, 4.82, 3.14]
    """
    start, finish = last_turns(high, low, left, right)[4:6]
    move = start - finish
    return tuple(finish + move * share for share in _LEVELS)
