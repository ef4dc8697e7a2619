"""What a strategy says: one frozen record a decision, complete enough to be traded, explained and tested."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from feature_store.bars import Symbol
from feature_store.errors import InvalidRequestError
from feature_store.times import to_datetime, to_microseconds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

Direction = Literal["long", "short", "exit"]

_SIDES: dict[str, int] = {"long": 1, "short": -1, "exit": 0}


@dataclass(frozen=True, slots=True)
class Signal:
    """A decision made when a bar closed; it can be filled at the next bar's open and not before.

    Args:
        symbol: instrument, in any common spelling; kept as `EUR/USD`.
        time: open of the bar on whose close this was decided, UTC; anything `feature_store.times` reads.
        direction: `long`, `short`, or `exit` for leaving whatever position is held.
        kind: the rule that spoke, `ma_cross`.
        entry: close of that bar in quote currency, against which the distances below were measured.
        stop: price at which the position is given up; below `entry` for a long, above it for a short.
        target: price at which the profit is taken.
        confidence: 0 to 1, a rank among signals of one kind and not a probability.
        expiry: how many bars a position on this signal may last; None for no limit.
        reasons: each component of the decision by name and value.
        provenance: where the features came from: `live cache stale direct synthetic`.

    Raises InvalidRequestError where a value breaks these rules.

    >>> Signal("eurusd", "2023-01-02T10:00Z", "long", "ma_cross", entry=1.07, stop=1.0675).symbol
    'EUR/USD'
    """

    symbol: str
    time: datetime
    direction: Direction
    kind: str
    entry: float | None = None
    stop: float | None = None
    target: float | None = None
    confidence: float = 1.0
    expiry: int | None = None
    reasons: Mapping[str, float] = field(default_factory=dict, hash=False)
    provenance: str = "direct"

    def __post_init__(self) -> None:
        self._keep("symbol", Symbol.parse(self.symbol).name)
        self._keep("time", to_datetime(to_microseconds(self.time)))
        self._keep("reasons", dict(self.reasons))
        _check_words(self)
        _check_prices(self)

    @property
    def side(self) -> int:
        """1 for long, -1 for short, 0 for exit."""
        return _SIDES[self.direction]

    @property
    def stop_distance(self) -> float | None:
        """From entry to stop in quote currency, or None where either is open."""
        return None if self.entry is None or self.stop is None else abs(self.entry - self.stop)

    def marked(self, provenance: str) -> Signal:
        """Return this signal as decided on features of `provenance`."""
        return replace(self, provenance=provenance)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data with the time in ISO 8601."""
        about = {name: getattr(self, name) for name in self.__slots__}
        return about | {"time": self.time.isoformat(), "reasons": dict(self.reasons)}

    def _keep(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


def _check_words(signal: Signal) -> None:
    if signal.direction not in _SIDES:
        msg = f"direction must be long, short or exit, was {signal.direction!r}"
        raise InvalidRequestError(msg, field="direction")
    if not (isinstance(signal.kind, str) and signal.kind):
        msg = f"kind must name the rule that decided, was {signal.kind!r}"
        raise InvalidRequestError(msg, field="kind")
    if not 0.0 <= signal.confidence <= 1.0:
        msg = f"confidence must lie from 0 to 1, was {signal.confidence!r}"
        raise InvalidRequestError(msg, field="confidence")
    if signal.expiry is not None and signal.expiry < 1:
        msg = f"expiry must be at least 1 bar, or None for no limit, was {signal.expiry!r}"
        raise InvalidRequestError(msg, field="expiry")


def _check_prices(signal: Signal) -> None:
    for name in ("entry", "stop", "target"):
        price = getattr(signal, name)
        if price is not None and not (math.isfinite(price) and price > 0):
            msg = f"{name} must be a price above zero, was {price!r}; leave it out where there is none"
            raise InvalidRequestError(msg, field=name)
    if signal.entry is None or not signal.side:
        return
    below, above = (signal.stop, signal.target) if signal.side > 0 else (signal.target, signal.stop)
    if (below is not None and below >= signal.entry) or (above is not None and above <= signal.entry):
        msg = (
            f"a {signal.direction} needs {'stop < entry < target' if signal.side > 0 else 'target < entry < stop'}, "
            f"had stop {signal.stop}, entry {signal.entry}, target {signal.target}"
        )
        raise InvalidRequestError(msg, field="stop")
