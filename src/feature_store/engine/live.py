"""The same features bar by bar: `update` commits a closed bar, `peek` looks at a forming one, `snapshot` saves the state.

A live bar runs the loops that history runs, over one bar, so its values are the same bits. Compiled loops keep no state of
their own: all of it is the plan's words, copied for a peek and written as they are into a snapshot.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import FEATURE_COLUMNS, Timeframe
from feature_store.clock import clock_columns
from feature_store.engine.onebar import BARS, DIGEST, Verdict, one_bar
from feature_store.engine.plan import Plan
from feature_store.engine.snapshot import Snapshot
from feature_store.errors import InvalidRequestError
from feature_store.indicators.feature import parse
from feature_store.indicators.registry import BUILT_INS, Registry
from feature_store.times import to_iso, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feature_store.indicators.feature import Feature

_ABSENT = float("nan")
"""A column that was not given; a NaN of the caller's own is a gap."""


class Live:
    """Features of one series, advanced by one closed bar at a time. Not for use from several threads at once.

    >>> live = fs.live(["sma_2"])
    >>> live.update(close=1.0), live.update(close=2.0)
    ({'sma_2': nan}, {'sma_2': 1.5})
    >>> live.peek(close=4.0)
    {'sma_2': 3.0}
    >>> fs.restore(live.snapshot()).update(close=4.0)
    {'sma_2': 3.0}
    """

    def __init__(self, plan: Plan, timeframe: Timeframe | None = None, *, snapshot: Snapshot | None = None) -> None:
        self.plan = plan
        self.timeframe = timeframe
        self.last_time = snapshot.last_time if snapshot else None
        self._columns = plan.columns
        self._words = snapshot.words if snapshot else plan.words.copy()
        self._ledger = np.array([snapshot.digest, snapshot.bars] if snapshot else [0, 0])
        self._trial = (self._ledger.copy(), self._words.copy())
        self._values = np.empty((len(plan.columns), 1))
        self._run = one_bar(plan)
        places = (np.concatenate(plan.rows), np.array(plan.bounds))
        self._row = np.empty((len(FEATURE_COLUMNS) + len(plan.clock), 1))
        buffers = (self._row, np.empty((len(plan.handed), 1)), self._values)
        self._committed = (self._ledger, *places, self._words, *buffers)
        self._tried = (self._trial[0], *places, self._trial[1], *buffers)

    def __repr__(self) -> str:
        return f"<Live {len(self.plan.features)} features, {self.bars} bars>"

    @property
    def bars(self) -> int:
        """How many bars were committed."""
        return int(self._ledger[BARS])

    def update(
        self,
        *,
        open: float = _ABSENT,  # noqa: A002  the field's word
        high: float = _ABSENT,
        low: float = _ABSENT,
        close: float = _ABSENT,
        tick_volume: float = _ABSENT,
        other: float = _ABSENT,
        time: Any = None,
    ) -> dict[str, float]:
        """Commit a closed bar and return every column's value; NaN where it is not known.

        Prices in quote currency, `other` the close of a second symbol; `time` is the bar's open, which features that look at a
        clock need. A NaN is a gap: what needs it is NaN and its state stays as it is.

        Raises InvalidRequestError, with nothing changed, for a column that is needed and missing, an infinite price, a high
        below the low or a time that does not rise.
        """
        self._refuse_absent(open, high, low, close, tick_volume, other)
        moment = self.last_time if time is None else self._later(time)
        if self.plan.clock:
            self._read_clock(time)
        verdict = self._run(open, high, low, close, tick_volume, other, *self._committed)
        if verdict:
            raise _refusal(verdict, open, high, low, close, tick_volume, other)
        self.last_time = moment
        return dict(zip(self._columns, self._values[:, 0].tolist(), strict=False))

    def peek(
        self,
        *,
        open: float = _ABSENT,  # noqa: A002
        high: float = _ABSENT,
        low: float = _ABSENT,
        close: float = _ABSENT,
        tick_volume: float = _ABSENT,
        other: float = _ABSENT,
        time: Any = None,
    ) -> dict[str, float]:
        """Return the values if the forming bar closed now; the state is untouched. Raises as `update` does."""
        self._refuse_absent(open, high, low, close, tick_volume, other)
        if time is not None:
            self._later(time)
        if self.plan.clock:
            self._read_clock(time)
        self._trial[1][:] = self._words
        verdict = self._run(open, high, low, close, tick_volume, other, *self._tried)
        if verdict:
            raise _refusal(verdict, open, high, low, close, tick_volume, other)
        return dict(zip(self._columns, self._values[:, 0].tolist(), strict=False))

    def snapshot(self) -> bytes:
        """Return the state as bytes; `restore` continues from them with the same bits."""
        return Snapshot(
            features=tuple(feature.asked for feature in self.plan.features),
            versions=tuple(feature.version for feature in self.plan.features),
            timeframe=self.timeframe.name if self.timeframe else None,
            bars=self.bars,
            last_time=self.last_time,
            digest=int(self._ledger[DIGEST]),
            words=self._words,
        ).to_bytes()

    def _refuse_absent(self, *bar: float) -> None:
        if _ABSENT in bar:  # by identity: it is not equal even to itself
            for name, value in zip(FEATURE_COLUMNS, bar, strict=True):
                if value is _ABSENT and name in self.plan.inputs:
                    msg = f"these features need {name}=; give it, or NaN where the bar has none"
                    raise InvalidRequestError(msg, field=name)

    def _read_clock(self, time: Any) -> None:
        """Lay what the clocks say at `time` beside where the prices go."""
        if time is None:
            msg = f"these features look at a clock ({', '.join(self.plan.clock)}): give time=, the bar's open"
            raise InvalidRequestError(msg, field="time")
        clocks = clock_columns(np.array([to_microseconds(time)]), self.plan.clock)
        self._row[len(FEATURE_COLUMNS) :] = [clocks[name] for name in self.plan.clock]

    def _later(self, time: Any) -> int:
        moment = to_microseconds(time)
        if self.last_time is not None and moment <= self.last_time:
            msg = f"time must rise: the last bar opened at {to_iso(self.last_time)}, this one at {to_iso(moment)}"
            raise InvalidRequestError(msg, field="time")
        return moment


def live(
    features: Iterable[str | Feature], timeframe: str | Timeframe | None = None, *, registry: Registry = BUILT_INS
) -> Live:
    """Return the features ready for their first bar; `registry` is a store's where features of its own are among them.

    Raises FeatureNotFoundError and InvalidRequestError for ids that `parse` refuses.
    """
    return Live(_plan(features, registry), Timeframe.parse(timeframe) if timeframe is not None else None)


def restore(data: bytes, *, registry: Registry = BUILT_INS) -> Live:
    """Return a `Live` that continues from a snapshot with the same bits; `registry` as for `live`.

    Raises SnapshotMismatchError where the bytes are damaged, or made by another definition, engine or kind of machine; rebuild
    it from bars then.
    """
    snapshot = Snapshot.from_bytes(data)
    plan = _plan(snapshot.features, registry)
    snapshot.refuse_other(tuple(feature.version for feature in plan.features), len(plan.words))
    return Live(plan, Timeframe.parse(snapshot.timeframe) if snapshot.timeframe else None, snapshot=snapshot)


def _plan(features: Iterable[str | Feature], registry: Registry) -> Plan:
    return Plan.of(parse(each, registry) if isinstance(each, str) else each for each in features)


def _refusal(verdict: int, *bar: float) -> InvalidRequestError:
    told = ", ".join(
        f"{name}={value!r}" for name, value in zip(FEATURE_COLUMNS, bar, strict=True) if value is not _ABSENT
    )
    if verdict == Verdict.INFINITE:
        return InvalidRequestError(f"a bar's prices must be finite, or NaN for a gap; this one has {told}", field="bar")
    rule = "a bar's high is its highest price, its low the lowest, and its tick_volume not negative"
    return InvalidRequestError(f"{rule}; this one has {told}", field="bar")
