"""The indicators: one file a family, each indicator one function. Importing this package registers every built-in."""

from feature_store.indicators import averages, bands, momentum, statistics, trend, volatility, volume, windows

__all__ = ["averages", "bands", "momentum", "statistics", "trend", "volatility", "volume", "windows"]
