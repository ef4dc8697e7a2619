"""The contract between the two houses: what is asked, what is answered, and both as JSON and as Arrow. Data only.

A `Frame` is an answer: times and columns of one series with the provenance of its values. JSON carries it by column with
times in epoch milliseconds and NaN as null; Arrow carries it as an IPC stream whose schema metadata holds the rest.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from feature_store import json_codec
from feature_store.bars import Symbol, Timeframe
from feature_store.errors import CorruptResponseError, InvalidRequestError
from feature_store.times import to_range

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from feature_store.bars import Floats, Integers

JSON = "application/json"
ARROW = "application/vnd.apache.arrow.stream"
PROBLEM = "application/problem+json"

Source = Literal["live", "cache", "stale", "direct", "synthetic"]

MAX_INDICATORS = 200
MAX_ID_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where an answer's values came from.

    Args:
        source: `live` from the service, `cache`, `stale` (cached and past its time), `direct` (computed by this process from
            bars it holds), `synthetic` (invented on request).
        as_of: ISO 8601 moment at which the values were true.
        degraded: whether the answer is less than what was asked for; `warnings` say in what.
        warnings: sentences for a person.
        versions: column's feature id -> version of its definition.
        anchor: epoch milliseconds of the series' first bar, from which recursive values run; None where nobody knows.
    """

    source: Source
    as_of: str
    degraded: bool = False
    warnings: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    anchor: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as it stands in JSON and in `frame.attrs["provenance"]`."""
        return {**asdict(self), "warnings": list(self.warnings)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Provenance:
        """Return the provenance of plain data; names of a newer version are left out."""
        known = {f.name: data[f.name] for f in fields(cls) if f.name in data}
        return cls(**{**known, "warnings": tuple(known.get("warnings", ()))})


@dataclass(frozen=True, eq=False, slots=True)
class Frame:
    """An answer: `time` is bar open in epoch milliseconds, strictly rising; each column is float64 of the same length."""

    symbol: str
    timeframe: str
    time: Integers
    columns: Mapping[str, Floats]
    provenance: Provenance

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        return f"<Frame {self.symbol} {self.timeframe} {len(self)} x {len(self.columns)} {self.provenance.source}>"

    @property
    def nbytes(self) -> int:
        """Bytes held by times and columns, for caches that are bounded by them."""
        return int(self.time.nbytes + sum(column.nbytes for column in self.columns.values()))


@dataclass(frozen=True, slots=True)
class FeatureRequest:
    """A question about one series, checked and in canonical form; times are UTC microseconds, None leaves a side open."""

    symbol: Symbol
    timeframe: Timeframe
    start: int | None
    end: int | None
    indicators: tuple[str, ...] = ()

    @classmethod
    def of(
        cls, symbol: Any, timeframe: Any, start: Any = None, end: Any = None, indicators: Iterable[str] | str = ()
    ) -> FeatureRequest:
        """Return the request for what a caller wrote, or raise InvalidRequestError; indicators keep their order, once each."""
        names = indicators.split(",") if isinstance(indicators, str) else list(indicators)
        if len(names) > MAX_INDICATORS:
            msg = f"a request names at most {MAX_INDICATORS} indicators, this one {len(names)}; split it"
            raise InvalidRequestError(msg, field="indicators")
        for name in names:
            if not isinstance(name, str) or not 0 < len(name.strip()) <= MAX_ID_LENGTH:
                msg = f"an indicator is a name such as sma_50 of at most {MAX_ID_LENGTH} characters, was {name!r:.60}"
                raise InvalidRequestError(msg, field="indicators")
        first, last = to_range(start, end)
        return cls(
            Symbol.parse(symbol),
            Timeframe.parse(timeframe),
            first,
            last,
            tuple(dict.fromkeys(n.strip() for n in names)),
        )


# ---------------------------------------------------------------- JSON
def frame_to_json(frame: Frame) -> bytes:
    """Return the frame by column, times in epoch milliseconds, NaN and infinities as null."""
    return json_codec.dumps(
        {
            "symbol": frame.symbol,
            "timeframe": frame.timeframe,
            "time": frame.time,
            "columns": dict(frame.columns),
            "provenance": frame.provenance.to_dict(),
        }
    )


def frame_from_json(body: bytes) -> Frame:
    """Return the frame of `body`; raises CorruptResponseError where its shape is not a frame's."""
    try:
        data = json_codec.loads(body)
        time = np.asarray(data["time"], dtype=np.int64)
        columns = {str(name): np.asarray(values, dtype=np.float64) for name, values in data["columns"].items()}
        frame = Frame(data["symbol"], data["timeframe"], time, columns, Provenance.from_dict(data["provenance"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as problem:
        msg = f"the answer is not a frame in JSON ({type(problem).__name__}); is the address a feature store's?"
        raise CorruptResponseError(msg) from problem
    return _checked(frame)


# ---------------------------------------------------------------- Arrow
def frame_to_arrow(frame: Frame) -> bytes:
    """Return the frame as an Arrow IPC stream, zstd in its buffers, `symbol`, `timeframe`, `provenance` in the metadata."""
    import pyarrow as pa  # noqa: PLC0415  only those who ask for Arrow need it

    about = {
        "symbol": frame.symbol,
        "timeframe": frame.timeframe,
        "provenance": json_codec.dumps(frame.provenance.to_dict()),
    }
    arrays = [pa.array(frame.time, pa.timestamp("ms", "UTC")), *(pa.array(c) for c in frame.columns.values())]
    table = pa.table(arrays, names=["time", *frame.columns]).replace_schema_metadata(about)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


def frame_from_arrow(body: bytes) -> Frame:
    """Return the frame of an Arrow IPC stream; raises CorruptResponseError where it is not one."""
    import pyarrow as pa  # noqa: PLC0415

    try:
        with pa.ipc.open_stream(body) as reader:
            table = reader.read_all()
        table.validate(full=True)
        about = {key.decode(): value for key, value in (table.schema.metadata or {}).items()}
        columns = {n: table[n].to_numpy() for n in table.column_names if n != "time"}
        time = table["time"].cast(pa.int64()).to_numpy()
        provenance = Provenance.from_dict(json_codec.loads(about["provenance"]))
        frame = Frame(about["symbol"].decode(), about["timeframe"].decode(), time, columns, provenance)
    except (pa.ArrowException, KeyError, TypeError, ValueError, OSError) as problem:
        msg = f"the answer is not a frame in Arrow ({type(problem).__name__}); ask for JSON, or again"
        raise CorruptResponseError(msg) from problem
    return _checked(frame)


def _checked(frame: Frame) -> Frame:
    lengths = {name: column.shape for name, column in frame.columns.items() if column.shape != frame.time.shape}
    if lengths or frame.time.ndim != 1 or bool((np.diff(frame.time) <= 0).any()):
        msg = f"the answer's columns do not fit its {frame.time.shape} times: {lengths or 'times do not rise'}"
        raise CorruptResponseError(msg)
    return frame
