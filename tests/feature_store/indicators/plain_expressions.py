"""Expressions as trees, their text, and their values by plain loops over windows, written without looking at the engine.

An answer is worth no more than the digits it rests on: where `close > sma(close, 3)` is a tie but for the last bit, two correct
programs differ. So values are computed in extended precision, and again with the last bits of every computed number drawn at
random (Parker 1997, Monte Carlo arithmetic) and near ties made ties, or decided either way; how far those answers lie apart is
how far a correct program may be off.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Column = NDArray[np.longdouble]

_LAST_BITS, _NEAR = 2.0**-51, 2.0**-44


@dataclass(frozen=True)
class Tree:
    """A node of an expression: what it is called, the series below it, and the numbers after them as (text, value)."""

    word: str
    below: tuple[Tree, ...] = ()
    numbers: tuple[tuple[str, float], ...] = ()

    @property
    def text(self) -> str:
        """The expression as somebody writes it."""
        parts = [each.text for each in self.below] + [text for text, _ in self.numbers]
        if self.word == "number":
            return parts[0]
        if self.word in INFIX:
            return f"({parts[0]} {self.word} {parts[1]})"
        if self.word == "if":
            return f"({parts[1]} if {parts[0]} else {parts[2]})"
        if self.word in {"neg", "not"}:
            return f"({'-' if self.word == 'neg' else 'not '}{parts[0]})"
        return f"{self.word}({', '.join(parts)})" if self.is_call else self.word

    @property
    def is_call(self) -> bool:
        """Whether it is written with parentheses; an output above is not."""
        return self.word in CALLS

    def words(self) -> set[str]:
        """Every word in it."""
        return {self.word}.union(*(each.words() for each in self.below))


class Plain:
    """The values of trees over columns; with a seed, the last bits of all that is computed are drawn by it."""

    def __init__(self, columns: Mapping[str, Any], seed: int | None = None) -> None:
        self.columns = {name: np.asarray(column, dtype=np.longdouble) for name, column in columns.items()}
        self.random = None if seed is None else np.random.default_rng(seed)
        self.tie = 0 if seed is None else seed % 3 - 1
        self.largest = 0.0

    def __call__(self, tree: Tree) -> Column:
        """Return a value a row."""
        if tree.word == "number":
            return np.full(len(self.columns["close"]), tree.numbers[0][1], dtype=np.longdouble)
        if tree.word in self.columns:
            return self.columns[tree.word]
        if tree.word in SHORTHANDS:
            return self(SHORTHANDS[tree.word])
        below = [self(each) for each in tree.below]
        numbers = [value for _, value in tree.numbers]
        return WORDS[tree.word](self, *below, *numbers) if tree.word in WORDS else below[0]

    # ---------------------------------------------------------------- one row
    def rounded(self, values: Any, size: Any = None) -> Column:
        """Return computed values: not known where they are no numbers, their last bits drawn where that is asked for.

        The bits are those of `size`, of the values themselves where it is not given.
        """
        column = np.where(np.isfinite(values), values, np.nan).astype(np.longdouble)
        self.largest = max(self.largest, float(np.max(np.abs(column), initial=0.0, where=~np.isnan(column))))
        if self.random is None:
            return column
        bits = _LAST_BITS * (np.abs(column) if size is None else size)
        if self.tie:
            return column + bits * self.random.uniform(-1, 1, column.shape)
        grid = np.exp2(np.ceil(np.log2(np.where(bits > 0, bits, 1))))
        return np.where(bits > 0, np.round(column / grid) * grid, column)

    def exactly(self, of: Callable[..., Any], *series: Column) -> Column:
        """Return a function of each row that rounds nothing; not known where any of the series is not."""
        with np.errstate(all="ignore"):
            return np.where(np.isnan(series).any(axis=0), np.nan, of(*series)).astype(np.longdouble)

    def computed(self, of: Callable[..., Any], *series: Column) -> Column:
        """Return a function of each row."""
        return self.rounded(self.exactly(of, *series))

    def difference(self, a: Column, b: Column) -> Column:
        """Return a - b, where they are all but equal and last bits are drawn: a little more, nothing or a little less."""
        away, size = a - b, np.maximum(np.abs(a), np.abs(b))
        if self.random is None:
            return away
        return np.where((away != 0) & (np.abs(away) <= _NEAR * size), self.tie * _LAST_BITS * size, away)

    def joined(self, of: Callable[..., Any], a: Column, b: Column) -> Column:
        """Return a sum or a difference, which is as inexact as the larger of the two."""
        values = self.difference(a, b) if of is np.subtract else of(a, b)
        return self.rounded(values, np.maximum(np.abs(a), np.abs(b)))

    def compared(self, of: Callable[..., Any], a: Column, b: Column) -> Column:
        """Return whether a comparison of the difference with 0 holds."""
        return self.exactly(lambda away: of(away, 0), self.difference(a, b))

    def chosen(self, condition: Column, then: Column, otherwise: Column) -> Column:
        """Return one or the other; what is not chosen need not be known."""
        return np.where(np.isnan(condition), np.nan, np.where(condition != 0, then, otherwise))

    # ---------------------------------------------------------------- several rows
    def window(self, period: int, of: Callable[..., Any], *series: Column) -> Column:
        """Return a function of the last `period` rows on which all series are known."""
        there = np.flatnonzero(~np.isnan(series).any(axis=0))
        values = np.full(len(series[0]), np.nan, dtype=np.longdouble)
        for place in range(period - 1, len(there)):
            window = there[place - period + 1 : place + 1]
            values[there[place]] = of(*(column[window] for column in series))
        return values

    def means(self, period: float, of: Callable[..., Any], *series: Column, size: Any = None) -> Column:
        """Return a window's function that rounds, by the last bits of `size`, which may be a window's function too."""
        with np.errstate(all="ignore"):
            sizes = self.window(int(period), size, *series) if callable(size) else size
            return self.rounded(self.window(int(period), of, *series), sizes)

    def fading(self, series: Column, period: int, weight: float) -> Column:
        """Return the mean of the first `period` known values, and from then on what a new value has moved it to."""
        there = np.flatnonzero(~np.isnan(series))
        values = np.full(len(series), np.nan, dtype=np.longdouble)
        if len(there) >= period:
            values[there[period - 1]] = mean = series[there[:period]].mean()
            for row in there[period:]:
                values[row] = mean = mean + weight * (series[row] - mean)
        return self.rounded(values)

    def ema(self, series: Column, period: float) -> Column:
        return self.fading(series, int(period), 2 / (np.longdouble(period) + 1))

    def rma(self, series: Column, period: float) -> Column:
        return self.fading(series, int(period), 1 / np.longdouble(period))

    def wma(self, series: Column, period: float) -> Column:
        weights = np.arange(1, int(period) + 1, dtype=np.longdouble)
        return self.means(period, lambda window: (window * weights).sum() / weights.sum(), series, size=_most)

    def hma(self, series: Column, period: float) -> Column:
        both = self.computed(
            lambda half, whole: 2 * half - whole, self.wma(series, period // 2), self.wma(series, period)
        )
        return self.wma(both, math.isqrt(int(period)))

    def true_range(self, high: Column, low: Column, close: Column) -> Column:
        def reach(highs: Column, lows: Column, closes: Column) -> Any:
            return max(highs[1], closes[0]) - min(lows[1], closes[0])

        return self.means(2, reach, high, low, close)

    def rsi(self, series: Column, period: float) -> Column:
        change = self.means(2, lambda window: window[1] - window[0], series)
        up, down = (self.rma(self.exactly(lambda x: np.maximum(x, 0), side), period) for side in (change, -change))
        return self.computed(lambda u, d: np.where(u + d > 0, 100 * u / (u + d), 50), up, down)

    def macd_signal(self, series: Column, fast: float, slow: float, signal: float) -> Column:
        return self.ema(self.computed(np.subtract, self.ema(series, fast), self.ema(series, slow)), signal)

    def upper_band(self, series: Column, period: float, width: float) -> Column:
        deviation = self.means(period, _deviation, series)
        return self.computed(lambda m, d: m + width * d, self.means(period, np.mean, series, size=_most), deviation)

    def zscore(self, series: Column, period: float) -> Column:
        deviation, mean = self.means(period, _deviation, series), self.means(period, np.mean, series, size=_most)
        away = self.joined(np.subtract, series, mean)
        return self.computed(lambda a, d: np.where(d > 0, a / d, 0), away, deviation)

    def crossed(self, a: Column, b: Column) -> Column:
        return self.window(2, lambda window: float(window[1] > 0 >= window[0]), self.difference(a, b))

    # ---------------------------------------------------------------- everything since the first row
    def bars_since(self, condition: Column) -> Column:
        return self._remembered([condition], lambda held, row: row - held)

    def value_when(self, condition: Column, series: Column) -> Column:
        there = np.flatnonzero(~np.isnan([condition, series]).any(axis=0))
        return self._remembered([condition, series], lambda held, _: series[there[held]])

    def _remembered(self, series: list[Column], of: Callable[[int, int], Any]) -> Column:
        values, held = np.full(len(series[0]), np.nan, dtype=np.longdouble), None
        for place, row in enumerate(np.flatnonzero(~np.isnan(series).any(axis=0))):
            held = place if series[0][row] != 0 else held
            values[row] = np.nan if held is None else of(held, place)
        return values

    def cumulative(self, series: Column) -> Column:
        there, values = ~np.isnan(series), np.full(len(series), np.nan, dtype=np.longdouble)
        values[there] = np.cumsum(series[there])
        return self.rounded(values)


def _most(window: Column) -> Any:
    return np.abs(window).max()


def _reach(window: Column) -> Any:
    return np.abs(window - window[0]).max()


def _deviation(window: Column) -> Any:
    return np.sqrt(((window - window.mean()) ** 2).mean()) if (window != window[0]).any() else 0


def _moment(window: Column, power: int) -> Any:
    away = window - window.mean()
    return (away**power).mean() / (away**2).mean() ** (power / 2) if (window != window[0]).any() else np.nan


def _slope(window: Column) -> Any:
    time = np.arange(len(window)) - np.longdouble(len(window) - 1) / 2
    return (time * (window - window[0])).sum() / (time * time).sum()


def _together(a: Column, b: Column) -> tuple[Any, Any, Any]:
    x, y = a - a.mean(), b - b.mean()
    return (x * y).sum(), (x * x).sum() if (a != a[0]).any() else 0, (y * y).sum() if (b != b[0]).any() else 0


def _correlation(a: Column, b: Column) -> Any:
    product, x, y = _together(a, b)
    return np.clip(product / np.sqrt(x * y), -1, 1) if x * y > 0 else 0


def _response(a: Column, b: Column) -> Any:
    product, _, y = _together(a, b)
    return product / y if y > 0 else 0


def _quantile(window: Column, q: float) -> Any:
    ordered, place = np.sort(window), q * (len(window) - 1)
    under = int(place)
    return ordered[under] + (place - under) * (ordered[min(under + 1, len(window) - 1)] - ordered[under])


def _youngest(window: Column, extreme: Any) -> int:
    return int(np.argmax(window[::-1] == extreme))


def _exactly(of: Callable[..., Any]) -> Callable[..., Column]:
    return lambda plain, *series: plain.exactly(of, *series)


def _computed(of: Callable[..., Any]) -> Callable[..., Column]:
    return lambda plain, *series: plain.computed(of, *series)


def _compared(of: Callable[..., Any]) -> Callable[..., Column]:
    return lambda plain, a, b: plain.compared(of, a, b)


def _window(of: Callable[..., Any], more: int = 0) -> Callable[..., Column]:
    """A function of a window of one series, `more` rows longer than its period says, that rounds nothing."""
    return lambda plain, series, period: plain.window(int(period) + more, of, series)


def _mean(of: Callable[..., Any], more: int = 0, series: int = 1, size: Any = None) -> Callable[..., Column]:
    """A function of a window of one or two series that rounds."""
    return lambda plain, *given: plain.means(given[series] + more, of, *given[:series], size=size)


def _power(plain: Plain, series: Column, times: float) -> Column:
    return plain.computed(lambda x: x ** int(times), series)


INFIX = {"+", "-", "*", "/", "**", ">", "<", ">=", "<=", "==", "!=", "and", "or"}
WORDS: dict[str, Callable[..., Column]] = {
    "+": lambda plain, a, b: plain.joined(np.add, a, b),
    "-": lambda plain, a, b: plain.joined(np.subtract, a, b),
    "*": _computed(np.multiply),
    "/": _computed(np.divide),
    "**": _power,
    ">": _compared(np.greater),
    "<": _compared(np.less),
    ">=": _compared(np.greater_equal),
    "<=": _compared(np.less_equal),
    "==": _compared(np.equal),
    "!=": _compared(np.not_equal),
    "and": _exactly(lambda a, b: (a != 0) & (b != 0)),
    "or": _exactly(lambda a, b: (a != 0) | (b != 0)),
    "not": _exactly(lambda a: a == 0),
    "neg": _exactly(np.negative),
    "abs": _exactly(np.abs),
    "sign": _exactly(np.sign),
    "floor": _exactly(np.floor),
    "min": _exactly(np.minimum),
    "max": _exactly(np.maximum),
    "clip": _exactly(lambda a, low, high: np.minimum(np.maximum(a, low), high)),
    "is_known": lambda _, series: (~np.isnan(series)).astype(np.longdouble),
    "if": lambda plain, condition, then, otherwise: plain.chosen(condition, then, otherwise),
    "where": lambda plain, condition, then, otherwise: plain.chosen(condition, then, otherwise),
    "sqrt": _computed(np.sqrt),
    "log": _computed(np.log),
    "exp": _computed(np.exp),
    "sin": _computed(np.sin),
    "cos": _computed(np.cos),
    "atan": _computed(np.arctan),
    "lag": _window(lambda w: w[0], more=1),
    "diff": _mean(lambda w: w[-1] - w[0], more=1, size=_most),
    "change": _mean(lambda w: w[-1] - w[0], more=1, size=_most),
    "pct_change": _mean(lambda w: (w[-1] - w[0]) / w[0], more=1),
    "log_return": _mean(lambda w: np.log(w[-1] / w[0]), more=1),
    "sum": _mean(np.sum, size=_most),
    "sma": _mean(np.mean, size=_most),
    "ema": Plain.ema,
    "rma": Plain.rma,
    "wma": Plain.wma,
    "hma": Plain.hma,
    "linreg_value": _mean(lambda w: w.mean() + _slope(w) * (len(w) - 1) / 2, size=_most),
    "linreg_slope": _mean(_slope, size=_reach),
    "stdev": _mean(_deviation),
    "variance": _mean(lambda w: _deviation(w) ** 2),
    "zscore": Plain.zscore,
    "highest": _window(np.max),
    "lowest": _window(np.min),
    "highest_bars": _window(lambda w: _youngest(w, w.max())),
    "lowest_bars": _window(lambda w: _youngest(w, w.min())),
    "median": _mean(np.median),
    "quantile": lambda plain, series, period, q: plain.means(period, lambda w: _quantile(w, q), series),
    "rank": _mean(lambda w: 100 * (w[:-1] < w[-1]).mean(), more=1),
    "skew": _mean(lambda w: np.nan_to_num(_moment(w, 3)), size=1),
    "kurtosis": _mean(lambda w: np.nan_to_num(_moment(w, 4) - 3), size=3),
    "corr": _mean(_correlation, series=2, size=1),
    "slope": _mean(_response, series=2, size=lambda a, b: _deviation(a) / (_deviation(b) or 1)),
    "rising": _window(lambda w: float((np.diff(w) > 0).all()), more=1),
    "falling": _window(lambda w: float((np.diff(w) < 0).all()), more=1),
    "cross_over": Plain.crossed,
    "cross_under": lambda plain, a, b: plain.crossed(b, a),
    "bars_since": Plain.bars_since,
    "value_when": Plain.value_when,
    "cumulative": Plain.cumulative,
    "true_range": Plain.true_range,
    "rsi": Plain.rsi,
    "atr": lambda plain, high, low, close, period: plain.rma(plain.true_range(high, low, close), period),
    "macd__signal": Plain.macd_signal,
    "bbands__upper": Plain.upper_band,
}
"""What every word means, as a function of the series and the numbers after it."""

CALLS = WORDS.keys() - INFIX - {"if", "not", "neg"}

_HIGH, _LOW, _CLOSE, _OPEN = Tree("high"), Tree("low"), Tree("close"), Tree("open")
SHORTHANDS = {
    "hl2": Tree("*", (Tree("+", (_HIGH, _LOW)), Tree("number", (), (("0.5", 0.5),)))),
    "hlc3": Tree("/", (Tree("+", (Tree("+", (_HIGH, _LOW)), _CLOSE)), Tree("number", (), (("3", 3.0),)))),
    "rsi_5": Tree("rsi", (_CLOSE,), (("5", 5),)),
    "atr_3": Tree("atr", (_HIGH, _LOW, _CLOSE), (("3", 3),)),
    "bbands_4_2__upper": Tree("bbands__upper", (_CLOSE,), (("4", 4), ("2", 2.0))),
}
"""Words that stand without parentheses, and the calls that they are short for."""
