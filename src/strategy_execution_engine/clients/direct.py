"""Direct calculation: features from bars at hand, by the same engine that the service runs.

Recursive values depend on where they begin. If the bars begin at the stored series' first bar (its anchor, which every
answer of the service names), each row is equal to the service's, bit for bit. If they begin later, rows on which that
beginning still weighs more than the engine's bound are NaN, and a warning names them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from feature_store.errors import FeatureStoreError, InvalidRequestError
from feature_store.times import to_iso
from feature_store.wire import Frame, Provenance

if TYPE_CHECKING:
    from collections.abc import Callable

    from feature_store.bars import Integers
    from feature_store.wire import FeatureRequest
    from strategy_execution_engine.clients.bar_memory import BarMemory
    from strategy_execution_engine.clients.transport import Call

_MAX_SERIES = 4096


class CannotCalculateError(Exception):
    """There is no direct calculation for this call; the message is a clause that says why."""


@dataclass(frozen=True, slots=True)
class _Features:
    """Columns by row of the bars; a column's rows before `settled` still feel where the bars began."""

    time: Integers
    columns: dict[str, Any]
    settled: dict[str, int]
    versions: dict[str, str]


def utc_now() -> datetime:
    """Return this moment in UTC."""
    return datetime.now(UTC)


class DirectCalculation:
    """Answers calls for bars and features from what the service served earlier, or from a caller's own bars."""

    def __init__(self, memory: BarMemory, now: Callable[[], datetime] = utc_now) -> None:
        self._memory = memory
        self._now = now
        self._anchors: dict[tuple[str, str], int] = {}

    def __repr__(self) -> str:
        return f"<DirectCalculation {self._memory!r} anchors={len(self._anchors)}>"

    def learn(self, call: Call, served: Frame) -> None:
        """Keep what a live answer tells: where its series begins, and its bars if it is of bars."""
        anchor = served.provenance.anchor
        if anchor is not None and len(self._anchors) < _MAX_SERIES:
            self._anchors[served.symbol, served.timeframe] = anchor
        if call.endpoint == "ohlcv" and call.request is not None:
            self._memory.remember(call.request, served)

    def frame(self, call: Call, bars: Any = None) -> Frame:
        """Return the answer to `call`, calculated from `bars`, or from those the service served earlier.

        Raises:
            CannotCalculateError: there are no bars for it, or no engine, or the engine does not know the features.
            InvalidRequestError: `bars` break a rule.
        """
        asked = call.request
        assert asked is not None
        if call.endpoint == "ohlcv":
            return self._bars(asked)
        as_of = self._now().isoformat()
        if bars is None:
            held = self._memory.covering(asked)
            if held is None:
                raise CannotCalculateError(f"no bars are at hand for {_range(asked)}; hand them over as bars=")
            bars, as_of = held.bars.between(None, asked.end), held.as_of
        return self._sliced(asked, _calculated(call, asked, bars), as_of)

    def _bars(self, asked: FeatureRequest) -> Frame:
        held = self._memory.covering(asked)
        rows = None if held is None else held.bars.between(asked.start, asked.end)
        if held is None or rows is None or not len(rows):
            raise CannotCalculateError(f"no bars are at hand for {_range(asked)}")
        provenance = Provenance("stale", held.as_of, degraded=True, warnings=(f"bars as served at {held.as_of}",))
        return Frame(asked.symbol.name, asked.timeframe.name, rows.time // 1000, dict(rows.columns), provenance)

    def _sliced(self, asked: FeatureRequest, features: _Features, as_of: str) -> Frame:
        time = features.time
        first = 0 if asked.start is None else int(time.searchsorted(asked.start))
        last = len(time) if asked.end is None else int(time.searchsorted(asked.end))
        if first >= last:
            raise CannotCalculateError(f"the bars at hand have none in {_range(asked)}")
        begins = int(time[0])
        exact = self._anchors.get((asked.symbol.name, asked.timeframe.name)) == begins // 1000
        columns, warnings = dict(features.columns), []
        if asked.start is not None and asked.start < begins:
            warnings.append(f"the bars at hand begin at {to_iso(begins)}, after the start that was asked for")
        if not exact:
            columns = {name: _masked(column, features.settled[name]) for name, column in columns.items()}
            warnings.append(_unsettled(features, first, last))
        return Frame(
            asked.symbol.name,
            asked.timeframe.name,
            time[first:last] // 1000,
            {name: column[first:last] for name, column in columns.items()},
            Provenance(
                "direct",
                as_of,
                degraded=True,
                warnings=tuple(warnings),
                versions=features.versions,
                anchor=begins // 1000,
            ),
        )


def because(frame: Frame, reason: str) -> Frame:
    """Return `frame` with the warning that it stands in for an answer the service did not give."""
    about = frame.provenance
    warning = f"the service did not answer: {reason}"
    return replace(frame, provenance=replace(about, degraded=True, warnings=(warning, *about.warnings)))


def _calculated(call: Call, asked: FeatureRequest, bars: Any) -> _Features:
    try:
        import feature_store as fs  # noqa: PLC0415  a client-only installation has no engine

        names = [fs.feature(asked.indicators[0], dict(call.parameters))] if call.parameters else asked.indicators
        plan = [each if isinstance(each, fs.Feature) else fs.parse(each) for each in names]
    except ImportError as problem:
        reason = f"the engine is not installed ({problem}); pip install 'forex-feature-store[engine]'"
        raise CannotCalculateError(reason) from problem
    except FeatureStoreError as problem:
        raise CannotCalculateError(f"this process's engine does not know them ({problem})") from problem
    joined = [each.asked or each.id for each in plan if each.timeframe not in {None, asked.timeframe.name}]
    if joined:
        raise CannotCalculateError(f"{', '.join(joined)} needs bars of another timeframe, which only a store joins")
    frame = fs.compute(bars, plan)
    about = frame.attrs["feature_store"]
    columns = {str(name): frame[name].to_numpy(dtype=np.float64) for name in frame.columns}
    return _Features(_microseconds(frame.index), columns, about["settled"], about["versions"])


def _microseconds(index: Any) -> Integers:
    if not isinstance(index, pd.DatetimeIndex):
        raise InvalidRequestError("bars need their times: a DatetimeIndex or a column `time`", field="bars")
    aware = index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")
    return np.asarray(aware.tz_localize(None).to_numpy(dtype="datetime64[us]").view(np.int64))


def _masked(column: Any, settled: int) -> Any:
    masked = column.copy()
    masked[:settled] = np.nan
    return masked


def _unsettled(features: _Features, first: int, last: int) -> str:
    begins = to_iso(int(features.time[0]))
    late = {name: min(row, last) for name, row in features.settled.items() if row > first}
    sentence = f"the bars at hand begin at {begins}, not where the stored series does; values agree with it to 1e-8"
    if not late:
        return sentence
    untils = ", ".join(f"{name} before {_time_of(features.time, row)}" for name, row in late.items())
    return f"{sentence}, and rows that do not are NaN: {untils}"


def _time_of(time: Integers, row: int) -> str:
    return to_iso(int(time[row])) if row < len(time) else "the end"


def _range(asked: FeatureRequest) -> str:
    start, end = ("..." if side is None else to_iso(side) for side in (asked.start, asked.end))
    return f"{asked.symbol} {asked.timeframe} from {start} to {end}"
