"""The money side of an instrument: its pip, its lot, and what one unit of quote currency is worth in the account."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from feature_store.bars import Symbol
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from feature_store.bars import Floats

LOT = 100_000.0
_OTHER_LOTS = {"XAU": 100.0, "XAG": 5_000.0}  # ounces a contract

Price = TypeVar("Price", "float", "Floats")


@dataclass(frozen=True, slots=True)
class Instrument:
    """What a broker states about an instrument.

    Args:
        symbol: its name.
        pip_size: one pip in quote currency.
        lot: units of base currency in one lot.
        lot_step: the smallest part of a lot that can be traded.
    """

    symbol: Symbol
    pip_size: float
    lot: float = LOT
    lot_step: float = 0.01

    @classmethod
    def of(cls, symbol: Any) -> Instrument:
        """Return the usual terms: a lot is 100,000 units of a currency, 100 ounces of gold, 5,000 of silver, else 1.

        >>> Instrument.of("usdjpy")
        <Instrument USD/JPY pip=0.01 lot=100000>
        """
        parsed = Symbol.parse(symbol)
        lot = _OTHER_LOTS.get(parsed.base, LOT if "/" in parsed.name else 1.0)
        return cls(parsed, parsed.pip_size, lot)

    def __repr__(self) -> str:
        return f"<Instrument {self.symbol} pip={self.pip_size} lot={self.lot:.0f}>"

    def account_rate(self, price: Price, account: str) -> Price:
        """Return the account's worth of one unit of quote currency when the instrument trades at `price`.

        Raises InvalidRequestError where neither side of the pair is the account's currency: that takes a third price.

        >>> Instrument.of("EUR/USD").account_rate(1.25, "USD"), Instrument.of("EUR/USD").account_rate(1.25, "EUR")
        (1.0, 0.8)
        """
        if account == self.symbol.quote:
            return price / price
        if account == self.symbol.base:
            return 1.0 / price
        msg = (
            f"{self.symbol} earns {self.symbol.quote}, which cannot be turned into {account} without a third price; "
            f"use an account in {self.symbol.quote} or {self.symbol.base}"
        )
        raise InvalidRequestError(msg, field="account")

    def whole_steps(self, units: float) -> float:
        """Return `units` rounded down to what can be traded.

        >>> Instrument.of("EUR/USD").whole_steps(12_345.0)
        12000.0
        """
        step = self.lot * self.lot_step
        return math.floor(units / step + 1e-9) * step
