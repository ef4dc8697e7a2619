"""A live market as bytes: what was asked, and for each symbol what its bars and features continue from.

magic "FXFM", sealed as a series' snapshot is | header, JSON: for each symbol what was asked, its shape, and how long its parts
are | parts: opens and numbers of the last bars, what formed before them, the closes of each timeframe, and the snapshot of
each ground's features.
"""

from __future__ import annotations

from array import array
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import COLUMNS
from feature_store.engine.rollback import Rollback
from feature_store.engine.snapshot import Snapshot, refused, seal, unseal
from feature_store.engine.state import LiveState
from feature_store.errors import InvalidRequestError
from feature_store.market.forming import Forming

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from feature_store.market.closes import Closes
    from feature_store.market.forming import Closed
    from feature_store.market.layout import Layout
    from feature_store.market.one_symbol import OneSymbol
    from feature_store.market.series import Series

_MAGIC = b"FXFM"
_FORMAT = 1


def pack(symbols: Iterable[OneSymbol]) -> bytes:
    """Return the bytes of all symbols."""
    parts: list[bytes] = []
    about = [_described(one, parts) for one in symbols]
    return seal(_MAGIC, _FORMAT, {"symbols": about, "parts": [len(part) for part in parts]}, b"".join(parts))


def unpack(data: bytes) -> tuple[dict[str, Any], list[tuple[dict[str, Any], Iterator[bytes]]]]:
    """Return what was asked, and each symbol's description and parts.

    Raises SnapshotMismatchError where the bytes are damaged or of another engine.
    """
    header, body = unseal(data, _MAGIC, _FORMAT)
    cuts = [0, *accumulate(header["parts"])]
    if cuts[-1] != len(body):
        raise refused(f"its parts have {cuts[-1]} bytes and there are {len(body)}")
    parts = (body[first:last] for first, last in pairwise(cuts))
    return {about["symbol"]: about["asked"] for about in header["symbols"]}, [
        (about, parts) for about in header["symbols"]
    ]


def resume(one: OneSymbol, about: dict[str, Any], parts: Iterator[bytes]) -> None:
    """Bring a new symbol to the state that was packed; raises SnapshotMismatchError where it does not fit."""
    if about["shape"] != _shape(one):
        raise refused(f"the bars and features of {one.symbol} are derived otherwise now")
    closed = _climb(one, about["formings"], parts)
    for closes, forgotten in zip(one.closes.values(), about["forgotten"], strict=True):
        closes.forgotten = forgotten
        closes.times, closes.ends = (array("q", _whole(next(parts)).tolist()) for _ in range(2))
        closes.closes = array("d", _floats(next(parts)).tolist())
    _refuse_others(one, closed)
    for series in one.series.values():
        _continue(series, Snapshot.from_bytes(next(parts)))


# ---------------------------------------------------------------- one symbol
def _described(one: OneSymbol, parts: list[bytes]) -> dict[str, Any]:
    """Return what there is to say of a symbol, and add its parts."""
    earlier = one.climbed.states[0]
    parts.append(np.array([moment for moment, _ in one.bars], dtype="<i8").tobytes())
    parts.append(np.array([numbers for _, numbers in one.bars], dtype="<f8").tobytes())
    parts += [_forming(each) for each in earlier if each is not None]
    parts += [part for closes in one.closes.values() for part in _closes(closes)]
    parts += [series.state.snapshot(ground.timeframe.name).to_bytes() for ground, series in one.series.items()]
    return {
        "symbol": one.symbol.name,
        "asked": _asked(one.layout),
        "shape": _shape(one),
        "formings": [each and [each.time, each.end, each.bars, each.traded] for each in earlier],
        "forgotten": [closes.forgotten for closes in one.closes.values()],
    }


def _asked(layout: Layout) -> dict[str, list[str]]:
    return {
        timeframe.name: [each.asked or each.id for each in features] for timeframe, features in layout.asked.items()
    }


def _shape(one: OneSymbol) -> list[Any]:
    grounds = [[ground.timeframe.name, ground.other and ground.other.name] for ground in one.series]
    return [[timeframe.name for timeframe in one.closes], grounds]


def _forming(forming: Forming) -> bytes:
    prices = (forming.open, forming.high, forming.low, forming.close)
    return np.array([*prices, *forming.volumes[: forming.bars]], dtype="<f8").tobytes()


def _closes(closes: Closes) -> Iterator[bytes]:
    for values, kind in ((closes.times, "<i8"), (closes.ends, "<i8"), (closes.closes, "<f8")):
        yield np.array(values, dtype=kind).tobytes()


# ---------------------------------------------------------------- and back
def _climb(one: OneSymbol, formings: list[Any], parts: Iterator[bytes]) -> list[Closed]:
    """Return to the state of the ladder that was packed, and take the bars since then up again; return what closes by them."""
    times, numbers = _whole(next(parts)), _floats(next(parts)).reshape(-1, len(COLUMNS))
    one.formings = tuple(each and _formed(each, next(parts)) for each in formings)
    one.climbed = Rollback(one.formings)
    closed = []
    for moment, bar in zip(times.tolist(), numbers.tolist(), strict=True):
        try:
            bars, one.formings = one.ladder.step(one.formings, moment, tuple(bar))
        except InvalidRequestError as problem:
            raise refused(f"a bar in it breaks a rule ({problem})") from problem
        one.climbed.add((moment, tuple(bar)), lambda: one.formings)
        closed += bars
    return closed


def _refuse_others(one: OneSymbol, closed: list[Closed]) -> None:
    """Raise SnapshotMismatchError where the closes are not those of the bars."""
    lowest = one.closes[one.ladder.lowest].times
    agree = all(bar.time in one.closes[bar.timeframe] for bar in closed)
    if not agree or lowest[-1:].tolist() != [moment for moment, _ in one.bars[-1:]]:
        raise refused(f"its bars of {one.symbol} and their closes are of different times")


def _formed(about: list[Any], part: bytes) -> Forming:
    time, end, bars, traded = about
    open_, high, low, close, *volumes = _floats(part).tolist()
    return Forming(time, end, open_, high, low, close, array("d", volumes), bars, traded)


def _continue(series: Series, snapshot: Snapshot) -> None:
    plan = series.state.plan
    if snapshot.features != tuple(feature.asked for feature in plan.features):
        raise refused(f"it holds {', '.join(snapshot.features)}, not {', '.join(plan.columns)}")
    series.state = LiveState.resumed(plan, snapshot)
    if series.state.last_time != (series.closes.times[-1] if len(series.closes) else None):
        raise refused("its features and its bars end at different times")
    recent = series.state.recent()
    series.values = recent[-1][1] if recent else series.values


def _whole(part: bytes) -> Any:
    return np.frombuffer(part, dtype="<i8")


def _floats(part: bytes) -> Any:
    return np.frombuffer(part, dtype="<f8")
