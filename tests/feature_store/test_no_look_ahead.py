"""A bar of another symbol that opens with ours and closes after it is not known when ours closes."""

import numpy as np

import feature_store as fs
from feature_store.store.memory import MemoryStore


def test_a_week_of_a_market_without_rest_is_not_known_on_friday():
    store = fs.FeatureStore(MemoryStore())
    close = 1.1 + np.arange(60) * 0.001 * np.where(np.arange(60) % 3, 1, -1)
    for symbol in ("EUR/USD", "BTC/USD"):
        time = weeks(60)
        flat = dict.fromkeys(("open", "high", "low", "close"), close)
        store.ingest(symbol, "1w", {"time": time, **flat})
    assert store.features("EUR/USD", "1w", ["correl_5@BTC-USD"])["correl_5@BTC-USD"].isna().all()
    assert store.features("BTC/USD", "1w", ["correl_5@EURUSD"])["correl_5@EURUSD"].notna().any()


def weeks(count):
    from feature_store.bars import Timeframe
    from feature_store.calendar import WEEK, bucket_open
    from feature_store.times import to_microseconds

    first = to_microseconds("2022-01-04") + np.arange(count) * WEEK
    return bucket_open(first, Timeframe.parse("1w")).astype("datetime64[us]")
