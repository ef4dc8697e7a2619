"""Open a file of bars or ticks in any of the formats that anyone reads here; `READERS` is the list of them.

A file is asked for what it is by its name and first bytes. The readers of one source's own format are asked first, and at most
one of them knows a file; then those of any columns with names. To add a format, write a reader in `readers` and list it here.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from feature_store.errors import InvalidRequestError
from feature_store.ingest.readers.dukascopy import DukascopyCandlesReader, DukascopyCsvReader, DukascopyTicksReader
from feature_store.ingest.readers.dukascopy_json import DukascopyJsonReader
from feature_store.ingest.readers.histdata import HistDataBarsReader, HistDataTicksReader
from feature_store.ingest.readers.lean import LeanReader
from feature_store.ingest.readers.member import Member, members
from feature_store.ingest.readers.metatrader import MetaTrader4Reader, MetaTrader5BarsReader, MetaTrader5TicksReader
from feature_store.ingest.readers.named import CsvReader, ParquetReader
from feature_store.ingest.readers.oanda import OandaReader
from feature_store.ingest.readers.reader import Reader, Source
from feature_store.ingest.readers.truefx import TrueFxReader
from feature_store.ingest.readers.web_api import AlphaVantageReader, PolygonReader, TwelveDataReader

if TYPE_CHECKING:
    from feature_store.bars import Symbol

__all__ = ["FORMATS", "READERS", "Source", "open_source", "open_sources"]

_OWN_FORMATS: tuple[Reader, ...] = (
    HistDataBarsReader(),
    HistDataTicksReader(),
    MetaTrader4Reader(),
    MetaTrader5BarsReader(),
    MetaTrader5TicksReader(),
    DukascopyTicksReader(),
    DukascopyCandlesReader(),
    DukascopyCsvReader(),
    DukascopyJsonReader(),
    OandaReader(),
    TrueFxReader(),
    LeanReader(),
    AlphaVantageReader(),
    TwelveDataReader(),
    PolygonReader(),
)
_NAMED_COLUMNS: tuple[Reader, ...] = (ParquetReader(), CsvReader())
READERS: dict[str, Reader] = {reader.format: reader for reader in (*_OWN_FORMATS, *_NAMED_COLUMNS)}
FORMATS = tuple(READERS)


def open_source(path: str | Path, *, format: str | None = None, symbol: Symbol | None = None) -> Source:  # noqa: A002  the field's word
    """Return the one source in a file, plain, `.gz`, `.zip` or `.bi5`.

    Args:
        path: the file.
        format: one of `FORMATS`; None asks the file.
        symbol: whose prices they are, if known: what tells prices in points from others where the name does not.

    Raises UnsupportedFileError when the file is absent, cannot be read, or is a zip of several (see `open_sources`), and
    InvalidRequestError for a format that nobody reads.
    """
    found = open_sources(path, format=format, symbol=symbol)
    if len(found) > 1:
        Member(Path(path)).refuse(
            None, f"expected one data file in the zip, found {len(found)}; unpack it and choose one"
        )
    return found[0]


def open_sources(path: str | Path, *, format: str | None = None, symbol: Symbol | None = None) -> tuple[Source, ...]:  # noqa: A002
    """Return every source in a file, in the order of their names; see `open_source`. Only a zip holds more than one."""
    if format is not None and format not in READERS:
        msg = f"format must be one of {', '.join(FORMATS)}, was {format!r}"
        raise InvalidRequestError(msg, field="format")
    return tuple(
        (READERS[format] if format is not None else _reader_of(member)).open(member, symbol)
        for member in members(Path(path))
    )


def _reader_of(member: Member) -> Reader:
    found = next((reader for reader in READERS.values() if reader.knows(member)), None)
    if found is None:
        listed = ", ".join(FORMATS)
        member.refuse(
            None, f"neither its name nor its first bytes tell what it is; expected one of {listed}; or name the format"
        )
    return found
