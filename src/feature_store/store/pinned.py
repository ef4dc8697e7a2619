"""A store as it stood when its series were pinned, whatever has been added since. It is read only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from feature_store.bars import Symbol, Timeframe
from feature_store.errors import DataNotFoundError, StoreReadOnlyError
from feature_store.store.protocol import CompactReport, Series
from feature_store.store.snapshot import Snapshot, Span
from feature_store.times import to_datetime

if TYPE_CHECKING:
    from collections.abc import Mapping

    from feature_store.store.feature_sets import FeatureSets
    from feature_store.store.history import History
    from feature_store.store.journal import Journal
    from feature_store.store.protocol import Arrivals, Definitions, FeatureTables, Store
    from feature_store.store.snapshot import Pin


@dataclass(frozen=True, eq=False)
class PinnedStore:
    """Shows the pinned series of a store as they were, and no others.

    Args:
        store: which still holds every row that it had.
        pins: each series' `Snapshot.pin` by the names of its symbol and timeframe.

    A snapshot raises DataNotFoundError where the store has fewer rows than were pinned, as one filled anew may.
    """

    store: Store
    pins: Mapping[tuple[str, str], Pin]

    @property
    def features(self) -> FeatureTables:
        """The tables of computed columns, which are not pinned."""
        return self.store.features

    @property
    def definitions(self) -> Definitions:
        """The custom indicators; their versions never change."""
        return self.store.definitions

    @property
    def journal(self) -> Journal:
        """What was imported from files, before and since."""
        return self.store.journal

    @property
    def sets(self) -> FeatureSets:
        """The named sets of features; their versions never change."""
        return self.store.sets

    def snapshot(self, symbol: Symbol, timeframe: Timeframe) -> Snapshot | None:
        """Return the series as it was pinned, or None for one that was not."""
        pin = self.pins.get((symbol.name, timeframe.name))
        if pin is None:
            return None
        now = self.store.snapshot(symbol, timeframe)
        held = {} if now is None else {span.bucket: span for span in now.spans}
        for bucket, rows in pin.items():
            if bucket not in held or held[bucket].rows < rows:
                has = held[bucket].rows if bucket in held else 0
                msg = (
                    f"{symbol} {timeframe} was pinned with {rows} rows in {bucket}, and this store has {has} there; "
                    f"use the store that was pinned"
                )
                raise DataNotFoundError(msg, field="data")
        assert now is not None
        whole = {span.bucket: span for span in now.spans}
        spans = tuple(_pinned(whole[bucket], rows, now) for bucket, rows in sorted(pin.items()))
        return Snapshot(symbol, timeframe, spans, lambda span: now.load(whole[span.bucket]).until(span.rows))

    def series(self) -> list[Series]:
        """Return what was pinned."""
        return [_described(*key, pin, self) for key, pin in sorted(self.pins.items())]

    def write(self, symbol: Symbol, timeframe: Timeframe, arrivals: Arrivals) -> NoReturn:
        """Refuse, as what was pinned does not change."""
        msg = (
            f"{len(arrivals)} rows of {symbol} {timeframe} cannot be added to a pinned store; write to the store itself"
        )
        raise StoreReadOnlyError(msg)

    def flush(self) -> int:
        """There is nothing to move."""
        return 0

    def compact(self) -> CompactReport:
        """There is nothing to put together."""
        return CompactReport()

    def close(self) -> None:
        """Leave the store as it is; whoever opened it closes it."""


def _pinned(span: Span, rows: int, now: Snapshot) -> Span:
    """Return what a part was when it had so many rows."""
    if span.rows == rows:
        return span
    history: History = now.load(span).until(rows)
    return Span(
        span.bucket,
        span.start,
        span.end,
        rows,
        len(history.read(None, None, None)[0]),
        int(history.time[0]),
        int(history.time[-1]),
        history.latest_known_at,
        history.content,
    )


def _described(symbol: str, timeframe: str, pin: Pin, store: PinnedStore) -> Series:
    snapshot = store.snapshot(Symbol.parse(symbol), Timeframe.parse(timeframe))
    assert snapshot is not None, pin
    last = max(span.last for span in snapshot.spans)
    first = snapshot.edition.first
    return Series(symbol, timeframe, sum(span.bars for span in snapshot.spans), to_datetime(first), to_datetime(last))
