"""Documents say what is true: their programs run, their links lead somewhere, their figures stand in RESULTS.md."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from pathlib import Path

import pytest

import feature_store as fs
from feature_store.indicators.definition import registered
from feature_store.service.process import ServiceProcess
from tests.integration.conftest import hours

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/*.md")]


def programs(path: Path) -> list[str]:
    blocks = re.findall(r"^( *)```python\n(.*?)^ *```", path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [inspect.cleandoc(text) for _, text in blocks]


def run(text: str, names: dict[str, object], name: str) -> None:
    """Run a program that may await at its top, as a notebook would; its source stays where `inspect` finds it."""
    path = Path(f"{name}.py")
    path.write_text(text, "utf-8")
    code = compile(text, str(path.resolve()), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    waiting = eval(code, names)
    if inspect.iscoroutine(waiting):
        asyncio.run(waiting)


@pytest.fixture
def registry():
    before = dict(registered)
    yield
    registered.clear()
    registered.update(before)
    fs.parse.cache_clear()


@pytest.mark.usefixtures("registry")
def test_the_programs_of_the_readme_run(tmp_path, monkeypatch, bars_of_a_walk):
    monkeypatch.chdir(tmp_path)
    bars_of_a_walk.to_csv("EURUSD.csv")
    names: dict[str, object] = {"bars": bars_of_a_walk}
    first, second = programs(ROOT / "README.md")
    run(first, names, "first")
    with ServiceProcess("market") as service:
        monkeypatch.setenv("FEATURE_STORE_URL", service.api_url)
        run(second, names, "second")
    assert names["frame"].attrs["provenance"]["source"] == "live"
    assert len(names["frame"]) > 400


@pytest.mark.usefixtures("registry")
def test_the_indicators_of_contributing_can_be_added(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "contributed"}
    for place, program in enumerate(programs(ROOT / "CONTRIBUTING.md")):
        run(program, names, f"program{place}")
    frame = fs.compute({"high": [3.0, 5.0], "low": [1.0, 2.0], "close": [2.0, 4.0]}, ["reach_beyond_2", "streak"])
    assert frame.iloc[1].tolist() == pytest.approx([5 - 3.0, 2 - 3.0, 1.0])


def test_ids_mean_what_their_page_says(tmp_path, monkeypatch, bars_of_a_walk):
    page = ROOT / "docs" / "feature-ids.md"
    for spelt in re.findall(r"^\| `([^`]+)` \|", page.read_text("utf-8"), re.MULTILINE):
        if ":v" not in spelt:
            assert fs.parse(fs.parse(spelt).id) == fs.parse(spelt)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"bars": bars_of_a_walk}
    for place, program in enumerate(programs(page)):
        run(program, names, f"program{place}")
    assert names["frame"]["correl_50@GBPUSD"].iloc[-1] == pytest.approx(1.0)  # the same bars under two names


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)\)", document.read_text("utf-8")):
        if not target.startswith("https://"):
            assert (document.parent / target).exists(), target


def test_the_readme_quotes_only_what_was_measured():
    results = (ROOT / "benchmarks" / "RESULTS.md").read_text("utf-8")
    measured = (ROOT / "README.md").read_text("utf-8").split("## Measured")[1].split("## Install")[0]
    quoted = re.findall(r"\*\*([0-9][^*]*)\*\*", measured)
    assert len(quoted) >= 5
    for figure in quoted:
        assert figure in results, figure


@pytest.fixture
def bars_of_a_walk():
    return hours("2022-12-01", "2023-02-05")
