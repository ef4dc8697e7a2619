"""What may be asked, as pydantic models: they name fields and refuse unknown ones; `FeatureRequest` checks the rest."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, StrictStr, WithJsonSchema

from feature_store.bars import TIMEFRAMES
from feature_store.indicators.catalog import feature, parse
from feature_store.indicators.custom import MAX_NAME, MAX_OUTPUTS, MAX_PARAMETERS, MAX_WORDS, Draft
from feature_store.indicators.expression_text import MAX_CHARACTERS
from feature_store.indicators.registry import Registry
from feature_store.indicators.units import UNITS
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


def _either(one: dict[str, Any], many: dict[str, Any], **about: Any) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [one, {"type": "object", "additionalProperties": one, **many}], **about})


_EXPRESSION = {"type": "string", "minLength": 1, "maxLength": MAX_CHARACTERS}
_WORDS = {"type": "string", "maxLength": MAX_WORDS}
_PARAMETER = {
    "type": "object",
    "required": ["default"],
    "additionalProperties": False,
    "properties": {
        "type": {"enum": ["int", "real", "choice"]},
        "default": {"type": ["number", "string"]},
        "ge": {"type": "number"},
        "le": {"type": "number"},
        "options": {"type": "array", "items": {"type": "string"}},
        "description": _WORDS,
    },
}


class RegisterQuestion(BaseModel):
    """A custom indicator as the file of `feature-store register` writes it; its values are checked where it is made."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        Any, WithJsonSchema({"type": "string", "minLength": 1, "maxLength": MAX_NAME, "examples": ["spread_z"]})
    ]
    expression: Annotated[
        Any,
        _either(
            _EXPRESSION,
            {"minProperties": 1, "maxProperties": MAX_OUTPUTS},
            description="one expression, or several by the name of their output",
            examples=["zscore(close - ema(close, n), n)"],
        ),
    ]
    parameters: Annotated[
        Any,
        WithJsonSchema(
            {
                "type": "object",
                "additionalProperties": _PARAMETER,
                "maxProperties": MAX_PARAMETERS,
                "description": "by name, in the order in which ids spell them",
                "examples": [{"n": {"type": "int", "default": 20, "ge": 2, "le": 500}}],
            }
        ),
    ] = {}
    title: Annotated[Any, WithJsonSchema({**_WORDS, "description": "a few words for a person"})] = ""
    unit: Annotated[Any, _either({"enum": list(UNITS)}, {}, description="one, or one for each output")] = "index"
    description: Annotated[Any, WithJsonSchema({**_WORDS, "description": "more of them"})] = ""

    def draft(self) -> Draft:
        """Return what somebody wrote; nothing of it is checked yet."""
        return Draft(**dict(self))


def _time(value: str | int | None) -> str | int | None:
    """Return a time as FeatureRequest takes it: text of many digits is epoch milliseconds, as answers have them."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) >= _EPOCH_DIGITS:
        return int(value)
    return value
