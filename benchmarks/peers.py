"""The peers: installed apart from the project, and called on the same bars.

TA-Lib comes with the development tools. The others are no dependencies of the project: the first run installs the versions
named here into a folder of the user's cache, without what they depend on, as that is here already. So all of them run in one
process with the same numpy, pandas and polars.
"""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from collections.abc import Callable
from dataclasses import astuple, is_dataclass
from enum import Enum
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import talib
from platformdirs import user_cache_path

from benchmarks.calls import Call, calls
from benchmarks.market import PRICES

VERSIONS = {"polars-talib": "0.2.1", "pandas-ta-classic": "0.8.32", "talipp": "2.7.0"}

Bars = dict[str, np.ndarray]
Work = Callable[[], Any]


def install() -> None:
    """Make the peers importable; takes seconds the first time, and then asks a package index."""
    wanted = [f"{name}=={version}" for name, version in VERSIONS.items()]
    folder = user_cache_path("forex-feature-store") / "peers" / "-".join((sys.implementation.cache_tag, *wanted))
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = Path(mkdtemp(dir=folder.parent))
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps")
        subprocess.run([*pip, "--target", str(fresh), *wanted], check=True)
        fresh.rename(folder)
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def talib_work(text: str, bars: Bars) -> Work:
    """Return TA-Lib's calls as one piece of work; its answer is a tuple of columns."""
    bound = [partial(getattr(talib, c.name), *_columns(c, bars), *c.parameters) for c in calls(text)]
    return partial(_flat, bound)


def polars_work(text: str, bars: Bars) -> Work:
    """Return the same calls by polars-talib, as expressions over a frame that is there."""
    import polars as pl
    import polars_talib  # noqa: F401  gives expressions their `ta`

    frame = pl.DataFrame({_peers_name(name): column for name, column in bars.items()})
    expressions = [_polars_expression(c).alias(str(place)) for place, c in enumerate(calls(text))]
    return partial(frame.select, expressions)


def pandas_ta_work(text: str, bars: Bars) -> Work:
    """Return the call by pandas-ta-classic, by its own arithmetic."""
    import pandas as pd

    (call,) = calls(text)
    columns = [pd.Series(column) for column in _columns(call, bars)]
    return partial(_pandas_ta_function(call.name), *columns, *call.parameters, **dict(call.named))


def talipp_work(text: str, bars: Bars) -> Work:
    """Return talipp's indicator made of all bars, one after another."""
    import talipp.indicators
    from talipp.ohlcv import OHLCV

    (call,) = calls(text)
    rows = [OHLCV(*row) for row in zip(*(bars[name].tolist() for name in PRICES), strict=True)]
    values = rows if call.columns == ("bars",) else bars[call.columns[0]].tolist()
    return partial(getattr(talipp.indicators, call.name), *call.parameters, input_values=values)


def columns_of(answer: Any) -> list[np.ndarray]:
    """Return a peer's answer, of whatever form, as columns of numbers; NaN where it has none."""
    if isinstance(answer, tuple):
        return [column for part in answer if part is not None for column in columns_of(part)]
    if hasattr(answer, "output_values"):  # talipp: one value or record a bar
        return _records(list(answer))
    if hasattr(answer, "unnest"):  # polars: several outputs are one column of structs
        structs = [name for name, kind in answer.schema.items() if kind.is_nested()]
        parts = [answer.select(name).unnest(name) for name in structs] + [answer.drop(structs)]
        return [part[name].to_numpy().astype(float) for part in parts for name in part.columns]
    values = np.asarray(answer, dtype=float)
    return [values] if values.ndim == 1 else list(values.T)


def _flat(bound: list[Work]) -> tuple[np.ndarray, ...]:
    answers = [each() for each in bound]
    return tuple(c for answer in answers for c in (answer if isinstance(answer, (tuple, list)) else (answer,)))


def _columns(call: Call, bars: Bars) -> list[np.ndarray]:
    return [bars["tick_volume" if name == "volume" else name] for name in call.columns]


def _peers_name(name: str) -> str:
    return "volume" if name == "tick_volume" else name


def _polars_expression(call: Call) -> Any:
    """Return TA-Lib's call as polars-talib takes it: the method of one column, of others as its signature names them."""
    import polars as pl
    from polars_talib import TAExpr

    named = [name for name in inspect.signature(getattr(TAExpr, call.name.lower())).parameters if name in call.columns]
    first = next(name for name in call.columns if name not in named)
    others = [name for name in call.columns if name != first]
    method = getattr(pl.col(first).ta, call.name.lower())
    return method(*map(pl.col, named or others), *call.parameters)


def _pandas_ta_function(name: str) -> Any:
    """Return a function; importing a module of a package may put the module where its function was."""
    import pandas_ta_classic

    found = getattr(pandas_ta_classic, name)
    if callable(found):
        return found
    return getattr(importlib.import_module(found.__name__), name)


def _records(values: list[Any]) -> list[np.ndarray]:
    first = next(value for value in values if value is not None)
    width = len(astuple(first)) if is_dataclass(first) else 1
    rows = [(None,) * width if v is None else astuple(v) if is_dataclass(v) else (v,) for v in values]
    return list(np.array([[v.value if isinstance(v, Enum) else v for v in row] for row in rows], dtype=float).T)
