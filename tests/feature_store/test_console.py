"""The frame of the command line: one line for every error, and commands that other packages add."""

import subprocess
import sys
import textwrap

import pytest
import typer
from typer.testing import CliRunner

from feature_store.console import CommandGroup
from feature_store.errors import DataNotFoundError, StoreLockedError


@pytest.fixture
def app():
    app = typer.Typer(cls=CommandGroup, name="feature-store")

    @app.callback()
    def everything() -> None: ...

    @app.command()
    def fine(name: str = "you") -> None:
        """Greets."""
        typer.echo(f"hello {name}")

    @app.command()
    def missing() -> None:
        raise DataNotFoundError("no bars of GBP/USD;\nstored is EUR/USD")

    @app.command()
    def broken() -> None:
        raise RuntimeError("boom")

    @app.command()
    def bare() -> None:
        raise ModuleNotFoundError("No module named 'polars'", name="polars")

    return app


def run(app, *words):
    return CliRunner().invoke(app, list(words))


def test_a_command_that_succeeds_exits_with_0(app):
    done = run(app, "fine", "--name", "Anna")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "hello Anna\n", "")


def test_our_own_error_is_one_line_and_exits_with_2(app):
    done = run(app, "missing")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == "feature-store: no bars of GBP/USD; stored is EUR/USD\n"


def test_an_error_nobody_foresaw_is_one_line_and_exits_with_1(app):
    done = run(app, "broken")
    assert done.exit_code == 1
    assert done.stderr == "feature-store: unexpected RuntimeError: boom; add --debug to see where it comes from\n"


@pytest.mark.parametrize("words", [("broken", "--debug"), ("--debug", "broken")])
def test_debug_shows_the_traceback_wherever_it_stands(app, words):
    done = run(app, *words)
    assert done.exit_code == 1
    assert "Traceback" in done.stderr
    assert 'RuntimeError("boom")' in done.stderr


def test_a_missing_package_says_how_to_install_it(app):
    done = run(app, "bare")
    assert done.exit_code == 2
    assert "pip install 'forex-feature-store[all]'" in done.stderr


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["fin"], "Did you mean 'fine'"),
        (["fine", "--nmae", "x"], "--name"),
        (["fine", "x"], "unexpected extra argument"),
    ],
)
def test_a_misspelt_command_line_is_one_line_with_the_way_out(app, words, says):
    done = run(app, *words)
    assert done.exit_code == 2
    assert done.stderr.count("\n") == 1
    assert says in done.stderr
    assert "--help" in done.stderr


def test_no_words_at_all_show_the_help(app):
    done = run(app)
    assert done.exit_code == 0
    assert "Greets" in done.stdout


# ---------------------------------------------------------------- commands of other packages
@pytest.fixture
def package(tmp_path, monkeypatch):
    """Install a package with the given commands: {name: source of its module}."""

    def install(**commands):
        lines = ["[feature_store.commands]"]
        for name, source in commands.items():
            (tmp_path / f"plugin_{name}.py").write_text(textwrap.dedent(source))
            lines.append(f"{name} = plugin_{name}:command")
        folder = tmp_path / "plugins-1.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: plugins\nVersion: 1\n")
        (folder / "entry_points.txt").write_text("\n".join(lines))
        monkeypatch.syspath_prepend(tmp_path)

    yield install
    for name in [name for name in sys.modules if name.startswith("plugin_")]:
        del sys.modules[name]


GREET = '''
    def command(name: str = "you") -> None:
        """Greets from afar."""
        print("far hello", name)
'''
GROUP = """
    import typer

    command = typer.Typer(help="Several things.")

    @command.command()
    def one() -> None:
        print("one")

    @command.command()
    def two() -> None:
        print("two")
"""


def test_a_function_of_another_package_becomes_a_command(app, package):
    package(greet=GREET)
    assert run(app, "greet", "--name", "Anna").stdout == "far hello Anna\n"
    assert "Greets from afar" in run(app, "--help").stdout


def test_a_typer_of_another_package_becomes_a_group(app, package):
    package(several=GROUP)
    assert run(app, "several", "two").stdout == "two\n"
    assert "Several things" in run(app, "--help").stdout


def test_another_packages_command_is_not_imported_for_one_of_ours(app, package):
    package(greet="raise SystemExit('imported')")
    assert run(app, "fine").exit_code == 0


def test_an_own_command_wins_over_one_of_the_same_name(app, package):
    package(fine=GREET)
    assert run(app, "fine").stdout == "hello you\n"


def test_a_command_that_cannot_be_imported_does_not_take_the_others_along(app, package):
    package(bad="import a_package_nobody_has", greet=GREET)
    helped = run(app, "--help")
    assert helped.exit_code == 0
    assert "cannot be loaded" in helped.stdout
    assert "Greets from afar" in helped.stdout
    done = run(app, "bad", "--any", "thing")
    assert done.exit_code == 2
    assert "a_package_nobody_has" in done.stderr


def test_an_error_of_another_packages_command_is_one_line_too(app, package):
    package(
        locked="""
        from feature_store.errors import StoreLockedError

        def command() -> None:
            raise StoreLockedError("locked by process 7")
        """
    )
    done = run(app, "locked")
    assert (done.exit_code, done.stderr) == (2, "feature-store: locked by process 7\n")
    assert StoreLockedError.code == "store_locked"


# ---------------------------------------------------------------- quick
HEAVY = {"numpy", "llvmlite", "pandas", "polars", "pyarrow", "deltalake", "fastapi", "aiohttp", "uvicorn"}


@pytest.mark.parametrize(
    "words",
    [["-m", "feature_store", "--help"], ["-m", "feature_store", "serve", "--help"], ["-c", "import feature_store"]],
)
def test_help_imports_nothing_heavy(words):
    done = subprocess.run([sys.executable, "-X", "importtime", *words], capture_output=True, text=True, check=True)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "feature_store" in imported
    assert not imported & HEAVY
