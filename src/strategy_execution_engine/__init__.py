"""Strategies on a feature store: the client that asks it, the cache before it, strategies, backtests, and what watches them."""
