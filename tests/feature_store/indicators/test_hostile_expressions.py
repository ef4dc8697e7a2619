"""Texts that mean harm, or nearly mean something: each costs a pointed refusal and no more."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import feature_store as fs
from feature_store.bars import COLUMNS
from feature_store.errors import InvalidRequestError
from feature_store.indicators.custom import Draft, custom
from feature_store.indicators.expression_text import ExpressionError

HOSTILE = {
    "python": """__import__(os) __builtins__ eval(close) exec(close) open(close) getattr(close,close) print(close)
        ().__class__.__bases__[0].__subclasses__() (lambda:close)() (x:=close) ema(x:=close,3) ema(**close) ema(*close)
        close.real macd(close).signal close[0] close[-1] close[1:2] mine mine(close) mine.value nothing(close) {close}
        {1:2} ... None True 2j""",
    "numbers": """close+1e999 close-1e309 close+10**10**10 close**9**9**9 close*9007199254740993 close+2**63 close*0xff
        close*1000000000001 close*(1e12*1e12) lag(close,-1) lag(close,0) lag(close,0.5) lag(close,3-5) sma(close,10001)
        sma(close,5000*3) highest(close,1e6) quantile(close,20,2) close/0 close/(1-1) close**-1 close**0.5""",
    "calls": """where() where(close) abs() abs(close,open) rsi(14,15) macd(26,12) ema(close,3,4) ema(close,period=3) min(close)
        ema(close,high) close(3) abs rsi__k(close) macd__sgnal(close) rsi_1 emaa(close)""",
    "signs": """close%2 close//2 close@open close&open close|open ~close close^2 @close !close close! $close `close` %close
        close?open close;open close#open 'close' "close" b'x' f'{close}' \\close close, (close,open) [close] () close+
        (close sma(close""",
}
SPACED = """__import__('os').system('x')
[c for c in close]
sum(c for c in close)
{c: c for c in close}
async close
await close
(yield close)
del close
assert close
import os
raise close
return close
close is open
close not in open
close if open
close open
close # a comment
close \\
close = 3"""
LETTERS = [
    "\u0441lose", "\uff43\uff4c\uff4f\uff53\uff45", "clo\u200bse", "close\u202e+open", "close\ufe62open", "close\x00",
    "\x00", "close\x7f", "close\ud800", "close\U0001f600", "\u0663 * close", "close \u2212 open",
]  # fmt: skip
LONG = [
    "close * " + "9" * 1900, "a" * 64 + "(close)", "_" * 1900, "." * 1900, "1" * 1000 + "a", "1e" * 900,
    "rsi_" + "1" * 1000, "close" * 400, "a" * 9000, "close" + " " * 1995 + "+",
    "max(" + ", ".join(["close"] * 300) + ")", "+".join(f"sma(close, {n})" for n in range(2, 30)),
]  # fmt: skip
TEXTS = [*(text for group in HOSTILE.values() for text in group.split()), *SPACED.splitlines(), *LETTERS, *LONG]


def made(text, parameters=None):
    return custom(Draft("mine", text, parameters or {}))


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:24]))
def test_a_hostile_text_is_refused_at_the_part_that_is(text):
    with pytest.raises(ExpressionError) as problem:
        made(text)
    begin, end = problem.value.position
    said, line, carets = str(problem.value).splitlines()
    assert 0 <= begin < end <= len(text)
    assert len(said) < 400
    assert len(line) < 90
    assert set(carets.strip()) == {"^"}


WORDS = [
    "close", "open", "n", "ema", "sma", "zscore", "lag", "where", "macd__signal", "rsi_14", "bbands_20_2__upper", "(", ")", ",",
    "+", "-", "*", "/", "**", "//", ">", "<", "==", "!=", "and", "or", "not", "if", "else", "20", "3", "0", "0.5", "1e9", ".",
    "[", "]", "lambda", ":", ":=", "=", "in", "is", "await", "__class__", "for", "%", "@", "~", "'", " ", "\n", "min", "abs",
    "hl2",
]  # fmt: skip


CALLS = ["ema", "where", "min", "macd__signal", "lag", "atr", "nothing", "rsi_14", "close", "mine", "print", "__x__"]
SIGNS = ["+", "-", "*", "/", "//", "**", ">", "<=", "==", "and", "or", "%", "@", "&", "|", "is", "in", ":=", ".", "if"]
ENDS = [".x", "[0]", "()", "[1:2]", "!", " for c in close", "=3", ":"]
NUMBERS = (
    st.floats().map(repr)
    | st.integers().map(str)
    | st.sampled_from(["1e999", "0x1f", "1_0", "1.", ".5", "2j", "1e-400"])
)
LEAVES = st.sampled_from([*COLUMNS, "n", "rsi_14", "hl2", "fx_day", "True", "x"]) | NUMBERS


def near(below: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Sentences of the language, and of its neighbours."""
    arguments = st.lists(below, max_size=4).map(", ".join)
    return st.one_of(
        st.tuples(below, st.sampled_from(SIGNS), below).map(" ".join),
        st.builds("{}({})".format, st.sampled_from(CALLS), arguments),
        st.builds("{} if {} else {}".format, below, below, below),
        st.tuples(st.sampled_from(["-", "not ", "+", "~", "*", "await "]), below).map("".join),
        st.tuples(below, st.sampled_from(ENDS)).map("".join),
        below.map("({})".format),
    )


def edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    for place, kind, letter in edits:
        at = place % (len(text) + 1)
        begin, end = text[:at], text[at:]
        text = [begin + letter + end, begin + end[1:], end + begin, begin + text][kind]
    return text


SENTENCES = st.recursive(LEAVES, near, max_leaves=8)
EDITS = st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 3), st.characters()), min_size=1, max_size=4)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join)
    | SENTENCES
    | st.builds(edited, SENTENCES, EDITS)
    | st.text(max_size=60)
    | st.binary(max_size=60).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
    | st.text("()-+close.[]*", max_size=300)
)
def test_no_text_does_worse_than_a_pointed_refusal(text):
    begin, end, field = 0, 1, ""
    try:
        said = made(text, {"n": fs.Int(20, ge=2)} if "n" in text.split() else {}).doc
    except ExpressionError as problem:
        said, (begin, end) = str(problem), problem.position
    except InvalidRequestError as problem:
        said, field = str(problem), problem.field
    assert 0 < len(said) < 500
    assert 0 <= begin < end <= max(1, len(text))
    assert field in {"", "parameters.n"} or not text.strip(), "there was something to point at"
