"""What names mean in an expression, and how much all that they mean may come to."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from feature_store.bars import FEATURE_COLUMNS
from feature_store.errors import FeatureNotFoundError, InvalidRequestError
from feature_store.indicators.operators import aliases, operators
from feature_store.indicators.registry import SkippedPluginError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from feature_store.indicators.definition import Definition
    from feature_store.indicators.feature import Feature
    from feature_store.indicators.registry import Registry
    from feature_store.indicators.series import Series

MAX_NODES = 1_024
MAX_STEPS = 24
"""Twice what a plan puts into one loop: compiling takes longer than in proportion to a loop's steps."""
MAX_READ = 4_096
"""Parts that are read, those of custom indicators called among them: calls of calls of calls may be many and yet make
one node."""


class Vocabulary:
    """What names mean in an expression; what was looked up once keeps its meaning, whatever is registered later."""

    def __init__(self, registry: Registry) -> None:
        self._registry: Registry | None = registry
        self._called: dict[str, Definition | None] = {}
        self._spelt: dict[str, Feature | None] = {}

    def close(self) -> None:
        """Forget the registry: from now on a name means what it meant when it was looked up."""
        self._registry = None

    @property
    def used(self) -> tuple[Definition, ...]:
        """Every definition that was found, once each, by name."""
        every = [d for d in self._called.values() if d] + [f.definition for f in self._spelt.values() if f]
        return tuple(sorted(dict.fromkeys(every), key=lambda each: each.name))

    def called(self, name: str) -> Definition | None:
        """Return the indicator or operator that `name(...)` calls."""
        if name not in self._called and self._registry is not None:
            word = aliases.get(name, name)
            self._called[name] = self._registry.find(word) or operators.get(word)
        return self._called.get(name)

    def spelt(self, name: str) -> Feature | None:
        """Return the feature that `name` spells, `rsi_14` or `bbands_20_2__upper`, or None."""
        if name not in self._spelt and self._registry is not None:
            stem, _, output = name.partition("__")
            word = aliases.get(stem, stem) + (f".{output}" if output else "")
            try:
                self._spelt[name] = self._registry.parse(word)
            except SkippedPluginError:
                raise
            except FeatureNotFoundError:
                self._spelt[name] = None
        return self._spelt.get(name)

    def meaning(self, name: str) -> Definition | None:
        """Return the definition that a name was found to mean, called or by its id."""
        feature = self._spelt.get(name)
        return feature.definition if feature else self._called.get(name.partition("__")[0])

    def near(self, name: str, others: Iterable[str]) -> str:
        """Return the end of a message: the names that look like this one."""
        known = [*others, *FEATURE_COLUMNS, *operators, *aliases, *(self._registry.names() if self._registry else ())]
        found = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.6)
        return f"; did you mean {' or '.join(found)}?" if found else "; see feature-store catalog"


class Graph:
    """What one reading has read and made, over all definitions it went through, and its bounds."""

    def __init__(self) -> None:
        self.made: dict[tuple[object, ...], tuple[Series, ...]] = {}
        self._seen: set[str] = set()
        self._steps = 0
        self._parts = 0

    def read(self, parts: int) -> None:
        """Count what is about to be read; raises InvalidRequestError where it is too much."""
        self._parts += parts
        if self._parts > MAX_READ:
            msg = f"all in all, with what it calls, this has more than {MAX_READ:,} parts; ask for less"
            raise InvalidRequestError(msg, field="expression")

    def take(self, nodes: Sequence[Series]) -> None:
        """Count what is new below these nodes; raises InvalidRequestError where it is too much to compile."""
        pending = [node for node in nodes if node.key not in self._seen]
        while pending:
            node = pending.pop()
            if node.key in self._seen:
                continue
            self._seen.add(node.key)
            self._steps += node.kind == "step"
            if len(self._seen) > MAX_NODES or self._steps > MAX_STEPS:
                msg = f"all in all this is made of more than {MAX_STEPS} windows or {MAX_NODES:,} operations; ask for less"
                raise InvalidRequestError(msg, field="expression")
            pending.extend(node.inputs)
