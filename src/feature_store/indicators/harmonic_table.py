"""The harmonic patterns as data: what ratios their legs have, where D must lie and where a pattern has failed.

X, A, B, C and D are five turns in a row, O the one before X. Ratios of legs are called

    ab  AB / XA    bc  BC / AB    cd  CD / BC    xc  XC / XA, how far C is from X    ox  XA / OX

and D lies on one of four scales, which begin with 0 and grow in the direction of D:

    scale   0 at   1 at
    xa      A      X
    xc      C      X
    bc      C      B
    ab      C      as far from C as B is from A

The ratios are those of Carney, Harmonic Trading, volumes 1 to 3 (2010-2016); the cypher's are Oglesbee's, those of three drives
Prechter's (1978) with Pesavento's ratios (1997). Sources differ at the edges; whoever changes a number changes the version of
the indicators that read it. A plain AB=CD is part of many of the others, so it comes last and gives way to any of them.
"""

from __future__ import annotations

from typing import NamedTuple

Range = tuple[float, float]

B_SLACK = 5.0 / 3.0
"""AB / XA may be off by 5 percent where the others may be by 3."""
SCALES = ("xa", "xc", "bc", "ab")
TARGETS = ("a", "c")

_ANY = (-1e9, 1e9)
_BC = (0.382, 0.886)


class Pattern(NamedTuple):
    """One row of the table; a ratio of which nothing is asked is None.

    Args:
        code: what the indicators answer; never given to another pattern.
        scale: of `d` and `limit`, one of `SCALES`.
        d: where D is, the defining level, from and to.
        limit: where the pattern has failed.
        ab, bc, xc, ox, cd: the ratios of legs, from and to.
        target: the turn towards which price is expected to go, one of `TARGETS`.
        yields: whether any other pattern of the same turns comes before it.
    """

    code: int
    name: str
    scale: str
    d: Range
    limit: float
    ab: Range | None = None
    bc: Range | None = None
    xc: Range | None = None
    ox: Range | None = None
    cd: Range | None = None
    target: str = "a"
    yields: bool = False


PATTERNS = (
    Pattern(1, "gartley", "xa", (0.786, 0.786), 1.0, ab=(0.618, 0.618), bc=_BC, cd=(1.13, 1.618)),
    Pattern(2, "bat", "xa", (0.886, 0.886), 1.0, ab=(0.382, 0.5), bc=_BC, cd=(1.618, 2.618)),
    Pattern(3, "alternate bat", "xa", (1.13, 1.13), 1.27, ab=(0.0, 0.382), bc=_BC, cd=(2.0, 3.618)),
    Pattern(4, "butterfly", "xa", (1.27, 1.27), 1.414, ab=(0.786, 0.786), bc=_BC, cd=(1.618, 2.24)),
    Pattern(5, "crab", "xa", (1.618, 1.618), 2.0, ab=(0.382, 0.618), bc=_BC, cd=(2.24, 3.618)),
    Pattern(6, "deep crab", "xa", (1.618, 1.618), 2.0, ab=(0.886, 0.886), bc=_BC, cd=(2.0, 3.618)),
    Pattern(7, "shark", "xa", (0.886, 1.13), 1.13, bc=(1.13, 1.618), cd=(1.618, 2.24)),
    Pattern(8, "cypher", "xc", (0.786, 0.786), 1.0, ab=(0.382, 0.618), xc=(1.272, 1.414), cd=(1.272, 2.0)),
    Pattern(9, "5-0", "bc", (0.5, 0.5), 0.618, ab=(1.13, 1.618), bc=(1.618, 2.24), target="c"),
    # both drives have the same ratio to the correction before them
    Pattern(11, "three drives", "bc", (1.27, 1.27), 1.618, ab=(1.27, 1.27), bc=(0.618, 0.786), ox=(0.618, 0.786)),
    Pattern(11, "three drives", "bc", (1.618, 1.618), 2.0, ab=(1.618, 1.618), bc=(0.618, 0.786), ox=(0.618, 0.786)),
    Pattern(10, "ab=cd", "ab", (1.0, 1.0), 1.27, bc=_BC, cd=(1.13, 2.618), yields=True),
)
"""Every pattern, those that yield last."""

NAMES = {pattern.code: pattern.name for pattern in PATTERNS}
"""Code -> name."""


def row(pattern: Pattern) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Return a pattern as a step reads it: what it is, and the least and the most of its ratios ab, bc, xc, ox, cd and d."""
    known = (pattern.ab, pattern.bc, pattern.xc, pattern.ox)
    rules = (*known, pattern.cd, pattern.d)
    counts = (sum(rule is not None for rule in known), sum(rule is not None for rule in rules))
    places = (SCALES.index(pattern.scale), TARGETS.index(pattern.target), pattern.yields)
    about = (pattern.code, pattern.limit, *places, *counts)
    lows, highs = zip(*(rule or _ANY for rule in rules), strict=True)
    return tuple(map(float, about)), lows, highs


ROWS = tuple(map(row, PATTERNS))
"""All patterns as a step reads them."""

CELLS = tuple(float(cell) for each in ROWS for part in each for cell in part)
"""The rows one after another: WIDTH cells each, of which the least of the ratios begin at LOWS and the most at HIGHS."""
LOWS, HIGHS, WIDTH, SIZE = 7, 13, 19, len(CELLS)
