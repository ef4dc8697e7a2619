"""The picture of a candlestick pattern: its candles where it was seen most clearly, with what came before them in grey.

Some patterns need gaps that hours of foreign exchange do not have. Those are drawn as their docstring's example has them.
"""

from __future__ import annotations

import doctest
from typing import TYPE_CHECKING

import numpy as np

from tools.reference import sample, svg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feature_store.bars import Floats
    from feature_store.indicators.definition import Definition

WIDTH, HEIGHT = 1800, 1080
STEP = 120
CANDLES = 15
USUAL = 14
"""How many usual candles an example begins with."""

TOP, BOTTOM = 140, 820


def pattern(definition: Definition) -> str:
    """Return the picture of a candlestick pattern, as SVG."""
    example = _example(definition)
    size = example.shape[1] - USUAL
    values = sample.values_of(definition.name)["value"]
    seen = np.flatnonzero(np.nan_to_num(values))
    if len(seen):
        row = _clearest(seen, size)
        prices = sample.bars()[list(sample.PRICES)].to_numpy(float).T[:, row - CANDLES + 1 : row + 1]
        sign, note = values[row], f"{len(seen):,} in {len(values):,} bars"
    else:
        prices, sign, note = example[:, -CANDLES:], _sign(definition), "drawn; none in these bars"
    return svg.document(
        WIDTH, HEIGHT, f"{definition.name}: {note}", [*_drawn(prices, size, sign), svg.text(10, HEIGHT - 15, note)]
    )


def _example(definition: Definition) -> Floats:
    """Return the prices of the docstring's example: a row for each of open, high, low and close."""
    test = doctest.DocTestParser().get_doctest(definition.doc, {}, definition.name, None, None)
    test.examples = test.examples[:1]
    doctest.DocTestRunner(verbose=False).run(test, clear_globs=False)
    return np.array([test.globs["bars"][name] for name in sample.PRICES], float)


def _sign(definition: Definition) -> float:
    """Return the value that the docstring's example ends with."""
    return float(definition.doc.rstrip().rpartition("\n")[2].strip("[]"))


def _clearest(seen: np.ndarray, size: int) -> int:
    """Return the row on which the pattern's candles take up most nearly two thirds of the picture's height."""
    high, low = (sample.bars()[name].to_numpy() for name in ("high", "low"))

    def reach(first: int, last: int) -> float:
        return float(high[first:last].max() - low[first:last].min())

    rows = [int(row) for row in seen if row >= CANDLES]
    return min(rows, key=lambda row: abs(reach(row - size + 1, row + 1) / reach(row - CANDLES + 1, row + 1) - 2 / 3))


def _drawn(prices: Floats, size: int, sign: float) -> Iterator[str]:
    scale = svg.Scale(float(prices[2].min()), float(prices[1].max()), TOP, BOTTOM)
    x = [STEP // 2 + STEP * place for place in range(CANDLES)]
    for places, colour in ((range(CANDLES - size), svg.GREY), (range(CANDLES - size, CANDLES), svg.COLOURS[0])):
        for filled in (False, True):
            path = "".join(
                _candle(x[k], *(scale.place(price) for price in prices[:, k]))
                for k in places
                if (prices[3, k] < prices[0, k]) is np.bool_(filled)
            )
            yield svg.drawn(path, colour, 14, filled=filled)
    tip, base = (BOTTOM + 50, BOTTOM + 120) if sign > 0 else (TOP - 50, TOP - 120)
    yield svg.drawn(f"M{x[-1]} {tip}L{x[-1] - 50} {base}h100z", svg.COLOURS[1], 8, filled=True)


def _candle(x: int, open_: int, high: int, low: int, close: int) -> str:
    """Return a candle's path: the shadow above, the body around, the shadow below."""
    top, bottom = sorted((open_, close))
    shadows = (f"M{x} {high}V{top}" if high < top else "", f"M{x} {bottom}V{low}" if low > bottom else "")
    return f"M{x - 36} {top}h72v{bottom - top}h-72z".join(shadows)
