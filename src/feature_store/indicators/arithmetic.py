"""Arithmetic that steps may use beyond Python's own."""

from __future__ import annotations

from fractions import Fraction


def fma(a: float, b: float, c: float) -> float:
    """Return a * b + c of finite numbers, rounded once (IEEE 754 fusedMultiplyAdd).

    In a compiled loop it is one instruction. A recursion `fma(keep, mean, weight * x)` waits 4 cycles for the bar before it,
    with a product and a sum 6 to 8. It is written where it is meant, and means the same bits on every machine; the compiler
    contracts nothing by itself.

    >>> fma(0.1, 10.0, -1.0) == 0.1 * 10.0 - 1.0
    False
    """
    return float(Fraction(a) * Fraction(b) + Fraction(c))
