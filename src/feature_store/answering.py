"""Answers to questions about one series: its bars, or features of them, with where they came from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from feature_store.bars import COLUMNS
from feature_store.errors import DataNotFoundError
from feature_store.forms import Form, check_form, in_form
from feature_store.times import to_iso, to_microseconds
from feature_store.wire import Frame, Provenance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from feature_store.bars import Floats, Integers
    from feature_store.views import View
    from feature_store.virtual import VirtualFeatures
    from feature_store.wire import FeatureRequest

MICROSECONDS_A_MILLISECOND = 1_000


class Answers:
    """Answers questions from virtual features.

    Args:
        virtual: bars and features of any timeframe.
        clock: the time now, in UTC microseconds.
    """

    def __init__(self, virtual: VirtualFeatures, clock: Callable[[], int]) -> None:
        self._virtual = virtual
        self._clock = clock

    def __repr__(self) -> str:
        return f"<Answers of {self._virtual!r}>"

    def frame(self, request: FeatureRequest, as_of: Any) -> Frame:
        """Return the answer as it goes over the wire; raises DataNotFoundError where there are no such bars."""
        opened, columns, provenance = self._answer(request, _moment(as_of))
        symbol, timeframe = request.symbol.name, request.timeframe.name
        return Frame(symbol, timeframe, opened // MICROSECONDS_A_MILLISECOND, columns, provenance)

    def formed(self, request: FeatureRequest, as_of: Any, form: Form) -> Any:
        """Return the answer in a form; raises as `frame` does, and InvalidRequestError for a form that nobody makes."""
        check_form(form)
        opened, columns, provenance = self._answer(request, _moment(as_of))
        return in_form(form, opened, columns, attributes(request, provenance))

    def provenance(self, anchor: int, as_of: int | None, versions: Mapping[str, str]) -> Provenance:
        """Return where values of a series that begins at `anchor` (UTC microseconds) came from."""
        moment = to_iso(self._clock() if as_of is None else as_of)
        return Provenance("live", moment, versions=versions, anchor=anchor // MICROSECONDS_A_MILLISECOND)

    def _answer(self, request: FeatureRequest, as_of: int | None) -> tuple[Integers, dict[str, Floats], Provenance]:
        """Return bar opens, columns and where they came from."""
        view = self._virtual.view(request.symbol, request.timeframe, as_of)
        bars = self._virtual.range(view, request.start, request.end)
        if not len(bars):
            raise self._nothing(request, view, as_of)
        if not request.indicators:
            return bars.time, _held(bars.columns), self.provenance(self._virtual.anchor(view), as_of, {})
        columns, versions = self._virtual.columns(view, request.indicators, as_of, request.start, request.end)
        return bars.time, columns, self.provenance(self._virtual.anchor(view), as_of, versions)

    def _nothing(self, request: FeatureRequest, view: View, as_of: int | None) -> DataNotFoundError:
        wanted = " ".join(
            word
            for word in (
                f"{request.symbol} {request.timeframe}",
                f"from {to_iso(request.start)}" if request.start is not None else "",
                f"up to {to_iso(request.end)}" if request.end is not None else "",
                f"as of {to_iso(as_of)}" if as_of is not None else "",
            )
            if word
        )
        held = self._virtual.range(view, None, None).time
        what = f"runs from {to_iso(int(held[0]))} to {to_iso(int(held[-1]))}" if len(held) else "has no closed bar yet"
        return DataNotFoundError(f"there are no bars of {wanted}; the series known then {what}", field="start")


def attributes(request: FeatureRequest, provenance: Provenance) -> dict[str, Any]:
    """Return what a frame carries beside its columns."""
    return {
        "symbol": request.symbol.name,
        "timeframe": request.timeframe.name,
        "provenance": provenance.to_dict(),
    }


def _moment(as_of: Any) -> int | None:
    return None if as_of is None else to_microseconds(as_of, "as_of")


def _held(columns: Mapping[str, Floats]) -> dict[str, Floats]:
    """Return the columns of every bar, and of spread, bid and ask those that hold a value."""
    return {name: column for name, column in columns.items() if name in COLUMNS or not np.isnan(column).all()}
