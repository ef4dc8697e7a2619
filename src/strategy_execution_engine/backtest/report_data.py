"""What the report's charts draw, as JSON in a script element: arrays are base64 of little-endian float32 and uint32.

Bars that several runs share are written once. Prices keep seven digits, more than any quote has; tables show exact values.
"""

from __future__ import annotations

import json
from base64 import b64encode
from itertools import groupby
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import PRICES
from feature_store.times import MICROSECONDS_A_SECOND
from strategy_execution_engine.backtest.manifest import digest_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feature_store.bars import Bars, Floats
    from strategy_execution_engine.backtest.trades import BacktestResult, Trade

COLOURS = 5
SHOWN_AT_FIRST = 2
_NEAR = 0.25


def chart_json(runs: Sequence[BacktestResult]) -> str:
    """Return the charts' data as JSON that is safe inside a script element."""
    bars = {_key(run.bars): _bars(run.bars) for run in runs}
    text = json.dumps({"bars": bars, "runs": [_run(run) for run in runs]}, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def overlays(bars: Bars, features: Mapping[str, Floats]) -> dict[str, list[str]]:
    """Return the columns that can be drawn over the price, by the feature they belong to.

    Those are the ones that never leave a quarter of the price's level: an average does not, an oscillator does.
    """
    close = bars.columns["close"]
    near = [name for name, values in features.items() if _is_near(values, close)]
    return {feature: list(columns) for feature, columns in groupby(near, key=_feature_of)}


def _is_near(values: Floats, close: Floats) -> bool:
    known = np.isfinite(values)
    return bool(known.any()) and bool((np.abs(values[known] / close[known] - 1) < _NEAR).all())


def _feature_of(column: str) -> str:
    """Return the id without its output: `bbands_20_2.upper` is of `bbands_20_2`, `keltner_20_10_1.5.upper` of its own."""
    head, dot, output = column.rpartition(".")
    return head if dot and output.isidentifier() else column


def _run(run: BacktestResult) -> dict[str, Any]:
    groups = overlays(run.bars, run.features)
    return {
        "bars": _key(run.bars),
        "account": run.account,
        "cash": run.cash,
        "equity": _floats(run.equity),
        "features": [_group(run, k, name, columns) for k, (name, columns) in enumerate(groups.items())],
        "trades": [_trade(trade) for trade in run.trades],
    }


def _group(run: BacktestResult, place: int, name: str, columns: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "colour": f"feature-{place % COLOURS + 1}",
        "shown": place < SHOWN_AT_FIRST,
        "lines": [{"label": c, "minor": c.endswith(".middle"), "values": _floats(run.features[c])} for c in columns],
    }


def _trade(trade: Trade) -> dict[str, Any]:
    return {
        "side": trade.side,
        "entry_row": trade.entry_row,
        "exit_row": trade.exit_row,
        "entry_price": trade.entry_price,
        "exit_price": trade.exit_price,
        "stop": trade.signal.stop,
        "target": trade.signal.target,
        "profit": trade.profit,
        "pips": trade.pips,
        "label": f"{trade.signal.direction} on {trade.signal.kind}, left by {trade.exit_reason}",
    }


def _bars(bars: Bars) -> dict[str, Any]:
    return {
        "time": _text((bars.time // MICROSECONDS_A_SECOND).astype("<u4")),
        "digits": 5 if bars.symbol.pip_size < 0.01 else 3,  # noqa: PLR2004  a tenth of a pip
        **{name: _floats(bars.columns[name]) for name in PRICES},
    }


def _key(bars: Bars) -> str:
    return f"{bars.symbol.key}-{bars.timeframe}-{digest_of(bars)}"


def _floats(values: Floats) -> str:
    return _text(np.ascontiguousarray(values, dtype="<f4"))


def _text(array: Any) -> str:
    return b64encode(array.tobytes()).decode("ascii")
