"""The walk over an expression's tree: what the language has becomes nodes of the graph, all else is refused where it stands."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast

from feature_store.errors import InvalidRequestError
from feature_store.indicators.expression_numbers import MAX_CONSTANT, Scalar, Word, given, refuse_range
from feature_store.indicators.expression_text import short
from feature_store.indicators.operators import is_operator, operators
from feature_store.indicators.series import Series, in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feature_store.indicators.definition import Definition
    from feature_store.indicators.expression_names import Graph, Vocabulary
    from feature_store.indicators.expression_numbers import Known
    from feature_store.indicators.expression_scope import Scope
    from feature_store.indicators.expression_text import Expression
    from feature_store.indicators.feature import Feature
    from feature_store.indicators.parameters import Value

MAX_EXPONENT = 8

_FOLDED = frozenset({"min", "max"})
_COMPARISONS = {ast.Gt: ">", ast.Lt: "<", ast.GtE: ">=", ast.LtE: "<=", ast.Eq: "same", ast.NotEq: "same"}
_ARITHMETIC = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_ELSE = "this is not part of the language; it has numbers, names, calls and + - * / > < and or not"
_WAYS_OUT: dict[type[ast.AST], str] = {
    ast.Attribute: "there are no attributes; an output is written macd__signal(close), a shift lag(close, 1)",
    ast.Subscript: "there are no subscripts; the value of the bar before is lag(close, 1)",
    ast.Lambda: "there are no functions of your own; register a part of it as an indicator and call that",
    ast.NamedExpr: "there are no assignments; give the part an output of its own, or register it",
    ast.Starred: "arguments are written out one by one",
    ast.Tuple: "there is one value; several outputs are several expressions by name",
    ast.MatMult: "there are + - * / and **",
    ast.Mod: "there is no remainder; write a - floor(a / b) * b",
    ast.FloorDiv: "// divides whole numbers that are known before any bar; of series write floor(a / b)",
    ast.BitAnd: "write and between conditions",
    ast.BitOr: "write or between conditions",
    ast.BitXor: "a power is written **",
    ast.Invert: "write not before a condition",
    ast.LShift: "there are + - * / and **",
    ast.RShift: "there are + - * / and **",
    ast.In: "there are > < >= <= == and !=",
    ast.NotIn: "there are > < >= <= == and !=",
    ast.Is: "write == between numbers",
    ast.IsNot: "write != between numbers",
}


class Nested(Protocol):
    """A formula that can be read as part of a larger graph."""

    def build(self, inputs: Sequence[Series], parameters: Mapping[str, Value], graph: Graph) -> tuple[Series, ...]:
        """Return the outputs over `inputs`, counted in `graph`."""


class Reader(ast.NodeVisitor):
    """Reads one expression; `visit` gives a `Series`, or a `Scalar` for what is known before any bar."""

    def __init__(self, expression: Expression, scope: Scope, vocabulary: Vocabulary) -> None:
        self.expression, self.scope, self.vocabulary = expression, scope, vocabulary

    def answer(self) -> Series:
        """Return the series that the expression means; raises InvalidRequestError pointing at what it cannot mean."""
        tree = self.expression.tree
        found = self.visit(tree)
        if isinstance(found, Scalar) or all(node.kind != "price" for node in in_order([found])):
            raise self._refusal(
                tree, "an indicator is made of bars, and this is the same on every bar; use close, high ..."
            )
        return self.scope.bounded(found)

    # ---------------------------------------------------------------- nodes
    def generic_visit(self, node: ast.AST) -> Series | Scalar:
        """Refuse what no method below reads."""
        raise self._refusal(node, _WAYS_OUT.get(type(node), _ELSE))

    def visit_Constant(self, node: ast.Constant) -> Scalar:
        """Return a number."""
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._refusal(node, "a number is written as in 20 or 0.5; conditions are 1 and 0")
        if not abs(value) <= MAX_CONSTANT:
            raise self._refusal(node, f"a number is at most {MAX_CONSTANT:.0e}")
        return Scalar.of(value)

    def visit_Name(self, node: ast.Name) -> Series | Scalar:
        """Return what a name means: an output above, a parameter, a bar column or a feature by its id."""
        name, scope = node.id, self.scope
        if name in scope.outputs:
            return scope.outputs[name]
        if name in scope.known:
            known = self.scope.parameter(name)
            if isinstance(known, Word):
                raise self._refusal(node, f"{name} is a word; it can only be handed to an indicator that chooses")
            return known
        if name in scope.columns:
            return self.scope.column(name)
        feature = self._feature(node)
        outputs = self._applied(node, feature.definition, self._columns(feature.definition), feature.parameters, {})
        return outputs[feature.definition.outputs.index(feature.output) if feature.output else 0]

    def visit_BinOp(self, node: ast.BinOp) -> Series | Scalar:
        """Return arithmetic, done at once where both sides are known."""
        if isinstance(node.op, ast.Pow):
            return self._power(node)
        left, right = self.visit(node.left), self.visit(node.right)
        sign = "//" if isinstance(node.op, ast.FloorDiv) else _ARITHMETIC.get(type(node.op))
        if sign is None:
            raise self._refusal(node, _WAYS_OUT[type(node.op)])
        if isinstance(left, Scalar) and isinstance(right, Scalar):
            return self._combined(node, sign, left, right)
        if sign == "//":
            raise self._refusal(node, _WAYS_OUT[ast.FloorDiv])
        if sign == "/" and isinstance(right, Scalar) and right.may_be_zero:
            raise self._refusal(
                node.right, "this is 0, and divides" if right.is_fixed else "this may be 0, and divides"
            )
        return self.scope.operation(sign, self.scope.series(left), self.scope.series(right))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Series | Scalar:
        """Return the number with its sign changed, or 1 where the condition does not hold."""
        if isinstance(node.op, ast.Not):
            return self.scope.negated(self.scope.bounded(self._series(node.operand)))
        if isinstance(node.op, ast.Invert):
            raise self._refusal(node, _WAYS_OUT[ast.Invert])
        found = self.visit(node.operand)
        if isinstance(node.op, ast.UAdd):
            return cast("Series | Scalar", found)
        return -found if isinstance(found, Scalar) else self.scope.operation("neg", found)

    def visit_BoolOp(self, node: ast.BoolOp) -> Series:
        """Return 1 where all conditions hold, or where any does."""
        conditions = [self.scope.condition(self._series(each)) for each in node.values]
        return self.scope.joined("both" if isinstance(node.op, ast.And) else "either", conditions)

    def visit_Compare(self, node: ast.Compare) -> Series:
        """Return 1 where the comparison holds; a chain is every comparison in it."""
        sides = [self.scope.bounded(self._series(each)) for each in (node.left, *node.comparators)]
        found = []
        for sign, a, b in zip(node.ops, sides, sides[1:], strict=False):
            name = _COMPARISONS.get(type(sign))
            if name is None:
                raise self._refusal(node, _WAYS_OUT[type(sign)])
            holds = self.scope.compared(name, a, b)
            found.append(self.scope.negated(holds) if isinstance(sign, ast.NotEq) else holds)
        return self.scope.joined("both", found)

    def visit_IfExp(self, node: ast.IfExp) -> Series:
        """Return one series where a condition holds, else the other."""
        condition, then, otherwise = (self._series(each) for each in (node.test, node.body, node.orelse))
        return self.scope.operation("where", self.scope.bounded(condition), then, otherwise)

    def visit_Call(self, node: ast.Call) -> Series:
        """Return an output of an indicator or an operator."""
        if not isinstance(node.func, ast.Name):
            rule = _WAYS_OUT.get(type(node.func), "only names are called, as in ema(close, 20)")
            raise self._refusal(node.func, rule)
        if node.keywords:
            raise self._refusal(node.keywords[0], "arguments go by their place: ema(close, 20)")
        stem, _, output = node.func.id.partition("__")
        definition = self._definition(node.func, stem)
        if output and output not in definition.outputs:
            has = ", ".join(definition.outputs) if len(definition.outputs) > 1 else "only one"
            raise self._refusal(node.func, f"{stem} has no output {short(output)}; it has {has}")
        if definition.name in _FOLDED and len(node.args) > 2:
            return self._folded(node, definition)
        inputs, values, places = self._arguments(node, definition)
        made = self._applied(node, definition, inputs, values, places)
        return made[definition.outputs.index(output) if output else 0]

    # ---------------------------------------------------------------- arithmetic
    def _combined(self, node: ast.expr, sign: str, left: Scalar, right: Scalar) -> Scalar:
        try:
            return left.combined(sign, right)
        except InvalidRequestError as problem:
            raise self._refusal(node, str(problem)) from None

    def _power(self, node: ast.BinOp) -> Series | Scalar:
        base, exponent = self.visit(node.left), self.visit(node.right)
        fixed = isinstance(exponent, Scalar) and exponent.is_fixed
        if not fixed or exponent.value not in range(2, MAX_EXPONENT + 1):
            rule = f"a power is a whole number from 2 to {MAX_EXPONENT}; else write exp(y * log(x))"
            raise self._refusal(node.right, rule)
        times = partial(self._combined, node, "*") if isinstance(base, Scalar) else partial(self.scope.operation, "*")
        product = base
        for _ in range(int(exponent.value) - 1):
            product = times(product, base)
        return cast("Series | Scalar", product)

    def _series(self, node: ast.expr) -> Series:
        return self.scope.series(self.visit(node))

    # ---------------------------------------------------------------- calls
    def _folded(self, node: ast.Call, definition: Definition) -> Series:
        """Return `min` or `max` of more than two."""
        first, *others = (self.scope.bounded(self._series(each)) for each in node.args)
        for each in others:
            (first,) = self._applied(node, definition, (first, each), {}, {})
        return first

    def _arguments(
        self, node: ast.Call, definition: Definition
    ) -> tuple[tuple[Series, ...], dict[str, Known], dict[str, ast.expr]]:
        """Return the series of a call, its parameters by name, and where those stand."""
        options = {option for parameter in definition.parameters.values() for option in parameter.options}
        found = [self._argument(each, options) for each in node.args]
        count = len(definition.inputs)
        leading = next((place for place, each in enumerate(found) if not isinstance(each, Series)), len(found))
        taken = count if is_operator(definition) or leading else 0
        if taken > len(found) or not (is_operator(definition) or leading in {0, count}):
            raise self._refusal(node, f"{_usage(definition)}; {leading} series given")
        if len(found) - taken > len(definition.parameters):
            extra = node.args[taken + len(definition.parameters)]
            raise self._refusal(extra, f"one argument too many; {_usage(definition)}")
        series: list[Series] = []
        for each, place in zip(found[:taken], node.args, strict=False):
            if isinstance(each, Word):
                raise self._refusal(place, f"a series is asked for here; {_usage(definition)}")
            series.append(self.scope.bounded(self.scope.series(each)))
        values: dict[str, Known] = {}
        places = dict(zip(definition.parameters, node.args[taken:], strict=False))
        for (name, place), value in zip(places.items(), found[taken:], strict=True):
            if isinstance(value, Series):
                rule = f"{name} must be known before any bar: a number or a parameter; {_usage(definition)}"
                raise self._refusal(place, rule)
            values[name] = value
        return tuple(series) if taken else self._columns(definition), values, places

    def _argument(self, node: ast.expr, options: set[str]) -> Series | Known:
        if isinstance(node, ast.Name) and node.id in self.scope.known:
            return self.scope.parameter(node.id)
        if isinstance(node, ast.Name) and node.id in options:
            return given(node.id)
        return cast("Series | Scalar", self.visit(node))

    def _applied(
        self,
        node: ast.expr,
        definition: Definition,
        inputs: tuple[Series, ...],
        values: Mapping[str, Known | Value],
        places: Mapping[str, ast.expr],
    ) -> tuple[Series, ...]:
        """Return the outputs of a definition, made once for equal inputs and parameters."""
        known = {name: value if isinstance(value, Scalar | Word) else given(value) for name, value in values.items()}
        graph = self.scope.graph
        try:
            for name, value in known.items():
                refuse_range(value, definition.parameters[name], definition.name, name)
            resolved = definition.resolve({name: value.value for name, value in known.items()})
            key = (definition, *(each.key for each in inputs), *resolved.values())
            if key not in graph.made:
                graph.made[key] = self._built(definition, inputs, resolved)
                graph.take(graph.made[key])
        except InvalidRequestError as problem:
            place = places.get(problem.field or "", node)
            rule = short(str(problem).splitlines()[0], 240)
            low = isinstance(found := known.get(problem.field or ""), Scalar) and found.low < 0
            raise self._refusal(place, rule + ("; there are no bars to come" if low else "")) from None
        return graph.made[key]

    def _built(
        self, definition: Definition, inputs: tuple[Series, ...], resolved: dict[str, Value]
    ) -> tuple[Series, ...]:
        if definition.formula is None:
            return definition.of(inputs, resolved)
        return cast("Nested", definition.formula).build(inputs, resolved, self.scope.graph)

    # ---------------------------------------------------------------- names
    def _columns(self, definition: Definition) -> tuple[Series, ...]:
        return tuple(self.scope.column(name) for name in definition.inputs)

    def _definition(self, node: ast.Name, name: str) -> Definition:
        try:
            found = self.vocabulary.called(name)
        except InvalidRequestError as problem:
            raise self._refusal(node, short(str(problem), 240)) from None
        if found is None:
            raise self._unknown(node, name)
        return found

    def _feature(self, node: ast.Name) -> Feature:
        try:
            found = self.vocabulary.spelt(node.id)
        except InvalidRequestError as problem:
            raise self._refusal(node, short(str(problem).splitlines()[0], 240)) from None
        if found is None:
            raise self._unknown(node, node.id)
        return found

    def _unknown(self, node: ast.Name, name: str) -> InvalidRequestError:
        if name == self.expression.line.label.partition(".")[0]:
            rule = "an indicator cannot call itself"
        elif name in operators:
            rule = f"{name} is called with what it works on: {_usage(operators[name])}"
        elif name in self.scope.columns or name in self.scope.known or name in self.scope.outputs:
            rule = f"{name} is not called; it stands without parentheses"
        else:
            near = self.vocabulary.near(name, [*self.scope.known, *self.scope.outputs])
            rule = f"nothing is called {short(name)}{near}"
        return self._refusal(node, rule)

    def _refusal(self, node: ast.AST, rule: str) -> InvalidRequestError:
        return self.expression.refusal(node, rule)


def _usage(definition: Definition) -> str:
    series, values = list(definition.inputs), list(definition.parameters)
    spelt = f"write {definition.name}({', '.join([*series, *values])})"
    return spelt if is_operator(definition) else f"{spelt}, or {definition.name}({', '.join(values)}) of the bar itself"
