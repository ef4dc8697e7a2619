"""A call of a peer written as text, `ATR(high, low, close, 14)`: columns of bars first, then parameters, some by name."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from typing import Any


@dataclass(frozen=True)
class Call:
    """What to call, of which columns, with which parameters; `bars` among the columns is whole bars."""

    name: str
    columns: tuple[str, ...]
    parameters: tuple[Any, ...]
    named: tuple[tuple[str, Any], ...]


@lru_cache
def calls(text: str) -> tuple[Call, ...]:
    """Return the calls in a text, apart by semicolons; none in an empty one.

    >>> calls("MAX(high, 22); ema(close, length=20)")[1]
    Call(name='ema', columns=('close',), parameters=(), named=(('length', 20),))
    """
    return tuple(_call(each.strip()) for each in text.split(";") if each.strip())


def _call(text: str) -> Call:
    call = ast.parse(text, mode="eval").body
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name)):
        msg = f"a peer's call is written NAME(column, ..., parameter, ...), was {text!r}"
        raise TypeError(msg)
    columns = tuple(each.id for each in call.args if isinstance(each, ast.Name))
    parameters = tuple(ast.literal_eval(each) for each in call.args[len(columns) :])
    named = tuple((str(each.arg), ast.literal_eval(each.value)) for each in call.keywords)
    return Call(call.func.id, columns, parameters, named)
