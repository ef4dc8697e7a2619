"""The numbers under a backtest, each with its definition, and how likely they are to be luck."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from feature_store.bars import Floats, Integers
    from strategy_execution_engine.backtest.trades import Trade

TRADING_DAYS = 260
"""Days a year on which currencies trade, by which the Sharpe ratio is annualised."""

CHANCE_SEED = 20_230_101
CHANCE_FLIPS = 10_000
_FLIPS_AT_ONCE = 2_000_000

_DAY = 86_400_000_000
_EPOCH_WEEKDAY = 3  # 1970-01-01 was a Thursday; Monday is 0
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Statistics:
    """Money in account currency, fractions as fractions; NaN where nothing defines a value.

    Args:
        bars, trades: how many.
        net: final equity less starting cash; `net_return` as a fraction of it.
        gross: profit at mid prices; `spread`, `slippage` and `commission` are what trading cost.
        pips: sum over trades from fill to fill.
        win_rate: trades with a profit above zero.
        profit_factor: sum of profits over sum of losses; infinite without losses.
        expectancy: mean profit of a trade; `expectancy_r` in units of what was risked at the stop.
        best, worst: profit of a single trade.
        average_bars: how long a trade was held.
        longest_losing_streak: trades in a row without a profit.
        max_drawdown: deepest fall of equity from its peak, as a fraction of the peak; `max_drawdown_money` in money.
        longest_drawdown_bars: most bars in a row below a peak.
        sharpe: mean over standard deviation of daily returns, times the root of 260; UTC days, weekends' bars count to
            Monday.
        exposure: bars at whose close a position was held, as a fraction.
        chance: probability of a mean trade at least this good if profits and losses of these sizes came by coin toss
            (sign-flip test, 10,000 tosses with a fixed seed).
    """

    bars: int
    trades: int
    net: float
    net_return: float
    gross: float
    spread: float
    slippage: float
    commission: float
    pips: float
    win_rate: float
    profit_factor: float
    expectancy: float
    expectancy_r: float
    best: float
    worst: float
    average_bars: float
    longest_losing_streak: int
    max_drawdown: float
    max_drawdown_money: float
    longest_drawdown_bars: int
    sharpe: float
    exposure: float
    chance: float

    def to_dict(self) -> dict[str, float | int | None]:
        """Return plain data, with None for what is not defined or not finite."""
        return {name: value if math.isfinite(value) else None for name, value in asdict(self).items()}


def statistics_of(trades: Sequence[Trade], equity: Floats, time: Integers, cash: float) -> Statistics:
    """Return the statistics of finished trades and of the equity at each bar's close; `time` in UTC microseconds."""
    profit = np.array([trade.profit for trade in trades], dtype=np.float64)
    held = np.array([trade.bars_held for trade in trades], dtype=np.float64)
    r_multiples = [r for trade in trades if (r := trade.r_multiple) is not None]
    fall = drawdown(equity)
    peak = np.maximum.accumulate(equity)
    return Statistics(
        bars=len(equity),
        trades=len(trades),
        net=float(equity[-1]) - cash,
        net_return=float(equity[-1]) / cash - 1,
        gross=math.fsum(trade.gross for trade in trades),
        spread=math.fsum(trade.spread for trade in trades),
        slippage=math.fsum(trade.slippage for trade in trades),
        commission=math.fsum(trade.commission for trade in trades),
        pips=math.fsum(trade.pips for trade in trades),
        win_rate=_mean(profit > 0),
        profit_factor=profit_factor(profit),
        expectancy=_mean(profit),
        expectancy_r=_mean(np.array(r_multiples)),
        best=float(profit.max()) if len(profit) else math.nan,
        worst=float(profit.min()) if len(profit) else math.nan,
        average_bars=_mean(held),
        longest_losing_streak=longest_run(profit <= 0),
        max_drawdown=float(-fall.min()),
        max_drawdown_money=float((peak - equity).max()),
        longest_drawdown_bars=longest_run(fall < 0),
        sharpe=sharpe(equity, time, cash),
        exposure=float(held.sum()) / len(equity),
        chance=chance(profit),
    )


def drawdown(equity: Floats) -> Floats:
    """Return at each bar how far equity is below its peak so far, as a fraction of the peak: 0 or negative.

    >>> drawdown(np.array([100.0, 110, 99, 120]))
    array([ 0. ,  0. , -0.1,  0. ])
    """
    fall: Floats = equity / np.maximum.accumulate(equity) - 1
    return fall


def profit_factor(profit: Floats) -> float:
    """Return the sum of profits over the sum of losses; infinite without losses, NaN without either.

    >>> profit_factor(np.array([30.0, -10, -5]))
    2.0
    """
    won, lost = float(profit[profit > 0].sum()), float(-profit[profit < 0].sum())
    if lost:
        return won / lost
    return math.inf if won else math.nan


def longest_run(flags: Any) -> int:
    """Return the most flags that are up in a row.

    >>> longest_run(np.array([True, False, True, True]))
    2
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def sharpe(equity: Floats, time: Integers, cash: float) -> float:
    """Return the annualised Sharpe ratio of daily returns over no risk-free rate; NaN where nothing moved.

    The last equity of a UTC day is that day's; Saturday's and Sunday's bars count to Monday.
    """
    day = trading_day(time)
    closes = equity[np.flatnonzero(np.append(np.diff(day) != 0, True))]
    before = np.concatenate(([cash], closes[:-1]))
    if len(closes) < 2 or bool((before <= 0).any()):  # noqa: PLR2004  a deviation needs two values
        return math.nan
    returns = closes / before - 1
    deviation = float(returns.std(ddof=1))
    return float(returns.mean()) / deviation * math.sqrt(TRADING_DAYS) if deviation > 0 else math.nan


def trading_day(time: Integers) -> Integers:
    """Return the UTC day of each bar as days since 1970, with weekends moved to their Monday.

    >>> (trading_day(np.array([0, 3 * 86_400_000_000])) + 3) % 7  # a Thursday, and a Sunday
    array([3, 0])
    """
    day: Integers = time // _DAY
    weekday = (day + _EPOCH_WEEKDAY) % 7
    return np.where(weekday >= _SATURDAY, day + 7 - weekday, day)


def chance(profit: Floats, flips: int = CHANCE_FLIPS, seed: int = CHANCE_SEED) -> float:
    """Return how often coin-tossed signs give a mean at least as high as the one observed; NaN without trades.

    The hypothesis: after costs a trade is as likely to win as to lose what it moved. Below 0.05 is uncommon for one
    rule that was looked at once; among twenty rules one such is expected.

    >>> chance(np.array([5.0, 5.0, 5.0, 5.0]))  # all four heads: about 1 in 16
    0.066...
    """
    if not len(profit):
        return math.nan
    random, size, width = np.random.default_rng(seed), np.abs(profit), -(-len(profit) // 8)
    needed = float(profit[profit > 0].sum()) * (1 - 1e-12)  # what the winners must add up to; the losers follow
    at_once, reached, done = max(1, _FLIPS_AT_ONCE // len(profit)), 0, 0
    while done < flips:
        rows = min(at_once, flips - done)
        bits = np.frombuffer(random.bytes(rows * width), dtype=np.uint8).reshape(rows, width)
        heads = np.unpackbits(bits, axis=1, count=len(profit))
        reached += int(np.count_nonzero(heads @ size >= needed))
        done += rows
    return (reached + 1) / (flips + 1)


def monthly_returns(equity: Floats, time: Integers, cash: float) -> dict[tuple[int, int], float]:
    """Return the fraction gained in each UTC calendar month with bars, by (year, month); NaN after ruin."""
    month = time.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    ends = np.flatnonzero(np.append(np.diff(month) != 0, True))
    before = np.concatenate(([cash], equity[ends][:-1]))
    gained = np.divide(equity[ends], before, out=np.full(len(ends), np.nan), where=before > 0) - 1
    months = month[ends].tolist()
    return {(1970 + m // 12, m % 12 + 1): share for m, share in zip(months, gained.tolist(), strict=True)}


def _mean(values: Any) -> float:
    return float(values.mean()) if len(values) else math.nan
