"""Computed features written into a table of their own, for other programs and for training sets that must not move.

1. A series is brought up to date part by part (`views`). What a part's features depend on has a name: its bars and those before
   it, and those of other symbols and timeframes that the features look at. Where the table holds what was made of that name,
   nothing is done, so a run that was stopped goes on where it was.
2. Else the features of the part are computed, from the state carried to its beginning, and compared with the table bit by bit.
   Rows that are new are added; where rows are held with other bits, the part is replaced. A table has one row a bar.

So a second run without new bars writes nothing, new bars add their rows only, and a correction changes the rows that depend on
it, from its own bar forward. Several series are done at once, one a core.
"""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from feature_store.engine.schedule import cores
from feature_store.indicators.catalog import parse
from feature_store.store.protocol import FeatureBlock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from feature_store.bars import Symbol, Timeframe
    from feature_store.cache_file import CacheFile
    from feature_store.store.protocol import FeatureTables
    from feature_store.views import Part, View
    from feature_store.virtual import VirtualFeatures


@dataclass(frozen=True, slots=True)
class MaterializeReport:
    """What a run did.

    Args:
        rows: bars that the table covers now.
        written: rows of this run that are new, changed or gone; 0 when nothing was.
        columns: the features' columns.
        path: the folder of the Delta table.
        symbol: whose.
        computed: parts of the series that were computed.
        parts: parts that it has.
    """

    rows: int
    written: int
    columns: tuple[str, ...]
    path: str
    symbol: str = ""
    computed: int = 0
    parts: int = 0

    def __str__(self) -> str:
        what = f"{self.written} rows written" if self.written else "nothing new"
        return f"{self.symbol}: {what}; {self.rows} rows of {', '.join(self.columns)} in {self.path}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: `done` of `parts` parts of `symbol`, the last of which had so many rows to write."""

    symbol: str
    done: int
    parts: int
    written: int


def set_id(versions: Mapping[str, str], stored: Timeframe) -> str:
    """Return the short name of a set of features: a hash of columns, versions and the timeframe whose bars they come from.

    >>> from feature_store.bars import Timeframe
    >>> hourly = Timeframe.parse("1h")
    >>> set_id({"sma_50": "v1", "rsi_14": "v1"}, hourly) == set_id({"rsi_14": "v1", "sma_50": "v1"}, hourly)
    True
    """
    spelt = "\n".join([stored.name, *(f"{column} {version}" for column, version in sorted(versions.items()))])
    return hashlib.sha256(spelt.encode()).hexdigest()[:12]


@dataclass(frozen=True, eq=False)
class Filling:
    """Features that are to be kept in a table.

    Args:
        virtual: computes them.
        tables: where to keep them.
        done: what tables were made of, for the next run.
        timeframe: of the bars.
        features: their ids.
        name: gives the table's name for the timeframe whose bars they come from.
    """

    virtual: VirtualFeatures
    tables: FeatureTables
    done: CacheFile
    timeframe: Timeframe
    features: Sequence[str]
    name: Callable[[Timeframe], str]

    def fill(self, symbol: Symbol, told: Callable[[Progress], None] = lambda _: None) -> MaterializeReport:
        """Bring the table up to date with a symbol's bars; raises what computing and writing raise."""
        view = self.virtual.view(symbol, self.timeframe, None)
        table = self.name(view.stored)
        versions = self.virtual.versions(self.features)
        rows = written = computed = 0
        for place, part in enumerate(view.parts):
            count = self._fill(part, table)
            rows += len(self.virtual.part(part))
            written += count or 0
            computed += count is not None
            told(Progress(symbol.name, place + 1, len(view.parts), count or 0))
        path = self.tables.path(self.timeframe, table)
        return MaterializeReport(rows, written, tuple(versions), path, symbol.name, computed, len(view.parts))

    def fill_all(
        self, symbols: Sequence[Symbol], workers: int | None = None, told: Callable[[Progress], None] = lambda _: None
    ) -> Iterator[MaterializeReport]:
        """Bring the table up to date with many symbols' bars, several at once, and report each when it is done."""
        with ThreadPoolExecutor(workers or cores()) as pool:
            yield from pool.map(lambda symbol: self.fill(symbol, told), symbols)

    def _fill(self, part: Part, table: str) -> int | None:
        """Return how many rows of a part were written; None where nothing had changed."""
        view, bucket = part.view, part.span.bucket
        key = hashlib.sha256(repr((table, view.symbol.name, self.timeframe.name, bucket)).encode()).digest()
        inputs = self._inputs(part)
        if self.done.get(key) == _made(inputs, self._state(view, table, bucket)):
            return None
        count = self.tables.hold(view.symbol, self.timeframe, table, bucket, self._block(part))
        self.done.put({key: _made(inputs, self._state(view, table, bucket))})
        return count

    def _block(self, part: Part) -> FeatureBlock:
        start, end = part.span.start, part.span.end
        columns, _ = self.virtual.columns(part.view, self.features, None, start, end)
        bars = self.virtual.part(part)
        return FeatureBlock(bars.time, self.virtual.available_at(part.view, start, end), columns)

    def _state(self, view: View, table: str, bucket: str) -> str:
        return self.tables.state(view.symbol, self.timeframe, table, bucket)

    def _inputs(self, part: Part) -> tuple[object, ...]:
        """Return the name of all that a part's features depend on."""
        registry = self.virtual.registry()
        features = [parse(each, registry) for each in self.features]
        end = part.span.end
        views = dict.fromkeys(
            view
            for feature in features
            for ground in (self.virtual.ground(part.view, feature, None),)
            for view in (ground.view, ground.other)
            if view is not None and view != part.view
        )
        others = [view.name if end is None else view.upto(end) for view in views]
        return (part.name, tuple((feature.id, feature.version) for feature in features), tuple(others))


def _made(inputs: tuple[object, ...], state: str) -> bytes:
    return hashlib.sha256(repr((inputs, state)).encode()).digest()
