"""Many symbols, timeframes and features live, in one structure: closed bars of the lowest timeframes in, rows out.

1. A bar of a symbol's lowest timeframe closes bars of higher ones (`ladder`).
2. Each closed bar goes through the features of its timeframe (`series`).
3. Each timeframe with features of its own gives a row: their values, and those of higher timeframes as known when it closed.
4. A symbol that is compared with another waits for nobody: where the other's bar of the same time comes later, its rows are
   given again. In the end all is as history has it, in whatever order the symbols' bars came.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from feature_store.bars import Symbol
from feature_store.engine.state import ABSENT
from feature_store.errors import InvalidRequestError
from feature_store.indicators.registry import BUILT_INS, Registry
from feature_store.market.layout import layouts
from feature_store.market.numbers import checked
from feature_store.market.one_symbol import OneSymbol, Row
from feature_store.market.snapshot import pack, resume, unpack
from feature_store.times import to_microseconds

if TYPE_CHECKING:
    from feature_store.bars import Timeframe
    from feature_store.engine.rollback import Timed
    from feature_store.market.forming import Closed
    from feature_store.market.layout import Asked
    from feature_store.market.series import Series


class LiveMarket:
    """Features of many symbols in many timeframes, advanced by one closed bar at a time.

    Memory is bounded, no clock is read, and it is not for use from several threads at once.

    >>> market = fs.live_market({"EUR/USD": {"15m": ["sma_2"], "30m": ["sma_1"]}})
    >>> flat = {"open": 1.0, "high": 1.0, "low": 1.0, "close": 1.0}
    >>> [row.values for row in market.update("EUR/USD", time="2023-01-03T10:00Z", **flat)]
    [{'sma_2': nan}]
    >>> [(row.timeframe, row.values) for row in market.update("EUR/USD", time="2023-01-03T10:15Z", **flat)]
    [('30m', {'sma_1': 1.0}), ('15m', {'sma_2': 1.0})]
    """

    def __init__(self, asked: Asked, registry: Registry = BUILT_INS) -> None:
        made = layouts(asked, registry)
        self._symbols = {symbol: OneSymbol(symbol, layout) for symbol, layout in made.items()}
        self._waiting: dict[tuple[Symbol, Timeframe], list[tuple[OneSymbol, Series]]] = defaultdict(list)
        for one in self._symbols.values():
            for ground in one.layout.plans:
                other = None if ground.other is None else self._symbols[ground.other]
                series = one.run(ground, None if other is None else other.closes[ground.timeframe])
                if other is not None:
                    self._waiting[other.symbol, ground.timeframe].append((one, series))

    def __repr__(self) -> str:
        return f"<LiveMarket {', '.join(map(repr, self._symbols.values()))}>"

    def update(
        self,
        symbol: str,
        *,
        time: Any,
        open: float,  # noqa: A002  the field's word
        high: float,
        low: float,
        close: float,
        tick_volume: float = ABSENT,
    ) -> list[Row]:
        """Commit a closed bar of a symbol's lowest timeframe; return the rows of every bar that it closes.

        Args:
            symbol: in any common spelling.
            time: the bar's open.
            open: prices in quote currency, or NaN in all four for a gap.
            high: the highest.
            low: the lowest.
            close: the last.
            tick_volume: of the bar; NaN where it is not known.

        A bar of a higher timeframe closes with the bar that ends with it, or with the first one after its end. Rows come in
        order of `available_at`, of those at one time the longest timeframe first; then, revised, rows of symbols that are
        compared with this one.

        Raises InvalidRequestError, with nothing changed, for a symbol that is not in the market, a time that does not rise, is
        not the open of a bar, or lies on a weekend of currencies, and for numbers that contradict each other.
        """
        one, bar = self._read(symbol, time, (open, high, low, close, tick_volume))
        step = one.next(bar)
        self._refuse_late(one, step.bars)
        return one.take(bar, step) + self._tell(one, step.bars)

    def peek(
        self,
        symbol: str,
        *,
        time: Any,
        open: float,  # noqa: A002
        high: float,
        low: float,
        close: float,
        tick_volume: float = ABSENT,
    ) -> list[Row]:
        """Return the row of each timeframe's forming bar as if it closed now, with a forming bar of the lowest timeframe.

        The state is untouched. What a symbol is compared with counts where the other's bar of that time has closed. Raises as
        `update` does.
        """
        one, bar = self._read(symbol, time, (open, high, low, close, tick_volume))
        return one.look(bar)

    def correct(
        self,
        symbol: str,
        *,
        time: Any,
        open: float,  # noqa: A002
        high: float,
        low: float,
        close: float,
        tick_volume: float = ABSENT,
    ) -> list[Row]:
        """Replace one of the last 32 bars of a symbol's lowest timeframe; return the rows of all bars since, in all timeframes.

        All is then as if this bar had come in the first place. NaN in all four prices takes the old ones back.

        Raises InvalidRequestError, with nothing changed, as `update` does, where no bar opened then, and for an older bar:
        rebuild from bars.
        """
        return self._change(symbol, time, (open, high, low, close, tick_volume), replaces=True)

    def insert(
        self,
        symbol: str,
        *,
        time: Any,
        open: float,  # noqa: A002
        high: float,
        low: float,
        close: float,
        tick_volume: float = ABSENT,
    ) -> list[Row]:
        """Add a bar that was missed, so that it is among the last 32; otherwise as `correct`."""
        return self._change(symbol, time, (open, high, low, close, tick_volume), replaces=False)

    def snapshot(self) -> bytes:
        """Return the state of all as bytes; `restore_market` continues from them with the same bits."""
        return pack(self._symbols.values())

    def _change(self, symbol: str, time: Any, numbers: tuple[Any, ...], *, replaces: bool) -> list[Row]:
        one, bar = self._read(symbol, time, numbers)
        step = one.change(bar, replaces=replaces)
        self._refuse_late(one, step.bars)
        return one.retake(step) + self._tell(one, step.bars)

    def _read(self, symbol: str, time: Any, numbers: tuple[Any, ...]) -> tuple[OneSymbol, Timed]:
        one = self._symbols.get(Symbol.parse(symbol))
        if one is None:
            msg = f"{Symbol.parse(symbol)} is not in this market, which has {', '.join(map(str, self._symbols))}"
            raise InvalidRequestError(msg, field="symbol")
        if ABSENT in numbers and one.needs("tick_volume"):  # by identity: it is not equal even to itself
            msg = f"features of {one.symbol} need tick_volume=; give it, or NaN where the bar has none"
            raise InvalidRequestError(msg, field="tick_volume")
        return one, (to_microseconds(time), checked(numbers))

    # ---------------------------------------------------------------- symbols that are compared with another
    def _refuse_late(self, one: OneSymbol, bars: list[Closed]) -> None:
        for bar in bars:
            for _, series in self._waiting.get((one.symbol, bar.timeframe), ()):
                series.refuse_late(bar)

    def _tell(self, one: OneSymbol, bars: list[Closed]) -> list[Row]:
        """Tell who is compared with a symbol of its bars; return the rows that change by it."""
        since: dict[OneSymbol, int] = {}
        for bar in bars:
            for waiting, series in self._waiting.get((one.symbol, bar.timeframe), ()):
                end = series.hear(bar)
                if end is not None:
                    since[waiting] = min(end, since.get(waiting, end))
        return [row for waiting, end in since.items() for row in waiting.rows_since(end)]


def live_market(asked: Asked, *, registry: Registry = BUILT_INS) -> LiveMarket:
    """Return the features of many symbols ready for their first bars; `registry` is a store's, as for `live`.

    Args:
        asked: for each symbol, for each timeframe, feature ids: `{"EUR/USD": {"15m": ["rsi_14", "atr_14@4h"]}}`. The lowest
            timeframe is that of the bars which will be fed; where it has no features, an empty list names it.
        registry: what names mean.

    Raises what `parse` raises, and InvalidRequestError for timeframes that cannot be made from the lowest, and for features
    of another symbol's bars.
    """
    return LiveMarket(asked, registry)


def restore_market(data: bytes, *, registry: Registry = BUILT_INS) -> LiveMarket:
    """Return a market that continues from a snapshot with the same bits.

    Raises SnapshotMismatchError where the bytes are damaged, or made by another definition or engine: rebuild it from bars.
    """
    asked, symbols = unpack(data)
    market = LiveMarket(asked, registry)
    for one, (about, parts) in zip(market._symbols.values(), symbols, strict=True):  # noqa: SLF001
        resume(one, about, parts)
    return market
