"""How much to trade: decided when the signal is, from what is known then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from strategy_execution_engine.backtest.instrument import Instrument
    from strategy_execution_engine.strategies.signals import Signal


class Sizing(Protocol):
    """Answers with units of base currency; what is not a whole step is rounded down by the engine."""

    def units(self, signal: Signal, equity: float, rate: float, instrument: Instrument) -> float:
        """Return the units to trade; `equity` in account currency, `rate` its worth of one unit of quote currency."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that names the rule and its values."""


@dataclass(frozen=True, slots=True)
class FixedLots:
    """The same size every time."""

    lots: float = 0.1

    def __post_init__(self) -> None:
        """Refuse a size of nothing."""
        if not 0 < self.lots <= 1e6:  # noqa: PLR2004  a slip, not a position
            msg = f"lots must be above 0, was {self.lots!r}"
            raise InvalidRequestError(msg, field="lots")

    def units(self, signal: Signal, equity: float, rate: float, instrument: Instrument) -> float:  # noqa: ARG002
        """Return the units of `lots`."""
        return self.lots * instrument.lot

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"rule": "fixed lots", "lots": self.lots}


@dataclass(frozen=True, slots=True)
class FixedFraction:
    """As much as loses `fraction` of equity if the stop is hit where it stands.

    >>> from strategy_execution_engine.backtest.instrument import Instrument
    >>> from strategy_execution_engine.strategies.signals import Signal
    >>> long = Signal("EUR/USD", "2023-01-02", "long", "example", entry=1.1, stop=1.0975)
    >>> round(FixedFraction(0.01).units(long, 10_000.0, 1.0, Instrument.of("EUR/USD")))  # 100 USD over 25 pips
    40000
    """

    fraction: float = 0.01

    def __post_init__(self) -> None:
        """Refuse to risk nothing, or more than there is."""
        if not 0 < self.fraction <= 1:
            msg = f"fraction must be above 0 and at most 1, was {self.fraction!r}"
            raise InvalidRequestError(msg, field="fraction")

    def units(self, signal: Signal, equity: float, rate: float, instrument: Instrument) -> float:  # noqa: ARG002
        """Return equity at risk over the stop's distance; raises InvalidRequestError for a signal without stop."""
        distance = signal.stop_distance
        if not distance:
            msg = (
                f"a fixed fraction needs a stop, and the {signal.kind} signal of {signal.time} has none; use FixedLots"
            )
            raise InvalidRequestError(msg, field="sizing")
        return equity * self.fraction / (distance * rate)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"rule": "fixed fraction of equity at the stop", "fraction": self.fraction}
