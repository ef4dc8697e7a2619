"""Features kept in tables, under names."""

# ruff: noqa: PLC0415  imports stand where they are used, so that `--help` answers at once

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from feature_store.commands.options import AsJson, Home, Timeframe, asked, open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feature_store.materialize import MaterializeReport


def backfill(
    symbols: Annotated[str, typer.Argument(help="Instruments, such as EUR/USD or EUR/USD,GBP/USD, or all.")],
    ids: Annotated[list[str], typer.Argument(help="Feature ids, or the name of a set.", show_default=False)],
    timeframe: Timeframe = "1h",
    workers: Annotated[int | None, typer.Option(min=1, help="Symbols at once; as many as cores by default.")] = None,
    *,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Compute features over whole series and store them; a second run adds what is new, a stopped one goes on."""
    from feature_store import tables
    from feature_store.store_tables import filling, print_fills

    with open_store(home) as store:
        names = list(dict.fromkeys(s.symbol for s in store.symbols())) if symbols == "all" else symbols.split(",")
        with filling("Computing", len(names)) as progress:
            reports = list(store.backfill(names, timeframe, asked(ids), workers=workers, progress=progress))
    if as_json:
        tables.print_json(_totals(reports))
    else:
        print_fills(reports)


def _totals(reports: Sequence[MaterializeReport]) -> dict[str, Any]:
    return {
        **{name: sum(getattr(each, name) for each in reports) for name in ("rows", "written", "computed", "parts")},
        "columns": list(dict.fromkeys(column for each in reports for column in each.columns)),
        "series": [asdict(each) for each in reports],
    }


def sets(
    name: Annotated[str | None, typer.Argument(help="A set to register, such as trend.", show_default=False)] = None,
    ids: Annotated[list[str] | None, typer.Argument(help="Its features' ids.", show_default=False)] = None,
    description: Annotated[str, typer.Option(help="What it is for.", show_default=False)] = "",
    *,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the named sets of features, or register one: `feature-store sets trend sma_50 rsi_14`."""
    from feature_store import tables
    from feature_store.store_tables import print_sets

    with open_store(home) as store:
        found = store.feature_sets() if name is None else [store.register_set(name, ids or [], description=description)]
    if as_json:
        tables.print_json({"sets": [{**asdict(each), "id": each.id} for each in found]})
    else:
        print_sets(found)
