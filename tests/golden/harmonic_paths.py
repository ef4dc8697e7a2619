"""Prices that make a harmonic pattern by construction: turns from exact ratios, and straight legs between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LEG = 6
"""Bars a leg."""


@dataclass(frozen=True)
class Shape:
    """Ratios that make one pattern: AB / XA, how far C is (of AB from B, or of XA from X), and D on the pattern's scale."""

    code: int
    ab: float
    c: float
    d: float
    scale: str = "xa"
    c_of: str = "ab"
    ox: float = 1.1  # XA / OX; in no pattern but three drives is anything asked of it

    def turns(self, side: int = 1) -> dict[str, float]:
        """Return O X A B C D of a pattern after which a rise is expected (side 1) or a fall (-1), XA being 10 long."""
        x, a = 100.0, 100.0 + side * 10.0
        o = x + (a - x) / self.ox
        b = a - self.ab * (a - x)
        c = b + self.c * (a - b) if self.c_of == "ab" else x + self.c * (a - x)
        origin, span = {"xa": (a, a - x), "xc": (c, c - x), "bc": (c, c - b), "ab": (c, a - b)}[self.scale]
        return {"o": o, "x": x, "a": a, "b": b, "c": c, "d": origin - self.d * span}


SHAPES = {
    "gartley": Shape(1, 0.618, 0.5, 0.786),
    "bat": Shape(2, 0.45, 0.7, 0.886),
    "alternate bat": Shape(3, 0.382, 0.8, 1.13),
    "butterfly": Shape(4, 0.786, 0.6, 1.27),
    "crab": Shape(5, 0.6, 0.8, 1.618),
    "deep crab": Shape(6, 0.886, 0.6, 1.618),
    "shark": Shape(7, 0.5, 1.3, 1.0),
    "cypher": Shape(8, 0.5, 1.3, 0.786, scale="xc", c_of="xa"),
    "5-0": Shape(9, 1.3, 1.8, 0.5, scale="bc"),
    "ab=cd": Shape(10, 0.7, 0.6, 1.0, scale="ab"),
    "three drives": Shape(11, 1.27, 0.7, 1.27, scale="bc", ox=0.7),
    "three wide drives": Shape(11, 1.618, 0.65, 1.618, scale="bc", ox=0.65),
}
"""One exact shape of every row of the table."""


def path(turns: dict[str, float], noise: float = 0.0, after: int = LEG) -> tuple[dict[str, np.ndarray], dict[str, int]]:
    """Return bars through two earlier turns and these, and the row of each; the last leg goes back from D for `after` bars.

    With noise the bars between turns have ranges, up to that share of what price goes a bar, so that turns stay the extremes.
    """
    side = np.sign(turns["a"] - turns["x"])
    o = turns["o"]
    prices = [o, o - 9.0 * side, o - 2.0 * side, o - 12.5 * side, *turns.values(), turns["d"] + side * 4.0]
    rows = np.arange(len(prices)) * LEG
    way = np.interp(np.arange(rows[-1] + 1), rows, prices)
    reach = np.zeros(len(way))
    inside = np.setdiff1d(np.arange(len(way)), rows)
    slope = np.minimum(np.abs(np.diff(way)[inside - 1]), np.abs(np.diff(way)[np.minimum(inside, len(way) - 2)]))
    reach[inside] = noise * slope * np.random.default_rng(7).random(len(inside))
    bars = {"high": way + reach, "low": way - reach, "close": way}
    end = int(rows[-2]) + after + 1
    return {name: column[:end] for name, column in bars.items()}, dict(zip(turns, rows[4:].tolist(), strict=False))
