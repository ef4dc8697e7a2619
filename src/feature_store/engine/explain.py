"""What a request will do, before it does: what features share, from which row they have values, what has to be compiled."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from feature_store.engine import generated
from feature_store.engine.plan import Plan, listed
from feature_store.indicators.feature import parse
from feature_store.indicators.parameters import spell
from feature_store.indicators.registry import BUILT_INS
from feature_store.indicators.series import in_order
from feature_store.indicators.warmup import memory_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from feature_store.indicators.feature import Feature
    from feature_store.indicators.registry import Registry
    from feature_store.indicators.series import Series

_BYTES_A_WORD = 8


@dataclass(frozen=True, slots=True)
class FeatureExplained:
    """One feature of a request.

    Args:
        id: as it was asked for.
        inputs: the bar columns and clocks that it reads.
        memory: what its values depend on: pointwise, window, recursive, accumulator or state machine.
        warmup: the first row with a value in every column.
        settled: the first row on which no seed weighs more than 1e-8.
        loops: the places of the loops that compute it, from 1.
        version: of its definition.
    """

    id: str
    inputs: tuple[str, ...]
    memory: str
    warmup: int
    settled: int
    loops: tuple[int, ...]
    version: str


@dataclass(frozen=True, slots=True)
class StepExplained:
    """A step that several features need, and that is computed once.

    Args:
        step: its name, parameters and inputs.
        features: which need it.
    """

    step: str
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoopExplained:
    """One compiled loop.

    Args:
        steps: their names.
        answers: how many columns it answers.
        handed: how many columns it hands to later loops.
        state: its parameters and state in bytes.
        compiled: whether this machine has compiled it before; else it takes a fraction of a second.
    """

    steps: tuple[str, ...]
    answers: int
    handed: int
    state: int
    compiled: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a request will do. Features of other symbols and timeframes have loops of their own, over their own bars."""

    features: tuple[FeatureExplained, ...]
    shared: tuple[StepExplained, ...]
    loops: tuple[LoopExplained, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return asdict(self)


def explain(features: Iterable[str | Feature], *, registry: Registry = BUILT_INS) -> Explanation:
    """Return what a request for these features will do; nothing is computed or compiled.

    Args:
        features: ids, those of other symbols and timeframes among them.
        registry: a store's, where features of its own are among them.

    Raises FeatureNotFoundError and InvalidRequestError for ids that `parse` refuses, and for none.

    >>> told = fs.explain(["macd_12_26_9", "apo_12_26"])
    >>> [(each.step, each.features) for each in told.shared]
    [('ema_12 of close', ('macd_12_26_9', 'apo_12_26')), ('ema_26 of close', ('macd_12_26_9', 'apo_12_26'))]
    >>> [(each.id, each.warmup) for each in told.features]
    [('macd_12_26_9', 33), ('apo_12_26', 25)]
    """
    asked = [parse(each, registry) if isinstance(each, str) else each for each in listed(features)]
    told: dict[Feature, FeatureExplained] = {}
    shared: list[StepExplained] = []
    loops: list[LoopExplained] = []
    for mine in _by_bars(asked):
        plan = Plan.of(each.plain for each in mine)
        told.update((each, _feature(each, plan, len(loops) + 1)) for each in mine)
        shared += _shared(mine)
        loops += _loops(plan)
    return Explanation(tuple(told[each] for each in asked), tuple(shared), tuple(loops))


def _by_bars(features: list[Feature]) -> list[list[Feature]]:
    """Return features of the same bars together; no features are one empty request, which a plan refuses."""
    groups: dict[tuple[object, ...], list[Feature]] = {}
    for each in features:
        groups.setdefault((each.symbols, each.timeframe), []).append(each)
    return list(groups.values()) or [[]]


def _feature(feature: Feature, plan: Plan, first: int) -> FeatureExplained:
    needed = {node for node in in_order(feature.series) if node.kind == "step"}
    computing = (not needed.isdisjoint(loop.nodes) or set(feature.series) <= {*loop.answers} for loop in plan.loops)
    return FeatureExplained(
        id=feature.asked or feature.id,
        inputs=tuple(node.what for node in in_order(feature.series) if node.kind == "price"),
        memory=memory_of(feature.series),
        warmup=feature.warmup,
        settled=feature.settled,
        loops=tuple(place for place, it_does in enumerate(computing, first) if it_does),
        version=feature.version,
    )


def _shared(features: list[Feature]) -> list[StepExplained]:
    users: dict[Series, dict[str, None]] = {}
    for feature in features:
        for node in in_order(feature.series):
            if node.kind == "step":
                users.setdefault(node, {})[feature.asked or feature.id] = None
    return [StepExplained(_spelt(node), tuple(names)) for node, names in users.items() if len(names) > 1]


def _loops(plan: Plan) -> list[LoopExplained]:
    return [
        LoopExplained(
            steps=tuple(node.what.name for node in loop.nodes if node.kind == "step"),
            answers=len(loop.answers),
            handed=len(loop.handed),
            state=len(loop.words) * _BYTES_A_WORD,
            compiled=generated.is_compiled(loop.text),
        )
        for loop in plan.loops
    ]


def _spelt(node: Series) -> str:
    """Return a step in words: `ema_12 of close`."""
    return f"{_named(node)} of {', '.join(_short(below) for below in node.inputs)}"


def _named(step: Series) -> str:
    return "_".join((step.what.name, *map(spell, step.parameters)))


def _short(node: Series) -> str:
    if node.kind == "output":
        return _named(node.inputs[0])
    if node.kind == "operation":
        return f"{node.what}({', '.join(_short(below) for below in node.inputs)})"
    return str(node.what)
