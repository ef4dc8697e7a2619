"""JSON bodies as their source answered them: the keys that tell formats apart, and rows with the source's own names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import polars as pl

from feature_store.ingest.frames import Table
from feature_store.ingest.report import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from feature_store.ingest.readers.member import Member

_KEY = re.compile(r'"([^"\\]{1,64})"\s*:')


def json_keys(member: Member) -> frozenset[str]:
    """Return the names that stand before a colon in the first 64 KiB, if they begin a JSON object."""
    text = member.head.decode("utf-8-sig", errors="replace").lstrip()
    return frozenset(_KEY.findall(text)) if text.startswith("{") else frozenset()


def json_object(member: Member) -> dict[str, Any]:
    """Return the whole body; raises UnsupportedFileError where it is no JSON object."""
    content = member.content().removeprefix(b"\xef\xbb\xbf")
    try:
        body = orjson.loads(content)
    except orjson.JSONDecodeError as problem:
        member.refuse(problem.lineno, f"expected whole JSON ({problem.msg})")
    if not isinstance(body, dict):
        member.refuse(1, f"expected a JSON object, found {type(body).__name__}")
    return body


def rows_of(items: Iterable[Any], names: Mapping[str, str]) -> Table:
    """Return a table of JSON objects, whose place counts from 1; an item that is no object is broken.

    Objects within are spread out: `{"mid": {"o": 1}}` becomes a column `mid.o`. `names` says which columns mean what.
    """
    rows, numbers, broken = [], [], []
    for number, item in enumerate(items, 1):
        if isinstance(item, dict):
            rows.append(_spread_out(item))
            numbers.append(number)
        else:
            broken.append(
                Rejected(number, f"expected an object, found {type(item).__name__}", {"item": f"{item!r:.200}"})
            )
    columns = dict.fromkeys((*names.values(), *(name for row in rows for name in row)))
    frame = pl.DataFrame([_column(name, [row.get(name) for row in rows]) for name in columns])
    return Table(frame, np.array(numbers, dtype=np.int64), names, broken=tuple(broken))


def _spread_out(item: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in item.items():
        flat |= {f"{key}.{inner}": each for inner, each in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _column(name: str, values: Sequence[Any]) -> pl.Series:
    kinds = {type(value) for value in values} - {type(None)}
    if kinds <= {int}:
        return pl.Series(name, values, dtype=pl.Int64, strict=False)
    if kinds <= {int, float}:
        return pl.Series(name, values, dtype=pl.Float64, strict=False)
    return pl.Series(name, [None if value is None else str(value) for value in values], dtype=pl.String)
