"""What a docstring says to somebody who looks an indicator up, apart from the examples, which are for readers of the source.

    The fast EMA less the slow one.                  the summary: what stands before the first empty line

        ema(close, fast) - ema(close, slow)          formulas: what is indented, a line for each output

    TA-Lib seeds its fast EMA later ...              notes: everything else

A formula is written in the language of expressions (`expression.py`), for which a test computes it. Where that has no word for
what is meant, as in a recursion, `before(value)` is the value of the bar before.
"""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from feature_store.indicators.definition import Definition


class Prose(NamedTuple):
    """A docstring in parts: each paragraph of the summary and the notes on one line, the formulas as they stand."""

    summary: str
    formulas: tuple[str, ...]
    notes: tuple[str, ...]


def prose(doc: str) -> Prose:
    r"""Return the parts of a docstring without indentation.

    >>> prose("The mean of\nboth.\n\n    (high + low) / 2\n\nNever NaN.\n\n>>> 1 + 1\n2")
    Prose(summary='The mean of both.', formulas=('(high + low) / 2',), notes=('Never NaN.',))
    """
    blocks = [block for block in doc.split("\n\n") if block.strip() and not block.lstrip().startswith(">>>")]
    formulas = [block for block in blocks if block.startswith("    ")]
    summary, *notes = [" ".join(block.split()) for block in blocks if block not in formulas] or [""]
    return Prose(summary, tuple(line for block in formulas for line in dedent(block).splitlines()), tuple(notes))


def prose_of(definition: Definition) -> Prose:
    """Return what is said of an indicator; a custom one's text ends with its expressions, a line for each output."""
    if definition.formula is None:
        return prose(definition.doc)
    said = definition.doc.splitlines()
    count = len(definition.outputs)
    return Prose(" ".join(said[:-count]), tuple(said[-count:]), ())
