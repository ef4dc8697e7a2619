"""What generated loops import: a few instructions each, without a branch; NaN in, NaN out.

`fma` is the compiled form of `feature_store.indicators.arithmetic.fma`, the others are operations of series. As Python's
conditions those would be blocks, and compiling takes longer than in proportion to their number: 200 comparisons in one loop
took 19 s as `1.0 if a > b else 0.0` and take 0.6 s as `above(a, b)`, which runs three times as fast.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["above", "at_least", "at_most", "below", "choose", "fma", "greatest", "least", "same"]

_DOUBLE = ir.DoubleType()
_NAN, _ZERO = ir.Constant(_DOUBLE, math.nan), ir.Constant(_DOUBLE, 0.0)


@intrinsic  # type: ignore[untyped-decorator]
def fma(typing_context: Any, a: types.Type, b: types.Type, c: types.Type) -> Any:  # noqa: ARG001  numba calls it so
    """Return a * b + c, rounded once."""

    def generate(builder: Any, *numbers: Any) -> Any:
        kind = ir.FunctionType(_DOUBLE, [_DOUBLE] * 3)
        return builder.call(builder.module.declare_intrinsic("llvm.fma", [_DOUBLE], kind), numbers)

    return _of_numbers(generate, a, b, c)


@intrinsic  # type: ignore[untyped-decorator]
def above(typing_context: Any, a: types.Type, b: types.Type) -> Any:  # noqa: ARG001
    """Return 1 where a > b, else 0."""
    return _of_numbers(_compared(">"), a, b)


@intrinsic  # type: ignore[untyped-decorator]
def below(typing_context: Any, a: types.Type, b: types.Type) -> Any:  # noqa: ARG001
    """Return 1 where a < b, else 0."""
    return _of_numbers(_compared("<"), a, b)


@intrinsic  # type: ignore[untyped-decorator]
def at_least(typing_context: Any, a: types.Type, b: types.Type) -> Any:  # noqa: ARG001
    """Return 1 where a >= b, else 0."""
    return _of_numbers(_compared(">="), a, b)


@intrinsic  # type: ignore[untyped-decorator]
def at_most(typing_context: Any, a: types.Type, b: types.Type) -> Any:  # noqa: ARG001
    """Return 1 where a <= b, else 0."""
    return _of_numbers(_compared("<="), a, b)


@intrinsic  # type: ignore[untyped-decorator]
def same(typing_context: Any, a: types.Type, b: types.Type) -> Any:  # noqa: ARG001
    """Return 1 where a == b, else 0."""
    return _of_numbers(_compared("=="), a, b)


@intrinsic  # type: ignore[untyped-decorator]
def least(typing_context: Any, a: types.Type, b: types.Type) -> Any:  # noqa: ARG001
    """Return the lower of the two, the first where they are equal."""
    return _of_numbers(lambda builder, x, y: _if_known(builder, _pick(builder, "<=", x, y), x, y), a, b)


@intrinsic  # type: ignore[untyped-decorator]
def greatest(typing_context: Any, a: types.Type, b: types.Type) -> Any:  # noqa: ARG001
    """Return the higher of the two, the first where they are equal."""
    return _of_numbers(lambda builder, x, y: _if_known(builder, _pick(builder, ">=", x, y), x, y), a, b)


@intrinsic  # type: ignore[untyped-decorator]
def choose(typing_context: Any, condition: types.Type, then: types.Type, otherwise: types.Type) -> Any:  # noqa: ARG001
    """Return `then` where the condition is not 0, else `otherwise`."""

    def generate(builder: Any, test: Any, x: Any, y: Any) -> Any:
        holds = builder.fcmp_unordered("!=", test, _ZERO)
        return _if_known(builder, builder.select(holds, x, y), test, test)

    return _of_numbers(generate, condition, then, otherwise)


def _compared(sign: str) -> Callable[..., Any]:
    def generate(builder: Any, a: Any, b: Any) -> Any:
        return _if_known(builder, builder.uitofp(builder.fcmp_ordered(sign, a, b), _DOUBLE), a, b)

    return generate


def _pick(builder: Any, sign: str, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered(sign, a, b), a, b)


def _if_known(builder: Any, value: Any, a: Any, b: Any) -> Any:
    return builder.select(builder.fcmp_ordered("ord", a, b), value, _NAN)


def _of_numbers(generate: Callable[..., Any], *given: types.Type) -> Any:
    """Return what numba asks of an intrinsic: its types, and the instructions of its answer."""
    if not all(isinstance(each, types.Number) for each in given):
        msg = f"takes numbers only, not {', '.join(map(str, given))}"
        raise TypingError(msg)

    def generated(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pairs = zip(arguments, signature.args, strict=True)
        return generate(builder, *(context.cast(builder, value, kind, types.float64) for value, kind in pairs))

    return types.float64(*given), generated
