"""The pages: an index of all indicators, and one page for each family. They say what definitions say, and nothing else."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import feature_store as fs
from feature_store.indicators.beginnings import beginnings
from feature_store.indicators.parameters import spell
from feature_store.indicators.prose import prose_of
from feature_store.indicators.units import UNITS
from tools.reference.sample import BARS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from feature_store.indicators.definition import Definition
    from feature_store.indicators.feature import Feature
    from feature_store.indicators.parameters import Parameter

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference"
PATTERNS = "pattern"
"""The family whose page is a table: its indicators have equal inputs, outputs and sources."""


class Family(NamedTuple):
    """How a group of indicators is headed."""

    title: str
    about: str


FAMILIES = {
    "bands": Family("Bands and channels", "a middle, and how far from it is far"),
    "cycle": Family("Cycles", "how long the market's swings take, and where in one it stands"),
    "levels": Family("Levels", "prices of the last finished day, week or month"),
    "momentum": Family("Momentum", "how fast and how one-sidedly price moves"),
    "moving average": Family("Moving averages", "where price has been, smoothed"),
    "pattern": Family(
        "Candlestick patterns", "shapes of one to five candles: 100 speaks for a rise, -100 for a fall, 0 is none"
    ),
    "price": Family("Price", "one bar in one number, and candles smoothed"),
    "regime": Family("Regime", "what kind of market it is"),
    "sessions": Family("Sessions", "where price stands in the trading day, and how busy the hour is"),
    "statistics": Family("Statistics", "what a window of values looks like, and how two symbols move together"),
    "structure": Family("Market structure", "swings, and what follows from their order; late, never repainted"),
    "time": Family("Time", "clocks and calendars of foreign exchange"),
    "trend": Family("Trend", "whether price goes somewhere, how strongly, and where that would end"),
    "volatility": Family("Volatility", "how far price moves"),
    "volume": Family("Volume", "tick volume beside price"),
}


def pages() -> dict[str, str]:
    """Return every page by the name of its file."""
    families = by_family()
    made = {file_of(group): _family_page(group, members) for group, members in families.items()}
    return {"README.md": _index(families), **made}


def by_family() -> dict[str, list[Definition]]:
    """Return the indicators that come with the package, by group."""
    families: dict[str, list[Definition]] = {}
    for definition in fs.catalog():
        if definition.origin == "built-in":
            families.setdefault(definition.group, []).append(definition)
    return families


def file_of(group: str) -> str:
    """Return the name of a family's file.

    >>> file_of("moving average")
    'moving-average.md'
    """
    return f"{group.replace(' ', '-')}.md"


# ---------------------------------------------------------------- the index
def _index(families: dict[str, list[Definition]]) -> str:
    count = sum(map(len, families.values()))
    head = (Path(__file__).with_name("index.md")).read_text("utf-8")
    head = head.replace("{count}", str(count)).replace("{families}", str(len(families))).replace("{bars}", str(BARS))
    rows = (
        (f"[{_family(group).title}]({file_of(group)})", str(len(members)), _family(group).about)
        for group, members in families.items()
    )
    lines = _table(("family", "indicators", "what they tell"), rows)
    for group, members in families.items():
        page = file_of(group)
        lines += ["", f"## {_family(group).title}", ""]
        lines += _table(
            ("id", "what it is", "outputs"),
            ((f"[`{each.name}`]({page}#{each.name})", each.title, _outputs(each)) for each in members),
        )
    lines += ["", "## Units", "", *_units()]
    return _text(head.replace("{tables}", "\n".join(lines)).splitlines())


def _outputs(definition: Definition) -> str:
    return " ".join(f"`{name}`" for name in definition.outputs) if len(definition.outputs) > 1 else ""


def _units() -> list[str]:
    factors = {None: "", 0: "stay", 1: "k times as large", 2: "k squared times as large"}
    offsets = {None: "", 0: "stay", 1: "add the constant"}
    return _table(
        ("unit", "from", "to", "with prices k times as large, values", "with a constant added to prices, values"),
        (
            (name, _bound(unit.low), _bound(unit.high), factors[unit.scale], offsets[unit.offset])
            for name, unit in UNITS.items()
        ),
    )


def _bound(value: float) -> str:
    return "" if abs(value) == float("inf") else spell(value)


# ---------------------------------------------------------------- a family
def _family(group: str) -> Family:
    return FAMILIES.get(group, Family(group.capitalize(), ""))


def _family_page(group: str, members: Sequence[Definition]) -> str:
    title, about = _family(group)
    said_by_all = set.intersection(*(set(prose_of(each).notes) for each in members)) if len(members) > 1 else set()
    lines = [
        f"# {title}",
        "",
        f"{about[:1].upper()}{about[1:]}. [How to read this page](README.md#how-to-read-a-page).",
    ]
    lines += [line for note in sorted(said_by_all) for line in ("", note)]
    if group == PATTERNS:
        lines += ["", *_patterns(members, said_by_all)]
    else:
        lines += ["", " · ".join(f"[`{each.name}`](#{each.name})" for each in members)]
        lines += [line for each in members for line in ("", *_entry(each, said_by_all))]
    return _text(lines)


def _entry(definition: Definition, said_by_all: set[str]) -> Iterator[str]:
    feature = fs.feature(definition.name)
    said = prose_of(definition)
    yield from (f"## {definition.name}", "", f"**{definition.title}.** {said.summary}")
    if said.formulas:
        yield from ("", "```text", *said.formulas, "```")
    yield from (line for note in said.notes if note not in said_by_all for line in ("", note))
    yield from ("", f"![{feature.id} on hours of EUR/USD](pictures/{definition.name}.svg)", "")
    if definition.parameters:
        rows = ((f"`{name}`", spell(rule.default), _must_be(rule)) for name, rule in definition.parameters.items())
        yield from (*_table(("parameter", "default", "must be"), rows), "")
    yield from (*_table(("output", "unit", "first value at row", "settled at row"), _columns(feature)), "")
    yield _facts(definition)


def _columns(feature: Feature) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row for each output: its id, unit, and where its values begin and can be trusted."""
    for column, unit, rows in zip(feature.columns, feature.definition.units, beginnings(feature), strict=True):
        yield f"`{column}`", unit, *rows


def _must_be(rule: Parameter) -> str:
    return f"{rule.rule}; {rule.description}" if rule.description else rule.rule


def _facts(definition: Definition) -> str:
    about = definition.describe()
    inputs = ", ".join(f"`{name}`" for name in definition.inputs)
    facts = {"Inputs": inputs, "Memory": about["memory"], "Source": about["source"], "Version": about["version"]}
    return " · ".join((*(f"{name}: {fact}" for name, fact in facts.items()), _source(definition)))


def _source(definition: Definition) -> str:
    path = Path(inspect.getsourcefile(definition.function) or "").resolve()
    return f"[{path.name}](../../{path.relative_to(ROOT).as_posix()})"


def _patterns(members: Sequence[Definition], said_by_all: set[str]) -> list[str]:
    """Return what holds for all patterns, and three of them a row: the picture, and what is said of it."""
    first = members[0]
    inputs = ", ".join(f"`{name}`" for name in first.inputs)
    facts = (
        f"All are of {inputs}, in the unit {first.units[0]}; {first.source}. In colour are the candles of a pattern, hollow "
        f"where they rose, and with a mark below or above for the sign; the number tells how often it was seen in the sample."
    )
    cells = [
        f'<a id="{each.name}"></a>![{each.title}](pictures/{each.name}.svg)<br>**{each.title}**<br>`{each.name}`<br>'
        f"{_said_of_pattern(each, said_by_all)} First value at row {fs.feature(each.name).warmup}."
        for each in members
    ]
    cells += [""] * (-len(cells) % 3)
    return [facts, "", *_table(("", "", ""), (cells[place : place + 3] for place in range(0, len(cells), 3)))]


def _said_of_pattern(definition: Definition, said_by_all: set[str]) -> str:
    said = prose_of(definition)
    parameters = (
        f"Parameter `{name}`: {_must_be(rule)}, by default {spell(rule.default)}."
        for name, rule in definition.parameters.items()
    )
    return " ".join((said.summary, *(note for note in said.notes if note not in said_by_all), *parameters))


# ---------------------------------------------------------------- text
def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [_row(head), _row(["---"] * len(head)), *(_row(row) for row in rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
