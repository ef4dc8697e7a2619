"""What several commands have in common: arguments and options, and the store that they work on."""

# ruff: noqa: PLC0415  imports stand where they are used, so that `--help` answers at once

from __future__ import annotations

from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from feature_store.feature_store import FeatureStore
    from feature_store.indicators.registry import Registry
    from feature_store.settings import Settings

Home = Annotated[
    str | None,
    typer.Option(
        "--home",
        help="The store: a folder, or s3://bucket/market; else FEATURE_STORE_HOME, else one in your user data.",
    ),
]
Symbol = Annotated[str, typer.Argument(help="An instrument, such as EUR/USD.", show_default=False)]
Timeframe = Annotated[str, typer.Option("--timeframe", "-t", help="A bar's length: 1m 5m 15m 1h 4h 1d ...")]
Start = Annotated[str | None, typer.Option(help="First bar's open, ISO 8601, UTC.", show_default=False)]
End = Annotated[
    str | None, typer.Option(help="Where to stop, exclusive; a bare date covers its day.", show_default=False)
]
AsOf = Annotated[
    str | None, typer.Option("--as-of", help="Answer as was known at this moment; now by default.", show_default=False)
]
Features = Annotated[
    list[str], typer.Argument(help="Feature ids, such as sma_50 macd rsi_14, or a set's name.", show_default=False)
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for a program.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="Write a .parquet, .arrow, .csv or .json file instead.", show_default=False),
]


@contextmanager
def open_store(home: str | None) -> Iterator[FeatureStore]:
    """Open the store that a command is about."""
    import feature_store

    with feature_store.open(home or settings().home) as store:
        yield store


def settings() -> Settings:
    """Return what the environment says."""
    from feature_store.settings import Settings

    return Settings.from_environment()


def registry_of(home: str | None) -> Registry:
    """Return what names mean in a store, which need not be there."""
    from feature_store.store.places import LocalPlace, place_of

    place = place_of(home or settings().home)
    if isinstance(place, LocalPlace):
        from feature_store.store.definitions import SqliteDefinitions

        with closing(SqliteDefinitions(place.root)) as definitions:
            return definitions.registry()
    from feature_store.store.object_definitions import ObjectDefinitions

    return ObjectDefinitions(place).registry()


def asked(ids: list[str]) -> list[str] | str:
    """Return ids as they were written, a single word by itself, for it may be the name of a set."""
    return ids[0] if len(ids) == 1 else ids
