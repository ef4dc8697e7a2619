"""The language of loops means what Python means: programs give the bits that Python gives, and what is not in it is refused."""

from __future__ import annotations

import math
import textwrap

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_store.engine import generated
from feature_store.engine.compiler import module_of
from feature_store.indicators.arithmetic import fma
from tests.conftest import same_bits

CELLS = 8


def machine(body: str, cells: np.ndarray) -> np.ndarray:
    """Run a body over a copy of `cells` as machine code."""
    words = cells.copy()
    where = generated.address(f"def run(n, words):\n{textwrap.indent(textwrap.dedent(body), '    ')}", 0)
    arguments = np.array([len(words), words.ctypes.data])
    generated.caller(where)(arguments.ctypes.data)
    return words


def python(body: str, cells: np.ndarray) -> np.ndarray:
    """Run the same body as Python, with numpy's division by zero."""
    words = cells.copy()
    whole = words.view(np.int64)
    scope = {
        "math": math,
        "fma": fma,
        "n": len(words),
        "words": words,
        "take": lambda array, place: float(array[place]),
        "take_int": lambda _, place: int(whole[place]),
        "put": lambda array, place, value: array.__setitem__(place, value),
        "put_int": lambda _, place, value: whole.__setitem__(place, (value + 2**63) % 2**64 - 2**63),
    }
    exec(textwrap.dedent(body), scope)
    return words


PROGRAMS = {
    "a sum with a loop": """
        total = 0.0
        for i in range(n):
            total += take(words, i)
        put(words, 0, total)
    """,
    "a loop from a place, left early": """
        for i in range(2, n):
            if take(words, i) > 1.0:
                break
            put(words, i, -1.0)
    """,
    "while, and nested loops": """
        i = 0
        while i < n:
            j = i
            while True:
                j += 1
                if j >= n or take(words, j) < take(words, i):
                    break
            put(words, i, j - i)
            i += 1
    """,
    "whole numbers round down": """
        for i in range(n):
            a = i - 4
            put(words, i, a // 3 + 100 * (a % 3) + 10000 * (a // -3) + 1000000 * (a % -3))
    """,
    "remainders of numbers": """
        for i in range(n):
            put(words, i, (take(words, i) % 0.7) + (take(words, i) % -0.7) * 10.0)
    """,
    "the first of equal extremes, and NaN as Python has it": """
        put(words, 0, max(take(words, 0), take(words, 1), take(words, 2)))
        put(words, 3, min(take(words, 3), take(words, 4)))
        put(words, 5, max(0.0, -0.0))
        put(words, 6, min(2, 1))
    """,
    "conditions as values": """
        up = take(words, 0) > 0.0
        flat = not up and take(words, 1) == 0.0
        put(words, 0, 1.0 if up else -1.0 if flat else 0)
        put(words, 1, up + flat * 2)
        put(words, 2, 5 if up or flat else take(words, 2))
    """,
    "what decides keeps what follows from being looked at": """
        i = 0
        while i < n and take(words, i) < 1e300:
            i += 1
        put(words, 0, i)
    """,
    "a variable that becomes a number": """
        x = 1
        if take(words, 0) > 0.0:
            x = 0.5
        put(words, 0, x * 3)
    """,
    "values assigned at once": """
        a, b = take(words, 0), take(words, 1)
        a, b = b, a
        put(words, 0, a)
        put(words, 1, b)
    """,
    "functions": """
        x = min(abs(take(words, 0)), 1e9) + 0.5
        put(words, 0, math.sqrt(x))
        put(words, 1, fma(x, x, -x))
        put(words, 2, int(-x * 3.0))
        put(words, 3, abs(-3))
        put(words, 4, -x + float(2))
        put(words, 5, math.pi - math.inf)
    """,
    "the other words of the same memory": """
        bits = take_int(words, 0)
        put_int(words, 1, (bits ^ 255) * 1099511628211)
        put_int(words, 2, -bits)
    """,
}
NUMBERS = st.one_of(
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.7, 1e-300, 1e300]), st.floats(-1e6, 1e6, allow_subnormal=False)
)


@pytest.mark.parametrize("name", PROGRAMS)
@given(cells=st.lists(NUMBERS, min_size=CELLS, max_size=CELLS))
@settings(max_examples=40, deadline=None)
def test_a_program_gives_the_bits_that_python_gives(name, cells):
    numbers = np.array(cells)
    assert same_bits(machine(PROGRAMS[name], numbers), python(PROGRAMS[name], numbers))


@pytest.mark.parametrize("function", ["exp", "log", "sin", "cos", "atan"])
def test_functions_of_the_c_library_are_those_that_python_calls(function):
    numbers = np.linspace(0.1, 9.0, CELLS)
    got = machine(f"for i in range(n):\n    put(words, i, math.{function}(take(words, i)))", numbers)
    np.testing.assert_allclose(got, [getattr(math, function)(each) for each in numbers], rtol=4e-16)


def test_division_by_zero_is_infinite_or_not_a_number():
    got = machine("put(words, 0, take(words, 0) / 0)\nput(words, 1, 0 / take(words, 2))", np.array([1.0, 0.0, 0.0]))
    assert got[0] == math.inf
    assert math.isnan(got[1])


def test_comparisons_with_not_a_number_are_those_of_python():
    signs = ["==", "!=", "<", "<=", ">", ">="]
    body = "\n".join(f"put(words, {i}, 1.0 if take(words, 7) {sign} 1.0 else 0.0)" for i, sign in enumerate(signs))
    assert machine(body, np.full(8, math.nan))[:6].tolist() == [0, 1, 0, 0, 0, 0]


def test_a_product_and_a_sum_are_rounded_twice():
    x = 1.0 + 2.0**-30
    cells = np.array([x, 0.0])
    got = machine("put(words, 1, take(words, 0) * take(words, 0) - 1.0)", cells)[1]
    assert got == x * x - 1.0
    assert got != fma(x, x, -1.0)


def test_a_table_in_the_text_is_looked_up():
    body = "for i in range(n):\n    put(words, i, pick((0.5, -2.0, 7), i))"
    assert machine(body, np.zeros(3)).tolist() == [0.5, -2.0, 7.0]


@pytest.mark.parametrize(
    "body",
    [
        "import os",
        "x = [1, 2]",
        "x = 'text'",
        "open('file')",
        "x = words[0]",
        "x = 1 < n < 3",
        "x = ~n",
        "x = n ** 2",
        "x = lambda: 1",
        "def f(): pass",
        "x = n.real",
        "x = unknown",
        "for i in words: pass",
        "with n: pass",
        "x: int",
        "a = b = 1",
        "return",
    ],
)
def test_what_the_language_does_not_have_is_refused(body):
    with pytest.raises(TypeError, match="a loop cannot hold"):
        module_of(f"def run(n, words):\n    {body}\n", "run")


def test_a_number_is_no_place():
    with pytest.raises(TypeError, match="a whole number"):
        module_of("def run(n, words):\n    put(words, 0.5, 1.0)\n", "run")


def test_equal_texts_give_equal_machine_code():
    text = "def run(n, words):\n    put(words, 0, math.log(take(words, 0)))\n"
    assert str(module_of(text, "same")) == str(module_of(text, "same"))
