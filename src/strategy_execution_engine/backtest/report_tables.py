"""The report's tables and sentences as HTML. Every text that came with the data goes through `safe`."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from strategy_execution_engine.backtest.report_data import COLOURS
from strategy_execution_engine.backtest.report_text import (
    NOTHING,
    minute,
    number,
    percent,
    plain,
    safe,
    signed,
    tone,
)
from strategy_execution_engine.backtest.statistics import monthly_returns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from strategy_execution_engine.backtest.statistics import Statistics
    from strategy_execution_engine.backtest.trades import BacktestResult, Trade

MOST_TRADES_SHOWN = 3_000
FEW_TRADES = 30
UNCOMMON = 0.05

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EXITS = {
    "stop": "Stop",
    "target": "Target",
    "time": "Time limit",
    "signal": "Exit signal",
    "reverse": "Opposite signal",
    "end": "End of data",
    "ruin": "Ruin",
}


def headline_numbers(run: BacktestResult) -> str:
    """Return the eight numbers that stand first."""
    s = run.statistics
    shown = (
        ("Net", signed(s.net, 0), run.account, tone(s.net)),
        ("Return", percent(s.net_return), "of the start", tone(s.net)),
        ("Max drawdown", percent(s.max_drawdown), f"{number(s.max_drawdown_money, 0)} {run.account}", ""),
        ("Trades", number(s.trades, 0), f"{percent(s.exposure, 0)} of the time", ""),
        ("Win rate", percent(s.win_rate), f"{number(s.expectancy_r)} R a trade", ""),
        ("Profit factor", number(s.profit_factor), "won over lost", ""),
        ("Sharpe", number(s.sharpe), "annualised", ""),
        ("Chance", percent(s.chance), "by coin toss", ""),
    )
    return "".join(
        f'<div><dt class="label">{safe(label)}</dt><dd style="margin:0"><span class="value {colour}">{safe(value)}</span>'
        f'<br><span class="note">{safe(note)}</span></dd></div>'
        for label, value, note, colour in shown
    )


def verdict(run: BacktestResult) -> str:
    """Return what the numbers allow to be said."""
    s = run.statistics
    if not s.trades:
        return "Nothing was traded, so there is nothing to judge."
    few = f" {s.trades} trades are too few to tell in any case." if s.trades < FEW_TRADES else ""
    if s.net <= 0:
        return f"The rule lost after costs; {percent(s.chance, 0)} of coin-tossed runs did at least as well.{few}"
    if s.chance >= UNCOMMON:
        return (
            f"A coin toss did at least as well in {percent(s.chance, 0)} of runs: this profit is not distinguishable "
            f"from luck.{few}"
        )
    return (
        f"A coin toss did as well in only {percent(s.chance)} of runs. That is uncommon for one rule looked at once; "
        f"among twenty rules tried, one such is expected.{few}"
    )


def comparison_table(runs: Sequence[BacktestResult]) -> str:
    """Return one row a strategy."""
    head = "<th class='text'>Strategy</th>" + "".join(
        f"<th>{name}</th>"
        for name in (
            "Net",
            "Return",
            "Max drawdown",
            "Trades",
            "Win rate",
            "Profit factor",
            "Sharpe",
            "Costs",
            "Chance",
        )
    )
    rows = "".join(_comparison_row(run, k) for k, run in enumerate(runs))
    return f'<div class="scroll short"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def statistics_table(run: BacktestResult) -> str:
    """Return every statistic with its name."""
    s = run.statistics
    return _pairs(
        (
            ("Final equity", f"{number(float(run.equity[-1]))} {run.account}"),
            ("Net profit", f"{signed(s.net)} {run.account}"),
            ("Net in pips, trade by trade", signed(s.pips, 1)),
            ("Mean trade", f"{signed(s.expectancy)} {run.account}"),
            ("Mean trade in R (risk at the stop)", signed(s.expectancy_r)),
            ("Best and worst trade", f"{signed(s.best)} and {signed(s.worst)}"),
            ("Won", f"{percent(s.win_rate)} of {s.trades}"),
            ("Longest run of losers", str(s.longest_losing_streak)),
            ("Held on average", f"{number(s.average_bars, 1)} bars"),
            ("In the market", f"{percent(s.exposure)} of {s.bars:,} bars"),
            ("Deepest drawdown", f"{percent(s.max_drawdown)} or {number(s.max_drawdown_money)} {run.account}"),
            ("Longest below a peak", f"{s.longest_drawdown_bars:,} bars"),
            ("Sharpe ratio (daily returns, \u00d7 \u221a260)", number(s.sharpe)),
            ("Chance of a mean trade this good (sign flips)", percent(s.chance)),
        )
    )


def cost_steps(run: BacktestResult) -> str:
    """Return gross profit, each cost and net as bars on one scale."""
    s = run.statistics
    steps = (
        ("Gross, at mid prices", 0.0, s.gross),
        ("Spread", s.gross, -s.spread),
        ("Slippage", s.gross - s.spread, -s.slippage),
        ("Commission", s.gross - s.spread - s.slippage, -s.commission),
        ("Net", 0.0, s.net),
    )
    ends = [edge for _, start, change in steps for edge in (start, start + change)]
    low, high = min(*ends, 0.0), max(*ends, 0.0)
    width = (high - low) or 1.0
    return '<div class="waterfall">' + "".join(_step(*step, low, width) for step in steps) + "</div>"


def exits_table(run: BacktestResult) -> str:
    """Return how many trades ended how, and what they made."""
    groups: dict[str, list[Trade]] = defaultdict(list)
    for trade in run.trades:
        groups[trade.exit_reason].append(trade)
    if not groups:
        return '<p class="sub">No trade was made.</p>'
    rows = "".join(
        f"<tr><th class='text'>{_EXITS[reason]}</th><td>{len(trades)}</td>"
        f"<td>{percent(sum(t.profit > 0 for t in trades) / len(trades), 0)}</td>{_money(sum(t.profit for t in trades))}</tr>"
        for reason, trades in sorted(groups.items(), key=lambda item: -len(item[1]))
    )
    head = f"<th class='text'>Ended by</th><th>Trades</th><th>Won</th><th>Net, {safe(run.account)}</th>"
    return f'<div class="scroll short"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def months_table(run: BacktestResult) -> str:
    """Return the return of each month and year; the stronger the colour, the larger the month."""
    months = monthly_returns(run.equity, run.bars.time, run.cash)
    largest = max((abs(share) for share in months.values() if not math.isnan(share)), default=0.0) or 1.0
    head = "<th class='text'>Year</th>" + "".join(f"<th style='text-align:center'>{name}</th>" for name in _MONTHS)
    rows = "".join(_year(year, months, largest) for year in sorted({year for year, _ in months}))
    return (
        f'<div class="scroll short"><table class="months"><thead><tr>{head}<th>Year</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def trades_table(run: BacktestResult) -> str:
    """Return every trade with its reasons, or the first of very many."""
    if not run.trades:
        return ""
    shown = run.trades[:MOST_TRADES_SHOWN]
    names = ("Units", "Entered", "Price", "Left", "Price", "Pips", "R", "Costs", f"Profit, {run.account}")
    head = "<th class='text'>#</th><th class='text'>Side</th>" + "".join(f"<th>{safe(name)}</th>" for name in names)
    digits = 5 if run.bars.symbol.pip_size < 0.01 else 3  # noqa: PLR2004  a tenth of a pip
    rows = "".join(_trade(trade, k, digits) for k, trade in enumerate(shown))
    rest = (
        f'<p class="sub">The first {len(shown):,} of {len(run.trades):,}.</p>' if len(shown) < len(run.trades) else ""
    )
    return (
        f'{rest}<div class="scroll" tabindex="0"><table class="trades"><thead><tr>{head}<th class="text">Left by</th>'
        f'<th class="text">Decided on</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )


def refusals_note(run: BacktestResult) -> str:
    """Return how many signals opened nothing, and why; nothing where there were none."""
    counts: dict[str, int] = defaultdict(int)
    for refusal in run.refused:
        counts[refusal.reason] += 1
    if not counts:
        return ""
    return (
        f'<p class="sub">Not traded: {safe("; ".join(f"{count} ({reason})" for reason, count in counts.items()))}.</p>'
    )


def manifest_tables(run: BacktestResult) -> str:
    """Return the manifest: each part a table of names and values."""
    manifest = run.manifest
    software = [("Software", manifest.get("software", NOTHING))]
    parts = [_pairs(software)] + [
        f"<h2 style='margin-top:18px'>{safe(name.capitalize())}</h2>{_pairs(_flat(part))}"
        for name, part in manifest.items()
        if isinstance(part, dict)
    ]
    return "".join(parts)


# ---------------------------------------------------------------- rows
def _comparison_row(run: BacktestResult, place: int) -> str:
    s: Statistics = run.statistics
    swatch = f'<i class="swatch" style="background:var(--feature-{place % COLOURS + 1})"></i>'
    return (
        f"<tr><th class='text'>{swatch}{safe(run.name)}</th>{_money(s.net)}"
        f'<td class="{tone(s.net_return)}">{percent(s.net_return)}</td><td>{percent(s.max_drawdown)}</td><td>{s.trades}</td>'
        f"<td>{percent(s.win_rate)}</td><td>{number(s.profit_factor)}</td><td>{number(s.sharpe)}</td>"
        f"<td>{number(s.spread + s.slippage + s.commission)}</td><td>{percent(s.chance)}</td></tr>"
    )


def _trade(trade: Trade, place: int, digits: int) -> str:
    signal = trade.signal
    reasons = " · ".join(f"{name} {value:.5g}" for name, value in signal.reasons.items())
    cut = " (cut to the margin)" if trade.capped else ""
    r = NOTHING if trade.r_multiple is None else signed(trade.r_multiple)
    return (
        f'<tr data-trade="{place}" tabindex="0"><td class="text">{place + 1}</td><td class="text">{signal.direction}</td>'
        f"<td>{number(trade.units, 0)}{cut}</td><td>{minute(trade.entry_time)}</td><td>{trade.entry_price:.{digits}f}</td>"
        f"<td>{minute(trade.exit_time)}</td><td>{trade.exit_price:.{digits}f}</td><td>{signed(trade.pips, 1)}</td><td>{r}</td>"
        f"<td>{number(trade.spread + trade.slippage + trade.commission)}</td>{_money(trade.profit)}"
        f'<td class="text">{_EXITS[trade.exit_reason]}</td><td class="text why">{safe(f"{signal.kind}: {reasons}")}</td></tr>'
    )


def _year(year: int, months: Mapping[tuple[int, int], float], largest: float) -> str:
    shares = [months.get((year, month)) for month in range(1, 13)]
    whole = math.prod(1 + share for share in shares if share is not None) - 1
    cells = "".join(_month(share, largest) for share in shares)
    return f"<tr><th class='text'>{year}</th>{cells}<td class='{tone(whole)}'>{percent(whole)}</td></tr>"


def _month(share: float | None, largest: float) -> str:
    if share is None or math.isnan(share):
        return f'<td class="none">{NOTHING}</td>'
    way = "up" if share > 0 else "down" if share < 0 else ""
    return f'<td class="{way}" style="--heat:{abs(share) / largest:.2f}">{number(share * 100, 1)}</td>'


def _step(label: str, start: float, change: float, low: float, width: float) -> str:
    left = (min(start, start + change) - low) / width * 100
    kind = "total" if label == "Net" else "plus" if change >= 0 else "minus"
    bar = f'<i class="{kind}" style="left:{left:.2f}%;width:{abs(change) / width * 100:.2f}%"></i>' if change else ""
    return (
        f'<span class="label">{safe(label)}</span><span class="track">{bar}</span>'
        f'<span class="amount">{signed(change)}</span>'
    )


def _money(value: float) -> str:
    return f'<td class="{tone(value)}">{signed(value)}</td>'


def _pairs(rows: Iterable[tuple[str, Any]]) -> str:
    body = "".join(f"<tr><th class='text'>{safe(name)}</th><td>{safe(value)}</td></tr>" for name, value in rows)
    return f'<table class="plain"><tbody>{body}</tbody></table>'


def _flat(part: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    """Return nested plain data as one list of names and written values."""
    for name, value in part.items():
        label = str(name).replace("_", " ")
        if isinstance(value, dict):
            yield from ((inner, written) for inner, written in _flat(value))
        elif isinstance(value, (list, tuple)):
            yield label, ", ".join(map(plain, value)) or NOTHING
        else:
            yield label, NOTHING if value is None else plain(value)
