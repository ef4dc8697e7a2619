"""Where a feature's values begin, and from where they can be trusted, in the words that people are shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feature_store.clock import CLOCK
from feature_store.indicators.warmup import NEVER, memory_of

if TYPE_CHECKING:
    from feature_store.indicators.feature import Feature


def beginnings(feature: Feature) -> list[tuple[str, str]]:
    """Return, for each column, the first row with a value and the first row that is settled.

    What is counted in days or sessions begins by the calendar, and is settled after so many bars at most.

    >>> from feature_store.indicators.catalog import parse
    >>> beginnings(parse("macd.line")), beginnings(parse("obv")), beginnings(parse("adr_2"))
    ([('25', '282')], [('0', 'never')], [('by the calendar', '5,760 at most')])
    """
    by_calendar = any(name in CLOCK for name in feature.definition.inputs) and memory_of(feature.series) != "pointwise"
    return [
        ("by the calendar", f"{settled:,} at most") if by_calendar else (f"{first:,}", _settled(settled))
        for first, settled in zip(feature.warmups, feature.settlings, strict=True)
    ]


def _settled(row: int) -> str:
    return f"{row:,}" if row < NEVER else "never"
