"""A store that lives as long as its process, for tests and trials; the same tests keep it to what the Delta store does."""

from __future__ import annotations

from collections import Counter
from threading import Lock
from typing import TYPE_CHECKING

from feature_store.store.buckets import ALL
from feature_store.store.definitions import MemoryDefinitions
from feature_store.store.feature_sets import FeatureSets
from feature_store.store.history import History, changes, merge
from feature_store.store.journal import PlaceJournal
from feature_store.store.places import MemoryPlace
from feature_store.store.protocol import CompactReport, Series
from feature_store.store.rows import Rows
from feature_store.store.snapshot import Snapshot, Span
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
        self.journal = PlaceJournal(MemoryPlace())
        self.sets = FeatureSets(MemoryPlace())
        self._writing = Lock()

    def __repr__(self) -> str:
        return f"<MemoryStore series={len(self._series)}>"

    def write(self, symbol: Symbol, timeframe: Timeframe, arrivals: Arrivals) -> int:
        """Add the rows that are not known already and return how many those were."""
        with self._writing:
            history = self._series.get((symbol, timeframe)) or History.empty()
            new = history.news(arrivals)
            if len(new):
                rows = Rows(arrivals.take(new.rows), new.revision, new.sequence, new.bars)
                self._series[symbol, timeframe] = merge([history, rows.history])
        return len(new)

    def snapshot(self, symbol: Symbol, timeframe: Timeframe) -> Snapshot | None:
        """Return the series as it stands now, or None where nothing of it is held."""
        history = self._series.get((symbol, timeframe))
        if history is None:
            return None
        bars = len(history.read(None, None, None)[0])
        first, last = int(history.time[0]), int(history.time[-1])
        span = Span(ALL, None, None, len(history), bars, first, last, history.latest_known_at, history.content)
        return Snapshot(symbol, timeframe, (span,), lambda _: history)

    def series(self) -> list[Series]:
        """Return what is held, by symbol and timeframe."""
        keys = sorted(self._series, key=lambda key: (key[0].name, key[1]))
        return [_described(symbol, timeframe, self._series[symbol, timeframe]) for symbol, timeframe in keys]

    def flush(self) -> int:
        """There is nowhere else to move rows to."""
        return 0

    def compact(self) -> CompactReport:
        """There are no files to put together."""
        return CompactReport()

    def close(self) -> None:
        """Forget everything."""
        self._series.clear()
        self.definitions.close()
        self.journal.close()


class MemoryFeatures:
    """Keeps computed columns in this process."""

    def __init__(self) -> None:
        self._blocks: dict[tuple[Symbol, Timeframe, str], FeatureBlock] = {}
        self._changes: Counter[tuple[Symbol, Timeframe, str]] = Counter()
        self._writing = Lock()

    def hold(self, symbol: Symbol, timeframe: Timeframe, set_id: str, bucket: str, block: FeatureBlock) -> int:
        """Make a bucket, the only one here, hold the rows of a block and no others; return how many differ."""
        assert bucket == ALL
        with self._writing:
            count, _ = changes(self._blocks.get((symbol, timeframe, set_id)), block)
            self._blocks[symbol, timeframe, set_id] = block
            self._changes[symbol, timeframe, set_id] += count > 0
        return count

    def read(self, symbol: Symbol, timeframe: Timeframe, set_id: str) -> FeatureBlock | None:
        """Return the latest row of each time, or None."""
        return self._blocks.get((symbol, timeframe, set_id))

    def state(self, symbol: Symbol, timeframe: Timeframe, set_id: str, bucket: str) -> str:
        """Return a word that changes when the rows do; empty where there are none."""
        changed = self._changes[symbol, timeframe, set_id]
        return str(changed) if changed and bucket == ALL else ""

    def path(self, timeframe: Timeframe, set_id: str) -> str:
        """Return a name for the table, which no other program can open."""
        return f":memory:/features/{timeframe}/{set_id}"


def _described(symbol: Symbol, timeframe: Timeframe, history: History) -> Series:
    time, _ = history.read(None, None, None)
    first, last = int(history.time[0]), int(history.time[-1])
    return Series(symbol.name, timeframe.name, len(time), to_datetime(first), to_datetime(last))
