"""What became of the rows of an import: every one is stored, a duplicate, or quarantined with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not stored.

    Args:
        row: its line in the file, counting from 1, or its position in the frame, counting from 0.
        reason: the rule it breaks.
        values: the row as the source spelt it, by the source's column names.
    """

    row: int
    reason: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return f"row {self.row}: {self.reason} ({', '.join(f'{name}={value}' for name, value in self.values.items())})"


@dataclass(frozen=True, slots=True)
class IngestReport:
    """The outcome of an import; `read == stored + duplicates + len(quarantined)`.

    Args:
        read: rows found in the source.
        stored: rows that are on the disk now and were not before.
        duplicates: rows that were known already, or stood in the source twice with equal values.
        quarantined: rows that break a rule.
        timezone: the zone in which the source's times were read.
    """

    read: int
    stored: int
    duplicates: int
    quarantined: tuple[Rejected, ...] = field(repr=False)
    timezone: str = "UTC"

    def __str__(self) -> str:
        return (
            f"{self.read} rows read, {self.stored} stored, {self.duplicates} known already, "
            f"{len(self.quarantined)} quarantined, times in {self.timezone}"
        )
