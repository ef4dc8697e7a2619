"""Bars of a source, piece by piece, into a store: checked, gathered, and written in commits of many rows."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from feature_store.ingest.account import joined
from feature_store.ingest.given import Given
from feature_store.ingest.readers.reader import BATCH

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feature_store.ingest.account import Account, Sink
    from feature_store.ingest.checks import Rules
    from feature_store.ingest.placing import Piece, Placing
    from feature_store.store.protocol import Arrivals


def bars_in(pieces: Iterable[Piece], placing: Placing, rules: Rules, sink: Sink, account: Account) -> None:
    """Store the rows of a source that keep the rules; what became of each is in the account.

    Where something is raised on the way, the commits made before last, and doing it again finds their rows known.
    """
    waiting: list[Arrivals] = []
    with closing(Given()) as given:
        for piece in pieces:
            checked = rules.check(piece.table, placing.moments(piece.local), given, account.room)
            account.take(piece.table, checked.quarantined)
            account.credit(checked.repeated, 0, 0)
            if sum(map(len, waiting)) + len(checked.arrivals) > BATCH:
                _write(waiting, sink, account)
            waiting.append(checked.arrivals)
        _write(waiting, sink, account)


def _write(waiting: list[Arrivals], sink: Sink, account: Account) -> None:
    if waiting:
        rows = joined(waiting)
        stored = sink.write(rows)
        account.credit(len(rows), stored, stored)
        account.reach(rows)
        waiting.clear()
