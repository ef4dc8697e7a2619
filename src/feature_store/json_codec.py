"""One strict JSON contract over whichever codec is installed: orjson, else ujson, else the standard library's json.

The three differ where it hurts: NaN is written as `NaN` or null, `1e400` is read as infinity or refused, long integers
lose digits, numpy's "not a time" becomes a date in 1677. Here all three keep the same rules and pass the same tests:

- Written: NaN, infinities and "not a time" as null; numpy scalars and arrays of any layout and pandas values by what
  they hold; moments in ISO 8601, UTC (naive ones are UTC); whole numbers of any length; float64 so that reading gives
  the same bits. Keys are text. What has no agreed form (bytes, sets, durations, complex numbers) is a TypeError.
- Read: UTF-8 text of RFC 8259 and nothing looser; NaN, Infinity, numbers beyond float64, half surrogate pairs refused.
- Nesting is at most `MAX_DEPTH` deep both ways.

How: orjson writes first and asks `_simpler` about what it does not know; what it cannot write at all goes through
`_plain`, which makes plain data for the other codecs. Reading checks depth on the brackets before any parser recurses.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DEPTH = 256
PREFERENCE = ("orjson", "ujson", "json")

_STRING = re.compile(rb'"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+("?)', re.DOTALL)
_LOOSE = re.compile(rb"[NI]|-(?!\d)|(?<![\d.eE+-])-?0\d|\.(?!\d)")  # what ujson reads although RFC 8259 forbids it
_NOT_BRACKETS = bytes(sorted(set(range(256)) - set(b"[]{}")))
# An integer beyond 64 bits would be rounded to a float by orjson. One pass through this table shows whether there may be
# one: what can stand before a number becomes a comma, a digit 0, all else a dot. Only then is it worth looking closely.
_SHAPES = bytes(48 if chr(c) in "0123456789" else 44 if chr(c) in "[,:- \n\r\t" else 46 for c in range(256))
_MAYBE_LONG = b"," + b"0" * 19
_LONG = re.compile(rb"(?<![\d.eE+-])(?:-\d{19}|\d{20})")


@dataclass(frozen=True, slots=True)
class Codec:
    """One library kept to the contract of this module."""

    name: str
    dumps: Callable[[Any], bytes]
    loads: Callable[[bytes | str], Any]


def codec(name: str) -> Codec:
    """Return the codec on the library `name`, one of `PREFERENCE`; raises ImportError where it is not installed."""
    return _CODECS[name]()


def dumps(obj: Any) -> bytes:
    """Return `obj` as UTF-8 JSON; raises TypeError, naming the value, where it has no agreed form.

    >>> dumps({"close": np.array([1.5, np.nan])})
    b'{"close":[1.5,null]}'
    """
    return _chosen.dumps(obj)


def loads(text: bytes | str) -> Any:
    """Return what the JSON `text` says; raises InvalidRequestError where it is not JSON, too deep or beyond float64.

    >>> loads("[1.5, null]")
    [1.5, None]
    """
    return _chosen.loads(text)


# ---------------------------------------------------------------- the three codecs
def _orjson() -> Codec:
    import orjson  # noqa: PLC0415  any of the three may be absent

    options = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS

    def simpler(value: Any) -> Any:
        plain = _simpler(value)
        if isinstance(plain, np.ndarray):  # written by orjson itself, at full speed, into the place where it belongs
            return orjson.Fragment(orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY))
        return plain

    def write(obj: Any) -> bytes:
        try:
            return orjson.dumps(obj, simpler, options)
        except TypeError:  # integers beyond 64 bits, keys of a subclass of str, or what has no form at all
            return _write_with_json(obj)

    def read(text: bytes | str) -> Any:
        body = _checked_bytes(text)
        if _MAYBE_LONG in b"," + body.translate(_SHAPES) and _LONG.search(body):
            return _read_with_json(body)
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError as problem:
            raise _not_json(problem) from None

    return Codec("orjson", write, read)


def _ujson() -> Codec:
    ujson = import_module("ujson")

    def write(obj: Any) -> bytes:
        return _utf8(ujson.dumps(_plain(obj), ensure_ascii=False, escape_forward_slashes=False, allow_nan=False))

    def read(text: bytes | str) -> Any:
        body = _checked_bytes(text)
        if b"" in _STRING.findall(body) or _LOOSE.search(_STRING.sub(b"", body)):
            return _read_with_json(body)  # refuses it with a position, or knows better
        try:
            return _strict(ujson.loads(body.decode()))
        except (ValueError, RecursionError) as problem:
            raise _not_json(problem) from None

    return Codec("ujson", write, read)


def _json() -> Codec:
    return Codec("json", _write_with_json, lambda text: _read_with_json(_checked_bytes(text)))


def _write_with_json(obj: Any) -> bytes:
    return _utf8(json.dumps(_plain(obj), ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def _read_with_json(body: bytes) -> Any:
    try:
        return _strict(json.loads(body.decode()))
    except (ValueError, RecursionError) as problem:
        raise _not_json(problem) from None


# ---------------------------------------------------------------- writing: from any value to plain data
def _plain(value: Any, depth: int = 0) -> Any:
    """Return `value` as None, bool, int, finite float, str, list and dict with text keys, all the way down."""
    if value is None or type(value) in (str, int, bool):
        return value
    if type(value) is float:
        return value if math.isfinite(value) else None
    if depth >= MAX_DEPTH and isinstance(value, (dict, list, tuple)):
        msg = f"JSON nests at most {MAX_DEPTH} levels; this value is deeper, or holds itself"
        raise TypeError(msg)
    if type(value) is dict:
        return {_key(key): _plain(item, depth + 1) for key, item in value.items()}
    if type(value) in (list, tuple):
        return [_plain(item, depth + 1) for item in value]
    simpler = _simpler(value)
    if isinstance(simpler, np.ndarray):
        return _plain_array(simpler)
    return _plain(simpler, depth)


def _key(key: Any) -> str:
    if isinstance(key, str) and not isinstance(key, Enum):
        return str(key)
    msg = f"a JSON object's keys are text, not {type(key).__name__} {key!r:.40}"
    raise TypeError(msg)


def _plain_array(values: Any) -> Any:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        values = np.where(np.isfinite(values), values.astype(object), None)
    return values.tolist()


def _simpler(value: Any) -> Any:
    """Return `value` one step closer to plain data: a container, a scalar, or a numeric C-contiguous native array."""
    for kind, simpler in _SIMPLER:
        if isinstance(value, kind):
            return simpler(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if type(value).__module__.partition(".")[0] == "pandas":
        return _from_pandas(value)
    raise _no_form(value)


def _simpler_array(values: Any) -> Any:
    kind = values.dtype.kind
    if kind == "M":
        return _moments(values)
    if kind in "OU":
        return values.tolist()
    if kind not in "fiub":
        raise _no_form(values)
    if values.ndim == 0:
        return float(values) if kind == "f" else values.item()
    with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite, and so null
        return np.ascontiguousarray(values, dtype=np.float64 if kind == "f" else values.dtype.newbyteorder("="))


def _moments(values: Any) -> Any:
    """Return numpy moments as ISO 8601 text, "not a time" as None."""
    if np.datetime_data(values.dtype)[0] in {"Y", "M", "W", "D", "h", "m", "generic"}:
        values = values.astype("datetime64[s]")
    return _as_utc(np.datetime_as_string(values).tolist())


def _as_utc(texts: Any) -> Any:
    if isinstance(texts, list):
        return [_as_utc(text) for text in texts]
    if texts == "NaT":
        return None
    return (texts.rstrip("0").rstrip(".") if "." in texts else texts) + "Z"


def _iso(moment: datetime) -> str | None:
    if moment != moment:  # noqa: PLR0124  only "not a time" differs from itself
        return None
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return aware.isoformat().replace("+00:00", "Z")


def _from_pandas(value: Any) -> Any:
    """Return what a Series, an Index or an extension array holds; pandas' NA is None."""
    if type(value).__name__ == "NAType":
        return None
    if not hasattr(value, "to_numpy") or getattr(value, "ndim", 0) != 1:
        raise _no_form(value)
    dtype = value.dtype
    if getattr(dtype, "tz", None) is not None:
        return _simpler_array(value.to_numpy(dtype="datetime64[ns]"))
    if not isinstance(dtype, np.dtype) and dtype.kind in "iub":  # a NA among them would turn them into floats
        return value.to_numpy(dtype=object).tolist()
    return _simpler_array(value.to_numpy())


def _no_form(value: Any) -> TypeError:
    what = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else f"{type(value).__name__} {value!r:.60}"
    return TypeError(f"{what} has no form in JSON here; use numbers, text, moments, lists, dicts or arrays of them")


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        msg = "the text holds half a surrogate pair, which no JSON document may"
        raise TypeError(msg) from None


# ---------------------------------------------------------------- reading: what no parser may be asked
def _checked_bytes(text: bytes | str) -> bytes:
    """Return the document's bytes once its brackets are known to nest at most `MAX_DEPTH` deep."""
    try:
        body = text.encode() if isinstance(text, str) else bytes(text)
    except UnicodeEncodeError as problem:
        raise _not_json(problem) from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(body) > MAX_DEPTH:
        msg = f"JSON may nest at most {MAX_DEPTH} levels, this document nests deeper"
        raise InvalidRequestError(msg, field="body")
    return body


def _depth(body: bytes) -> int:
    brackets = np.frombuffer(_STRING.sub(b"", body).translate(None, _NOT_BRACKETS), dtype=np.uint8)
    opens = (brackets == ord("[")) | (brackets == ord("{"))
    return int(np.cumsum(np.where(opens, 1, -1)).max(initial=0))


def _strict(value: Any) -> Any:
    """Return `value` unless it holds what RFC 8259 cannot say: a number that is not finite, half a surrogate pair."""
    if type(value) is float:
        if not math.isfinite(value):
            msg = "NaN, Infinity and numbers beyond float64 are not allowed"
            raise ValueError(msg)
    elif type(value) is str:
        if not value.isascii():
            value.encode()
    elif type(value) is list:
        for item in value:
            _strict(item)
    elif type(value) is dict:
        for key, item in value.items():
            _strict(key)
            _strict(item)
    return value


def _not_json(problem: Exception) -> InvalidRequestError:
    return InvalidRequestError(f"the text is not JSON: {problem}", field="body")


_SIMPLER: tuple[tuple[Any, Callable[[Any], Any]], ...] = (  # the first that fits
    ((np.ndarray, np.generic), lambda value: _simpler_array(np.asarray(value))),
    (datetime, _iso),  # pandas' Timestamp is one, and so is its NaT
    (date, date.isoformat),
    (Enum, lambda value: value.value),
    (UUID, str),
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (Mapping, dict),
    ((list, tuple), list),
)
_CODECS: dict[str, Callable[[], Codec]] = {"orjson": _orjson, "ujson": _ujson, "json": _json}


def _first_installed() -> Codec:
    for name in PREFERENCE[:-1]:
        with suppress(ImportError):
            return codec(name)
    return _json()


_chosen = _first_installed()
backend = _chosen.name
