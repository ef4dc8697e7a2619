"""What LLVM writes for each operation and function of a loop: a builder and values in, a value out.

Functions that loops call are a few instructions each without a branch; NaN in, NaN out. As Python's conditions the comparisons
would be blocks, and compiling takes longer than in proportion to their number.
"""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Any

from llvmlite import ir

if TYPE_CHECKING:
    from collections.abc import Callable

I64, DOUBLE, ADDRESS = ir.IntType(64), ir.DoubleType(), ir.PointerType()
_NAN, _ZERO = ir.Constant(DOUBLE, math.nan), ir.Constant(DOUBLE, 0.0)


# ---------------------------------------------------------------- operators
def _floor_division(builder: Any, a: Any, b: Any) -> Any:
    """Python's division of whole numbers, which rounds down where the machine's rounds to zero."""
    rest = builder.srem(a, b)
    return builder.sub(builder.sdiv(a, b), builder.zext(_crosses(builder, rest, b), I64))


def _whole_remainder(builder: Any, a: Any, b: Any) -> Any:
    """Python's remainder of whole numbers, which has the sign of the divisor."""
    rest = builder.srem(a, b)
    return builder.add(rest, builder.select(_crosses(builder, rest, b), b, I64(0)))


def _crosses(builder: Any, rest: Any, divisor: Any) -> Any:
    opposite = builder.icmp_signed("<", builder.xor(rest, divisor), I64(0))
    return builder.and_(opposite, builder.icmp_signed("!=", rest, I64(0)))


def _remainder(builder: Any, a: Any, b: Any) -> Any:
    """Python's remainder of numbers, which has the sign of the divisor."""
    rest = builder.frem(a, b)
    negative = builder.fcmp_ordered("<", b, _ZERO)
    opposite = builder.xor(builder.fcmp_ordered("<", rest, _ZERO), negative)
    nothing = builder.select(negative, DOUBLE(-0.0), _ZERO)
    moved = builder.select(opposite, builder.fadd(rest, b), rest)
    return builder.select(builder.fcmp_ordered("==", rest, _ZERO), nothing, moved)


OF_WHOLE_NUMBERS: dict[type[ast.operator], Callable[..., Any]] = {
    ast.Add: lambda builder, a, b: builder.add(a, b),
    ast.Sub: lambda builder, a, b: builder.sub(a, b),
    ast.Mult: lambda builder, a, b: builder.mul(a, b),
    ast.BitXor: lambda builder, a, b: builder.xor(a, b),
    ast.FloorDiv: _floor_division,
    ast.Mod: _whole_remainder,
}
OF_NUMBERS: dict[type[ast.operator], Callable[..., Any]] = {
    ast.Add: lambda builder, a, b: builder.fadd(a, b),
    ast.Sub: lambda builder, a, b: builder.fsub(a, b),
    ast.Mult: lambda builder, a, b: builder.fmul(a, b),
    ast.Div: lambda builder, a, b: builder.fdiv(a, b),
    ast.Mod: _remainder,
}
"""Arithmetic as written: nothing is contracted or reordered."""

SIGNS: dict[type[ast.cmpop], str] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}


def compared(builder: Any, sign: str, a: Any, b: Any) -> Any:
    """Return whether a comparison holds, of two whole numbers or two numbers; with NaN only `!=` does."""
    if a.type == I64:
        return builder.icmp_signed(sign, a, b)
    return (builder.fcmp_unordered if sign == "!=" else builder.fcmp_ordered)(sign, a, b)


# ---------------------------------------------------------------- functions
def _if_known(builder: Any, value: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("ord", a, b), value, _NAN)


def _told(sign: str) -> Callable[..., Any]:
    """1 where the comparison holds, else 0."""

    def write(builder: Any, a: Any, b: Any) -> Any:
        return _if_known(builder, builder.uitofp(builder.fcmp_ordered(sign, a, b), DOUBLE), a, b)

    return write


def _picked(sign: str) -> Callable[..., Any]:
    """The first where the comparison holds, else the second."""

    def write(builder: Any, a: Any, b: Any) -> Any:
        return _if_known(builder, builder.select(builder.fcmp_ordered(sign, a, b), a, b), a, b)

    return write


def _choose(builder: Any, condition: Any, then: Any, otherwise: Any) -> Any:
    """`then` where the condition is not 0, else `otherwise`."""
    holds = builder.fcmp_unordered("!=", condition, _ZERO)
    return _if_known(builder, builder.select(holds, then, otherwise), condition, condition)


def _of_llvm(name: str) -> Callable[..., Any]:
    """An instruction, or a call of the C library's function of that name, as LLVM decides."""

    def write(builder: Any, *numbers: Any) -> Any:
        kind = ir.FunctionType(DOUBLE, [DOUBLE] * len(numbers))
        return builder.call(builder.module.declare_intrinsic(f"llvm.{name}", [DOUBLE], kind), numbers)

    return write


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "above": _told(">"),
    "below": _told("<"),
    "at_least": _told(">="),
    "at_most": _told("<="),
    "same": _told("=="),
    "least": _picked("<="),
    "greatest": _picked(">="),
    "choose": _choose,
    "fma": _of_llvm("fma"),
    "abs": _of_llvm("fabs"),
    "floor": _of_llvm("floor"),
    "float": lambda _, number: number,
    **{f"math.{name}": _of_llvm(name) for name in ("sqrt", "log", "exp", "sin", "cos", "atan")},
}
"""Name -> what writes its instructions, of float64 values."""

CONSTANTS = {"math.nan": math.nan, "math.inf": math.inf, "math.pi": math.pi}
