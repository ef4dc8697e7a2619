"""Bars and features out of a store: onto the screen, into a pipe, into a file."""

# ruff: noqa: PLC0415  imports stand where they are used, so that `--help` answers at once

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from feature_store.commands.options import (
    AsCsv,
    AsJson,
    AsOf,
    End,
    Features,
    Home,
    Output,
    Start,
    Symbol,
    Timeframe,
    asked,
    open_store,
    registry_of,
)
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from feature_store import wire


def get(
    symbol: Symbol,
    timeframe: Timeframe = "1h",
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    *,
    home: Home = None,
    output: Output = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> None:
    """Show stored bars."""
    show = _printer(output, as_json=as_json, as_csv=as_csv)
    _show(home, symbol, timeframe, start, end, as_of, (), show)


def features(
    symbol: Symbol,
    ids: Features,
    timeframe: Timeframe = "1h",
    start: Start = None,
    end: End = None,
    as_of: AsOf = None,
    *,
    home: Home = None,
    output: Output = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Say what is shared, where values begin and what compiles; compute nothing."),
    ] = False,
) -> None:
    """Show features of stored bars."""
    if explain:
        _explain(home, ids, as_json=as_json)
        return
    show = _printer(output, as_json=as_json, as_csv=as_csv)
    _show(home, symbol, timeframe, start, end, as_of, asked(ids), show)


def _show(
    home: str | None,
    symbol: str,
    timeframe: str,
    start: str | None,
    end: str | None,
    as_of: str | None,
    ids: Sequence[str] | str,
    show: Callable[[wire.Frame], None],
) -> None:
    from feature_store import tables

    with open_store(home) as store, tables.working("Computing" if ids else "Reading"):
        frame = store.frame(store.request(symbol, timeframe, start, end, ids), as_of)
    show(frame)


def _explain(home: str | None, ids: Sequence[str], *, as_json: bool) -> None:
    from feature_store import tables
    from feature_store.engine.explain import explain

    told = explain(ids, registry=registry_of(home))
    if as_json:
        tables.print_json(told.to_dict())
    else:
        tables.print_explanation(told)


def _printer(output: Path | None, *, as_json: bool, as_csv: bool) -> Callable[[wire.Frame], None]:
    from feature_store import tables
    from feature_store.exports import check_output, write_frame

    if (output is not None) + as_json + as_csv > 1:
        msg = "choose one of --json, --csv and --output"
        raise InvalidRequestError(msg, field="output")
    if output is None:
        return tables.print_frame_json if as_json else tables.print_frame_csv if as_csv else tables.print_frame
    check_output(output)

    def write(frame: wire.Frame) -> None:
        write_frame(frame, output)
        typer.echo(f"{len(frame):,} rows of {frame.symbol} {frame.timeframe} in {output}")

    return write
