"""Files of bars and ticks into a store."""

# ruff: noqa: PLC0415  imports stand where they are used, so that `--help` answers at once

from __future__ import annotations

from itertools import chain
from typing import Annotated

import typer

from feature_store.commands.options import AsJson, Home, Symbol, open_store
from feature_store.console import INTERRUPTED, fail


def ingest(
    symbol: Symbol,
    files: Annotated[
        list[str],
        typer.Argument(
            help="Files, folders or patterns: HistData, MetaTrader, Dukascopy, OANDA, TrueFX, LEAN, CSV, Parquet ...",
            show_default=False,
        ),
    ],
    timeframe: Annotated[
        str | None,
        typer.Option(
            "--timeframe",
            "-t",
            help="A bar's length; what the file holds by default, 1m for ticks.",
            show_default=False,
        ),
    ] = None,
    tz: Annotated[
        str | None,
        typer.Option(
            "--tz",
            help="Where the clock stood that wrote the times: Europe/Berlin, UTC+2/EU; found in the file by default.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[  # noqa: A002  the field's word, as the option says
        str | None,
        typer.Option("--format", help="Such as histdata-m1, mt5-ticks or csv; told by the file by default."),
    ] = None,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be stored, and store nothing.")] = False,
    again: Annotated[bool, typer.Option("--again", help="Read files that were imported before too.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Store the bars or ticks of files; rows that break a rule are quarantined and listed with the reason.

    A second run stores what is new, and one that was stopped goes on. Exits with 2 where a file could not be read.
    """
    from feature_store import ingest_tables
    from feature_store.errors import FeatureStoreError
    from feature_store.ingest.finding import files_of
    from feature_store.ingest.report import IngestReport

    found = files_of(files)
    done: dict[str, list[IngestReport | FeatureStoreError]] = {}
    stopped = False
    try:
        with open_store(home) as store, ingest_tables.reading(found) as tell:
            outcomes = store.ingest_files(
                symbol, found, timeframe, tz=tz, format=format, dry_run=dry_run, again=again, tell=tell
            )
            for path, outcome in outcomes:
                done.setdefault(str(path), []).append(outcome)
    except KeyboardInterrupt:
        stopped = True
    finally:  # what was stored before an error is stored, and said
        if any(isinstance(each, IngestReport) for each in chain(*done.values())):
            (ingest_tables.print_ingested_json if as_json else ingest_tables.print_ingested)(done, dry_run=dry_run)
    if stopped:
        left = len(found) - len(done)
        fail(f"stopped with {left:,} of {len(found):,} files to go; the same command again goes on there", INTERRUPTED)
    problems = [each for each in chain(*done.values()) if isinstance(each, FeatureStoreError)]
    for problem in problems[:-1]:
        typer.secho(f"feature-store: {problem}", fg=typer.colors.RED, err=True)
    if problems:
        raise problems[-1]
