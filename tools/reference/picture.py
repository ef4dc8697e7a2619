"""The picture of an indicator: candles with what belongs to prices, and panels below for what does not.

1. Outputs are put into panels: prices upon the candles; others below, together where one scale fits them; flags and
   directions as lanes.
2. Panels are stacked, each as high as its kind needs, and get a scale that holds their values.
3. Each output is drawn the way its values are: as a line, as stairs where they mostly stay, as strokes from zero where each
   bar has a value of its own, or as candles. Prices that come with how many bars ago they were are joined where they were.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

import feature_store as fs
from feature_store.bars import OTHER
from tools.reference import sample, svg

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feature_store.bars import Floats
    from feature_store.indicators.definition import Definition

WIDTH = 6400
STEP = 36
LEFT = 20
RIGHT = LEFT + sample.BARS * STEP
HEADER = 170
LANE = 130
DATES = 190

ON_PRICE = {"price", "proportional price"}
LANES = {"flag", "direction"}
SHARED = {"0..100", "index"}
"""Units that are read off one scale: an index may leave 0..100, as a line beside such a value does."""

OWN_OF_EACH_BAR = {"price change", "ratio", "log return", "-1..1", "0..1"}
"""Units of which a value that looks at no more than two bars is drawn as a stroke from zero."""

X = [LEFT + STEP // 2 + STEP * place for place in range(sample.BARS)]


class Curve(NamedTuple):
    """One output: its values in the window, its colour, and whether it is drawn as strokes from zero."""

    name: str
    unit: str
    series: Floats
    colour: str
    strokes: bool = False

    @property
    def known(self) -> Floats:
        """Its values but those that are not known."""
        return self.series[~np.isnan(self.series)]

    @property
    def stays(self) -> bool:
        """Whether most of its values are the ones before."""
        return bool(np.mean(np.diff(self.series) == 0) > 0.6)  # noqa: PLR2004


@dataclass
class Panel:
    """Outputs that share a place in the picture: `price`, `candles`, `lanes` or `own` for a scale of their own."""

    kind: str
    curves: list[Curve] = field(default_factory=list)
    height: int = 0


def picture(definition: Definition) -> str:
    """Return the picture of an indicator with its default parameters, as SVG."""
    values = sample.values_of(definition.name)
    rows = sample.window(values)
    bars = sample.bars().iloc[rows]
    curves = _curves(definition, {name: series[rows] for name, series in values.items()})
    panels = _panels(curves, float(bars["low"].min()), float(bars["high"].max()))
    height = sum(panel.height for panel in panels) + DATES
    volume = bars["tick_volume"].to_numpy(float) if "tick_volume" in definition.inputs else None
    name = fs.feature(definition.name).id
    body = [*_days(bars, height - DATES)]
    top = 0
    for panel in panels:
        body += [*_drawn(panel, top, bars, volume), _header(panel, top + 120, name)]
        top += panel.height
    if OTHER in definition.inputs:
        body.append(svg.text(RIGHT, 120, f"beside the price {sample.OTHER_BARS_BEFORE} bars before", ends=True))
    return svg.document(WIDTH, height, f"{name} on EUR/USD, 1h", body)


# ---------------------------------------------------------------- panels
def _curves(definition: Definition, values: dict[str, Floats]) -> list[Curve]:
    """Return a curve for each output, and one in place of all prices that come with how many bars ago they were."""
    looks_back = fs.feature(definition.name).warmup > 1 or definition.describe()["memory"] not in {
        "pointwise",
        "window",
    }
    units = dict(zip(definition.outputs, definition.units, strict=True))
    ages = {name: age for name in values if (age := "bars" if name == "value" else f"{name}_bars") in values}
    curves = []
    if ages:
        legs = _where_they_were([(values[name], values[age]) for name, age in ages.items()])
        curves.append(Curve(" ".join(ages), units[next(iter(ages))], legs, svg.COLOURS[0]))
    for name, unit in units.items():
        if name not in {*ages, *ages.values()}:
            colour = svg.COLOURS[len(curves) % len(svg.COLOURS)]
            strokes = name == "histogram" or (unit in OWN_OF_EACH_BAR and not looks_back)
            curves.append(Curve(name, unit, values[name], colour, strokes))
    return curves


def _where_they_were(told: list[tuple[Floats, Floats]]) -> Floats:
    """Return the price of each bar that later bars point back to, on a straight line between two of them."""
    points = {
        row - int(age): price
        for prices, ages in told
        for row, (price, age) in enumerate(zip(prices.tolist(), ages.tolist(), strict=True))
        if row - age >= 0
    }
    places = sorted(points)
    prices = [points[place] for place in places]
    return np.asarray(np.interp(range(sample.BARS), places, prices, left=math.nan, right=math.nan), float)


def _panels(curves: list[Curve], low: float, high: float) -> list[Panel]:
    if tuple(curve.name for curve in curves) == sample.PRICES:
        return [Panel("price", height=1200), Panel("candles", curves, 1200)]
    price, lanes, below = Panel("price"), Panel("lanes"), list[Panel]()
    for curve in curves:
        near = abs(float(np.nanmedian(curve.series)) - low) < 10 * (high - low)
        if curve.unit in LANES:
            lanes.curves.append(curve)
        elif curve.unit in ON_PRICE and near:
            price.curves.append(curve)
        else:
            home = next((panel for panel in below if _alike(panel.curves[0], curve)), Panel("own"))
            below += [] if home.curves else [home]
            home.curves.append(curve)
    price.height = 2200 if not below else 1400 if price.curves else 1150
    for panel in below:
        panel.height = 1100 if len(below) == 1 else 750
    lanes.height = HEADER + LANE * len(lanes.curves)
    return [price, *below, *([lanes] if lanes.curves else [])]


def _alike(one: Curve, other: Curve) -> bool:
    """Whether two outputs can be read off one scale: their units go together, and neither is flat beside the other."""
    sizes = sorted(float(np.ptp(curve.known)) if len(curve.known) else 0.0 for curve in (one, other))
    return (one.unit == other.unit or {one.unit, other.unit} == SHARED) and sizes[1] <= 10 * sizes[0]


# ---------------------------------------------------------------- drawing
def _drawn(panel: Panel, top: int, bars: pd.DataFrame, volume: Floats | None) -> Iterator[str]:
    if panel.kind == "lanes":
        yield from _lanes(panel, top + HEADER)
        return
    scale = _scale(panel, bars, top + HEADER, top + panel.height - 40)
    yield from _grid(scale)
    if panel.kind == "candles":
        yield from _candles([curve.series for curve in panel.curves], scale, svg.COLOURS[0])
        return
    if panel.kind == "price":
        if volume is not None:
            yield _volume(volume, scale)
        yield from _candles([bars[name].to_numpy(float) for name in sample.PRICES], scale, svg.GREY)
    for curve in panel.curves:
        yield _curve(curve, scale)


def _scale(panel: Panel, bars: pd.DataFrame, top: int, bottom: int) -> svg.Scale:
    """Return the scale that holds a panel's values, and of those far from the candles as many as leave these readable."""
    ends = np.concatenate([curve.known for curve in panel.curves] or [np.empty(0)])
    if panel.kind == "price":
        low, high = float(bars["low"].min()), float(bars["high"].max())
        room = 0.6 * (high - low)
        ends = np.concatenate([ends.clip(low - room, high + room), [low, high]])
    elif any(curve.strokes for curve in panel.curves):
        ends = np.append(ends, 0.0)
    low, high = (float(ends.min()), float(ends.max())) if len(ends) else (0.0, 0.0)
    room = 0.04 * (high - low) or 0.01 * abs(high) or 1.0
    return svg.Scale(low - room, high + room, top, bottom)


def _curve(curve: Curve, scale: svg.Scale) -> str:
    seen = (float(value) if scale.low <= value <= scale.high else math.nan for value in curve.series)
    places = list(zip(X, scale.places(seen), strict=True))
    if curve.strokes:
        zero = scale.place(0.0)
        path = svg.strokes((x, zero, y) for x, y in places if y is not None)
        return svg.drawn(path, curve.colour, 22, 0.8)
    return svg.drawn(svg.stairs(places, STEP) if curve.stays else svg.line(places), curve.colour, 14)


def _candles(prices: list[Floats], scale: svg.Scale, colour: str) -> Iterator[str]:
    """Yield candles, of which those that fell are darker."""
    open_, high, low, close = prices
    known = [place for place in range(len(X)) if not math.isnan(open_[place])]
    wicks = [(X[place], scale.place(high[place]), scale.place(low[place])) for place in known]
    yield svg.drawn(svg.strokes(wicks), colour, 7, 0.7)
    for fell, opacity in ((False, 0.5), (True, 1)):
        bodies = [
            _body(X[place], scale.place(open_[place]), scale.place(close[place]))
            for place in known
            if bool(close[place] < open_[place]) == fell
        ]
        yield svg.drawn(svg.strokes(bodies), colour, 24, opacity)


def _body(x: int, open_: int, close: int) -> tuple[int, int, int]:
    """Return a body's stroke, never so short that it cannot be seen."""
    top, bottom = sorted((open_, close))
    return x, top, max(bottom, top + 7)


def _volume(volume: Floats, scale: svg.Scale) -> str:
    """Return tick volume, in the lowest quarter of the panel."""
    own = svg.Scale(0.0, float(volume.max()), scale.bottom - (scale.bottom - scale.top) // 4, scale.bottom)
    return svg.drawn(
        svg.strokes((x, own.bottom, own.place(v)) for x, v in zip(X, volume, strict=True)), svg.GREY, 24, 0.3
    )


def _lanes(panel: Panel, top: int) -> Iterator[str]:
    for place, curve in enumerate(panel.curves):
        middle = top + LANE * place + 20
        levels = {1.0: middle - 25, -1.0: middle + 25} if curve.unit == "direction" else {1.0: middle}
        places = [(x, levels.get(float(value))) for x, value in zip(X, curve.series, strict=True)]
        yield svg.drawn(f"M{LEFT} {middle}H{RIGHT}", svg.GREY, 5, 0.4)
        yield svg.drawn(svg.stripes(places, STEP), curve.colour, 80 // len(levels), 0.8)
        if len(panel.curves) > 1:
            yield svg.text(RIGHT + 40, middle + 35, curve.name, curve.colour)


def _grid(scale: svg.Scale) -> Iterator[str]:
    for value, written in scale.marks().items():
        y = scale.place(value)
        yield svg.drawn(f"M{LEFT} {y}H{RIGHT}", svg.GREY, 5, 0.3)
        yield svg.text(RIGHT + 40, y + 35, written)


def _days(bars: pd.DataFrame, bottom: int) -> Iterator[str]:
    """Yield a line where a day begins, and its date below where there is room."""
    times = pd.DatetimeIndex(bars.index)
    written = -WIDTH
    for place in (np.flatnonzero(np.diff(times.day)) + 1).tolist():
        x = X[place] - STEP // 2
        yield svg.drawn(f"M{x} {HEADER}V{bottom}", svg.GREY, 5, 0.3)
        if written + 480 < x < RIGHT - 300:
            yield svg.text(x, bottom + 130, f"{times[place].day} {times[place]:%b}")
            written = x


def _header(panel: Panel, y: int, name: str) -> str:
    """Return what stands above a panel: whose prices, the id, and each output in its colour."""
    words = [("EUR/USD 1h", svg.GREY)] if panel.kind == "price" else []
    if len(panel.curves) == 1:
        output = panel.curves[0].name
        words += [(f"{name}.{output}".removesuffix(".value"), panel.curves[0].colour)]
    elif panel.curves:
        words += [(name, svg.GREY)]
        words += [(curve.name, curve.colour) for curve in panel.curves if panel.kind not in {"lanes", "candles"}]
    return svg.words(LEFT, y, words)
