"""From what a caller writes to a checked call and the key under which its answer is cached.

Asking the same question again and again is what strategies do, so the last thousand questions are remembered in the
words they were asked in; those with words that cannot be keys of a dict are checked anew.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from feature_store import json_codec
from feature_store.errors import InvalidRequestError
from feature_store.wire import FeatureRequest
from strategy_execution_engine.clients.transport import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

DEFAULT_INDICATORS = ("sma_20", "sma_50", "ema_20", "rsi_14", "atr_14", "macd_12_26_9", "bbands_20_2")


class Question(NamedTuple):
    """A checked call and its cache key."""

    call: Call
    key: str


def bars_question(symbol: Any, timeframe: Any, start: Any, end: Any) -> Question:
    """Return the question for bars; raises InvalidRequestError."""
    return _remembered(_bars_question, symbol, timeframe, start, end)


def features_question(
    symbol: Any, timeframe: Any, start: Any, end: Any, indicators: Iterable[str] | str | None
) -> Question:
    """Return the question for features, `DEFAULT_INDICATORS` where it names none; raises InvalidRequestError."""
    names = DEFAULT_INDICATORS if indicators is None else indicators
    return _remembered(
        _features_question, symbol, timeframe, start, end, names if isinstance(names, str) else tuple(names)
    )


def compute_question(
    symbol: Any, timeframe: Any, start: Any, end: Any, feature_name: str, parameters: Mapping[str, float | str] | None
) -> Question:
    """Return the question for one feature with parameters by name; raises InvalidRequestError."""
    asked = FeatureRequest.of(symbol, timeframe, start, end, [feature_name])
    for name, value in (parameters or {}).items():
        if not isinstance(name, str) or isinstance(value, bool) or not isinstance(value, (int, float, str)):
            msg = (
                f"a parameter is a name and a number or a word, as in {{'period': 14}}, was {name!r:.40}: {value!r:.40}"
            )
            raise InvalidRequestError(msg, field="parameters")
    return _question(Call("compute", asked, parameters=tuple(sorted((parameters or {}).items()))))


def catalog_question() -> Question:
    """Return the question for everything that can be asked for."""
    return _question(Call("catalog"))


def indicator_question(indicator: str) -> Question:
    """Return the question for what one indicator is; raises InvalidRequestError."""
    (name,) = FeatureRequest.of("EUR/USD", "1h", indicators=[indicator]).indicators
    return _question(Call("indicator", indicator=name))


def register_question(
    name: Any, expression: Any, parameters: Mapping[str, Any] | None, words: Mapping[str, Any]
) -> Question:
    """Return the question that registers a definition; raises InvalidRequestError for what cannot be sent as JSON."""
    try:
        plain = {each: _plain(parameter) for each, parameter in dict(parameters or {}).items()}
        body = json_codec.dumps({"name": name, "expression": expression, "parameters": plain, **words})
    except (TypeError, ValueError) as problem:
        msg = f"a definition is made of texts, and its parameters of texts and numbers by name: {problem}"
        raise InvalidRequestError(msg, field="definition") from None
    return _question(Call("register", indicator=str(name), body=body))


def _plain(parameter: Any) -> Any:
    """Return a parameter as plain data: an `Int` of the feature store describes itself."""
    return parameter.describe() if hasattr(parameter, "describe") else parameter


def _remembered(make: Callable[..., Question], *words: Any) -> Question:
    try:
        return _cached(make, *words)
    except TypeError:  # not hashable
        return make(*words)


@lru_cache(maxsize=1024, typed=True)
def _cached(make: Callable[..., Question], *words: Any) -> Question:
    return make(*words)


def _bars_question(symbol: Any, timeframe: Any, start: Any, end: Any) -> Question:
    return _question(Call("ohlcv", FeatureRequest.of(symbol, timeframe, start, end)))


def _features_question(symbol: Any, timeframe: Any, start: Any, end: Any, names: Any) -> Question:
    asked = FeatureRequest.of(symbol, timeframe, start, end, names)
    if not asked.indicators:
        raise InvalidRequestError("indicators must name at least one, such as sma_50", field="indicators")
    return _question(Call("indicators", asked))


def _question(call: Call) -> Question:
    return Question(call, call.key)
