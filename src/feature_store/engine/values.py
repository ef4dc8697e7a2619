"""Values of a loop's text as LLVM instructions: constants, variables, arithmetic, conditions, calls."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from llvmlite import ir

from feature_store.engine.instructions import (
    ADDRESS,
    CONSTANTS,
    DOUBLE,
    FUNCTIONS,
    I64,
    OF_NUMBERS,
    OF_WHOLE_NUMBERS,
    SIGNS,
    compared,
)
from feature_store.engine.kinds import NUMBER, TRUTH, WHOLE, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

TYPES = (ir.IntType(1), I64, DOUBLE)
"""By kind."""


_OFTEN = 9_999
"""How often a number is known for once that it is not: so LLVM keeps a branch, which is guessed right and waits for nothing."""


class Value(NamedTuple):
    """An LLVM value and its kind."""

    of: Any
    kind: int


class Values(ast.NodeVisitor):
    """Writes values into a function, one after another.

    Args:
        function: to write into.
        kinds: of its variables.
        arrays: name -> address, of its arrays.
    """

    def __init__(self, function: ir.Function, kinds: Mapping[str, int], arrays: Mapping[str, Any]) -> None:
        self.function, self.kinds, self.arrays = function, kinds, arrays
        self.builder: Any = ir.IRBuilder(function.append_basic_block())
        self.cells = {name: self.builder.alloca(TYPES[kind], name=name) for name, kind in kinds.items()}

    def generic_visit(self, node: ast.AST) -> Any:
        """Refuse what the language does not have."""
        raise refusal(node)

    def load(self, name: str) -> Value:
        """Return a variable's value."""
        kind = self.kinds[name]
        return Value(self.builder.load(self.cells[name], typ=TYPES[kind]), kind)

    def store(self, name: str, value: Value) -> None:
        """Assign to a variable."""
        self.builder.store(self.as_kind(value, self.kinds[name]), self.cells[name])

    def as_kind(self, value: Value, kind: int) -> Any:
        """Return a value as one of a kind that holds it."""
        if value.kind == kind:
            return value.of
        if kind < value.kind:
            msg = "a number stands where a whole number must; write int(...)"
            raise TypeError(msg)
        if kind == WHOLE:
            return self.builder.zext(value.of, I64)
        return (self.builder.uitofp if value.kind == TRUTH else self.builder.sitofp)(value.of, DOUBLE)

    def whole(self, node: ast.expr) -> Any:
        """Return the whole number of an expression."""
        return self.as_kind(self.visit(node), WHOLE)

    def truth(self, node: ast.expr) -> Any:
        """Return whether an expression is not 0."""
        value: Value = self.visit(node)
        return value.of if value.kind == TRUTH else compared(self.builder, "!=", value.of, TYPES[value.kind](0))

    def either(self, test: ast.expr, then: Callable[[], object], otherwise: Callable[[], object]) -> None:
        """Write two ways to go on, of which a condition chooses."""
        yes, no, after = (self.function.append_basic_block() for _ in range(3))
        branch = self.builder.cbranch(self.truth(test), yes, no)
        match test:
            case ast.Call(func=ast.Name(id="known")):
                branch.set_weights([_OFTEN, 1])
            case ast.UnaryOp(op=ast.Not(), operand=ast.Call(func=ast.Name(id="known"))):
                branch.set_weights([1, _OFTEN])
        for block, write in ((yes, then), (no, otherwise)):
            self.builder.position_at_end(block)
            write()
            if not self.builder.block.is_terminated:
                self.builder.branch(after)
        self.builder.position_at_end(after)

    # ------------------------------------------------------------ leaves
    def visit_Constant(self, node: ast.Constant) -> Value:
        """Return a truth value or a number."""
        if not isinstance(node.value, (bool, int, float)):
            raise refusal(node)
        kind = kind_of(node, self.kinds)
        return Value(TYPES[kind](node.value), kind)

    def visit_Attribute(self, node: ast.Attribute) -> Value:
        """Return a constant of `math`."""
        if ast.unparse(node) not in CONSTANTS:
            raise refusal(node)
        return Value(DOUBLE(CONSTANTS[ast.unparse(node)]), NUMBER)

    def visit_Name(self, node: ast.Name) -> Value:
        """Return a variable's value."""
        if node.id not in self.cells:
            raise refusal(node)
        return self.load(node.id)

    # ------------------------------------------------------------ operators
    def visit_BinOp(self, node: ast.BinOp) -> Value:
        """Return arithmetic."""
        return self.arithmetic(node, self.visit(node.left), self.visit(node.right))

    def arithmetic(self, node: ast.BinOp | ast.AugAssign, left: Value, right: Value) -> Value:
        """Return what an operator makes of two values."""
        kind = max(left.kind, right.kind, NUMBER if isinstance(node.op, ast.Div) else WHOLE)
        write = (OF_WHOLE_NUMBERS if kind == WHOLE else OF_NUMBERS).get(type(node.op))
        if write is None:
            raise refusal(node)
        return Value(write(self.builder, self.as_kind(left, kind), self.as_kind(right, kind)), kind)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Value:
        """Return `not a` or `-a`."""
        if isinstance(node.op, ast.Not):
            return Value(self.builder.not_(self.truth(node.operand)), TRUTH)
        value: Value = self.visit(node.operand)
        if not isinstance(node.op, ast.USub):
            raise refusal(node)
        if value.kind == NUMBER:
            return Value(self.builder.fneg(value.of), NUMBER)
        return Value(self.builder.neg(self.as_kind(value, WHOLE)), WHOLE)

    def visit_Compare(self, node: ast.Compare) -> Value:
        """Return whether one comparison holds."""
        if len(node.ops) > 1 or type(node.ops[0]) not in SIGNS:
            raise refusal(node)
        left, right = self.visit(node.left), self.visit(node.comparators[0])
        kind = max(left.kind, right.kind, WHOLE)
        a, b = self.as_kind(left, kind), self.as_kind(right, kind)
        return Value(compared(self.builder, SIGNS[type(node.ops[0])], a, b), TRUTH)

    def visit_BoolOp(self, node: ast.BoolOp) -> Value:
        """Return `a and b` or `a or b`; what follows is looked at only where what came before does not decide."""
        answer = self.builder.alloca(TYPES[TRUTH])
        after = self.function.append_basic_block()
        for each in node.values[:-1]:
            found = self.truth(each)
            self.builder.store(found, answer)
            further = self.function.append_basic_block()
            ways = (further, after) if isinstance(node.op, ast.And) else (after, further)
            self.builder.cbranch(found, *ways)
            self.builder.position_at_end(further)
        self.builder.store(self.truth(node.values[-1]), answer)
        self.builder.branch(after)
        self.builder.position_at_end(after)
        return Value(self.builder.load(answer, typ=TYPES[TRUTH]), TRUTH)

    def visit_IfExp(self, node: ast.IfExp) -> Value:
        """Return one of two values, of which only the one that is chosen is calculated."""
        kind = kind_of(node, self.kinds)
        answer = self.builder.alloca(TYPES[kind])

        def put(value: ast.expr) -> None:
            self.builder.store(self.as_kind(self.visit(value), kind), answer)

        self.either(node.test, lambda: put(node.body), lambda: put(node.orelse))
        return Value(self.builder.load(answer, typ=TYPES[kind]), kind)

    # ------------------------------------------------------------ calls
    def visit_Call(self, node: ast.Call) -> Value:
        """Return what a function gives."""
        name = ast.unparse(node.func)
        own: Callable[..., Value] | None = getattr(self, f"call_{name}", None)
        if own is not None:
            return own(*node.args)
        if name not in FUNCTIONS:
            raise refusal(node)
        numbers = (self.as_kind(self.visit(each), NUMBER) for each in node.args)
        return Value(FUNCTIONS[name](self.builder, *numbers), NUMBER)

    def call_take(self, array: ast.expr, place: ast.expr) -> Value:
        """Return a number of an array."""
        return self.cell(NUMBER, array, place)

    def call_take_int(self, array: ast.expr, place: ast.expr) -> Value:
        """Return a whole number of an array."""
        return self.cell(WHOLE, array, place)

    def call_put(self, array: ast.expr, place: ast.expr, value: ast.expr) -> Value:
        """Write a number into an array."""
        return self.cell(NUMBER, array, place, value)

    def call_put_int(self, array: ast.expr, place: ast.expr, value: ast.expr) -> Value:
        """Write a whole number into an array."""
        return self.cell(WHOLE, array, place, value)

    def cell(self, kind: int, array: ast.expr, place: ast.expr, written: ast.expr | None = None) -> Value:
        """Return a cell of an array, or write it."""
        start = self.arrays[cast("ast.Name", array).id]
        where = self.builder.gep(start, [self.whole(place)], inbounds=True, source_etype=TYPES[kind])
        if written is None:
            return Value(self.builder.load(where, typ=TYPES[kind]), kind)
        value = self.as_kind(self.visit(written), kind)
        self.builder.store(value, where)
        return Value(value, kind)

    def call_pick(self, table: ast.expr, place: ast.expr) -> Value:
        """Return a number of a table that stands in the text."""
        numbers = [float(each) for each in ast.literal_eval(table)]
        kind = ir.ArrayType(DOUBLE, len(numbers))
        module = self.function.module
        held = ir.GlobalVariable(module, kind, f"table_{len(module.globals)}")
        held.linkage, held.global_constant, held.initializer = "internal", True, kind(numbers)
        where = self.builder.gep(held, [I64(0), self.whole(place)], inbounds=True)
        return Value(self.builder.load(where, typ=DOUBLE), NUMBER)

    def call_run_at(self, table: ast.expr, place: ast.expr) -> Value:
        """Call the function whose address stands at a place, with the address that stands after it."""
        start, where = self.arrays[cast("ast.Name", table).id], self.whole(place)
        kind = ir.FunctionType(ir.VoidType(), [ADDRESS]).as_pointer()
        function = self.builder.load(self.builder.gep(start, [where], source_etype=I64), typ=kind)
        after = self.builder.gep(start, [self.builder.add(where, I64(1))], source_etype=I64)
        self.builder.call(function, [self.builder.load(after, typ=ADDRESS)])
        return Value(I64(0), WHOLE)

    def call_known(self, node: ast.expr) -> Value:
        """Return whether a number is one; it nearly always is, and a condition that is this alone says so to LLVM."""
        number = self.as_kind(self.visit(node), NUMBER)
        return Value(compared(self.builder, "==", number, number), TRUTH)

    def call_int(self, node: ast.expr) -> Value:
        """Return a number without what follows its point."""
        value: Value = self.visit(node)
        cut = value.kind == NUMBER
        return Value(self.builder.fptosi(value.of, I64) if cut else self.as_kind(value, WHOLE), WHOLE)

    def call_abs(self, node: ast.expr) -> Value:
        """Return how far a value is from 0."""
        value: Value = self.visit(node)
        if value.kind == NUMBER:
            return Value(FUNCTIONS["abs"](self.builder, value.of), NUMBER)
        whole = self.as_kind(value, WHOLE)
        negative = self.builder.icmp_signed("<", whole, I64(0))
        return Value(self.builder.select(negative, self.builder.neg(whole), whole), WHOLE)

    def call_max(self, *nodes: ast.expr) -> Value:
        """Return the highest, of equal ones the first."""
        return self.extreme(">", nodes)

    def call_min(self, *nodes: ast.expr) -> Value:
        """Return the lowest, of equal ones the first."""
        return self.extreme("<", nodes)

    def extreme(self, sign: str, nodes: Sequence[ast.expr]) -> Value:
        """Return the first of some values that none of the others beats."""
        values = [self.visit(node) for node in nodes]
        kind = max(WHOLE, *(value.kind for value in values))
        best, *others = (self.as_kind(value, kind) for value in values)
        for other in others:
            best = self.builder.select(compared(self.builder, sign, other, best), other, best)
        return Value(best, kind)


def refusal(node: ast.AST) -> TypeError:
    """Return the error for what the language does not have."""
    return TypeError(f"a loop cannot hold {ast.unparse(node)!r:.80} (line {getattr(node, 'lineno', 0)} of its text)")
