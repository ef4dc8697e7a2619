"""Commands that this package adds to `feature-store`; each imports what it needs when it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    folder: Annotated[Path, typer.Option(help="Where the store and the report go; kept for the next run.")] = Path(
        "demo"
    ),
    bars: Annotated[
        Path | None, typer.Option(help="Your own bars, CSV or Parquet, instead of EUR/USD 2017.", show_default=False)
    ] = None,
    symbol: Annotated[str, typer.Option(help="What the bars are of.")] = "EUR/USD",
    timeframe: Annotated[str, typer.Option("--timeframe", "-t", help="How long a bar is.")] = "1h",
) -> None:
    """Run the whole line once: bars, features, service, client, outage, recovery, two backtests and a report."""
    from strategy_execution_engine.demo import run_demo  # noqa: PLC0415

    run_demo(folder, bars, symbol, timeframe)
