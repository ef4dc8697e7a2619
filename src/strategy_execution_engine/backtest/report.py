"""The report: one HTML file that needs nothing else, with charts, tables and what is needed to repeat the run.

Style, script and data are inside the file, and its content policy forbids every request, so it opens from a mail or a
stick as it does from a server. Everything that came with the data (names, symbols, reasons) is escaped.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from feature_store.errors import InvalidRequestError
from feature_store.times import to_datetime
from strategy_execution_engine.backtest.report_data import chart_json
from strategy_execution_engine.backtest.report_tables import (
    comparison_table,
    cost_steps,
    exits_table,
    headline_numbers,
    manifest_tables,
    months_table,
    refusals_note,
    statistics_table,
    trades_table,
    verdict,
)
from strategy_execution_engine.backtest.report_text import day, plain, safe
from strategy_execution_engine.backtest.trades import BacktestResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"
_HONEST = (
    "<strong>Expect no edge after costs.</strong> Rules like these have none that lasts, and a backtest shows how a rule "
    "behaved, not what it will earn. <em>Chance</em> says how often profits and losses of the same sizes, with their signs "
    "tossed by a coin, came out at least as well."
)


def write_report(
    results: BacktestResult | Sequence[BacktestResult], path: str | os.PathLike[str], *, title: str = "Backtest"
) -> Path:
    """Write the report to `path`, making its folder where needed, and return the path; a reader never sees half a file."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        unfinished.write_text(render_report(results, title=title), encoding="utf-8")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return target


def render_report(results: BacktestResult | Sequence[BacktestResult], *, title: str = "Backtest") -> str:
    """Return the whole page for one result or several; raises InvalidRequestError for none."""
    runs = [results] if isinstance(results, BacktestResult) else list(results)
    if not runs:
        msg = "a report needs at least one result, had none"
        raise InvalidRequestError(msg, field="results")
    return "\n".join(_page(runs, title))


def _page(runs: list[BacktestResult], title: str) -> Iterable[str]:
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{safe(title)}: {safe(_series(runs))}</title>"
    yield f"<style>\n{_asset('report.css')}</style>\n</head>\n<body>"
    yield f'<header class="page"><h1>{safe(title)}</h1><p class="sub">{_about(runs)}</p>'
    yield f'<p class="honest">{_HONEST}</p></header>'
    yield "<main>"
    if len(runs) > 1:
        yield from _comparison(runs)
    for number, run in enumerate(runs):
        yield from _run(run, number)
    yield "</main>"
    yield f'<footer class="page">{safe(runs[0].manifest.get("software", ""))} &middot; times are UTC</footer>'
    yield f'<script type="application/json" id="report-data">{chart_json(runs)}</script>'
    yield f"<script>\n{_asset('report.js')}</script>\n</body>\n</html>"


def _comparison(runs: list[BacktestResult]) -> Iterable[str]:
    yield '<div class="card chart"><h2>Return of each strategy</h2><canvas class="compare" role="img" '
    yield f'aria-label="Return over time of {len(runs)} strategies"></canvas>'
    yield f"{comparison_table(runs)}</div>"
    links = "".join(f'<a href="#run-{k}">{safe(run.name)}</a>' for k, run in enumerate(runs))
    yield f'<nav class="tabs" aria-label="Strategies">{links}</nav>'


def _run(run: BacktestResult, number: int) -> Iterable[str]:
    yield f'<section class="run" id="run-{number}">'
    yield f'<h2 class="name">{safe(run.name)}</h2>'
    yield f'<p class="rule">{_rule(run)}</p>'
    yield f'<dl class="card numbers">{headline_numbers(run)}</dl>'
    yield f'<p class="verdict">{verdict(run)}</p>'
    yield _chart(run)
    yield f'<div class="columns"><div><div class="card"><h2>Statistics</h2>{statistics_table(run)}</div></div>'
    yield f'<div><div class="card"><h2>From gross to net, {safe(run.account)}</h2>{cost_steps(run)}</div>'
    yield f'<div class="card"><h2>How trades ended</h2>{exits_table(run)}</div></div></div>'
    yield f'<div class="card"><h2>Return by month</h2>{months_table(run)}</div>'
    yield f'<div class="card"><h2>Trades</h2>{refusals_note(run)}{trades_table(run)}</div>'
    yield f'<details class="card"><summary>How to repeat this</summary>{manifest_tables(run)}</details>'
    yield "</section>"


def _chart(run: BacktestResult) -> str:
    described = f"Candles of {run.bars.symbol} with {len(run.trades)} trades; arrow keys move, plus and minus zoom"
    return f"""<div class="card chart">
<div class="bar"><div class="legend"></div><div class="zoom"><button type="button" data-zoom="in">Closer</button>
<button type="button" data-zoom="out">Wider</button><button type="button" data-zoom="all">All</button></div></div>
<div class="readout" aria-live="off"></div>
<canvas class="candles" tabindex="0" role="img" aria-label="{safe(described)}"></canvas>
<canvas class="account" role="img" aria-label="Equity and drawdown over the whole run"></canvas>
<p class="hint">Triangles are entries, circles exits, joined in the colour of the result. Drag to move, Ctrl + wheel or pinch
to zoom; the shaded part of the equity curve is what the candles show. Choose a trade below to see it.</p>
<noscript><p class="hint">The charts need JavaScript; every number is in the tables.</p></noscript></div>"""


def _rule(run: BacktestResult) -> str:
    strategy = run.manifest.get("strategy", {})
    chosen = ", ".join(
        f"{name.replace('_', ' ')} {plain(value)}" for name, value in strategy.get("parameters", {}).items()
    )
    return safe(f"{strategy.get('class', '')}: {chosen}" if chosen else strategy.get("class", ""))


def _about(runs: list[BacktestResult]) -> str:
    first = to_datetime(min(int(run.bars.time[0]) for run in runs))
    last = to_datetime(max(int(run.bars.time[-1]) for run in runs))
    rows = max(len(run.bars) for run in runs)
    account = " or ".join(dict.fromkeys(f"{run.cash:,.0f} {run.account}" for run in runs))
    return safe(f"{_series(runs)} · {day(first)} to {day(last)} · {rows:,} bars · starting with {account}")


def _series(runs: list[BacktestResult]) -> str:
    return ", ".join(dict.fromkeys(f"{run.bars.symbol} {run.bars.timeframe}" for run in runs))


def _asset(name: str) -> str:
    return (files("strategy_execution_engine.backtest") / "assets" / name).read_text(encoding="utf-8")
