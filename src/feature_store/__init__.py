"""A feature store for foreign exchange: one definition of an indicator gives batch, live and stored values equal to the bit.

import feature_store as fs

fs.compute(bars, ["sma_50", "rsi_14"])     # bars in, one column per output out
live = fs.live(["sma_50", "rsi_14"])       # the same values, bar by bar
store = fs.open("./market")                # history that knows when it was known
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feature_store.dataset.labels import ForwardReturn
    from feature_store.dataset.manifest import Manifest
    from feature_store.dataset.training_set import TrainingSet
    from feature_store.engine.compute import compute
    from feature_store.engine.explain import Explanation, explain
    from feature_store.engine.live import Live, live, restore
    from feature_store.feature_store import FeatureStore, open  # noqa: A004
    from feature_store.higher_bars import HigherBars
    from feature_store.indicators.catalog import Feature, catalog, feature, parse
    from feature_store.indicators.definition import Definition, State, indicator
    from feature_store.indicators.parameters import Choice, Int, Real
    from feature_store.indicators.series import Series, where
    from feature_store.market.live_market import LiveMarket, live_market, restore_market
    from feature_store.ticks import TickBars

_HOMES = {
    "ForwardReturn": "dataset.labels",
    "Manifest": "dataset.manifest",
    "TrainingSet": "dataset.training_set",
    "compute": "engine.compute",
    "Explanation": "engine.explain",
    "explain": "engine.explain",
    "Live": "engine.live",
    "live": "engine.live",
    "restore": "engine.live",
    "FeatureStore": "feature_store",
    "open": "feature_store",
    "Feature": "indicators.catalog",
    "catalog": "indicators.catalog",
    "feature": "indicators.catalog",
    "parse": "indicators.catalog",
    "Definition": "indicators.definition",
    "State": "indicators.definition",
    "indicator": "indicators.definition",
    "HigherBars": "higher_bars",
    "TickBars": "ticks",
    "Choice": "indicators.parameters",
    "Int": "indicators.parameters",
    "Real": "indicators.parameters",
    "Series": "indicators.series",
    "where": "indicators.series",
    "LiveMarket": "market.live_market",
    "live_market": "market.live_market",
    "restore_market": "market.live_market",
}

__all__ = [
    "Choice",
    "Definition",
    "Explanation",
    "Feature",
    "FeatureStore",
    "ForwardReturn",
    "HigherBars",
    "Int",
    "Live",
    "LiveMarket",
    "Manifest",
    "Real",
    "Series",
    "State",
    "TickBars",
    "TrainingSet",
    "catalog",
    "compute",
    "explain",
    "feature",
    "indicator",
    "live",
    "live_market",
    "open",
    "parse",
    "restore",
    "restore_market",
    "where",
]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing this package costs nothing."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
