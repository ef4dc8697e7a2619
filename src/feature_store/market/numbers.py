"""A bar's numbers as a caller gives them, held to the rules that a store holds its bars to."""

from __future__ import annotations

from math import inf, isnan
from typing import TYPE_CHECKING, Any

from feature_store.bars import COLUMNS, PRICES
from feature_store.errors import InvalidRequestError

if TYPE_CHECKING:
    from feature_store.engine.rollback import Numbers

MOST_VOLUME = 1e300
"""So that a week of such bars adds up to a number."""


def checked(bar: tuple[Any, ...]) -> Numbers:
    """Return open, high, low, close and tick volume as floats; raises InvalidRequestError where they break a rule.

    Either all four prices are known or none is: a gap.

    >>> checked((1, 2, 1, 2, 7))
    (1.0, 2.0, 1.0, 2.0, 7.0)
    """
    numbers = open_, high, low, close, volume = tuple(map(_number, COLUMNS, bar))
    gaps = isnan(open_) + isnan(high) + isnan(low) + isnan(close)
    if gaps not in {0, len(PRICES)}:
        why = "a bar has all four prices, or NaN in all four for a gap"
    elif not gaps and not 0.0 < low <= min(open_, close) <= max(open_, close) <= high < inf:
        why = "a bar's prices are positive and finite, its high the highest and its low the lowest"
    elif not (isnan(volume) or 0.0 <= volume <= MOST_VOLUME):
        why = f"a bar's tick_volume is from 0 to {MOST_VOLUME:g}, or NaN where it is not known"
    else:
        return numbers
    told = ", ".join(f"{name}={value!r}" for name, value in zip(COLUMNS, numbers, strict=True))
    raise InvalidRequestError(f"{why}; this one has {told}", field="bar")


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        msg = f"{name} must be a number, was {value!r:.40}"
        raise InvalidRequestError(msg, field=name) from None
