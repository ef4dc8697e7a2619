"""What may be asked, as pydantic models: they name fields and refuse unknown ones; `FeatureRequest` checks the rest."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr

from feature_store.bars import TIMEFRAMES
from feature_store.indicators.catalog import feature, parse
from feature_store.indicators.registry import Registry
from feature_store.wire import MAX_ID_LENGTH, FeatureRequest

_TIME = "bar-open time: ISO 8601 (without an offset it is UTC), or epoch milliseconds"
_EPOCH_DIGITS = 12  # fewer digits are an ISO date without dashes

SymbolText = Annotated[
    str, Field(min_length=1, max_length=32, description="instrument, in any common spelling", examples=["EUR/USD"])
]
TimeframeText = Annotated[
    str,
    Field(
        max_length=16, description="length of a bar", json_schema_extra={"enum": [known.name for known in TIMEFRAMES]}
    ),
]
Time = Annotated[
    str | int | None, Field(description=_TIME, examples=["2023-01-01", "2023-01-01T17:00:00Z", 1672531200000])
]
End = Annotated[
    str | int | None,
    Field(description=_TIME + "; exclusive, but a bare date covers that whole day", examples=["2023-01-31"]),
]


class SeriesQuestion(BaseModel):
    """Bars of one series in `[start, end)`; a side left out is open."""

    model_config = ConfigDict(extra="forbid")

    symbol: SymbolText
    timeframe: TimeframeText = "1h"
    start: Time = None
    end: End = None

    def request(self) -> FeatureRequest:
        """Return the question in canonical form; raises InvalidRequestError."""
        return self._of(())

    def _of(self, indicators: tuple[str, ...]) -> FeatureRequest:
        return FeatureRequest.of(self.symbol, self.timeframe, _time(self.start), _time(self.end), indicators)


class FeaturesQuestion(SeriesQuestion):
    """Features of one series, named by id, separated by commas or given again and again."""

    indicators: Annotated[list[str], Field(min_length=1, examples=[["sma_50,rsi_14"]])]

    def request(self) -> FeatureRequest:
        """Return the question in canonical form; raises InvalidRequestError."""
        return self._of(tuple(name for group in self.indicators for name in group.split(",")))


class ComputeQuestion(SeriesQuestion):
    """One feature, by an indicator's name and parameters or by a full id."""

    feature_name: Annotated[str, Field(min_length=1, max_length=MAX_ID_LENGTH, examples=["rsi", "rsi_14"])]
    parameters: Annotated[
        dict[str, StrictInt | StrictFloat | StrictStr], Field(max_length=32, examples=[{"period": 14}])
    ] = {}

    def request_in(self, registry: Registry) -> FeatureRequest:
        """Return the question in canonical form; raises FeatureNotFoundError and InvalidRequestError."""
        name, parameters = self.feature_name, self.parameters
        found = feature(name, parameters, registry=registry) if parameters else parse(name, registry)
        return self._of((found.asked or found.id,))


def _time(value: str | int | None) -> str | int | None:
    """Return a time as FeatureRequest takes it: text of many digits is epoch milliseconds, as answers have them."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) >= _EPOCH_DIGITS:
        return int(value)
    return value
