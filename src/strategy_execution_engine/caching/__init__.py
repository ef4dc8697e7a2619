"""Keeps answers, so that what was fetched or computed once is not fetched or computed again."""

from strategy_execution_engine.caching.feature_cache import FeatureCache, get_feature_cache

__all__ = ["FeatureCache", "get_feature_cache"]
