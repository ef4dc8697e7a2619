"""docs/custom-indicators.md says what is true: its programs run, its tables are the code's, its refusals the library's."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import feature_store as fs
from feature_store.bars import FEATURE_COLUMNS
from feature_store.cli import app
from feature_store.clock import CLOCK
from feature_store.errors import InvalidRequestError
from feature_store.indicators import custom as custom_module
from feature_store.indicators import expression_names, expression_numbers, expression_text
from feature_store.indicators.custom import Draft, custom
from feature_store.indicators.operators import aliases, operators
from feature_store.indicators.plugins import GROUP
from feature_store.service.app import create_app
from feature_store.service.process import ServiceProcess
from feature_store.store import definitions
from tests.feature_store.service.conftest import Caller
from tests.integration.conftest import hours
from tests.test_documents import ROOT, programs, run

DOCUMENT = ROOT / "docs" / "custom-indicators.md"
TEXT = DOCUMENT.read_text("utf-8")
SENTENCES = " ".join(TEXT.split())


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


def marked(name: str) -> str:
    return TEXT.split(f"<!-- {name} -->")[1].split("<!-- end -->")[0].strip()


def rows(name: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in marked(name).splitlines()[2:]]


@pytest.fixture
def market(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with fs.open("market") as store:
        store.ingest("EUR/USD", "1h", hours("2022-12-01", "2023-02-05"))
    return tmp_path


# ---------------------------------------------------------------- programs
def test_its_programs_run(market, monkeypatch):
    first, client, outputs = programs(DOCUMENT)
    names: dict[str, object] = {}
    run(first, names, "first")
    assert list(names["frame"]) == ["spread_z", "spread_z_50", "spread_z_50@4h"]
    run(outputs, names, "outputs")
    assert len(names["frame"].columns) == 4
    with ServiceProcess("market") as service:
        monkeypatch.setenv("FEATURE_STORE_URL", service.api_url)
        run(client, names, "client")
    assert names["about"]["id"] == "spread_z:v1"
    assert names["frame"]["spread_z_50"].notna().all()


def test_its_file_is_registered_by_its_command(market):
    file, _ = blocks("toml")
    Path("spread.toml").write_text(file, "utf-8")
    (command, *said), *_ = (block.splitlines() for block in blocks("console"))
    done = CliRunner().invoke(app, command.removeprefix("$ feature-store ").split())
    assert done.stdout.splitlines() == said


def test_its_plugin_is_named_where_plugins_are_looked_for():
    _, project = blocks("toml")
    assert set(tomllib.loads(project)["project"]["entry-points"]) == {GROUP}


def test_its_body_is_answered_as_it_says():
    (body,) = blocks("json")
    with fs.open(":memory:") as store:
        caller = Caller(create_app(store))
        made = caller.post("/api/v1/indicators", json.loads(body))
        assert (made.status, caller.post("/api/v1/indicators", json.loads(body)).status) == (201, 200)
        assert f"`Location: {made.headers['location']}`" in SENTENCES
        (shown,) = blocks("text")
        refused = caller.post("/api/v1/indicators", json.loads(body.replace("ema(", "eam("))).json
        assert refused["detail"] == shown.rstrip("\n")
        assert f"`position` is `{refused['position']}`" in SENTENCES


# ---------------------------------------------------------------- tables
def test_its_operators_are_those_of_the_language():
    for name, operator in operators.items():
        given = [*operator.inputs, *(f"{each}={rule.default}" for each, rule in operator.parameters.items())]
        about = operator.doc.splitlines()[0].removeprefix("Return ")
        assert f"| `{name}({', '.join(given)})` | {about} |" in marked("operators").splitlines(), name
    assert len(rows("operators")) == len(operators)
    assert " ".join(marked("aliases").split()) == ", ".join(
        f"`{word}` is `{meant}`" for word, meant in sorted(aliases.items())
    )


@pytest.mark.parametrize("columns", [FEATURE_COLUMNS, CLOCK], ids=["bar", "clock"])
def test_it_names_every_column(columns):
    language = TEXT.split("## The language")[1].split("## Parameters")[0]
    assert set(columns) <= set(re.findall(r"[a-z_]+", language))


@pytest.mark.parametrize(("expression", "answer"), rows("refusals"))
def test_what_it_says_is_refused_is_refused_with_these_words(expression, answer):
    with pytest.raises(InvalidRequestError) as problem:
        custom(Draft("mine", expression.strip("`")))
    assert answer.replace("\\", "") in str(problem.value)


def test_its_bounds_are_those_of_the_code():
    assert [number for _, number in rows("bounds")] == [
        f"{bound:,.0f}"
        for bound in (
            expression_text.MAX_CHARACTERS,
            expression_text.MAX_PARTS,
            expression_text.MAX_DEPTH,
            custom_module.MAX_OUTPUTS,
            custom_module.MAX_PARAMETERS,
            custom_module.MAX_OPTIONS,
            custom_module.MAX_WINDOW,
            expression_numbers.MAX_CONSTANT,
            custom_module.MAX_LEVELS,
            expression_names.MAX_READ,
            expression_names.MAX_STEPS,
            expression_names.MAX_NODES,
            definitions.MAX_NAMES,
            definitions.MAX_VERSIONS,
        )
    ]
