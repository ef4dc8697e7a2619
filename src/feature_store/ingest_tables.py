"""What `feature-store ingest` prints: what became of each file's rows, what was found out, and how far it is."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from feature_store.errors import FeatureStoreError
from feature_store.ingest.report import IngestReport
from feature_store.tables import console, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from feature_store.ingest.report import Rejected

    Outcomes = Mapping[str, Sequence[IngestReport | FeatureStoreError]]

LISTED = 20
"""Files whose notes are printed; JSON has those of all."""


def print_ingested(done: Outcomes, *, dry_run: bool = False) -> None:
    """Print what became of each file's rows, why any were quarantined, with an example of each reason, and the notes."""
    title = "Would be ingested (dry run: nothing was stored)" if dry_run else "Ingested"
    print_table(title, [_row(file, outcomes) for file, outcomes in done.items()])
    reports = _reports(done)
    refused = sum(len(report.quarantined) for report in reports.values())
    if refused:
        print_table(f"{refused:,} quarantined rows by reason (--json lists them)", _by_reason(reports))
    noted = {file: report for file, report in reports.items() if report.notes}
    for file, report in list(noted.items())[:LISTED]:
        for note in report.notes:
            console().print(f"{file}: {note}", style="dim", markup=False)
    if len(noted) > LISTED:
        console().print(f"... and notes on {len(noted) - LISTED:,} more files (--json has them)", style="dim")


def print_ingested_json(done: Outcomes, *, dry_run: bool = False) -> None:
    """Print the reports as JSON: the totals, the quarantined rows, and the same by file."""
    files = [_document(file, outcomes) for file, outcomes in done.items()]
    read = [each for each in files if "read" in each]
    totals = {
        name: sum(each[name] for each in read) for name in ("read", "stored", "duplicates", "quarantined_rows", "bars")
    }
    refused = [{"file": each["file"], **row} for each in read for row in each["quarantined"]]
    zones = ", ".join(dict.fromkeys(each["timezone"] for each in read))
    print_json({**totals, "quarantined": refused, "timezone": zones, "dry_run": dry_run, "files": files})


@contextmanager
def reading(files: Sequence[Path]) -> Iterator[Callable[[Path, int], None]]:
    """Show on stderr, where a person looks on, how many bytes of the files have been read; gives what is to be told of them."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    total = sum(file.stat().st_size for file in files if file.is_file())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("Reading", total=total)
        yield lambda file, read: bar.update(task, advance=read, description=f"Reading {file.name}")


def _reports(done: Outcomes) -> dict[str, IngestReport]:
    """Return each file's report, of all data files in it that could be read."""
    read = {file: [each for each in outcomes if isinstance(each, IngestReport)] for file, outcomes in done.items()}
    return {file: IngestReport.together(reports) for file, reports in read.items() if reports}


def _row(file: str, outcomes: Sequence[IngestReport | FeatureStoreError]) -> dict[str, str]:
    report = _reports({file: outcomes}).get(file)
    broken = any(isinstance(each, FeatureStoreError) for each in outcomes)
    if report is None:
        return {
            "file": file,
            **dict.fromkeys(("as", "read", "stored", "known already", "quarantined"), "-"),
            "times in": "not read",
        }
    return {
        "file": file,
        "as": report.timeframe,
        "read": f"{report.read:,}",
        "stored": f"{report.stored:,}" + (f" in {report.bars:,} bars" if report.bars != report.stored else ""),
        "known already": f"{report.duplicates:,}",
        "quarantined": f"{len(report.quarantined):,}",
        "times in": report.timezone + ("; the rest was not read" if broken else ""),
    }


def _document(file: str, outcomes: Sequence[IngestReport | FeatureStoreError]) -> dict[str, Any]:
    errors = [str(each) for each in outcomes if isinstance(each, FeatureStoreError)]
    report = _reports({file: outcomes}).get(file)
    told: dict[str, Any] = {"file": file, **({"errors": errors} if errors else {})}
    if report is None:
        return told
    return {
        **told,
        "read": report.read,
        "stored": report.stored,
        "duplicates": report.duplicates,
        "quarantined_rows": len(report.quarantined),
        "reasons": dict(report.quarantined.by_reason),
        "bars": report.bars,
        "timeframe": report.timeframe,
        "format": report.format,
        "timezone": report.timezone,
        "price_divisor": report.price_divisor,
        "side": report.side,
        "notes": list(report.notes),
        "quarantined": [
            {"row": row.row, "reason": row.reason, "values": {k: str(v) for k, v in row.values.items()}}
            for row in report.quarantined
        ],
    }


def _by_reason(reports: Mapping[str, IngestReport]) -> list[dict[str, str]]:
    counts: dict[str, int] = {}
    for report in reports.values():
        for reason, rows in report.quarantined.by_reason.items():
            counts[reason] = counts.get(reason, 0) + rows
    held = [(file, row) for file, report in reports.items() for row in report.quarantined]
    examples = {row.reason: (file, row) for file, row in reversed(held)}
    return [
        {
            "rows": f"{rows:,}",
            "reason": reason,
            "first in": f"{examples[reason][0]}, row {examples[reason][1].row}" if reason in examples else "not held",
            "as written": _written(examples[reason][1]) if reason in examples else "",
        }
        for reason, rows in sorted(counts.items(), key=lambda item: -item[1])
    ]


def _written(row: Rejected) -> str:
    return " ".join(f"{name}={value}" for name, value in row.values.items())
