"""The whole line once, on real bars: what `feature-store demo` runs.

1. Bars of a file go into a store in a folder; a second run finds them there.
2. Features are computed over all of them and kept.
3. The service is started on a free port, and a client asks it: cold, then from its cache.
4. The service is killed; the client computes the same features from the bars it was served, says so, and the bits agree.
5. The service is started again, and the client is back.
6. Two strategies trade on what the client gives them, and a report is written.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

import feature_store as fs
from feature_store.bars import Symbol
from feature_store.errors import FeatureStoreError, InvalidRequestError
from feature_store.service.process import ServiceProcess
from strategy_execution_engine.backtest.report import write_report
from strategy_execution_engine.backtest.run import run_backtest
from strategy_execution_engine.caching.feature_cache import FeatureCache
from strategy_execution_engine.clients.feature_store_client import FeatureStoreClient
from strategy_execution_engine.monitoring.feature_store_metrics import feature_store_metrics
from strategy_execution_engine.strategies import MACrossoverStrategy, VolatilityBreakoutStrategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pandas as pd

    from strategy_execution_engine.backtest.trades import BacktestResult
    from strategy_execution_engine.strategies.base_strategy import BaseStrategy

FEATURES = ("sma_50", "sma_200", "rsi_14", "atr_14")


class DemoFailedError(FeatureStoreError):
    """A step of the demo did not do what it promises; this is a bug worth reporting."""

    code = "demo_failed"


def run_demo(folder: Path, bars: Path | None, symbol: str, timeframe: str) -> None:
    """Run the demo in `folder`, printing what happens; raises FeatureStoreError where something cannot be done."""
    logging.getLogger("stamina").setLevel(logging.ERROR)  # the outage below is on purpose
    demo = _Demo(folder, bars or bundled_bars(), Symbol.parse(symbol).name, timeframe)
    started = perf_counter()
    demo.store_bars()
    with demo.step("Service started"):
        service = ServiceProcess(demo.home).start()
    try:
        results = asyncio.run(demo.ask_and_trade(service))
    finally:
        service.stop()
    demo.show(results)
    report = write_report(results, folder / "report.html", title=f"{demo.symbol} {timeframe}")
    demo.console.print(
        f"Report: [bold]{report.resolve()}[/]  ({perf_counter() - started:.1f} s in all)", soft_wrap=True
    )


def bundled_bars() -> Path:
    """Return the file of 5,000 hours of EUR/USD that comes with the `backtesting` package."""
    package = importlib.util.find_spec("backtesting")
    if package is None or package.origin is None:
        msg = "the demo's bars come with the package backtesting; install it, or give a file of your own with --bars"
        raise InvalidRequestError(msg, field="bars")
    return Path(package.origin).parent / "test" / "EURUSD.csv"


@dataclass
class _Demo:
    folder: Path
    file: Path
    symbol: str
    timeframe: str
    console: Console = field(default_factory=Console)

    @property
    def home(self) -> Path:
        """The store's folder."""
        return self.folder / "market"

    # ------------------------------------------------------------ bars and features
    def store_bars(self) -> None:
        """Bring the file's bars into the store and keep their features."""
        with fs.open(self.home) as store:
            with self.step(f"Bars of {self.file.name}") as told:
                report = store.ingest(self.symbol, self.timeframe, self.file)
                told.append(f"{report.stored:,} stored, {report.duplicates:,} there already")
            for rejected in report.quarantined[:3]:
                self.console.print(f"    [yellow]left out[/] line {rejected.row}: {rejected.reason}", highlight=False)
            with self.step("Features of every bar", "the first run compiles its loops, once on a machine") as told:
                kept = store.materialize(self.symbol, self.timeframe, self.features())
                told.append(f"{len(kept.columns)} columns of {kept.rows:,} rows, {kept.written:,} rows new")

    def features(self) -> list[str]:
        """Return what the client will ask and what the strategies need."""
        needed = [feature for strategy in self.strategies() for feature in strategy.features()]
        return list(dict.fromkeys([*FEATURES, *needed]))

    def strategies(self, client: FeatureStoreClient | None = None) -> list[BaseStrategy]:
        """Return the two strategies, with the client they are to ask."""
        made: list[BaseStrategy] = [
            MACrossoverStrategy("MA crossover"),
            VolatilityBreakoutStrategy("Volatility breakout"),
        ]
        for strategy in made:
            strategy.feature_store_client = client
        return made

    # ------------------------------------------------------------ the client, an outage, the strategies
    async def ask_and_trade(self, service: ServiceProcess) -> list[BacktestResult]:
        """Ask the service through a client, take it away, bring it back, and let the strategies trade."""
        cache = FeatureCache()
        async with FeatureStoreClient(service.api_url, cache=cache, stale_for=0.0, breaker_reset_s=0.2) as client:
            with self.step("Bars through the client") as told:
                bars = await client.get_ohlcv_data(self.symbol, None, None, self.timeframe)
                told.append(f"{len(bars):,} rows")
            live = await self._ask("Features, cold", client, "live")
            await self._ask("Features, again", client, "cache")
            with self.step("Service killed"):
                service.kill()
                cache.clear()
            direct = await self._ask("Features without it", client, "direct")
            self._check_bits(live, direct)
            with self.step("Service started again"):
                service.start()
                cache.clear()
            await self._ask("Features, live again", client, "live")
            return [await self._backtest(strategy, bars) for strategy in self.strategies(client)]

    async def _ask(self, what: str, client: FeatureStoreClient, source: str) -> pd.DataFrame:
        with self.step(what) as told:
            frame = await client.get_indicators(self.symbol, None, None, self.timeframe, list(FEATURES))
            provenance = frame.attrs["provenance"]
            told.append(f"{len(frame):,} x {frame.shape[1]}, source [bold]{provenance['source']}[/]")
            told.extend(["degraded, and says why"] if provenance["degraded"] else [])
        if provenance["source"] != source:
            msg = f"{what} should come {source} and came {provenance['source']}: {provenance['warnings']}"
            raise DemoFailedError(msg)
        return frame

    def _check_bits(self, live: pd.DataFrame, direct: pd.DataFrame) -> None:
        same = live.index.equals(direct.index) and np.array_equal(live.to_numpy(), direct.to_numpy(), equal_nan=True)
        if not same:
            msg = "direct calculation and service differ; their values must be equal to the bit"
            raise DemoFailedError(msg)
        self.console.print("  [green]✓[/] calculated here and answered by the service: the same bits")

    async def _backtest(self, strategy: BaseStrategy, bars: pd.DataFrame) -> BacktestResult:
        with self.step(f"Backtest, {strategy.name}") as told:
            result = await run_backtest(strategy, bars, symbol=self.symbol)
            told.append(f"{len(result.trades)} trades")
        return result

    # ------------------------------------------------------------ what is shown
    @contextmanager
    def step(self, what: str, hint: str = "") -> Iterator[list[str]]:
        """Show that something is going on, then what came of it and how long it took."""
        told: list[str] = []
        started = perf_counter()
        with self.console.status(f"{what} ... {hint}"):
            yield told
        took = perf_counter() - started
        time = f"{took * 1e3:,.2f} ms" if took < 1 else f"{took:.1f} s"
        self.console.print(f"  [green]✓[/] {what:<29} [dim]{time:>11}[/]  {'; '.join(told)}", highlight=False)

    def show(self, results: Sequence[BacktestResult]) -> None:
        """Print the trades' outcome and what the client counted."""
        table = Table("Strategy", box=SIMPLE_HEAD, title=f"{self.symbol} {self.timeframe}, costs included")
        for name in ("trades", "won", "pips", "net USD", "deepest fall", "chance"):
            table.add_column(name, justify="right")
        for result in results:
            numbers = result.statistics
            table.add_row(
                result.name,
                f"{numbers.trades}",
                f"{numbers.win_rate:.0%}",
                f"{numbers.pips:+,.0f}",
                f"{numbers.net:+,.0f}",
                f"{numbers.max_drawdown:.1%}",
                f"{numbers.chance:.0%}",
            )
        self.console.print(table)
        counted = feature_store_metrics.get_metrics()
        self.console.print(
            f"The client counted {counted['api_calls']['total']} calls, {counted['cache']['hit_rate']:.0%} of look-ups from "
            f"the cache, {counted['fallbacks']['total']} fallback. Expect no edge after costs: [italic]chance[/] is how often "
            "tosses of a coin did as well."
        )
