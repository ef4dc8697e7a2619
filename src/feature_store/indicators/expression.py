"""Expressions: the text of a custom indicator, read into the graph that built-ins are. Nothing of it is ever run as Python.

    zscore(close - ema(close, n), n)            indicators of any series; numbers and declared parameters after them
    close > bbands_20_2__upper                  an indicator by its id, two underscores before an output
    macd__signal(hl2, 12, 26, 9)                one output of a call; without, a call has the first
    atr(14) / close                             without series a call takes the bar's own
    close if rising(close, 3) else lag(close)   also where(condition, a, b); and, or, not, > < >= <= == !=
    (high - low) ** 2                           + - * / and whole powers from 2 to 8

1. The text is bounded and parsed by `ast`, which makes a tree and runs nothing; the tree is bounded too.
2. The tree is walked once for each set of parameters. What the list below does not name is refused: there are no attributes,
   subscripts, strings, loops, functions or assignments in this language.
3. A number that is known before any bar, such as `2 * n - 1`, carries the range it may take, so that a registered expression
   keeps the rules of everything it calls whatever its parameters.

NaN means not known, here as everywhere: a condition of what is not known is not known. Any number but 0 counts as true. The
warm-up is the row by which all parts can be known; `where` needs only the part it chooses, so it may have values before, and
`bars_since` and `value_when` have none until their condition has held.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from feature_store.bars import FEATURE_COLUMNS
from feature_store.clock import CLOCK
from feature_store.errors import InvalidRequestError
from feature_store.indicators.expression_names import Graph
from feature_store.indicators.expression_numbers import declared, given
from feature_store.indicators.expression_reader import Reader
from feature_store.indicators.expression_scope import Scope
from feature_store.indicators.series import Series, price

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feature_store.indicators.definition import Definition
    from feature_store.indicators.expression_names import Vocabulary
    from feature_store.indicators.expression_text import Expression, ExpressionError
    from feature_store.indicators.parameters import Parameter, Value


@dataclass(frozen=True, eq=False)
class Expressions:
    """The body of a custom indicator: one expression for each output; a later one may use the outputs before it by name.

    Args:
        lines: by output.
        parameters: those it declares.
        vocabulary: what its names mean.
        description: words for a person.
        inputs: the bar columns it takes.
    """

    lines: Mapping[str, Expression]
    parameters: Mapping[str, Parameter]
    vocabulary: Vocabulary
    description: str = ""
    inputs: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Read everything once, over all that the parameters may be; raises InvalidRequestError pointing at the trouble."""
        known = {name: declared(parameter) for name, parameter in self.parameters.items()}
        scope = Scope({name: price(name) for name in (*FEATURE_COLUMNS, *CLOCK)}, known, Graph())
        self._read(scope)
        idle = [name for name in self.parameters if name not in scope.touched]
        if idle:
            msg = f"the parameter {idle[0]} is used nowhere; use it, or do not declare it"
            raise InvalidRequestError(msg, field=f"parameters.{idle[0]}")
        object.__setattr__(self, "inputs", tuple(name for name in scope.columns if name in scope.touched))
        self.vocabulary.close()

    def __repr__(self) -> str:
        return f"<Expressions {', '.join(self.lines)}>"

    def __call__(self, *inputs: Series, **parameters: Value) -> tuple[Series, ...]:
        """Return the outputs over `inputs`; raises InvalidRequestError where parameters break a rule together."""
        return self.build(inputs, parameters, Graph())

    def build(self, inputs: Sequence[Series], parameters: Mapping[str, Value], graph: Graph) -> tuple[Series, ...]:
        """Return the outputs over `inputs` as part of a larger graph."""
        known = {name: given(value) for name, value in parameters.items()}
        return self._read(Scope(dict(zip(self.inputs, inputs, strict=True)), known, graph))

    @property
    def text(self) -> str:
        """Everything that decides its values: each expression in its one spelling, and the version of all it calls."""
        lines = [f"{output} = {line.normal}" for output, line in self.lines.items()]
        return "\n".join(lines + [f"{each.name} {each.content_hash}" for each in self.vocabulary.used])

    @cached_property
    def levels(self) -> int:
        """How many custom indicators deep it is: 1 where it calls none."""
        return 1 + max(map(levels_of, self.uses), default=0)

    @property
    def uses(self) -> tuple[Definition, ...]:
        """The definitions it is made of."""
        return self.vocabulary.used

    def refusal(self, used: Definition, rule: str) -> ExpressionError:
        """Return the refusal of the first part that calls a definition."""
        line, node = next(
            (line, node)
            for line in self.lines.values()
            for node in line.names
            if self.vocabulary.meaning(node.id) is used
        )
        return line.refusal(node, rule)

    @property
    def doc(self) -> str:
        """What it is for, and its expressions."""
        spelt = [f"{output} = {line.text}" if len(self.lines) > 1 else line.text for output, line in self.lines.items()]
        return "\n".join(filter(None, [self.description, *spelt]))

    def describe(self) -> dict[str, Any]:
        """Return plain data for a catalog: that it is custom, what it says, and its lineage."""
        return {
            "custom": True,
            "expression": {output: line.text for output, line in self.lines.items()},
            "uses": [f"{each.name}:v{each.version}" for each in self.uses],
        }

    def _read(self, scope: Scope) -> tuple[Series, ...]:
        scope.graph.read(sum(line.parts for line in self.lines.values()))
        for output, line in self.lines.items():
            scope.outputs[output] = Reader(line, scope, self.vocabulary).answer()
        return tuple(scope.outputs.values())


def levels_of(definition: Definition) -> int:
    """Return how many custom indicators deep a definition is: 0 for a built-in."""
    return definition.formula.levels if isinstance(definition.formula, Expressions) else 0
