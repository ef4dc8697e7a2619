"""What a client answers when the service does not: the first rung that holds, marked as what it is, else the error.

    stale cache, within a bound  ->  direct calculation  ->  synthetic data, if switched on  ->  the service's error

`none` allows no rung, `direct` the first two, `synthetic` all. Nothing that comes from here is ever put into a cache.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

from feature_store.errors import FeatureStoreError, InvalidRequestError
from feature_store.wire import Frame, Provenance
from strategy_execution_engine.clients.direct import CannotCalculateError, because, utc_now
from strategy_execution_engine.clients.local_catalog import local_catalog, local_indicator
from strategy_execution_engine.clients.synthetic import synthetic_bars

if TYPE_CHECKING:
    from strategy_execution_engine.clients.direct import DirectCalculation
    from strategy_execution_engine.clients.transport import Call

Kind = Literal["direct", "none", "synthetic"]
Mode = Literal["research", "live"]


def check_policy(kind: str, mode: str) -> None:
    """Raise InvalidRequestError unless both are known and invented data stays out of live trading."""
    if kind not in get_args(Kind):
        msg = f"fallback must be direct, none or synthetic, was {kind!r}"
        raise InvalidRequestError(msg, field="fallback")
    if mode not in get_args(Mode):
        raise InvalidRequestError(f"mode must be research or live, was {mode!r}", field="mode")
    if kind == "synthetic" and mode == "live":
        msg = "fallback='synthetic' invents prices, which mode='live' does not allow; use fallback='direct' or 'none'"
        raise InvalidRequestError(msg, field="fallback")


def stale(frame: Frame, error: FeatureStoreError) -> Provenance:
    """Return the provenance of a cached `frame` that is past its time."""
    marked = replace(frame, provenance=replace(frame.provenance, source="stale"))
    return because(marked, f"{error} (these values are as of {frame.provenance.as_of})").provenance


async def calculated(direct: DirectCalculation, kind: Kind, call: Call, bars: Any, error: FeatureStoreError) -> Frame:
    """Return the answer of the rungs below the cache.

    Raises:
        FeatureStoreError: of the class of `error`, saying also why there is no other answer.
        InvalidRequestError: `bars` break a rule.
    """
    if kind == "none":
        raise error
    try:
        return because(await asyncio.to_thread(direct.frame, call, bars), str(error))
    except CannotCalculateError as problem:
        reason = str(problem)
    if kind == "synthetic":
        return because(await asyncio.to_thread(_synthetic, direct, call), str(error))
    raise type(error)(f"{error}; nor can it be calculated here: {reason}") from error


def local_document(call: Call, error: FeatureStoreError) -> dict[str, Any]:
    """Return the catalog, or one indicator, as the engine in this process has it; raises `error` where there is none."""
    try:
        return local_catalog() if call.endpoint == "catalog" else local_indicator(call.indicator)
    except (ImportError, FeatureStoreError):
        raise error from None


def _synthetic(direct: DirectCalculation, call: Call) -> Frame:
    asked = call.request
    assert asked is not None
    if asked.start is None or asked.end is None:
        msg = "synthetic data needs a start and an end"
        raise InvalidRequestError(msg, field="start" if asked.start is None else "end")
    bars = synthetic_bars(asked.symbol, asked.timeframe, asked.start, asked.end)
    about = Provenance("synthetic", utc_now().isoformat(), degraded=True, warnings=("these values are invented",))
    if call.endpoint == "ohlcv":
        rows = bars.between(asked.start, asked.end)
        return Frame(asked.symbol.name, asked.timeframe.name, rows.time // 1000, dict(rows.columns), about)
    try:
        frame = direct.frame(call, bars)
    except CannotCalculateError as problem:
        raise InvalidRequestError(f"no synthetic features: {problem}", field="indicators") from problem
    return replace(frame, provenance=replace(about, versions=frame.provenance.versions))
