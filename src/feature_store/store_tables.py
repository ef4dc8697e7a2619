"""What commands that look after a store print: how whole it is, what is kept, how far a run is."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from feature_store.heat_map import heat_map, legend
from feature_store.tables import console, print_table
from feature_store.times import to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from feature_store.calendar import Gap
    from feature_store.inspection import Inspection
    from feature_store.materialize import MaterializeReport
    from feature_store.materialize import Progress as Filled
    from feature_store.store.feature_sets import FeatureSet
    from feature_store.store.inspection import Finding
    from feature_store.store.journal import BadRow, Import

_COLOURS = {"damage": "bold red", "warning": "yellow", "info": "cyan", "ok": "green"}

LONGEST_GAPS = 10
"""Gaps that a table of them shows."""


def print_check(found: Sequence[Inspection], refused: Sequence[dict[str, Any]], *, days: bool) -> None:
    """Print how complete and fresh series are, what was quarantined and, with `days`, each day and the longest gaps."""
    print_table("Series", [_row(each) for each in found])
    if days:
        for each in found:
            _print_days(each)
    if refused:
        rows = [{**each, "rows": f"{each['rows']:,}"} for each in refused]
        print_table(f"Quarantined ({sum(each['rows'] for each in refused):,} rows)", rows)


def quarantine(imports: Sequence[Import], rows: Sequence[tuple[Import, BadRow]]) -> list[dict[str, Any]]:
    """Return the refused rows of imports by file and reason, with the first of them that is kept."""
    firsts = {(entry.id, row.reason): row for entry, row in reversed(rows)}
    return [
        {
            "series": f"{entry.symbol} {entry.timeframe}",
            "rows": count,
            "reason": reason,
            "file": entry.file,
            "for example": _example(firsts.get((entry.id, reason))),
        }
        for entry in imports
        for reason, count in entry.reasons.items()
    ]


def _example(row: BadRow | None) -> str:
    if row is None:
        return ""
    return f"line {row.row}: {' '.join(f'{name}={value}' for name, value in row.values.items())}"


def _row(each: Inspection) -> dict[str, str]:
    return {
        "series": f"{each.symbol} {each.timeframe}",
        "bars": f"{each.bars:,}",
        "from": _minute(each.start),
        "to": _minute(each.end),
        "complete": f"{each.completeness:.2%}",
        "missing": f"{each.missing:,} in {len(each.gaps):,} gaps" if each.gaps else "none",
        "on holidays": f"{each.extra:,}",
        "revisions": f"{each.revisions:,}",
        "behind": f"{each.behind:,} bars" if each.behind else "up to date",
    }


def _print_days(each: Inspection) -> None:
    screen = console()
    screen.print(
        f"\n[bold]{each.symbol} {each.timeframe}[/bold]: FX days, which begin at 17:00 New York the evening before"
    )
    for line in heat_map(each.days):
        screen.print(line)
    screen.print(legend())
    longest = sorted(each.gaps, key=lambda gap: (-gap.bars, gap.start))[:LONGEST_GAPS]
    if longest:
        title = f"Longest of {len(each.gaps):,} gaps" if len(each.gaps) > LONGEST_GAPS else "Gaps"
        print_table(title, [_gap(gap) for gap in longest])


def _gap(gap: Gap) -> dict[str, str]:
    return {"from (UTC)": _minute(gap.start), "to": _minute(gap.end), "bars": f"{gap.bars:,}"}


def _minute(moment: int) -> str:
    return to_iso(moment)[:16].replace("T", " ")


def print_fills(reports: Sequence[MaterializeReport]) -> None:
    """Print what became of each series' kept features."""
    rows = [
        {
            "symbol": each.symbol,
            "bars": f"{each.rows:,}",
            "written": f"{each.written:,}" if each.written else "nothing new",
            "computed": f"{each.computed} of {each.parts} parts",
        }
        for each in reports
    ]
    print_table("Kept features", rows)
    for path in dict.fromkeys(each.path for each in reports):
        console().print(f"{', '.join(reports[0].columns)}\nin {path}", style="dim")


def print_sets(found: Sequence[FeatureSet]) -> None:
    """Print the named sets of features."""
    rows = [{"set": each.id, "features": " ".join(each.features), "what for": each.description} for each in found]
    print_table("Sets of features", rows)


def print_findings(done: Sequence[Finding], found: Sequence[Finding]) -> None:
    """Print what was mended, and what there is to say of a store's files, the worst first."""
    screen = console()
    for each in done:
        screen.print(Text.assemble(("mended  ", "green"), _told(each)))
    for each in found:
        screen.print(Text.assemble((f"{each.severity:<8}", _COLOURS[each.severity]), _told(each)))
    bad = sum(each.severity in {"damage", "warning"} for each in found)
    screen.print(f"{bad} of {len(found)} findings need care" if bad else "Nothing is wrong.", style="bold")
    if repairable := sum(each.repairable for each in found):
        screen.print(f"feature-store doctor --repair mends {repairable} of them without losing a row")


def _told(finding: Finding) -> str:
    return str(finding).removeprefix(f"{finding.severity}: ")


@contextmanager
def filling(title: str, symbols: int) -> Iterator[Callable[[Filled], None]]:
    """Show on stderr, where a person looks on, how many parts of series are done; gives what is to be told of each."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(f"{title} {symbols} series", total=None)
        parts: dict[str, int] = {}

        def told(filled: Filled) -> None:
            parts[filled.symbol] = filled.parts
            bar.update(task, advance=1, total=sum(parts.values()), description=f"{title} {filled.symbol}")

        yield told
