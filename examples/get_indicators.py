"""Ask the feature store for indicators of a month.

Start a service that has bars of EUR/USD of January 2023 (`feature-store ingest`, `feature-store serve`), then run this.
"""

import asyncio

from strategy_execution_engine.clients.feature_store_client import FeatureStoreClient


async def main() -> None:
    client = FeatureStoreClient(use_cache=True)
    try:
        indicators = await client.get_indicators(
            symbol="EUR/USD",
            start_date="2023-01-01",
            end_date="2023-01-31",
            timeframe="1h",
            indicators=["sma_50", "sma_200", "rsi_14"],
        )
    finally:
        await client.close()
    print(indicators.tail())
    print(indicators.attrs["provenance"])


if __name__ == "__main__":
    asyncio.run(main())
