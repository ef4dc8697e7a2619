"""The same features bar by bar: `update` commits a closed bar, `peek` looks at a forming one, `snapshot` saves the state.

A live bar runs the loops that history runs, over one bar, so its values are the same bits. Compiled loops keep no state of
their own: all of it is the plan's words, copied for a peek and written as they are into a snapshot. The last 32 bars can be
changed: `correct` and `insert` go back to a state before and forward again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from feature_store.bars import FEATURE_COLUMNS, Timeframe
from feature_store.engine.plan import Plan, listed
from feature_store.engine.rollback import UNTIMED, changeable
from feature_store.engine.snapshot import Snapshot
from feature_store.engine.state import ABSENT, LiveState
from feature_store.errors import InvalidRequestError
from feature_store.indicators.feature import parse
from feature_store.indicators.registry import BUILT_INS, Registry
from feature_store.times import to_datetime, to_iso, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from feature_store.engine.rollback import Numbers
    from feature_store.indicators.feature import Feature


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
        self._columns = plan.columns
        self._needed = [place for place, name in enumerate(FEATURE_COLUMNS) if name in plan.inputs]
        self._state = LiveState(plan) if snapshot is None else LiveState.resumed(plan, snapshot)

    def __repr__(self) -> str:
        return f"<Live {len(self.plan.features)} features, {self.bars} bars>"

    @property
    def bars(self) -> int:
        """How many bars were committed."""
        return self._state.bars

    @property
    def last_time(self) -> int | None:
        """The open of the last bar in UTC microseconds; None where times were not given."""
        return self._state.last_time

    def update(
        self,
        *,
        open: float = ABSENT,  # noqa: A002  the field's word
        high: float = ABSENT,
        low: float = ABSENT,
        close: float = ABSENT,
        tick_volume: float = ABSENT,
        other: float = ABSENT,
        time: Any = None,
    ) -> dict[str, float]:
        """Commit a closed bar and return every column's value; NaN where it is not known.

        Prices in quote currency, `other` the close of a second symbol; `time` is the bar's open, which features that look at a
        clock need. A NaN is a gap: what needs it is NaN and its state stays as it is.

        Raises InvalidRequestError, with nothing changed, for a column that is needed and missing, an infinite price, a high
        below the low or a time that does not rise.
        """
        bar = (open, high, low, close, tick_volume, other)
        self._refuse_absent(bar)
        moment = UNTIMED if time is None else self._later(time)
        return dict(zip(self._columns, self._state.step(moment, bar), strict=False))

    def peek(
        self,
        *,
        open: float = ABSENT,  # noqa: A002
        high: float = ABSENT,
        low: float = ABSENT,
        close: float = ABSENT,
        tick_volume: float = ABSENT,
        other: float = ABSENT,
        time: Any = None,
    ) -> dict[str, float]:
        """Return the values if the forming bar closed now; the state is untouched. Raises as `update` does."""
        bar = (open, high, low, close, tick_volume, other)
        self._refuse_absent(bar)
        moment = UNTIMED if time is None else self._later(time)
        return dict(zip(self._columns, self._state.look([(moment, bar)])[0], strict=False))

    def correct(
        self,
        *,
        time: Any,
        open: float = ABSENT,  # noqa: A002
        high: float = ABSENT,
        low: float = ABSENT,
        close: float = ABSENT,
        tick_volume: float = ABSENT,
        other: float = ABSENT,
    ) -> dict[datetime, dict[str, float]]:
        """Replace the committed bar that opened at `time`; return by their opens the values of it and of every bar after it.

        The whole bar is replaced: what is not given is not known. All is then as if this bar had come in the first place.

        Raises InvalidRequestError, with nothing changed, where `update` would, where no bar opened then, and for a bar before
        the last 32: rebuild from bars.

        >>> live = fs.live(["sma_2"])
        >>> for time, close in (("2023-01-02T10:00Z", 1.0), ("2023-01-02T11:00Z", 2.0)):
        ...     _ = live.update(close=close, time=time)
        >>> list(live.correct(close=3.0, time="2023-01-02T10:00Z").values())
        [{'sma_2': nan}, {'sma_2': 2.5}]
        """
        return self._change(to_microseconds(time), (open, high, low, close, tick_volume, other), replaces=True)

    def insert(
        self,
        *,
        time: Any,
        open: float = ABSENT,  # noqa: A002
        high: float = ABSENT,
        low: float = ABSENT,
        close: float = ABSENT,
        tick_volume: float = ABSENT,
        other: float = ABSENT,
    ) -> dict[datetime, dict[str, float]]:
        """Add a bar that was missed, so that it is among the last 32; otherwise as `correct`.

        Raises InvalidRequestError, with nothing changed, where `correct` would, and where a bar opened then already.
        """
        return self._change(to_microseconds(time), (open, high, low, close, tick_volume, other), replaces=False)

    def snapshot(self) -> bytes:
        """Return the state as bytes; `restore` continues from them with the same bits, corrections of earlier bars included."""
        return self._state.snapshot(self.timeframe.name if self.timeframe else None).to_bytes()

    def _change(self, moment: int, bar: Numbers, *, replaces: bool) -> dict[datetime, dict[str, float]]:
        self._refuse_absent(bar)
        changeable(self._state.held, moment, replaces=replaces)
        rows = self._state.revise(moment, bar)
        return {to_datetime(at): dict(zip(self._columns, values, strict=True)) for at, values in rows}

    def _refuse_absent(self, bar: Numbers) -> None:
        for place in self._needed:
            if bar[place] is ABSENT:
                name = FEATURE_COLUMNS[place]
                msg = f"these features need {name}=; give it, or NaN where the bar has none"
                raise InvalidRequestError(msg, field=name)

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
    timeframe = Timeframe.parse(snapshot.timeframe) if snapshot.timeframe else None
    return Live(_plan(snapshot.features, registry), timeframe, snapshot=snapshot)


def _plan(features: Iterable[str | Feature], registry: Registry) -> Plan:
    return Plan.of(parse(each, registry) if isinstance(each, str) else each for each in listed(features))
