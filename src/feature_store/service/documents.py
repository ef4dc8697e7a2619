"""What the service answers, as OpenAPI describes it. Answers never pass through these models: they leave as bytes."""

from typing import Any

from pydantic import BaseModel, Field, JsonValue

from feature_store import wire
from feature_store.service.problems import CATALOGUE, KINDS_OF_STATUS


class ProvenanceDocument(BaseModel):
    """Where the values came from."""

    source: str = Field(description="live: from this service")
    as_of: str = Field(description="ISO 8601 moment at which the values were true")
    degraded: bool
    warnings: list[str]
    versions: dict[str, str] = Field(description="feature id -> version of its definition")
    anchor: int | None = Field(description="epoch milliseconds of the series' first bar")


class FrameDocument(BaseModel):
    """Columns of one series; every column is as long as `time`."""

    symbol: str
    timeframe: str
    time: list[int] = Field(description="bar open, epoch milliseconds, strictly rising")
    columns: dict[str, list[float | None]] = Field(description="null where a value is not known yet")
    provenance: ProvenanceDocument


class OutputDocument(BaseModel):
    """One output of an indicator."""

    name: str
    unit: str


class IndicatorDocument(BaseModel):
    """An indicator: what it takes, what it gives, and from which row on."""

    id: str
    title: str
    group: str
    inputs: list[str] = Field(description="the bar columns it reads")
    parameters: dict[str, dict[str, Any]] = Field(
        description="name -> default, type and bounds; `value` where an id gives one"
    )
    outputs: list[OutputDocument]
    warmup: int = Field(description="rows before the first value")
    source: str
    origin: str = Field(description="built-in, the distribution of a plugin, or this store")
    version: str
    description: str
    custom: bool = Field(
        default=False, description="registered in this store; then it has an expression and what it uses"
    )
    expression: dict[str, str] | None = Field(default=None, description="of a custom one: by output")
    uses: list[str] | None = Field(default=None, description="of a custom one: the definitions it is made of")


class CatalogDocument(BaseModel):
    """Everything that can be asked for."""

    indicators: list[IndicatorDocument]


class HealthDocument(BaseModel):
    """Whether the service lives, or is ready for questions."""

    status: str


_CODES: list[JsonValue] = [*sorted({kind.code for kind in CATALOGUE.values()})]


class ProblemDocument(BaseModel):
    """A problem (RFC 9457)."""

    type: str = Field(description="names the kind of problem")
    title: str
    status: int
    code: str = Field(description="says what to change", json_schema_extra={"enum": _CODES})
    detail: str = Field(description="one sentence: value, rule and way out")
    field: str | None = Field(description="the part of the request that is at fault")
    position: tuple[int, int] | None = Field(
        default=None,
        description="of an expression: where the part at fault begins and has ended, in characters; `detail` shows it",
    )
    trace_id: str = Field(description="under which the service logged it")


def answers(
    model: type[BaseModel], *statuses: int, arrow: bool = False, creates: bool = False
) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of a route that answers `model` as JSON, and problems of these statuses."""
    described: dict[int | str, dict[str, Any]] = {200: {"model": model, "description": "the answer"}}
    if creates:
        location = {"description": "the address of what was made", "schema": {"type": "string"}}
        described[200]["description"] = "it was there already, with this content"
        described[201] = {"model": model, "description": "it was made", "headers": {"Location": location}}
    if arrow:
        described[200]["content"] = {wire.ARROW: {"schema": {"type": "string", "format": "binary"}}}
        described[304] = {"description": "the caller's copy, named by If-None-Match, is still good"}
    return described | problems(*statuses)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the `responses` of problems of these statuses."""
    schema = ProblemDocument.model_json_schema()
    return {
        status: {
            "description": "; ".join(kind.title for kind in KINDS_OF_STATUS[status]),
            "content": {wire.PROBLEM: {"schema": schema}},
        }
        for status in statuses
    }
