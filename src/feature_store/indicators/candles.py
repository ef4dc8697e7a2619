"""What candlestick patterns are made of: candles with their measures, what is usual for them, and the patterns' decorator.

TA-Lib's candle settings, each a range, a number of candles and a factor, are properties of `Candle` here. What is usual is the
mean over the candles before the one in question, which itself does not count:

    long, short     a body above, below the usual body of 10             BodyLong, BodyShort
    doji            a body of at most a tenth of the usual reach of 10   BodyDoji
    bare            a shadow below a tenth of the usual reach of 10      ShadowVeryShort
    short shadow    a shadow below half the usual shadows of 10          ShadowShort
    long shadow     above the candle's own body; twice that: very long   ShadowLong, ShadowVeryLong
    equal near far  0.05, 0.2 and 0.6 of the usual reach of 5            Equal, Near, Far

A pattern is a function of its candles, the oldest first, and of its parameters. Every series of a candle is shared by all
patterns that are asked for at once. Means are sums in two blocks (windows.py) where TA-Lib adds and subtracts for ever; the
measures of prices of one size add up without rounding, so that both see the same ties (no row of 372,530 minutes differs).
"""

from __future__ import annotations

import inspect
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any

from feature_store.indicators.definition import State, indicator, step
from feature_store.indicators.parameters import Parameter
from feature_store.indicators.series import Series, at_least, at_most, both, greatest, least, same
from feature_store.indicators.windows import rolling_sum

if TYPE_CHECKING:
    from collections.abc import Callable

    from feature_store.indicators.definition import Definition

_PRICES = ("open", "high", "low", "close")
_USUAL = {"open": 10, "high": 12, "low": 9, "close": 11}
_USUAL_CANDLES = 14
_FIRST_ROW = "First value where all candles and means it looks at are known, row `warmup`; until then TA-Lib gives 0."


@step("", outputs="open high low close")
def whole(s: State, open: float, high: float, low: float, close: float) -> tuple[float, ...]:  # noqa: ARG001
    """The prices of a bar that has all four, so that a bar with a hole is no candle and leaves no trace."""
    return open, high, low, close


@step("o=nan h=nan l=nan c=nan", outputs="open high low close", lag=lambda: 1, memory="window")
def earlier(s: State, open: float, high: float, low: float, close: float) -> tuple[float, ...]:
    """The prices of the candle before."""
    o, h, l, c = s.o, s.h, s.l, s.c  # noqa: E741
    s.o, s.h, s.l, s.c = open, high, low, close
    return o, h, l, c


@step("value=nan", lag=lambda: 1, memory="window")
def previous(s: State, value: float) -> float:
    """The value before."""
    before = s.value
    s.value = value
    return before


class Candle:
    """One candle of a pattern: its prices, its measures, and what is usual before it.

    Args:
        prices: its open, high, low and close.
        later: the candle after it, None for the newest.
    """

    def __init__(self, prices: tuple[Series, ...], later: Candle | None = None) -> None:
        self.open, self.high, self.low, self.close = self.prices = prices
        self.later = later

    def __repr__(self) -> str:
        return f"<Candle {self.ago} bars ago>"

    @property
    def ago(self) -> int:
        """How many bars before the newest."""
        return 0 if self.later is None else self.later.ago + 1

    def usual(self, measure: str, candles: int) -> Series:
        """The mean of a measure over so many candles before this one."""
        if self.later is None:
            return previous(rolling_sum(getattr(self, measure), candles)) / float(candles)
        return previous(self.later.usual(measure, candles))

    # ---------------------------------------------------------------- measures
    @cached_property
    def body(self) -> Series:
        """From open to close."""
        return abs(self.close - self.open)

    @cached_property
    def top(self) -> Series:
        """The upper end of the body."""
        return greatest(self.open, self.close)

    @cached_property
    def bottom(self) -> Series:
        """The lower end of the body."""
        return least(self.open, self.close)

    @cached_property
    def upper(self) -> Series:
        """The upper shadow."""
        return self.high - self.top

    @cached_property
    def lower(self) -> Series:
        """The lower shadow."""
        return self.bottom - self.low

    @cached_property
    def shadows(self) -> Series:
        """Both shadows."""
        return self.upper + self.lower

    @cached_property
    def reach(self) -> Series:
        """From low to high."""
        return self.high - self.low

    # ---------------------------------------------------------------- what is usual
    @cached_property
    def bare(self) -> Series:
        """A shadow below this is none."""
        return 0.1 * self.usual("reach", 10)

    @cached_property
    def short_shadow(self) -> Series:
        """A shadow below this is short."""
        return self.usual("shadows", 10) / 2.0

    @cached_property
    def equal(self) -> Series:
        """Prices so far apart are equal."""
        return 0.05 * self.usual("reach", 5)

    @cached_property
    def near(self) -> Series:
        """Prices so far apart are near."""
        return 0.2 * self.usual("reach", 5)

    @cached_property
    def far(self) -> Series:
        """Prices farther apart are far."""
        return 0.6 * self.usual("reach", 5)

    # ---------------------------------------------------------------- conditions
    @cached_property
    def is_white(self) -> Series:
        """Closes at its open or above."""
        return at_least(self.close, self.open)

    @cached_property
    def is_black(self) -> Series:
        """Closes below its open."""
        return self.close < self.open

    @cached_property
    def is_long(self) -> Series:
        """A body longer than usual."""
        return self.body > self.usual("body", 10)

    @cached_property
    def is_short(self) -> Series:
        """A body shorter than usual."""
        return self.body < self.usual("body", 10)

    @cached_property
    def is_not_long(self) -> Series:
        """A body as long as usual or shorter."""
        return at_most(self.body, self.usual("body", 10))

    @cached_property
    def is_doji(self) -> Series:
        """Next to no body."""
        return at_most(self.body, 0.1 * self.usual("reach", 10))

    @cached_property
    def is_bare_above(self) -> Series:
        """Next to no upper shadow."""
        return self.upper < self.bare

    @cached_property
    def is_bare_below(self) -> Series:
        """Next to no lower shadow."""
        return self.lower < self.bare

    @cached_property
    def is_marubozu(self) -> Series:
        """A long body and next to no shadows."""
        return both(self.is_long, self.is_bare_above, self.is_bare_below)

    def holds(self, value: Series) -> Series:
        """Whether a price is inside the body."""
        return both(value < self.top, value > self.bottom)

    def gaps_up(self, before: Candle) -> Series:
        """Whether the whole body is above the other's."""
        return self.bottom > before.top

    def gaps_down(self, before: Candle) -> Series:
        """Whether the whole body is below the other's."""
        return self.top < before.bottom

    def leaps_up(self, before: Candle) -> Series:
        """Whether even the shadows are above the other's."""
        return self.low > before.high

    def leaps_down(self, before: Candle) -> Series:
        """Whether even the shadows are below the other's."""
        return self.high < before.low

    def opposes(self, other: Candle) -> Series:
        """Whether one is white and the other black."""
        return 1.0 - self.matches(other)

    def matches(self, other: Candle) -> Series:
        """Whether both are white or both black."""
        return same(self.is_white, other.is_white)


def is_within(value: Series, middle: Series, distance: Series) -> Series:
    """Return 1 where a value is at most so far from the middle."""
    return both(at_most(value, middle + distance), at_least(value, middle - distance))


# ---------------------------------------------------------------- answers
def bullish(*conditions: Series) -> Series:
    """Return 100 where all conditions hold, else 0."""
    return 100.0 * both(*conditions)


def bearish(*conditions: Series) -> Series:
    """Return -100 where all conditions hold, else 0."""
    return 0.0 - bullish(*conditions)  # a product with -100 would give -0.0


def colored(candle: Candle, *conditions: Series) -> Series:
    """Return 100 where all conditions hold and the candle is white, -100 where it is black, else 0."""
    found = both(*conditions)
    return bullish(found, candle.is_white) - bullish(found, candle.is_black)


def pattern(title: str, example: str) -> Callable[[Callable[..., Series]], Definition]:
    """Register a function of candles, the oldest first, and of parameters as the indicator of its pattern.

    Args:
        title: its name.
        example: candles that make the pattern, each `open high low close`, and what the last one is worth: "9 9 8 8 -> 100".
            They come after usual candles, which open at 10 and close at 11 with shadows of 1. The docstring ends with it.

    The indicator takes the four prices of a bar where the function takes candles.
    """

    def register(function: Callable[..., Series]) -> Definition:
        asked = inspect.signature(function).parameters.values()
        parameters = [each for each in asked if isinstance(each.default, Parameter)]
        count = len(asked) - len(parameters)

        @wraps(function)
        def composed(*prices: Series, **values: Any) -> Series:
            return function(*_candles(prices, count), **values)

        bar = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in _PRICES]
        composed.__signature__ = inspect.Signature([*bar, *parameters])  # type: ignore[attr-defined]
        composed.__doc__ = f"{inspect.getdoc(function)}\n\n{_FIRST_ROW}\n\n{_example(function.__name__, example)}"
        return indicator(title=title, group="pattern", unit="pattern", source="TA-Lib 0.8.2; Nison 1991")(composed)

    return register


def _candles(prices: tuple[Series, ...], count: int) -> tuple[Candle, ...]:
    candle = Candle(whole.all(*prices))
    made = [candle]
    for _ in range(count - 1):
        candle = Candle(earlier.all(*candle.prices), later=candle)
        made.append(candle)
    return tuple(reversed(made))


def _example(name: str, text: str) -> str:
    drawn, worth = text.split(" -> ")
    columns = zip(*(candle.split() for candle in drawn.split(", ")), strict=True)
    lines = [
        f'"{price}": [{_USUAL[price]}] * {_USUAL_CANDLES} + [{", ".join(column)}],'
        for price, column in zip(_PRICES, columns, strict=True)
    ]
    return "\n".join(
        [
            ">>> bars = {",
            *(f"...     {line}" for line in lines),
            "... }",
            f'>>> fs.compute(bars, ["{name}"]).iloc[-1].tolist()',
            f"[{float(worth)}]",
        ]
    )
