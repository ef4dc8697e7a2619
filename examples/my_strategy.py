"""A strategy of your own: ask the feature store for what it needs, and say what to do.

Start a service that has bars of EUR/USD of January 2023 (`feature-store ingest`, `feature-store serve`), then run this.
"""

import asyncio

from strategy_execution_engine.clients.feature_store_client import FeatureStoreClient
from strategy_execution_engine.strategies import BaseStrategy, Signal


class MyStrategy(BaseStrategy):
    def __init__(self, name, parameters=None):
        super().__init__(name, parameters)
        self.feature_store_client = FeatureStoreClient(use_cache=True)

    async def generate_signals(self, data):
        indicators = await self.feature_store_client.get_indicators(
            symbol=data.get("symbol", "unknown"),
            start_date=data.index[0],
            end_date=data.index[-1],
            indicators=["sma_50", "sma_200", "rsi_14"],
        )
        above = indicators["sma_50"] > indicators["sma_200"]
        crossed = above & ~above.shift(1, fill_value=False) & indicators["sma_200"].shift(1).notna()
        calm = indicators["rsi_14"] < 70
        return [
            Signal(symbol="EUR/USD", time=time, direction="long", kind="golden_cross", entry=data.loc[time, "close"])
            for time in indicators.index[crossed & calm]
        ]

    async def cleanup(self):
        await self.feature_store_client.close()


async def main() -> None:
    client = FeatureStoreClient(use_cache=True)
    bars = await client.get_ohlcv_data("EUR/USD", "2023-01-01", "2023-01-31")
    await client.close()

    bars["symbol"] = "EUR/USD"
    strategy = MyStrategy("golden cross")
    try:
        for signal in await strategy.generate_signals(bars):
            print(signal)
    finally:
        await strategy.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
