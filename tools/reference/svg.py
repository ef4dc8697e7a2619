"""Parts of a picture as SVG text. Lengths are whole tenths of a pixel, so that equal values give equal bytes.

Colours read on a white page and on a dark one, since a picture in a page cannot know which it is on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

COLOURS = ("#3b82f6", "#d9730d", "#2a9d5c", "#a05fe0", "#e0484d", "#1f93a3", "#d6559e", "#a8831a", "#64748b")
GREY = "#7a828c"
TEXT = 105
"""Height of the letters."""


@dataclass(frozen=True)
class Scale:
    """Where a value is drawn: `low` at the place `bottom`, `high` at the place `top`."""

    low: float
    high: float
    top: int
    bottom: int

    def place(self, value: float) -> int:
        """Return how far down the picture a value is."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.bottom - share * (self.bottom - self.top))

    def places(self, values: Iterable[float]) -> list[int | None]:
        """Return the places of values, None of those that are not known."""
        return [None if math.isnan(value) else self.place(value) for value in values]

    def marks(self) -> dict[float, str]:
        """Return round numbers from `low` to `high`, as they are written: at least two, and about one for 40 pixels.

        >>> Scale(1.0712, 1.0764, 0, 1000).marks()
        {1.072: '1.072', 1.074: '1.074', 1.076: '1.076'}
        >>> Scale(-2e5, 1e5, 0, 1200).marks()
        {-200000.0: '-200k', -100000.0: '-100k', 0.0: '0', 100000.0: '100k'}
        """
        wanted = max(2, (self.bottom - self.top) // 400)
        step, places = next(made for made in self._steps() if len(made[1]) >= wanted)
        return {place * step: _written(place * step, step) for place in places}

    def _steps(self) -> Iterator[tuple[float, range]]:
        """Yield 5, 2 and 1 times ever smaller powers of ten, with the multiples of each that are in reach."""
        power = 10.0 ** math.ceil(math.log10(self.high - self.low))
        while True:
            for times in (5, 2, 1):
                step = times * power
                yield step, range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)
            power /= 10


def line(places: Sequence[tuple[int, int | None]]) -> str:
    """Return the path through points; a point without a place is a gap."""
    path, before = "", None
    for x, y in places:
        if y is not None:
            path += f"M{x} {y}" if before is None else f"l{x - before[0]}{_signed(y - before[1])}"
        before = None if y is None else (x, y)
    return path


def stairs(places: Sequence[tuple[int, int | None]], width: int) -> str:
    """Return the path of values that stay for `width` each; a gap where one has no place."""
    path, before = "", None
    for y, run in _runs(places):
        if y is not None:
            path += f"M{run[0] - width // 2} {y}" if before is None else f"v{y - before}"
            path += f"h{width * len(run)}"
        before = y
    return path


def strokes(places: Iterable[tuple[int, int, int]]) -> str:
    """Return vertical strokes, each at x from one place to another."""
    path, before = "", (0, 0)
    for x, start, end in places:
        if start != end:
            path += f"m{x - before[0]}{_signed(start - before[1])}v{end - start}"
            before = (x, end)
    return path


def stripes(places: Sequence[tuple[int, int | None]], width: int) -> str:
    """Return horizontal strokes where there is a place, `width` for each."""
    return "".join(f"M{run[0] - width // 2} {y}h{width * len(run)}" for y, run in _runs(places) if y is not None)


def drawn(path: str, colour: str, thick: int, opacity: float = 1.0, *, filled: bool = False) -> str:
    """Return the element that draws a path."""
    faint = f' opacity="{opacity:g}"' if opacity < 1 else ""
    inside = f' fill="{colour}"' if filled else ""
    return f'<path stroke="{colour}" stroke-width="{thick}"{faint}{inside} d="{path}"/>' if path else ""


def text(x: int, y: int, said: str, colour: str = GREY, *, ends: bool = False) -> str:
    """Return a line of text that begins at `x`, or ends there."""
    anchor = ' text-anchor="end"' if ends else ""
    return f'<text x="{x}" y="{y}" fill="{colour}"{anchor}>{said}</text>'


def words(x: int, y: int, said: Iterable[tuple[str, str]]) -> str:
    """Return a line of words, each with its colour."""
    spans = (
        f'<tspan dx="{60 * (place > 0)}" fill="{colour}">{word}</tspan>' for place, (word, colour) in enumerate(said)
    )
    return f'<text x="{x}" y="{y}">{"".join(spans)}</text>'


def document(width: int, height: int, title: str, body: Iterable[str]) -> str:
    """Return a whole picture of so many tenths of a pixel: paths first, words upon them."""
    elements = list(body)
    size = f'width="{width // 10}" height="{height // 10}" viewBox="0 0 {width} {height}"'
    font = f'font-family="system-ui,sans-serif" font-size="{TEXT}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" {font}>',
        f"<title>{title}</title>",
        '<g fill="none" stroke-linejoin="round">',
        *(each for each in elements if each.startswith("<path")),
        "</g>",
        *(each for each in elements if each.startswith("<text")),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _written(value: float, step: float) -> str:
    """Return a mark's number, no longer than its neighbours need."""
    if step >= 1e3:  # noqa: PLR2004  thousands
        return f"{value / 1e3:.0f}k" if round(value) else "0"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return f"{value:.1g}" if decimals > 5 and abs(value) < 20 * step else f"{value:.{decimals}f}"  # noqa: PLR2004


def _signed(length: int) -> str:
    return f"{length}" if length < 0 else f" {length}"


def _runs(places: Sequence[tuple[int, int | None]]) -> Iterator[tuple[int | None, list[int]]]:
    """Yield each run of equal places with where its members are."""
    for y, run in groupby(places, key=lambda place: place[1]):
        yield y, [x for x, _ in run]
