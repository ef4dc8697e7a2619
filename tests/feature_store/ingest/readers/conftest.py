"""Files in a folder of the test's own, and all that a source hands over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from feature_store.ingest.moments import moments

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from feature_store.ingest.report import Rejected
    from feature_store.ingest.source import Source


class Read:
    """All that a source hands over, put together."""

    def __init__(self, source: Source, batch: int = 500_000) -> None:
        tables = list(source.tables(batch))
        columns = [table.quotes() if source.kind == "ticks" else table.values() for table in tables]
        times = [moments(table.time(), table.timezone) for table in tables]
        self.numbers: list[int] = [int(number) for table in tables for number in table.numbers]
        self.time: list[str] = [
            str(np.datetime64(int(time), "us")) if readable else "?"
            for moment in times
            for time, readable in zip(moment.time, moment.readable, strict=True)
        ]
        self.values: dict[str, list[float]] = {
            name: [float(value) for each in columns for value in each[name]] for name in columns[0]
        }
        self.broken: list[Rejected] = [each for table in tables for each in table.broken]
        self.sizes = [len(table) for table in tables]


@pytest.fixture
def read() -> type[Read]:
    return Read


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
