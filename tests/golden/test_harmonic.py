"""Harmonic patterns: paths built from exact ratios, and on real bars a slow reading of the definitions, row by row."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

import feature_store as fs
from feature_store.indicators.harmonic_table import NAMES
from tests.golden.harmonic_paths import SHAPES, path
from tests.golden.test_structure import Swing, both_sides

PROVEN = {"harmonic", "harmonic_projection"}
B = (0.382, 0.886)


@dataclass(frozen=True)
class Pattern:
    """A pattern as its authors tell it: shares of legs, and D on a scale; written apart from the table of the package."""

    code: int
    scale: str
    d: tuple[float, float]
    limit: float
    asked: dict[str, tuple[float, float]]
    target: str = "a"


PATTERNS = [
    Pattern(1, "xa", (0.786, 0.786), 1, {"ab": (0.618, 0.618), "bc": B, "cd": (1.13, 1.618)}),
    Pattern(2, "xa", (0.886, 0.886), 1, {"ab": (0.382, 0.5), "bc": B, "cd": (1.618, 2.618)}),
    Pattern(3, "xa", (1.13, 1.13), 1.27, {"ab": (0, 0.382), "bc": B, "cd": (2, 3.618)}),
    Pattern(4, "xa", (1.27, 1.27), 1.414, {"ab": (0.786, 0.786), "bc": B, "cd": (1.618, 2.24)}),
    Pattern(5, "xa", (1.618, 1.618), 2, {"ab": (0.382, 0.618), "bc": B, "cd": (2.24, 3.618)}),
    Pattern(6, "xa", (1.618, 1.618), 2, {"ab": (0.886, 0.886), "bc": B, "cd": (2, 3.618)}),
    Pattern(7, "xa", (0.886, 1.13), 1.13, {"bc": (1.13, 1.618), "cd": (1.618, 2.24)}),
    Pattern(8, "xc", (0.786, 0.786), 1, {"ab": (0.382, 0.618), "xc": (1.272, 1.414), "cd": (1.272, 2)}),
    Pattern(9, "bc", (0.5, 0.5), 0.618, {"ab": (1.13, 1.618), "bc": (1.618, 2.24)}, target="c"),
    Pattern(11, "bc", (1.27, 1.27), 1.618, {"ab": (1.27, 1.27), "bc": (0.618, 0.786), "ox": (0.618, 0.786)}),
    Pattern(11, "bc", (1.618, 1.618), 2, {"ab": (1.618, 1.618), "bc": (0.618, 0.786), "ox": (0.618, 0.786)}),
    Pattern(10, "ab", (1, 1), 1.27, {"bc": B, "cd": (1.13, 2.618)}),
]
ONLY_WITHOUT_OTHERS = 10


def strain(ratio: float, low: float, high: float, tolerance: float) -> float:
    """How many tolerances a ratio is off."""
    off = 1 - ratio / low if ratio < low else ratio / high - 1 if ratio > high else 0
    return off / (tolerance / 100)


def measure(o: float, x: float, a: float, b: float, c: float, d: float) -> dict[str, float]:
    xa, ab, bc, cd = abs(a - x), abs(b - a), abs(c - b), abs(d - c)
    return {"ab": ab / xa, "bc": bc / ab, "cd": cd / bc, "xc": abs(c - x) / xa, "ox": xa / abs(x - o)}


def scale_of(pattern: Pattern, x: float, a: float, b: float, c: float) -> tuple[float, float]:
    """Where the pattern's scale of D has 0, and how long, with a sign, 1 is."""
    return {"xa": (a, x - a), "xc": (c, x - c), "bc": (c, b - c), "ab": (c, b - a)}[pattern.scale]


def strains(pattern: Pattern, turns: tuple[float, ...], tolerance: float) -> dict[str, float]:
    ratios = measure(*turns)
    return {
        name: strain(ratios[name], *asked, tolerance * (5 / 3 if name == "ab" else 1))
        for name, asked in pattern.asked.items()
    }


def zone(pattern: Pattern, turns: tuple[float, ...], tolerance: float) -> tuple[float, float, float]:
    """The prices between which D completes the pattern, the nearer to C first, and the one at which it has failed."""
    x, a, b, c = turns[1:5]
    start, whole = scale_of(pattern, x, a, b, c)
    less, more = 1 - tolerance / 100, 1 + tolerance / 100
    side = np.sign(x - a)  # the way to D
    near, far = start + whole * pattern.d[0] * less, start + whole * min(pattern.d[1] * more, pattern.limit)
    if "cd" in pattern.asked:
        low, high = pattern.asked["cd"]
        near = max(near * side, (c + (b - c) * low * less) * side) * side
        far = min(far * side, (c + (b - c) * high * more) * side) * side
    return near, far, start + whole * pattern.limit


def complete(turns: tuple[float, ...], tolerance: float) -> tuple[float, ...]:
    """Code, score, zone, stop and what targets are counted from, of O X A B C D."""
    x, a, b, c, d = turns[1:]
    found = []
    for pattern in PATTERNS:
        start, whole = scale_of(pattern, x, a, b, c)
        level = (d - start) / whole
        all_ = [*strains(pattern, turns, tolerance).values(), strain(level, *pattern.d, tolerance)]
        if max(all_) <= 1 and level <= pattern.limit:
            aim = a if pattern.target == "a" else c
            found.append((1 - sum(all_) / len(all_), pattern.code, *zone(pattern, turns, tolerance), aim))
    found = [each for each in found if each[1] != ONLY_WITHOUT_OTHERS] or found
    score, code, near, far, stop, aim = max(found, key=lambda each: each[0], default=(0, 0, d, d, d, d))
    return code, score, near, far, stop, aim


def project(turns: tuple[float, ...], tolerance: float) -> tuple[float, ...]:
    """The same of O X A B C and how far price has gone since C."""
    c, reach = turns[4:]
    side = np.sign(turns[1] - turns[2])
    found = []
    for pattern in PATTERNS:
        known = [off for name, off in strains(pattern, turns, tolerance).items() if name != "cd"]
        near, far, stop = zone(pattern, turns, tolerance)
        if max(known) <= 1 and (far - near) * side >= 0 and (far - reach) * side >= 0:
            aim = turns[2] if pattern.target == "a" else c
            found.append((abs(near - c), 1 - sum(known) / len(known), pattern.code, near, far, stop, aim))
    found = [each for each in found if each[2] != ONLY_WITHOUT_OTHERS] or found
    _, score, code, near, far, stop, aim = min(found, key=lambda each: each[0], default=(0, 0, 0, c, c, c, c))
    return code, score, near, far, stop, aim


def chain(tops: list[Swing], bottoms: list[Swing], right: int) -> tuple[list[Swing], list[int], int]:
    """All turns between these swings with their sides, and how many came after the stand-ins."""
    turns = [[bottoms, tops][place % 2][0] for place in range(6)]
    sides, count = [-1, 1] * 3, 0
    later = [(s.bar, 0, s, 1) for s in tops[1:]] + [(s.bar, 1, s, -1) for s in bottoms[1:]]
    for _, _, swing, side in sorted(later):
        if (swing.price - turns[-1].price) * side <= 0:
            continue
        if side == sides[-1]:
            turns[-1] = swing
        else:
            turns, sides, count = [*turns, swing], [*sides, side], count + 1
    return turns, sides, count


def slow(bars, left: int, right: int, tolerance: float) -> tuple[np.ndarray, np.ndarray]:
    """Both indicators' rows from left + right."""
    told, projected = [], []
    for row, tops, bottoms in both_sides(bars, left, right):
        turns, sides, count = chain(tops, bottoms, right)
        last, side = turns[-6:], sides[-1]
        prices = tuple(turn.price for turn in last)
        ages = [row - turn.bar for turn in last]
        fresh = row > left + right and row - right in {tops[-1].bar, bottoms[-1].bar} and ages[-1] == right

        d = prices[-1]
        code, score, near, far, stop, aim = complete(prices, tolerance) if count > 5 else (0, 0, d, d, d, d)
        event = [code, -side if code else 0, score] if fresh else [0, 0, 0]
        levels = [min(near, far), max(near, far), stop]
        told.append([*event, *prices[1:], *ages[1:], *levels, *(d + (aim - d) * share for share in (0.382, 0.618))])

        since = bars.iloc[last[-1].bar + 1 : row + 1]
        reach = since.low.min() if side > 0 else since.high.max()
        gone = since.high.max() > d if side > 0 else since.low.min() < d
        seen = (*prices[1:], reach)
        code, score, near, far, stop, aim = (0, 0, d, d, d, d) if gone or count <= 5 else project(seen, tolerance)
        middle = (near + far) / 2
        levels = [min(near, far), max(near, far), stop, *(middle + (aim - middle) * share for share in (0.382, 0.618))]
        projected.append([code, side if code else 0, score, *prices[2:], *ages[2:], *levels])
    return np.array(told), np.array(projected)


@pytest.mark.parametrize(("left", "right", "tolerance"), [(1, 1, 3), (2, 2, 6), (3, 1, 10)])
def test_both_are_their_definition_on_every_bar(eurusd, left, right, tolerance):
    bars = eurusd.iloc[:1200]
    wanted = slow(bars, left, right, tolerance)
    for name, want in zip(("harmonic", "harmonic_projection"), wanted, strict=True):
        got = fs.compute(bars, [f"{name}_{left}_{right}_{tolerance}"]).to_numpy()
        assert np.isnan(got[: left + right]).all()
        np.testing.assert_allclose(got[left + right :], want, rtol=1e-10, atol=1e-9, err_msg=name)
        assert len(set(want[:, 0])) > 4


def computed(bars, name: str = "harmonic", tolerance: float = 3):
    frame = fs.compute(bars, [f"{name}_2_2_{tolerance}"])
    return frame.rename(columns=lambda column: column.split(".")[-1])


each_shape = pytest.mark.parametrize("name", SHAPES)
each_side = pytest.mark.parametrize("side", [1, -1], ids=["rise expected", "fall expected"])


@each_shape
@each_side
@pytest.mark.parametrize("noise", [0.0, 0.4])
def test_a_path_of_exact_ratios_is_told_once_when_d_is_confirmed(name, side, noise):
    turns = SHAPES[name].turns(side)
    bars, rows = path(turns, noise)
    got = computed(bars)
    event = got.iloc[rows["d"] + 2]
    assert (event.code, event.direction) == (SHAPES[name].code, side)
    assert event.score == pytest.approx(1, abs=1e-9)
    assert (got.code.iloc[rows["c"] + 3 :] != 0).sum() == 1
    for turn in "xabcd":
        assert event[turn] == pytest.approx(turns[turn], rel=1e-12)
        assert event[f"{turn}_bars"] == rows["d"] + 2 - rows[turn]


@each_shape
@each_side
@pytest.mark.parametrize(("ratio", "share"), [("ab", 0.04), ("ab", -0.04), ("d", 0.025), ("d", -0.025)])
def test_ratios_off_by_less_than_the_tolerance_are_found(name, side, ratio, share):
    shape = SHAPES[name]
    nudged = replace(shape, **{ratio: getattr(shape, ratio) * (1 + share)})
    bars, rows = path(nudged.turns(side), noise=0.2)
    event = computed(bars).iloc[rows["d"] + 2]
    assert (event.code, event.direction) == (shape.code, side)
    assert event.score > 0.5


@each_shape
@each_side
@pytest.mark.parametrize("share", [0.04, -0.04])
def test_a_defining_level_off_by_more_than_the_tolerance_is_not_found(name, side, share):
    shape = SHAPES[name]
    edge = {"shark": {1: 1.13, -1: 0.886}[int(np.sign(share))]}.get(name, shape.d)
    bars, rows = path(replace(shape, d=edge * (1 + share)).turns(side))
    got = computed(bars)
    assert got.code.iloc[rows["d"] + 2] != shape.code
    assert computed(bars, tolerance=5).code.iloc[rows["d"] + 2] == (0 if name == "shark" and share > 0 else shape.code)


@pytest.mark.parametrize("name", ["gartley", "butterfly", "deep crab", "three drives"])
@pytest.mark.parametrize("share", [0.06, -0.06])
def test_a_b_off_by_more_than_its_tolerance_is_not_found(name, share):
    shape = SHAPES[name]
    bars, rows = path(replace(shape, ab=shape.ab * (1 + share)).turns())
    assert computed(bars).code.iloc[rows["d"] + 2] != shape.code


@each_shape
@each_side
def test_the_zone_of_d_is_projected_once_c_is_confirmed(name, side):
    turns = SHAPES[name].turns(side)
    bars, rows = path(turns)
    got = computed(bars, "harmonic_projection")
    assert (got.direction.iloc[rows["c"] + 2 : rows["d"] + 1] == side).all()
    at_d = got.iloc[rows["d"]]
    assert at_d.code == SHAPES[name].code
    assert at_d.zone_low <= turns["d"] <= at_d.zone_high
    told = computed(bars).iloc[rows["d"] + 2]
    assert at_d[["zone_low", "zone_high", "stop"]].tolist() == told[["zone_low", "zone_high", "stop"]].tolist()


def test_every_code_has_a_shape_and_a_name():
    assert {shape.code for shape in SHAPES.values()} == set(NAMES) == {pattern.code for pattern in PATTERNS}
    assert len(NAMES) == 11


def test_a_gartley_by_hand():
    # X 100, A 110: B 110 - 6.18, C half of that back, D 110 - 7.86 x 1.015, half of its tolerance off
    bars, rows = path(replace(SHAPES["gartley"], d=0.786 * 1.015).turns())
    event = computed(bars).iloc[rows["d"] + 2]
    d = 110 - 7.86 * 1.015
    assert event.score == pytest.approx(1 - 0.5 / 4)  # four ratios, one of them half of its tolerance off
    assert event.zone_high == pytest.approx(110 - 7.86 * 0.97)
    assert event.zone_low == pytest.approx(110 - 7.86 * 1.03)
    assert event.stop == pytest.approx(100)
    assert event.target_1 == pytest.approx(d + 0.382 * (110 - d))
    assert event.target_2 == pytest.approx(d + 0.618 * (110 - d))


def test_the_targets_of_a_five_0_are_on_the_way_back_to_c():
    turns = SHAPES["5-0"].turns()
    bars, rows = path(turns)
    event = computed(bars).iloc[rows["d"] + 2]
    assert event.target_1 == pytest.approx(turns["d"] + 0.382 * (turns["c"] - turns["d"]))
    assert event.stop == pytest.approx(turns["c"] - 0.618 * (turns["c"] - turns["b"]))


def test_a_d_that_moves_on_is_told_anew_and_what_was_told_stays():
    # a Gartley at 0.786 of XA, two bars of equal highs, which are no turn, and on to 1.618 of XA: a crab
    turns = replace(SHAPES["gartley"], c=0.85).turns()
    bars, rows = path(turns, after=0)
    low = 110 - 16.18
    on = np.concatenate([np.full(2, turns["d"] + 0.5), np.linspace(turns["d"] - 1, low, 6), low + np.arange(1.0, 3.0)])
    longer = {name: np.concatenate([column, on]) for name, column in bars.items()}
    got = computed(longer)
    assert got.code[got.code > 0].to_dict() == {rows["d"] + 2: 1, rows["d"] + 10: 5}
    assert got.iloc[rows["d"] + 2].d == turns["d"]
    assert got.iloc[rows["d"] + 10][["x", "a", "c", "d"]].tolist() == [turns["x"], turns["a"], turns["c"], low]
    assert computed({name: column[: rows["d"] + 4] for name, column in longer.items()}).equals(
        got.iloc[: rows["d"] + 4]
    )


def test_nothing_is_projected_while_price_is_beyond_c():
    turns = SHAPES["gartley"].turns()
    bars, rows = path(turns)
    cut = rows["c"] + 4
    up = {name: np.append(column[:cut], turns["c"] + 0.01) for name, column in bars.items()}
    got = computed(up, "harmonic_projection")
    assert got.code.iloc[-2] == 1
    assert got.iloc[-1][["code", "direction", "score"]].tolist() == [0, 0, 0]
    assert got.iloc[-1][["zone_low", "zone_high", "stop", "target_1", "target_2"]].tolist() == [turns["c"]] * 5


def test_a_market_that_only_rises_has_no_patterns():
    rise = np.arange(40.0)
    got = computed({"high": rise + 1, "low": rise}).iloc[-1]
    assert got[["code", "direction", "score"]].tolist() == [0, 0, 0]
    assert len(set(got[["d", "zone_low", "zone_high", "stop", "target_1", "target_2"]])) == 1
