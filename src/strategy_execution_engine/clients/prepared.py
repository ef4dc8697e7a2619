"""A frame made ready to be handed out many times: what is the same for every caller is made once.

A caller gets a DataFrame of its own (one copy of one block, index and labels by reference but with names of their
own), so nothing a caller does to it is seen by the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from feature_store.wire import Frame, Provenance, Source


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """An answer that nobody changes: `block` holds a row for each column of `frame`."""

    frame: Frame
    index: pd.DatetimeIndex
    labels: pd.Index
    block: NDArray[np.float64]

    @classmethod
    def of(cls, frame: Frame) -> Prepared:
        """Return `frame`, prepared."""
        block = np.empty((len(frame.columns), len(frame)))
        for row, column in zip(block, frame.columns.values(), strict=True):
            row[:] = column
        block.flags.writeable = False
        index = pd.DatetimeIndex((frame.time * 1000).view("datetime64[us]"), tz="UTC", name="time")
        return cls(frame, index, _labels(tuple(frame.columns)), block)

    @property
    def nbytes(self) -> int:
        """Bytes held, for caches that are bounded by them."""
        return self.frame.nbytes + int(self.index.nbytes) + self.block.nbytes

    def to_pandas(self, source: Source | None = None, *, provenance: Provenance | None = None) -> pd.DataFrame:
        """Return the caller's own DataFrame, by UTC bar-open time; `attrs["provenance"]` says where it comes from.

        That is the frame's own provenance, unless another is given or another `source`.
        """
        frame = pd.DataFrame(self.block.copy().T, index=self.index.view(), columns=self.labels.view(), copy=False)
        about = provenance or self.frame.provenance
        frame.attrs["provenance"] = _plain(about, source or about.source)
        frame.attrs["symbol"] = self.frame.symbol
        frame.attrs["timeframe"] = self.frame.timeframe
        return frame


@lru_cache(maxsize=256)
def _labels(names: tuple[str, ...]) -> pd.Index:
    return pd.Index(names)


def _plain(provenance: Provenance, source: Source) -> dict[str, Any]:
    """Return what `provenance.to_dict()` does, with another source, ten times as fast."""
    return {
        "source": source,
        "as_of": provenance.as_of,
        "degraded": provenance.degraded,
        "warnings": list(provenance.warnings),
        "versions": dict(provenance.versions),
        "anchor": provenance.anchor,
    }
