"""`FeatureStoreClient`: bars and features from the feature store, in a DataFrame that says where its values come from.

What happens to a call, from outside in:

1. checked, before any I/O;
2. looked up in the cache;
3. shared with whoever asks the same at this moment;
4. tried, and tried again within a budget and one deadline, unless the endpoint's circuit breaker is open;
5. if the service gave no answer: answered from a rung of the fallback ladder, marked, or the error is raised.

A refusal (unknown indicator, no such data, wrong key) is an answer: it is raised at once and nothing replaces it.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import strategy_execution_engine.monitoring.feature_store_metrics  # noqa: F401  counts from the first call
from feature_store import json_codec
from feature_store.errors import (
    ConflictError,
    CorruptDataError,
    CorruptResponseError,
    DataNotFoundError,
    FeatureNotFoundError,
    FeatureStoreAuthError,
    FeatureStoreConnectionError,
    FeatureStoreError,
    FeatureStoreTimeoutError,
    FeatureStoreUnavailableError,
    InvalidRequestError,
    StoreLockedError,
    StoreReadOnlyError,
)
from feature_store.events import ApiCall, Fallback, emit
from feature_store.settings import Settings
from feature_store.wire import Frame
from strategy_execution_engine.caching.feature_cache import FeatureCache, get_feature_cache
from strategy_execution_engine.clients import calls
from strategy_execution_engine.clients.bar_memory import BarMemory
from strategy_execution_engine.clients.calls import DEFAULT_INDICATORS
from strategy_execution_engine.clients.deadline import Deadline
from strategy_execution_engine.clients.direct import DirectCalculation
from strategy_execution_engine.clients.fallback import calculated, check_policy, local_document, stale
from strategy_execution_engine.clients.http_transport import HttpTransport
from strategy_execution_engine.clients.outage import Outage
from strategy_execution_engine.clients.prepared import Prepared
from strategy_execution_engine.clients.resilience import Guarded, Retry, RetryBudget, SingleFlight
from strategy_execution_engine.clients.single_flight import FlightCancelledError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping
    from types import TracebackType

    import pandas as pd

    from strategy_execution_engine.clients.calls import Question
    from strategy_execution_engine.clients.fallback import Kind, Mode
    from strategy_execution_engine.clients.transport import Transport

__all__ = [
    "DEFAULT_INDICATORS",
    "ClientClosedError",
    "ConflictError",
    "CorruptDataError",
    "CorruptResponseError",
    "DataNotFoundError",
    "FeatureNotFoundError",
    "FeatureStoreAuthError",
    "FeatureStoreClient",
    "FeatureStoreConnectionError",
    "FeatureStoreError",
    "FeatureStoreTimeoutError",
    "FeatureStoreUnavailableError",
    "InvalidRequestError",
    "StoreLockedError",
    "StoreReadOnlyError",
]

Value = TypeVar("Value")

_MAX_RETRIES = 10


class ClientClosedError(FeatureStoreError, RuntimeError):
    """The client was closed; make a new one, or close it later."""

    code = "client_closed"


class FeatureStoreClient:
    """Asks a feature store for bars and features.

    Every frame is the caller's own, indexed by UTC bar-open time, with float64 columns, NaN where a value is not known
    yet, and `attrs["provenance"]`: `source` (`live`, `cache`, `stale`, `direct` or `synthetic`), `as_of`, `degraded`,
    `warnings`, `versions` by column, `anchor`. Times are ISO 8601 text, datetimes or epoch milliseconds; naive ones are
    UTC; `start_date` is inclusive and `end_date` exclusive, but a bare date as `end_date` covers that whole day.

    Args:
        base_url: the service's address; by default `FEATURE_STORE_URL`, else `http://localhost:8001/api/v1`.
        api_key: sent as `X-API-Key`; by default `FEATURE_STORE_API_KEY`.
        use_cache: whether answers are kept in `cache` and taken from there.
        cache_ttl: seconds a cached answer is fresh.
        timeout: seconds a call may take, all tries and waits included.
        max_retries: tries after the first, 0 to 10.
        cache: where answers are kept; by default the one that this process shares.
        fallback: what may stand in for the service: `direct` calculation (and stale cache), `none`, or `synthetic` too.
        mode: `live` refuses to be made with `fallback="synthetic"`.
        breaker_failures: failures in a row after which an endpoint is left alone.
        breaker_reset_s: seconds for which it is.
        stale_for: seconds a cached answer may be past its time and still stand in for the service; 0 for never.
        transport: another way to the store, such as `InProcessTransport`; `close` closes it too.
        wire_format: `json`, or `arrow` for large frames (needs pyarrow).
        clock: seconds on a clock that does not go back, for the deadline, the breaker and the retry budget.

    Raises:
        InvalidRequestError: an argument breaks a rule.

        async with FeatureStoreClient() as client:
            frame = await client.get_indicators("EUR/USD", "2023-01-01", "2023-01-31", indicators=["sma_50", "rsi_14"])
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        use_cache: bool = True,
        cache_ttl: float = 300,
        timeout: float = 30.0,
        max_retries: int = 3,
        *,
        cache: FeatureCache | None = None,
        fallback: Kind = "direct",
        mode: Mode = "research",
        breaker_failures: int = 5,
        breaker_reset_s: float = 60.0,
        stale_for: float = 300.0,
        transport: Transport | None = None,
        wire_format: Literal["json", "arrow"] = "json",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_policy(fallback, mode)
        _check_numbers(cache_ttl, timeout, max_retries, stale_for)
        if transport is None:
            settings = Settings.from_environment()
            key = settings.api_key if api_key is None else api_key
            transport = HttpTransport(base_url or settings.url, key, wire_format=wire_format)
        self.fallback = fallback
        self.mode = mode
        self.cache_ttl = cache_ttl
        self.timeout = timeout
        self.cache = (get_feature_cache() if cache is None else cache) if use_cache else None
        self._stale_for = stale_for
        self._clock = clock
        self._transport = transport
        self._guarded = Guarded(
            transport,
            Retry(max_retries, RetryBudget(clock=clock)),
            breaker_failures=breaker_failures,
            breaker_reset_s=breaker_reset_s,
            clock=clock,
        )
        self._flights: SingleFlight[Prepared | bytes] = SingleFlight()
        self._direct = DirectCalculation(BarMemory())
        self._closed = False

    def __repr__(self) -> str:
        return f"<FeatureStoreClient {'closed' if self._closed else 'open'} {self._guarded!r}>"

    async def __aenter__(self) -> Self:
        self._refuse_closed()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Give back connections; calls under way, and later ones, raise ClientClosedError. It may be called again."""
        if self._closed:
            return
        self._closed = True
        await self._flights.cancel()
        await self._transport.close()

    # ------------------------------------------------------------ the six methods
    async def get_ohlcv_data(self, symbol: Any, start_date: Any, end_date: Any, timeframe: Any = "1h") -> pd.DataFrame:
        """Return bars: `open high low close tick_volume`, and bid, ask and spread where the source has them.

        Raises:
            DataNotFoundError: the store has no bars there; the message says what it has.
            FeatureStoreError: see `get_indicators`.
        """
        ask = partial(calls.bars_question, symbol, timeframe, start_date, end_date)
        return await self._observed("get_ohlcv_data", self._frame("get_ohlcv_data", ask))

    async def get_indicators(
        self,
        symbol: Any,
        start_date: Any,
        end_date: Any,
        timeframe: Any = "1h",
        indicators: Iterable[str] | str | None = None,
        *,
        bars: Any = None,
    ) -> pd.DataFrame:
        """Return one column for each output of `indicators`, by default `DEFAULT_INDICATORS`.

        Args:
            symbol: an instrument, `EUR/USD` in any common spelling.
            start_date: first bar-open time.
            end_date: bar-open time before which the answer ends.
            timeframe: length of a bar, `1h`.
            indicators: feature ids: `sma_50`, `macd_12_26_9`, `bbands_20_2.upper`, `atr_14@4h`.
            bars: bars at hand, for direct calculation if the service gives no answer: a frame with times and prices.

        Raises:
            InvalidRequestError: the request breaks a rule, which the message states.
            FeatureNotFoundError: no indicator has this name.
            DataNotFoundError: the store has no bars there.
            FeatureStoreAuthError: the API key is missing, wrong or not allowed to do this.
            FeatureStoreConnectionError, FeatureStoreTimeoutError, FeatureStoreUnavailableError, CorruptResponseError:
                the service gave no usable answer, and nothing could stand in for it.
        """
        ask = partial(calls.features_question, symbol, timeframe, start_date, end_date, indicators)
        return await self._observed("get_indicators", self._frame("get_indicators", ask, bars))

    async def compute_feature(
        self,
        feature_name: str,
        symbol: Any,
        start_date: Any,
        end_date: Any,
        timeframe: Any = "1h",
        parameters: Mapping[str, float | str] | None = None,
    ) -> pd.DataFrame:
        """Return one feature, named with its parameters apart (`"rsi", parameters={"period": 21}`) or by its full id.

        Raises:
            FeatureStoreError: see `get_indicators`.
        """
        ask = partial(calls.compute_question, symbol, timeframe, start_date, end_date, feature_name, parameters)
        return await self._observed("compute_feature", self._frame("compute_feature", ask))

    async def get_available_indicators(self) -> list[dict[str, Any]]:
        """Return what can be asked for: parameters, outputs, units, warm-up, version, and each one's `provenance`.

        Without the service these are the built-in indicators of the engine in this process, marked `direct`.

        Raises:
            FeatureStoreError: see `get_indicators`.
        """
        method = "get_available_indicators"
        document = await self._observed(method, self._document(method, calls.catalog_question))
        provenance = document["provenance"]
        return [{**about, "provenance": dict(provenance)} for about in document.get("indicators", [])]

    async def get_indicator_metadata(self, indicator_id: str) -> dict[str, Any]:
        """Return what one indicator is, by name or id: parameters with their values, columns, warm-up, `provenance`.

        Raises:
            FeatureNotFoundError: no indicator has this name.
            FeatureStoreError: see `get_indicators`.
        """
        method = "get_indicator_metadata"
        ask = partial(calls.indicator_question, indicator_id)
        return await self._observed(method, self._document(method, ask))

    # ------------------------------------------------------------ beyond them
    async def register_indicator(
        self,
        name: str,
        expression: str | Mapping[str, str],
        parameters: Mapping[str, Any] | None = None,
        *,
        title: str = "",
        unit: str | Mapping[str, str] = "index",
        description: str = "",
    ) -> dict[str, Any]:
        """Add an indicator of your own to the store and return what it is, under the id of its version.

        Args:
            name: the first part of its ids, `spread_z`.
            expression: such as `zscore(close - ema(close, n), n)`, or several by the name of their output.
            parameters: by name, in the order in which ids spell them: `Int`, `Real`, `Choice` of the feature store, or plain
                data such as `{"default": 20, "ge": 2}`.
            title: a few words for a person.
            unit: of its values, or of each output's.
            description: more words.

        Other content under a name is its next version, the same content again the same one; so it is safe to try again. What
        this client's cache holds of the name is forgotten. Nothing stands in for the service here.

        Raises:
            InvalidRequestError: a part of the definition breaks a rule; the message points at it.
            ConflictError: the name is taken by something else, or the store has no room for another.
            StoreReadOnlyError: the service may only read its store.
            FeatureStoreError: see `get_indicators`.
        """
        words = {"title": title, "unit": unit, "description": description}
        ask = partial(calls.register_question, name, expression, parameters, words)
        return await self._observed("register_indicator", self._register(ask))

    # ------------------------------------------------------------ from a question to an answer and its source
    async def _observed(self, method: str, answer: Awaitable[tuple[Value, str]]) -> Value:
        began = time.perf_counter()
        try:
            value, source = await answer
        except FeatureStoreError as error:
            emit(ApiCall(method, time.perf_counter() - began, error=error.code))
            raise
        emit(ApiCall(method, time.perf_counter() - began, source))
        return value

    async def _frame(self, method: str, ask: Callable[[], Question], bars: Any = None) -> tuple[pd.DataFrame, str]:
        self._refuse_closed()
        question = ask()
        key = self._key(question)
        cached = self._cached(key)
        if isinstance(cached, Prepared):
            return cached.to_pandas("cache"), "cache"
        try:
            answer = await self._fetch(method, question, key)
            assert isinstance(answer, Prepared)
        except Outage as outage:
            return await self._fall_back(method, question, key, bars, outage.error)
        return answer.to_pandas(), answer.frame.provenance.source

    async def _fall_back(
        self, method: str, question: Question, key: str, bars: Any, error: FeatureStoreError
    ) -> tuple[pd.DataFrame, str]:
        held = self._stale(key)
        if isinstance(held, Prepared):
            frame, source = held.to_pandas(provenance=stale(held.frame, error)), "stale"
        else:
            answer = await calculated(self._direct, self.fallback, question.call, bars, error)
            frame, source = Prepared.of(answer).to_pandas(), answer.provenance.source
        emit(Fallback(method, source))
        return frame, source

    async def _document(self, method: str, ask: Callable[[], Question]) -> tuple[dict[str, Any], str]:
        self._refuse_closed()
        question = ask()
        key = self._key(question)
        cached = self._cached(key)
        if isinstance(cached, bytes):
            return _labelled(json_codec.loads(cached), "cache"), "cache"
        try:
            answer = await self._fetch(method, question, key)
            assert isinstance(answer, bytes)
        except Outage as outage:
            held = self._stale(key)
            if isinstance(held, bytes):
                document, source = json_codec.loads(held), "stale"
            elif self.fallback == "none":
                raise outage.error from outage
            else:
                document, source = local_document(question.call, outage.error), "direct"
            emit(Fallback(method, source))
            return _labelled(document, source, f"the service did not answer: {outage.error}"), source
        return _labelled(json_codec.loads(answer), "live"), "live"

    async def _register(self, ask: Callable[[], Question]) -> tuple[dict[str, Any], str]:
        self._refuse_closed()
        question = ask()
        work = partial(self._ask_to_register, question, Deadline(self.timeout, self._clock))
        try:
            answer = await self._flights.run(self._key(question), work)
        except FlightCancelledError:
            raise _closed() from None
        except Outage as outage:
            raise outage.error from outage
        assert isinstance(answer, bytes)
        return _labelled(json_codec.loads(answer), "live"), "live"

    async def _ask_to_register(self, question: Question, deadline: Deadline) -> bytes:
        answer = await self._guarded.send("register_indicator", question.call, deadline)
        if self.cache is not None:
            for about in ("catalog:", f"*{question.call.indicator}*"):
                self.cache.invalidate_pattern(f"{about}@{self._transport.identity}")
        return json_codec.dumps(answer)

    async def _fetch(self, method: str, question: Question, key: str) -> Prepared | bytes:
        work = partial(self._ask_service, method, question, key, Deadline(self.timeout, self._clock))
        try:
            return await self._flights.run(key, work)
        except FlightCancelledError:
            raise _closed() from None

    async def _ask_service(self, method: str, question: Question, key: str, deadline: Deadline) -> Prepared | bytes:
        """Return the service's answer ready to be kept; runs once for all who ask the same."""
        answer = await self._guarded.send(method, question.call, deadline)
        if isinstance(answer, Frame):
            self._direct.learn(question.call, answer)
        kept = Prepared.of(answer) if isinstance(answer, Frame) else json_codec.dumps(answer)
        if self.cache is not None:
            self.cache.set(key, kept, self.cache_ttl)
        return kept

    # ------------------------------------------------------------ the cache
    def _key(self, question: Question) -> str:
        return f"{question.key}@{self._transport.identity}"

    def _cached(self, key: str) -> Any:
        return None if self.cache is None else self.cache.get(key)

    def _stale(self, key: str) -> Any:
        if self.cache is None or self.fallback == "none" or not self._stale_for:
            return None
        return self.cache.get_stale(key, self._stale_for)

    def _refuse_closed(self) -> None:
        if self._closed:
            raise _closed()


def _closed() -> ClientClosedError:
    return ClientClosedError(
        "this client is closed; make a new one, or use `async with FeatureStoreClient() as client`"
    )


def _labelled(document: dict[str, Any], source: str, warning: str = "") -> dict[str, Any]:
    about = {"source": source, "degraded": bool(warning), "warnings": [warning] if warning else []}
    return {**document, "provenance": about}


def _check_numbers(cache_ttl: float, timeout: float, max_retries: int, stale_for: float) -> None:
    for name, value in (("cache_ttl", cache_ttl), ("timeout", timeout)):
        if not value > 0:
            raise InvalidRequestError(f"{name} must be a number of seconds above 0, was {value!r}", field=name)
    if isinstance(max_retries, bool) or not isinstance(max_retries, int) or not 0 <= max_retries <= _MAX_RETRIES:
        msg = f"max_retries must be a whole number from 0 to {_MAX_RETRIES}, was {max_retries!r}"
        raise InvalidRequestError(msg, field="max_retries")
    if not stale_for >= 0:
        raise InvalidRequestError(f"stale_for must be a number of seconds from 0, was {stale_for!r}", field="stale_for")
