"""Looking after a store: is it whole, is it fresh, is it sound."""

# ruff: noqa: PLC0415  imports stand where they are used, so that `--help` answers at once

from __future__ import annotations

from typing import Annotated

import typer

from feature_store.commands.options import AsJson, End, Home, Start, Symbol, Timeframe, open_store, settings


def check(
    symbol: Annotated[str | None, typer.Argument(help="One instrument, with its days.", show_default=False)] = None,
    timeframe: Annotated[
        str | None, typer.Option("--timeframe", "-t", help="One stored timeframe.", show_default=False)
    ] = None,
    start: Start = None,
    end: End = None,
    *,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 where bars are missing or late.")] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Say how complete and how fresh the stored series are: gaps, quarantined rows, days without bars."""
    from feature_store import tables
    from feature_store.store_tables import print_check, quarantine

    with open_store(home) as store, tables.working("Looking"):
        found = store.inspect(symbol, timeframe, start, end)
        imports = store.imports(symbol)
        refused = store.quarantined(symbol, 1_000)
    if as_json:
        series = [each.to_dict() for each in found]
        tables.print_json({"series": series, "quarantined": quarantine(imports, refused)})
    else:
        print_check(found, quarantine(imports, refused), days=symbol is not None)
    if strict and any(each.missing or each.behind for each in found):
        raise typer.Exit(1)


def doctor(
    *,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what can be mended without losing a row.")] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(
            help="Move this damaged file away, so that the rest can be read; repeat for more.", show_default=False
        ),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Look at a store's files, without changing them, and say what is wrong and what to do; exits with 1 for damage."""
    from dataclasses import asdict

    from feature_store import doctor, tables
    from feature_store.store_tables import print_findings

    folder = home or settings().home
    with tables.working("Examining"):
        done = doctor.repair(folder, forget=forget or ()) if repair or forget else []
        found = doctor.examine(folder)
    if as_json:
        tables.print_json({"done": list(map(asdict, done)), "findings": list(map(asdict, found))})
    else:
        print_findings(done, found)
    if any(each.severity == "damage" for each in found):
        raise typer.Exit(1)


def compact(*, home: Home = None, as_json: AsJson = False) -> None:
    """Move the latest rows to the Delta tables, and put their many files together into few."""
    from dataclasses import asdict

    from feature_store import tables

    with open_store(home) as store, tables.working("Compacting"):
        report = store.compact()
    if as_json:
        tables.print_json(asdict(report))
    else:
        typer.echo(str(report))


def delete(
    symbol: Symbol,
    timeframe: Timeframe = "1h",
    start: Start = None,
    end: End = None,
    *,
    home: Home = None,
) -> None:
    """Take back bars from `--start` up to `--end`; they stay in what was known before."""
    if start is None and end is None:
        msg = "name at least one of --start and --end; nobody deletes a whole series by mistake"
        raise typer.BadParameter(msg)
    with open_store(home) as store:
        gone = store.delete(symbol, timeframe, start, end)
    typer.echo(f"{gone:,} bars of {symbol} {timeframe} taken back")
