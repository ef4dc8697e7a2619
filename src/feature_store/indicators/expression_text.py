"""The text of an expression: bounded, parsed by `ast`, which runs nothing, and able to point at any part of itself."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property

from feature_store.errors import InvalidRequestError

MAX_CHARACTERS = 2_000
MAX_PARTS = 256
MAX_DEPTH = 32
FIELD = "expression"
"""The part of a definition that refusals name; `expression.upper` where it is one of several outputs."""

_SHOWN = 72
_WORD = re.compile(r"[A-Za-z_]\w*|\.?\d[\d_.]*(?:[eE][+-]?\d+)?(?P<name>[A-Za-z_])?")
_FORBIDDEN = re.compile(r"[^ -~]|['\"`#\\;$?]")
_UNPRINTABLE = re.compile(r"[^ -~]")


class ExpressionError(InvalidRequestError):
    """A part of an expression is refused.

    Args:
        message: the rule, the line about that part, and carets below it.
        field: `expression`, or `expression.upper` for one of several outputs.
        position: where the part begins and where it has ended, in characters of the text as it was given.
    """

    def __init__(self, message: str, field: str = FIELD, position: tuple[int, int] = (0, 0)) -> None:
        super().__init__(message, field=field)
        self.position = position


@dataclass(frozen=True)
class Line:
    """The text of an expression on one line.

    Args:
        label: whose it is, as messages name it: `mine`, or `mine.upper` for one of several outputs.
        text: without spaces around it.
        shift: how many characters were left out before it.
    """

    label: str
    text: str
    shift: int = 0

    @classmethod
    def of(cls, label: str, text: object) -> Line:
        """Return the line of a text; raises InvalidRequestError for what is none, or too long."""
        if not isinstance(text, str) or not text.strip():
            msg = f"{label}: an expression is a text such as close - sma(close, 20), was {text!r:.40}"
            raise InvalidRequestError(msg, field=_field(label))
        spaced = re.sub(r"\s", " ", text[: MAX_CHARACTERS + _SHOWN])
        if len(text) > MAX_CHARACTERS:
            rule = f"an expression has at most {MAX_CHARACTERS:,} characters, this one {len(text):,}; "
            raise cls(label, spaced).refusal(MAX_CHARACTERS, len(text), rule + "register parts of it as indicators")
        return cls(label, spaced.strip(), len(spaced) - len(spaced.lstrip()))

    def refusal(self, begin: int, end: int, rule: str) -> ExpressionError:
        """Return the refusal of `text[begin:end]`: the rule, the line about that part and a caret line below."""
        line = self.text
        begin = max(0, min(begin, len(line) - 1))
        first = max(0, min(begin - _SHOWN // 3, len(line) - _SHOWN))
        before, after = ("... " if first else ""), (" ..." if first + _SHOWN < len(line) else "")
        shown = _UNPRINTABLE.sub("?", f"{before}{line[first : first + _SHOWN]}{after}")
        carets = "^" * max(1, min(end, first + _SHOWN) - begin)
        msg = f"{self.label}: {rule}\n  {shown}\n  {' ' * (len(before) + begin - first)}{carets}"
        position = (self.shift + begin, self.shift + max(end, begin + 1))
        return ExpressionError(msg, _field(self.label), position)


@dataclass(frozen=True, eq=False)
class Expression:
    """One expression, parsed and found to be within the bounds.

    Args:
        line: its text.
        tree: what `ast` made of it.
    """

    line: Line
    tree: ast.expr

    def __repr__(self) -> str:
        return f"<Expression {self.line.label}: {self.text:.60}>"

    @classmethod
    def of(cls, label: str, text: object) -> Expression:
        """Return the expression of a text; raises InvalidRequestError pointing at what is no expression."""
        line = Line.of(label, text)
        _refuse_characters(line)
        tree = _parsed(line)
        _refuse_size(line, tree)
        return cls(line, tree)

    @property
    def text(self) -> str:
        """The text on one line."""
        return self.line.text

    @property
    def normal(self) -> str:
        """The one spelling of all texts that mean the same tree."""
        return ast.unparse(self.tree)

    @cached_property
    def names(self) -> tuple[ast.Name, ...]:
        """The names in it."""
        return tuple(node for node in ast.walk(self.tree) if isinstance(node, ast.Name))

    @cached_property
    def parts(self) -> int:
        """How many parts it has: numbers, names, calls and operations."""
        return sum(isinstance(node, ast.expr) for node in ast.walk(self.tree))

    def refusal(self, node: ast.AST, rule: str) -> ExpressionError:
        """Return the refusal of a node."""
        begin, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None)
        return self.line.refusal(begin, end or begin + 1, rule)


def _field(label: str) -> str:
    output = label.partition(".")[2]
    return f"{FIELD}.{output}" if output else FIELD


def _refuse_characters(line: Line) -> None:
    strange = _FORBIDDEN.search(line.text)
    if strange:
        what = "there are no strings" if strange[0] in "'\"" else f"{strange[0]!a} has no meaning here"
        raise line.refusal(strange.start(), strange.end(), f"{what}; use names, numbers and + - * / ( )")
    joined = next((word for word in _WORD.finditer(line.text) if word["name"]), None)
    if joined:
        raise line.refusal(joined.start(), joined.end(), "a number ends here and a name begins; put a space")


def _parsed(line: Line) -> ast.expr:
    try:
        return ast.parse(line.text, mode="eval").body
    except SyntaxError as problem:
        begin = (problem.offset or len(line.text)) - 1  # an offset of 0 is Python's word for the end
        end = problem.end_offset - 1 if problem.end_offset and problem.end_lineno == problem.lineno else begin + 1
        rule = f"this is no expression ({short(str(problem.msg), 60)}); write it as in close - sma(close, 20)"
        raise line.refusal(begin, min(end, len(line.text)), rule) from None
    except (ValueError, MemoryError, RecursionError):
        rule = f"an expression is at most {MAX_DEPTH} deep; register parts of it as indicators"
        raise line.refusal(0, len(line.text), rule) from None


def _refuse_size(line: Line, tree: ast.expr) -> None:
    pending: list[tuple[ast.AST, int]] = [(tree, 1)]
    parts = 0
    while pending:
        node, depth = pending.pop()
        parts += 1
        what = f"{MAX_DEPTH} deep" if depth > MAX_DEPTH else f"of {MAX_PARTS} parts" if parts > MAX_PARTS else None
        if what:
            begin = getattr(node, "col_offset", 0)
            rule = f"an expression is at most {what}, and here is one more; register parts of it as indicators"
            raise line.refusal(begin, getattr(node, "end_col_offset", begin + 1), rule)
        below = (
            each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr | ast.comprehension | ast.keyword)
        )
        pending.extend((each, depth + 1) for each in below)


def short(text: str, most: int = 40) -> str:
    """Return a text, its end left out where it is longer than a message should quote."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
