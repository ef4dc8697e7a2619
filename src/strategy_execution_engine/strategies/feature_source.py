"""Where a strategy's features come from, and when it must not use them.

1. Through the client it is given, which has its own ladder: cache, service, calculation from the bars that are handed to
   it, each answer marked as what it is.
2. If the store does not hold these bars at all, by the same engine on the bars at hand: they begin the series. A client
   made with `fallback="none"` forbids that, and is obeyed.
3. Else not at all: `FeaturesUnavailableError`, on which a strategy gives no signal.

Values that were invented (`synthetic`), or cached and older than the strategy's bound (`stale`), are the third case too.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from feature_store.errors import (
    CorruptResponseError,
    DataNotFoundError,
    FeatureStoreConnectionError,
    FeatureStoreError,
    FeatureStoreTimeoutError,
    FeatureStoreUnavailableError,
)
from feature_store.times import to_datetime
from feature_store.wire import Provenance
from strategy_execution_engine.strategies.market import Market, frame_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from feature_store.bars import Bars, Floats
    from strategy_execution_engine.strategies.base_strategy import FeatureClient

_AWAY = (FeatureStoreConnectionError, FeatureStoreTimeoutError, FeatureStoreUnavailableError, CorruptResponseError)


class FeaturesUnavailableError(FeatureStoreError):
    """There are no features a strategy may trade on; it gives no signal, and the message says why."""

    code = "features_unavailable"


def utc_now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DirectSource:
    """Features by the engine in this process, from the first of the bars at hand."""

    now: Callable[[], datetime] = utc_now

    async def observe(self, bars: Bars, features: list[str]) -> Market:
        """Return the market with its features; raises FeaturesUnavailableError where the engine is not installed."""
        import feature_store  # noqa: PLC0415  a client-only installation has no engine

        try:
            frame = feature_store.compute(bars, features)
        except ImportError as problem:
            msg = f"features cannot be calculated here ({problem}); pip install 'forex-feature-store[engine]'"
            raise FeaturesUnavailableError(msg) from problem
        versions = frame.attrs["feature_store"]["versions"]
        anchor = int(bars.time[0]) // 1000 if len(bars) else None
        provenance = Provenance("direct", self.now().isoformat(), versions=versions, anchor=anchor)
        return Market(bars, _columns(frame), provenance)


@dataclass(frozen=True, slots=True)
class ClientSource:
    """Features through a client; `max_stale_s` is how old a `stale` answer may be, in seconds."""

    client: FeatureClient
    max_stale_s: float = 300.0
    now: Callable[[], datetime] = utc_now

    async def observe(self, bars: Bars, features: list[str]) -> Market:
        """Return the market with its features, or raise FeaturesUnavailableError; wrong requests raise as they are."""
        try:
            frame = await self._ask(bars, features)
        except DataNotFoundError as problem:
            if getattr(self.client, "fallback", "direct") == "none":
                msg = f"the store does not hold these bars, and the client allows no fallback: {problem}"
                raise FeaturesUnavailableError(msg) from problem
            return _marked(await DirectSource(self.now).observe(bars, features), problem)
        except _AWAY as problem:
            msg = f"the feature store gave no answer: {problem}"
            raise FeaturesUnavailableError(msg) from problem
        provenance = Provenance.from_dict(frame.attrs["provenance"])
        self._refuse_untradable(provenance)
        return Market(bars, _columns(_aligned(frame, bars)), provenance)

    async def _ask(self, bars: Bars, features: list[str]) -> Any:
        last = int(bars.time[-1]) + bars.timeframe.microseconds  # the end of a range is exclusive
        return await self.client.get_indicators(
            symbol=bars.symbol.name,
            start_date=to_datetime(int(bars.time[0])),
            end_date=to_datetime(last),
            timeframe=bars.timeframe.name,
            indicators=features,
            bars=frame_of(bars),
        )

    def _refuse_untradable(self, provenance: Provenance) -> None:
        if provenance.source == "synthetic":
            msg = "these features are synthetic; no strategy trades on invented data"
            raise FeaturesUnavailableError(msg)
        if provenance.source == "stale":
            age = self.now() - datetime.fromisoformat(provenance.as_of)
            if age > timedelta(seconds=self.max_stale_s):
                msg = f"these features are {age.total_seconds():.0f} s old, the bound is {self.max_stale_s:.0f} s"
                raise FeaturesUnavailableError(msg)


def _marked(market: Market, problem: FeatureStoreError) -> Market:
    about = market.provenance
    warning = f"calculated from the bars at hand, which the store does not hold: {problem}"
    marked = Provenance("direct", about.as_of, True, (warning,), about.versions, about.anchor)
    return Market(market.bars, market.features, marked)


def _aligned(frame: Any, bars: Bars) -> Any:
    """Return the answer's rows at the bars' times; a bar it does not know has NaN, so nothing is decided there."""
    index = pd.DatetimeIndex(bars.time.view("datetime64[us]"), tz="UTC")
    return frame if frame.index.equals(index) else frame.reindex(index)


def _columns(frame: Any) -> Mapping[str, Floats]:
    return {str(name): frame[name].to_numpy(dtype=np.float64) for name in frame.columns}
