"""Many features at once: what they share computed once, fused into a few loops, on all cores.

1. Each feature becomes series; equal series of different features are one.
2. Series are fused into loops of bounded size, which hand columns to later loops (`fusion`).
3. Loops fill their rows of the answer block by block, so that nothing but the answer grows with the bars; they release the
   interpreter's lock and run on threads where there are bars enough (`schedule`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import numpy as np

from feature_store.clock import CLOCK
from feature_store.engine import generated
from feature_store.engine.fusion import fuse
from feature_store.engine.schedule import TURNS, cores, run_in_order, run_on_threads
from feature_store.errors import FeatureNotFoundError, InvalidRequestError
from feature_store.indicators.catalog import Feature, parse
from feature_store.indicators.series import Series, in_order

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from feature_store.bars import Floats, Integers
    from feature_store.engine.loop import Loop

_BARS_WORTH_A_THREAD = 20_000
_BLOCK = 1 << 15
_SPARE_BYTES = 16 * 2**20
"""The most that columns handed from loop to loop may take."""


@dataclass(frozen=True, eq=False)
class Plan:
    """Features made ready to run; the same features give the same plan object."""

    features: tuple[Feature, ...]

    def __repr__(self) -> str:
        return f"<Plan {len(self.features)} features in {len(self.loops)} loops>"

    @classmethod
    def of(cls, features: Iterable[str | Feature]) -> Plan:
        """Return the plan of feature ids; raises what `parse` raises, and InvalidRequestError for none or another timeframe's.

        >>> Plan.of(["sma_50", "macd"]).columns
        ('sma_50', 'macd.line', 'macd.signal', 'macd.histogram')
        """
        made = tuple(each if isinstance(each, Feature) else parse(each) for each in listed(features))
        return _plan(made, tuple(each.asked for each in made))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The label of each row of the answer."""
        return tuple(column for feature in self.features for column in feature.columns)

    @cached_property
    def series(self) -> tuple[Series, ...]:
        """The series of each row of the answer."""
        return tuple(node for feature in self.features for node in feature.series)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """The bar columns and clocks it needs."""
        return tuple(dict.fromkeys(node.what for node in in_order(self.series) if node.kind == "price"))

    @cached_property
    def prices(self) -> tuple[str, ...]:
        """The inputs that a bar holds."""
        return tuple(name for name in self.inputs if name not in CLOCK)

    @cached_property
    def clock(self) -> tuple[str, ...]:
        """The inputs that follow from the time at which a bar opens."""
        return tuple(name for name in self.inputs if name in CLOCK)

    @cached_property
    def versions(self) -> dict[str, str]:
        """Column -> version of its definition."""
        return {column: feature.version for feature in self.features for column in feature.columns}

    @cached_property
    def warmups(self) -> dict[str, int]:
        """Column -> first row of clean bars with a value."""
        return {c: row for f in self.features for c, row in zip(f.columns, f.warmups, strict=True)}

    @cached_property
    def settlings(self) -> dict[str, int]:
        """Column -> first row on which no seed weighs more than 1e-8."""
        return {c: row for f in self.features for c, row in zip(f.columns, f.settlings, strict=True)}

    @cached_property
    def _fused(self) -> tuple[tuple[Loop, ...], tuple[tuple[int, ...], ...]]:
        return fuse([feature.series for feature in self.features])

    @property
    def loops(self) -> tuple[Loop, ...]:
        """The loops, in the order in which they run."""
        return self._fused[0]

    @cached_property
    def rows(self) -> tuple[Integers, ...]:
        """For each loop, the rows of the answer that it fills."""
        return tuple(np.array(rows, np.int64) for rows in self._fused[1])

    @cached_property
    def bounds(self) -> tuple[int, ...]:
        """Where each loop's words begin in the plan's, and where the last one's end."""
        return (0, *np.cumsum([len(loop.words) for loop in self.loops]).tolist())

    @cached_property
    def handed(self) -> dict[Series, int]:
        """What loops hand to later ones -> its row among all that is handed on."""
        return {node: row for row, node in enumerate(node for loop in self.loops for node in loop.handed)}

    @cached_property
    def tops(self) -> tuple[int, ...]:
        """Where the rows that each loop hands on begin, and where the last one's end."""
        return (0, *np.cumsum([len(loop.handed) for loop in self.loops]).tolist())

    @cached_property
    def needs(self) -> tuple[tuple[int, ...], ...]:
        """For each loop, the loops that hand columns to it."""
        homes = {node: place for place, loop in enumerate(self.loops) for node in loop.handed}
        return tuple(tuple({homes[node] for node in loop.given}) for loop in self.loops)

    @cached_property
    def addresses(self) -> list[int]:
        """Where the machine code of each loop stands; the first time on a machine this takes a moment."""
        return generated.addresses([(loop.text, len(loop.answers)) for loop in self.loops])

    @cached_property
    def words(self) -> Integers:
        """Parameters and initial state of all loops; copy before running."""
        return np.concatenate([loop.words for loop in self.loops])

    def run(self, columns: Mapping[str, Floats], words: Integers | None = None) -> Floats:
        """Return one row for each of `columns`: float64, rows x bars.

        Args:
            columns: contiguous float64 arrays of one length n, finite or NaN, for each of `inputs`.
            words: state to continue from, changed in place to the state after the last bar; None begins anew.
        """
        (bars,) = {len(columns[name]) for name in self.inputs}
        out = np.empty((len(self.series), bars))
        self.fill(columns, self.words.copy() if words is None else words, list(out))
        return out

    def fill(self, columns: Mapping[str, Floats], words: Integers, out: Sequence[Floats]) -> None:
        """Write what `run` returns into arrays that the caller has, a contiguous one of n float64 for each of `columns`."""
        held = {name: np.ascontiguousarray(columns[name], dtype=np.float64) for name in self.inputs}
        (bars,) = {len(column) for column in (*held.values(), *out)}
        many = len(self.loops) > 1 and bars >= _BARS_WORTH_A_THREAD and cores() > 1
        size = _block(bars, len(self.handed), many=many)
        spare = np.empty((TURNS, len(self.handed), size))
        calls = [[Call(self, place, held, words, out, turn) for turn in spare] for place in range(len(self.loops))]

        def run(place: int, block: int) -> None:
            calls[place][block % TURNS](block * size, min((block + 1) * size, bars))

        blocks = -(-bars // size)
        if many:
            run_on_threads(self.needs, blocks, run)
        else:
            run_in_order(len(self.loops), blocks, run)


class Call:
    """A loop with the arrays it works on, which must outlive it.

    Args:
        plan: whose loop.
        place: which of its loops.
        columns: of the bars, each contiguous and as long as `out` is wide.
        words: of the plan.
        out: the whole answer, an array for each column.
        spare: what loops hand on, rows x bars of a block.
    """

    def __init__(
        self,
        plan: Plan,
        place: int,
        columns: Mapping[str, Floats],
        words: Integers,
        out: Sequence[Floats],
        spare: Floats,
    ) -> None:
        loop = plan.loops[place]
        self.address = plan.addresses[place]
        self._run = generated.caller(self.address)
        read = [columns[name].ctypes.data for name in loop.columns]
        given = [_row(spare, plan.handed[node]) for node in loop.given]
        mine = words[plan.bounds[place] :].ctypes.data
        written = [out[row].ctypes.data for row in plan.rows[place].tolist()]
        handed = [_row(spare, row) for row in range(plan.tops[place], plan.tops[place + 1])]
        self._first = np.array([0, *read, *given, mine, *written, *handed])
        moving = [0, *(8 for _ in read), *(0 for _ in given), 0, *(8 for _ in written), *(0 for _ in handed)]
        self._moving = np.array(moving)
        self.arguments = self._first.copy()

    def __repr__(self) -> str:
        return f"<Call at {self.address:#x}>"

    def __call__(self, start: int, stop: int) -> None:
        """Run the loop over the bars from `start` up to `stop`."""
        np.multiply(self._moving, start, out=self.arguments)
        self.arguments += self._first
        self.arguments[0] = stop - start
        self._run(self.arguments.ctypes.data)


def _row(table: Floats, row: int) -> int:
    """Return the address of a row."""
    return int(table.ctypes.data + row * table.strides[0])


def _block(bars: int, handed: int, *, many: bool) -> int:
    """Return how many bars to a block: all where nothing is handed on and nobody waits."""
    if not handed and not many:
        return max(bars, 1)
    return min(max(bars, 1), _BLOCK, _SPARE_BYTES // (8 * TURNS * max(handed, 1)))


def listed(features: Iterable[str | Feature] | str) -> list[str | Feature]:
    """Return features as a list, those of a text apart at commas; raises FeatureNotFoundError for what is no id.

    >>> listed("sma_50, rsi_14")
    ['sma_50', 'rsi_14']
    """
    if isinstance(features, str):
        return [each.strip() for each in features.split(",")]
    each = list(features) if isinstance(features, Iterable) else [features]
    strange = [one for one in each if not isinstance(one, (str, Feature))]
    if strange:
        msg = f"features are ids, as in sma_50; was {strange[0]!r:.60}"
        raise FeatureNotFoundError(msg, field="indicators")
    return each


@lru_cache(maxsize=256)
def _plan(features: tuple[Feature, ...], _asked: tuple[str, ...]) -> Plan:
    """Return the plan; `rsi` and `rsi_14` are equal features with columns of their own, so the words asked count too."""
    if not features:
        msg = "name at least one feature, such as sma_50"
        raise InvalidRequestError(msg, field="indicators")
    elsewhere = next((feature for feature in features if feature.timeframe or feature.symbols), None)
    if elsewhere is not None:
        msg = f"{elsewhere.asked} is of other bars than these; ask a store, which joins timeframes and symbols by time"
        raise InvalidRequestError(msg, field="indicators")
    return Plan(features)
