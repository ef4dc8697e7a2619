"""What Alpha Vantage, Twelve Data and Polygon answer in JSON: newest first, numbers as text, refusals with HTTP 200."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from feature_store.bars import PRICES
from feature_store.ingest.readers import naming
from feature_store.ingest.readers.json_body import json_keys, json_object, rows_of
from feature_store.ingest.readers.reader import Source, in_batches

if TYPE_CHECKING:
    from feature_store.bars import Symbol
    from feature_store.ingest.readers.member import Member


class AlphaVantageReader:
    """`{"Meta Data": {...}, "Time Series FX (5min)": {"2024-01-02 10:00:00": {"1. open": "1.1", ...}}}`; no volume."""

    format = "alpha-vantage"
    _refusals = ("Note", "Information", "Error Message")

    def knows(self, member: Member) -> bool:
        """Return whether the body begins with the names of such an answer, or is a refusal alone."""
        keys = json_keys(member)
        return "Meta Data" in keys or (bool(keys) and keys <= set(self._refusals))

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return the bars; raises UnsupportedFileError that quotes a refusal."""
        body = json_object(member)
        name = next((name for name in body if name.startswith("Time Series")), None)
        if name is None or not isinstance(body[name], dict):
            said = next((body[key] for key in self._refusals if key in body), "nothing about a time series")
            member.refuse(None, f"Alpha Vantage refused: {said}")
        meta = {key.partition(". ")[2]: value for key, value in _object(body.get("Meta Data")).items()}
        prices = {price: f"{place}. {price}" for place, price in enumerate(PRICES, 1)}
        items = [{"time": time, **bar} if isinstance(bar, dict) else bar for time, bar in body[name].items()]
        return Source(
            member,
            self.format,
            "bars",
            partial(in_batches, rows_of(items, {"time": "time", **prices})),
            symbol=naming.symbol_of(f"{meta.get('From Symbol', '')}/{meta.get('To Symbol', '')}") or symbol,
            timeframe=naming.timeframe_of(name.partition("(")[2].rstrip(")")),
            timezone=meta.get("Time Zone"),
        )


class TwelveDataReader:
    """`{"meta": {"symbol", "interval", ...}, "values": [{"datetime", "open", ...}], "status": "ok"}`."""

    format = "twelve-data"

    def knows(self, member: Member) -> bool:
        """Return whether the body begins with the names of such an answer, or is a refusal."""
        keys = json_keys(member)
        return keys >= {"meta", "values"} or (keys >= {"code", "message", "status"} and "request_id" not in keys)

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return the bars; their times are the exchange's unless UTC was asked for, which the body does not say."""
        body = json_object(member)
        meta, values = _object(body.get("meta")), body.get("values")
        if not isinstance(values, list):
            member.refuse(None, f"Twelve Data refused: {body.get('message', 'no values')}")
        names = {"time": "datetime", **{price: price for price in PRICES}}
        if any(isinstance(value, dict) and "volume" in value for value in values):
            names["tick_volume"] = "volume"
        return Source(
            member,
            self.format,
            "bars",
            partial(in_batches, rows_of(values, names)),
            symbol=naming.symbol_of(meta.get("symbol")) or symbol,
            timeframe=naming.timeframe_of(meta.get("interval")),
            timezone=meta.get("exchange_timezone"),
        )


class PolygonReader:
    """`{"ticker": "C:EURUSD", "results": [{"v", "vw", "o", "c", "h", "l", "t": ms, "n"}]}`, or quotes; times since 1970."""

    format = "polygon"
    _bars = {"time": "t", "open": "o", "high": "h", "low": "l", "close": "c", "tick_volume": "v"}  # noqa: RUF012  a constant
    _quotes = (
        {"time": "t", "bid": "b", "ask": "a"},
        {"time": "participant_timestamp", "bid": "bid_price", "ask": "ask_price"},
    )

    def knows(self, member: Member) -> bool:
        """Return whether the body begins with the names of such an answer, or is a refusal."""
        keys = json_keys(member)
        return "results" in keys or keys >= {"status", "request_id"}

    def open(self, member: Member, symbol: Symbol | None) -> Source:
        """Return bars or ticks; raises UnsupportedFileError that quotes a refusal."""
        body = json_object(member)
        results = body.get("results")
        if not isinstance(results, list):
            if body.get("resultsCount") != 0:
                member.refuse(
                    None, f"Polygon refused: {body.get('error') or body.get('message') or body.get('status')}"
                )
            results = []
        names = self._names(next((item for item in results if isinstance(item, dict)), {}))
        return Source(
            member,
            self.format,
            "ticks" if "bid" in names else "bars",
            partial(in_batches, rows_of(results, names)),
            symbol=naming.symbol_of(body.get("ticker", "")) or naming.symbol_in(member.names) or symbol,
            timezone="UTC",
        )

    def _names(self, first: dict[str, Any]) -> dict[str, str]:
        return next((names for names in self._quotes if first.keys() >= set(names.values())), self._bars)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
