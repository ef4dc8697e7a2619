"""When the rows of a stored series became known, and how much of one history stands for all moments in between.

Take the rows in order of `known_at`, those of one moment together. Such a group goes on where the series stood if every row
of it opens after every row known before; otherwise it is late: it corrects, deletes or fills in a bar that is already behind.

The law that makes one computation answer many events: let `e` be the moment of a late group, or the beginning, and `f` that
of the next one, or never. What is known at any `t` with e <= t < f are the bars of what is known just before `f` that open
no later than the latest bar known at `t`. For every group in between goes on where the series stood, so the rows that
come after `t` all open later than those known at `t`: none replaces, deletes or precedes one of these. What is computed bar
by bar from the first has the same bits up to that bar. So between two late groups, an epoch, a count of bars says it all.

Imports without knowledge of their own (known when the bar closed) and live bars (known a little later) have one epoch. A row
that repeats what was known of its bar, as when history is imported over live bars, changes nothing and counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from feature_store.dataset.events import NO_TIME

if TYPE_CHECKING:
    from feature_store.bars import Integers
    from feature_store.store.history import History
    from feature_store.store.snapshot import Snapshot


@dataclass(frozen=True, eq=False, slots=True)
class Knowledge:
    """What was known when; times in UTC microseconds.

    Args:
        moments: when rows became known, in order.
        reached: the latest bar open among all rows known by each of these moments.
        breaks: the moments of late groups, each of which begins an epoch.
    """

    moments: Integers
    reached: Integers
    breaks: Integers

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.moments.nbytes + self.reached.nbytes + self.breaks.nbytes

    @classmethod
    def of(cls, snapshot: Snapshot) -> Knowledge:
        """Return what a snapshot's rows tell."""
        parts = [_news(part) for part in snapshot.histories(None, None)]
        return cls.in_order(_joined([time for time, _ in parts]), _joined([known_at for _, known_at in parts]))

    @classmethod
    def in_order(cls, time: Integers, known_at: Integers) -> Knowledge:
        """Return what rows tell by their bar opens and `known_at`, in any order.

        >>> late = Knowledge.in_order(np.array([10, 20, 30]), np.array([11, 35, 31]))
        >>> late.breaks, late.reach(np.array([10, 12, 35]))
        (array([35]), array([-9223372036854775808,                   10,                   30]))
        """
        if (time[1:] > time[:-1]).all() and (known_at[1:] >= known_at[:-1]).all():
            return cls(known_at, time, known_at[:0])
        order = np.lexsort((time, known_at))
        moments, opens = known_at[order], time[order]
        reached = np.maximum.accumulate(opens)
        groups = 1 + np.flatnonzero(moments[1:] != moments[:-1])
        late = groups[opens[groups] <= reached[groups - 1]]
        return cls(moments, reached, moments[late])

    def reach(self, times: Integers) -> Integers:
        """Return the latest bar open known at each moment, `NO_TIME` where there was none."""
        known = self.moments.searchsorted(times, side="right")
        return np.append(self.reached, NO_TIME)[known - 1]


def _news(history: History) -> tuple[Integers, Integers]:
    """Return the bar opens and `known_at` of the rows that do not repeat what was known of their bar."""
    if history.plain:
        return history.time, history.known_at
    later = 1 + np.flatnonzero(
        history.time[1:] == history.time[:-1]
    )  # in order of knowledge, so this replaces the one before
    repeats = np.ones(len(later), dtype=np.bool_)
    for column in history.columns.values():
        now, before = column[later], column[later - 1]
        repeats &= (now.view(np.int64) == before.view(np.int64)) | (np.isnan(now) & np.isnan(before))
    news = np.ones(len(history), dtype=np.bool_)
    news[later[repeats]] = False
    return history.time[news], history.known_at[news]


def _joined(parts: list[Integers]) -> Integers:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
