"""The first question that a fresh process asks a store. Nothing is imported here that the question does not need."""

from __future__ import annotations

from time import perf_counter


def first_answer(home: str, symbol: str, timeframe: str, features: list[str], month: list[str]) -> dict[str, float]:
    """Return how long this process takes for its imports, then to open the store and answer; bars where no feature is named."""
    started = perf_counter()
    import feature_store as fs
    import feature_store.feature_store
    import feature_store.store.delta

    imported = perf_counter()
    with fs.open(home) as store:
        if features:
            store.features(symbol, timeframe, features, *month, as_="numpy")
        else:
            store.bars(symbol, timeframe, *month, as_="numpy")
    return {"imports": imported - started, "answer": perf_counter() - imported}
