"""The text of an expression: bounded, parsed by `ast`, which runs nothing, and able to point at any part of itself."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass

from feature_store.errors import InvalidRequestError

MAX_CHARACTERS = 2_000
MAX_PARTS = 256
MAX_DEPTH = 32

_SHOWN = 72
_WORD = re.compile(r"[A-Za-z_]\w*|\.?\d[\d_.]*(?:[eE][+-]?\d+)?(?P<name>[A-Za-z_])?")
_FORBIDDEN = re.compile(r"[^ -~]|['\"`#\\;$?]")
_UNPRINTABLE = re.compile(r"[^ -~]")


@dataclass(frozen=True, eq=False)
class Expression:
    """One expression, parsed and found to be within the bounds.

    Args:
        label: whose it is, as messages name it.
        text: on one line.
        tree: what `ast` made of it.
    """

    label: str
    text: str
    tree: ast.expr

    def __repr__(self) -> str:
        return f"<Expression {self.label}: {self.text:.60}>"

    @classmethod
    def of(cls, label: str, text: object) -> Expression:
        """Return the expression of a text; raises InvalidRequestError pointing at what is no expression."""
        if not isinstance(text, str) or not text.strip():
            msg = f"{label}: an expression is a text such as close - sma(close, 20), was {text!r:.40}"
            raise InvalidRequestError(msg, field="expression")
        if len(text) > MAX_CHARACTERS:
            msg = f"{label}: an expression has at most {MAX_CHARACTERS:,} characters, this one {len(text):,}; "
            raise InvalidRequestError(msg + "register parts of it as indicators", field="expression")
        line = re.sub(r"\s", " ", text).strip()
        strange, joined = _FORBIDDEN.search(line), next((n for n in _WORD.finditer(line) if n["name"]), None)
        if strange:
            what = "there are no strings" if strange[0] in "'\"" else f"{strange[0]!a} has no meaning here"
            raise pointed(label, line, strange.start(), strange.end(), f"{what}; use names, numbers and + - * / ( )")
        if joined:
            raise pointed(
                label, line, joined.start(), joined.end(), "a number ends here and a name begins; put a space"
            )
        tree = _parsed(label, line)
        _refuse_size(label, line, tree)
        return cls(label, line, tree)

    @property
    def normal(self) -> str:
        """The one spelling of all texts that mean the same tree."""
        return ast.unparse(self.tree)

    def refusal(self, node: ast.AST, rule: str) -> InvalidRequestError:
        """Return the refusal of a node."""
        begin, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", None)
        return pointed(self.label, self.text, begin, end or begin + 1, rule)


def pointed(label: str, line: str, begin: int, end: int, rule: str) -> InvalidRequestError:
    """Return the refusal of a part of a line: the rule, the line about it and a caret line below."""
    begin = max(0, min(begin, len(line) - 1))
    first = max(0, min(begin - _SHOWN // 3, len(line) - _SHOWN))
    before, after = ("... " if first else ""), (" ..." if first + _SHOWN < len(line) else "")
    shown = f"{before}{line[first : first + _SHOWN]}{after}"
    carets = "^" * max(1, min(end, first + _SHOWN) - begin)
    shown = _UNPRINTABLE.sub("?", shown)
    msg = f"{label}: {rule}\n  {shown}\n  {' ' * (len(before) + begin - first)}{carets}"
    return InvalidRequestError(msg, field="expression")


def _parsed(label: str, line: str) -> ast.expr:
    try:
        return ast.parse(line, mode="eval").body
    except SyntaxError as problem:
        begin = max(0, (problem.offset or 1) - 1)
        end = problem.end_offset - 1 if problem.end_offset and problem.end_lineno == problem.lineno else begin + 1
        rule = f"this is no expression ({short(str(problem.msg), 60)}); write it as in close - sma(close, 20)"
        raise pointed(label, line, begin, end, rule) from None
    except (ValueError, MemoryError, RecursionError):
        rule = f"an expression is at most {MAX_DEPTH} deep; register parts of it as indicators"
        raise pointed(label, line, 0, len(line), rule) from None


def _refuse_size(label: str, line: str, tree: ast.expr) -> None:
    pending: list[tuple[ast.AST, int]] = [(tree, 1)]
    parts = 0
    while pending:
        node, depth = pending.pop()
        parts += 1
        what = f"{MAX_DEPTH} deep" if depth > MAX_DEPTH else f"of {MAX_PARTS} parts" if parts > MAX_PARTS else None
        if what:
            begin = getattr(node, "col_offset", 0)
            rule = f"an expression is at most {what}, and here is one more; register parts of it as indicators"
            raise pointed(label, line, begin, getattr(node, "end_col_offset", begin + 1), rule)
        below = (
            each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr | ast.comprehension | ast.keyword)
        )
        pending.extend((each, depth + 1) for each in below)


def short(text: str, most: int = 40) -> str:
    """Return a text, its end left out where it is longer than a message should quote."""
    return text if len(text) <= most else f"{text[: most - 3]}..."
