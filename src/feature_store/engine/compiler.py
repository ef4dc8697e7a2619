"""Machine code for the small language that loops are written in, through LLVM.

The language is Python's: numbers, comparisons, `and or not`, `x if c else y`, assignments, `if`, `while`, `break`, `for i in
range(...)`, and the functions of `values` and `instructions`. A variable is a whole number of 64 bits, a float64 or a truth
value (`kinds`). Arrays are addresses: `take(close, t)` reads a float64, `put(out0, t, y)` writes one, `take_int` and `put_int`
do so with a whole number of the same 8 bytes, and nobody checks a place. Arithmetic is IEEE 754 in the order written, rounded
at every step. `max(a, b)` is `b if b > a else a`, as in Python.

Kinds are inferred, instructions are written down, LLVM does the rest. That takes milliseconds where a compiler of all of Python
takes a second (measured: docs/why/0012).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from llvmlite import ir

from feature_store.engine.instructions import ADDRESS, I64
from feature_store.engine.kinds import WHOLE, kinds_of
from feature_store.engine.values import Value, Values, refusal

if TYPE_CHECKING:
    from collections.abc import Sequence


def module_of(text: str, name: str) -> ir.Module:
    """Return the LLVM module of a text with one function, whose entry takes the address of its arguments.

    Args:
        text: a function; its first argument is a whole number, the others are arrays that do not overlap.
        name: of the entry, `void name(int64 arguments[])`.

    Raises TypeError for what the language does not have, with the line.
    """
    tree = ast.parse(text).body[-1]
    if not isinstance(tree, ast.FunctionDef):
        raise refusal(tree)
    module = ir.Module(name)
    first, *arrays = (argument.arg for argument in tree.args.args)
    inner = ir.Function(module, ir.FunctionType(ir.VoidType(), [I64, *(ADDRESS for _ in arrays)]), f"{name}_inner")
    inner.linkage = "internal"
    for argument in inner.args[1:]:
        argument.add_attribute("noalias")
    _Statements(inner, tree, first, arrays).write()
    _write_entry(module, inner, name)
    return module


def _write_entry(module: ir.Module, inner: ir.Function, name: str) -> None:
    """Write the function that takes its arguments from memory: one address to hand over, however many there are."""
    entry = ir.Function(module, ir.FunctionType(ir.VoidType(), [ADDRESS]), name)
    builder = ir.IRBuilder(entry.append_basic_block())
    given = [
        builder.load(builder.gep(entry.args[0], [I64(place)], source_etype=I64), typ=argument.type)
        for place, argument in enumerate(inner.args)
    ]
    builder.call(inner, given)
    builder.ret_void()


class _Statements(Values, ast.NodeVisitor):
    """Writes a function's statements."""

    def __init__(self, function: ir.Function, tree: ast.FunctionDef, first: str, arrays: Sequence[str]) -> None:
        addresses = dict(zip(arrays, function.args[1:], strict=True))
        super().__init__(function, kinds_of(tree, {first: WHOLE}), addresses)
        self.tree = tree
        self.ends: list[ir.Block] = []
        self.store(first, Value(function.args[0], WHOLE))

    def write(self) -> None:
        self.block(self.tree.body)
        self.builder.ret_void()

    def block(self, statements: Sequence[ast.stmt]) -> None:
        """Write statements up to one that leaves them."""
        for statement in statements:
            self.visit(statement)
            if self.builder.block.is_terminated:
                return

    def visit_Assign(self, node: ast.Assign) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]):
                self.store(name, self.visit(node.value))
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
                found = [self.visit(each) for each in values]
                for target, value in zip(targets, found, strict=True):
                    self.store(ast.unparse(target), value)
            case _:
                raise refusal(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            raise refusal(node)
        self.store(ast.unparse(node.target), self.visit(node.value))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        name = ast.unparse(node.target)
        self.store(name, self.arithmetic(node, self.load(name), self.visit(node.value)))

    def visit_Expr(self, node: ast.Expr) -> None:
        self.visit(node.value)

    def visit_If(self, node: ast.If) -> None:
        self.either(node.test, lambda: self.block(node.body), lambda: self.block(node.orelse))

    def visit_While(self, node: ast.While) -> None:
        again, inside, end = (self.function.append_basic_block() for _ in range(3))
        self.builder.branch(again)
        self.builder.position_at_end(again)
        self.builder.cbranch(self.truth(node.test), inside, end)
        self.builder.position_at_end(inside)
        self.repeated(node.body, again, end)

    def visit_For(self, node: ast.For) -> None:
        match node:
            case ast.For(target=ast.Name(id=name), iter=ast.Call(func=ast.Name(id="range"), args=[*start, stop])):
                first, last = (self.whole(start[0]) if start else I64(0)), self.whole(stop)
            case _:
                raise refusal(node)
        counter = self.builder.alloca(I64)
        self.builder.store(first, counter)
        again, inside, end = (self.function.append_basic_block() for _ in range(3))
        self.builder.branch(again)
        self.builder.position_at_end(again)
        place = self.builder.load(counter, typ=I64)
        self.builder.cbranch(self.builder.icmp_signed("<", place, last), inside, end)
        self.builder.position_at_end(inside)
        self.store(name, Value(place, WHOLE))
        self.builder.store(self.builder.add(place, I64(1), flags=["nsw"]), counter)
        self.repeated(node.body, again, end)

    def repeated(self, body: Sequence[ast.stmt], again: ir.Block, end: ir.Block) -> None:
        """Write the body of a loop, and go on after it."""
        self.ends.append(end)
        self.block(body)
        self.ends.pop()
        if not self.builder.block.is_terminated:
            self.builder.branch(again)
        self.builder.position_at_end(end)

    def visit_Break(self, _: ast.Break) -> None:
        self.builder.branch(self.ends[-1])
