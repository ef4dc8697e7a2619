"""Plugins: indicators of installed packages join the built-ins, and one that fails takes nothing along and is not silent."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from textwrap import dedent

import pytest

import feature_store as fs
from feature_store.errors import FeatureNotFoundError, InvalidRequestError
from feature_store.indicators.definition import origins, registered
from feature_store.indicators.plugins import GROUP, join
from feature_store.indicators.registry import missing
from feature_store.service.app import create_app
from tests.feature_store.service.conftest import Caller

REACH = """
import feature_store as fs
from feature_store.indicators.averages import ema


@fs.indicator(title="Reach", group="momentum", unit="price change", source="an example", outputs="bull bear")
def reach(high: fs.Series, low: fs.Series, close: fs.Series, period: int = fs.Int(13)) -> tuple[fs.Series, ...]:
    \"\"\"How far high and low reach beyond the EMA of close.\"\"\"
    middle = ema(close, period)
    return high - middle, low - middle
"""


def indicator(name: str, body: str = "return close") -> str:
    return f"""
import feature_store as fs


@fs.indicator(title="{name}", group="momentum", unit="price", source="an example")
def {name}(close: fs.Series, period: int = fs.Int(13)) -> fs.Series:
    {body}
"""


@pytest.fixture
def plugin(tmp_path, monkeypatch):
    """Write a module and let it join as a plugin of its name; what it changed is put back afterwards."""
    before = [(each, dict(each)) for each in (registered, origins, missing)]
    monkeypatch.syspath_prepend(tmp_path)

    def joining(**texts: str) -> None:
        for module, text in texts.items():
            (tmp_path / f"{module}.py").write_text(text)
        join([EntryPoint(module, module, GROUP) for module in texts])

    yield joining
    for each, held in before:
        each.clear()
        each.update(held)
    for path in tmp_path.glob("*.py"):
        sys.modules.pop(path.stem, None)
    fs.parse.cache_clear()


def test_a_plugins_indicators_are_asked_for_as_built_ins_are(plugin):
    plugin(fx_reach=REACH)
    frame = fs.compute({"high": [3.0, 5.0], "low": [1.0, 2.0], "close": [2.0, 4.0]}, ["reach_2"])
    assert frame.iloc[1].tolist() == [2.0, -1.0]
    assert "reach" in [each.name for each in fs.catalog("momentum")]
    with fs.open(":memory:") as store:
        made = store.register("mine", "reach__bull(high, low, close, 5) - close")
        assert "reach:v1" in made.describe()["uses"]
        described = Caller(create_app(store)).get("/api/v1/indicators/reach_5").json
        assert (described["origin"], described["columns"]) == ("fx_reach", ["reach_5.bull", "reach_5.bear"])
        assert {each["origin"] for each in Caller(create_app(store)).get("/api/v1/indicators").json["indicators"]} == {
            "built-in",
            "fx_reach",
            "this store",
        }


def test_an_indicator_of_the_program_itself_says_so(plugin):
    exec(compile("\n" + REACH, __file__, "exec"), {"__name__": "somewhere"})
    assert registered["reach"].origin == "this program"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import not_installed_anywhere\n" + REACH, "ModuleNotFoundError: No module named 'not_installed_anywhere'"),
        (REACH + "\nraise SystemExit(3)", "SystemExit: 3"),
        (REACH + "\n1 / 0", "ZeroDivisionError: division by zero"),
        (REACH + "\ndef (", "SyntaxError: "),
        (REACH + indicator("rsi"), "TypeError: rsi is the name of an indicator in feature_store.indicators.momentum"),
        (REACH + indicator("where"), "ConflictError: where is an operator; choose another name"),
        (REACH + indicator("close"), "ConflictError: close is a bar column"),
        (REACH + indicator("sma_50"), "ConflictError: sma_50 is an id already, of sma"),
        (REACH + indicator("Odd"), "no id can begin with Odd; name it in small letters, digits and _"),
        (REACH + indicator("odd", "return close.mean()"), "AttributeError: "),
        (
            REACH + "from feature_store.indicators.definition import registered\nregistered['rsi'] = reach",
            "ConflictError: rsi is an indicator",
        ),
    ],
)
def test_a_plugin_that_fails_is_skipped_as_a_whole_and_its_ids_say_why(plugin, caplog, text, why):
    everything = dict(registered)
    with caplog.at_level(logging.WARNING):
        plugin(fx_bad=text, fx_good=indicator("steady"))
    assert registered == everything | {"steady": registered["steady"]}
    (said,) = caplog.messages
    assert said.startswith(f"the plugin fx_bad of fx_bad was skipped: {why}")
    assert said.endswith("; mend it, or uninstall it")
    assert fs.parse("rsi_14").definition.origin == "built-in"
    if "def (" not in text:  # which has no tree to read names from
        with pytest.raises(
            FeatureNotFoundError, match="reach comes with the plugin fx_bad of fx_bad, which was skipped"
        ) as no:
            fs.parse("reach_20.bull")
        assert why in str(no.value)
        with pytest.raises(
            InvalidRequestError, match=r"reach comes with the plugin.*\n  close - reach_20\n          \^{8}$"
        ):
            fs.open(":memory:").register("mine", "close - reach_20")


def test_the_first_of_two_plugins_with_one_name_keeps_it(plugin, caplog):
    plugin(fx_one=indicator("steady"), fx_two=indicator("steady") + indicator("calm"))
    assert (fs.parse("steady").definition.origin, "calm" in registered) == ("fx_one", False)
    assert "steady is the name of an indicator in fx_one; choose another" in caplog.text


def test_why_a_plugin_was_skipped_names_no_folder_of_this_machine(plugin, caplog):
    plugin(fx_bad="raise OSError('cannot read /home/anna/key.pem (C:\\\\keys)')\n" + indicator("lost"))
    assert "/home/anna/key.pem" in caplog.text
    with pytest.raises(FeatureNotFoundError) as no:
        fs.parse("lost")
    assert str(no.value).endswith("skipped: OSError: cannot read ... ...")


def test_a_module_that_the_program_imported_before_is_a_plugin_all_the_same(plugin, tmp_path):
    (tmp_path / "fx_early.py").write_text(indicator("early"))
    __import__("fx_early")
    assert registered["early"].origin == "this program"
    plugin(fx_early=indicator("early"))
    assert registered["early"].origin == "fx_early"
    join([EntryPoint("fx_early", "fx_early", GROUP)])
    assert fs.parse("early").definition.origin == "fx_early"


def test_a_stored_definition_says_which_plugin_it_lacks(plugin, tmp_path):
    plugin(fx_reach=REACH)
    with fs.open(tmp_path / "market") as store:
        store.register("mine", "reach(high, low, close, 5)")
    del registered["reach"]
    plugin(fx_moved="import not_installed_anywhere\n" + REACH)
    with (
        fs.open(tmp_path / "market") as store,
        pytest.raises(FeatureNotFoundError, match=r"mine:v1 cannot be used .*fx_moved"),
    ):
        store.registry.parse("mine")


# ---------------------------------------------------------------- as they are installed
@pytest.fixture
def run(tmp_path):
    """Install distributions on the path of a child process and run a program there."""

    def install(name: str, module: str, text: str) -> None:
        about = tmp_path / f"{name.replace('-', '_')}-1.2.dist-info"
        about.mkdir()
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (about / "entry_points.txt").write_text(f"[feature_store.indicators]\nextras = {module}\n")
        file = tmp_path / f"{module.replace('.', '/')}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def run(*command: str) -> tuple[str, str]:
        known = {**os.environ, "PYTHONPATH": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, *command], env=known, check=True, capture_output=True, text=True, cwd=tmp_path
        )
        return done.stdout, done.stderr

    install("fx-reach", "fx_reach.momentum", "print('loaded')\n" + REACH + "\nassert fs.parse('sma_5').warmup == 4\n")
    install("fx-broken", "fx_broken", "import not_installed_anywhere\n" + indicator("lost"))
    return run


def test_installed_plugins_are_found_when_the_catalog_is_first_used(run):
    said, warned = run(
        "-c",
        dedent("""
            import feature_store as fs
            from feature_store import bars, cli, wire
            print("not yet")
            print(fs.parse("reach_20.bull").describe()["origin"], fs.parse("rsi").name)
            print("reach" in [each.name for each in fs.catalog()])
            try:
                fs.compute({"close": [1.0]}, ["lost_20"])
            except fs.errors.FeatureNotFoundError as problem:
                print(problem)
        """),
    )
    assert said.splitlines() == [
        "not yet",
        "loaded",
        "fx-reach 1.2 rsi",
        "True",
        (
            "lost comes with the plugin extras of fx-broken 1.2, which was skipped: ModuleNotFoundError: No module named "
            "'not_installed_anywhere'"
        ),
    ]
    assert warned.splitlines() == [
        (
            "the plugin extras of fx-broken 1.2 was skipped: ModuleNotFoundError: No module named 'not_installed_anywhere'; "
            "mend it, or uninstall it"
        )
    ]


def test_the_command_line_lists_a_plugins_indicators_with_their_origin(run, tmp_path):
    said, warned = run("-m", "feature_store", "catalog", "--search", "reach", "--home", str(tmp_path / "market"))
    assert "v1 of fx-reach 1.2" in " ".join(said.split())
    assert warned.count("was skipped") == 1
