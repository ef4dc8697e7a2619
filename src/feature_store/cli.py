"""`feature-store`: the store, its features and its service from a terminal.

Every command imports what it needs when it runs, so that `--help` answers at once.
"""

# ruff: noqa: PLC0415  imports stand where they are used, for the reason above

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path  # noqa: TC003  typer looks at annotations when a command runs
from typing import Annotated

import typer

from feature_store.commands import answers, care, ingesting, keeping
from feature_store.commands.options import AsJson, Home, open_store, registry_of, settings
from feature_store.console import DEBUG, CommandGroup
from feature_store.errors import InvalidRequestError

app = typer.Typer(
    name="feature-store",
    cls=CommandGroup,
    help="Bars and features of foreign exchange: stored, computed, served. Every command has its own --help.",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Run the command line; this is the console script."""
    app(prog_name="feature-store")


@app.callback()
def everything(
    *, debug: Annotated[bool, typer.Option(DEBUG, help="Show where an error comes from; accepted anywhere.")] = False
) -> None:
    """Take the options of every command; `--debug` is acted on before any command is."""


# ---------------------------------------------------------------- in, out, kept, looked after
for command in (
    ingesting.ingest,
    answers.get,
    answers.features,
    keeping.backfill,
    keeping.sets,
    care.check,
    care.doctor,
    care.compact,
    care.delete,
):
    app.command()(command)


# ---------------------------------------------------------------- indicators
@app.command()
def catalog(
    about: Annotated[
        list[str] | None,
        typer.Argument(help="Only those that are about this, such as: moving average", show_default=False),
    ] = None,
    search: Annotated[str, typer.Option(help="The same, as an option.", show_default=False)] = "",
    *,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the indicators by group, a store's own among them: ids with their defaults, what they are, outputs."""
    from feature_store import tables
    from feature_store.indicators.catalog import catalog as find

    words = " ".join([*(about or ()), search]).strip()
    found = find(words, registry_of(home))
    if as_json:
        tables.print_json({"indicators": [each.describe() for each in found]})
    elif found:
        tables.print_catalog(found)
    else:
        msg = f"no indicator's name, title, group or text contains {words!r}; feature-store catalog lists all"
        raise InvalidRequestError(msg, field="search")


@app.command()
def describe(
    id: Annotated[str, typer.Argument(help="A feature id, such as rsi or bbands_20_2.upper.", show_default=False)],  # noqa: A002
    *,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Tell all of one feature: what it means, its formula, parameters and outputs, and where its values begin."""
    from feature_store import tables
    from feature_store.indicators.catalog import parse

    feature = parse(id, registry_of(home))
    if as_json:
        tables.print_json(feature.describe())
    else:
        tables.print_feature(feature)


@app.command()
def register(
    file: Annotated[Path, typer.Argument(help="TOML or JSON: name, expression, parameters ...", show_default=False)],
    *,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Add an indicator of your own to a store; its new content under an old name is its next version."""
    from feature_store import tables
    from feature_store.documents import read_document
    from feature_store.indicators.custom import Draft

    draft = Draft.of(read_document(file))
    with open_store(home) as store:
        made = store.register(**vars(draft)).describe()
    if as_json:
        tables.print_json(made)
    else:
        typer.echo(f"{made['id']}:{made['version']} has its first value at row {made['warmup']}; it is made of")
        typer.echo(f"{', '.join([*made['inputs'], *made['uses']])}")


# ---------------------------------------------------------------- service
@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; beyond this machine it takes a key.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 picks a free one.")] = 8001,
    api_key: Annotated[
        list[str] | None,
        typer.Option(
            help="A key callers must send as X-API-Key; repeat for more. FEATURE_STORE_SERVICE_KEYS hides it better."
        ),
    ] = None,
    ready_file: Annotated[
        Path | None, typer.Option(help="Write the URL here once it answers.", show_default=False)
    ] = None,
    *,
    home: Home = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log every request.")] = False,
) -> None:
    """Serve the store over HTTP until Ctrl+C."""
    from feature_store.service.server import serve as run

    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )

    def ready(url: str) -> None:
        typer.echo(f"Serving {folder} at {url}/api/v1 (Ctrl+C stops it)")
        sys.stdout.flush()
        if ready_file is not None:
            _write_whole(ready_file, url)

    chosen = settings()
    folder = home or chosen.home
    with open_store(str(folder)) as store:
        run(store, host, port, api_keys=[*chosen.service_keys, *(api_key or ())], ready=ready)


# ---------------------------------------------------------------- shared
def _write_whole(file: Path, text: str) -> None:
    """Write a file that others wait for: it appears with all of its text."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(file)
