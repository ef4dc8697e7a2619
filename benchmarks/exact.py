"""Formulas in decimal arithmetic of 60 digits, which is exact as far as a double can tell, one list of values an output.

A price is the double itself, to its last bit. Averages begin from their first value, as what an average began from is forgotten
long before the rows that are compared. A list has None where there is no value yet.
"""

from __future__ import annotations

from decimal import Decimal, localcontext
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    Column = list[Decimal]
    Columns = dict[str, Column]

DIGITS = 60
HUNDRED = Decimal(100)


def exactly(name: str, bars: dict[str, np.ndarray]) -> list[list[float]]:
    """Return the outputs of a formula, each value rounded once, NaN where there is none."""
    with localcontext() as context:
        context.prec = DIGITS
        outputs = FORMULAS[name]({column: [Decimal(float(x)) for x in values] for column, values in bars.items()})
        return [[float("nan") if x is None else float(x) for x in output] for output in outputs]


# ---------------------------------------------------------------- windows and averages
def over(function: Callable[..., Decimal], period: int, *columns: Column) -> Column:
    """Return what a function makes of each window of columns; None where a window is not whole."""
    made: Column = []
    for row in range(len(columns[0])):
        windows = [column[max(row - period + 1, 0) : row + 1] for column in columns]
        whole = len(windows[0]) == period and all(x is not None for window in windows for x in window)
        made.append(function(*windows) if whole else None)
    return made


def each(function: Callable[..., Decimal], *columns: Column) -> Column:
    """Return what a function makes of each row; None where a column has none."""
    return [None if None in row else function(*row) for row in zip(*columns, strict=True)]


def ago(column: Column, bars: int) -> Column:
    return [*([None] * bars), *column[: len(column) - bars]]


def fading(column: Column, weight: Decimal) -> Column:
    """Return the average that moves by `weight` of the way to each value."""
    made: Column = []
    for x in column:
        before = made[-1] if made else None
        made.append(x if before is None or x is None else before + weight * (x - before))
    return made


def ema(column: Column, period: int) -> Column:
    return fading(column, Decimal(2) / (period + 1))


def rma(column: Column, period: int) -> Column:
    return fading(column, Decimal(1) / period)


def mean(window: Sequence[Decimal]) -> Decimal:
    return sum(window) / Decimal(len(window))


def power(window: Sequence[Decimal], exponent: int) -> Decimal:
    """Return the mean power of the distances from the mean."""
    middle = mean(window)
    return mean([(x - middle) ** exponent for x in window])


def product(first: Sequence[Decimal], second: Sequence[Decimal]) -> Decimal:
    """Return the mean product of two series' distances from their means."""
    a, b = mean(first), mean(second)
    return mean([(x - a) * (y - b) for x, y in zip(first, second, strict=True)])


def deviation(window: Sequence[Decimal]) -> Decimal:
    return power(window, 2).sqrt()


def weighted(window: Sequence[Decimal]) -> Decimal:
    return sum(x * weight for weight, x in enumerate(window, 1)) / Decimal(len(window) * (len(window) + 1) // 2)


def slope(window: Sequence[Decimal]) -> Decimal:
    times = [Decimal(time) for time in range(len(window))]
    return product(times, window) / power(times, 2)


def line(place: int) -> Callable[[Sequence[Decimal]], Decimal]:
    """Return what reads the fitted line of a window `place` bars after the window's first."""
    return lambda window: mean(window) + slope(window) * (place - Decimal(len(window) - 1) / 2)


def sma(column: Column, period: int) -> Column:
    return over(mean, period, column)


def wma(column: Column, period: int) -> Column:
    return over(weighted, period, column)


# ---------------------------------------------------------------- bars
def typical(b: Columns) -> Column:
    return each(lambda h, lo, c: (h + lo + c) / 3, b["high"], b["low"], b["close"])


def reach(b: Columns) -> Column:
    """The true range."""
    return each(lambda h, lo, before: max(h, before) - min(lo, before), b["high"], b["low"], ago(b["close"], 1))


def place(b: Columns, period: int) -> Column:
    """How far up its window's range the close stands, 0..100."""
    return over(
        lambda h, lo, c: HUNDRED * (c[-1] - min(lo)) / (max(h) - min(lo)), period, b["high"], b["low"], b["close"]
    )


def moves(column: Column) -> tuple[Column, Column, Column]:
    """Return each change, what of it is upward, and what downward."""
    change = [None, *(now - before for before, now in pairwise(column))]
    return change, each(lambda x: max(x, Decimal(0)), change), each(lambda x: max(-x, Decimal(0)), change)


def ways(b: Columns) -> tuple[Column, Column]:
    """Return the directional movement up and down (Wilder 1978)."""
    _, up, _ = moves(b["high"])
    _, _, down = moves(b["low"])
    return each(lambda x, y: x if x > y else Decimal(0), up, down), each(
        lambda x, y: y if y > x else Decimal(0), up, down
    )


# ---------------------------------------------------------------- formulas of several lines
def kama(column: Column, period: int, fast: int, slow: int) -> Column:
    quick, calm = Decimal(2) / (fast + 1), Decimal(2) / (slow + 1)
    paces = each(lambda share: (share * (quick - calm) + calm) ** 2, efficiency(column, period))
    made: Column = []
    for x, pace in zip(column, paces, strict=True):
        made.append(x if pace is None else made[-1] + pace * (x - made[-1]))
    return made


def efficiency(column: Column, period: int) -> Column:
    return over(lambda w: abs(w[-1] - w[0]) / sum(abs(b - a) for a, b in pairwise(w)), period + 1, column)


def t3(column: Column, period: int, factor: float) -> Column:
    for _ in range(3):
        column = dema_with(column, period, Decimal(factor))
    return column


def dema_with(column: Column, period: int, factor: Decimal) -> Column:
    once = ema(column, period)
    return each(lambda a, b: a * (1 + factor) - b * factor, once, ema(once, period))


def rsi(column: Column, period: int) -> Column:
    _, up, down = moves(column)
    return each(lambda u, d: HUNDRED * u / (u + d), rma(up, period), rma(down, period))


def macd(column: Column, fast: int, slow: int, signal: int) -> list[Column]:
    main = each(lambda a, b: a - b, ema(column, fast), ema(column, slow))
    average = ema(main, signal)
    return [main, average, each(lambda a, b: a - b, main, average)]


def trix(column: Column, period: int) -> Column:
    thrice = ema(ema(ema(column, period), period), period)
    return each(lambda now, before: HUNDRED * (now / before - 1), thrice, ago(thrice, 1))


def tsi(column: Column, first: int, second: int) -> Column:
    change, _, _ = moves(column)
    size = each(abs, change)
    return each(lambda a, b: HUNDRED * a / b, *(ema(ema(x, first), second) for x in (change, size)))


def bands(column: Column, period: int, width: int) -> list[Column]:
    middle, aside = sma(column, period), over(deviation, period, column)
    return [each(lambda m, s, k=k: m + k * s, middle, aside) for k in (width, 0, -width)]


def cci(b: Columns, period: int) -> Column:
    def index(window: Sequence[Decimal]) -> Decimal:
        middle = mean(window)
        return (window[-1] - middle) / (Decimal("0.015") * mean([abs(x - middle) for x in window]))

    return over(index, period, typical(b))


def share(period: int, gains: Column, losses: Column, scale: Callable[[Decimal, Decimal], Decimal]) -> Column:
    return over(lambda up, down: HUNDRED * scale(sum(up), sum(down)), period, gains, losses)


def mfi(b: Columns, period: int) -> Column:
    price = typical(b)
    change, _, _ = moves(price)
    flow = each(lambda p, v: p * v, price, b["tick_volume"])
    gains = each(lambda x, f: f if x > 0 else Decimal(0), change, flow)
    losses = each(lambda x, f: f if x < 0 else Decimal(0), change, flow)
    return share(period, gains, losses, lambda up, down: up / (up + down))


def cmf(b: Columns, period: int) -> Column:
    flow = each(
        lambda h, lo, c, v: v * ((c - lo) - (h - c)) / (h - lo), b["high"], b["low"], b["close"], b["tick_volume"]
    )
    return over(lambda f, v: sum(f) / sum(v), period, flow, b["tick_volume"])


def directional(b: Columns, period: int) -> list[Column]:
    """Return ADX, +DI and -DI."""
    width = rma(reach(b), period)
    plus, minus = (each(lambda x, r: HUNDRED * x / r, rma(way, period), width) for way in ways(b))
    index = each(lambda p, m: HUNDRED * abs(p - m) / (p + m), plus, minus)
    return [rma(index, period), plus, minus]


def vortex(b: Columns, period: int) -> list[Column]:
    plus = each(lambda h, lo: abs(h - lo), b["high"], ago(b["low"], 1))
    minus = each(lambda lo, h: abs(lo - h), b["low"], ago(b["high"], 1))
    return [over(lambda x, r: sum(x) / sum(r), period, way, reach(b)) for way in (plus, minus)]


def ultimate(b: Columns) -> Column:
    pressure = each(lambda lo, c, before: c - min(lo, before), b["low"], b["close"], ago(b["close"], 1))
    parts = [over(lambda x, r: sum(x) / sum(r), n, pressure, reach(b)) for n in (7, 14, 28)]
    return each(lambda a, m, z: HUNDRED * (4 * a + 2 * m + z) / 7, *parts)


def mass(b: Columns, period: int, total: int) -> Column:
    width = each(lambda h, lo: h - lo, b["high"], b["low"])
    once = ema(width, period)
    return over(sum, total, each(lambda x, y: x / y, once, ema(once, period)))


def beta(own: Column, other: Column, period: int) -> Column:
    mine, theirs = (each(lambda now, before: now / before - 1, x, ago(x, 1)) for x in (own, other))
    return over(lambda x, y: product(x, y) / power(x, 2), period, theirs, mine)


def correlation(first: Sequence[Decimal], second: Sequence[Decimal]) -> Decimal:
    return product(first, second) / (power(first, 2) * power(second, 2)).sqrt()


def skew(window: Sequence[Decimal]) -> Decimal:
    return power(window, 3) / power(window, 2) ** Decimal("1.5")


def kurtosis(window: Sequence[Decimal]) -> Decimal:
    return power(window, 4) / power(window, 2) ** 2 - 3


def _difference(a: Decimal, b: Decimal) -> Decimal:
    return a - b


FORMULAS: dict[str, Callable[[Columns], list[Column]]] = {
    "sma_50": lambda b: [sma(b["close"], 50)],
    "ema_20": lambda b: [ema(b["close"], 20)],
    "rma_14": lambda b: [rma(b["close"], 14)],
    "wma_20": lambda b: [wma(b["close"], 20)],
    "kama_10_2_30": lambda b: [kama(b["close"], 10, 2, 30)],
    "dema_20": lambda b: [dema_with(b["close"], 20, Decimal(1))],
    "tema_20": lambda b: [
        each(lambda x, y, z: 3 * x - 3 * y + z, x := ema(b["close"], 20), y := ema(x, 20), ema(y, 20))
    ],
    "t3_5_0.7": lambda b: [t3(b["close"], 5, 0.7)],
    "hma_20": lambda b: [wma(each(lambda x, y: 2 * x - y, wma(b["close"], 10), wma(b["close"], 20)), 4)],
    "trima_20": lambda b: [sma(sma(b["close"], 10), 11)],
    "zlema_20": lambda b: [ema(each(lambda x, y: 2 * x - y, b["close"], ago(b["close"], 9)), 20)],
    "vwma_20": lambda b: [
        over(lambda x, v: sum(p * q for p, q in zip(x, v, strict=True)) / sum(v), 20, b["close"], b["tick_volume"])
    ],
    "linreg_14": lambda b: [over(line(13), 14, b["close"])],
    "linreg_slope_14": lambda b: [over(slope, 14, b["close"])],
    "linreg_intercept_14": lambda b: [over(line(0), 14, b["close"])],
    "tsf_14": lambda b: [over(line(14), 14, b["close"])],
    "bbands_20_2": lambda b: bands(b["close"], 20, 2),
    "stdev_20": lambda b: [over(deviation, 20, b["close"])],
    "variance_20": lambda b: [over(lambda w: power(w, 2), 20, b["close"])],
    "zscore_20": lambda b: [over(lambda w: (w[-1] - mean(w)) / deviation(w), 20, b["close"])],
    "skew_30": lambda b: [over(skew, 30, b["close"])],
    "kurtosis_30": lambda b: [over(kurtosis, 30, b["close"])],
    "correl_20": lambda b: [over(correlation, 20, b["close"], b["other"])],
    "beta_20": lambda b: [beta(b["close"], b["other"], 20)],
    "sum_20": lambda b: [over(sum, 20, b["close"])],
    "rsi_14": lambda b: [rsi(b["close"], 14)],
    "macd_12_26_9": lambda b: macd(b["close"], 12, 26, 9),
    "apo_12_26": lambda b: macd(b["close"], 12, 26, 9)[:1],
    "ppo_12_26_9.line": lambda b: [each(lambda x, y: HUNDRED * (x - y) / y, ema(b["close"], 12), ema(b["close"], 26))],
    "trix_15_9.value": lambda b: [trix(b["close"], 15)],
    "tsi_25_13_7.value": lambda b: [tsi(b["close"], 25, 13)],
    "mom_10": lambda b: [each(_difference, b["close"], ago(b["close"], 10))],
    "roc_10": lambda b: [each(lambda x, y: HUNDRED * (x - y) / y, b["close"], ago(b["close"], 10))],
    "cmo_14": lambda b: [share(14, *moves(b["close"])[1:], lambda up, down: (up - down) / (up + down))],
    "cmo_wilder_14": lambda b: [each(lambda x: 2 * x - HUNDRED, rsi(b["close"], 14))],
    "er_10": lambda b: [efficiency(b["close"], 10)],
    "cci_20": lambda b: [cci(b, 20)],
    "stochf_14_3": lambda b: [place(b, 14), sma(place(b, 14), 3)],
    "stoch_14_3_3": lambda b: [slow := sma(place(b, 14), 3), sma(slow, 3)],
    "willr_14": lambda b: [each(lambda x: x - HUNDRED, place(b, 14))],
    "uo_7_14_28": lambda b: [ultimate(b)],
    "atr_14": lambda b: [rma(reach(b), 14)],
    "natr_14": lambda b: [each(lambda x, c: HUNDRED * x / c, rma(reach(b), 14), b["close"])],
    "adx_14": lambda b: directional(b, 14),
    "vortex_14": lambda b: vortex(b, 14),
    "mass_9_25": lambda b: [mass(b, 9, 25)],
    "qstick_10": lambda b: [sma(each(_difference, b["close"], b["open"]), 10)],
    "mfi_14": lambda b: [mfi(b, 14)],
    "cmf_20": lambda b: [cmf(b, 20)],
    "efi_13": lambda b: [ema(each(lambda x, v: x * v, moves(b["close"])[0], b["tick_volume"]), 13)],
}
"""The formulas by the label of the shared function."""
