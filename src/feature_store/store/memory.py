"""A store that lives as long as its process, for tests and trials; the same tests keep it to what the Delta store does."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from feature_store.store.definitions import MemoryDefinitions
from feature_store.store.history import History, Snapshot, latest_rows
from feature_store.store.protocol import Edition, Series
from feature_store.times import to_datetime

if TYPE_CHECKING:
    from feature_store.bars import Symbol, Timeframe
    from feature_store.store.protocol import Arrivals, FeatureBlock


class MemoryStore:
    """Keeps everything in this process; safe to share among its threads."""

    def __init__(self) -> None:
        self._series: dict[tuple[Symbol, Timeframe], History] = {}
        self.features = MemoryFeatures()
        self.definitions = MemoryDefinitions()
        self._writing = Lock()

    def __repr__(self) -> str:
        return f"<MemoryStore series={len(self._series)}>"

    def write(self, symbol: Symbol, timeframe: Timeframe, arrivals: Arrivals) -> int:
        """Add the rows that are not known already and return how many those were."""
        with self._writing:
            history, additions = self._history(symbol, timeframe).add(arrivals)
            if len(history):
                self._series[symbol, timeframe] = history
        return len(additions)

    def snapshot(self, symbol: Symbol, timeframe: Timeframe) -> Snapshot | None:
        """Return the series as it stands now, or None where nothing of it is held."""
        history = self._series.get((symbol, timeframe))
        if history is None:
            return None
        edition = Edition(len(history), history.latest_known_at, int(history.time[0]))
        return Snapshot(symbol, timeframe, edition, lambda _start, _end: [history])

    def series(self) -> list[Series]:
        """Return what is held, by symbol and timeframe."""
        keys = sorted(self._series, key=lambda key: (key[0].name, key[1]))
        return [_described(symbol, timeframe, self._series[symbol, timeframe]) for symbol, timeframe in keys]

    def close(self) -> None:
        """Forget everything."""
        self._series.clear()
        self.definitions.close()

    def _history(self, symbol: Symbol, timeframe: Timeframe) -> History:
        return self._series.get((symbol, timeframe)) or History.empty()


class MemoryFeatures:
    """Keeps computed columns in this process."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[Symbol, Timeframe, str], FeatureBlock] = {}
        self._writing = Lock()

    def append(self, symbol: Symbol, timeframe: Timeframe, set_id: str, block: FeatureBlock) -> None:
        """Add a block; its rows replace those of the same times."""
        with self._writing:
            held = self._blocks.get((symbol, timeframe, set_id))
            self._blocks[symbol, timeframe, set_id] = latest_rows([block] if held is None else [held, block])

    def read(self, symbol: Symbol, timeframe: Timeframe, set_id: str) -> FeatureBlock | None:
        """Return the latest row of each time, or None."""
        return self._blocks.get((symbol, timeframe, set_id))

    def path(self, timeframe: Timeframe, set_id: str) -> str:
        """Return a name for the table, which no other program can open."""
        return f":memory:/features/{timeframe}/{set_id}"


def _described(symbol: Symbol, timeframe: Timeframe, history: History) -> Series:
    time, _ = history.read(None, None, None)
    return Series(symbol.name, timeframe.name, len(time), to_datetime(int(time[0])), to_datetime(int(time[-1])))
