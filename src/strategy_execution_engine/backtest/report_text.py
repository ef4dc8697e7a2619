"""Numbers and words as the report writes them. What returns HTML says so; everything else is plain text."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"


def safe(text: Any) -> str:
    """Return text as HTML that shows it, in an element or in a quoted attribute.

    >>> safe('<b onclick="x">')
    '&lt;b onclick=&quot;x&quot;&gt;'
    """
    return html.escape(str(text), quote=True)


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with thousands apart, a dash for none, and never a negative zero.

    >>> number(1234.5), number(-0.001), number(2.4, 0)
    ('1,234.50', '0.00', '2')
    """
    if value is None or math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "\N{INFINITY}" if value > 0 else f"{MINUS}\N{INFINITY}"
    written = f"{abs(value):,.{digits}f}"
    return f"{MINUS}{written}" if value < 0 and float(written.replace(",", "")) else written


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign, also where it is a plus.

    >>> signed(3.0)
    '+3.00'
    """
    written = number(value, digits)
    return f"+{written}" if value > 0 and float(f"{value:.{digits}f}") else written


def percent(share: float, digits: int = 1) -> str:
    """Return a fraction as a percentage.

    >>> percent(0.125)
    '12.5 %'
    """
    written = number(share * 100, digits)
    return written if written == NOTHING else f"{written} %"


def day(moment: datetime) -> str:
    """Return a date as people write it.

    >>> from datetime import datetime
    >>> day(datetime(2018, 2, 7))
    '7 Feb 2018'
    """
    return f"{moment.day} {moment:%b %Y}"


def minute(moment: datetime) -> str:
    """Return a date and time that sort as text.

    >>> from datetime import datetime
    >>> minute(datetime(2018, 2, 7, 9))
    '2018-02-07 09:00'
    """
    return f"{moment:%Y-%m-%d %H:%M}"


def plain(value: Any) -> str:
    """Return a parameter's value without a needless fraction.

    >>> plain(25.0), plain("sma"), plain(0.1)
    ('25', 'sma', '0.1')
    """
    return f"{value:g}" if isinstance(value, float) else str(value)


def tone(value: float) -> str:
    """Return the class that colours a result: `win`, `loss`, or none for zero and the undefined."""
    return "win" if value > 0 else "loss" if value < 0 else ""
