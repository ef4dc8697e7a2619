"""What a model is to learn: columns that the events bring, or returns that look ahead on purpose.

A feature knows nothing after its event; a label does. `label_known_at` says when all of an event's made labels had become
known, so that whoever splits the set can keep events apart whose labels overlap in time (López de Prado 2018, chapter 7).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from feature_store.calendar import bucket_open
from feature_store.dataset.events import NO_TIME
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feature_store.bars import Bars, Floats, Integers
    from feature_store.dataset.events import Events
    from feature_store.views import View
    from feature_store.virtual import VirtualFeatures

LABEL_KNOWN_AT = "label_known_at"

_MOST_BARS = 100_000


@dataclass(frozen=True, slots=True)
class ForwardReturn:
    """The return from the close of the event's bar to the close `bars` bars later; NaN while there is no such bar.

    Args:
        bars: how many, by bars of the training set's timeframe, so that weekends do not count.
        kind: `simple` for close / close - 1, `log` for the logarithm of close / close.

    >>> ForwardReturn(bars=4)
    ForwardReturn(bars=4, kind='simple')
    """

    bars: int
    kind: Literal["simple", "log"] = "simple"

    def __post_init__(self) -> None:
        if isinstance(self.bars, bool) or not isinstance(self.bars, int) or not 1 <= self.bars <= _MOST_BARS:
            msg = f"a forward return looks a whole number of bars ahead, from 1 to {_MOST_BARS}, was {self.bars!r}"
            raise InvalidRequestError(msg, field="labels")
        if self.kind not in {"simple", "log"}:
            raise InvalidRequestError(f"a forward return is 'simple' or 'log', was {self.kind!r}", field="labels")

    def of(self, closes: Floats) -> Floats:
        """Return the label of each bar.

        >>> ForwardReturn(bars=1).of(np.array([1.0, 1.5]))
        array([0.5, nan])
        """
        ratio = closes[self.bars :] / closes[: -self.bars]
        ahead = np.log(ratio) if self.kind == "log" else ratio - 1.0
        return np.append(ahead, np.full(min(self.bars, len(closes)), np.nan))


@dataclass(frozen=True, slots=True)
class Labels:
    """Which columns of the events are labels, and which labels are made."""

    given: tuple[str, ...] = ()
    made: tuple[tuple[str, ForwardReturn], ...] = ()

    @classmethod
    def of(cls, labels: Any, events: Events) -> Labels:
        """Return what a caller wrote: None, a column's name, several, or `{"ret_4": ForwardReturn(4)}`."""
        if labels is None:
            return cls()
        if isinstance(labels, Mapping):
            return cls(made=tuple(_checked(labels)))
        names = tuple(dict.fromkeys([labels] if isinstance(labels, str) else labels))
        stranger = next((name for name in names if name not in events.names or name in {"symbol", "time"}), None)
        if stranger is not None:
            msg = f"label {stranger!r} is not a column that events have beside symbol and time; they have {_listed(events)}"
            raise InvalidRequestError(msg, field="labels")
        return cls(given=names)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of labels."""
        return (*self.given, *(name for name, _ in self.made))

    def describe(self) -> list[dict[str, Any]]:
        """Return plain data."""
        return [{"name": name} for name in self.given] + [{"name": name, **asdict(each)} for name, each in self.made]

    @classmethod
    def described(cls, data: Iterable[Mapping[str, Any]]) -> Labels:
        """Return the labels of plain data."""
        rows = list(data)
        made = ((row["name"], ForwardReturn(row["bars"], row["kind"])) for row in rows if "bars" in row)
        return cls(tuple(row["name"] for row in rows if "bars" not in row), tuple(made))

    def columns(self, events: Events) -> dict[str, Any]:
        """Return the columns of labels that the events bring, and empty ones for those to be made."""
        made: dict[str, Any] = {name: np.full(len(events), np.nan) for name, _ in self.made}
        if made:
            made[LABEL_KNOWN_AT] = np.full(len(events), NO_TIME, dtype=np.int64)
        return {name: events.numbers(name) for name in self.given} | made

    def fill(
        self, columns: dict[str, Any], virtual: VirtualFeatures, view: View, rows: Integers, bar_time: Integers
    ) -> None:
        """Make the labels of some events of one symbol, as known at the view's moment.

        Args:
            columns: where they go.
            virtual: whose bars.
            view: the events' own series.
            rows: which events.
            bar_time: the opens of their bars, `NO_TIME` for none.
        """
        bars = virtual.bars(view)
        places = np.minimum(bars.time.searchsorted(bar_time), max(len(bars) - 1, 0))
        there = np.flatnonzero(bars.time[places] == bar_time) if len(bars) else np.empty(0, dtype=np.int64)
        rows, places = rows[there], places[there]
        known = np.maximum(virtual.available_at(view), learned(view, bars))
        for name, each in self.made:
            values = each.of(bars.columns["close"])[places]
            columns[name][rows] = values
            last = np.minimum(places + each.bars, len(bars) - 1)
            moment = np.where(np.isnan(values), NO_TIME, np.maximum(known[places], known[last]))
            columns[LABEL_KNOWN_AT][rows] = np.maximum(columns[LABEL_KNOWN_AT][rows], moment)


def learned(view: View, bars: Bars) -> Integers:
    """Return when the last row that made each of the view's bars what it is became known."""
    parts = view.snapshot.histories(None, None)
    time = np.concatenate([part.time for part in parts])
    known_at = np.concatenate([part.known_at for part in parts])
    if view.as_of is not None:
        time, known_at = time[known_at <= view.as_of], known_at[known_at <= view.as_of]
    if view.derived:
        time = bucket_open(time, view.timeframe)
    starts = np.flatnonzero(np.append(np.ones(min(1, len(time)), dtype=np.bool_), time[1:] != time[:-1]))
    latest = np.maximum.reduceat(known_at, starts) if len(starts) else known_at
    return latest[time[starts].searchsorted(bars.time)]


def _checked(labels: Mapping[str, Any]) -> Iterable[tuple[str, ForwardReturn]]:
    for name, each in labels.items():
        if not isinstance(name, str) or not isinstance(each, ForwardReturn):
            msg = f"labels to be made are names with a ForwardReturn, as in {{'r': ForwardReturn(bars=4)}}, was {each!r:.60}"
            raise InvalidRequestError(msg, field="labels")
        yield name, each


def _listed(events: Events) -> str:
    return ", ".join(repr(name) for name in events.names if name not in {"symbol", "time"}) or "no others"
