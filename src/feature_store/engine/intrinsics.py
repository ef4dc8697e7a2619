"""What generated loops import: the compiled form of `feature_store.indicators.arithmetic`."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

__all__ = ["fma"]


@intrinsic  # type: ignore[untyped-decorator]
def fma(typing_context: Any, a: types.Type, b: types.Type, c: types.Type) -> Any:  # noqa: ARG001  numba calls it so
    """Return a * b + c, rounded once."""
    if not all(isinstance(each, types.Number) for each in (a, b, c)):
        msg = f"fma takes three numbers, not {a}, {b}, {c}"
        raise TypingError(msg)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given = zip(arguments, signature.args, strict=True)
        numbers = [context.cast(builder, value, kind, types.float64) for value, kind in given]
        double = ir.DoubleType()
        function = builder.module.declare_intrinsic("llvm.fma", [double], ir.FunctionType(double, [double] * 3))
        return builder.call(function, numbers)

    return types.float64(a, b, c), generate
