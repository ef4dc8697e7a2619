"""Computed features written into a table of their own, for other programs and for training sets that must not move.

The features are computed over the whole series; rows that the table lacks or holds with other bits are added. So a
second run without new bars writes nothing, new bars add their rows only, and a correction of an old bar adds every row
it changed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feature_store.store.protocol import FeatureBlock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from feature_store.bars import Integers, Symbol, Timeframe
    from feature_store.store.protocol import FeatureTables


@dataclass(frozen=True, slots=True)
class MaterializeReport:
    """What a run did.

    Args:
        rows: bars that the table covers now.
        written: rows that this run added; 0 when nothing was new.
        columns: the features' columns.
        path: the folder of the Delta table.
    """

    rows: int
    written: int
    columns: tuple[str, ...]
    path: str

    def __str__(self) -> str:
        what = f"{self.written} rows written" if self.written else "nothing new"
        return f"{what}; {self.rows} rows of {', '.join(self.columns)} in {self.path}"


def set_id(versions: Mapping[str, str], stored: Timeframe) -> str:
    """Return the short name of a set of features: a hash of columns, versions and the timeframe whose bars they come from.

    >>> from feature_store.bars import Timeframe
    >>> hourly = Timeframe.parse("1h")
    >>> set_id({"sma_50": "v1", "rsi_14": "v1"}, hourly) == set_id({"rsi_14": "v1", "sma_50": "v1"}, hourly)
    True
    """
    spelt = "\n".join([stored.name, *(f"{column} {version}" for column, version in sorted(versions.items()))])
    return hashlib.sha256(spelt.encode()).hexdigest()[:12]


def fill(
    tables: FeatureTables, symbol: Symbol, timeframe: Timeframe, name: str, block: FeatureBlock
) -> MaterializeReport:
    """Bring the table `name` up to date with the computed block."""
    held = tables.read(symbol, timeframe, name)
    rows = np.arange(len(block)) if held is None else np.flatnonzero(~_held(held, block))
    if len(rows):
        columns = {column: values[rows] for column, values in block.columns.items()}
        tables.append(symbol, timeframe, name, FeatureBlock(block.time[rows], block.available_at[rows], columns))
    return MaterializeReport(len(block), len(rows), tuple(block.columns), tables.path(timeframe, name))


def _held(held: FeatureBlock, block: FeatureBlock) -> NDArray[np.bool_]:
    """Return for each row of `block` whether the table holds it, bit for bit."""
    places = np.minimum(held.time.searchsorted(block.time), len(held) - 1)
    same: NDArray[np.bool_] = held.time[places] == block.time
    for name, values in block.columns.items():
        same &= _bits(held.columns[name])[places] == _bits(values)
    return same


def _bits(values: NDArray[np.float64]) -> Integers:
    return np.ascontiguousarray(values).view(np.int64)
