"""Symbol, timeframe and side as the names of files and folders, and the words of formats, say them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from feature_store.bars import Symbol, Timeframe, is_timeframe
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from feature_store.ingest.readers.reader import Side

_WORD = re.compile(r"[A-Za-z0-9]+")
_PAIR = re.compile(r"([A-Z]{6}|[a-z]{6})(?:[a-z]{1,3})?")  # brokers add letters: EURUSDm
_PAIR_AND_TIMEFRAME = re.compile(
    r"([A-Za-z]{6})([MHDWmhdw]\d{1,2}|\d{1,5})"
)  # EURUSDh1; MetaTrader 4 counts minutes: EURUSD60
_PARTS = re.compile(r"(?<![A-Za-z])([A-Za-z]{3})[-_/ ]([A-Za-z]{3})(?![A-Za-z])")
_CANDLESTICK = re.compile(r"candlestick_(\d+)_(m|h|d|w|min|hour|day|week)_", re.IGNORECASE)
_LENGTH = re.compile(r"(\d*)\s*(minute|min|hour|hourly|h|m|day|daily|d|week|weekly|w)", re.IGNORECASE)


def symbol_of(text: object) -> Symbol | None:
    """Return the symbol that a source's own spelling means (`EUR_USD`, `C:EURUSD`, `EUR/USD`), or None if it is none.

    >>> symbol_of("C:EURUSD")
    Symbol(name='EUR/USD')
    """
    if not isinstance(text, str):
        return None
    try:
        return Symbol.parse(text.rpartition(":")[2])
    except InvalidRequestError:
        return None


def timeframe_of(text: object) -> Timeframe | None:
    """Return the timeframe that a source's own spelling means (`5min`, `Daily`, `H1`), or None if it is none.

    >>> timeframe_of("60min").name, timeframe_of("1week").name
    ('1h', '1w')
    """
    spelt = str(text).strip()
    if is_timeframe(spelt):
        return Timeframe.parse(spelt)
    found = None if spelt == "M" else _LENGTH.fullmatch(spelt)  # OANDA's month
    if found is None:
        return None
    count, unit = int(found[1] or 1), found[2][0].lower()
    for larger, smaller, times in (("h", "m", 60), ("d", "h", 24), ("w", "d", 7)):
        if unit == smaller and count % times == 0:
            count, unit = count // times, larger
    name = f"{count}{unit}"
    return Timeframe.parse(name) if is_timeframe(name) else None


def symbol_in(names: Iterable[str]) -> Symbol | None:
    """Return the currency pair that the first of these names to name one does.

    >>> symbol_in(["DAT_ASCII_EURUSD_M1_2018.csv"]), symbol_in(["bars.csv", "EUR-USD"])
    (Symbol(name='EUR/USD'), Symbol(name='EUR/USD'))
    """
    return next((symbol for name in names for symbol in _symbols(name)), None)


def timeframe_in(names: Iterable[str]) -> Timeframe | None:
    """Return the timeframe that the first of these names to name one does.

    >>> timeframe_in(["EURUSDh1.csv"]).name, timeframe_in(["eurusd.csv", "daily"]).name
    ('1h', '1d')
    """
    return next((timeframe for name in names for timeframe in _timeframes(name)), None)


def side_in(names: Iterable[str]) -> Side | None:
    """Return the side of the market that the first of these names to name one does; none where it names both.

    >>> side_in(["EURUSD_Candlestick_1_M_BID_01.01.2018-31.12.2018.csv"])
    'bid'
    """
    for name in names:
        words = {word.lower() for word in _WORD.findall(name)} & {"bid", "ask"}
        if words:
            return None if len(words) > 1 else "bid" if "bid" in words else "ask"
    return None


def _symbols(name: str) -> Iterator[Symbol]:
    for word in _WORD.findall(name):
        found = _PAIR_AND_TIMEFRAME.fullmatch(word) or _PAIR.fullmatch(word)
        if found is not None and _is_pair(found[1]):
            yield Symbol.parse(found[1])
    for base, quote in _PARTS.findall(name):
        if _is_pair(f"{base}/{quote}"):
            yield Symbol.parse(f"{base}/{quote}")


def _timeframes(name: str) -> Iterator[Timeframe]:
    candlestick = _CANDLESTICK.search(name)
    if candlestick is not None:
        timeframe = timeframe_of(candlestick[1] + candlestick[2])
        if timeframe is not None:
            yield timeframe
        return
    for word in _WORD.findall(name):
        attached = _PAIR_AND_TIMEFRAME.fullmatch(word)
        attached = attached if attached and _is_pair(attached[1]) else None  # not `store1`
        spelt = attached[2] if attached else word
        timeframe = timeframe_of(f"{spelt}m" if spelt.isdigit() and attached else spelt) if len(word) > 1 else None
        if timeframe is not None:
            yield timeframe


def _is_pair(text: str) -> bool:
    symbol = symbol_of(text)
    return symbol is not None and symbol.is_currency_pair
