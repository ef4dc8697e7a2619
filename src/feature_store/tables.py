"""What the command line prints: a table for a person, JSON or CSV for a program."""

from __future__ import annotations

import csv
import math
import sys
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from feature_store import json_codec, wire
from feature_store.events import Compiling, subscribe
from feature_store.indicators.beginnings import beginnings
from feature_store.indicators.parameters import spell
from feature_store.indicators.prose import prose_of
from feature_store.indicators.warmup import NEVER, memory_of
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from feature_store.bars import Floats
    from feature_store.engine.explain import Explanation
    from feature_store.indicators.definition import Definition
    from feature_store.indicators.feature import Feature

EDGE = 10
"""Rows of a long frame that a table shows at either end."""

_PIPE_WIDTH = 160
_READABLE = 100
_SMALL = 1e-4
_SAMPLE = 100


def print_frame(frame: wire.Frame) -> None:
    """Print a frame as a table: all of it, or the first and the last rows."""
    table = _table(f"{frame.symbol} {frame.timeframe}", "time (UTC)", *frame.columns, right=True)
    rows = range(len(frame))
    if len(frame) <= 2 * EDGE + 1:
        _add(table, frame, rows)
    else:
        _add(table, frame, rows[:EDGE])
        table.add_row(f"... {len(frame) - 2 * EDGE:,} more", *("..." for _ in frame.columns))
        _add(table, frame, rows[-EDGE:])
    table.caption = f"{len(frame):,} rows, {frame.provenance.source}, as of {frame.provenance.as_of}"
    console().print(table)


def print_frame_json(frame: wire.Frame) -> None:
    """Print a frame as the service answers it."""
    sys.stdout.write(wire.frame_to_json(frame).decode() + "\n")


def print_frame_csv(frame: wire.Frame) -> None:
    """Print a frame as CSV: ISO 8601 times, numbers that read back to the same bits, nothing where a value is not known."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["time", *frame.columns])
    columns = [
        ["" if math.isnan(value) else repr(value) for value in column.tolist()] for column in frame.columns.values()
    ]
    writer.writerows(zip(map(_time, frame.time.tolist()), *columns, strict=True))


@contextmanager
def working(title: str) -> Iterator[None]:
    """Show on stderr, where a person looks on, that something takes its time, and say so when loops are being compiled."""
    if not sys.stderr.isatty():
        yield
        return
    with Console(stderr=True).status(title) as status:
        unsubscribe = subscribe(lambda event: status.update(_compiling(title, event)))
        try:
            yield
        finally:
            unsubscribe()


def _compiling(title: str, event: object) -> str | None:
    """Return what to say from now on, or None where the event changes nothing."""
    if not isinstance(event, Compiling):
        return None
    return f"{title}; compiling loop {event.loop} of {event.loops}, once on this machine"


def print_json(data: Any) -> None:
    """Print plain data as one line of JSON."""
    sys.stdout.write(json_codec.dumps(data).decode() + "\n")


def print_table(title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print records as a table; the first one's keys head the columns."""
    table = _table(title, *(rows[0] if rows else ()))
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console().print(table)


def print_catalog(indicators: Sequence[Definition]) -> None:
    """Print indicators by group: the id with its defaults, what it is, and its outputs where it has several."""
    screen = console()
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), caption_justify="left")
    table.add_column("id", overflow="fold", max_width=screen.width // 3)
    table.add_column("what it is", overflow="fold")
    table.add_column("outputs", style="dim")
    for group, members in groupby(indicators, key=lambda each: each.group):
        table.add_row(Text(group, style="bold"))
        for each in members:
            whose = "" if each.origin == "built-in" else f" (v{each.version} of {each.origin})"
            outputs = " ".join(each.outputs) if len(each.outputs) > 1 else ""
            name = "_".join((each.name, *map(spell, each.resolve({}).values())))
            table.add_row(Text(name), Text(each.title + whose), outputs)
        table.add_section()
    count = f"{len(indicators):,} indicator{'s' * (len(indicators) != 1)}"
    table.caption = f"{count}; feature-store describe ID tells all of one"
    screen.print(table)


def print_feature(feature: Feature) -> None:
    """Print what there is to know of a feature: what it tells, formulas, parameters, outputs and where it comes from."""
    definition, said = feature.definition, prose_of(feature.definition)
    formulas = "\n".join(f"    {line}" for line in said.formulas)
    screen = console(_READABLE)
    screen.print(Text.assemble((feature.id, "bold"), "  ", definition.title))
    for paragraph in filter(None, (said.summary, formulas, *said.notes)):
        screen.print(Text("\n" + paragraph.replace("`", "")))
    if definition.parameters:
        screen.print(_parameters(feature))
    screen.print(_outputs(feature))
    facts = {
        "Inputs": ", ".join(definition.inputs),
        "Memory": memory_of(feature.series),
        "Group": definition.group,
        "Source": definition.source,
        "Version": f"{feature.version} ({definition.origin})",
    }
    for name, fact in facts.items():
        screen.print(Text.assemble((f"{name:<9}", "dim"), fact))


def _parameters(feature: Feature) -> Table:
    table = _table("", "parameter", "value", "default", "must be")
    for name, rule in feature.definition.parameters.items():
        must = f"{rule.rule}; {rule.description}" if rule.description else rule.rule
        table.add_row(name, spell(feature.parameters[name]), spell(rule.default), Text(must))
    return table


def _outputs(feature: Feature) -> Table:
    table = _table("", "output", "unit", "first value at row", "settled at row")
    units = dict(zip(feature.definition.outputs, feature.definition.units, strict=True))
    shown = [units[feature.output]] if feature.output else units.values()
    for column, unit, rows in zip(feature.columns, shown, beginnings(feature), strict=True):
        table.add_row(column, unit, *rows)
    return table


def print_explanation(told: Explanation) -> None:
    """Print what a request will do: its features, what they share, its loops."""
    print_table(
        "Features",
        [
            {
                "id": each.id,
                "reads": ", ".join(each.inputs),
                "depends on": each.memory,
                "first value": str(each.warmup),
                "settled": "never" if each.settled >= NEVER else f"{each.settled:,}",
                "loops": ", ".join(map(str, each.loops)),
            }
            for each in told.features
        ],
    )
    if told.shared:
        rows = [{"computed once": each.step, "for": ", ".join(each.features)} for each in told.shared]
        print_table("Shared", rows)
    print_table(
        f"Loops ({sum(not each.compiled for each in told.loops)} of {len(told.loops)} to compile, a fraction of a second each)",
        [
            {
                "loop": place,
                "steps": ", ".join(each.steps) or "none",
                "answers": each.answers,
                "hands on": each.handed,
                "state": f"{each.state:,} bytes",
                "compiled": "yes" if each.compiled else "no",
            }
            for place, each in enumerate(told.loops, 1)
        ],
    )


def number(value: float, decimals: int = 5) -> str:
    """Return a number as a table shows it.

    >>> number(1.0821), number(12345678.0, 0), number(0.0000123), number(float("nan"))
    ('1.08210', '12,345,678', '1.23e-05', '-')
    """
    if math.isnan(value):
        return "-"
    if 0 < abs(value) < _SMALL:
        return f"{value:.3g}"
    return f"{value:,.{decimals}f}"


def _add(table: Table, frame: wire.Frame, rows: Iterable[int]) -> None:
    decimals = {name: _decimals(column) for name, column in frame.columns.items()}
    for row in rows:
        cells = (number(float(column[row]), decimals[name]) for name, column in frame.columns.items())
        table.add_row(_time(int(frame.time[row])), *cells)


def _decimals(column: Floats) -> int:
    """Return 0 for a column of whole numbers, else what a price takes."""
    return 0 if all(math.isnan(value) or value == int(value) for value in column[:_SAMPLE].tolist()) else 5


def _time(milliseconds: int) -> str:
    return to_iso(milliseconds * 1000)


def _table(title: str, first: str = "", *others: str, right: bool = False) -> Table:
    table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", caption_justify="left", title_style="bold")
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(name, justify="right" if right else "left", overflow="fold")
    return table


def console(most: int | None = None) -> Console:
    """Return a console of at most so many columns; where output goes into a pipe, wide enough for a table's."""
    screen = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    return Console(width=min(screen.width, most), highlight=False) if most else screen
